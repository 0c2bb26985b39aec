"""The tables of people: who they are, what they are called, what they may see.

Changes write the one row of `user_turns` first, so that no two run at once, on whatever node: of two that make the
first account one comes too late, and of two that take the last two admins away as well.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from visitor_tracker.store.session import Database, Rows, Session, Value

Role = Literal["viewer", "owner"]
NameKind = Literal["username", "email"]
Outcome = Literal["done", "unknown", "taken", "last_admin", "not_first", "first_admin", "last_owner"]

ANY = """/* AccountTable.any */
select 1
from users
limit 1"""

USERS = """/* AccountTable.all */
select id, username, email, password_hash, is_admin, disabled, created_at, password_at, seen_at, totp_at
from users
order by username, id"""

USER = """/* AccountTable.get */
select id, username, email, password_hash, is_admin, disabled, created_at, password_at, seen_at, totp_at
from users
where id = ?"""

ROLES = """/* AccountTable.all */
select user_id, site_id, role
from site_users
order by user_id, site_id"""

ROLES_OF = """/* AccountTable.get */
select user_id, site_id, role
from site_users
where user_id = ?
order by site_id"""

NAMED = """/* AccountTable.by_name */
select user_id
from user_names
where digest = ?"""

NAMES_OF = """/* AccountTable.change */
select digest, kind
from user_names
where user_id = ?"""

ADD_NAME = """/* AccountTable.add */
insert into user_names (digest, user_id, kind)
values (?, ?, ?)"""

REMOVE_NAME = """/* AccountTable.change */
delete from user_names
where digest = ?"""

TAKE_TURN = """/* AccountTable */
insert into user_turns (id, turn)
values (1, 1)
{count_turn}"""

ADD = """/* AccountTable.add */
insert into users
    (id, username, email, password_hash, is_admin, disabled, created_at, password_at, seen_at, totp, totp_at, totp_step)
values (?, ?, ?, ?, ?, 0, ?, ?, 0, ?, 0, 0)"""

CHANGE = """/* AccountTable.change */
update users
set username = ?, email = ?, is_admin = ?, disabled = ?
where id = ?"""

ADMINS = """/* AccountTable.change */
select id, password_hash, seen_at
from users
where is_admin = 1 and disabled = 0"""

REMOVE = (
    """/* AccountTable.remove */
delete from users
where id = ?""",
    """/* AccountTable.remove */
delete from user_names
where user_id = ?""",
    """/* AccountTable.remove */
delete from site_users
where user_id = ?""",
    """/* AccountTable.remove */
delete from logins
where user_id = ?""",
    """/* AccountTable.remove */
delete from recovery_codes
where user_id = ?""",
    """/* AccountTable.remove */
