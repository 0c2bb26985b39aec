"""How far somebody went along the steps of a funnel: pure, over events in the order of time.

An event makes one step at most, and a step is made after the one before it. In loose order anything may happen in
between. In strict order nothing may that is looked at (see `funnels`), but the step itself once more: a page that is
loaded again is still that step.

Of all ways along the steps that one counts that goes farthest; of these the one that is there first, and then the one
that began last, so that a window is kept where it can be. Each step has the time at which it was first made on it.
"""

from collections.abc import Iterable, Sequence

import msgspec


class Happening(msgspec.Struct, frozen=True, gc=False):
    """An event at a moment; `steps` has a bit for each step that it may make, the first as bit 0."""

    ts: int
    steps: int
    place: int = 0  # of the event in whatever the caller has


Way = tuple[Happening, ...]  # the events that made the steps, the first of them first


def walk(events: Iterable[Happening], steps: int, *, window_ms: int | None, is_strict: bool) -> Way:
    """Return the events that made the steps, as far as there are any; `window_ms` goes from the first to the last."""
    ways: list[Way] = [()] * (steps + 1)  # by length: the one with the latest beginning
    best: Way = ()
    for event in events:
        ways = _after(event, ways, window_ms, is_strict=is_strict)
        if len(best) < steps and (longer := ways[len(best) + 1]):
            best = longer
    return best


def _after(event: Happening, ways: Sequence[Way], window_ms: int | None, *, is_strict: bool) -> list[Way]:
    found: list[Way] = [()]
    for length in range(1, len(ways)):
        before, now = ways[length - 1], ways[length]
        makes = event.steps >> (length - 1) & 1
        if is_strict and not makes:
            now = ()
        if makes and (length == 1 or before):
            way = (*before, event)
            in_time = window_ms is None or event.ts - way[0].ts <= window_ms
            if in_time and (not now or way[0].ts > now[0].ts):
                now = way
        found.append(now)
    return found
