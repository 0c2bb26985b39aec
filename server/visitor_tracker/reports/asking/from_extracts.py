"""Rows and totals from the extracts of days: questions under filters of visits, pages and actions, two dimensions."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.groups import PARTS, Key
from visitor_tracker.reports.asking.kept_visits import KeptDay, KeptVisits
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.extracts.adding import RowAdding
from visitor_tracker.reports.extracts.adding_parts import PartAdding
from visitor_tracker.reports.extracts.choosing import Choosing, Chosen
from visitor_tracker.reports.extracts.columns import Measure
from visitor_tracker.reports.extracts.counting import COMBINATIONS_MOST, Codes, Sums, new_codes
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.judging import Judging
from visitor_tracker.reports.extracts.masks import Mask
from visitor_tracker.reports.extracts.reading import Extracts, NoExtract
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS, OF_VISITS
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.plans import plan_of
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.extracts import ACTS, LOOK_TIMES, LOOKS, ROW_TIMES, WHOLES
from visitor_tracker.store.reports import ReportTable

Told = tuple[Numbers, dict[Key, Numbers]] | QueryError  # totals and rows, or why there are none

_TIMES = frozenset({"engaged", "duration"})  # metrics that take a look at each selected row by itself


def knows(ask: Ask) -> bool:
    """Say whether extracts can tell: whole days of the site's, whose visitors live for a day."""
    question = ask.question
    if question.policy != "daily" or question.is_foreign or question.span.by_hours:
        return False
    if ask.by_time and question.interval == "hour":
        return False
    return not plan_of(question.filters).event_tests


def from_extracts(table: ReportTable, asks: Sequence[Ask], most: int) -> dict[Ask, Told]:
    """Return what extracts tell of questions of the same site, days and filter, in one pass: so many rows at most.

    Those that they cannot tell are missing.
    """
    together = _Together(table, asks, most)
    try:
        return together.told()
    except NoExtract:
        return {}
    except QueryError as error:
        return dict.fromkeys(asks, error)


class _Together:
    """One pass over the days of some questions; used once."""

    def __init__(self, table: ReportTable, asks: Sequence[Ask], most: int) -> None:
        self._table = table
        self._question = asks[0].question
        plan = plan_of(self._question.filters)
        self._judging = Judging(table, self._question.site.id, plan)
        self._choosing = Choosing(plan, self._judging) if self._judging.of_parts else None
        self._kept = KeptVisits(table, self._question.site.id, plan)
        self._found: dict[Ask, Told] = {}
        measures: Codes[Measure] = new_codes()
        self._adding = {ask: _Adding(ask, self._judging.dimensions, measures, most) for ask in asks}

    def told(self) -> dict[Ask, Told]:
        """Raises NoExtract and QueryError where that is so for all of them."""
        parts = {part for adding in self._adding.values() for part in adding.parts}
        for day in Extracts(self._table, self._question, parts).days():
            self._add(day)
        for ask in list(self._adding):
            self._found[ask] = self._adding.pop(ask).told()
        return self._found

    def _add(self, day: Day) -> None:
        choosing = self._choosing
        if choosing is None:
            selected = self._judging.mask(day)
            self._each(lambda adding: adding.add(day, selected))
        else:
            chosen, kept = choosing.chosen(day), self._kept.of(day)
            self._each(lambda adding: adding.add_chosen(day, chosen, choosing, kept))

    def _each(self, add: Callable[["_Adding"], None]) -> None:
        """Add a day to every question; what one of them cannot take is over for this one only."""
        for ask, adding in list(self._adding.items()):
            try:
                add(adding)
            except OverflowError:
                del self._adding[ask]
            except QueryError as error:
                self._found[ask] = error
                del self._adding[ask]
        self._let_go()

    def _let_go(self) -> None:
        """Leave the largest questions out where all together have more than one may have."""
        sizes = {ask: adding.combinations for ask, adding in self._adding.items()}
        while len(sizes) > 1 and sum(sizes.values()) > COMBINATIONS_MOST:
            largest = max(sizes, key=sizes.__getitem__)
            del sizes[largest], self._adding[largest]


class _Adding:
    """The days of one question, one after the other."""

    def __init__(self, ask: Ask, filtered: Collection[int], measures: Codes[Measure], most: int) -> None:
        self._dimensions = [each for each in ask.dimensions if isinstance(each, Dimension)]
        self._numbers = [int(each) for each in self._dimensions]
        self._filtered = filtered
        self._metrics = frozenset(metric.name for metric in ask.metrics)
        has_parts = any(each in PARTS for each in self._numbers)
        self._of_parts = PartAdding(self._numbers, self._metrics) if has_parts else None
        self._wants_total = ask.question.from_sessions  # rollups tell it otherwise
        dimensions = [] if has_parts else self._numbers
        self._of_rows = RowAdding(dimensions, self._metrics, measures, with_total=self._wants_total)
        self._of_total = RowAdding([], self._metrics, measures)
        self._by_time = ask.by_time
        # Buckets of hours, as one day has by default, do not matter where rows are not by time.
        self._place = buckets_of(ask.question).place if ask.by_time else lambda _: 0
        self._most = most
        self._sums: dict[int, Sums] = {}  # by place
        self._total = Sums()

    @property
    def parts(self) -> set[int]:
        """Return the parts of extracts that are needed."""
        named = {*self._numbers, *self._filtered}
        found = named - PARTS
        if named & OF_LOOKS:
            found.add(LOOKS)
        if named & OF_ACTS:
            found.add(ACTS)
        if not OF_VISITS.issuperset(self._filtered):
            found.add(WHOLES)
        if self._metrics & _TIMES:
            found |= {ROW_TIMES, LOOK_TIMES} if LOOKS in found else {ROW_TIMES}
        return found

    def add(self, day: Day, selected: Mask) -> None:
        """Add what a filter of visits selects of a day; raises QueryError and OverflowError."""
        sums = self._sums_of(day)
        if sums is None:
            return
        if self._has_own_total:
            self._of_total.add(self._total, day, selected, self._total)
        if self._of_parts is None:
            self._of_rows.add(sums, day, selected, self._total)
        else:
            self._of_parts.add(sums, day, selected)
        self._settle(sums)

    def add_chosen(self, day: Day, chosen: Chosen, choosing: Choosing, kept: KeptDay) -> None:
        """Add what another one selects; raises QueryError and OverflowError."""
        sums = self._sums_of(day)
        if sums is None:
            return
        if self._has_own_total:
            self._of_total.add_chosen(self._total, day, chosen, self._total)
        if self._of_parts is None:
            self._of_rows.add_chosen(sums, day, chosen, self._total)
        else:
            self._of_parts.add_chosen(sums, day, chosen, choosing)
        kept.add(self._total if self._numbers else sums, sums, self._dimensions)
        self._settle(sums)

    def _sums_of(self, day: Day) -> Sums | None:
        place = self._place(day.day)
        return None if place is None else self._sums.setdefault(place, Sums())

    def _settle(self, sums: Sums) -> None:
        sums.settle()
        self._total.settle()
        if self.combinations > COMBINATIONS_MOST:
            raise self._too_many()

    @property
    def combinations(self) -> int:
        return sum(map(len, self._sums.values()))

    def told(self) -> Told:
        try:
            return self._in_all(), self._rows()
        except QueryError as error:
            return error

    @property
    def _has_own_total(self) -> bool:
        """Say whether rows by dimensions do not tell what is wanted of all."""
        return bool(self._numbers) and self._wants_total and not self._of_rows.tells_total

    def _rows(self) -> dict[Key, Numbers]:
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

    def _in_all(self) -> Numbers:
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
