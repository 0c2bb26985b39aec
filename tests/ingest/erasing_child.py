"""Erases a visitor in a process that is killed after so many statements in transactions.

erasing_child.py URL VISITOR STATEMENTS
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.ingest.people import Rule
from visitor_tracker.store import open_store
from visitor_tracker.store.session import Rows, Session, T, Value

SITE = 1


class Doomed:
    """A session that kills its process when the last statement of several transactions was run."""

    def __init__(self, session: Session, left: Iterator[int]) -> None:
        self._session = session
        self._left = left
        self.dialect = session.dialect

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        self.ask(template, values, rows)

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        for row in rows:
            self.send(template, row)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        found = self._session.ask(template, values, rows)
        if next(self._left) <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        return self._session.run(sql, values)


def main(url: str, visitor: bytes, statements: int) -> None:
    store = open_store(url)
    write = store.database.write
    left = itertools.count(statements - 1, -1)

    def doomed_write(work: Callable[[Session], T]) -> T:
        return write(lambda session: work(Doomed(session, left)))

    store.database.write = doomed_write  # type: ignore[method-assign]
    eraser = Eraser(store, lambda: 1 << 42)
    eraser.finish(eraser.begin(SITE, Rule("Europe/Berlin", daily=False), [visitor], None))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3]))
