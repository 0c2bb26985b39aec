"""One day while its extract is made: rows, and the columns that they become."""

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.extracts.columns import (
    COUNTS,
    ENDS,
    OF_ROWS,
    SEVERAL,
    VISITOR_BITS,
    Acts,
    Again,
    Column,
    KeptVisit,
    Looks,
    LookTimes,
    Rows,
    RowTimes,
    column_of,
    measured_of,
    numbers_of,
)
from visitor_tracker.reports.extracts.lanes import VISITOR
from visitor_tracker.reports.selection import Whole
from visitor_tracker.sessions.session import VisitorSession

Seen = set[tuple[object, ...]]
_NOBODY = -1


class MadeDay:
    """Rows of one day; `wholes` are the visits of several rows, of which at least one is here."""

    def __init__(self) -> None:
        self.bits: list[int] = []
        self.of: list[Whole] = []  # the visit of each row
        self.visitors: list[bytes | None] = []
        self.views: list[int] = []
        self.events: list[int] = []
        self.engaged_ms: list[int] = []
        self.duration_ms: list[int] = []
        self.looks: list[tuple[int, int, int, int, int, int]] = []
        self.acts: list[tuple[int, int, int, int, int]] = []
        self.wholes: list[Whole] = []
        self._seen: Seen = set()

    def row(self, whole: Whole, more: int, bits: int = COUNTS) -> int:
        """Add a row; return its number."""
        self.bits.append(bits | more)
        self.of.append(whole)
        self.visitors.append(None)
        for column in (self.views, self.events, self.engaged_ms, self.duration_ms):
            column.append(0)
        return len(self.bits) - 1

    def saw(self, row: int, key: tuple[object, ...]) -> bool:
        """Note that a row has something; return whether that was known."""
        if (row, *key) in self._seen:
            return True
        self._seen.add((row, *key))
        return False

    def end(self, whole: Whole, row: int, *, is_one: bool) -> None:
        """Add what a visit's ends have: all of it, in its only row or in one of its own."""
        if is_one:
            self.bits[row] |= ENDS
            return
        once_only = self.bits[row] & ~(COUNTS | VISITOR)
        end = self.row(whole, once_only, ENDS)
        self.visitors[end], _ = min(whole.sessions, key=lambda session: session[1].head)
        self.duration_ms[end] = self.duration_ms[row]
        for _, own in whole.sessions:
            self.views[end] += own.views
            self.engaged_ms[end] += own.engaged_ms
            self.events[end] += sum(act.times for act in own.acted)

    def made(self) -> "MadeColumns":
        """Return the rows as columns; once, at the end."""
        self._sort()
        return MadeColumns(self)

    def _sort(self) -> None:
        """Put rows in the order of how many looks they have, and looks in that of `Looks`."""
        times = Counter(look[0] for look in self.looks)
        order = sorted(range(len(self.bits)), key=lambda row: -times[row])
        for column in (self.bits, self.views, self.events, self.engaged_ms, self.duration_ms):
            column[:] = [column[row] for row in order]
        self.of = [self.of[row] for row in order]
        self.visitors = [self.visitors[row] for row in order]
        new = {row: place for place, row in enumerate(order)}
        self.acts = [(new[act[0]], *act[1:]) for act in self.acts]
        before: Counter[int] = Counter()  # looks of the row
        numbered = []
        for look in self.looks:
            row = new[look[0]]
            numbered.append((before[row], (row, *look[1:])))
            before[row] += 1
        self.looks = [look for _, look in sorted(numbered, key=lambda each: (each[0], each[1][0]))]


