"""Accounts of people: who they are, what they may see, and the rules that changes of them keep.

There is always an admin left who can log in; the first account is one. Usernames and e-mail addresses are told apart
without case, and nobody can take another one's.
"""

import re
import secrets
import time
import unicodedata
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from visitor_tracker.access.who import Role, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.store.accounts import AccountTable, Changed, NameKind, NewUser, Outcome, UserRow
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.sql import SqlStore

NAME_MOST: Final = 64  # characters of a username
EMAIL_MOST: Final = 254  # of an e-mail address, RFC 5321
ID_BYTES = 16

_LOOK_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})  # scripts that share letters

_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}").fullmatch
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\/]{1,189}").fullmatch


class AccountError(HttpError):
    """A change of accounts is refused; `hint` says what to change."""


_REFUSALS: Mapping[Outcome, tuple[int, str, str, str]] = {
    "unknown": (404, "unknown_user", "there is no such user", "visitor-tracker user list  shows them"),
    "taken": (409, "name_taken", "somebody has that username or e-mail address", "choose another one"),
    "last_admin": (
        409,
        "last_admin",
        "this is the only admin who can log in",
        "make somebody else an admin first, who has a password",
    ),
    "first_admin": (409, "first_admin", "the first account must be an admin's", "make an admin first, then the others"),
    "not_first": (409, "set_up", "this server has accounts already", "log in, or ask an admin for one"),
    "last_owner": (
        409,
        "last_owner",
        "the site has no other owner",
        "make somebody else its owner first, or ask an admin",
    ),
}


class Account(msgspec.Struct, frozen=True):
    """Somebody; times are epoch ms, 0: never. `roles` are by site id."""

    id: str  # 32 hex digits
    username: str
    email: str = ""
    is_admin: bool = False
    roles: Mapping[int, Role] = {}
    disabled: bool = False
    created_at: int = 0
    seen_at: int = 0  # when they last logged in
    password_at: int = 0  # when they last chose a password; 0: they have none
    second_factor: bool = False

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.id)

    @property
    def has_password(self) -> bool:
        return self.password_at > 0


class Accounts:
    """The accounts of a store. Methods raise AccountError and what the store raises; any thread."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        """`clock` is epoch ms."""
        self._table = AccountTable(store.database)
        self._clock = clock

    def any(self) -> bool:
        """Say whether there is any account."""
        return self._table.any()

    def all(self) -> list[Account]:
        """Return everybody, by username."""
        return sorted((account_of(row) for row in self._table.all()), key=lambda one: one.username.casefold())

    def find(self, user_id: str) -> Account | None:
        """Return the account of that id, None for one that is none."""
        try:
            key = bytes.fromhex(user_id)
        except ValueError:
            return None
        row = self._table.get(key) if len(key) == ID_BYTES else None
        return row and account_of(row)

    def by_name(self, name: str) -> Account | None:
        """Return who has that username or e-mail address."""
        row = self.row_by_name(name)
        return row and account_of(row)

    def row_by_name(self, name: str) -> UserRow | None:
        """Do as `by_name`, with the hash of the password."""
        return self._table.by_name(name_digest(name)) if len(name) <= EMAIL_MOST else None

    def known(self, name: str) -> Account:
        """Do as `by_name`; raises AccountError 404."""
        account = self.by_name(name)
        if account is None:
            raise refused("unknown")
        return account

    def who(self, account: Account, *, login: str = "", csrf: str = "", is_ambient: bool = False) -> Who:
        """Return what somebody may; `csrf` and `is_ambient` where a browser proves it."""
        return who_is(account, login=login, csrf=csrf, is_ambient=is_ambient)

    def create(
        self,
        username: str,
        *,
        email: str = "",
        password_hash: str = "",
        is_admin: bool = False,
        roles: Mapping[int, Role] | None = None,
    ) -> Account:
        """Make an account; without a password its owner gets a link, or comes by single sign-on."""
        user = new_user(username, email, password_hash, is_admin=is_admin)
        try:
            check(self._table.add(user, self._clock()))
        except DuplicateKey:
            raise refused("taken") from None
        for site_id, role in (roles or {}).items():
            self.set_role(user.id.hex(), site_id, role)
        return self._there(user.id.hex())

    def change(
        self,
        account: Account,
        *,
        username: str | None = None,
        email: str | None = None,
        is_admin: bool | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Change what is given; "" takes the e-mail address away. A disabled user is logged out everywhere."""
        name = None if username is None else user_name(username)
        address = None if email is None else email_address(email)

        def make(now: UserRow) -> Changed:
            called = now.username if name is None else name
            reached = now.email if address is None else address
            return Changed(
                called,
                reached,
                now.is_admin if is_admin is None else is_admin,
                now.disabled if disabled is None else disabled,
                names_of(called, reached),
            )

        try:
            check(self._table.change(account.key, make))
        except DuplicateKey:
            raise refused("taken") from None
        return self._there(account.id)

    def remove(self, account: Account) -> None:
        """Delete an account, its log-ins and its roles."""
        check(self._table.remove(account.key))

    def members(self, site_id: int) -> list[tuple[Account, Role]]:
        """Return who has a role on a site, by username; admins that have none are not named."""
        roles = self._table.members(site_id)
        return [(each, roles[each.key]) for each in self.all() if each.key in roles]

    def set_role(self, user_id: str, site_id: int, role: Role | None, *, keep_owner: bool = False) -> None:
        """Give, change or (None) take a role; `keep_owner`: not from the last owner of a site."""
        check(self._table.set_role(bytes.fromhex(user_id), site_id, role, keep_owner=keep_owner))

    def set_password(self, account: Account, password_hash: str, *, keep_login: str = "") -> None:
        """Replace a password; every log-in ends but that one, if it is a browser's, and so do links to choose one."""
        self._table.set_password(account.key, password_hash, self._clock(), keep_login=bytes.fromhex(keep_login))

    def password_hash(self, account: Account) -> str:
        """Return the hash of the password, "" where there is none."""
        row = self._table.get(account.key)
        return row.password_hash if row else ""

    def rehash(self, account: Account, old: str, new: str) -> None:
        """Store another hash of the same password."""
        self._table.rehash(account.key, old, new)

    def _there(self, user_id: str) -> Account:
        account = self.find(user_id)
        if account is None:  # removed just after
            raise refused("unknown")
        return account


