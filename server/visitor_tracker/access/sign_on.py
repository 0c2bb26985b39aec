"""Single sign-on: one log-in on its way to the provider and back, and whose account it is.

Nothing is stored of a log-in on its way. A cookie of ten minutes holds a random number, signed; state, nonce and the
PKCE verifier are made of that number with the server's secret, so that who brings a code back is who was sent.
"""

import base64
import binascii
import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec

from visitor_tracker.access.accounts import Account, AccountError, Accounts
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.keyed import key_for, keyed
from visitor_tracker.access.oidc import Identity
from visitor_tracker.errors import HttpError
from visitor_tracker.store.identities import IdentityTable
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.sql import SqlStore

COOKIE: Final = "vt_oidc"
MINUTES: Final = 10
PATH: Final = "/login/oidc"

_MOST = 2048  # characters of the cookie
_NEXT_MOST = 1024
_VERIFIER_BYTES = 32
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*").fullmatch


class Flow(msgspec.Struct, frozen=True):
    """A log-in on its way: what the cookie holds."""

    number: str
    onward: str  # where to go after it
    until: int  # epoch ms


class Flows:
    """Any thread. `secret` is the server's, `clock` is epoch ms."""

    def __init__(self, secret: bytes, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._key = key_for(secret, b"sign-on")
        self._clock = clock

    def start(self, onward: str) -> Flow:
        """Return a new log-in; `onward` is a path of this server, anything else leads to the front page."""
        return Flow(secrets.token_hex(16), own_path(onward), self._clock() + MINUTES * 60_000)

    def state(self, flow: Flow) -> str:
        return keyed(self._key, f"state:{flow.number}")

    def nonce(self, flow: Flow) -> str:
        return keyed(self._key, f"nonce:{flow.number}")

    def verifier(self, flow: Flow) -> str:
        """Return the PKCE verifier, RFC 7636, 4.1: 64 characters."""
        return keyed(self._key, f"verifier:{flow.number}", _VERIFIER_BYTES)

    def cookie(self, flow: Flow, *, secure: bool) -> tuple[str, str]:
        """Return the header that sends a log-in on its way."""
        body = base64.urlsafe_b64encode(msgspec.json.encode(flow)).decode()
        return _cookie(f"{body}.{keyed(self._key, f'cookie:{body}')}", MINUTES * 60, secure=secure)

    def read(self, header: str) -> Flow | None:
        """Return the log-in of a Cookie header; None where it has none, or one that took too long."""
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE and (flow := self._read(value.strip())) is not None:
                return flow
        return None

    def _read(self, text: str) -> Flow | None:
        body, _, tag = text.rpartition(".")
        if len(text) > _MOST or not hmac.compare_digest(tag.encode(), keyed(self._key, f"cookie:{body}").encode()):
            return None
        try:
            flow = msgspec.json.decode(base64.urlsafe_b64decode(body), type=Flow)
        except (msgspec.DecodeError, binascii.Error):
            return None
        return flow if self._clock() < flow.until else None


class Guests:
    """Finds and makes the accounts of who comes back. Any thread; raises HttpError 403 and what stores do."""

    def __init__(
        self,
        store: SqlStore,
        accounts: Accounts,
        audit: Audit,
        *,
        create: bool,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`create`: make an account, without sites, for somebody who has none."""
        self._identities = IdentityTable(store.database)
        self._accounts = accounts
        self._audit = audit
        self._create = create
        self._clock = clock

    def account(self, identity: Identity) -> Account:
        """Return whose account it is: the one linked to the subject, that of the verified address, or a new one."""
        user_id = self._identities.find(identity.issuer, identity.subject)
        account = self._accounts.find(user_id) if user_id else None
        if account is None:
            account = self._accounts.by_name(identity.email) if identity.email else None
            if account is None:
                account = self._made(identity)
            self._link(identity, account)
        if account.disabled:
            raise HttpError(403, "sign_on_disabled", "your account is disabled", "ask an admin")
        return account

    def _made(self, identity: Identity) -> Account:
        if not self._create:
            raise HttpError(403, "sign_on_unknown", "you have no account here", "ask an admin for one")
        for name in (identity.username, identity.email, f"user-{secrets.token_hex(4)}"):
            if "@" in name and name != identity.email:
                continue  # the address of somebody else, perhaps, who would come into this account
            try:
                account = self._accounts.create(name, email=identity.email)
            except AccountError as error:
                if error.code == "first_admin":
                    raise HttpError(403, "sign_on_first", "this server has no admin yet", "set it up first") from error
                continue
            self._audit.note(OPERATOR, "user.added", target=account.username, detail={"by": "single sign-on"})
            return account
        raise HttpError(403, "sign_on_unknown", "an account for you cannot be made", "ask an admin for one")

    def _link(self, identity: Identity, account: Account) -> None:
        note = self._audit.row(
            self._accounts.who(account), "identity.linked", target=account.username, detail={"issuer": identity.issuer}
        )
        try:
            self._identities.link(identity.issuer, identity.subject, account.id, self._clock(), note)
        except DuplicateKey:  # the same person, in two tabs
            return


def own_path(text: str) -> str:
    """Return a path of this server, "/" for whatever could lead elsewhere."""
    return text if len(text) <= _NEXT_MOST and _OWN_PATH(text) else "/"


def no_cookie(*, secure: bool) -> tuple[str, str]:
    """Return the header that ends a log-in on its way."""
    return _cookie("", 0, secure=secure)


def _cookie(text: str, max_age: int, *, secure: bool) -> tuple[str, str]:
    cookie = f"{COOKIE}={text}; Max-Age={max_age}; Path={PATH}; HttpOnly; SameSite=Lax"
    return "Set-Cookie", f"{cookie}; Secure" if secure else cookie