delete from invitations
where user_id = ?""",
)

END_LOGINS = """/* AccountTable.change */
delete from logins
where user_id = ?"""

END_OTHER_LOGINS = """/* AccountTable.set_password */
delete from logins
where user_id = ? and id <> ?"""

END_TOKENS = """/* AccountTable.set_password */
delete from logins
where user_id = ? and kind = 'tokens'"""

END_INVITATIONS = """/* AccountTable.set_password */
delete from invitations
where user_id = ?"""

SET_PASSWORD = """/* AccountTable.set_password */
update users
set password_hash = ?, password_at = ?
where id = ?"""

REHASH = """/* AccountTable.rehash */
update users
set password_hash = ?
where id = ? and password_hash = ?"""

SEEN = """/* AccountTable.seen */
update users
set seen_at = ?
where id = ?"""

MEMBERS = """/* AccountTable.members */
select user_id, role
from site_users
where site_id = ?
order by user_id"""

PUT_ROLE = """/* AccountTable.set_role */
insert into site_users (site_id, user_id, role)
values (?, ?, ?)
{replace_role}"""

REMOVE_ROLE = """/* AccountTable.set_role */
delete from site_users
where site_id = ? and user_id = ?"""


class UserRow(NamedTuple):
    """A user as stored; times are epoch ms, 0: never."""

    id: bytes
    username: str
    email: str
    password_hash: str
    is_admin: bool
    disabled: bool
    created_at: int
    password_at: int
    seen_at: int
    totp_at: int
    roles: Mapping[int, Role]


class NewUser(NamedTuple):
    """What `add` stores; `names` are digests of username and e-mail address."""

    id: bytes
    username: str
    email: str
    password_hash: str
    is_admin: bool
    names: Mapping[NameKind, bytes]


class Changed(NamedTuple):
    """What `change` stores; `names` are digests of username and e-mail address."""

    username: str
    email: str
    is_admin: bool
    disabled: bool
    names: Mapping[NameKind, bytes]


class AccountTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any(self) -> bool:
        """Say whether there is any account."""
        return bool(self._database.read(lambda session: session.ask(ANY)))

    def all(self) -> list[UserRow]:
        """Return every user, by username."""

        def work(session: Session) -> list[UserRow]:
            return _with_roles(session.ask(USERS), session.ask(ROLES))

        return self._database.read(work)

    def get(self, user_id: bytes) -> UserRow | None:
        return self._database.read(lambda session: _get(session, user_id))

    def by_name(self, digest: bytes) -> UserRow | None:
        """Return who has that name or e-mail address, by its digest."""

        def work(session: Session) -> UserRow | None:
            found = session.ask(NAMED, (digest,))
            return _get(session, bytes(found[0][0])) if found else None

        return self._database.read(work)

    def add(self, user: NewUser, at: int, *, only_first: bool = False) -> Outcome:
        """Add a user; `only_first`: "not_first" where there is one already. The first must be an admin."""

        def work(session: Session) -> Outcome:
            session.send(TAKE_TURN)
            has_any = bool(session.ask(ANY))
            if has_any and only_first:
                return "not_first"
            if not has_any and not user.is_admin:
                return "first_admin"
            if any(session.ask(NAMED, (digest,)) for digest in user.names.values()):
                return "taken"
            add(session, user, at)
            return "done"

        return self._database.write(work)

    def change(self, user_id: bytes, make: Callable[[UserRow], Changed]) -> Outcome:
        """Change who somebody is, into what `make` makes of it; the log-ins of a disabled user end."""

        def work(session: Session) -> Outcome:
            session.send(TAKE_TURN)
            before = _get(session, user_id)
            if before is None:
                return "unknown"
            changed = make(before)
            if not (changed.is_admin and not changed.disabled) and not _may_go(session, before):
                return "last_admin"
            if not _rename(session, user_id, changed.names):
                return "taken"
            session.send(
                CHANGE, (changed.username, changed.email, int(changed.is_admin), int(changed.disabled), user_id)
            )
            if changed.disabled:
                session.send(END_LOGINS, (user_id,))
                session.send(END_INVITATIONS, (user_id,))
            return "done"

        return self._database.write(work)

    def remove(self, user_id: bytes) -> Outcome:
        """Delete a user with all that is theirs."""

        def work(session: Session) -> Outcome:
            session.send(TAKE_TURN)
            before = _get(session, user_id)
            if before is None:
                return "unknown"
            if not _may_go(session, before):
                return "last_admin"
            for statement in REMOVE:
                session.send(statement, (user_id,))
            return "done"

        return self._database.write(work)

    def set_password(self, user_id: bytes, password_hash: str, at: int, *, keep_login: bytes = b"") -> None:
        """Replace the password; all log-ins end but a browser's that is to be kept, and links to choose one."""
        self._database.write(lambda session: set_password(session, user_id, password_hash, at, keep_login))

    def rehash(self, user_id: bytes, old: str, new: str) -> None:
        """Store another hash of the same password, unless it was changed meanwhile."""
        self._database.write(lambda session: session.send(REHASH, (new, user_id, old)))

    def seen(self, user_id: bytes, at: int) -> None:
        """Note when somebody logged in."""
        self._database.write(lambda session: session.send(SEEN, (at, user_id)))

    def members(self, site_id: int) -> dict[bytes, Role]:
        """Return the roles on a site by user id."""
        return self._database.read(lambda session: _members(session, site_id))

    def set_role(self, user_id: bytes, site_id: int, role: Role | None, *, keep_owner: bool) -> Outcome:
        """Give, change or (None) take a role; `keep_owner`: "last_owner" where the site would have none left.

        "unknown": there is no such user, or none with a role that could be taken.
        """

        def work(session: Session) -> Outcome:
            session.send(TAKE_TURN)
            members = _members(session, site_id)
            if not session.ask(USER, (user_id,)) or (role is None and user_id not in members):
                return "unknown"
            owners = {each for each, its in members.items() if its == "owner"}
            if keep_owner and role != "owner" and owners == {user_id}:
                return "last_owner"
            if role is None:
                session.send(REMOVE_ROLE, (site_id, user_id))
            else:
                session.send(PUT_ROLE, (site_id, user_id, role))
            return "done"

        return self._database.write(work)


