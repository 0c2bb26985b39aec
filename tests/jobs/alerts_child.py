"""Looks at alerts once in a process that is killed: after so many statements in transactions, or after sending.

alerts_child.py STORE_URL FOLDER NOW STATEMENTS; 0 statements: when the receiver has taken the message
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.ingest.erasing_child import Doomed
from tests.jobs.alert_parts import Lookout
from visitor_tracker.outgoing.channels import Channel, Message
from visitor_tracker.outgoing.courier import Courier, Outcome
from visitor_tracker.store import open_store
from visitor_tracker.store.session import Session, T


class DoomedCourier(Courier):
    """Dies when a message was taken."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    def deliver(self, channel: Channel, message: Message) -> Outcome:
        self._courier.deliver(channel, message)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")


def main(url: str, folder: str, now: int, statements: int) -> None:
    store = open_store(url)
    lookout = Lookout(store, Path(folder))
    lookout.now = now
    if not statements:
        lookout.courier = DoomedCourier(lookout.courier)
        lookout.watching = lookout.another()
    else:
        write = store.database.write
        left = itertools.count(statements - 1, -1)

        def doomed_write(work: Callable[[Session], T]) -> T:
            return write(lambda session: work(Doomed(session, left)))

        store.database.write = doomed_write  # type: ignore[method-assign]
    lookout.look()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
