"""Which events say how much of their browser tab has arrived, and when nothing more can come of one."""

from collections.abc import Iterable

from visitor_tracker.days import DAY_MS, HOUR_MS
from visitor_tracker.event import Event, RawEvent

_EARLIEST_MS = 8 * DAY_MS  # a tab may begin before an event of it arrives: browsers keep events for 7 days
_LATEST_MS = HOUR_MS  # and after that, by a clock that is fast
# Tabs are added up after nine days, and half a day before that no event comes to one any more, however long it waited
# for the fold: so no tab is added up twice, even where the clocks of nodes differ.
_FOLDED_MS = 8 * DAY_MS + DAY_MS // 2
ADDED_UP_MS = 9 * DAY_MS


def tabs_of(events: Iterable[Event | RawEvent], now: int) -> dict[tuple[int, bytes], tuple[int, int]]:
    """Return of each tab, by its hour and itself, how many events there are and the highest of their numbers.

    Robots count too: an event may be found to be a robot's only after others of its tab, and without it there would
    be a gap where nothing was lost.
    """
    found: dict[tuple[int, bytes], tuple[int, int]] = {}
    for event in events:
        began = int.from_bytes(event.tab[:6], "big")
        hour = began - began % HOUR_MS
        if -_LATEST_MS <= event.at - began <= _EARLIEST_MS and now - hour <= _FOLDED_MS:
            received, highest = found.get((hour, event.tab), (0, 0))
            found[hour, event.tab] = (received + 1, max(highest, event.seq))
    return found
