"""Rows and totals from the extracts of days: questions under filters of visits, pages and actions, two dimensions."""

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.groups import PARTS, Key
from visitor_tracker.reports.asking.kept_visits import KeptVisits
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.extracts.adding import RowAdding
from visitor_tracker.reports.extracts.adding_parts import PartAdding
from visitor_tracker.reports.extracts.choosing import Choosing
from visitor_tracker.reports.extracts.counting import COMBINATIONS_MOST, Sums
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.judging import Judging
from visitor_tracker.reports.extracts.masks import Mask
from visitor_tracker.reports.extracts.reading import Extracts, NoExtract
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.plans import plan_of
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.extracts import ACTS, LOOK_TIMES, LOOKS, ROW_TIMES, WHOLES
from visitor_tracker.store.reports import ReportTable

_TIMES = frozenset({"engaged", "duration"})  # metrics that take a look at each selected row by itself


def knows(ask: Ask) -> bool:
    """Say whether extracts can tell: whole days of the site's, whose visitors live for a day."""
    question = ask.question
    if question.policy != "daily" or question.is_foreign or question.span.by_hours:
        return False
    if ask.by_time and question.interval == "hour":
        return False
    return not plan_of(question.filters).event_tests


def from_extracts(table: ReportTable, ask: Ask, most: int) -> tuple[Numbers, dict[Key, Numbers]]:
    """Return totals and rows; raises NoExtract, and QueryError where rows are too many."""
    adding = _Adding(table, ask, most)
    try:
        for day in Extracts(table, ask.question, adding.parts).days():
            adding.add(day)
    except OverflowError as error:
        raise NoExtract from error
    return adding.total(), adding.rows()


class _Adding:
    """The days of one question, one after the other."""

    def __init__(self, table: ReportTable, ask: Ask, most: int) -> None:
        self._dimensions = [each for each in ask.dimensions if isinstance(each, Dimension)]
        self._numbers = [int(each) for each in self._dimensions]
        self._metrics = frozenset(metric.name for metric in ask.metrics)
        has_parts = any(each in PARTS for each in self._numbers)
        self._of_parts = PartAdding(self._numbers, self._metrics) if has_parts else None
        self._wants_total = ask.question.from_sessions  # rollups tell it otherwise
        dimensions = [] if has_parts else self._numbers
        self._of_rows = RowAdding(dimensions, self._metrics, with_total=self._wants_total)
        self._of_total = RowAdding([], self._metrics)
        plan = plan_of(ask.question.filters)
        self._judging = Judging(table, ask.question.site.id, plan)
        self._choosing = Choosing(plan, self._judging) if self._judging.of_parts else None
        self._kept = KeptVisits(table, ask.question.site.id, plan, self._dimensions)
        self._by_time = ask.by_time
        # Buckets of hours, as one day has by default, do not matter where rows are not by time.
        self._place = buckets_of(ask.question).place if ask.by_time else lambda _: 0
        self._most = most
        self._sums: dict[int, Sums] = {}  # by place
        self._total = Sums()

    @property
    def parts(self) -> set[int]:
        """Return the parts of extracts that are needed."""
        named = {*self._numbers, *self._judging.dimensions}
        found = named - PARTS
        if named & OF_LOOKS:
            found.add(LOOKS)
        if named & OF_ACTS:
            found.add(ACTS)
        if self._choosing is not None:
            found.add(WHOLES)
        if self._metrics & _TIMES:
            found |= {ROW_TIMES, LOOK_TIMES} if LOOKS in found else {ROW_TIMES}
        return found

    def add(self, day: Day) -> None:
        """Add a day; raises QueryError, NoExtract, and OverflowError."""
        place = self._place(day.day)
        if place is None:
            return
        sums = self._sums.setdefault(place, Sums())
        if self._choosing is None:
            selected = self._judging.mask(day)
            self._add_selected(sums, day, selected)
        else:
            self._add_chosen(sums, day, self._choosing)
        sums.settle()
        self._total.settle()
        if sum(map(len, self._sums.values())) > COMBINATIONS_MOST:
            raise self._too_many()

    def _add_selected(self, sums: Sums, day: Day, selected: Mask) -> None:
        if self._has_own_total:
            self._of_total.add(self._total, day, selected, self._total)
        if self._of_parts is None:
            self._of_rows.add(sums, day, selected, self._total)
        else:
            self._of_parts.add(sums, day, selected)

    def _add_chosen(self, sums: Sums, day: Day, choosing: Choosing) -> None:
        chosen = choosing.chosen(day)
        if self._has_own_total:
            self._of_total.add_chosen(self._total, day, chosen, self._total)
        if self._of_parts is None:
            self._of_rows.add_chosen(sums, day, chosen, self._total)
        else:
            self._of_parts.add_chosen(sums, day, chosen, choosing)
        self._kept.add(day, self._total if self._numbers else sums, sums)

    @property
    def _has_own_total(self) -> bool:
        """Say whether rows by dimensions do not tell what is wanted of all."""
        return bool(self._numbers) and self._wants_total and not self._of_rows.tells_total

    def rows(self) -> dict[Key, Numbers]:
        """Return everything by the keys of the query."""
        if not self._numbers and not self._by_time:
            return {}
        coding = self._of_rows.coding if self._of_parts is None else self._of_parts.coding
        found: dict[Key, Numbers] = {}
        for place, sums in self._sums.items():
            for values, numbers in sums.numbers(coding):
                if all(values):
                    found[(*values, place) if self._by_time else values] = numbers
        found = {key: each for key, each in found.items() if each.visitors or each.visits or each.views or each.events}
        if len(found) > self._most:
            raise self._too_many()
        return found

    def total(self) -> Numbers:
        """Return the sums of everything."""
        if self._numbers:
            every = [numbers for _, numbers in self._total.numbers(self._of_total.coding)]
            if self._of_rows.tells_total:
                every += [sums.of_words(self._of_rows.coding) for sums in self._sums.values()]
        else:
            every = [numbers for sums in self._sums.values() for _, numbers in sums.numbers(self._of_rows.coding)]
        columns = zip(*map(msgspec.structs.astuple, every), strict=True)
        return Numbers(*map(sum, columns))

    def _too_many(self) -> QueryError:
        return QueryError(
            "dimensions", f"this would have more than {self._most:,} rows: take a shorter date_range or a filter"
        )
