"""Drains each of several segments in a process of its own that is killed after its first, second, … statement.

draining_child.py URL SEGMENTS      prints one line per segment: "killed" or "done"
"""

import os
import sys
from collections.abc import Callable

from tests.store.migrating_child import Doomed
from tests.store.samples import drain_whole
from visitor_tracker.store import open_store
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.session import Session, T


def drain_doomed(url: str, segment: int) -> None:
    store = open_store(url)
    write = store.database.write

    def doomed_write(work: Callable[[Session], T]) -> T:
        return write(lambda session: work(Doomed(session, segment)))

    store.database.write = doomed_write  # type: ignore[method-assign]
    assert drain_whole(Inbox(store.database), segment)
    store.close()


def main(url: str, segments: int) -> None:
    for segment in range(1, segments + 1):
        child = os.fork()
        if child == 0:
            drain_doomed(url, segment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else f"failed {status}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
