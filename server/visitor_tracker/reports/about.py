"""What answers about goals, funnels and the like begin with: site, days, and what their visitors are."""

from datetime import UTC, datetime

import msgspec

from visitor_tracker.days import date_of, zone_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filters import FILTERED, OF_VISITS
from visitor_tracker.reports.numbers import NOTES, VisitorsAre, honesty
from visitor_tracker.reports.query import QueryError, Question

OF_A_VISIT = tuple(name for name, dimension in FILTERED.items() if dimension in OF_VISITS)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`first` and `last` are days of the time zone, both included, or with the period 24h moments."""

    site: str
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    timezone: str


class AboutVisitors(About, frozen=True, kw_only=True):
    visitors_are: VisitorsAre
    note: str


def days_of(question: Question) -> dict[str, str]:
    """Return the fields of `About`."""
    span = question.span
    first, last = date_of(span.first_day).isoformat(), date_of(span.last_day).isoformat()
    if span.by_hours:
        zone = zone_of(span.timezone)
        first, last = (
            datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).isoformat(timespec="minutes")
            for ms in (span.start_ms, span.end_ms)
        )
    return {"site": question.site.name, "first": first, "last": last, "timezone": span.timezone}


def said_of(question: Question) -> tuple[VisitorsAre, str]:
    """Return what visitors of the whole span are where each hash counts once, and the sentence for it."""
    said = honesty(question.policy, question.span.first_day, question.span.last_day)
    return said, NOTES[said]


def dimension_of_visits(dimension: Dimension | Field | None) -> Dimension | None:
    """Return the dimension if it is one of a whole visit; raises QueryError."""
    if dimension is None:
        return None
    if isinstance(dimension, Field) or dimension not in OF_VISITS:
        raise QueryError("by", f"by must be about whole visits here: use {', '.join(OF_A_VISIT)}")
    return dimension


def rate_of(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
