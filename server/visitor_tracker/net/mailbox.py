"""How other threads hand things to a loop: a deque, and an eventfd that ends the loop's wait."""

import os
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Filled by any thread, emptied by the loop; a burst of items costs one wake-up.

    The eventfd is never read: registered edge-triggered, every write is an event.
    """

    __slots__ = ("_awake", "_items", "fd")

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._items: deque[Item] = deque()
        self._awake = True

    def put(self, item: Item) -> None:
        self._items.append(item)
        if not self._awake:
            self.wake()

    def wake(self) -> None:
        """End the loop's wait; also safe in a signal handler."""
        self._awake = True  # the rest of the burst need not write
        os.eventfd_write(self.fd, 1)

    def about_to_wait(self) -> bool:
        """Say whether the loop may sleep; from here until `awake` whoever puts an item also wakes."""
        self._awake = False
        return not self._items

    def awake(self) -> None:
        self._awake = True

    def take(self) -> Item | None:
        """Return the oldest item, or None."""
        return self._items.popleft() if self._items else None

    def __del__(self) -> None:
        os.close(self.fd)  # not before the last thread that could write to it has let go
