"""What there is once per visit, as bits of a row."""

from visitor_tracker.measures import unpacked

# It has a visitor of its own, its visit counts here, that is a bounce, is of one page.
VISITOR, VISIT, BOUNCE, SINGLE = 1, 2, 4, 8


def once_bits(packed: int) -> tuple[int, int]:
    """Return the bits of a visit, and its duration in ms, of what `tally.once` says."""
    _, visits, _, bounces, singles, _, duration_ms, _ = unpacked(packed)
    return VISIT * visits | BOUNCE * bounces | SINGLE * singles, duration_ms
