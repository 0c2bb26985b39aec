"""The second factors of users: the secret, the last code that was used, the recovery codes."""

from collections.abc import Sequence
from typing import NamedTuple

from visitor_tracker.store.session import Database, Session

READ = """/* SecondFactorTable.get */
select totp, totp_at, totp_step
from users
where id = ?"""

LOCK = """/* SecondFactorTable */
select totp, totp_at, totp_step
from users
where id = ?
{for_update}"""

SET = """/* SecondFactorTable.set */
update users
set totp = ?, totp_at = ?, totp_step = ?
where id = ?"""

USE = """/* SecondFactorTable.use */
update users
set totp_step = ?
where id = ?"""

ADD_CODE = """/* SecondFactorTable.confirm */
insert into recovery_codes (user_id, digest)
values (?, ?)"""

CODE = """/* SecondFactorTable.use_code */
select digest
from recovery_codes
where user_id = ? and digest = ?
{for_update}"""

COUNT = """/* SecondFactorTable.codes_left */
select count(*)
from recovery_codes
where user_id = ?"""

REMOVE_CODE = """/* SecondFactorTable.use_code */
delete from recovery_codes
where user_id = ? and digest = ?"""

REMOVE_CODES = """/* SecondFactorTable.remove */
delete from recovery_codes
where user_id = ?"""


class Factor(NamedTuple):
    """`secret` is encrypted; `at` epoch ms, 0: not confirmed yet; `step`: the last one whose code was used."""

    secret: bytes
    at: int
    step: int


class SecondFactorTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: bytes) -> Factor | None:
        """Return somebody's second factor, None where none was begun."""
        return self._database.read(lambda session: _factor(session, READ, user_id))

    def begin(self, user_id: bytes, secret: bytes) -> bool:
        """Store a secret that is not confirmed yet; False: there is one that is."""

        def work(session: Session) -> bool:
            found = _factor(session, LOCK, user_id)
            if found is not None and found.at:
                return False
            session.send(SET, (secret, 0, 0, user_id))
            return True

        return self._database.write(work)

    def confirm(self, user_id: bytes, secret: bytes, step: int, codes: Sequence[bytes], at: int) -> bool:
        """Turn that secret on; False: it is on already, or another one was begun meanwhile."""

        def work(session: Session) -> bool:
            found = _factor(session, LOCK, user_id)
            if found is None or found.at or found.secret != secret:
                return False
            session.send(SET, (secret, at, step, user_id))
            session.send(REMOVE_CODES, (user_id,))
            for digest in codes:
                session.send(ADD_CODE, (user_id, digest))
            return True

        return self._database.write(work)

    def use(self, user_id: bytes, step: int) -> bool:
        """Note that the code of a step was used; False: it, or a later one, was before."""

        def work(session: Session) -> bool:
            found = _factor(session, LOCK, user_id)
            if found is None or found.step >= step:
                return False
            session.send(USE, (step, user_id))
            return True

        return self._database.write(work)

    def use_code(self, user_id: bytes, digest: bytes) -> bool:
        """Use a recovery code up; False: there is no such."""

        def work(session: Session) -> bool:
            if not session.ask(CODE, (user_id, digest)):
                return False
            session.send(REMOVE_CODE, (user_id, digest))
            return True

        return self._database.write(work)

    def codes_left(self, user_id: bytes) -> int:
        return int(self._database.read(lambda session: session.ask(COUNT, (user_id,)))[0][0])

    def remove(self, user_id: bytes) -> bool:
        """Take a second factor off; False: there was none."""

        def work(session: Session) -> bool:
            found = _factor(session, LOCK, user_id)
            session.send(SET, (b"", 0, 0, user_id))
            session.send(REMOVE_CODES, (user_id,))
            return found is not None and found.at > 0

        return self._database.write(work)


def _factor(session: Session, statement: str, user_id: bytes) -> Factor | None:
    found = session.ask(statement, (user_id,))
    return Factor(bytes(found[0][0]), *found[0][1:]) if found and found[0][0] else None
