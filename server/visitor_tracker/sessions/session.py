"""Sessions: a visitor's events of one site, sorted by (ts, id) and cut where nothing happened for 30 minutes.

A session is a value that two parts of can be merged into the whole, whatever came first: each field is a minimum, a
maximum or a sum over its events. So the tables do not depend on the order in which events arrive.
"""

import msgspec

from visitor_tracker.days import day_after

GAP_MS = 30 * 60_000  # a longer silence ends a session
ENGAGED_MS = 10_000  # a visit of one page that was looked at for so long is no bounce


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """One moment of a session, by which first and last are told: ties of `ts` are broken by the event's id."""

    ts: int
    id: bytes
    page: int = 0


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """The event that speaks for its session: the first action, or the first event where there is no action.

    It says where the visit came from, and in which day and hour it began.
    """

    passive: bool  # it is no action; sorts behind every action
    ts: int
    id: bytes
    day: int
    hour: int
    source: int
    context: int


class Looked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a session did with one page of one host within one hour."""

    day: int
    hour: int
    host: int
    page: int
    views: int
    engaged_ms: int


class Acted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How often a session did something that is no pageview within one hour; `value` is an id of a text."""

    day: int
    hour: int
    dimension: int  # of measures.Dimension: EVENT, OUTBOUND, DOWNLOAD, FORM or CLICK
    value: int
    times: int


class VisitorSession(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The events of one visitor without a pause of more than `GAP_MS`. New fields come last, with a default.

    `looked` and `acted` are sorted, each place once. `entry` and `exit` are the first and the last pageview. A session
    without an action counts as no visit; its engaged time counts.
    """

    first_ts: int
    last_ts: int
    first_day: int
    last_day: int
    head: Head
    entry: Mark | None
    exit: Mark | None
    interactions: int  # actions other than pageviews that did not happen by themselves
    looked: tuple[Looked, ...]
    acted: tuple[Acted, ...]

    @property
    def is_visit(self) -> bool:
        return not self.head.passive

    @property
    def views(self) -> int:
        return sum(part.views for part in self.looked)

    @property
    def engaged_ms(self) -> int:
        return sum(part.engaged_ms for part in self.looked)

    @property
    def bucket(self) -> int:
        """Where the session is stored: the day it began on, 0 when it saw more than two days."""
        first, last = self.first_day, self.last_day
        return first if last == first or last <= day_after(first) else 0


encode_session = msgspec.msgpack.Encoder().encode
decode_session = msgspec.msgpack.Decoder(VisitorSession).decode
