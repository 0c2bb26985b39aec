"""By what it is told whether an extract still is what its day comes to."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from visitor_tracker.days import day_after
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.columns import VERSION
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Measured, Piece, ReportTable

_KINDS_MOST = 1_000_000  # rows: a dozen a day


class Stamps:
    """Rollups of some days. An event that comes late changes those of its day: at least how many of its kind there are.

    A visit may touch the days beside it, so these count too.
    """

    def __init__(self, table: ReportTable, site: Site, first_day: int, last_day: int) -> None:
        self._zone = site.timezone
        piece = Piece("day", day_after(first_day, -1), day_after(last_day))
        self.totals: dict[int, Measured] = dict(table.periods(site.id, Dimension.TOTAL, piece))
        self._kinds: dict[int, list[tuple[int, Measured]]] = {}
        for day, kind, measured in table.by_period(site.id, Dimension.KIND, piece, _KINDS_MOST):
            self._kinds.setdefault(day, []).append((kind, measured))

    def of(self, day: int) -> bytes:
        """Return the stamp of a day."""
        days = [day_after(day, -1), day, day_after(day)]
        said = (VERSION, self._zone, [(self.totals.get(each), sorted(self._kinds.get(each, ()))) for each in days])
        return blake2b(msgspec.msgpack.encode(said), digest_size=16).digest()

    def days(self, first_day: int, last_day: int) -> list[int]:
        """Return the days of a span that have numbers."""
        return [day for day in sorted(self.totals) if first_day <= day <= last_day]


def groups_of(days: Iterable[int], most: int) -> list[list[int]]:
    """Return days that follow on each other together, so many at most."""
    found: list[list[int]] = []
    for day in days:
        if found and len(found[-1]) < most and day == day_after(found[-1][-1]):
            found[-1].append(day)
        else:
            found.append([day])
    return found
