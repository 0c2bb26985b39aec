"""Log-ins: how a browser or a program goes on being somebody after it has proved that once.

    browser   cookie vt_session = id(16) ‖ secret(32)          looked up by id with each request; over https its name
                                                               begins with __Host-, so that no other host can set it
    tokens    access token: a JWT that names the log-in        looked up as well, so that it ends when the log-in does
              refresh token: id(16) ‖ random(16) ‖ tag(16)     good once; an old one ends the log-in

Texts are base64url. Of cookie and refresh token the store has a hash; the tag is a keyed BLAKE2b (RFC 7693), by which
an old refresh token is told from a made-up one.
"""

import base64
import binascii
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

from visitor_tracker.access.access_tokens import AccessTokens
from visitor_tracker.access.accounts import Account, account_of, who_is
from visitor_tracker.access.who import Who
from visitor_tracker.config.sections import AuthConfig
from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreUnavailable
from visitor_tracker.http.message import Headers, Request
from visitor_tracker.store.accounts import UserRow
from visitor_tracker.store.logins import LoginKind, LoginRow, LoginTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

COOKIE: Final = "vt_session"
HOST_COOKIE: Final = "__Host-vt_session"  # RFC 6265bis, 4.1.3.2: browsers take it over https from this very host only
AGENT_MOST: Final = 256  # characters of a user agent that are kept, for people to know their log-ins by
REFRESH_PREFIX: Final = "vtr_"

_MAX_AGE_SECONDS = 400 * 86_400  # browsers keep no cookie longer, RFC 6265bis, 5.5; the server ends it before
_ID_BYTES = 16
_RANDOM_BYTES = 16
_TAG_BYTES = 16
_TEXT_LENGTH = 64  # of 48 bytes in base64url
_MOST_TRIED = 4  # cookies of one request that bear our name; other paths and hosts may have set some
_DAY_MS = 86_400_000
_TOUCH_MS = 300_000  # a log-in's last use is noted no more often than that
_TOUCHES = 10  # but so often within the time after which it ends


class Login(msgspec.Struct, frozen=True):
    """A log-in of somebody; times are epoch ms."""

    id: str  # 32 hex digits
    kind: LoginKind
    agent: str
    created_at: int
    used_at: int


class Started(msgspec.Struct, frozen=True):
    """A browser's new log-in: `headers` are those of the answer, with its cookie."""

    login: str
    csrf: str
    headers: Headers


class Tokens(msgspec.Struct, frozen=True):
    """What a program gets."""

    login: str
    access_token: str
    refresh_token: str
    expires_in: int  # seconds that the access token is good for


