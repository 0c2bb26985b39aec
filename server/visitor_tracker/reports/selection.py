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

from collections.abc import Callable
from itertools import product

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.plans import EventTest, Plan, Test, Verdicts, holds
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sessions.session import Acted, Head, Looked, VisitorSession

COMBINATIONS_MOST = 500_000  # that one filter is asked of: some ten seconds
_REMEMBERED = 200_000  # verdicts, and answers
_PAGE, _ENTRY, _EXIT = int(Dimension.PAGE), int(Dimension.ENTRY), int(Dimension.EXIT)
_LOOKS = frozenset(map(int, OF_LOOKS))
_ACTS = frozenset(map(int, OF_ACTS))

_NO_SORT = -1  # of a part that the filter does not name

Said = tuple[frozenset[Verdicts], ...]  # of all parts of a visit, by sort
Values = dict[int, int]  # of a visit: id of its value by dimension, those without one left out


class Part(msgspec.Struct, frozen=True, gc=False):
    """What is selected of one session, under its own visitor; None: nobody knows whose it is.

    The visitor counts where `marks` are; None: wherever anything was done.
    """

    visitor: bytes | None
    looked: tuple[Looked, ...]
    acted: tuple[Acted, ...]
    marks: tuple[Looked | Acted, ...] | None = None


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A visit, or what belongs to none: a session, two over a midnight, or an event without a visitor."""

    sessions: tuple[tuple[bytes | None, VisitorSession], ...]
    head: Head
    values: Values  # of source and context; shared by all visits that have these
    entry: int = 0
    exit: int = 0

    @property
    def is_visit(self) -> bool:
        return not self.head.passive and self.sessions[0][0] is not None

    def value(self, dimension: int) -> int:
        """Return the id of its value, 0 where it has none."""
        if dimension == _ENTRY:
            return self.entry
        return self.exit if dimension == _EXIT else self.values.get(dimension, 0)


class Selected(msgspec.Struct, frozen=True, gc=False):
    """`place`: day and hour where the visit counts, None where it counts as none."""

    whole: Whole
    parts: tuple[Part, ...]
    place: tuple[int, int] | None


class _Answers(msgspec.Struct, gc=False):
    """What the filter says of all visits of which its tests say the same."""

    own: Verdicts
    said: Said
    known: dict[tuple[int, Verdicts], bool]


class Selector:
    """Belongs to one scan. What its tests say is remembered: by value of a part, and by combination."""

    def __init__(self, plan: Plan) -> None:
        self.sorts = _sorts(plan)
        self.counted = (self.sorts & _ACTS) or _ACTS  # sorts of actions of which the events are counted
        self._root = plan.root
        self._of_visits = [test for test in plan.tests if test.dimension not in _LOOKS | _ACTS]
        self._by_sort = {
            sort: [test for test in plan.tests if _sort(test.dimension) == sort] for sort in sorted(self.sorts)
        }
        self._none = {sort: self._ask(sort, lambda _: 0) for sort in self._by_sort}
        self._verdicts: dict[tuple[int, int, int], Verdicts] = {}
        self._answers: dict[tuple[Verdicts, Said], _Answers] = {}
        self._asked = 0

    def select(self, whole: Whole) -> Selected | None:
        """Return what counts of a visit, None for nothing; raises QueryError where that takes for ever."""
        own = tuple([test.holds(whole.value(test.dimension)) for test in self._of_visits])
        if not self.sorts:
            if not self._answer(self._answers_for(own, ()), _NO_SORT, ()):
                return None
            parts = tuple([Part(visitor, each.looked, each.acted) for visitor, each in whole.sessions])
            return Selected(whole, parts, (whole.head.day, whole.head.hour) if whole.is_visit else None)
        return self._parts(whole, own)

    def forget(self) -> None:
        """Forget what fills the memory; between chunks."""
        if len(self._verdicts) + len(self._answers) > _REMEMBERED:
            self._verdicts.clear()
            self._answers.clear()

    def _parts(self, whole: Whole, own: Verdicts) -> Selected | None:
        answers = self._answers_for(own, self._said(whole))

        def selects(did: Looked | Acted) -> bool:
            sort = _sort_of(did)
            if sort not in self.sorts:
                return self._answer(answers, _NO_SORT, ())
            return self._answer(answers, sort, self._of(did, sort))

        parts = [
            Part(visitor, tuple(filter(selects, each.looked)), tuple(filter(selects, each.acted)))
            for visitor, each in whole.sessions
        ]
        if not any(part.looked or part.acted for part in parts):
            return None
        named = [self._named(part) for part in parts]
        if not any(named):  # the visit has no such part, and is selected for that
            named = [(*(look for look in part.looked if look.views), *part.acted) for part in parts]
        marked = tuple(
            Part(part.visitor, part.looked, part.acted, marks) for part, marks in zip(parts, named, strict=True)
        )
        places = [(mark.day, mark.hour) for marks in named for mark in marks] if whole.is_visit else []
        return Selected(whole, marked, min(places, default=None))

    def _named(self, part: Part) -> tuple[Looked | Acted, ...]:
        looked = part.looked if _PAGE in self.sorts else ()
        return (*(look for look in looked if look.views), *(act for act in part.acted if act.dimension in self.sorts))

    def _said(self, whole: Whole) -> Said:
        """Return for each sort what its tests say of the visit's parts. Parts of which they say the same are as one."""
        said: dict[int, set[Verdicts]] = {sort: set() for sort in self._by_sort}
        for _, own in whole.sessions:
            if _PAGE in said:
                said[_PAGE].update([self._of(look, _PAGE) for look in own.looked if look.views])
            for act in own.acted:
                if act.dimension in said:
                    said[act.dimension].add(self._of(act, act.dimension))
        return tuple([frozenset(found) if found else frozenset({self._none[sort]}) for sort, found in said.items()])

    def _of(self, did: Looked | Acted, sort: int) -> Verdicts:
        """Return what the tests of its sort say of a part."""
        key = (_PAGE, did.page, did.host) if isinstance(did, Looked) else (sort, did.value, 0)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = self._ask(sort, lambda dimension: _value(did, dimension))
        return found

    def _ask(self, sort: int, value: Callable[[int], int]) -> Verdicts:
        return tuple(test.holds(value(test.dimension)) for test in self._by_sort[sort])

    def _answers_for(self, own: Verdicts, said: Said) -> _Answers:
        found = self._answers.get((own, said))
        if found is None:
            found = self._answers[own, said] = _Answers(own, said, {})
        return found

    def _answer(self, answers: _Answers, sort: int, verdicts: Verdicts) -> bool:
        """Say whether any combination holds for the visit, of those with these verdicts for this sort."""
        found = answers.known.get((sort, verdicts))
        if found is None:
            found = answers.known[sort, verdicts] = self._any(answers.own, sort, verdicts, answers.said)
        return found

    def _any(self, own: Verdicts, sort: int, verdicts: Verdicts, said: Said) -> bool:
        told: dict[Test | EventTest, bool] = dict(zip(self._of_visits, own, strict=True))
        choices = [{verdicts} if each == sort else found for each, found in zip(self._by_sort, said, strict=False)]
        for combination in product(*choices):
            self._asked += 1
            if self._asked > COMBINATIONS_MOST:
                raise QueryError("filter", "too many conditions of pages and actions at once: use fewer of them")
            for each, chosen in zip(self._by_sort, combination, strict=False):
                told.update(zip(self._by_sort[each], chosen, strict=True))
            if holds(self._root, told.__getitem__):
                return True
        return False


def _sorts(plan: Plan) -> frozenset[int]:
    """Return the sorts of parts that a plan names: dimensions of actions, PAGE for looks."""
    named = {test.dimension for test in plan.tests}
    return frozenset(named & _ACTS) | (frozenset({_PAGE}) if named & _LOOKS else frozenset())


def _sort(dimension: int) -> int:
    return _PAGE if dimension in _LOOKS else dimension


def _sort_of(did: Looked | Acted) -> int:
    return _PAGE if isinstance(did, Looked) else did.dimension


def _value(did: Looked | Acted, dimension: int) -> int:
    if isinstance(did, Acted):
        return did.value
    return did.page if dimension == _PAGE else did.host
