"""The pages of a site that were viewed most, with what they are called and where they are."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import msgspec

from visitor_tracker.measures import text_id
from visitor_tracker.reports.asking.answering import answer_query
from visitor_tracker.reports.asking.reading import About, StatsQuery, read_query
from visitor_tracker.reports.asking.shapes import Row
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.session import Database
from visitor_tracker.store.sightings import Sightings


class ReadPage(msgspec.Struct, frozen=True):
    """A page; `title` is its path where it has none, `url` null where nobody knows the site's host."""

    path: str
    title: str
    url: str | None
    views: int


class MostRead:
    """Raises QueryError and what stores do; any thread."""

    def __init__(self, database: Database, robots: int, clock: Callable[[], int]) -> None:
        """`robots` are the signals of those; `clock` is epoch ms."""
        self._table = ReportTable(database)
        self._sightings = Sightings(database)
        self._robots = robots
        self._clock = clock

    def pages(self, site: Site, policy: VisitorPolicy, period: str, limit: int) -> list[ReadPage]:
        """Return a site's pages of a period, the most viewed first."""
        views = {row.dimensions["page"]: _views(row) for row in self._rows(site, policy, period, "page", limit)}
        ids = {text_id(path): path for path in views}
        titles = {ids[page]: title for page, title in self._sightings.titles(site.id, ids, self._robots).items()}
        base = self._base(site, policy, period)
        return [
            ReadPage(path, titles.get(path) or path, base and _address(base, path), count)
            for path, count in views.items()
        ]

    def _base(self, site: Site, policy: VisitorPolicy, period: str) -> str | None:
        """Return where a site's pages are: at its first host, else at the one that has the most views."""
        named = next((name for name in site.hostnames if not name.startswith("*.")), "")
        if not named:
            named = next((row.dimensions["host"] for row in self._rows(site, policy, period, "host", 1)), "")
        scheme = "http" if site.url.startswith("http://") else "https"
        return f"{scheme}://{named}" if named else None

    def _rows(self, site: Site, policy: VisitorPolicy, period: str, dimension: str, limit: int) -> list[Row]:
        asked = StatsQuery(
            metrics=["views"], dimensions=[dimension], date_range=period, order_by=["views:desc"], limit=limit
        )
        about = About(site, policy, known=partial(self._table.known, site.id))
        return answer_query(self._table, read_query(asked, about, self._clock())).rows


def _views(row: Row) -> int:
    return int(row.metrics["views"] or 0)


def _address(base: str, path: str) -> str:
    return base + quote(path if path.startswith("/") else f"/{path}", safe="/%:@!$&'()*+,;=-._~")
