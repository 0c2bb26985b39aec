"""A series seen step by step: what was to be expected of each, and how far from it the last ones are."""

import math
from collections import deque
from dataclasses import dataclass

from visitor_tracker.detection.spread import Spread
from visitor_tracker.detection.steps import Place, Step
from visitor_tracker.detection.tails import band, depth
from visitor_tracker.detection.week import Values, Week

LEARNING_DAYS = 7  # without any expectation
NEEDED_DAYS = 14  # measured ones before the first alarm
_LEAST_CHANGE = 8.0  # visits: what is less is nobody's business, however unlikely
_YOUNG = 4.0  # days: how much wider bands are while few are known
_LIKE_NOW = 20.0  # visits that speak for the day being like others
_LIKE_NOW_POWER = 0.5  # of the last hours being busier, how much goes on
_BACK = 0.7  # score up to which a step is like before a lasting change, which is over then
_HABIT = 3  # weeks in a row in which a place was unusual until that is usual
_HABIT_DAYS = 2  # what is unusual for longer is no habit, see Events
_CLIP = 2.5  # depths; what is deeper and yet no anomaly counts so much


@dataclass(frozen=True, slots=True)
class Pace:
    """What differs between days and hours."""

    parts: int  # of a day
    spans: tuple[int, ...]  # how many of the last steps are looked at together
    deep: float  # in standard deviations: what is unlikely enough, set by bench/anomaly.py
    least_part: float  # of what is usual: a smaller change is nobody's business
    memory: int  # steps from which a spread is learned
    now_fade: float  # of how busy the last steps were


