"""Find the hours or days in which a site had far more or fewer visits than it usually has then."""

from collections.abc import Container, Iterator, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from visitor_tracker.detection.events import Event, Events
from visitor_tracker.detection.steps import Step, places
from visitor_tracker.detection.watch import NEEDED_DAYS, Reading, Watch

Severity = Literal["notable", "strong", "extreme"]

DAYS_NEEDED = NEEDED_DAYS
_STRONG, _EXTREME = 1.5, 2.5  # scores


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


def detect(
    values: Sequence[float | None], first: date | datetime, step: Step, *, holidays: Container[date] = ()
) -> list[Alarm]:
    """Return the anomalies of a series of counts, oldest first; None is a step that was not measured.

    Whether there is one at a step is said by it and those before it. There are none before DAYS_NEEDED measured days.
    Hours are those of the clock of `first`, which tells of its changes if it has a time zone. Few visits on a holiday
    are nothing unusual.
    """
    events = Events(step)
    for _ in _seen(values, first, step, holidays, events):
        pass
    return [_alarm(event) for event in events.all()]


def bands(
    values: Sequence[float | None], first: date | datetime, step: Step, *, holidays: Container[date] = ()
) -> list[Band | None]:
    """Return what was to be expected of each step before it was seen; None while the series is too young."""
    return [_band(*one) if one else None for one in _seen(values, first, step, holidays, Events(step))]


def _seen(
    values: Sequence[float | None], first: date | datetime, step: Step, holidays: Container[date], events: Events
) -> Iterator[tuple[Reading, bool] | None]:
    """Show the steps to `events`; before each one is seen, give what is usual for it and whether it is a holiday's."""
    watch = Watch(step)
    for index, (place, value) in enumerate(zip(places(first, step, len(values)), values, strict=True)):
        watch.turn_to(place)
        is_holiday = bool(holidays) and date.fromordinal(place.day) in holidays
        usual = watch.expect(place)
        yield (usual, is_holiday) if usual else None
        if value is None:
            watch.skip()
            continue
        readings = watch.read(place, value)
        is_few = is_holiday and bool(readings) and value < readings[0].mean
        is_anomaly = events.see(index, [] if is_few else readings)
        watch.take(place, value, is_usual=not (is_anomaly or is_holiday))
        if is_few:
            watch.skip()  # nor do they count for what the next hours are together
        if days := events.days_to_adopt(index):
            watch.adopt(days)


def _band(reading: Reading, is_holiday: bool) -> Band:
    low, high = reading.band()
    return Band(reading.mean, 0.0 if is_holiday else low, high)


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
