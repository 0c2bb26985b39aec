"""What a filter selects of a visit.

A condition is about the visit (source, country, entry …) or about a part of it: a page that was looked at (page,
host), or something that was done there (event, outbound, download, form, click).

- Pages count where the filter holds for them. A condition about something done is asked of the visit then: does it
  have such an action? So `event is signup` has the views of all pages of visits with a sign-up.
- Actions count where the filter holds for them; a condition about a page, or about another sort of action, is asked
  of the visit. Where the filter names sorts of actions, the number of events is of these sorts only.
- `and` of two parts of different sorts so holds for visits that have some part for each; `page is /a and page is /b`
  holds for none, because no look is at both.
- `not` belongs to the condition: `not page is /a` leaves out the looks at /a, and of a visit it asks whether there is
  a look at another page.
- A visit counts, with its bounce and its duration, at the first part of the sorts that the filter names; a filter
  that names none selects whole visits, which count where they began. Its visitor counts wherever such a part is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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
        self._of_looks = [test for test in plan.tests if test.dimension in _LOOKS]
        self._of_acts = [test for test in plan.tests if test.dimension in _ACTS]

    def select(self, whole: Whole) -> Selected | None:
        """Return what counts of a visit, None for nothing."""
        known = {test: test.holds(whole.values.get(test.dimension, 0)) for test in self._of_visits}
        if not self.sorts:
            if not _holds(self.plan.root, known.__getitem__):
                return None
            parts = [Part(visitor, own.looked, own.acted) for visitor, own in whole.sessions]
            return Selected(whole, self._marked(parts), whole.place if whole.once else None)
        self._ask_visit(whole, known)
        parts = [self._part(visitor, own, known) for visitor, own in whole.sessions]
        if not any(part.looked or part.acted for part in parts):
            return None
        marked = self._marked(parts)
        places = [(mark.day, mark.hour) for part in marked for mark in part.marks] if whole.once else []
        return Selected(whole, marked, min(places, default=None))

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

    def _ask_visit(self, whole: Whole, known: dict[Test, bool]) -> None:
        """Ask whether the visit has a part for each test of parts."""
        sessions = [own for _, own in whole.sessions]
        looked = [look for own in sessions for look in own.looked if look.views]
        acted = [act for own in sessions for act in own.acted]
        for test in self._of_looks:
            known[test] = any(test.holds(_of_look(look, test)) for look in looked)
        for test in self._of_acts:
            known[test] = any(test.holds(act.value) for act in acted if act.dimension == test.dimension)

    def _part(self, visitor: bytes | None, own: VisitorSession, known: dict[Test, bool]) -> Part:
        def of_look(look: Looked) -> bool:
            mine = {test: test.holds(_of_look(look, test)) for test in self._of_looks}
            return _holds(self.plan.root, (known | mine).__getitem__)

        def of_act(act: Acted) -> bool:
            mine = {test: test.holds(act.value) for test in self._of_acts if test.dimension == act.dimension}
            return _holds(self.plan.root, (known | mine).__getitem__)

        return Part(visitor, tuple(filter(of_look, own.looked)), tuple(filter(of_act, own.acted)))


def _of_look(look: Looked, test: Test) -> int:
    return look.page if test.dimension == _PAGE else look.host


def _holds(node: Test | Group, known: Callable[[Test], bool]) -> bool:
    if isinstance(node, Test):
        return known(node)
    verdicts = (_holds(part, known) for part in node.parts)
    return all(verdicts) if node.needs_all else any(verdicts)
