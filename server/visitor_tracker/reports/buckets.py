"""The hours, days, weeks or months of a series: every one is there, also those without numbers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from visitor_tracker.days import (
    HOUR_MS,
    date_of,
    day_after,
    day_of,
    days_between,
    hour_of,
    month_of,
    zone_of,
)
from visitor_tracker.reports.query import QueryError, Question, Span, month_end, week_of

BUCKETS_MOST = 2_000  # 83 days by the hour, five years by the day
_HOURS_KEPT = 10_000
_SLOT_MS = HOUR_MS // 4  # a site's hours begin on quarters of UTC's
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One point of a series: its label, and its days as far as they are in the span; of an hour 0."""

    label: str
    first_day: int = 0
    last_day: int = 0


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a question, and which one a day of the site belongs to, or an hour where days cannot tell.

    `place` has a day, or with `by_hours` the moment at which the site's clock showed the full hour; it returns None
    for one outside of the span.
    """

    buckets: tuple[Bucket, ...]
    place: Callable[[int], int | None]
    by_hours: bool = False


def buckets_of(question: Question) -> Buckets:
    """Return the buckets of the question's interval; raises QueryError where they are too many."""
    if question.interval == "hour":
        return _hour_buckets(question)
    buckets = tuple(_bounded(_day_buckets(question)))
    days = {day: place for place, each in enumerate(buckets) for day in days_between(each.first_day, each.last_day)}
    if question.is_foreign or question.span.by_hours:
        return Buckets(buckets, _hours_by_day(question.span, days), by_hours=True)
    return Buckets(buckets, days.get)


def _hours_by_day(span: Span, days: Mapping[int, int]) -> Callable[[int], int | None]:
    """Return the place of an hour; only of hours that have numbers, since most of a long span have none."""

    @lru_cache(_HOURS_KEPT)
    def place(hour: int) -> int | None:
        return days.get(day_of(span.timezone, hour)) if span.start_ms <= hour < span.end_ms else None

    return place


def hours_of(question: Question) -> Iterator[int]:
    """Yield the site's hours that begin in the span: 23 or 25 of them where the clocks are changed."""
    span, last = question.span, -1
    for slot in range(span.start_ms, span.end_ms, _SLOT_MS):
        hour = hour_of(question.site.timezone, slot)
        if hour > last and hour >= span.start_ms:
            yield hour
            last = hour


def iso_hour(timezone: str, hour: int) -> str:
    """Return an hour as the zone's clock shows it, with its offset, since one hour a year comes twice."""
    return (_EPOCH + timedelta(milliseconds=hour)).astimezone(zone_of(timezone)).isoformat(timespec="minutes")


def _hour_buckets(question: Question) -> Buckets:
    span = question.span
    if (span.end_ms - span.start_ms) // HOUR_MS > BUCKETS_MOST:
        raise _too_many()
    hours = list(hours_of(question))
    buckets = tuple(Bucket(iso_hour(span.timezone, hour)) for hour in hours)
    places = {hour: place for place, hour in enumerate(hours)}
    return Buckets(buckets, places.get, by_hours=True)


def _day_buckets(question: Question) -> Iterator[Bucket]:
    last = question.span.last_day
    day = question.span.first_day
    while day <= last:
        if question.interval == "day":
            bucket = Bucket(date_of(day).isoformat(), day, day)
        elif question.interval == "week":
            first = week_of(day, question.week_start)
            bucket = Bucket(date_of(first).isoformat(), day, min(day_after(first, 6), last))
        else:
            month = month_of(day)
            bucket = Bucket(f"{month // 100:04d}-{month % 100:02d}", day, min(month_end(day), last))
        yield bucket
        day = day_after(bucket.last_day)


def _bounded(found: Iterator[Bucket]) -> Iterator[Bucket]:
    for place, bucket in enumerate(found):
        if place >= BUCKETS_MOST:
            raise _too_many()
        yield bucket


def _too_many() -> QueryError:
    return QueryError(
        "interval",
        f"the series would have more than {BUCKETS_MOST} points: choose a longer interval or a shorter period",
    )
