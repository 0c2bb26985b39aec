"""Where events go: what takes them, and what it may say."""

from dataclasses import dataclass
from typing import Protocol

from visitor_tracker.errors import TrackerError


class Unavailable(TrackerError):
    """The events are not known to be stored; send them again, with the same ids, after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(TrackerError):
    """None of the events will ever be taken."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a batch: how many are stored, and the reasons of those that were dropped."""

    accepted: int
    dropped: tuple[str, ...] = ()


class Tracker(Protocol):
    """What takes events. Only one thread at a time calls it, never one that answers a request."""

    def send(self, events: bytes) -> Delivered:
        """Store a JSON array of events, as POST /api/v1/events takes it; may wait. Raises Unavailable, Refused.

        The same events may come again: their ids say so.
        """
