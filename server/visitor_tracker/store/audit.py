"""The table of what people and programs changed."""

from collections.abc import Sequence
from typing import NamedTuple

from visitor_tracker.store.session import Database, Session, Value

ADD = """/* AuditTable.add */
insert into audit (id, at, who, name, action, site_id, target, detail)
values (?, ?, ?, ?, ?, ?, ?, ?)"""

# A filter that is "" lets everything pass. substr, because "like" would need its own signs taken away.
_LATEST = """/* AuditTable.latest */
select id, at, who, name, action, site_id, target, detail
from audit
where {of_site}id < ? and id >= ? and (? = '' or name = ?) and substr(action, 1, ?) = ?
order by id desc
limit ?"""
LATEST = _LATEST.replace("{of_site}", "")
LATEST_OF_SITE = _LATEST.replace("{of_site}", "site_id = ? and ")

OLD = """/* AuditTable.purge */
select id
from audit
where id < ?
order by id
limit ?"""

PURGE = """/* AuditTable.purge */
delete from audit
where id in ([?])"""

COUNT = """/* AuditTable.count */
select count(*)
from audit
where id < ?"""

_ROWS_AT_ONCE = 64
_ALL = b"\xff" * 16
_END = (1 << 48) - 1  # the last moment that an id can tell


class AuditRow(NamedTuple):
    """One change. `at` is epoch ms; `who` is "kind:id"; `site_id` 0: of no site; `detail` is JSON."""

    id: bytes
    at: int
    who: str
    name: str
    action: str
    site_id: int
    target: str
    detail: str


class Chosen(NamedTuple):
    """Which rows: older than `before` (an id), from `since` to before `until` (epoch ms).

    `name` is of who made the change, `action` how it begins; "" is any.
    """

    before: bytes = _ALL
    since: int = 0
    until: int = _END
    name: str = ""
    action: str = ""


EVERYTHING = Chosen()


class AuditTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: AuditRow) -> None:
        self._database.write(lambda session: add(session, row))

    def latest(
        self, limit: int, chosen: Chosen = EVERYTHING, *, site_ids: Sequence[int] | None = None
    ) -> list[AuditRow]:
        """Return the rows that are chosen, the newest first; `site_ids` of None: those of every site and of none."""
        before, since = min(chosen.before, _first(chosen.until)), _first(chosen.since)
        wanted: tuple[Value, ...] = (before, since, chosen.name, chosen.name, len(chosen.action), chosen.action, limit)

        def work(session: Session) -> list[AuditRow]:
            if site_ids is None:
                found = session.ask(LATEST, wanted)
            else:
                found = [row for site_id in site_ids for row in session.ask(LATEST_OF_SITE, (site_id, *wanted))]
            rows = sorted((AuditRow(bytes(row[0]), *row[1:]) for row in found), key=lambda row: row.id, reverse=True)
            return rows[:limit]

        return self._database.read(work)

    def purge(self, before_ms: int) -> int:
        """Delete some of what is older than that moment; return how many, 0: nothing is left."""

        def work(session: Session) -> int:
            ids = [row[0] for row in session.ask(OLD, (_first(before_ms), _ROWS_AT_ONCE))]
            if ids:
                session.send(PURGE, ids, len(ids))
            return len(ids)

        return self._database.write(work)

    def count(self, before_ms: int) -> int:
        """Return how many rows are older than that moment."""
        return int(self._database.read(lambda session: session.ask(COUNT, (_first(before_ms),)))[0][0])


def _first(at: int) -> bytes:
    """Return the first id that a row of that moment can have."""
    return min(max(at, 0), _END).to_bytes(6, "big") + bytes(10)


def add(session: Session, row: AuditRow) -> None:
    """Add a row in the transaction of the change that it tells."""
    values: list[Value] = list(row)
    session.send(ADD, values)
