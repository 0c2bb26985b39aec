"""Make extracts of days from their visits."""

from collections import Counter
from collections.abc import Iterable

from visitor_tracker.days import day_after
from visitor_tracker.reports.extracts.columns import (
    ACT_VISIT,
    ACT_VISITOR,
    BOTH_VISIT,
    BOTH_VISITOR,
    COUNTS,
    ENDS,
    HOST_VISIT,
    HOST_VISITOR,
    PAGE_VISIT,
    PAGE_VISITOR,
    SEVERAL,
    Looks,
    Visits,
    column_of,
    numbers_of,
)
from visitor_tracker.reports.extracts.lanes import VISITOR, once_bits
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.tally import once
from visitor_tracker.sessions.session import Acted, Looked

_Seen = set[tuple[object, ...]]
_LOOK_KEYS = ((PAGE_VISITOR, PAGE_VISIT), (HOST_VISITOR, HOST_VISIT), (BOTH_VISITOR, BOTH_VISIT))
_ACTS = 10  # added to dimensions of actions: keys of looks are below


class Making:
    """Takes the visits of some days; belongs to one pass. `long_days` are those that a visit of three days saw."""

    def __init__(self, days: Iterable[int]) -> None:
        self.days = {day: _Day() for day in days}
        self.long_days: set[int] = set()

    def add(self, whole: Whole) -> None:
        first = min(own.first_day for _, own in whole.sessions)
        last = max(own.last_day for _, own in whole.sessions)
        if last > day_after(first):
            self.long_days |= {day for day in self.days if first <= day <= last}
            return
        begun: _Seen = set()
        rows: dict[int, int] = {}  # a row of the visit by day
        for visitor, own in whole.sessions:
            mine: dict[int, int] = {}
            for look in own.looked:
                self._look(whole, visitor, look, mine, begun)
            for act in own.acted:
                self._act(whole, visitor, act, mine, begun)
            rows = mine | rows
        if whole.is_visit and (day := self.days.get(whole.head.day)) is not None:
            row = day.row_of(whole, whole.head.day, rows)
            bits, duration_ms = once_bits(once(whole))
            day.bits[row] |= bits
            day.duration_ms[row] = duration_ms
            day.end(whole, row, is_one=len(whole.sessions) == 1 and first == last)

    def _look(self, whole: Whole, visitor: bytes | None, look: Looked, mine: dict[int, int], begun: _Seen) -> None:
        does = look.views > 0 and visitor is not None
        keys = ((1, look.page), (2, look.host), (3, look.page, look.host))
        flags = 0
        for key, (_, visit) in zip(keys, _LOOK_KEYS, strict=True):
            if does and key not in begun:
                begun.add(key)
                flags |= visit
        day = self.days.get(look.day)
        if day is None:
            return
        row = day.row_of(whole, look.day, mine)
        day.views[row] += look.views
        day.engaged_ms[row] += look.engaged_ms
        if does:
            day.visitors[row] = visitor
            for key, (counts, _) in zip(keys, _LOOK_KEYS, strict=True):
                flags |= 0 if day.saw(row, key) else counts
        day.looks.append((row, look.page, look.host, flags, look.views, look.engaged_ms))

    def _act(self, whole: Whole, visitor: bytes | None, act: Acted, mine: dict[int, int], begun: _Seen) -> None:
        key = (act.dimension + _ACTS, act.value)
        flags = 0
        if visitor is not None and key not in begun:
            begun.add(key)
            flags = ACT_VISIT
        day = self.days.get(act.day)
        if day is None:
            return
        row = day.row_of(whole, act.day, mine)
        day.events[row] += act.times
        if visitor is not None:
            day.visitors[row] = visitor
            flags |= 0 if day.saw(row, key) else ACT_VISITOR
        day.acts.append((row, act.dimension, act.value, flags, act.times))


class _Day:
    """Rows of one day."""

    def __init__(self) -> None:
        self.bits: list[int] = []
        self.values: list[tuple[int, int, int, int]] = []  # source, context, entry, exit
        self.visitors: list[bytes | None] = []
        self.views: list[int] = []
        self.events: list[int] = []
        self.engaged_ms: list[int] = []
        self.duration_ms: list[int] = []
        self.looks: list[tuple[int, int, int, int, int, int]] = []
        self.acts: list[tuple[int, int, int, int, int]] = []
        self._seen: _Seen = set()
        self._several: set[int] = set()

    def row(self, whole: Whole, bits: int = COUNTS) -> int:
        """Add a row; return its number."""
        self.bits.append(bits)
        self.values.append((whole.head.source, whole.head.context, whole.entry, whole.exit))
        self.visitors.append(None)
        for column in (self.views, self.events, self.engaged_ms, self.duration_ms):
            column.append(0)
        return len(self.bits) - 1

    def row_of(self, whole: Whole, day: int, mine: dict[int, int]) -> int:
        """Return the row of a session, a new one where it has none yet."""
        found = mine.get(day)
        if found is None:
            found = mine[day] = self.row(whole)
        return found

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
        end = self.row(whole, ENDS | once_only)
        self.visitors[end], _ = min(whole.sessions, key=lambda session: session[1].head)
        self.duration_ms[end] = self.duration_ms[row]
        for _, own in whole.sessions:
            self.views[end] += own.views
            self.engaged_ms[end] += own.engaged_ms
            self.events[end] += sum(act.times for act in own.acted)

    def visits(self) -> Visits:
        """Return the rows as columns. Visitors who have one row are among its bits."""
        times = Counter(visitor for visitor in self.visitors if visitor is not None)
        numbered: dict[bytes, int] = {}
        again: list[tuple[int, int]] = []
        for row, visitor in enumerate(self.visitors):
            if visitor is None:
                continue
            if times[visitor] == 1:
                self.bits[row] |= VISITOR
            else:
                again.append((row, numbered.setdefault(visitor, len(numbered))))
        self._several = {row for row, _ in again}
        source, context, entry, exit_ = (column_of(values[place] for values in self.values) for place in range(4))
        return Visits(
            bytes(self.bits),
            source,
            context,
            entry,
            exit_,
            numbers_of(self.views),
            numbers_of(self.events),
            numbers_of(self.engaged_ms),
            numbers_of(self.duration_ms),
            numbers_of(row for row, _ in again),
            numbers_of(visitor for _, visitor in again),
        )

    def parts(self) -> Looks:
        """Return what visits looked at and did as columns; after `visits`."""
        rows, pages, hosts, bits, views, engaged_ms = zip(*self.looks, strict=True) if self.looks else ((),) * 6
        acting, dimensions, values, act_bits, times = zip(*self.acts, strict=True) if self.acts else ((),) * 5
        return Looks(
            numbers_of(rows),
            column_of(pages),
            column_of(hosts),
            self._with_several(rows, bits),
            numbers_of(views),
            numbers_of(engaged_ms),
            numbers_of(acting),
            bytes(dimensions),
            column_of(values),
            self._with_several(acting, act_bits),
            numbers_of(times),
        )

    def _with_several(self, rows: Iterable[int], bits: Iterable[int]) -> bytes:
        several = self._several
        return bytes([each | SEVERAL if row in several else each for row, each in zip(rows, bits, strict=True)])
