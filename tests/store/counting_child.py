"""Counts batches in a process of its own and says what became of each: for tests that disturb or kill it.

    counting_child.py URL DURABILITY BATCHES SECONDS

Prints "ack NUMBER" for a batch that was accepted, at once and in one write, and "refused" or "unknown".
"""

import os
import sys
import time

from tests.store.samples import HOME, NOW, new_batch, visits
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.store import open_store
from visitor_tracker.store.sql import SqlStore


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def settle(store: SqlStore, batch_id: bytes) -> int | None:
    for _ in range(20):
        try:
            return store.count(batch_id, visits(HOME), NOW, retry=True)[0].visit_count
        except OutcomeUnknown:
            say("unknown")
    return None


def count_one(store: SqlStore) -> int | None:
    batch_id = new_batch()
    try:
        return store.count(batch_id, visits(HOME), NOW)[0].visit_count
    except StoreUnavailable:
        say("refused")
        return None
    except OutcomeUnknown:
        say("unknown")
        return settle(store, batch_id)


def main(url: str, durability: str, batches: int, seconds: float) -> None:
    store = open_store(url, durability="relaxed" if durability == "relaxed" else "full")
    for _ in range(batches):
        number = count_one(store)
        if number is not None:
            say(f"ack {number}")
        time.sleep(seconds / batches)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