PACES: dict[Step, Pace] = {
    "day": Pace(parts=1, spans=(1, 3), deep=2.9, least_part=0.25, memory=84, now_fade=0.0),
    "hour": Pace(parts=24, spans=(1, 3, 6, 12), deep=3.8, least_part=0.35, memory=672, now_fade=0.89),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The last `span` steps together against what is usual for them."""

    span: int
    value: float
    mean: float
    over: float
    deep: float
    least_part: float
    lump: float = 1.0  # how many come at once

    @property
    def score(self) -> float:
        """Return how deep it is beside what is allowed: beyond ±1 is an anomaly."""
        change = abs(self.value - self.mean)
        least = max(_LEAST_CHANGE, self.least_part * self.mean)
        deep = depth(self.value / self.lump, self.mean / self.lump, self.over) / self.deep
        return deep if change > least else max(-1.0, min(1.0, deep))

    def band(self) -> tuple[float, float]:
        low, high = (self.lump * bound for bound in band(self.mean / self.lump, self.over, self.deep))
        least = max(_LEAST_CHANGE, self.least_part * self.mean)
        return max(0.0, min(low, self.mean - least)), max(high, self.mean + least)


class Watch:
    """Sees one step after the other: `read` it, decide, then `take` it."""

    def __init__(self, step: Step) -> None:
        self._pace = PACES[step]
        self._week = Week(self._pace.parts)
        self._spreads = {span: Spread(self._pace.memory) for span in self._pace.spans}
        self._last: deque[tuple[float, float]] = deque(maxlen=max(self._pace.spans))  # value and mean of a step
        self.times = 1.0  # as busy as usual is what comes now, on a holiday that was so before
        self._day = 0
        self._weekday = 0
        self._raw: Values = []
        self._usual: Values = []
        self._now_seen = 0.0
        self._now_usual = 0.0
        self._odd: dict[tuple[int, int], int] = {}  # how many weeks in a row each place was unusual
        self._streak = 0  # steps in a row that were

    @property
    def is_ready(self) -> bool:
        return self._week.known_days >= NEEDED_DAYS

    def turn_to(self, place: Place) -> None:
        """Learn from the days before, if this is another one."""
        if place.day == self._day:
            return
        if self._raw or self._day:
            self._week.add(self._weekday, self._raw, self._usual)
        if self._week.known_days >= LEARNING_DAYS:
            self._week.learn(self._spreads[1].over)
            for spread in self._spreads.values():
                spread.settle()
        self._day, self._weekday = place.day, place.weekday
        self._raw, self._usual = [], []

    def expect(self, place: Place) -> Reading | None:
        """Return what is usual for one step of which nothing is known yet."""
        if not self.is_ready:
            return None
        mean = self._mean(place)
        return self._reading(1, mean, mean)

    def read(self, place: Place, value: float) -> list[Reading]:
        """Return the readings of the spans that end here, shortest first; none during the warm-up."""
        if not self.is_ready:
            return []
        readings = self._readings(value, self._mean(place))
        before = self._week.mean_before(place)
        if before is not None and any(abs(reading.score) > 1 for reading in readings):
            as_before = self._reading(1, value, before)
            if abs(as_before.score) <= _BACK:
                self._week.go_back()
                self._restart()
                return [as_before]
        return readings

    def take(self, place: Place, value: float, *, is_usual: bool) -> None:
        """Learn from the step, or only that it was there."""
        self._raw.append((place.part, value))
        if self._week.known_days < LEARNING_DAYS:
            return
        mean = self._mean(place)
        self._now_seen *= self._pace.now_fade
        self._now_usual *= self._pace.now_fade
        self._last.append((value, mean))
        if self._is_habit(place, is_usual=is_usual):
            self._usual.append((place.part, value))
        if not is_usual:
            return
        usual = self._clipped(value, mean) if self.is_ready else value
        self._usual.append((place.part, usual))
        self._now_seen += usual
        self._now_usual += self._week.mean(place)
        self._learn_spreads()

    def skip(self) -> None:
        """Leave out a step that was not measured."""
        self._last.clear()

    def adopt(self, days: int) -> None:
        """Take the last so many days for usual from now on."""
        self._week.adopt(days)
        self._usual = list(self._raw)
        self._week.learn(self._spreads[1].over)
        self._restart()

    def _restart(self) -> None:
        self._now_seen = self._now_usual = 0.0
        self._last.clear()

    def _is_habit(self, place: Place, *, is_usual: bool) -> bool:
        """Return whether the place has been unusual for weeks, so that this is what it is like now."""
        slot = (place.weekday, place.part)
        times = self._odd.get(slot, 0)
        if is_usual:
            self._streak = 0
            if times:
                del self._odd[slot]
            return False
        self._streak += 1
        if self._streak > _HABIT_DAYS * self._pace.parts:
            return False
        self._odd[slot] = times + 1
        if times + 1 == _HABIT:
            self._week.forget(place)
        return times + 1 >= _HABIT

    def _mean(self, place: Place) -> float:
        now = (self._now_seen + _LIKE_NOW) / (self._now_usual + _LIKE_NOW) if self._pace.now_fade else 1.0
        return self.times * self._week.mean(place) * math.pow(now, _LIKE_NOW_POWER)

    def _readings(self, value: float, mean: float) -> list[Reading]:
        seen, usual = value, mean
        readings = [self._reading(1, seen, usual)]
        for back, (last_value, last_mean) in enumerate(reversed(self._last), start=2):
            seen, usual = seen + last_value, usual + last_mean
            if back in self._spreads:
                readings.append(self._reading(back, seen, usual))
        return readings

    def _reading(self, span: int, value: float, mean: float) -> Reading:
        spread = self._spreads[span]
        deep = self._pace.deep * spread.widening * (1 + _YOUNG / self._week.known_days)
        return Reading(span, value, mean, spread.over, deep, self._pace.least_part, spread.lump)

    def _clipped(self, value: float, mean: float) -> float:
        over, lump = self._spreads[1].over, self._spreads[1].lump
        if abs(depth(value / lump, mean / lump, over)) <= _CLIP:
            return value
        room = _CLIP * math.sqrt(lump * mean + over * mean * mean)
        return max(mean - room, min(mean + room, value), 0.0)

    def _learn_spreads(self) -> None:
        seen = usual = 0.0
        for back, (value, mean) in enumerate(reversed(self._last), start=1):
            seen, usual = seen + value, usual + mean
            if back in self._spreads:
                self._spreads[back].learn(seen, usual)
