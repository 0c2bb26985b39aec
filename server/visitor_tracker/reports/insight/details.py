"""What most visits of a cause have in common, read from the extracts of its days."""

from dataclasses import dataclass
from functools import partial

from visitor_tracker.days import date_of
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.insight.causes import Detail
from visitor_tracker.reports.insight.moved import ORIGINS, UNKNOWN, Change, Moved, moved
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.extracts import ExtractTable
from visitor_tracker.store.reports import Piece, ReportTable

_MOSTLY = 0.6
_LIFT = 1.3  # that a part of a cause must be above its usual part of the site
_SCANNED_MOST = 5_000  # visits of a day that are read one by one where no extract has them


Days = tuple[int, int]  # the first and the last, both included


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Who is asked about what: the numbers of a site, as they are at a moment."""

    table: ReportTable
    site: Site
    policy: VisitorPolicy
    now_ms: int


def details_of(inquiry: Inquiry, days: Days, cause: Moved, change: Change) -> list[Detail]:
    """Return what most visits of a cause have in common on these days; nothing where that would take long."""
    if not _is_cheap(inquiry.table, inquiry.site, days):
        return []
    ends = Dimension.ENTRY if cause.dimension in ORIGINS else Dimension.SOURCE
    asked = [each for each in (ends, Dimension.COUNTRY) if each is not cause.dimension]
    found = (_detail(inquiry, days, cause, change, each) for each in asked)
    return [each for each in found if each is not None]


def _is_cheap(table: ReportTable, site: Site, days: Days) -> bool:
    """Say whether the days are kept as extracts, or so small that their visits can be read."""
    kept = ExtractTable(table.database).stamps(site.id, *days)
    rows = table.periods(site.id, Dimension.TOTAL, Piece("day", *days))
    return sum(measured[NAMES.index("visits")] for day, measured in rows if day not in kept) <= _SCANNED_MOST


def _detail(inquiry: Inquiry, days: Days, cause: Moved, change: Change, dimension: Dimension) -> Detail | None:
    top = _top(inquiry, days, cause, dimension)
    if top is None:
        return None
    value, share = top
    if value in UNKNOWN:
        return None
    usual = next((each.usual for each in moved(inquiry.table, change, dimension) if each.text == value), 0.0)
    usual_share = usual / change.usual if change.usual else 0.0
    if share < _MOSTLY or share < min(1.0, _LIFT * usual_share):
        return None
    return Detail(dimension.name.lower(), value, round(share, 4), round(usual_share, 4))


def _top(inquiry: Inquiry, days: Days, cause: Moved, dimension: Dimension) -> tuple[str, float] | None:
    """Return the value that most visits of the cause have, and how many of them."""
    name = dimension.name.lower()
    query = StatsQuery(
        inquiry.site.name,
        ["visits"],
        [name],
        ["is", cause.dimension.name.lower(), [cause.text]],
        date_range="..".join(date_of(day).isoformat() for day in days),
        order_by=["visits:desc"],
        limit=1,
    )
    about = About(inquiry.site, inquiry.policy, partial(inquiry.table.known, inquiry.site.id))
    try:
        found = answer_query(inquiry.table, read_query(query, about, inquiry.now_ms))
    except QueryError:  # too long a value to filter by
        return None
    in_all = found.totals.metrics["visits"] or 0
    if not found.rows or not in_all:
        return None
    return found.rows[0].dimensions[name], (found.rows[0].metrics["visits"] or 0) / in_all
