"""Add up what a filter selects: in all, by bucket of time, by value of a dimension."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from visitor_tracker.measures import BOUNCES, DURATION, ENGAGED, EVENTS, SINGLES, VIEWS, VISITS, Dimension, unpacked
from visitor_tracker.reports.buckets import Buckets
from visitor_tracker.reports.filters import OF_ACTS
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.selection import Part, Selected, Whole
from visitor_tracker.sessions.session import ENGAGED_MS, Acted, Looked

_ENDS = frozenset({int(Dimension.ENTRY), int(Dimension.EXIT)})
_LOOKS = frozenset({int(Dimension.PAGE), int(Dimension.HOST)})
_ACTS = frozenset(map(int, OF_ACTS))
_PAGE = int(Dimension.PAGE)


class Sums:
    """Packed measures of one bucket or value, and who is in it."""

    __slots__ = ("number", "visitors")

    def __init__(self) -> None:
        self.number = 0
        self.visitors: set[bytes] = set()

    @property
    def numbers(self) -> Numbers:
        return Numbers(len(self.visitors), *unpacked(self.number)[1:])


class Tally:
    """Of one scan. `counted` are the dimensions of actions of which the events are counted."""

    def __init__(self, buckets: Buckets, dimensions: Iterable[Dimension], counted: frozenset[int]) -> None:
        self.total = Sums()
        self.points = [Sums() for _ in buckets.buckets]
        self.values: dict[int, defaultdict[int, Sums]] = {int(each): defaultdict(Sums) for each in dimensions}
        self._place = buckets.place
        self._by_hour = buckets.by_hours
        self._counted = counted

    def add(self, selected: Selected) -> dict[int, Sums]:
        """Add it, and return its portions."""
        here = self.portions(selected)
        whole = Sums()
        for place, sums in here.items():
            merge(self.points[place], sums)
            merge(whole, sums)
        if whole.number or whole.visitors:
            merge(self.total, whole)
        for dimension, values in self.values.items():
            self._add_value(dimension, values, selected, whole)
        return here

    def portions(self, selected: Selected) -> dict[int, Sums]:
        """Return what was selected of a visit by bucket of time: its parts where they happened, the visit where it
        counts."""
        here: dict[int, Sums] = {}
        for part in selected.parts:
            self._add_part(part, here)
        if (place := self.place_of(selected)) is not None:
            _at(here, place).number += once(selected.whole)
        return here

    def place_of(self, selected: Selected) -> int | None:
        """Return the bucket in which the visit counts, if it does in any."""
        return None if selected.place is None else self._place(selected.place[self._by_hour])

    def place_of_part(self, did: Looked | Acted) -> int | None:
        """Return the bucket in which something was done, if it was in any."""
        return self._place(did.hour if self._by_hour else did.day)

    def _add_part(self, part: Part, here: dict[int, Sums]) -> None:
        place_of, by_hour = self._place, self._by_hour
        is_marked = part.marks is None and part.visitor is not None
        for did in _all(part):
            place = place_of(did.hour if by_hour else did.day)
            number, does = self._measured(did)
            if place is not None and (number or does):
                sums = _at(here, place)
                sums.number += number
                if is_marked and does and part.visitor is not None:
                    sums.visitors.add(part.visitor)
        if part.marks and part.visitor is not None:
            for mark in part.marks:
                if (place := place_of(mark.hour if by_hour else mark.day)) is not None:
                    _at(here, place).visitors.add(part.visitor)

    def _measured(self, did: Looked | Acted) -> tuple[int, bool]:
        """Return what counts of a part, packed, and whether the visitor did something there."""
        if isinstance(did, Looked):
            return did.views * VIEWS + did.engaged_ms * ENGAGED, did.views > 0
        return did.times * EVENTS if did.dimension in self._counted else 0, True

    def _add_value(self, dimension: int, values: defaultdict[int, Sums], selected: Selected, here: Sums) -> None:
        if dimension in _LOOKS or dimension in _ACTS:
            self._add_parts_by_value(dimension, values, selected)
            return
        value = selected.whole.value(dimension)
        if dimension in _ENDS:
            here = self.ended(selected)
        if value and (here.number or here.visitors):
            merge(values[value], here)

    def ended(self, selected: Selected) -> Sums:
        """Return everything that was selected of the visit, if it counts in the span: its ends are its own."""
        found = Sums()
        if self.place_of(selected) is None:
            return found
        found.number = once(selected.whole)
        for part in selected.parts:
            found.number += sum(self._measured(did)[0] for did in _all(part))
        visitor, _ = min(selected.whole.sessions, key=lambda session: session[1].head)
        if visitor is not None:
            found.visitors.add(visitor)
        return found

    def _add_parts_by_value(self, dimension: int, values: defaultdict[int, Sums], selected: Selected) -> None:
        """Add the parts to their values; the visit counts for each at its first part."""
        begun: set[int] = set()
        for part in selected.parts:
            for did in parts_of(dimension, part):
                value = value_of(dimension, did)
                number, does = measured_part(did)
                is_first = does and value not in begun and part.visitor is not None
                if is_first:
                    begun.add(value)
                if not value or not number or self.place_of_part(did) is None:
                    continue
                sums = values[value]
                sums.number += number + VISITS * is_first
                if does and part.visitor is not None:
                    sums.visitors.add(part.visitor)


def _at(here: dict[int, Sums], place: int) -> Sums:
    found = here.get(place)
    if found is None:
        found = here[place] = Sums()
    return found


def _all(part: Part) -> list[Looked | Acted]:
    return [*part.looked, *part.acted]


def parts_of(dimension: int, part: Part) -> Sequence[Looked | Acted]:
    """Return the looks at pages, or the actions of that sort."""
    if dimension in _LOOKS:
        return part.looked
    return [act for act in part.acted if act.dimension == dimension]


def value_of(dimension: int, did: Looked | Acted) -> int:
    """Return the id of what a part is listed under."""
    if isinstance(did, Acted):
        return did.value
    return did.page if dimension == _PAGE else did.host


def measured_part(did: Looked | Acted) -> tuple[int, bool]:
    """Return the packed measures of a part, and whether the visitor did something there."""
    if isinstance(did, Acted):
        return did.times * EVENTS, True
    return did.views * VIEWS + did.engaged_ms * ENGAGED, did.views > 0


def merge(sums: Sums, more: Sums) -> None:
    """Add the second to the first."""
    sums.number += more.number
    sums.visitors |= more.visitors


def once(whole: Whole) -> int:
    """Return what there is once per visit, packed."""
    sessions = [own for _, own in whole.sessions]
    number = VISITS + DURATION * (sessions[-1].last_ts - sessions[0].first_ts)
    views = engaged_ms = interactions = 0
    for own in sessions:
        interactions += own.interactions
        for look in own.looked:
            views += look.views
            engaged_ms += look.engaged_ms
    if views > 1:
        return number
    return number + SINGLES + (BOUNCES if engaged_ms < ENGAGED_MS and not interactions else 0)