def add(session: Session, user: NewUser, at: int) -> None:
    """Add a user in the caller's transaction; DuplicateKey for a name that is taken."""
    for kind, digest in sorted(user.names.items()):
        session.send(ADD_NAME, (digest, user.id, kind))
    password_at = at if user.password_hash else 0
    values: list[Value] = [user.id, user.username, user.email, user.password_hash, int(user.is_admin)]
    session.send(ADD, [*values, at, password_at, b""])


def set_password(session: Session, user_id: bytes, password_hash: str, at: int, keep_login: bytes = b"") -> None:
    """Replace a password in the caller's transaction, with what that ends."""
    session.send(SET_PASSWORD, (password_hash, at, user_id))
    session.send(END_OTHER_LOGINS, (user_id, keep_login))
    session.send(END_TOKENS, (user_id,))
    session.send(END_INVITATIONS, (user_id,))


def user_row(row: tuple[Any, ...], roles: Mapping[int, Role]) -> UserRow:
    """Return a user of the columns that USER names."""
    user_id, username, email, password_hash, is_admin, disabled, made, chosen, seen, totp = row
    return UserRow(
        bytes(user_id), username, email, password_hash, bool(is_admin), bool(disabled), made, chosen, seen, totp, roles
    )


def role_of(text: str) -> Role | None:
    """Return a stored role; None for one that a newer version may have written, which gives no right here."""
    return next((role for role in get_args(Role) if role == text), None)


def _get(session: Session, user_id: bytes) -> UserRow | None:
    found = session.ask(USER, (user_id,))
    return _with_roles(found, session.ask(ROLES_OF, (user_id,)))[0] if found else None


def _with_roles(users: Rows, roles: Rows) -> list[UserRow]:
    by_user: dict[bytes, dict[int, Role]] = {}
    for user_id, site_id, text in roles:
        if (role := role_of(text)) is not None:
            by_user.setdefault(bytes(user_id), {})[site_id] = role
    return [user_row(row, by_user.get(bytes(row[0]), {})) for row in users]


def _members(session: Session, site_id: int) -> dict[bytes, Role]:
    found = [(bytes(user_id), role_of(text)) for user_id, text in session.ask(MEMBERS, (site_id,))]
    return {user_id: role for user_id, role in found if role is not None}


def _may_go(session: Session, user: UserRow) -> bool:
    """Say whether the server can do without this admin: another one must be left, who has logged in or can."""
    if not user.is_admin or user.disabled:
        return True
    others = [(text, seen_at) for user_id, text, seen_at in session.ask(ADMINS) if bytes(user_id) != user.id]
    is_at_work = bool(user.password_hash or user.seen_at)
    return any(text or seen_at for text, seen_at in others) or (bool(others) and not is_at_work)


def _rename(session: Session, user_id: bytes, names: Mapping[NameKind, bytes]) -> bool:
    """Replace by what somebody is found; False: another one has one of these names."""
    old = {kind: bytes(digest) for digest, kind in session.ask(NAMES_OF, (user_id,))}
    new = {kind: digest for kind, digest in names.items() if old.get(kind) != digest}
    for digest in new.values():
        found = session.ask(NAMED, (digest,))
        if found and bytes(found[0][0]) != user_id:
            return False
    for kind, digest in old.items():
        if kind in new or kind not in names:
            session.send(REMOVE_NAME, (digest,))
    for kind, digest in sorted(new.items()):
        session.send(ADD_NAME, (digest, user_id, kind))
    return True
