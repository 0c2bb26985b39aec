"""Who was here before: the store knows what was drained, this process what it journaled since.

A visitor that two workers see for the first time within the second that draining takes is new to both.
"""

import threading
from collections.abc import Callable

from visitor_tracker.event import Event

_MOST = 32_768  # visitors of a generation; the store knows the older ones by far
Known = Callable[[int, bytes, int], tuple[bool, bool]]


class Seen:
    """The latest day of each visitor, in two generations so that memory is bounded; safe in any thread.

    A visitor's hash has the site in it, so no site's visitor is one of another.
    """

    def __init__(self, known: Known) -> None:
        """`known` asks the store whether a visitor of a site was here ever, and on a day."""
        self._known = known
        self._lock = threading.Lock()
        self._days: dict[bytes, int] = {}
        self._older: dict[bytes, int] = {}

    def note(self, event: Event) -> None:
        """Remember that an event was kept."""
        visitor = event.visitor
        if visitor:
            days = self._days
            if len(days) >= _MOST:
                self._older, self._days = days, (days := {})
            if days.get(visitor, 0) < event.day:  # an event of yesterday may come late
                days[visitor] = event.day

    def claim(self, event: Event) -> tuple[bool, bool]:
        """Say whether this is the visitor's first event ever, and of its day, and remember it; before it is journaled.

        This process is asked before the store: what it forgets has long been drained. Raises StoreUnavailable.
        """
        with self._lock:
            day = self._days.get(event.visitor, self._older.get(event.visitor))
            self.note(event)
        if day == event.day:
            return False, False
        known, known_today = self._known(event.site_id, event.visitor, event.day)
        return day is None and not known, not known_today
