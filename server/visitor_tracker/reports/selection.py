"""What a filter selects of a visit.

A condition is about the visit (source, country, entry …) or about a part of it: a page that was looked at (page,
host), or something that was done there (event, outbound, download, form, click).

A filter that names no parts selects whole visits. Any other is asked of one look at a page together with one action of
each sort that it names, for every such combination of the visit's; of a sort that the visit has none of, of nothing,
which has no value. The looks and the actions of the combinations for which it holds are selected.

- So `page is /a` has the views of /a, and `not page is /a` those of other pages.
- `page is /a and event is signup` has the views of /a and the sign-ups of visits that have both, at any time.
- `page is /a and page is /b` holds for nothing: no look is at both.
- What a filter does not name is selected with the visit: `event is signup` has the views of all pages of visits with a
  sign-up, `page is /a` all actions of visits that saw /a. Events are of the named sorts only, where one is named.
- A visit counts, with its bounce and its duration, at the first selected part of the named sorts (where it has none of
  them, of any), and its visitor wherever such a part is; a whole visit counts where it began.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import msgspec

from visitor_tracker.measures import Dimension, text_id
from visitor_tracker.reports.filters import (
    OF_ACTS,
    OF_LOOKS,
    All,
    AnyOf,
    Condition,
    Filter,
    Is,
    Not,
    matcher,
)
from visitor_tracker.sessions.profiles import TEXT_MOST
from visitor_tracker.sessions.session import Acted, Looked, VisitorSession

_REMEMBERED = 200_000  # verdicts of one condition
_PAGE = int(Dimension.PAGE)
_LOOKS = frozenset(map(int, OF_LOOKS))
_ACTS = frozenset(map(int, OF_ACTS))

_NO_SORT = -1  # of a part that the filter does not name

Verdicts = tuple[bool, ...]  # of the tests of one sort, in their order
Values = dict[int, int]  # of a visit: id of its value by dimension, those without one left out


class Test:
    """A condition, with or without a not, as a test of ids; belongs to one scan, and judges each text once."""

    def __init__(self, condition: Condition, *, is_not: bool) -> None:
        self.dimension = int(condition.dimension)
        self._is_not = is_not
        self._ids = (
            frozenset(text_id(text[:TEXT_MOST]) for text in condition.values) if isinstance(condition, Is) else None
        )
        self._fits = matcher(condition)
        self._verdicts: dict[int, bool] = {}

    def unknown(self, values: Iterable[int]) -> set[int]:
        """Return those of which the text is needed before `holds` may be asked."""
        if self._ids is not None:
            return set()
        if len(self._verdicts) > _REMEMBERED:
            self._verdicts.clear()
        return {value for value in values if value and value not in self._verdicts}

    def learn(self, texts: dict[int, str], values: Iterable[int]) -> None:
        """Judge the texts; one that is not known fits nothing."""
        for value in values:
            text = texts.get(value)
            self._verdicts[value] = text is not None and self._fits(text)

    def holds(self, value: int) -> bool:
        fits = value in self._ids if self._ids is not None else value != 0 and self._verdicts[value]
        return fits != self._is_not


@dataclass(frozen=True, slots=True)
class Group:
    """Tests of which all must hold, or any."""

    parts: "tuple[Test | Group, ...]"
    needs_all: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A filter as a scan uses it: every `not` has been brought to a test."""

    root: Test | Group
    tests: tuple[Test, ...]

    @property
    def sorts(self) -> frozenset[int]:
        """The sorts of parts that it names: dimensions of actions, PAGE for looks."""
        named = {test.dimension for test in self.tests}
        return frozenset(named & _ACTS) | (frozenset({_PAGE}) if named & _LOOKS else frozenset())


def plan_of(filters: Filter | None) -> Plan:
    """Return the plan of a filter; without one everything is selected."""
    tests: list[Test] = []
    root = _planned(filters or All(()), tests, is_not=False)
    return Plan(root, tuple(tests))


def _planned(filters: Filter, tests: list[Test], *, is_not: bool) -> Test | Group:
    if isinstance(filters, Not):
        return _planned(filters.inner, tests, is_not=not is_not)
    if isinstance(filters, All | AnyOf):
        parts = tuple(_planned(part, tests, is_not=is_not) for part in filters.parts)
        return Group(parts, isinstance(filters, All) != is_not)
    tests.append(Test(filters, is_not=is_not))
    return tests[-1]


