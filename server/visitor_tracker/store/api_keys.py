"""The table of API keys, by digest."""

from typing import NamedTuple

from visitor_tracker.store import audit
from visitor_tracker.store.audit import AuditRow
from visitor_tracker.store.session import Database, Session, Value

KEYS = """/* ApiKeyTable.all */
select digest, id, name, site_id, scopes, user_id, created_at, expires_at, last_used_at
from api_keys
order by created_at, name, id"""

FIND = """/* ApiKeyTable.find */
select digest, id, name, site_id, scopes, user_id, created_at, expires_at, last_used_at
from api_keys
where digest = ?"""

FIND_BY_ID = """/* ApiKeyTable.by_id */
select digest, id, name, site_id, scopes, user_id, created_at, expires_at, last_used_at
from api_keys
where id = ?
order by digest"""

ADD = """/* ApiKeyTable.add */
insert into api_keys (digest, id, name, site_id, scopes, user_id, created_at, expires_at, last_used_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

LOCK = """/* ApiKeyTable.revoke */
select digest
from api_keys
where id = ?
{for_update}"""

REVOKE = """/* ApiKeyTable.revoke */
delete from api_keys
where digest = ?"""

USED = """/* ApiKeyTable.used */
update api_keys
set last_used_at = ?
where digest = ? and last_used_at < ?"""


class ApiKey(NamedTuple):
    """A key as it is stored. Times are epoch ms, 0: never; `site_id` 0: every site; `scopes` are separated by spaces.

    `user_id` is the account that made it, "" for the server's own machine.
    """

    digest: bytes
    id: str
    name: str
    site_id: int = 0
    scopes: str = "ingest"
    user_id: str = ""
    created_at: int = 0
    expires_at: int = 0
    last_used_at: int = 0

    def is_over(self, now_ms: int) -> bool:
        return 0 < self.expires_at <= now_ms


class ApiKeyTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ApiKey]:
        """Return every key, the oldest first."""
        return [_key(row) for row in self._database.read(lambda session: session.ask(KEYS))]

    def find(self, digest: bytes) -> ApiKey | None:
        """Return the key with that digest."""
        found = self._database.read(lambda session: session.ask(FIND, (digest,)))
        return _key(found[0]) if found else None

    def by_id(self, key_id: str) -> ApiKey | None:
        """Return the key with that id."""
        found = self._database.read(lambda session: session.ask(FIND_BY_ID, (key_id,)))
        return _key(found[0]) if found else None

    def add(self, key: ApiKey, note: AuditRow) -> None:
        """Store a key and the line that tells it; raises DuplicateKey if it is there."""
        values: list[Value] = list(key)

        def work(session: Session) -> None:
            session.send(ADD, values)
            audit.add(session, note)

        self._database.write(work)

    def revoke(self, key_id: str, note: AuditRow) -> bool:
        """Delete a key and tell it; False: there is none with that id."""

        def work(session: Session) -> bool:
            found = session.ask(LOCK, (key_id,))
            for (digest,) in found:
                session.send(REVOKE, (bytes(digest),))
            if found:
                audit.add(session, note)
            return bool(found)

        return self._database.write(work)

    def used(self, digest: bytes, at: int, unless_after: int) -> None:
        """Note when a key was used last, unless it was so after that moment."""
        self._database.write(lambda session: session.send(USED, (at, digest, unless_after)))


def _key(row: tuple[bytes, str, str, int, str, str, int, int, int]) -> ApiKey:
    return ApiKey(bytes(row[0]), *row[1:])
