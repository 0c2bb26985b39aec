"""Who comes again: visitors by the day, week or month of their first visit, and how many of them came in later ones.

That can be told only of visitors who keep their hash: under the policy `daily` nobody does, under `monthly` within a
month. Who came before the span is in no cohort.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from visitor_tracker.days import date_of, days_between, month_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.about import About, days_of, rate_of
from visitor_tracker.reports.buckets import Bucket, buckets_of
from visitor_tracker.reports.funnels import KnownFor, known_for
from visitor_tracker.reports.query import QueryError, Question, Span, month_end
from visitor_tracker.store.cohorts import DailyVisitors
from visitor_tracker.store.reports import Piece, ReportTable
from visitor_tracker.store.session import Database

CohortInterval = Literal["day", "week", "month"]

COHORTS_MOST = 100
ROWS_MOST = 3_000_000  # days of visitors that are read: some seconds
VISITORS_MOST = 1_000_000  # of them: 150 MB
_CHUNK = 5_000
_DAYS_OF_DAYS, _DAYS_OF_WEEKS = 31, 190  # a span of so many days is cut into days, and one of so many into weeks
_BEFORE = -1  # the cohort of who came before the span

DAILY = (
    "suppressed: under the policy daily a visitor has another hash on every day, so nobody can tell who comes again;"
    " set the policy of the site to monthly, persistent, cookie or client"
)
_NOTES: dict[KnownFor, str] = {
    "visit": "",
    "day": DAILY,
    "month": "visitors are followed within a month: in another one they count as new; weeks are cut at its end",
    "always": "visitors count in the cohort of their first visit that is known",
}


class CohortPeriod(msgspec.Struct, frozen=True):
    """How many visitors of a cohort came in one period, and which part of it they are."""

    visitors: int
    rate: float | None


class Cohort(msgspec.Struct, frozen=True):
    """Visitors who first came on these days, both included; `periods` begin with these days themselves."""

    start: str
    end: str
    visitors: int
    periods: list[CohortPeriod]


class RetentionAnswer(About, frozen=True, kw_only=True):
    """`all` are the cohorts together: for each period those that are old enough to have it.

    `visitors_left_out` came on days of the span of which it is not kept who they were.
    """

    interval: CohortInterval
    known_for: KnownFor
    suppressed: str | None
    note: str
    visitors_left_out: int
    cohorts: list[Cohort]
    all: list[CohortPeriod]


def retention(database: Database, question: Question, *, asked: CohortInterval | None = None) -> RetentionAnswer:
    """Return the cohorts of the span; a day that has not ended counts as far as it went. Raises QueryError."""
    if question.span.by_hours:
        raise QueryError("period", "cohorts are of days: take a period such as 90d, not 24h")
    known = known_for(question.policy)
    interval = asked or usual_cohorts(question.span, known)
    empty = RetentionAnswer(
        **days_of(question), interval=interval, known_for=known, suppressed=None, note=_NOTES[known],
        visitors_left_out=0, cohorts=[], all=[],
    )  # fmt: skip
    if known == "day":
        return msgspec.structs.replace(empty, suppressed=DAILY)
    buckets = _buckets(replace(question, interval=interval), known)
    counted = _counted(database, question, known, buckets)
    cohorts = [
        _cohort(bucket, counted[place][place : _last(place, buckets, known) + 1])
        for place, bucket in enumerate(buckets)
    ]
    return msgspec.structs.replace(
        empty, cohorts=cohorts, all=_together(cohorts), visitors_left_out=_left_out(database, question)
    )


def usual_cohorts(span: Span, known: KnownFor) -> CohortInterval:
    """Return the interval that makes a table of readable size; months have no later ones under `monthly`."""
    if span.days <= _DAYS_OF_DAYS:
        return "day"
    return "week" if span.days <= _DAYS_OF_WEEKS or known == "month" else "month"


def _buckets(question: Question, known: KnownFor) -> list[Bucket]:
    """Return the periods of the span, as far as they have begun; weeks end with a month that visitors end with."""
    found: list[Bucket] = []
    for bucket in buckets_of(question).buckets:
        if bucket.first_day > question.span.today:
            break
        last = min(bucket.last_day, question.span.today)
        end = month_end(bucket.first_day)
        if known == "month" and question.interval == "week" and end < last:
            found.append(replace(bucket, last_day=end))
            first = next(day for day in days_between(end, last) if day > end)
            found.append(Bucket(date_of(first).isoformat(), first, last))
        else:
            found.append(replace(bucket, last_day=last))
    if len(found) > COHORTS_MOST:
        raise QueryError(
            "interval", f"there would be more than {COHORTS_MOST} cohorts: choose a longer interval or a shorter period"
        )
    return found


def _last(place: int, buckets: Sequence[Bucket], known: KnownFor) -> int:
    """Return the last period in which visitors of a cohort can be told."""
    if known != "month":
        return len(buckets) - 1
    month = month_of(buckets[place].first_day)
    return max(at for at, bucket in enumerate(buckets) if month_of(bucket.first_day) == month)


def _counted(database: Database, question: Question, known: KnownFor, buckets: Sequence[Bucket]) -> list[list[int]]:
    """Return by cohort how many of its visitors came in each period."""
    counted = [[0] * len(buckets) for _ in buckets]
    if not buckets:
        return counted
    places = {day: place for place, each in enumerate(buckets) for day in days_between(each.first_day, each.last_day)}
    first = question.span.first_day // 100 * 100 + 1 if known == "month" else 0
    cohorts: dict[bytes, int] = {}
    here: set[bytes] = set()  # who was counted in the running period
    place = _BEFORE
    read = 0
    for rows in DailyVisitors(database).between(question.site.id, first, buckets[-1].last_day, _CHUNK):
        read += len(rows)
        if read > ROWS_MOST or len(cohorts) > VISITORS_MOST:
            raise QueryError("period", "this would follow too many visitors: take a shorter period")
        for day, visitor in rows:
            now = places.get(day, _BEFORE)
            if now != place:
                place, here = now, set()
            cohort = cohorts.setdefault(visitor, now)
            if cohort != _BEFORE and visitor not in here:
                here.add(visitor)
                counted[cohort][now] += 1
    return counted


def _cohort(bucket: Bucket, visitors: Sequence[int]) -> Cohort:
    start, end = date_of(bucket.first_day).isoformat(), date_of(bucket.last_day).isoformat()
    return Cohort(start, end, visitors[0], [CohortPeriod(number, rate_of(number, visitors[0])) for number in visitors])


def _together(cohorts: Sequence[Cohort]) -> list[CohortPeriod]:
    found: list[CohortPeriod] = []
    for place in range(max((len(cohort.periods) for cohort in cohorts), default=0)):
        old = [cohort for cohort in cohorts if len(cohort.periods) > place]
        number = sum(cohort.periods[place].visitors for cohort in old)
        found.append(CohortPeriod(number, rate_of(number, sum(cohort.visitors for cohort in old))))
    return found


def _left_out(database: Database, question: Question) -> int:
    """Return the visitors of days on which the policy was daily: they are kept nowhere."""
    table = ReportTable(database)
    site_id, first, last = question.site.id, question.span.first_day, question.span.last_day
    kept = table.kept_visitors(site_id, first, last)
    days = table.periods(site_id, Dimension.TOTAL, Piece("day", first, last))
    return sum(max(measured[0] - kept.get(day, 0), 0) for day, measured in days)
