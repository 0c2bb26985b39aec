"""Bring a database to the schema of this version.

Each file of sql/ runs once, in order, one statement at a time; its row in schema_migrations comes after its last
statement. A migration that was killed half-way starts again from its first statement, so each must bear to find
its work done: tables are made "if not exists", and an index that is there already is passed over here, because
MySQL has no such words for it.
"""

import hashlib
import re
import time

from visitor_tracker import resources
from visitor_tracker.errors import StoreError
from visitor_tracker.store import takeover
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore

MADE_LEDGER = """/* migrate */
create table if not exists schema_migrations (
    name {name} not null,
    sha256 {name} not null,
    applied_at {integer} not null,
    primary key (name)
) {table}"""

APPLIED = """/* migrate */
select name, sha256
from schema_migrations
order by name"""

RECORD = """/* migrate */
insert into schema_migrations (name, sha256, applied_at)
values (?, ?, ?)"""

_INDEX = re.compile(r"create index (\w+) on (\w+)")


def migrate(store: SqlStore, drop_parameters: tuple[str, ...] = ()) -> list[str]:
    """Apply what is missing and return its names; a process that does the same at this time is waited for.

    `drop_parameters` is how page URLs of an older system are normalised. Raises StoreError when the database is
    newer than this program or when a file differs from the one that was applied.
    """
    with store.database.alone() as session:
        done: list[str] = []
        takeover.make_way(session)
        session.ask(MADE_LEDGER)
        for name in _missing(_applied(session)):
            sql = resources.sql(name)
            for statement in _statements(sql):
                _run(session, statement)
            _record(session, name, _digest(sql))
            done.append(name)
        if takeover.is_due(session, _applied(session)):
            takeover.take(session, drop_parameters, lambda: _record(session, takeover.NAME, ""))
            done.append(takeover.NAME)
        return done


def pending(store: SqlStore) -> list[str]:
    """Return the names that `migrate` would apply."""
    return store.database.read(_pending)


def _pending(session: Session) -> list[str]:
    applied = _applied(session)
    found = _missing(applied)
    return [*found, takeover.NAME] if takeover.is_due(session, applied) else found


def _applied(session: Session) -> dict[str, str]:
    """Return the digest of each migration that was applied."""
    if not session.ask("{columns_of}", ("schema_migrations",)):
        return {}
    return dict(session.ask(APPLIED))


def _missing(applied: dict[str, str]) -> list[str]:
    names = resources.migrations()
    if not names:
        raise StoreError(f"no migration was found in {resources.SQL}: install the package again")
    newer = sorted(applied.keys() - set(names) - {takeover.NAME})
    if newer:
        raise StoreError(f"the database belongs to a newer version, which applied {newer[-1]}: update this program")
    for name in applied.keys() & set(names):
        if applied[name] != _digest(resources.sql(name)):
            raise StoreError(f"{name} is not the file that was applied to this database: restore the original file")
    return [name for name in names if name not in applied]


def _statements(sql: str) -> list[str]:
    code = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in code.split(";") if statement.strip()]


def _run(session: Session, statement: str) -> None:
    index = _INDEX.match(statement)
    if index and session.ask("{index_of}", (index[2], index[1])):
        return
    session.ask(statement)


def _record(session: Session, name: str, digest: str) -> None:
    session.ask(RECORD, (name, digest, int(time.time() * 1000)))


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
