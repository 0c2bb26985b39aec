"""What there is once per visit, as bits of a row and as sums: four numbers in one integer."""

from visitor_tracker.measures import unpacked

# Bits of a row: it has a visitor of its own, its visit counts here, that is a bounce, is of one page.
VISITOR, VISIT, BOUNCE, SINGLE = 1, 2, 4, 8

_LANE = 40
_COUNT = (1 << _LANE) - 1
ONE_VISITOR, ONE_VISIT = 1, 1 << _LANE
SUMS = tuple(
    sum(1 << (_LANE * lane) for lane in range(4) if bits >> lane & 1) for bits in range(256)
)  # of a row with these bits


def once_bits(packed: int) -> tuple[int, int]:
    """Return the bits of a visit, and its duration in ms, of what `tally.once` says."""
    _, visits, _, bounces, singles, _, duration_ms, _ = unpacked(packed)
    return VISIT * visits | BOUNCE * bounces | SINGLE * singles, duration_ms


def sums_in(number: int) -> tuple[int, int, int, int]:
    """Return visitors, visits, bounces and visits of one page."""
    return number & _COUNT, number >> _LANE & _COUNT, number >> 2 * _LANE & _COUNT, number >> 3 * _LANE
