"""GET /summary, as clients of the privacy-focused tracker of old ask for it."""

from typing import Annotated

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.summary import NoSummary, Summary, summary
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import sees_all, visible
from visitor_tracker.web.router import Route


class SummaryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site_id: Annotated[str, msgspec.Meta(description="name of the site")] = "default"


class OldCounts:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = ReportTable(parts.store.database)

    def routes(self) -> list[Route]:
        said = "a site's averages, busiest weekday and growth: ?site_id="
        return [Route("GET", "/summary", self.summary, said, "read", query=SummaryQuery, answer=Summary | NoSummary)]

    def summary(self, request: Request) -> Answer:
        """GET /summary?site_id=; a site without visits, also one nobody knows yet, is answered {error}."""
        asked = query_as(request, SummaryQuery)
        site = visible(self._parts.snapshot(), request).by_name.get(asked.site_id)
        if site is None and not sees_all(request):
            raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows the names")
        # A site that a visit has just made has numbers before it is in the snapshot.
        site = site or Site(site_id_of(asked.site_id), asked.site_id)
        return answer(summary(self._table, site, self._parts.clock()))
