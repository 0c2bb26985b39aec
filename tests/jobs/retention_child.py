"""Deletes what is due in a process that is killed after so many statements in transactions.

retention_child.py URL NOW STATEMENTS
"""

import itertools
import sys
from collections.abc import Callable

from tests.ingest.erasing_child import Doomed
from visitor_tracker.config import Config, IdentityConfig, RetentionConfig
from visitor_tracker.jobs.retention import Retainer
from visitor_tracker.store import open_store
from visitor_tracker.store.session import Session, T


def main(url: str, now: int, statements: int) -> None:
    store = open_store(url)
    write = store.database.write
    left = itertools.count(statements - 1, -1)

    def doomed_write(work: Callable[[Session], T]) -> T:
        return write(lambda session: work(Doomed(session, left)))

    store.database.write = doomed_write  # type: ignore[method-assign]
    config = Config(identity=IdentityConfig(visitor="persistent"), retention=RetentionConfig(events_days=3))
    Retainer(store, config, lambda: now).run()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
