"""A site's usual week: how much busier one hour or weekday is than others, and how busy the site is now."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from visitor_tracker.detection.steps import Place

_DAYS = 56  # of which a shape is made; older weeks say little about this one
_FADE = 0.98  # how much less a day weighs in it than the one after it
_WEEKDAY_CHANCES, _PART_CHANCES, _SLOT_CHANCES = 4.0, 8.0, 8.0  # visits that speak for the plainer shape beforehand
_LEVEL_FADE = 0.84  # and in the level: half after four days
_LEVEL_DAYS = 28
_RETURN_DAYS = 28  # after a lasting change, in which what was usual before it still is
_FLOOR = 1e-6  # of a level: a week in which nothing ever happened has a shape too
_EARLY_DAYS = 14  # of which none can be known to be unusual yet
_EARLY_TIMES, _EARLY_MORE = 3.0, 10.0  # of the upper quartile of its hour: what is more is left off of them

Values = list[tuple[int, float]]  # part of the day, count


@dataclass(slots=True)
class _Day:
    weekday: int
    segment: int  # days before and after a lasting change differ in this
    raw: Values
    usual: Values = field(default_factory=list)  # without what was an anomaly

    def total(self) -> float:
        return sum([value for _, value in self.usual])


_Rows = Sequence[tuple[float, _Day, float]]  # the newest day first: its weight, the day, a level


class Week:
    """Learns from days that are over; a shape is a weekday's factor times a part's, moved to what each slot showed."""

    def __init__(self, parts: int) -> None:
        self.level = 0.0
        self.known_days = 0
        self._parts = parts
        self._days: deque[_Day] = deque(maxlen=_DAYS)
        self._segment = 0
        self._before: tuple[int, float] | None = None  # segment and level before the last lasting change
        self._shape = [1.0] * (7 * parts)
        self._of_part = [1.0] * parts

    def mean(self, place: Place) -> float:
        """Return how many are usual there."""
        return self.level * self._factor(place)

    def add(self, weekday: int, raw: Sequence[tuple[int, float]], usual: Sequence[tuple[int, float]]) -> None:
        """Take a day that is over: what was measured, and what of it was usual."""
        self._days.append(_Day(weekday, self._segment, list(raw), list(usual)))
        self.known_days += bool(raw)
        if self._before and sum(day.segment == self._segment for day in self._days) > _RETURN_DAYS:
            self._before = None
        if self.known_days <= _EARLY_DAYS:
            self._cut_early()

    def adopt(self, days: int) -> None:
        """Take the last so many days for usual after all, and the level from them alone."""
        self._before = (self._segment, self.level)
        self._segment = 1 + max((day.segment for day in self._days), default=0)
        for day in list(self._days)[-days:]:
            day.usual, day.segment = list(day.raw), self._segment

    def forget(self, place: Place) -> None:
        """Leave out what was learned of that part of that weekday: it has become another."""
        for day in self._days:
            if day.weekday == place.weekday:
                day.usual = [(part, value) for part, value in day.usual if part != place.part]

    def mean_before(self, place: Place) -> float | None:
        """Return how many were usual there before the last lasting change; None when that is long ago."""
        return self._before[1] * self._factor(place) if self._before else None

    def go_back(self) -> None:
        """Forget the last lasting change: it was none."""
        if self._before:
            for day in self._days:
                if day.segment == self._segment:
                    day.usual, day.segment = [], self._before[0]
            self._segment, self.level = self._before
            self._before = None

    def learn(self, over: float) -> None:
        """Make shape and level anew; counts say the less the more they vary."""
        rows = [
            (_FADE**age, day, level)
            for age, (day, level) in enumerate(zip(reversed(self._days), reversed(self._levels()), strict=True))
        ]
        of_weekday = self._weekdays(rows)
        if self._parts == 1:
            self._shape = [max(_FLOOR, ratio) for ratio in of_weekday]
        else:
            rows = [(weight, day, level * of_weekday[day.weekday]) for weight, day, level in rows]
            of_part = self._of_part = self._each_part(rows)
            of_slot = self._slots(rows, over)
            self._shape = [
                max(_FLOOR, of_weekday[slot // self._parts] * of_part[slot % self._parts] * ratio)
                for slot, ratio in enumerate(of_slot)
            ]
        self.level = self._level_now()

    def _weekdays(self, rows: _Rows) -> list[float]:
        ratios = _Ratios(7)
        for weight, day, level in rows:
            plain = level * sum([self._of_part[part] for part, _ in day.usual])
            ratios.seen[day.weekday] += weight * day.total()
            ratios.usual[day.weekday] += weight * plain
        return ratios.all(_WEEKDAY_CHANCES)

    def _each_part(self, rows: _Rows) -> list[float]:
        ratios = _Ratios(self._parts)
        for weight, day, plain in rows:
            for part, value in day.usual:
                ratios.seen[part] += weight * value
                ratios.usual[part] += weight * plain
        return ratios.all(_PART_CHANCES)

    def _slots(self, rows: _Rows, over: float) -> list[float]:
        ratios = _Ratios(7 * self._parts)
        seen, usual, of_part = ratios.seen, ratios.usual, self._of_part
        for weight, day, plain in rows:
            first = day.weekday * self._parts
            for part, value in day.usual:
                expected = plain * of_part[part]
                certain = weight / (1 + over * expected)
                seen[first + part] += certain * value
                usual[first + part] += certain * expected
        return ratios.all(_SLOT_CHANCES)

    def _level_now(self) -> float:
        seen = usual = 0.0
        weight = 1.0
        for day in list(reversed(self._days))[:_LEVEL_DAYS]:
            if day.segment != self._segment:
                break
            seen += weight * day.total()
            usual += weight * self._share(day)
            weight *= _LEVEL_FADE
        return seen / usual if usual else self.level

    def _levels(self) -> list[float]:
        """Return the level of the seven days around each day; any seven have every weekday once."""
        sums = [(day.segment, day.total(), self._share(day)) for day in self._days]
        last = max(0, len(sums) - 7)
        levels = []
        for index, (segment, _, _) in enumerate(sums):
            begin = min(max(0, index - 3), last)
            around = [one for one in sums[begin : begin + 7] if one[0] == segment]
            share = sum(one[2] for one in around)
            levels.append(sum(one[1] for one in around) / share if share else 0.0)
        return levels

    def _factor(self, place: Place) -> float:
        return self._shape[place.weekday * self._parts + place.part]

    def _share(self, day: _Day) -> float:
        first = day.weekday * self._parts
        return sum([self._shape[first + part] for part, _ in day.usual])

    def _cut_early(self) -> None:
        by_part: defaultdict[int, list[float]] = defaultdict(list)
        for day in self._days:
            for part, value in day.raw:
                by_part[part].append(value)
        most = {
            part: _EARLY_TIMES * sorted(values)[3 * (len(values) - 1) // 4] + _EARLY_MORE
            for part, values in by_part.items()
        }
        for day in self._days:
            day.usual = [(part, min(value, most[part])) for part, value in day.raw]


class _Ratios:
    """How much more of each kind there was than expected, near 1 while little is known."""

    def __init__(self, kinds: int) -> None:
        self.seen = [0.0] * kinds
        self.usual = [0.0] * kinds

    def all(self, chances: float) -> list[float]:
        return [(seen + chances) / (usual + chances) for seen, usual in zip(self.seen, self.usual, strict=True)]
