"""Events of browser tabs, and what a count by hand makes of those that arrive."""

from collections.abc import Iterable

import msgspec

from tests.sessions.happening import World
from visitor_tracker.days import HOUR_MS
from visitor_tracker.event import Event

Tab = tuple[int, int, int]  # tabs, received, expected: of an hour

_WORLD = World()


def tab_id(began: int, number: int = 0) -> bytes:
    return began.to_bytes(6, "big") + number.to_bytes(10, "big")


def sent(tab: bytes, seq: int, *, at: int = 0, signals: int = 0) -> Event:
    """Return an event of a tab; without `at` it arrives when the tab begins."""
    began = int.from_bytes(tab[:6], "big")
    number = int.from_bytes(tab, "big") % (1 << 90) * 10_000 + seq
    event = _WORLD.event(number % (1 << 128), began, person=tab.hex(), signals=signals)
    return msgspec.structs.replace(event, at=at or began, tab=tab, seq=seq)


def counted(arrived: Iterable[Event]) -> dict[int, Tab]:
    """Count by hand, by hour: an event as often as it comes is one."""
    tabs: dict[bytes, set[int]] = {}
    for event in arrived:
        tabs.setdefault(event.tab, set()).add(event.seq)
    hours: dict[int, Tab] = {}
    for tab, numbers in tabs.items():
        began = int.from_bytes(tab[:6], "big")
        hour = began - began % HOUR_MS
        count, received, expected = hours.get(hour, (0, 0, 0))
        hours[hour] = (count + 1, received + len(numbers), expected + max(numbers))
    return hours
