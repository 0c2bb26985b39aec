"""Who was here before: the store knows what was drained, this process what it journaled since.

A visitor that two workers see for the first time within the second that draining takes is new to both.
"""

import threading
from collections.abc import Callable

from visitor_tracker.event import Event

_MOST = 32_768  # visitors of a generation; the store knows the older ones by far
Known = Callable[[int, bytes, int], tuple[bool, bool]]

_Key = tuple[int, bytes, int]


class Seen:
    """Visitors in two generations of sets, so that memory is bounded; safe in any thread."""

    def __init__(self, known: Known) -> None:
        """`known` asks the store whether a visitor of a site was here ever, and on a day."""
        self._known = known
        self._lock = threading.Lock()
        self._days: set[_Key] = set()
        self._older_days: set[_Key] = set()
        self._ever: set[tuple[int, bytes]] = set()
        self._older_ever: set[tuple[int, bytes]] = set()

    def note(self, event: Event) -> None:
        """Remember that an event was kept."""
        visitor = event.visitor
        if not visitor:
            return
        if len(self._days) >= _MOST:
            self._older_days, self._days = self._days, set()
            self._older_ever, self._ever = self._ever, set()
        self._days.add((event.site_id, visitor, event.day))
        self._ever.add((event.site_id, visitor))

    def claim(self, event: Event) -> tuple[bool, bool]:
        """Say whether this is the visitor's first event ever, and of its day, and remember it; before it is journaled.

        This process is asked before the store: what it forgets has long been drained. Raises StoreUnavailable.
        """
        ever, day = (event.site_id, event.visitor), (event.site_id, event.visitor, event.day)
        with self._lock:
            here = ever in self._ever or ever in self._older_ever
            today = day in self._days or day in self._older_days
            self.note(event)
        if here and today:
            return False, False
        known, known_today = self._known(*day)
        return not (here or known), not (today or known_today)
