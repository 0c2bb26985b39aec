"""From readings to events: many steps that are an anomaly for one reason are told once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from visitor_tracker.detection.steps import Step
from visitor_tracker.detection.watch import Reading

Kind = Literal["spike", "dip"]

_GOES_ON = 0.5  # the score at which an event goes on that began at 1
_SILENT = 0.1  # of what is usual: a site that has less is away rather than smaller
_SILENT_STAYS = 4  # times as long until that is what is usual


@dataclass(frozen=True, slots=True)
class _Rhythm:
    quiet: int  # usual steps in a row after which what comes is another event
    lasting: int  # steps after which what is unusual is usual
    days: int  # that lie in these and are over


_RHYTHMS: dict[Step, _Rhythm] = {
    "day": _Rhythm(quiet=2, lasting=6, days=5),
    "hour": _Rhythm(quiet=18, lasting=96, days=3),
}


@dataclass(slots=True)
class Event:
    """An event as far as it has gone."""

    kind: Kind
    at: int
    raised: int
    last: int
    peak: int
    reading: Reading  # the deepest one
    seen: float = 0.0  # since it began
    usual: float = 0.0


class Events:
    """Makes events of what it is shown, step by step."""

    def __init__(self, step: Step) -> None:
        self._rhythm = _RHYTHMS[step]
        self._open: dict[Kind, Event] = {}
        self._all: list[Event] = []

    def all(self) -> list[Event]:
        return sorted(self._all, key=lambda event: (event.at, event.raised))

    def see(self, index: int, readings: Sequence[Reading]) -> bool:
        """Return whether the step is part of an event; readings are those of the spans that end with it."""
        self._open = {kind: event for kind, event in self._open.items() if index - event.last <= self._rhythm.quiet}
        if not readings:
            return False
        kind: Kind = "spike" if readings[0].value > readings[0].mean else "dip"
        deepest = _deepest(readings, kind)
        event = self._open.get(kind)
        if not (deepest or (event and abs(readings[0].score) >= _GOES_ON)):
            return False
        if event is None and deepest:
            event = Event(kind, self._begin(index, deepest, kind), index, index, index, deepest)
            self._open[kind] = event
            self._all.append(event)
        if event:
            _go_on(event, index, readings[0], deepest)
        return True

    def days_to_adopt(self, index: int) -> int:
        """Return how many days are usual from now on, because they have been unusual for so long; 0 mostly."""
        for kind, event in self._open.items():
            length = index - event.at + 1
            is_silent = event.seen < _SILENT * event.usual
            if event.last == index and length >= self._rhythm.lasting * (_SILENT_STAYS if is_silent else 1):
                del self._open[kind]
                return self._rhythm.days
        return 0

    def _begin(self, index: int, reading: Reading, kind: Kind) -> int:
        """Return where the span began, unless another event of the kind was there."""
        ended = max((event.last for event in self._all if event.kind == kind), default=-1)
        return max(index - reading.span + 1, ended + 1)


def _go_on(event: Event, index: int, own: Reading, deepest: Reading | None) -> None:
    event.last = index
    event.seen += own.value
    event.usual += own.mean
    if deepest and abs(deepest.score) > abs(event.reading.score):
        event.reading, event.peak = deepest, index


def _deepest(readings: Sequence[Reading], kind: Kind) -> Reading | None:
    """Return the reading of an anomaly, the deepest of several, if the last step itself goes that way."""
    own = readings[0]
    if abs(own.value - own.mean) < own.least_part * own.mean:
        return None
    sign = 1 if kind == "spike" else -1
    there = [reading for reading in readings if sign * reading.score > 1]
    return max(there, key=lambda reading: abs(reading.score)) if there else None