class MadeColumns:
    """Columns of one day. Visitors who have one row are among its bits, others have numbers."""

    def __init__(self, day: MadeDay) -> None:
        self._day = day
        self._numbers: dict[bytes, int] = {}
        self._bits, self._again = self._people()
        self._several = dict(self._again)
        self.columns = self._columns()

    def _people(self) -> tuple[list[int], list[tuple[int, int]]]:
        day = self._day
        times = Counter(visitor for visitor in day.visitors if visitor is not None)
        for whole in day.wholes:  # these are told apart by their numbers, however many rows they have
            times.update(2 * [visitor for visitor, _ in whole.sessions if visitor is not None])
        bits = list(day.bits)
        again: list[tuple[int, int]] = []
        for row, visitor in enumerate(day.visitors):
            if visitor is None:
                continue
            if times[visitor] == 1:
                bits[row] |= VISITOR
            else:
                again.append((row, self._number(visitor)))
        return bits, again

    def _number(self, visitor: bytes | None) -> int:
        return _NOBODY if visitor is None else self._numbers.setdefault(visitor, len(self._numbers))

    def rows(self) -> Rows:
        day = self._day
        return Rows(
            len(self._bits),
            measured_of(zip(self._bits, day.views, day.events, strict=True)),
            numbers_of(row for row, _ in self._again),
            numbers_of(visitor for _, visitor in self._again),
            tuple(self.columns),
        )

    def _columns(self) -> dict[int, Column]:
        """Return what rows have by dimension, where any has something."""
        of = self._day.of
        found: dict[int, Column] = {}
        for dimension in OF_ROWS:
            if dimension == Dimension.ENTRY:
                values = [whole.entry for whole in of]
            elif dimension == Dimension.EXIT:
                values = [whole.exit for whole in of]
            else:
                values = [whole.values.get(dimension, 0) for whole in of]
            if any(values):
                found[dimension] = column_of(values)
        return found

    def row_times(self) -> RowTimes:
        return RowTimes(numbers_of(self._day.engaged_ms), numbers_of(self._day.duration_ms))

    def looks(self) -> tuple[Looks, LookTimes]:
        found = self._day.looks
        rows, pages, hosts, bits, views, engaged_ms = zip(*found, strict=True) if found else ((),) * 6
        many = Counter(Counter(rows).values())  # rows by how many looks they have
        widths = reversed(list(accumulate(many[times] for times in range(max(many, default=0), 0, -1))))
        several = self._with_several(rows, bits)
        return Looks(
            tuple(widths),
            column_of(pages),
            column_of(hosts),
            measured_of((bit, viewed, 0) for bit, viewed in zip(several, views, strict=True)),
            self._again_by(rows, several),
        ), LookTimes(numbers_of(engaged_ms))

    def acts(self) -> Acts:
        found = self._day.acts
        rows, dimensions, values, bits, times = zip(*found, strict=True) if found else ((),) * 5
        several = self._with_several(rows, bits)
        return Acts(
            numbers_of(rows),
            bytes(dimensions),
            column_of(values),
            measured_of((bit, 0, done) for bit, done in zip(several, times, strict=True)),
            self._again_by(rows, several),
        )

    def wholes(self) -> tuple[KeptVisit, ...]:
        return tuple(
            KeptVisit(
                tuple(self._number(visitor) for visitor, _ in whole.sessions),
                _anonymous([own for _, own in whole.sessions]),
                {dimension: value for dimension, value in whole.values.items() if dimension in OF_ROWS},
                whole.entry,
                whole.exit,
            )
            for whole in self._day.wholes
        )

    def _again_by(self, rows: Iterable[int], bits: Iterable[int]) -> Again:
        found = [
            (place, self._several[row])
            for place, (row, each) in enumerate(zip(rows, bits, strict=True))
            if each & SEVERAL and each & VISITOR_BITS
        ]
        return Again(numbers_of(place for place, _ in found), numbers_of(visitor for _, visitor in found))

    def _with_several(self, rows: Iterable[int], bits: Iterable[int]) -> list[int]:
        several = self._several
        return [each | SEVERAL if row in several else each for row, each in zip(rows, bits, strict=True)]


def _anonymous(sessions: list[VisitorSession]) -> tuple[VisitorSession, ...]:
    """Return sessions without the ids of events; which of two heads is the first must stay."""
    order = sorted(own.head.id for own in sessions)
    return tuple(
        msgspec.structs.replace(
            own,
            head=msgspec.structs.replace(own.head, id=bytes([order.index(own.head.id)])),
            entry=None,
            exit=None,
        )
        for own in sessions
    )
