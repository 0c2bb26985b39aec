"""What a site's days and hours had, one after the other, as forecasts and detection take them.

    first visit's day (or hour), left out ──▶ … complete ones … ──▶ the running one, left out

A silence so long that chance cannot have made it is told apart from a day on which nobody came: forecasts leave it
out, detection sees its first days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Literal

from visitor_tracker.days import HOUR_MS, bounds, date_of, day_after, day_of, days_between, hour_of, zone_of
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.buckets import iso_hour
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Measured, Piece, ReportTable

Metric = Literal["visits", "views", "visitors", "events"]
Step = Literal["day", "hour"]

SETTLE_MS = 120_000  # that the last events of an hour may take to be counted
_TURN: dict[Step, int] = {"day": 28, "hour": 7 * 24}  # steps for which histories begin at the same one
_BUSY = 10.0  # of that many a day, chance leaves a day without any once in 20,000
_AROUND = 14  # days from which is taken what is usual
_SILENT_DAYS = 3  # of a silence that detection sees: behind them it would learn that nothing is usual


@dataclass(frozen=True, slots=True)
class History:
    """Steps of one metric of a site: `starts` has their epoch ms and one more, the end of the last one."""

    site: Site
    metric: Metric
    step: Step
    first: date | datetime
    starts: tuple[int, ...]
    values: tuple[int, ...]

    def label(self, place: int) -> str:
        """Return how a step is called: a date, or an hour with its offset; also of steps that follow."""
        if isinstance(self.first, datetime):
            return iso_hour(self.site.timezone, self.starts[0] + place * HOUR_MS)
        return (self.first + timedelta(days=place)).isoformat()

    def day(self, place: int) -> date:
        """Return the day of a step of days; also of steps that follow."""
        return self.first + timedelta(days=place)

    def measured(self) -> list[float | None]:
        """Return the values with None for steps in which the site cannot have been measured."""
        silent = _silences(self)
        return [None if place in silent else float(value) for place, value in enumerate(self.values)]

    def watched(self) -> list[float | None]:
        """Return the values with None behind the first days of a silence."""
        silent, found, days = _silences(self), [], 0
        length = 1 if self.step == "day" else 24
        for place, value in enumerate(self.values):
            days = days + 1 if place in silent else 0
            found.append(None if days > _SILENT_DAYS * length else float(value))
        return found


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps of all metrics; None is one without numbers."""

    first: date | datetime
    starts: tuple[int, ...]
    rows: tuple[Measured | None, ...]


def steps_since_a_turn(site: Site, step: Step, least: int, now_ms: int) -> int:
    """Return `least` complete steps and a few more, so that the first one stays the same for weeks.

    What detection says of a day depends on where its history begins: it shall not say something else an hour later.
    """
    if step == "day":
        return least + date_of(day_of(site.timezone, now_ms - SETTLE_MS)).toordinal() % _TURN[step]
    return least + hour_of(site.timezone, now_ms - SETTLE_MS) // HOUR_MS % _TURN[step]


def histories(  # noqa: PLR0913 - the rest by keyword
    table: ReportTable, site: Site, metrics: Sequence[Metric], step: Step, *, most: int, now_ms: int
) -> list[History]:
    """Return the last `most` complete steps after that of the site's first visit, of each metric: none without any.

    Raises what stores do.
    """
    known = table.known(site.id)
    if known is None:
        return []
    found = (_days if step == "day" else _hours)(table, site, known[0], most, now_ms)
    if found is None:
        return []
    return [History(site, metric, step, found.first, found.starts, _column(metric, found.rows)) for metric in metrics]


def first_whole_day(table: ReportTable, site: Site) -> int | None:
    """Return the day after that of the site's first visit: on that day counting began at some hour."""
    known = table.known(site.id)
    return None if known is None else day_after(known[0])


def _days(table: ReportTable, site: Site, first_known: int, most: int, now_ms: int) -> _Steps | None:
    last = day_after(day_of(site.timezone, now_ms - SETTLE_MS), -1)
    first = max(day_after(last, 1 - most), day_after(first_known))
    if first > last:
        return None
    rows = dict(table.periods(site.id, Dimension.TOTAL, Piece("day", first, last)))
    days = days_between(first, last)
    starts = tuple(bounds(site.timezone, day)[0] for day in (*days, day_after(last)))
    return _Steps(date_of(first), starts, tuple(rows.get(day) for day in days))


def _hours(table: ReportTable, site: Site, first_known: int, most: int, now_ms: int) -> _Steps | None:
    end = hour_of(site.timezone, now_ms - SETTLE_MS)
    first_day, first_end = bounds(site.timezone, first_known)
    start = max(end - most * HOUR_MS, first_day)
    rows = table.periods(site.id, Dimension.TOTAL, Piece("hour", start, end - 1))
    if not rows:
        return None
    if start < first_end:
        start = max(start, rows[0][0] + HOUR_MS)  # in the first one counting began
    if start >= end:
        return None
    found: dict[int, Measured] = {}
    for hour, measured in rows:  # those of a zone that is put forward by half an hour are none of ours exactly
        place = (hour - start) // HOUR_MS
        if place < 0:
            continue
        before = found.get(place)
        found[place] = measured if before is None else tuple(map(int.__add__, before, measured))
    starts = tuple(range(start, end + 1, HOUR_MS))
    first = datetime.fromtimestamp(start / 1000, zone_of(site.timezone))
    return _Steps(first, starts, tuple(found.get(place) for place in range(len(starts) - 1)))


def _column(metric: Metric, rows: Iterable[Measured | None]) -> tuple[int, ...]:
    column = NAMES.index(metric)
    return tuple(0 if row is None else row[column] for row in rows)


def _silences(found: History) -> frozenset[int]:
    """Return the places of steps that belong to a silence of at least a day that chance cannot have made."""
    length = 1 if found.step == "day" else 24
    values = found.values
    silent: set[int] = set()
    place = 0
    while place < len(values):
        end = place
        while end < len(values) and not values[end]:
            end += 1
        if end - place >= length and _usual(values, place, end, length) >= _BUSY:
            silent.update(range(place, end))
        place = max(end, place + 1)
    return frozenset(silent)


def _usual(values: Sequence[int], first: int, end: int, length: int) -> float:
    """Return what a day had around a silence: the median of the days before, else of those behind it."""
    before = values[max(0, first - _AROUND * length) : first]
    near = before if len(before) >= length else values[end : end + _AROUND * length]
    sums = [sum(near[place : place + length]) for place in range(0, len(near) - length + 1, length)]
    return median(sums) if sums else 0.0
