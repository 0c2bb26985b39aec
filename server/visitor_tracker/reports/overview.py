"""The one-page statistics of trackers of old: everything of all time."""

from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.days import date_of
from visitor_tracker.event import Kind
from visitor_tracker.measures import NAMES, Dimension, text_id
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.query import Asked, Question, pieces_of, read_question
from visitor_tracker.reports.totals import totals
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable, RowOrder

MAP_MOST = 1_000  # entries of one map, the largest
HISTORY_DAYS = 30

_VIEWS, _VISITORS = 2, 0  # places in measures.NAMES
_DEVICES = {"desktop": "Desktop", "mobile": "Mobile", "tablet": "Tablet", "bot": "Bot"}
_CATEGORIES = {"direct": "Direct", "internal": "Direct", "search": "Search Engine", "social": "Social Media"}


class Day(msgspec.Struct, frozen=True):
    date: str
    total_visits: int
    unique_visitors: int


class Visits(msgspec.Struct, frozen=True):
    """What the privacy-focused tracker tells of a site; a visit of its is a pageview of ours."""

    total_visits: int
    unique_visitors: int
    history: tuple[Day, ...]  # the last days that have any, the newest first
    countries: dict[str, int]  # visitors
    pages: dict[str, int]  # views, as in all that follow
    devices: dict[str, int]
    browsers: dict[str, int]
    os: dict[str, int]
    referrers: dict[str, int]  # by what brought the visit
    links: dict[str, int]  # clicks


class Counted(msgspec.Struct, frozen=True):
    """What the website-analytics server tells of its tables."""

    pageviews: int
    identify_events: int
    custom_events: int
    click_events: int
    rrweb_events: int
    total_sessions: int


def visits(table: ReportTable, site: Site, policy: VisitorPolicy, now_ms: int) -> Visits:
    """Return the numbers of a site from its first day on."""
    ever = read_question(Asked(period="all"), site, policy, now_ms=now_ms, known=lambda: table.known(site.id))
    total = totals(table, ever).numbers

    def by(dimension: Dimension, order: RowOrder = "views") -> dict[str, int]:
        return _map(table, ever, dimension, order)

    def complete(found: dict[str, int]) -> dict[str, int]:
        """Add what has no value."""
        rest = total.views - sum(found.values())
        return found | {"Unknown": rest} if rest > 0 and len(found) < MAP_MOST else found

    return Visits(
        total_visits=total.views,
        unique_visitors=total.visitors or 0,
        history=tuple(
            Day(date_of(day).isoformat(), measured[_VIEWS], measured[_VISITORS])
            for day, measured in table.latest(site.id, HISTORY_DAYS)
        ),
        countries=by(Dimension.COUNTRY, "visitors"),
        pages=by(Dimension.PAGE),
        devices=complete(_renamed(by(Dimension.DEVICE), lambda name: _DEVICES.get(name, "Other"))),
        browsers=complete(by(Dimension.BROWSER)),
        os=complete(by(Dimension.OS)),
        referrers=_renamed(by(Dimension.CHANNEL), lambda name: _CATEGORIES.get(name, "Other")),
        links=by(Dimension.OUTBOUND, "events"),
    )


def counted(table: ReportTable, sites: Iterable[Site], recorded_events: int = 0) -> Counted:
    """Return the numbers of all these sites together; recordings are counted elsewhere."""
    ids = sorted({site.id for site in sites})
    kinds = table.events_of_sites(Dimension.KIND, ids)
    _, sessions = table.events_of_sites(Dimension.TOTAL, ids).get(0, (0, 0))

    def events(kind: Kind) -> int:
        return kinds.get(text_id(kind), (0, 0))[0]

    return Counted(
        pageviews=events("pageview"),
        identify_events=events("identify"),
        custom_events=events("custom"),
        click_events=events("click"),
        rrweb_events=recorded_events,
        total_sessions=sessions,
    )


def _map(table: ReportTable, ever: Question, dimension: Dimension, order: RowOrder) -> dict[str, int]:
    rows, _ = table.breakdown(ever.site.id, dimension, pieces_of(ever), order=order, limit=MAP_MOST)
    place = NAMES.index(order)
    return {row.text or unnamed(row.value): row.measured[place] for row in rows if row.measured[place]}


def _renamed(found: dict[str, int], rename: Callable[[str], str]) -> dict[str, int]:
    """Return the sums by the other name, the largest first."""
    sums: dict[str, int] = {}
    for name, number in found.items():
        sums[rename(name)] = sums.get(rename(name), 0) + number
    return dict(sorted(sums.items(), key=lambda each: -each[1]))
