"""Migrates a database in processes that are killed: after each statement of each migration, one after the other.

migrating_child.py URL      prints a line for each process: "killed" or "done", and what was applied by then
"""

import itertools
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.session import Rows, Session, Value


class Doomed:
    """A session that kills its process after so many statements."""

    def __init__(self, session: Session, statements: int) -> None:
        self._session = session
        self._count = itertools.count(1)
        self._statements = statements
        self.dialect = session.dialect

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        self.ask(template, values, rows)

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        for row in rows:
            self.send(template, row)

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        found = self._session.ask(template, values, rows)
        if next(self._count) == self._statements:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        return self._session.run(sql, values)


def migrate_doomed(url: str, statements: int) -> None:
    store = open_store(url)
    alone = store.database.alone

    @contextmanager
    def doomed_alone() -> Iterator[Session]:
        with alone() as session:
            yield Doomed(session, statements)

    store.database.alone = doomed_alone  # type: ignore[method-assign]
    migrate(store)
    store.close()


def applied(url: str) -> int:
    store = open_store(url)
    there = store.database.read(lambda session: session.ask("{columns_of}", ("schema_migrations",)))
    found = store.execute("select count(*) from schema_migrations")[0][0] if there else 0
    store.close()
    return int(found)


def main(url: str) -> None:
    """Kill a little later each time; when a migration is done, the next is killed from its first statement on."""
    statements, before = 1, applied(url)
    while True:
        child = os.fork()
        if child == 0:
            migrate_doomed(url, statements)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        now = applied(url)
        print("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else f"failed {status}", now, flush=True)
        if not os.WIFSIGNALED(status):
            return
        statements = statements + 1 if now == before else 1
        before = now


if __name__ == "__main__":
    main(sys.argv[1])
