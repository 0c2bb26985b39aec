"""Make extracts of days from their visits."""

from collections.abc import Iterable

from visitor_tracker.days import day_after
from visitor_tracker.reports.extracts.columns import (
    ACT_VISIT,
    ACT_VISITOR,
    BOTH_VISIT,
    BOTH_VISITOR,
    HOST_VISIT,
    HOST_VISITOR,
    OF_SEVERAL,
    PAGE_VISIT,
    PAGE_VISITOR,
)
from visitor_tracker.reports.extracts.lanes import once_bits
from visitor_tracker.reports.extracts.making_days import MadeDay, Seen
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.tally import once
from visitor_tracker.sessions.session import Acted, Looked

_LOOK_KEYS = ((PAGE_VISITOR, PAGE_VISIT), (HOST_VISITOR, HOST_VISIT), (BOTH_VISITOR, BOTH_VISIT))
_ACTS = 10  # added to dimensions of actions: keys of looks are below


class Making:
    """Takes the visits of some days; belongs to one pass. `long_days` are those that a visit of three days saw."""

    def __init__(self, days: Iterable[int]) -> None:
        self.days = {day: MadeDay() for day in days}
        self.long_days: set[int] = set()

    def add(self, whole: Whole) -> None:
        first = min(own.first_day for _, own in whole.sessions)
        last = max(own.last_day for _, own in whole.sessions)
        if last > day_after(first):
            self.long_days |= {day for day in self.days if first <= day <= last}
            return
        _Adding(self.days, whole, is_one=len(whole.sessions) == 1 and first == last).run()


class _Adding:
    """Adds one visit to its days; used once."""

    def __init__(self, days: dict[int, MadeDay], whole: Whole, *, is_one: bool) -> None:
        self._days = days
        self._whole = whole
        self._is_one = is_one
        self._more = 0 if is_one else OF_SEVERAL
        self._begun: Seen = set()
        self._touched: set[int] = set()

    def run(self) -> None:
        whole = self._whole
        rows: dict[int, int] = {}  # a row of the visit by day
        for visitor, own in whole.sessions:
            mine: dict[int, int] = {}
            for look in own.looked:
                self._look(visitor, look, mine)
            for act in own.acted:
                self._act(visitor, act, mine)
            rows = mine | rows
        if whole.is_visit and (day := self._days.get(whole.head.day)) is not None:
            row = self._row(day, whole.head.day, rows)
            bits, duration_ms = once_bits(once(whole))
            day.bits[row] |= bits
            day.duration_ms[row] = duration_ms
            day.end(whole, row, is_one=self._is_one)
        if not self._is_one:
            for each in self._touched:
                self._days[each].wholes.append(whole)

    def _look(self, visitor: bytes | None, look: Looked, mine: dict[int, int]) -> None:
        does = look.views > 0 and visitor is not None
        keys = ((1, look.page), (2, look.host), (3, look.page, look.host))
        flags = self._more
        for key, (_, visit) in zip(keys, _LOOK_KEYS, strict=True):
            if does and key not in self._begun:
                self._begun.add(key)
                flags |= visit
        day = self._days.get(look.day)
        if day is None:
            return
        row = self._row(day, look.day, mine)
        day.views[row] += look.views
        day.engaged_ms[row] += look.engaged_ms
        if does:
            day.visitors[row] = visitor
            for key, (counts, _) in zip(keys, _LOOK_KEYS, strict=True):
                flags |= 0 if day.saw(row, key) else counts
        day.looks.append((row, look.page, look.host, flags, look.views, look.engaged_ms))

    def _act(self, visitor: bytes | None, act: Acted, mine: dict[int, int]) -> None:
        key = (act.dimension + _ACTS, act.value)
        flags = self._more
        if visitor is not None and key not in self._begun:
            self._begun.add(key)
            flags |= ACT_VISIT
        day = self._days.get(act.day)
        if day is None:
            return
        row = self._row(day, act.day, mine)
        day.events[row] += act.times
        if visitor is not None:
            day.visitors[row] = visitor
            flags |= 0 if day.saw(row, key) else ACT_VISITOR
        day.acts.append((row, act.dimension, act.value, flags, act.times))

    def _row(self, day: MadeDay, number: int, mine: dict[int, int]) -> int:
        """Return the row of a session, a new one where it has none yet."""
        found = mine.get(number)
        if found is None:
            self._touched.add(number)
            found = mine[number] = day.row(self._whole, self._more)
        return found
