"""What speaks for a person, or for many of them behind one address."""

from collections.abc import Iterator

from visitor_tracker.ingest.behaviour.days import VisitorDay
from visitor_tracker.ingest.behaviour.figures import Figures
from visitor_tracker.ingest.behaviour.reasons import Reason, between, told

_Found = tuple[str, float, str]


def reasons(day: VisitorDay, found: Figures) -> Iterator[Reason]:
    """Yield all that speaks for people; weights are below 0."""
    return told(_found(day, found))


def _found(day: VisitorDay, found: Figures) -> Iterator[_Found]:
    if found.engaged_spread is not None:
        weight = -2.5 * between(found.engaged_spread, 0.8, 2.0)
        yield "reads", weight, "pages were read for very different times"
    elif found.engaged:
        yield "reads", -0.5, f"{found.engaged:,} pages were read, scrolled or clicked"
    if found.actions >= 2:
        yield "acts", -0.8, f"{found.actions:,} clicks, downloads or forms"
    if found.views >= 10 and found.pages >= 5:  # one page over and over is no coming back
        again = 1 - found.pages / found.views
        yield "comes_back", -1.2 * between(again, 0.15, 0.5), f"{again:.0%} of the views are of pages seen before"
    if found.gap_spread is not None:
        yield "uneven_gaps", -1.2 * between(found.gap_spread, 1.6, 3.0), "long and short stops, as readers make them"
    if len(day.screens) >= 3:
        yield "many_people", -1.5, f"{len(day.screens):,} different screens: several people behind one address"
    if found.brought:
        weight = -0.5 * between(found.brought, 0, 3)
        yield "brought", weight, f"{found.brought:,} visits brought by searches, other sites or campaigns"
