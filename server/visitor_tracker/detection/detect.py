"""Find the hours or days in which a site had far more or fewer visits than it usually has then."""

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from visitor_tracker.detection.events import Event, Events
from visitor_tracker.detection.steps import Step, places
from visitor_tracker.detection.watch import NEEDED_DAYS, Reading, Watch
from visitor_tracker.holidays import last_year

Severity = Literal["notable", "strong", "extreme"]

DAYS_NEEDED = NEEDED_DAYS
_STRONG, _EXTREME = 1.5, 2.5  # scores
_ORDINARY = 4.0  # visits that speak for a holiday being like other days


class Band(msgspec.Struct, frozen=True):
    """Between `low` and `high` a step's count is nothing unusual."""

    expected: float
    low: float
    high: float


class Alarm(msgspec.Struct, frozen=True):
    """One event: its first and last step, and how far it went.

    It was known when step `raised` had been seen: several small steps may be an anomaly only together. `value`,
    `expected`, `low` and `high` are sums of the `span` steps that end with the step `peak`; a score of 1 is the band.
    """

    at: int
    last: int
    peak: int
    kind: Literal["spike", "dip"]
    value: float
    expected: float
    low: float
    high: float
    severity: Severity
    score: float
    raised: int
    span: int


class _Seen(msgspec.Struct, frozen=True):
    """What was to be expected of a step; on a holiday, it is so many `times` as busy as other days."""

    usual: Reading
    is_holiday: bool
    times: float

    def band(self) -> Band:
        low, high = self.usual.band()
        mean = self.usual.mean
        return Band(mean * min(1.0, self.times), 0.0 if self.is_holiday else low, high)


def detect(
    values: Sequence[float | None],
    first: date | datetime,
    step: Step,
    *,
    holidays: Container[date] = (),
    rises: Mapping[date, float] | None = None,
) -> list[Alarm]:
    """Return the anomalies of a series of counts, oldest first; None is a step that was not measured.

    Whether there is one at a step is said by it and those before it. There are none before DAYS_NEEDED measured days.
    Hours are those of the clock of `first`, which tells of its changes if it has a time zone. Few visits on a holiday
    are nothing unusual, nor are as many as it had a year before: `rises` says that of hours, see `holiday_times`.
    """
    events = Events(step)
    for _ in _seen(values, first, step, holidays, events, dict(rises or {})):
        pass
    return [_alarm(event) for event in events.all()]


def bands(
    values: Sequence[float | None],
    first: date | datetime,
    step: Step,
    *,
    holidays: Container[date] = (),
    rises: Mapping[date, float] | None = None,
) -> list[Band | None]:
    """Return what was to be expected of each step before it was seen; None while the series is too young."""
    seen = _seen(values, first, step, holidays, Events(step), dict(rises or {}))
    return [each.band() if each else None for each in seen]


def holiday_times(values: Sequence[float | None], first: date, holidays: Container[date]) -> dict[date, float]:
    """Return how many times as busy as other days each holiday of a series of days was."""
    found: dict[date, float] = {}
    for _ in _seen(values, first, "day", holidays, Events("day"), found):
        pass
    return found


def _seen(  # noqa: PLR0913
    values: Sequence[float | None],
    first: date | datetime,
    step: Step,
    holidays: Container[date],
    events: Events,
    past: dict[date, float],
) -> Iterator[_Seen | None]:
    """Show the steps to `events`; before each one is seen, give what is usual for it.

    What holidays were like is read from `past`, and by the day written into it.
    """
    watch = Watch(step)
    for index, (place, value) in enumerate(zip(places(first, step, len(values)), values, strict=True)):
        watch.turn_to(place)
        day = date.fromordinal(place.day)
        is_holiday = bool(holidays) and day in holidays
        before = last_year(day, past) if is_holiday else None
        times = 1.0 if before is None else past[before]
        watch.times = max(1.0, times)
        usual = watch.expect(place)
        yield _Seen(usual, is_holiday, times) if usual else None
        if value is None:
            watch.skip()
            continue
        readings = watch.read(place, value)
        is_few = is_holiday and bool(readings) and value < readings[0].mean
        is_anomaly = events.see(index, [] if is_few else readings)
        watch.take(place, value, is_usual=not (is_anomaly or is_holiday))
        if is_few:
            watch.skip()  # nor do they count for what the next hours are together
        if is_holiday and usual and step == "day":
            past[day] = (value + _ORDINARY) / (usual.mean / watch.times + _ORDINARY)
        if days := events.days_to_adopt(index):
            watch.adopt(days)


def _alarm(event: Event) -> Alarm:
    reading = event.reading
    low, high = reading.band()
    score = abs(reading.score)
    severity: Severity = "extreme" if score >= _EXTREME else "strong" if score >= _STRONG else "notable"
    return Alarm(
        at=event.at,
        last=event.last,
        peak=event.peak,
        kind=event.kind,
        value=reading.value,
        expected=reading.mean,
        low=low,
        high=high,
        severity=severity,
        score=score,
        raised=event.raised,
        span=reading.span,
    )
