"""One's own account: who one is, password, log-ins."""

from typing import Annotated

import msgspec

from visitor_tracker.access.accounts import Account
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.logins import Login, no_cookie
from visitor_tracker.access.who import Kind, Role
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.store.logins import LoginKind
from visitor_tracker.web.api.devices import device_name
from visitor_tracker.web.api.people import (
    BODY_MOST,
    NoQuery,
    Password,
    People,
    is_secure,
    nothing,
    own_account,
    roles_by_name,
)
from visitor_tracker.web.asked import answer, body_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, who_of
from visitor_tracker.web.router import Route


class Me(msgspec.Struct, frozen=True):
    """Who asks. `roles` are by site; `everywhere` is the role on every site; `csrf` goes into X-CSRF-Token."""

    kind: Kind
    id: str
    username: str  # of a key or a link: its name
    email: str
    is_admin: bool
    roles: dict[str, Role]
    everywhere: Role | None
    login: str
    csrf: str
    has_password: bool
    second_factor: bool
    recovery_codes_left: int
    set_up: bool  # whether there are accounts


class MeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody may change of their own account; "" takes the e-mail address away."""

    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None


class PasswordAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password of now and the one to come; `revoke_keys`: one's API keys end as well."""

    old: Password
    new: Password
    revoke_keys: bool = False


class PasswordSet(msgspec.Struct, frozen=True):
    """The password is another one. `keys_left` API keys that one has made are still good."""

    keys_revoked: int
    keys_left: int


class LoginShown(msgspec.Struct, frozen=True):
    """A log-in; `device` is what its user agent tells, `present` the one that asks."""

    id: str
    kind: LoginKind
    device: str
    created_at: str
    used_at: str
    present: bool


class LoginsShown(msgspec.Struct, frozen=True):
    """Log-ins, the latest used first."""

    logins: list[LoginShown]


class OwnAccountRoutes:
    """`/api/v1/me` and below, but for the second factor."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people
        self._keys = ApiKeys(parts.store, parts.clock)

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/api/v1/me", self._me, "who asks, and what they may", "known", query=NoQuery, answer=Me),
            Route(
                "PATCH",
                "/api/v1/me",
                self._change,
                "change one's own account",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=MeAsked,
                answer=Me,
            ),
            Route(
                "POST",
                "/api/v1/me/password",
                self._set_password,
                "change one's password; all other log-ins end, and all tokens, and if asked one's API keys",
                "known",
                body_most=BODY_MOST,
                query=NoQuery,
                body=PasswordAsked,
                answer=PasswordSet,
            ),
            Route(
                "GET",
                "/api/v1/me/logins",
                self._logins,
                "where one is logged in",
                "known",
                query=NoQuery,
                answer=LoginsShown,
            ),
            Route(
                "DELETE",
                "/api/v1/me/logins/{id}",
                self._end_login,
                "end one of one's log-ins",
                "known",
                query=NoQuery,
                status=204,
            ),
        ]

    def _me(self, request: Request) -> Answer:
        return answer(self._shown(request))

    def _shown(self, request: Request) -> Me:
        who, people = who_of(request), self._people
        account = people.accounts.find(who.id) if who.kind == "user" else None
        snapshot = self._parts.snapshot()
        return Me(
            who.kind,
            who.id,
            who.name,
            account.email if account else "",
            who.is_admin,
            roles_by_name(who.roles, snapshot),
            "owner" if who.is_admin else who.everywhere,
            who.login,
            who.csrf,
            account is not None and account.has_password,
            account is not None and account.second_factor,
            people.second_factor.codes_left(account) if account and account.second_factor else 0,
            snapshot.has_accounts,
        )

    def _change(self, request: Request) -> Answer:
        account = own_account(who_of(request), self._people)
        asked = body_as(request, MeAsked)
        if asked.email is not None and asked.email != account.email:
            if asked.email and self._names_people(account):
                raise HttpError(
                    403,
                    "email_by_admin",
                    "people who log in elsewhere are known by their address",
                    "ask an admin to change it",
                )
            self._people.accounts.change(account, email=asked.email)
            self._parts.audit.note(
                who_of(request), "user.changed", target=account.username, detail={"changed": "email"}
            )
        return answer(self._shown(request))

    def _names_people(self, account: Account) -> bool:
        """Say whether somebody could take the address of another one, and wait for them to log in elsewhere."""
        auth = self._parts.config.auth
        return bool(auth.oidc_issuer or auth.remote_user) and not account.is_admin

    def _set_password(self, request: Request) -> Answer:
        who = who_of(request)
        account = own_account(who, self._people)
        asked = body_as(request, PasswordAsked)
        self._people.passwords.check(asked.new, account.username, account.email)
        prove_password(self._parts, self._people, request, account, asked.old)
        password_hash = self._people.passwords.hash(asked.new, account.username, account.email)
        # The log-in of tokens that asks ends too: all tokens do.
        self._people.accounts.set_password(account, password_hash, keep_login=who.login)
        self._parts.audit.note(who, "user.password", target=account.username)
        revoked = self._keys.revoke_of_account(self._parts.audit, who, account.id) if asked.revoke_keys else 0
        return answer(PasswordSet(revoked, len(self._keys.of_account(account.id))))

    def _logins(self, request: Request) -> Answer:
        who = who_of(request)
        return answer(shown_logins(self._people, own_account(who, self._people), who.login))

    def _end_login(self, request: Request) -> Answer:
        who = who_of(request)
        account = own_account(who, self._people)
        login_id = argument_named(request, "id")
        if not self._people.logins.end(login_id, account):
            raise HttpError(404, "unknown_login", "there is no such log-in", "GET /api/v1/me/logins  lists them")
        self._parts.audit.note(who, "login.ended", target=account.username)
        is_present = login_id == who.login and who.is_ambient
        return nothing((no_cookie(secure=is_secure(request, self._parts)),) if is_present else ())


def prove_password(parts: Parts, people: People, request: Request, account: Account, password: str) -> None:
    """Make sure that somebody who is logged in knows the password; raises HttpError 403, 409, 429 or 503."""
    if not account.has_password:
        raise HttpError(409, "no_password", "the account has no password", "ask an admin for a link to choose one")
    taken = people.throttle.take(parts.guards.trusted.client_address(request), account.key)
    if people.passwords.verify(people.accounts.password_hash(account), password) is None:
        raise HttpError(403, "wrong_password", "that is not your password", "ask an admin for a link to choose one")
    people.throttle.reset(taken)


def shown_logins(people: People, account: Account, present: str = "") -> LoginsShown:
    """Return somebody's log-ins."""
    return LoginsShown([_shown_login(login, present) for login in people.logins.of_user(account)])


def _shown_login(login: Login, present: str) -> LoginShown:
    return LoginShown(
        login.id, login.kind, device_name(login.agent), iso(login.created_at), iso(login.used_at), login.id == present
    )
