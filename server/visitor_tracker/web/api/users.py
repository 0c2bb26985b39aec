"""Users, for admins."""

from typing import Annotated

import msgspec

from visitor_tracker.access.accounts import Account
from visitor_tracker.access.invitations import LIFE_MS
from visitor_tracker.access.who import Role
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.web.api.own_account import LoginsShown, shown_logins
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, Password, People, answer_with, nothing, roles_by_name
from visitor_tracker.web.api.set_up import Link, new_link
from visitor_tracker.web.asked import answer, body_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, who_of
from visitor_tracker.web.router import Route

_USERS = "/api/v1/users"
_USER = "/api/v1/users/{user}"

Username = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="letters, digits and _ . @ + -")]
Email = Annotated[str, msgspec.Meta(max_length=254)]


class UserShown(msgspec.Struct, frozen=True):
    """A user; `roles` are by site, an admin owns every one. `seen_at`: the last log-in."""

    id: str
    username: str
    email: str
    is_admin: bool
    disabled: bool
    roles: dict[str, Role]
    has_password: bool
    second_factor: bool
    created_at: str
    seen_at: str | None


class UsersShown(msgspec.Struct, frozen=True):
    """All users, by name."""

    users: list[UserShown]


class NewUserAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new user; without a password an invitation is made, with which they choose one."""

    username: Username
    email: Email = ""
    is_admin: bool = False
    roles: dict[str, Role] = {}
    password: Password = ""


class NewUserShown(msgspec.Struct, frozen=True):
    """The new user, and the link to hand to them if they are to choose a password."""

    user: UserShown
    invitation: Link | None


class UserAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; a role of null is taken away, roles on other sites stay."""

    username: Username | None = None
    email: Email | None = None
    is_admin: bool | None = None
    disabled: bool | None = None
    roles: dict[str, Role | None] = {}


class UserRoutes:
    """`/api/v1/users` and below."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def routes(self) -> list[Route]:
        return [*self._routes_of_all(), *self._routes_of_one()]

    def _routes_of_all(self) -> list[Route]:
        return [
            Route("GET", _USERS, self._list, "all users", "admin", query=NoQuery, answer=UsersShown),
            Route(
                "POST",
                _USERS,
                self._add,
                "make a user, with a password or an invitation",
                "admin",
                body_most=BODY_MOST,
                query=NoQuery,
                body=NewUserAsked,
                answer=NewUserShown,
                status=201,
            ),
        ]

    def _routes_of_one(self) -> list[Route]:
        invitation, logins, totp = (f"{_USER}/{name}" for name in ("invitation", "logins", "totp"))
        return [
            Route("GET", _USER, self._show, "a user", "admin", query=NoQuery, answer=UserShown),
            Route(
                "PATCH",
                _USER,
                self._change,
                "change a user",
                "admin",
                body_most=BODY_MOST,
                query=NoQuery,
                body=UserAsked,
                answer=UserShown,
            ),
            Route("DELETE", _USER, self._remove, "delete a user", "admin", query=NoQuery, status=204),
            Route(
                "POST",
                invitation,
                self._invite,
                "a link with which a user chooses a new password",
                "admin",
                query=NoQuery,
                answer=Link,
                status=201,
            ),
            Route("GET", logins, self._logins, "a user's log-ins", "admin", query=NoQuery, answer=LoginsShown),
            Route("DELETE", logins, self._log_out, "end a user's log-ins", "admin", query=NoQuery, status=204),
            Route("DELETE", totp, self._no_totp, "take a user's second factor off", "admin", query=NoQuery, status=204),
        ]

    def _list(self, _: Request) -> Answer:
        return answer(UsersShown([self._shown(account) for account in self._people.accounts.all()]))

    def _add(self, request: Request) -> Answer:
        asked = body_as(request, NewUserAsked)
        people = self._people
        roles = {self._site_id(name): role for name, role in asked.roles.items()}
        password_hash = people.passwords.hash(asked.password, asked.username, asked.email) if asked.password else ""
        account = people.accounts.create(
            asked.username, email=asked.email, password_hash=password_hash, is_admin=asked.is_admin, roles=roles
        )
        self._note(request, "user.added", account, admin=account.is_admin, roles=asked.roles)
        link = None if asked.password else self._new_link(account)
        return answer_with(NewUserShown(self._shown(account), link), status=201)

    def _show(self, request: Request) -> Answer:
        return answer(self._shown(self._user(request)))

    def _change(self, request: Request) -> Answer:
        account = self._user(request)
        asked = body_as(request, UserAsked)
        roles = {self._site_id(name): role for name, role in asked.roles.items()}
        accounts = self._people.accounts
        account = accounts.change(
            account, username=asked.username, email=asked.email, is_admin=asked.is_admin, disabled=asked.disabled
        )
        for site_id, role in roles.items():
            if role is not None or site_id in account.roles:
                accounts.set_role(account.id, site_id, role)
        told = {name: value for name, value in msgspec.structs.asdict(asked).items() if value not in (None, {})}
        if "email" in told:
            told["email"] = True  # personal: that it changed is enough
        if told:
            self._note(request, "user.changed", account, **told)
        return answer(self._shown(accounts.known(account.username)))

    def _remove(self, request: Request) -> Answer:
        account = self._user(request)
        self._people.accounts.remove(account)
        self._note(request, "user.removed", account)
        return nothing()

    def _invite(self, request: Request) -> Answer:
        account = self._user(request)
        if account.disabled:
            raise HttpError(409, "user_disabled", "the user is disabled", "PATCH the user with disabled: false first")
        link = self._new_link(account)
        self._note(request, "user.invited", account)
        return answer_with(link, status=201)

    def _logins(self, request: Request) -> Answer:
        return answer(shown_logins(self._people, self._user(request), who_of(request).login))

    def _log_out(self, request: Request) -> Answer:
        account = self._user(request)
        self._people.logins.end_all(account)
        self._note(request, "user.logged_out", account)
        return nothing()

    def _no_totp(self, request: Request) -> Answer:
        account = self._user(request)
        if self._people.second_factor.remove(account):
            self._note(request, "user.second_factor_off", account)
        return nothing()

    def _new_link(self, account: Account) -> Link:
        return new_link(self._parts, self._people.invitations.for_user(account), LIFE_MS)

    def _user(self, request: Request) -> Account:
        """Return whom the path names, by id, username or e-mail address."""
        name = argument_named(request, "user")
        accounts = self._people.accounts
        return accounts.find(name) or accounts.known(name)  # the id first: nobody can choose that of another one

    def _site_id(self, name: str) -> int:
        return site_named(name, self._parts.snapshot()).id

    def _shown(self, account: Account) -> UserShown:
        return UserShown(
            account.id,
            account.username,
            account.email,
            account.is_admin,
            account.disabled,
            roles_by_name(account.roles, self._parts.snapshot()),
            account.has_password,
            account.second_factor,
            iso(account.created_at),
            iso(account.seen_at) if account.seen_at else None,
        )

    def _note(self, request: Request, action: str, account: Account, **detail: object) -> None:
        self._parts.audit.note(who_of(request), action, target=account.username, detail=detail)
