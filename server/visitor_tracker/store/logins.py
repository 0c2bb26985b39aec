"""The tables of log-ins, of links with which somebody chooses a password, and of attempts to log in."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from visitor_tracker.store import accounts
from visitor_tracker.store.accounts import NewUser, Outcome, UserRow
from visitor_tracker.store.session import Database, Session, Value

LoginKind = Literal["browser", "tokens"]

NOBODY = bytes(16)  # the user of links with which the first account is made

ADD = """/* LoginTable.add */
insert into logins (id, user_id, kind, digest, agent, created_at, used_at)
values (?, ?, ?, ?, ?, ?, ?)"""

# With the user's roles, a row each: this is asked with every request of somebody who has logged in.
FIND = """/* LoginTable.find */
select l.kind, l.digest, l.agent, l.created_at, l.used_at, s.site_id, s.role,
    u.id, u.username, u.email, u.password_hash, u.is_admin, u.disabled, u.created_at, u.password_at, u.seen_at,
    u.totp_at
from logins l
join users u on u.id = l.user_id
left join site_users s on s.user_id = l.user_id
where l.id = ?"""

OF_USER = """/* LoginTable.of_user */
select id, kind, digest, agent, created_at, used_at
from logins
where user_id = ? and used_at >= ?
order by used_at desc, id"""

TOUCH = """/* LoginTable.touch */
update logins
set used_at = ?
where id = ? and used_at < ?"""

# Locked, so that a log-in with the old password is there before a new one ends all, or comes too late.
PASSWORD = """/* LoginTable.add */
select password_hash, disabled
from users
where id = ?
{for_update}"""

DIGEST = """/* LoginTable.rotate */
select digest
from logins
where id = ?
{for_update}"""

ROTATE = """/* LoginTable.rotate */
update logins
set digest = ?, used_at = ?
where id = ?"""

END = """/* LoginTable.end */
delete from logins
where id = ?"""

OWNER = """/* LoginTable.end */
select user_id
from logins
where id = ?
{for_update}"""

OLD = """/* LoginTable.purge */
select id
from logins
where used_at < ?
order by used_at
limit ?"""

PURGE = """/* LoginTable.purge */
delete from logins
where id = ? and used_at < ?"""

INVITE = """/* InvitationTable.add */
insert into invitations (digest, user_id, created_at, expires_at)
values (?, ?, ?, ?)"""

INVITED = """/* InvitationTable.find */
select user_id, expires_at
from invitations
where digest = ?"""

INVITATIONS_OF = """/* InvitationTable.add */
select digest
from invitations
where user_id = ?
order by created_at desc, digest"""

UNINVITE = """/* InvitationTable.take */
delete from invitations
where digest = ?"""

OLD_INVITATIONS = """/* InvitationTable.purge */
delete from invitations
where expires_at < ?"""

FULL_AT = """/* ThrottleTable.take */
select full_at
from login_throttle
where id = ?
{for_update}"""

LOOK = """/* ThrottleTable.look */
select full_at
from login_throttle
where id = ?"""

PUT_FULL_AT = """/* ThrottleTable.take */
insert into login_throttle (id, full_at)
values (?, ?)
{replace_full_at}"""

RESET = """/* ThrottleTable.reset */
delete from login_throttle
where id = ?"""

GIVE_BACK = """/* ThrottleTable.give_back */
update login_throttle
set full_at = full_at - ?
where id = ?"""

FULL = """/* ThrottleTable.purge */
delete from login_throttle
where full_at < ?"""


class LoginRow(NamedTuple):
    """A log-in as stored; times are epoch ms."""

    id: bytes
    kind: LoginKind
    digest: bytes
    agent: str
    created_at: int
    used_at: int


class LoginTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: LoginRow, user_id: bytes, *, password_hash: str | None = None) -> bool:
        """Add a log-in; False: the user is gone or disabled, or has another password than the one that was proved."""

        def work(session: Session) -> bool:
            found = session.ask(PASSWORD, (user_id,))
            if not found or found[0][1] or (password_hash is not None and found[0][0] != password_hash):
                return False
            session.send(ADD, (row.id, user_id, row.kind, row.digest, row.agent, row.created_at, row.used_at))
            session.send(accounts.SEEN, (row.created_at, user_id))
            return True

        return self._database.write(work)

    def find(self, login_id: bytes) -> tuple[LoginRow, UserRow] | None:
        """Return a log-in and whose it is."""
        found = self._database.read(lambda session: session.ask(FIND, (login_id,)))
        if not found:
            return None
        kind, digest, agent, created_at, used_at = found[0][:5]
        roles = {row[5]: role for row in found if row[5] is not None and (role := accounts.role_of(row[6]))}
        login = LoginRow(login_id, kind, bytes(digest), agent, created_at, used_at)
        return login, accounts.user_row(found[0][7:], roles)

    def of_user(self, user_id: bytes, used_since: int) -> list[LoginRow]:
        """Return somebody's log-ins that were used since then, the latest used first."""
        found = self._database.read(lambda session: session.ask(OF_USER, (user_id, used_since)))
        return [LoginRow(bytes(row[0]), row[1], bytes(row[2]), *row[3:]) for row in found]

    def touch(self, login_id: bytes, at: int) -> None:
        """Note that a log-in was used."""
        self._database.write(lambda session: session.send(TOUCH, (at, login_id, at)))

    def rotate(self, login_id: bytes, old: bytes, new: bytes, at: int) -> bool:
        """Replace a refresh token's digest; False: `old` is not the present one, and the log-in has ended for that."""

        def work(session: Session) -> bool:
            found = session.ask(DIGEST, (login_id,))
            if not found:
                return False
            if bytes(found[0][0]) != old:
                session.send(END, (login_id,))
                return False
            session.send(ROTATE, (new, at, login_id))
            return True

        return self._database.write(work)

    def end(self, login_id: bytes, user_id: bytes) -> bool:
        """End a log-in; False: that user has no such."""

        def work(session: Session) -> bool:
            found = session.ask(OWNER, (login_id,))
            if not found or bytes(found[0][0]) != user_id:
                return False
            session.send(END, (login_id,))
            return True

        return self._database.write(work)

    def end_all(self, user_id: bytes) -> None:
        """End every log-in of a user."""
        self._database.write(lambda session: session.send(accounts.END_LOGINS, (user_id,)))

    def purge(self, before: int, most: int) -> int:
        """Delete log-ins that were not used since then; return how many."""

        def work(session: Session) -> int:
            found = session.ask(OLD, (before, most))
            for (login_id,) in found:
                session.send(PURGE, (bytes(login_id), before))
            return len(found)

        return self._database.write(work)


