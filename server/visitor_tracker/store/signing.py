"""Public keys with which programs sign what they ask, and the nonces of signatures that were seen."""

from typing import NamedTuple

from visitor_tracker.store import audit
from visitor_tracker.store.audit import AuditRow
from visitor_tracker.store.session import Database, DuplicateKey, Session, Value, send_rows

_MOST_AT_ONCE = 500  # nonces that one transaction deletes

KEYS_OF_SITE = """/* SigningKeyTable.of_site */
select id, site_id, public_key, name, scope, user_id, created_at, last_used_at
from signing_keys
where site_id = ?
order by created_at, id"""

KEYS = """/* SigningKeyTable.all */
select id, site_id, public_key, name, scope, user_id, created_at, last_used_at
from signing_keys
order by created_at, id"""

FIND = """/* SigningKeyTable.find */
select id, site_id, public_key, name, scope, user_id, created_at, last_used_at
from signing_keys
where id = ?"""

LOCK_SITE = """/* SigningKeyTable.add */
select id
from signing_keys
where site_id = ?
{for_update}"""

ADD = """/* SigningKeyTable.add */
insert into signing_keys (id, site_id, public_key, name, scope, user_id, created_at, last_used_at)
values (?, ?, ?, ?, ?, ?, ?, ?)"""

REVOKE = """/* SigningKeyTable.revoke */
delete from signing_keys
where id = ?"""

LOCK = """/* SigningKeyTable.revoke */
select id
from signing_keys
where id = ? and site_id = ?
{for_update}"""

USED = """/* SigningKeyTable.used */
update signing_keys
set last_used_at = ?
where id = ? and last_used_at < ?"""

ADD_NONCE = """/* NonceTable.take */
insert into signature_nonces (digest, expires_at)
values (?, ?)"""

OLD_NONCES = """/* NonceTable.purge */
select digest
from signature_nonces
where expires_at < ?
order by expires_at
limit ?"""

FORGET_NONCES = """/* NonceTable.purge */
delete from signature_nonces
where digest in ([?])"""


class SigningKey(NamedTuple):
    """A public key of Ed25519, 32 bytes; `scope` is read or admin. Times are epoch ms, `last_used_at` 0: never."""

    id: str
    site_id: int
    public_key: bytes
    name: str
    scope: str = "read"
    user_id: str = ""
    created_at: int = 0
    last_used_at: int = 0


class SigningKeyTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SigningKey]:
        """Return every key, the oldest first."""
        return [_key(row) for row in self._database.read(lambda session: session.ask(KEYS))]

    def of_site(self, site_id: int) -> list[SigningKey]:
        """Return a site's keys, the oldest first."""
        return [_key(row) for row in self._database.read(lambda session: session.ask(KEYS_OF_SITE, (site_id,)))]

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key with that id."""
        found = self._database.read(lambda session: session.ask(FIND, (key_id,)))
        return _key(found[0]) if found else None

    def add(self, key: SigningKey, note: AuditRow, *, most: int) -> bool:
        """Store a key; False: its site has `most` already, and nothing was done. Raises DuplicateKey."""
        return self._add(key, note, most, replace=False)

    def replace(self, key: SigningKey, note: AuditRow) -> None:
        """Store a key as the only one of its site. Raises DuplicateKey."""
        self._add(key, note, 1, replace=True)

    def _add(self, key: SigningKey, note: AuditRow, most: int, *, replace: bool) -> bool:
        values: list[Value] = list(key)

        def work(session: Session) -> bool:
            found = session.ask(LOCK_SITE, (key.site_id,))
            if not replace and len(found) >= most:
                return False
            for (key_id,) in found if replace else ():
                session.send(REVOKE, (key_id,))
            session.send(ADD, values)
            audit.add(session, note)
            return True

        return self._database.write(work)

    def revoke(self, key_id: str, site_id: int, note: AuditRow) -> bool:
        """Delete a site's key; False: it has none with that id."""

        def work(session: Session) -> bool:
            found = session.ask(LOCK, (key_id, site_id))
            if found:
                session.send(REVOKE, (key_id,))
                audit.add(session, note)
            return bool(found)

        return self._database.write(work)

    def used(self, key_id: str, at: int, unless_after: int) -> None:
        """Note when a key was used last, unless it was so after that moment."""
        self._database.write(lambda session: session.send(USED, (at, key_id, unless_after)))


class NonceTable:
    """Signatures that were seen. Raises and threads as with SigningKeyTable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, digest: bytes, expires_at: int) -> bool:
        """Remember a signature until then; False: it was seen before, here or on another node."""
        try:
            self._database.write(lambda session: session.send(ADD_NONCE, (digest, expires_at)))
        except DuplicateKey:
            return False
        return True

    def purge(self, before: int) -> int:
        """Delete some of those whose time was over at that moment; return how many."""

        def work(session: Session) -> int:
            found = [bytes(row[0]) for row in session.ask(OLD_NONCES, (before, _MOST_AT_ONCE))]
            if found:
                send_rows(session, FORGET_NONCES, 1, sorted(found))
            return len(found)

        return self._database.write(work)


def _key(row: tuple[str, int, bytes, str, str, str, int, int]) -> SigningKey:
    return SigningKey(row[0], row[1], bytes(row[2]), *row[3:])
