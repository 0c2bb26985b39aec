"""What speaks for a robot, each with its weight."""

import math
from collections.abc import Iterator

from visitor_tracker.ingest.behaviour.days import VisitorDay
from visitor_tracker.ingest.behaviour.figures import Figures
from visitor_tracker.ingest.behaviour.habits import Habits
from visitor_tracker.ingest.behaviour.machines import machine_reasons
from visitor_tracker.ingest.behaviour.reasons import Reason, between, told

# Kiosks, status boards and readers of feeds ask for the same few pages again and again: their pace says nothing.
_PAGES_LEAST = 8
_GAPS_LEAST = 12  # views
_RUN_LEAST, _GAP_MOST = 100, 2.0  # unless they are asked for faster than any of those does: views, seconds

_Found = tuple[str, float, str]


def reasons(day: VisitorDay, found: Figures, habits: Habits) -> Iterator[Reason]:
    """Yield all that speaks for a robot."""
    yield from told(_of_signals(found))
    is_machine_fast = found.run >= _RUN_LEAST and found.gap_seconds < _GAP_MOST
    if found.pages >= _PAGES_LEAST or is_machine_fast:
        yield from told([*_of_pace(found), *_of_pages(found)])
        yield from told(_of_what_is_missing(found, habits))
    if found.views >= _PAGES_LEAST:
        yield from told(machine_reasons(day))


def _of_signals(found: Figures) -> Iterator[_Found]:
    """The visitor's other events have signals: whoever looks for holes, or says to be automatic, does all of it so."""
    if found.robot_signals:
        share = f"{found.robot_signals:.0%} of {found.events:,} events"
        yield "signals", 2.5 + 3.5 * found.robot_signals, f"{share} are a robot's by themselves"
    if found.rate_signals:
        share = f"{found.rate_signals:.0%} of {found.events:,} events"
        yield "rate", 2.5 + 2.5 * found.rate_signals, f"{share} came faster than anybody reads"
    if found.missing_headers >= 0.5:
        share = f"{found.missing_headers:.0%} of {found.events:,} events"
        yield "headers", 1.3, f"{share} lack header fields that the browser sends"


def _of_pace(found: Figures) -> Iterator[_Found]:
    if found.run >= 40:
        weight = min(3.0, math.log(found.run / 40)) + 2.0 * between(found.gap_seconds, 2.0, 0.5)
        yield "pace", weight, f"{found.run:,} pages without a minute's pause, one every {found.gap_seconds:.1f} s"
    if found.gap_spread is not None and found.views >= _GAPS_LEAST:
        weight = _of_even_gaps(found)
        pace = f"one every {found.gap_seconds:.1f} s ± {found.gap_deviation:.1f}"
        yield "even_gaps", weight, f"{found.views:,} pages, {pace}"
    if found.span_hours >= 20 and found.longest_pause_hours <= 2.5 and found.views >= 40:
        yield (
            "no_rest",
            2.0,
            f"there for {found.span_hours:.0f} hours, never away for more than {found.longest_pause_hours:.1f}",
        )


def _of_even_gaps(found: Figures) -> float:
    if found.gap_spread is None or found.views < _GAPS_LEAST:
        return 0.0
    return 3.0 * between(found.gap_spread, 1.3, 0.0) * between(found.views, 10, 30)


def _of_pages(found: Figures) -> Iterator[_Found]:
    again = 1 - found.pages / found.views
    if found.views >= 40 and again <= 0.02:
        weight = 1.0 + 0.8 * between(found.views, 40, 150)
        yield "nothing_twice", weight, f"{found.pages:,} different pages in {found.views:,} views: none seen again"
    if found.order_of >= 15:
        weight = 2.0 * between(found.ordered, 0.8, 1.0)
        yield "alphabetical", weight, f"{found.ordered:.0%} of {found.order_of:,} steps go on in the alphabet"


def _of_what_is_missing(found: Figures, habits: Habits) -> Iterator[_Found]:
    """What nearly all visitors of the site do, and this one did not."""
    if not found.screened:
        weight = 1.2 * between(habits.run_script, 0.6, 0.95)
        yield "no_script", weight, f"the script saw {habits.run_script:.0%} of visitors, and none of these pages"
    if found.screened and not found.engaged:
        weight = 2.5 * between(habits.engage, 0.5, 0.95) * between(found.screened, 4, 15)
        most = f"{habits.engage:.0%} of visitors do"
        yield "not_engaged", weight, f"{found.screened:,} pages shown, none read, scrolled or clicked: {most}"
    if found.views >= 10 and found.by_link < 0.1:
        weight = 1.8 * between(habits.follow_links, 0.5, 0.9) * between(found.by_link, 0.1, 0.0)
        text = f"{1 - found.by_link:.0%} of {found.views:,} pages that no page led to"
        yield "no_links", weight, text
    if found.engaged_spread is not None and found.engaged >= 8:
        # Who goes on evenly has read evenly: the same fact counts once.
        weight = max(0.0, 2.5 * between(found.engaged_spread, 0.6, 0.1) - _of_even_gaps(found))
        yield "even_reading", weight, f"{found.engaged:,} pages read for the same time each"
