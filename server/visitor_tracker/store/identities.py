"""Which account is whom at an OpenID Connect provider."""

from hashlib import blake2b

from visitor_tracker.store import audit
from visitor_tracker.store.audit import AuditRow
from visitor_tracker.store.session import Database, Session

FIND = """/* IdentityTable.find */
select user_id
from identities
where digest = ?"""

LOCK = """/* IdentityTable.link */
select digest
from identities
where digest = ?
{for_update}"""

FORGET = """/* IdentityTable.link */
delete from identities
where digest = ?"""

ADD = """/* IdentityTable.link */
insert into identities (digest, issuer, subject, user_id, created_at)
values (?, ?, ?, ?, ?)"""


class IdentityTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, issuer: str, subject: str) -> str | None:
        """Return the id of the account that a subject of an issuer is, whether or not that account is still there."""
        found = self._database.read(lambda session: session.ask(FIND, (identity(issuer, subject),)))
        return str(found[0][0]) if found else None

    def link(self, issuer: str, subject: str, user_id: str, at: int, note: AuditRow) -> None:
        """Let a subject be that account from now on; raises DuplicateKey if another does so at the same time."""
        key = identity(issuer, subject)

        def work(session: Session) -> None:
            if session.ask(LOCK, (key,)):
                session.send(FORGET, (key,))
            session.send(ADD, (key, issuer, subject, user_id, at))
            audit.add(session, note)

        self._database.write(work)


def identity(issuer: str, subject: str) -> bytes:
    """Return the digest of a subject; no two pairs have the same text."""
    return blake2b(f"{len(issuer)}:{issuer}{subject}".encode(), digest_size=32).digest()
