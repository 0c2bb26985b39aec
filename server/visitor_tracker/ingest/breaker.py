"""What is known of a store that is away: nobody asks it but one thread."""

import logging
import math
import threading
import time

from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.store.base import Store

log = logging.getLogger(__name__)

_PROBE_SECONDS = (0.1, 2.0)  # first and longest pause between two probes
_STEADY_SECONDS = 10.0  # a store that was away less long ago is probed with the pauses it had come to


class Breaker:
    """Open while the store is away; then one thread asks it until it takes a transaction."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._lock = threading.Lock()
        self._closed = threading.Event()  # the program ends
        self._pause = _PROBE_SECONDS[0]
        self._back_at = -math.inf
        self.is_open = False

    def open(self, reason: Exception) -> None:
        """Refuse from here on and start the prober, unless that has happened already."""
        with self._lock:
            if self.is_open or self._closed.is_set():
                return
            self.is_open = True
            if time.monotonic() - self._back_at > _STEADY_SECONDS:
                self._pause = _PROBE_SECONDS[0]
        self._counters.set(Cell.BREAKER_OPEN, 1)
        log.warning("the store is away, visits are journaled until it is back: %s", reason)
        try:
            threading.Thread(target=self._probe, name="prober", daemon=True).start()
        except RuntimeError as error:  # no thread to be had: visits find out by themselves then
            log.warning("the store cannot be probed: %s", error)
            self._shut()

    def close(self) -> None:
        """End the prober."""
        self._closed.set()

    def _probe(self) -> None:
        since = time.monotonic()
        while not self._closed.wait(self._pause):
            # Also where it answers: a store whose disk is full takes an empty transaction and brings us here again.
            self._pause = min(2 * self._pause, _PROBE_SECONDS[1])
            try:
                self._store.probe()
            except Exception as error:  # noqa: BLE001  # without a prober the breaker would stay open for ever
                log.debug("the store is still away: %s", error)
                continue
            self._back_at = time.monotonic()
            log.info("the store is back after %.1f s", self._back_at - since)
            self._shut()
            return

    def _shut(self) -> None:
        self._counters.set(Cell.BREAKER_OPEN, 0)
        self.is_open = False