class InvitationTable:
    """Links that work once. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: bytes, user_id: bytes, at: int, expires_at: int, *, most: int) -> None:
        """Add a link; of the older ones of that user `most` - 1 stay."""

        def work(session: Session) -> None:
            for (old,) in session.ask(INVITATIONS_OF, (user_id,))[most - 1 :]:
                session.send(UNINVITE, (bytes(old),))
            session.send(INVITE, (digest, user_id, at, expires_at))

        self._database.write(work)

    def find(self, digest: bytes, at: int) -> bytes | None:
        """Return the user that a link is for, None where it does not work."""
        return self._database.read(lambda session: _invited(session, digest, at))

    def take(self, digest: bytes, password_hash: str, at: int) -> bytes | None:
        """Give the user of a link that password; all of their log-ins and links end. None: it does not work."""

        def work(session: Session) -> bytes | None:
            user_id = _invited(session, digest, at)
            if user_id is None or user_id == NOBODY:
                return None
            found = session.ask(PASSWORD, (user_id,))
            # Once more, with the user locked: somebody else may just have used it.
            if not found or found[0][1] or _invited(session, digest, at) is None:
                return None
            accounts.set_password(session, user_id, password_hash, at)
            return user_id

        return self._database.write(work)

    def set_up(self, digest: bytes, user: NewUser, at: int) -> Outcome:
        """Make the first account, with a link; all links to do so are gone then.

        "unknown": the link does not work; "not_first": there is an account.
        """

        def work(session: Session) -> Outcome:
            session.send(accounts.TAKE_TURN)
            if session.ask(accounts.ANY):
                return "not_first"
            if _invited(session, digest, at) != NOBODY:
                return "unknown"
            accounts.add(session, user, at)
            session.send(accounts.END_INVITATIONS, (NOBODY,))
            return "done"

        return self._database.write(work)

    def purge(self, before: int) -> None:
        """Delete the links that did not work any more then."""
        self._database.write(lambda session: session.send(OLD_INVITATIONS, (before,)))


class Bucket(NamedTuple):
    """What an attempt takes from: an interval (ms) each, and no more than that far ahead of now."""

    id: bytes
    interval: int
    tolerance: int


class ThrottleTable:
    """Token buckets as in `access.limits`, each one moment (epoch ms). Raises and threads as above."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, buckets: list[Bucket], now: int) -> int:
        """Take from every bucket, or from none; return 0, else how many ms later that may work."""
        wait = self._database.read(lambda session: _wait(session, LOOK, buckets, now))
        return wait or self._database.write(lambda session: self._take(session, buckets, now))

    def _take(self, session: Session, buckets: list[Bucket], now: int) -> int:
        wait = _wait(session, FULL_AT, buckets, now)
        if not wait:
            for bucket in buckets:
                full_at = max(now, _full_at(session, LOOK, bucket.id))
                values: list[Value] = [bucket.id, full_at + bucket.interval]
                session.send(PUT_FULL_AT, values)
        return wait

    def reset(self, full: bytes, other: bytes, interval: int) -> None:
        """Make a bucket full, and give another one back what one attempt took."""

        def work(session: Session) -> None:
            steps: list[tuple[bytes, str, list[Value]]] = [
                (full, RESET, [full]),
                (other, GIVE_BACK, [interval, other]),
            ]
            for _, statement, values in sorted(steps):  # in the order in which `take` locks them
                session.send(statement, values)

        self._database.write(work)

    def give_back(self, intervals: Mapping[bytes, int]) -> None:
        """Give buckets back what one attempt took, an interval (ms) each by id."""

        def work(session: Session) -> None:
            for bucket_id, interval in sorted(intervals.items()):
                session.send(GIVE_BACK, (interval, bucket_id))

        self._database.write(work)

    def purge(self, now: int) -> None:
        """Delete the buckets that are full."""
        self._database.write(lambda session: session.send(FULL, (now,)))


def _invited(session: Session, digest: bytes, at: int) -> bytes | None:
    found = session.ask(INVITED, (digest,))
    return bytes(found[0][0]) if found and found[0][1] > at else None


def _wait(session: Session, statement: str, buckets: list[Bucket], now: int) -> int:
    """Return how many ms it takes until all buckets have something; `statement` may lock them."""
    return max(0, max(_full_at(session, statement, each.id) - now - each.tolerance for each in buckets))


def _full_at(session: Session, statement: str, bucket_id: bytes) -> int:
    found = session.ask(statement, (bucket_id,))
    return int(found[0][0]) if found else 0
