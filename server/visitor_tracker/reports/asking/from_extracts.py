"""Rows and totals from the extracts of days: questions under filters of visits, and two dimensions."""

from weakref import WeakKeyDictionary

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.groups import PARTS, Key
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.extracts.adding import COMBINATIONS_MOST, RowAdding, Sums, total_of
from visitor_tracker.reports.extracts.adding_parts import PartAdding
from visitor_tracker.reports.extracts.judging import Judging
from visitor_tracker.reports.extracts.meaning import Meaning
from visitor_tracker.reports.extracts.reading import Day, Extracts
from visitor_tracker.reports.filters import OF_VISITS
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.plans import plan_of
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.reports import ReportTable

_meanings: "WeakKeyDictionary[ReportTable, Meaning]" = WeakKeyDictionary()


def knows(ask: Ask) -> bool:
    """Say whether extracts can tell: whole days of the site's, whose visitors live for a day, filtered by visits."""
    question = ask.question
    if question.policy != "daily" or question.is_foreign or question.span.by_hours:
        return False
    if ask.by_time and question.interval == "hour":
        return False
    plan = plan_of(question.filters)
    return not plan.event_tests and OF_VISITS.issuperset(test.dimension for test in plan.tests)


def from_extracts(table: ReportTable, ask: Ask, most: int) -> tuple[Numbers, dict[Key, Numbers]]:
    """Return totals and rows; raises NoExtract, and QueryError where rows are too many."""
    meaning = _meanings.setdefault(table, Meaning(table))
    meaning.forget()
    adding = _Adding(table, ask, meaning, most)
    for day in Extracts(table, ask.question, with_looks=adding.with_looks).days():
        adding.add(day)
    rows = adding.rows()
    return adding.total, {
        key: each for key, each in rows.items() if each.visitors or each.visits or each.views or each.events
    }


class _Adding:
    """The days of one question, one after the other."""

    def __init__(self, table: ReportTable, ask: Ask, meaning: Meaning, most: int) -> None:
        self.total = Numbers()
        dimensions = [int(each) for each in ask.dimensions if isinstance(each, Dimension)]
        self.with_looks = any(each in PARTS for each in dimensions)
        self._metrics = frozenset(metric.name for metric in ask.metrics)
        self._of_parts = PartAdding(dimensions, meaning, self._metrics) if self.with_looks else None
        self._of_rows = RowAdding(dimensions, meaning, self._metrics) if dimensions and not self.with_looks else None
        self._judging = Judging(table, ask.question.filters, meaning)
        self._by_time = ask.by_time
        self._place = buckets_of(ask.question).place
        self._most = most
        self._sums: dict[int, Sums] = {}  # by place, all in one where rows are not by time
        self._totals: dict[int, Numbers] = {}

    def add(self, day: Day) -> None:
        place = self._place(day.day)
        if place is None:
            return
        selected = self._judging.mask(day.visits)
        total = total_of(day.visits, selected, self._metrics)
        self.total = _added(self.total, total)
        if self._of_parts is None and self._of_rows is None:
            self._totals[place] = _added(self._totals.get(place, Numbers()), total)
            return
        sums = self._sums.setdefault(place if self._by_time else 0, Sums())
        if self._of_parts is not None and day.looks is not None:
            self._of_parts.add(sums, day.visits, day.looks, selected)
        elif self._of_rows is not None:
            self._of_rows.add(sums, day.visits, selected)
        if sum(len(each.counted) for each in self._sums.values()) > COMBINATIONS_MOST:
            raise self._too_many()

    def rows(self) -> dict[Key, Numbers]:
        """Return everything by the keys of the query."""
        if not self._sums:
            return {(place,): numbers for place, numbers in self._totals.items()} if self._by_time else {}
        once = RowAdding.once if self._of_parts is None else self._of_parts.once
        found: dict[Key, Numbers] = {}
        for place, sums in self._sums.items():
            for values, numbers in sums.numbers(once):
                found[(*values, place) if self._by_time else values] = numbers
        if len(found) > self._most:
            raise self._too_many()
        return found

    def _too_many(self) -> QueryError:
        return QueryError(
            "dimensions", f"this would have more than {self._most:,} rows: take a shorter date_range or a filter"
        )


def _added(one: Numbers, other: Numbers) -> Numbers:
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Numbers(*[first + second for first, second in pairs])
