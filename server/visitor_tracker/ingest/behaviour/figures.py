"""Figures of a visitor's day: how fast, how even, how much of it again, and what only a person at a screen does."""

import itertools
import re
from collections.abc import Iterable, Sequence

import msgspec

from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import ROBOT, Signal
from visitor_tracker.ingest.behaviour.days import Step, VisitorDay

_HEADERS = int(Signal.MISSING_HEADERS)
_RATE = int(Signal.RATE)
_BREATH_MS = 60_000  # who reads pauses as long now and then
_digits = re.compile(r"[0-9]+")


class Figures(msgspec.Struct, frozen=True, gc=False):
    """Of one visitor's day. Shares are from 0 to 1; a spread is (90 % - 10 %) / median, None where too little is known.

    `run`: most views in a row without a minute's pause. `ordered`: share of steps from page to page that go on in the
    alphabet, of `order_of` steps; those from one number of a series to the next are left out, as readers do that too.
    """

    events: int
    views: int
    pages: int
    hours: int  # in which there was anything
    span_hours: float
    longest_pause_hours: float
    gap_seconds: float  # median between views
    gap_deviation: float  # seconds
    gap_spread: float | None
    run: int
    ordered: float
    order_of: int
    screened: int  # views that the script sent
    by_link: float  # share of the views after the first
    engaged: int  # views or more of which something was read, scrolled or done
    engaged_spread: float | None
    actions: int
    brought: int  # views that another site brought
    robot_signals: float  # share of the events
    rate_signals: float
    missing_headers: float


def figures_of(day: VisitorDay) -> Figures:
    """Return the figures of a day that has steps."""
    steps = day.steps
    views = [step for step in steps if step.is_view]
    times = [step.ts for step in views]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    all_times = [step.ts for step in steps]
    pauses = [later - earlier for earlier, later in itertools.pairwise(all_times)]
    ordered, order_of = _order([step.page for step in views])
    engaged = sorted(step.engaged_ms for step in steps if step.engaged_ms)
    count = len(steps)
    return Figures(
        events=count,
        views=len(views),
        pages=len({step.page for step in views}),
        hours=len({ts // HOUR_MS for ts in all_times}),
        span_hours=(all_times[-1] - all_times[0]) / HOUR_MS,
        longest_pause_hours=max(pauses, default=0) / HOUR_MS,
        gap_seconds=_quantile(sorted(gaps), 0.5) / 1000,
        gap_deviation=_deviation(gaps) / 1000,
        gap_spread=_spread(sorted(gaps)),
        run=_longest_run(gaps) if views else 0,
        ordered=ordered,
        order_of=order_of,
        screened=sum(step.has_screen for step in views),
        by_link=_share(step.by_link for step in views[1:]),
        engaged=sum(1 for step in steps if step.engaged_ms or step.scroll or step.is_action),
        engaged_spread=_spread(engaged),
        actions=sum(step.is_action for step in steps),
        brought=sum(step.came_from for step in views),
        robot_signals=_share(step.signals & ROBOT & ~_RATE != 0 for step in steps),
        rate_signals=_share(step.signals & _RATE != 0 for step in steps),
        missing_headers=_share(step.signals & _HEADERS != 0 for step in steps),
    )


def signals_alone(steps: Sequence[Step]) -> bool:
    """Say whether every event is a robot's by its own signals, so that there is nothing left to judge."""
    return all(step.signals & ROBOT for step in steps)


def _share(found: Iterable[bool]) -> float:
    marks = list(found)
    return sum(marks) / len(marks) if marks else 0.0


def _quantile(ordered: Sequence[int], share: float) -> float:
    """Return a quantile of numbers in order, between two of them where it lies there; 0 of none."""
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


_LEAST = 8  # numbers from which a spread tells anything


def _spread(ordered: Sequence[int]) -> float | None:
    """Return how far apart numbers are: a tenth at either end, such as a robot's retries, says nothing."""
    middle = _quantile(ordered, 0.5)
    if len(ordered) < _LEAST or middle <= 0:
        return None
    return (_quantile(ordered, 0.9) - _quantile(ordered, 0.1)) / middle


def _deviation(gaps: Sequence[int]) -> float:
    """Return half of what four fifths of the gaps lie within."""
    ordered = sorted(gaps)
    return (_quantile(ordered, 0.9) - _quantile(ordered, 0.1)) / 2


def _longest_run(gaps: Sequence[int]) -> int:
    longest = run = 1
    for gap in gaps:
        run = run + 1 if gap < _BREATH_MS else 1
        longest = max(longest, run)
    return longest


def _order(pages: Sequence[str]) -> tuple[float, int]:
    """Return the share of steps that go on in the alphabet, and of how many steps."""
    steps = [
        earlier < later
        for earlier, later in itertools.pairwise(pages)
        if earlier != later and _digits.sub("0", earlier) != _digits.sub("0", later)
    ]
    return (sum(steps) / len(steps), len(steps)) if steps else (0.0, 0)