class Part(msgspec.Struct, frozen=True, gc=False):
    """What is selected of one session, under its own visitor; None: nobody knows whose it is."""

    visitor: bytes | None
    looked: tuple[Looked, ...]
    acted: tuple[Acted, ...]
    marks: tuple[Looked | Acted, ...] = ()  # where the visitor counts


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A visit: a session, or two over a midnight, with what is said once of both."""

    sessions: tuple[tuple[bytes | None, VisitorSession], ...]
    values: Values
    once: int  # packed measures of the visit, 0 where it is none
    place: tuple[int, int]  # day and hour in which it began


class Selected(msgspec.Struct, frozen=True, gc=False):
    """`place`: day and hour where the visit counts, None where it counts as none."""

    whole: Whole
    parts: tuple[Part, ...]
    place: tuple[int, int] | None


class Selector:
    """Belongs to one scan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sorts = plan.sorts
        self.counted = (self.sorts & _ACTS) or _ACTS  # sorts of actions of which the events are counted
        self._of_visits = [test for test in plan.tests if test.dimension not in _LOOKS | _ACTS]
        self._by_sort = {sort: [test for test in plan.tests if _sort(test.dimension) == sort] for sort in self.sorts}

    def select(self, whole: Whole) -> Selected | None:
        """Return what counts of a visit, None for nothing."""
        known = {test: test.holds(whole.values.get(test.dimension, 0)) for test in self._of_visits}
        if not self.sorts:
            if not _holds(self.plan.root, known.__getitem__):
                return None
            parts = [Part(visitor, own.looked, own.acted) for visitor, own in whole.sessions]
            return Selected(whole, self._marked(parts), whole.place if whole.once else None)
        parts = _Combinations(self, whole, known).parts()
        if not any(part.looked or part.acted for part in parts):
            return None
        marked = self._marked(parts)
        places = [(mark.day, mark.hour) for part in marked for mark in part.marks] if whole.once else []
        return Selected(whole, marked, min(places, default=None))

    def verdicts(self, did: Looked | Acted | None, sort: int) -> Verdicts:
        """Return what the tests of a sort say of a part of that sort, or of there being none."""
        return tuple(test.holds(_value(did, test.dimension)) for test in self._by_sort[sort])

    def holds(self, known: Mapping[Test, bool], combination: Mapping[int, Verdicts]) -> bool:
        """Say whether the filter holds for one part of each sort."""
        told = dict(known)
        for sort, verdicts in combination.items():
            told.update(zip(self._by_sort[sort], verdicts, strict=True))
        return _holds(self.plan.root, told.__getitem__)

    def _marked(self, parts: Sequence[Part]) -> tuple[Part, ...]:
        """Mark what was selected of the sorts that the filter names; where there is no such part, all that was done."""
        named = [self._named(part) for part in parts] if self.sorts else []
        if not any(named):
            named = [(*(look for look in part.looked if look.views), *part.acted) for part in parts]
        return tuple(msgspec.structs.replace(part, marks=marks) for part, marks in zip(parts, named, strict=True))

    def _named(self, part: Part) -> tuple[Looked | Acted, ...]:
        looked = part.looked if _PAGE in self.sorts else ()
        acted = (act for act in part.acted if act.dimension in self.sorts)
        return (*(look for look in looked if look.views), *acted)


class _Combinations:
    """The combinations of one visit. Parts of which all tests say the same are as good as one."""

    def __init__(self, selector: Selector, whole: Whole, known: Mapping[Test, bool]) -> None:
        self._selector = selector
        self._whole = whole
        self._known = known
        self._sorts = sorted(selector.sorts)
        self._said: dict[int, set[Verdicts]] = {sort: set() for sort in self._sorts}
        for _, own in whole.sessions:
            done: list[Looked | Acted] = [*(look for look in own.looked if look.views), *own.acted]
            for did in done:
                if (sort := _sort_of(did)) in self._said:
                    self._said[sort].add(selector.verdicts(did, sort))
        for sort, said in self._said.items():
            if not said:
                said.add(selector.verdicts(None, sort))
        self._answers: dict[tuple[int, Verdicts], bool] = {}

    def parts(self) -> list[Part]:
        return [
            Part(visitor, tuple(filter(self._selects, own.looked)), tuple(filter(self._selects, own.acted)))
            for visitor, own in self._whole.sessions
        ]

    def _selects(self, did: Looked | Acted) -> bool:
        sort = _sort_of(did)
        key = (sort, self._selector.verdicts(did, sort)) if sort in self._said else (_NO_SORT, ())
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._any(*key)
        return answer

    def _any(self, sort: int, verdicts: Verdicts) -> bool:
        """Say whether any combination holds that has these verdicts for this sort."""
        choices = [{verdicts} if each == sort else self._said[each] for each in self._sorts]
        combinations = (dict(zip(self._sorts, chosen, strict=True)) for chosen in product(*choices))
        return any(self._selector.holds(self._known, combination) for combination in combinations)


def _sort(dimension: int) -> int:
    return _PAGE if dimension in _LOOKS else dimension


def _sort_of(did: Looked | Acted) -> int:
    return _PAGE if isinstance(did, Looked) else did.dimension


def _value(did: Looked | Acted | None, dimension: int) -> int:
    if did is None:
        return 0
    if isinstance(did, Acted):
        return did.value
    return did.page if dimension == _PAGE else did.host


def _holds(node: Test | Group, known: Callable[[Test], bool]) -> bool:
    if isinstance(node, Test):
        return known(node)
    verdicts = (_holds(part, known) for part in node.parts)
    return all(verdicts) if node.needs_all else any(verdicts)
