"""How somebody comes in and goes: proofs, log-ins of browsers and programs, and by what these are known again."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from visitor_tracker.access.access_tokens import looks_like_jwt
from visitor_tracker.access.accounts import Account, account_of, name_digest
from visitor_tracker.access.logins import Tokens, wrong_token
from visitor_tracker.access.who import NOBODY, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.web.api.people import People, answer_with, is_secure
from visitor_tracker.web.asked import answer
from visitor_tracker.web.guards import refuse_foreign
from visitor_tracker.web.parts import Parts

_NAME_SHOWN = 64  # characters of a name that somebody typed; usernames have no more


class LoggedIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A log-in: `csrf` goes with a browser's cookie, the rest to programs; `expires_in` is seconds."""

    username: str
    login: str
    csrf: str = ""
    access_token: str = ""
    refresh_token: str = ""
    token_type: Literal["", "Bearer"] = ""
    expires_in: int = 0


class CookieScheme:
    """The log-in of a browser."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._logins = people.logins

    def identify(self, request: Request) -> Who | None:
        cookie = request.headers.get("cookie")
        if cookie is None:
            return None
        return self._logins.who_by_cookie(cookie, secure=is_secure(request, self._parts))


class TokenScheme:
    """The access tokens of programs."""

    def __init__(self, people: People) -> None:
        self._logins = people.logins

    def identify(self, request: Request) -> Who | None:
        """Return whose token it is; None for what is no JWT, and may be a key of another scheme."""
        text = bearer(request)
        return self._logins.who_by_token(text) if looks_like_jwt(text) else None


def bearer(request: Request) -> str:
    """Return the token of an Authorization header, "" for none."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody says to log in."""

    username: str
    password: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Proved:
    """Who somebody is; `password_hash` must still be theirs when the log-in starts, `headers` are for the answer."""

    account: Account
    password_hash: str
    headers: Headers = ()


class Entrance:
    """Of one process. Methods raise HttpError and what the store raises; any thread."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._guards = parts.guards
        self._audit = parts.audit
        self._people = people

    def prove(self, request: Request, proof: Proof) -> Proved:
        """Return who somebody is.

        Raises HttpError 401 for a wrong proof, the same whatever is wrong but a missing code; 429 after many; 503.
        """
        people = self._people
        row = people.accounts.row_by_name(proof.username)
        key = row.id if row else name_digest(proof.username)
        device = people.throttle.device(request.headers.get("cookie", ""), key)
        taken = people.throttle.take(self._guards.trusted.client_address(request), key, device)
        try:
            kept = people.passwords.verify(row.password_hash if row else "", proof.password)
        except HttpError:
            people.throttle.give_back(taken)
            raise
        if row is None or kept is None or row.disabled:
            cause = "username" if row is None else "password" if kept is None else "disabled"
            self._note_failure(row.username if row else proof.username, cause)
            raise HttpError(
                401, "login_failed", "the username or the password is wrong", "an admin can give you a new link"
            )
        account = account_of(row)
        if account.second_factor:
            self._prove_second(account, proof.code)
        people.throttle.reset(taken)
        if kept != row.password_hash:
            people.accounts.rehash(account, row.password_hash, kept)
        return Proved(account, kept, (people.throttle.device_header(key, secure=self._is_secure(request)),))

    def browser(self, request: Request, proved: Proved, status: int = 200) -> Response:
        """Start a browser's log-in and answer with its cookie."""
        account = proved.account
        started = self._people.logins.start(
            account, request, secure=self._is_secure(request), password_hash=proved.password_hash
        )
        self._note(account, "browser")
        body = LoggedIn(account.username, started.login, started.csrf)
        return answer_with(body, proved.headers + started.headers, status)

    def tokens(self, request: Request, proved: Proved) -> Response:
        """Start a program's log-in and answer with its tokens."""
        return answer(self.new_tokens(request, proved))

    def new_tokens(self, request: Request, proved: Proved) -> LoggedIn:
        """Start a program's log-in."""
        account = proved.account
        tokens = self._people.logins.start_tokens(account, request, password_hash=proved.password_hash)
        self._note(account, "tokens")
        return shown(account, tokens)

    def end(self, request: Request, refresh_token: str) -> None:
        """End the log-in that a request proves; raises HttpError 401 for a token that is not good."""
        if refresh_token:
            self._people.logins.end_by_refresh(refresh_token)
            return
        who = self._guards.identify(request)
        if who.is_ambient:
            refuse_foreign(request, who.csrf)
        account = self._people.accounts.find(who.id) if who.login else None
        if account is not None and self._people.logins.end(who.login, account):
            self._audit.note(who, "login.ended", target=account.username)
        elif bearer(request):
            raise wrong_token()

    def _prove_second(self, account: Account, code: str) -> None:
        if not code:
            raise HttpError(
                401, "second_factor_needed", "a code is needed as well", "send  code  of your app, or a recovery code"
            )
        if not self._people.second_factor.is_right(account, code):
            self._note_failure(account.username, "code")
            raise HttpError(
                401, "wrong_code", "the code is wrong, or was used before", "wait for the next one of your app"
            )

    def _note(self, account: Account, kind: str) -> None:
        self._audit.note(
            self._people.accounts.who(account), "login.started", target=account.username, detail={"kind": kind}
        )

    def _note_failure(self, username: str, cause: str) -> None:
        """Note a log-in that failed, as often as the throttle allows; no address, as in all of the log."""
        shown = "".join(sign for sign in username if sign.isprintable())[:_NAME_SHOWN]
        self._audit.note(NOBODY, "login.failed", target=shown, detail={"cause": cause})

    def _is_secure(self, request: Request) -> bool:
        return is_secure(request, self._parts)


def shown(account: Account, tokens: Tokens) -> LoggedIn:
    """Return what a program gets of its log-in."""
    return LoggedIn(
        account.username,
        tokens.login,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        token_type="Bearer",
        expires_in=tokens.expires_in,
    )
