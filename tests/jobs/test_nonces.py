"""Signatures that were seen are forgotten when nobody could send them again."""

import threading
import time
from pathlib import Path

from visitor_tracker.access.signatures import WINDOW_SECONDS
from visitor_tracker.jobs.housekeeping import keep_house, purge_nonces
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.signing import NonceTable


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_old_nonces_go_and_others_stay(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'v.db'}")
    try:
        migrate(store)
        nonces = NonceTable(store.database)
        now = time.time_ns() // 1_000_000
        for number in range(1200):
            nonces.take(digest(number), now - 3 * WINDOW_SECONDS * 1000)
        for number in range(1200, 1203):  # a node whose clock is behind would still take them
            nonces.take(digest(number), now - WINDOW_SECONDS * 1000)
        stop = threading.Event()
        assert (purge_nonces(store, stop), purge_nonces(store, stop)) == (1200, 0)
        assert [nonces.take(digest(number), now) for number in (0, 1200, 1202)] == [True, False, False]
        nonces.take(digest(5000), 1)
        stop.set()
        keep_house(store, 7, stop)
        assert not nonces.take(digest(5000), 1), "who is to stop does nothing more"
    finally:
        store.close()