class Logins:
    """The log-ins of a store. Methods raise HttpError 401 for wrong proofs and what the store raises; any thread."""

    def __init__(
        self,
        store: SqlStore,
        secret: bytes,
        auth: AuthConfig,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`secret` is the server's; `clock` is epoch ms."""
        self._table = LoginTable(store.database)
        self._tokens = AccessTokens(secret, auth.access_minutes)
        self._csrf_key = _key(secret, b"login-csrf")
        self._refresh_key = _key(secret, b"login-refresh")
        self._idle_ms = int(auth.login_days * _DAY_MS)
        self._clock = clock

    def start(self, account: Account, request: Request, *, secure: bool, password_hash: str | None = None) -> Started:
        """Log a browser in; the log-in it had ends. `secure`: it asked by https.

        With `password_hash` that must still be the account's. Raises HttpError 401 for a user who is gone or disabled.
        """
        self.end_by_cookie(request.headers.get("cookie", ""), secure=secure)
        login_id, secret = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(32)
        self._add(account, login_id, "browser", _digest(secret), request, password_hash)
        text = base64.urlsafe_b64encode(login_id + secret).decode()
        return Started(login_id.hex(), self._csrf(login_id), (_cookie(text, _MAX_AGE_SECONDS, secure=secure),))

    def start_tokens(self, account: Account, request: Request, *, password_hash: str | None = None) -> Tokens:
        """Log a program in; raises as `start` does."""
        login_id = secrets.token_bytes(_ID_BYTES)
        refresh = self._new_refresh(login_id)
        self._add(account, login_id, "tokens", _digest(refresh), request, password_hash)
        return self._pair(account.id, login_id, refresh)

    def refresh(self, text: str) -> tuple[Account, Tokens]:
        """Return new tokens for a refresh token, which is used up by that; an old one ends the log-in."""
        old = self._read_refresh(text)
        found = self._table.find(old[:_ID_BYTES]) if old else None
        if old is None or found is None or not self._is_live(*found):
            raise wrong_token()
        login, user = found
        new = self._new_refresh(login.id)
        if login.kind != "tokens":
            raise wrong_token()
        if not self._table.rotate(login.id, _digest(old), _digest(new), self._clock()):
            log.warning("an old refresh token of %s came: somebody else may have it, so its log-in ends", user.username)
            raise wrong_token()
        return account_of(user), self._pair(user.id.hex(), login.id, new)

    def who_by_cookie(self, header: str, *, secure: bool) -> Who | None:
        """Return who the log-in of a Cookie header is, None where it has none that is good."""
        found = self._proved(header, secure=secure)
        return None if found is None else self._who(*found, csrf=self._csrf(found[0].id), is_ambient=True)

    def who_by_token(self, text: str) -> Who:
        """Return whose access token that is; raises HttpError 401."""
        claims = self._tokens.read(text, self._clock())
        found = None if claims is None else self._table.find(bytes.fromhex(claims.login))
        if claims is None or found is None or not self._is_live(*found) or found[1].id.hex() != claims.user:
            raise wrong_token()
        return self._who(*found)

    def of_user(self, account: Account) -> list[Login]:
        """Return somebody's log-ins, the latest used first."""
        rows = self._table.of_user(account.key, self._clock() - self._idle_ms)
        return [Login(row.id.hex(), row.kind, row.agent, row.created_at, row.used_at) for row in rows]

    def end(self, login_id: str, account: Account) -> bool:
        """End one of somebody's log-ins; False: there is no such."""
        try:
            return self._table.end(bytes.fromhex(login_id), account.key)
        except ValueError:
            return False

    def end_all(self, account: Account) -> None:
        """End every log-in of somebody."""
        self._table.end_all(account.key)

    def end_by_cookie(self, header: str, *, secure: bool) -> None:
        """End the log-in that a Cookie header proves, if any."""
        if (found := self._proved(header, secure=secure)) is not None:
            self._table.end(found[0].id, found[1].id)

    def end_by_refresh(self, text: str) -> None:
        """End the log-in of a refresh token, also of an old one; one that is none of ours changes nothing."""
        if (raw := self._read_refresh(text)) and (found := self._table.find(raw[:_ID_BYTES])):
            self._table.end(found[0].id, found[1].id)

    def _add(  # noqa: PLR0913
        self,
        account: Account,
        login_id: bytes,
        kind: LoginKind,
        digest: bytes,
        request: Request,
        password_hash: str | None,
    ) -> None:
        now = self._clock()
        agent = request.headers.get("user-agent", "")[:AGENT_MOST]
        row = LoginRow(login_id, kind, digest, agent, now, now)
        if not self._table.add(row, account.key, password_hash=password_hash):
            raise HttpError(401, "login_failed", "the account is disabled, or its password was just changed", "log in")

    def _proved(self, header: str, *, secure: bool) -> tuple[LoginRow, UserRow] | None:
        """Return the live log-in whose cookie stands in a Cookie header."""
        for text in _cookies(header, secure=secure):
            raw = _decoded(text)
            found = self._table.find(raw[:_ID_BYTES]) if raw else None
            if raw is None or found is None or found[0].kind != "browser" or not self._is_live(*found):
                continue
            if hmac.compare_digest(found[0].digest, _digest(raw[_ID_BYTES:])):
                return found
        return None

    def _who(self, login: LoginRow, user: UserRow, *, csrf: str = "", is_ambient: bool = False) -> Who:
        now = self._clock()
        if now - login.used_at > min(_TOUCH_MS, self._idle_ms // _TOUCHES):
            with suppress(StoreUnavailable, OutcomeUnknown):  # it can be noted with the next request
                self._table.touch(login.id, now)
        return who_is(account_of(user), login=login.id.hex(), csrf=csrf, is_ambient=is_ambient)

    def _is_live(self, login: LoginRow, user: UserRow) -> bool:
        return not user.disabled and self._clock() - login.used_at <= self._idle_ms

    def _pair(self, user_id: str, login_id: bytes, refresh: bytes) -> Tokens:
        access, seconds = self._tokens.issue(user_id, login_id.hex(), self._clock())
        text = REFRESH_PREFIX + base64.urlsafe_b64encode(refresh).decode()
        return Tokens(login_id.hex(), access, text, seconds)

    def _new_refresh(self, login_id: bytes) -> bytes:
        body = login_id + secrets.token_bytes(_RANDOM_BYTES)
        return body + self._tag(body)

    def _read_refresh(self, text: str) -> bytes | None:
        """Return the bytes of a refresh token that this server gave at some time."""
        raw = _decoded(text.removeprefix(REFRESH_PREFIX)) if text.startswith(REFRESH_PREFIX) else None
        if raw is None or not hmac.compare_digest(self._tag(raw[:-_TAG_BYTES]), raw[-_TAG_BYTES:]):
            return None
        return raw

    def _tag(self, body: bytes) -> bytes:
        return blake2b(body, digest_size=_TAG_BYTES, key=self._refresh_key).digest()

    def _csrf(self, login_id: bytes) -> str:
        return blake2b(login_id, digest_size=_RANDOM_BYTES, key=self._csrf_key).hexdigest()


def no_cookie(*, secure: bool) -> tuple[str, str]:
    """Return the header that makes a browser forget its log-in."""
    return _cookie("", 0, secure=secure)


def wrong_token() -> HttpError:
    """Return what to raise for a token that is forged, over, or of a log-in that has ended."""
    return HttpError(401, "invalid_token", "the token is not good, or not any more", "log in again")


def _cookie(text: str, max_age: int, *, secure: bool) -> tuple[str, str]:
    name, more = (HOST_COOKIE, "; Secure") if secure else (COOKIE, "")
    return "Set-Cookie", f"{name}={text}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{more}"


def _cookies(header: str, *, secure: bool) -> list[str]:
    """Return the cookies that bear our name; over https a plain one may be another host's, and says nothing."""
    if COOKIE not in header:
        return []
    names = (HOST_COOKIE,) if secure else (HOST_COOKIE, COOKIE)
    pairs = (pair.partition("=") for pair in header.split(";"))
    return [value.strip() for name, _, value in pairs if name.strip() in names][:_MOST_TRIED]


def _decoded(text: str) -> bytes | None:
    """Return the 48 bytes of a cookie or token; None for what has another spelling."""
    if len(text) != _TEXT_LENGTH or not text.isascii():
        return None
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        return None


def _digest(secret: bytes) -> bytes:
    return blake2b(secret, digest_size=32).digest()


def _key(secret: bytes, label: bytes) -> bytes:
    return blake2b(blake2b(secret, digest_size=64).digest(), digest_size=32, person=label).digest()
