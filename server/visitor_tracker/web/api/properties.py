"""GET /api/v1/stats/properties: the names that prop:NAME may have."""

from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.properties import PropertyName, properties
from visitor_tracker.reports.query import QueryError, read_span
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api.queries import refusal
from visitor_tracker.web.asked import answer
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.site_query import OfDays, OfPeriod, over_days
from visitor_tracker.web.turns import long_turn
from visitor_tracker.web.typed import question_of


class PropertiesAnswer(OfDays, frozen=True, kw_only=True):
    """Properties of the newest events of a period; `is_part` where not all events were read."""

    events_read: int
    is_part: bool
    properties: list[PropertyName]


def routes(parts: Parts) -> list[Route]:
    """Return the route of this file."""
    table = ReportTable(parts.store.database)

    def names(request: Request) -> Answer:
        asked = question_of(request, OfPeriod)
        site = asked.among(visible(parts.snapshot(), request))
        try:
            span = read_span(asked.period, site.timezone, parts.clock(), lambda: table.known(site.id))
        except QueryError as error:
            raise refusal(error, {"date_range": "period"}) from error
        with long_turn():
            found = properties(parts.store.database, site, span)
        return answer(over_days(PropertiesAnswer, site, span, found))

    summary = "names of the properties that events have"
    return [
        Route("GET", "/api/v1/stats/properties", names, summary, "read", query=OfPeriod, answer=PropertiesAnswer),
    ]
