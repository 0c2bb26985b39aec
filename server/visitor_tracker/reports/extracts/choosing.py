"""What a filter that names looks or actions selects of a day's visits of one row, as `selection` says it of any visit.

Looks and acts of which the tests say the same are as one: each such vector has a number. For every combination of the
vectors that a day has, one of each sort, the filter's tree is asked of all rows at once.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import product

import msgspec

from visitor_tracker.reports.extracts.columns import COUNTS, OF_SEVERAL, Acts, Column, Looks, Numbers
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.extracts.judging import HOST, PAGE, Judging, evaluated
from visitor_tracker.reports.extracts.masks import (
    Mask,
    both,
    either,
    equal_to,
    every,
    gathered,
    is_any,
    of_looks,
    of_owners,
    rows_looking,
    rows_with,
    without,
)
from visitor_tracker.reports.extracts.reading import NoExtract
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.plans import Plan, Test

_VECTORS_MOST = 16  # of pages, and of hosts: a code of both is a byte
_COMBINATIONS_MOST = 64
_OTHER = bytes([1, 0]).ljust(256, b"\0")
_LOOKS = frozenset(map(int, OF_LOOKS))
_ACTS = frozenset(map(int, OF_ACTS))

Told = dict[Test, bool]


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """What is selected of the visits of one row.

    `rows`: where all of a sort is that the filter does not name. `marks`: where visit and visitor count. `looks` and
    `acts` are None where the filter names no such sort: then all are selected of `rows`. `counted` are the selected
    acts of which the events count.
    """

    rows: Mask
    marks: Mask
    looks: Mask | None
    acts: Mask | None
    counted: Mask | None


class _Vector:
    """Parts of one sort of which the tests say the same: which rows have one. `parts` is None for "it has none"."""

    def __init__(self, told: Told, parts: Mask | None, find_rows: Callable[[], Mask]) -> None:
        self.told = told
        self.parts = parts
        self._find_rows = find_rows  # asked only where it matters: it takes longer than all else

    @cached_property
    def rows(self) -> Mask:
        return self._find_rows()


class Choosing:
    """The filter of one question, over all of its days."""

    def __init__(self, plan: Plan, judging: Judging) -> None:
        self._plan = plan
        self._judging = judging
        self.looks = [test for test in plan.tests if test.dimension in _LOOKS]
        self.acts = sorted({test.dimension for test in plan.tests} & _ACTS)

    def chosen(self, day: Day) -> Chosen:
        """Raises NoExtract where the filter is too manifold."""
        return _OfDay(self._plan, self._judging, day, self.looks, self.acts).chosen()

    @property
    def hosts_differ(self) -> bool:
        """Say whether looks at one page may be selected or not."""
        return any(test.dimension == HOST for test in self.looks)

    @property
    def pages_differ(self) -> bool:
        """Say whether looks at one host may be selected or not."""
        return any(test.dimension == PAGE for test in self.looks)


class _OfDay:
    """One day of one question; used once."""

    def __init__(self, plan: Plan, judging: Judging, day: Day, looks: Sequence[Test], acts: Sequence[int]) -> None:
        self._plan = plan
        self._judging = judging
        self._day = day
        self._acts = acts
        self._count = day.rows.count
        measured = day.rows.measured
        self._simple = measured.where(lambda each: each[0] & (COUNTS | OF_SEVERAL) == COUNTS)
        self._own = {test: judging.of_visits(test, day) for test in plan.tests if test.dimension not in _LOOKS | _ACTS}
        self._sorts: dict[int, list[_Vector]] = {}
        if looks and day.looks is not None:
            self._sorts[PAGE] = list(self._vectors_of_looks(looks, day.looks))
        if day.acts is not None:
            for dimension in acts:
                self._sorts[dimension] = list(self._vectors_of_acts(dimension, day.acts))

    def chosen(self) -> Chosen:
        combinations = 1
        for vectors in self._sorts.values():
            combinations *= len(vectors)
        if combinations > _COMBINATIONS_MOST:
            raise NoExtract
        rows = self._holding(None, None)
        day = self._day
        looks, marks = None, bytes(self._count)
        if PAGE in self._sorts and day.looks is not None:
            looks = self._looks(day.looks)
            viewed = both(looks, day.looks.measured.where(lambda each: each[1]))
            marks = rows_looking(viewed, day.looks, self._count)
        if not self._acts or day.acts is None:
            return Chosen(rows, self._with_fallback(marks, rows), looks, None, None)
        chosen, named = self._chosen_acts(day.acts, rows)
        counted = both(chosen, named)
        marks = either(marks, rows_with(day.acts.rows, counted, self._count))
        return Chosen(rows, self._with_fallback(marks, rows), looks, chosen, counted)

    def _with_fallback(self, marks: Mask, rows: Mask) -> Mask:
        """Add the rows that were selected because they have no such part, where anything was done there."""
        others = without(rows, marks)
        if not is_any(others):
            return marks
        measured, acts = self._day.rows.measured, self._day.acts
        done = bytes(self._count)
        if PAGE not in self._sorts:
            done = measured.where(lambda each: each[1])
        if not self._acts or acts is None:
            done = either(done, measured.where(lambda each: each[2]))
        else:
            unnamed = bytes([0 if each in self._acts else 1 for each in range(256)])
            done = either(done, rows_with(acts.rows, acts.dimensions.translate(unnamed), self._count))
        return either(marks, both(others, done))

    def _looks(self, looks: Looks) -> Mask:
        """Return the selected looks; also those without a view are asked for."""
        simple = without(every(looks.count), looks.measured.having(OF_SEVERAL))
        found = bytes(len(simple))
        for vector in self._sorts[PAGE]:
            if vector.parts is None or not is_any(vector.parts):
                continue
            holding = self._holding(PAGE, vector)
            if is_any(holding):
                parts = both(vector.parts, simple)
                found = either(found, parts if holding == self._simple else both(parts, of_looks(holding, looks)))
        return found

    def _chosen_acts(self, acts: Acts, rows: Mask) -> tuple[Mask, Mask]:
        """Return the selected acts, and which acts are of a named sort."""
        named = acts.dimensions.translate(bytes([1 if each in self._acts else 0 for each in range(256)]))
        found = both(of_owners(rows, acts.rows), without(every(len(named)), named))
        for dimension in self._acts:
            for vector in self._sorts[dimension]:
                if vector.parts is not None and is_any(vector.parts):
                    holding = self._holding(dimension, vector)
                    found = either(found, both(vector.parts, of_owners(holding, acts.rows)))
        return found, named

    def _holding(self, sort: int | None, chosen: _Vector | None) -> Mask:
        """Return the rows of which any combination holds, of those with this vector for this sort."""
        choices = [
            [chosen] if each == sort and chosen is not None else vectors for each, vectors in self._sorts.items()
        ]
        found = bytes(self._count)
        for combination in product(*choices):
            told: Told = {}
            for vector in combination:
                told |= vector.told
            rows = both(self._simple, self._evaluated(told))
            for vector in combination:
                if vector is not chosen and is_any(rows):
                    rows = both(rows, vector.rows)
            found = either(found, rows)
        return found

    def _evaluated(self, told: Told) -> Mask:
        """Return for which rows the filter holds where the tests of looks and acts say this."""

        def of(test: Test) -> Mask:
            own = self._own.get(test)
            if own is not None:
                return own
            return every(self._count) if told[test] else bytes(self._count)

        return evaluated(self._plan.root, of, self._count)

    def _vectors_of_looks(self, tests: Sequence[Test], looks: Looks) -> Iterator[_Vector]:
        of_pages = [test for test in tests if test.dimension == PAGE]
        of_hosts = [test for test in tests if test.dimension == HOST]
        viewed = looks.measured.where(lambda each: each[1])
        pages, hosts = self._parts(of_pages, looks.page), self._parts(of_hosts, looks.host)
        for page, with_page in pages.items():
            for host, with_host in hosts.items():
                parts = with_page if len(hosts) == 1 else both(with_page, with_host)
                told = dict(zip((*of_pages, *of_hosts), (*page, *host), strict=True))
                yield _Vector(told, parts, partial(self._rows_looking, parts, viewed, looks))
        none = self._day.rows.measured.where(lambda each: not each[1])
        yield _Vector({test: test.holds(0) for test in tests}, None, lambda: none)

    def _vectors_of_acts(self, dimension: int, acts: Acts) -> Iterator[_Vector]:
        tests = [test for test in self._plan.tests if test.dimension == dimension]
        here = acts.dimensions.translate(equal_to(dimension))
        for vector, with_value in self._parts(tests, acts.value).items():
            parts = both(here, with_value)
            find_rows = partial(self._rows_with, acts.rows, parts, here)
            yield _Vector(dict(zip(tests, vector, strict=True)), parts, find_rows)
        yield _Vector(
            {test: test.holds(0) for test in tests},
            None,
            lambda: without(every(self._count), self._rows_with(acts.rows, here, here)),
        )

    def _rows_looking(self, parts: Mask, viewed: Mask, looks: Looks) -> Mask:
        return rows_looking(both(parts, viewed), looks, self._count)

    def _rows_with(self, owners: Numbers, parts: Mask, done: Mask) -> Mask:
        return rows_with(owners, both(parts, done), self._count)

    def _parts(self, tests: Sequence[Test], column: Column) -> dict[tuple[bool, ...], Mask]:
        """Return by vector which parts have such a value."""
        if not tests:
            return {(): every(len(column.places.each()))}
        if len(tests) == 1:
            flags = bytes(self._judging.verdicts(tests[0], column.values()))
            few = flags.count(1) * 2 < len(flags)
            found = gathered(flags if few else flags.translate(_OTHER), column)
            other = without(every(len(found)), found)
            return {(True,): found, (False,): other} if few else {(True,): other, (False,): found}
        vectors = self._judging.vectors(tests, column)
        different = set(vectors)
        if len(different) > _VECTORS_MOST:
            raise NoExtract
        return {
            vector: gathered(bytes([1 if each == vector else 0 for each in vectors]), column) for vector in different
        }
