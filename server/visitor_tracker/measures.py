"""What reports count, and by what: the words that the fold writes and the reports read.

A rollup has one row per site, dimension, period and value, with eight measures. A period is an hour (epoch ms at
which the site's clock showed the full hour), a day (yyyymmdd) or a month (yyyymm), both of the site's calendar. A
value is a text, stored by the id that `text_id` makes of it; `TOTAL` has the value 0.

What the measures mean depends on what a dimension says something about:

    a visit        TOTAL, SOURCE … SCREEN   visitors, views, events, engaged_ms where they happened; visits, bounces,
                                            singles, duration_ms where the visit began
    its two ends   ENTRY, EXIT              everything of the visit, where it began
    a page         PAGE, HOST               visitors, views, engaged_ms where they happened; visits at the first view
    an action      EVENT … CLICK            visitors, events where they happened; visits at the first one
    any event      KIND, BOT, CRAWLER       events; BOT and CRAWLER those of robots, the others nothing of them
"""

from collections.abc import Iterable
from enum import IntEnum
from hashlib import blake2b
from struct import Struct, unpack
from typing import Literal

import msgspec

Grain = Literal["hour", "day", "month"]


class Dimension(IntEnum):
    """What to break numbers down by. The numbers are in the database: never change one, only add."""

    TOTAL = 0
    PAGE = 1  # path without query
    HOST = 2
    ENTRY = 3  # the first page of a visit
    EXIT = 4  # its last one
    SOURCE = 5  # the referrer's name, such as Google; visits without one have no row
    REFERRER = 6  # host and path
    CHANNEL = 7
    UTM_SOURCE = 8
    UTM_MEDIUM = 9
    UTM_CAMPAIGN = 10
    UTM_TERM = 11
    UTM_CONTENT = 12
    CLICK_ID = 13
    COUNTRY = 14  # ISO 3166-1 alpha-2, XX unknown, LOCAL
    REGION = 15  # DE/Bavaria
    CITY = 16  # DE/Bavaria/Munich
    ORGANISATION = 17
    BROWSER = 18
    BROWSER_VERSION = 19  # Firefox 128
    OS = 20
    OS_VERSION = 21  # iOS 17
    DEVICE = 22
    LANGUAGE = 23
    SCREEN = 24
    EVENT = 25  # the name of a custom event
    OUTBOUND = 26  # where an outbound link leads
    DOWNLOAD = 27
    FORM = 28
    CLICK = 29
    KIND = 30  # of event.Kind
    BOT = 31  # why an event is a robot's: names of event.Signal, several for one event
    CRAWLER = 32  # its name, where it says so


class Measures(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The measures of one row, in the order of its columns."""

    visitors: int = 0
    visits: int = 0
    views: int = 0
    bounces: int = 0  # visits of at most one page, less than 10 s engaged, and no interaction
    singles: int = 0  # visits of at most one page
    engaged_ms: int = 0
    duration_ms: int = 0  # from a visit's first event to its last
    events: int = 0  # actions that are no pageview; of KIND, BOT and CRAWLER: events


NAMES = Measures.__struct_fields__

# Eight numbers in one integer, so that one addition adds them all: a fold adds some forty times per visit. Each has a
# lane of 64 bits; one that is negative borrows from the next, and `unpacked` gives it back. No sum may leave a lane.
_LANE = 64
_BIASES = sum(1 << (_LANE * lane + _LANE - 1) for lane in range(8))
_SMALL_BITS = 40
_SMALL_BIASES = sum(1 << (_LANE * lane + _SMALL_BITS) for lane in range(8))
_LARGE = sum(((1 << _LANE) - (2 << _SMALL_BITS)) << (_LANE * lane) for lane in range(8))
_lanes = Struct("<8q").unpack
VISITORS, VISITS, VIEWS, BOUNCES, SINGLES, ENGAGED, DURATION, EVENTS = (1 << (_LANE * lane) for lane in range(8))


def packed(measures: Measures) -> int:
    """Return the measures as one integer; sums of such integers are sums of the measures, differences too."""
    return sum(number << (_LANE * lane) for lane, number in enumerate(msgspec.structs.astuple(measures)))


def unpacked(number: int) -> tuple[int, ...]:
    """Return the eight measures of a packed integer."""
    # With a bias no lane borrows any more; taking it away bit by bit leaves each as a signed integer of its own.
    return _lanes(((number + _BIASES) ^ _BIASES).to_bytes(64, "little"))


def unpacked_all(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return what `unpacked` says of each, one after the other; much faster for many."""
    lanes = b"".join([((number + _BIASES) ^ _BIASES).to_bytes(64, "little") for number in numbers])
    return unpack(f"<{len(lanes) // 8}q", lanes)


def is_small(number: int) -> bool:
    """Say whether each of packed measures is less than 2^40 in either direction: millions of such fit into a lane."""
    return not (number + _SMALL_BIASES) & _LARGE


def text_id(text: str) -> int:
    """Return the id of a text: its BLAKE2b-64 as a signed integer; 0 for the empty text.

    Made, not looked up, so every process and node makes the same. Of ten million texts two collide with a
    probability of 3 in a million.
    """
    if not text:
        return 0
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def body_id(body: bytes) -> int:
    """Return the id of an encoded source or context, made as `text_id` is."""
    return int.from_bytes(blake2b(body, digest_size=8).digest(), "big", signed=True)
