"""Links with which somebody chooses a password, and the one with which the first account is made.

A link is the page /setup and, behind #, 32 random bytes: browsers send that part to nobody, so it is in no log. The
store has its hash. It works once, for a week.
"""

import re
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from visitor_tracker.access.accounts import Account, Accounts, check, new_user, refused
from visitor_tracker.errors import HttpError
from visitor_tracker.store.logins import NOBODY, InvitationTable
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.sql import SqlStore

LIFE_MS: Final = 7 * 86_400_000

_SET_UPS = 10  # links to set a server up: one per start, as long as nobody has
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


class Invitations:
    """The links of a store. Methods raise HttpError and what the store raises; any thread."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        """`clock` is epoch ms."""
        self._table = InvitationTable(store.database)
        self._accounts = Accounts(store, clock)
        self._clock = clock

    def for_set_up(self) -> str:
        """Return a new token with which the first account can be made; raises HttpError 409 where there is one."""
        if self._accounts.any():
            raise refused("not_first")
        return self._add(NOBODY, _SET_UPS)

    def for_user(self, account: Account) -> str:
        """Return a new token with which somebody chooses a password; an older one of theirs is good no more."""
        return self._add(account.key, 1)

    def whose(self, token: str) -> Account:
        """Return who may choose a password with a token; raises HttpError 404."""
        user_id = self._table.find(_digest(token), self._clock())
        account = None if user_id in (None, NOBODY) else self._accounts.find((user_id or b"").hex())
        if account is None or account.disabled:
            raise no_link()
        return account

    def accept(self, token: str, password_hash: str) -> Account:
        """Give whom a token is for that password; their other log-ins end. Raises HttpError 404."""
        user_id = self._table.take(_digest(token), password_hash, self._clock())
        account = None if user_id is None else self._accounts.find(user_id.hex())
        if account is None:
            raise no_link()
        return account

    def is_for_set_up(self, token: str) -> bool:
        """Say whether the first account can be made with a token."""
        return self._table.find(_digest(token), self._clock()) == NOBODY

    def set_up(self, token: str, username: str, email: str, password_hash: str) -> Account:
        """Make the first account, an admin's.

        Raises HttpError 404 for a token that does not work and 409 where there is an account.
        """
        user = new_user(username, email, password_hash, is_admin=True)
        try:
            outcome = self._table.set_up(_digest(token), user, self._clock())
        except DuplicateKey:
            outcome = "not_first"
        if outcome == "unknown":
            raise no_link()
        check(outcome)
        return self._accounts.known(username)

    def _add(self, user_id: bytes, most: int) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        self._table.add(_digest(token), user_id, now, now + LIFE_MS, most=most)
        return token


def no_link() -> HttpError:
    """Return what to raise for a link that does not work."""
    return HttpError(
        404,
        "unknown_link",
        "this link does not work, or not any more",
        "it works once and for a week: ask for a new one",
    )


def _digest(token: str) -> bytes:
    return blake2b(token.encode() if _TOKEN(token) else b"", digest_size=32, person=b"invitation").digest()
