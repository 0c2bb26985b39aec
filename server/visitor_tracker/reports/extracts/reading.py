"""The extracts of a question's days: those that are stored and still hold, and the others made from visits."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from visitor_tracker.days import bounds
from visitor_tracker.measures import NAMES
from visitor_tracker.reports.extracts.days import Day, day_made, day_read
from visitor_tracker.reports.extracts.making import Making
from visitor_tracker.reports.extracts.stamps import Stamps, groups_of
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.scan import SESSIONS_MOST, Scan, too_many_visits
from visitor_tracker.store.extracts import ROWS, ExtractTable
from visitor_tracker.store.reports import ReportTable

DAYS_AT_ONCE = 7  # that are made together: each pass reads the visits of the day before too
_DAYS_READ = 31
_VISITS = NAMES.index("visits")
_COUNT_MOST = 1 << 39  # visits of all days together: larger sites are asked visit by visit


class NoExtract(Exception):
    """There is something that extracts cannot tell."""


class Extracts:
    """Reads the days of one question. Days that are stored cost milliseconds, others are made visit by visit."""

    def __init__(self, table: ReportTable, question: Question, parts: Collection[int]) -> None:
        """Of each day these parts are read; raises NoExtract."""
        self._table = table
        self._stored = ExtractTable(table.database)
        self._question = question
        self._parts = sorted({ROWS, *parts})
        span = question.span
        self._stamps = Stamps(table, question.site, span.first_day, span.last_day)
        self._days = self._stamps.days(span.first_day, span.last_day)
        self._check()

    def _check(self) -> None:
        site, span = self._question.site, self._question.span
        if self._stored.has_long(site.id, span.start_ms, span.end_ms):
            raise NoExtract
        if sum(self._stamps.totals[day][_VISITS] for day in self._days) > _COUNT_MOST:
            raise NoExtract

    def days(self) -> Iterator[Day]:
        """Yield days that have numbers; raises NoExtract, and QueryError where too many are not stored yet."""
        wanted = {day: self._stamps.of(day) for day in self._days}
        site_id = self._question.site.id
        span = self._question.span
        stored = self._stored.stamps(site_id, span.first_day, span.last_day)
        missing = [day for day in self._days if stored.get(day) != wanted[day]]
        if sum(self._stamps.totals[day][_VISITS] for day in missing) > SESSIONS_MOST:
            raise too_many_visits(SESSIONS_MOST)
        there = sorted(set(self._days) - set(missing))
        for start in range(0, len(there), _DAYS_READ):
            days = there[start : start + _DAYS_READ]
            found = list(self._read(days, wanted))
            missing += sorted(set(days) - {day.day for day in found})  # made anew just now
            found.reverse()
            while found:
                yield found.pop()  # what questions have made of a day goes with it
        for group in groups_of(sorted(missing), DAYS_AT_ONCE):
            making = made(self._table, self._question, group)
            if making.long_days:
                raise NoExtract
            for day in group:
                yield day_made(day, making.days[day].made())

    def _read(self, days: Sequence[int], wanted: dict[int, bytes]) -> Iterator[Day]:
        parts: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for each in self._stored.read(self._question.site.id, days[0], days[-1], self._parts):
            if each.stamp == wanted.get(each.day):
                parts[each.day][each.part] = each.body
        for day in days:
            found = day_read(day, parts.pop(day, {}), self._parts)
            if found is not None:
                yield found


def made(table: ReportTable, question: Question, days: Sequence[int]) -> Making:
    """Return extracts of days that follow on each other, made from their visits."""
    zone = question.site.timezone
    span = replace(
        question.span,
        timezone=zone,
        first_day=days[0],
        last_day=days[-1],
        start_ms=bounds(zone, days[0])[0],
        end_ms=bounds(zone, days[-1])[1],
        by_hours=False,
    )
    making = Making(days)
    scan = Scan(table, replace(question, span=span, filters=None), most=1 << 62)
    for chunk in scan.chunks():
        for whole in chunk:
            making.add(whole)
    return making