def who_is(account: Account, *, login: str = "", csrf: str = "", is_ambient: bool = False) -> Who:
    """Return what somebody may."""
    return Who(
        "user",
        account.username,
        account.id,
        is_admin=account.is_admin,
        roles=account.roles,
        login=login,
        csrf=csrf,
        is_ambient=is_ambient,
    )


def account_of(row: UserRow) -> Account:
    """Return who a stored user is."""
    return Account(
        row.id.hex(),
        row.username,
        row.email,
        row.is_admin,
        row.roles,
        row.disabled,
        row.created_at,
        row.seen_at,
        row.password_at,
        row.totp_at > 0,
    )


def new_user(username: str, email: str, password_hash: str, *, is_admin: bool) -> NewUser:
    """Return a user to add; raises AccountError 400 for a name or an address that nobody may have."""
    name, address = user_name(username), email_address(email)
    return NewUser(secrets.token_bytes(ID_BYTES), name, address, password_hash, is_admin, names_of(name, address))


def refused(outcome: Outcome) -> AccountError:
    """Return what to raise where a change came to that."""
    status, code, message, hint = _REFUSALS[outcome]
    return AccountError(status, code, message, hint)


def check(outcome: Outcome) -> None:
    """Raise AccountError for everything but "done"."""
    if outcome != "done":
        raise refused(outcome)


def user_name(text: str) -> str:
    """Return the username if somebody may have it; raises AccountError 400."""
    if not _NAME(text) or unicodedata.normalize("NFKC", text) != text or len(_scripts(text) & _LOOK_ALIKE) > 1:
        raise AccountError(
            400,
            "invalid_username",
            "that is no username",
            f"use 1 to {NAME_MOST} letters of one script, digits and _ . @ + -, and begin with a letter or digit",
        )
    return text


def _scripts(text: str) -> frozenset[str]:
    """Return the scripts of a text's letters, as their names in Unicode begin."""
    return frozenset(unicodedata.name(sign, "").partition(" ")[0] for sign in text if sign.isalpha())


def email_address(text: str) -> str:
    """Return the e-mail address if it can be one, "" for none; raises AccountError 400."""
    if text and not (len(text) <= EMAIL_MOST and _EMAIL(text) and text.isprintable()):
        raise AccountError(400, "invalid_email", "that is no e-mail address", "use one such as ada@example.com")
    return text


def names_of(username: str, email: str) -> dict[NameKind, bytes]:
    """Return by what somebody is found; a username that is the e-mail address counts once."""
    found: dict[NameKind, bytes] = {"username": name_digest(username)}
    if email and name_digest(email) != found["username"]:
        found["email"] = name_digest(email)
    return found


def name_digest(name: str) -> bytes:
    """Return what a name is found by: no two names that differ in case only have different ones."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=32, person=b"user-name").digest()
