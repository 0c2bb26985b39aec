"""Trackers that fail or wait on purpose, and one that remembers."""

import json
import threading
from collections.abc import Callable
from typing import Any

from visitor_tracker.middleware import Delivered, Unavailable


class Remembering:
    """Takes everything, after `failures` tries that it does not."""

    def __init__(self, failures: int = 0, error: Callable[[], Exception] = lambda: Unavailable("away")) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.tries: list[list[dict[str, Any]]] = []
        self.failures = failures
        self._error = error

    def send(self, events: bytes) -> Delivered:
        batch = json.loads(events)
        self.tries.append(batch)
        if len(self.tries) <= self.failures:
            raise self._error()
        self.batches.append(batch)
        return Delivered(len(batch))

    @property
    def urls(self) -> list[str]:
        return [event["url"] for batch in self.batches for event in batch]


class Hanging(Remembering):
    """Takes nothing before it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.release = threading.Event()

    def send(self, events: bytes) -> Delivered:
        self.is_asked.set()
        self.release.wait()
        return super().send(events)
