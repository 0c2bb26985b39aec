"""What a report says: sums, what follows from them, and how honest its visitors are."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from visitor_tracker.days import month_of
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.fields import Field
from visitor_tracker.sites import VisitorPolicy
from visitor_tracker.store.reports import Measured

VisitorsAre = Literal["exact", "daily_sum", "monthly_sum", "suppressed"]

NOTES: dict[VisitorsAre, str] = {
    "exact": "each visitor counts once",
    "daily_sum": "visitors of each day, added up: who comes on another day counts again",
    "monthly_sum": "visitors of each month, added up: who comes in another month counts again",
    "suppressed": "suppressed: visitors are counted by the site's own days, which another time zone cuts in two",
}


class Numbers(msgspec.Struct, frozen=True, gc=False):
    """Sums, named as in `measures.Measures`; `visitors` is None where they cannot be told."""

    visitors: int | None = 0
    visits: int = 0
    views: int = 0
    bounces: int = 0
    singles: int = 0
    engaged_ms: int = 0
    duration_ms: int = 0
    events: int = 0

    @property
    def bounce_rate(self) -> float | None:
        return self._per_visit(self.bounces)

    @property
    def single_rate(self) -> float | None:
        return self._per_visit(self.singles)

    @property
    def views_per_visit(self) -> float | None:
        return self._per_visit(self.views)

    @property
    def engaged_seconds(self) -> float | None:
        """The mean of a visit."""
        return self._per_visit(self.engaged_ms / 1000, 1)

    @property
    def duration_seconds(self) -> float | None:
        """The mean of a visit."""
        return self._per_visit(self.duration_ms / 1000, 1)

    def _per_visit(self, number: float, digits: int = 4) -> float | None:
        return round(number / self.visits, digits) if self.visits else None


class Totals(msgspec.Struct, frozen=True):
    numbers: Numbers
    visitors_are: VisitorsAre


class Point(msgspec.Struct, frozen=True, gc=False):
    """One bucket of a series: `start` is a date, a month, or an hour with its offset."""

    start: str
    numbers: Numbers


class Series(msgspec.Struct, frozen=True):
    interval: str
    timezone: str
    points: tuple[Point, ...]
    visitors_are: VisitorsAre


class Row(msgspec.Struct, frozen=True, gc=False):
    value: str
    numbers: Numbers


class Breakdown(msgspec.Struct, frozen=True):
    """Rows by `order`, the largest first; `rows_in_all` is how many there are without limit and offset.

    `by_event`: a filter has selected events, not visits, and rows of pages have those that are no views too.
    """

    dimension: Dimension | Field
    order: str
    rows: tuple[Row, ...]
    rows_in_all: int
    visitors_are: VisitorsAre
    by_event: bool = False


def numbers_of(measured: Iterable[Measured], visitors: int | None) -> Numbers:
    """Return the sums of rows, but for their visitors, which are as given."""
    found = [0] * len(NAMES)
    for row in measured:
        for place, number in enumerate(row):
            found[place] += number
    return Numbers(visitors, *found[1:])


def honesty(policy: VisitorPolicy, first_day: int, last_day: int) -> VisitorsAre:
    """Return what the visitors of these days are where each hash counts once."""
    if first_day == last_day:
        return "exact"
    if policy == "daily":
        return "daily_sum"
    return "monthly_sum" if policy == "monthly" and month_of(first_day) != month_of(last_day) else "exact"
