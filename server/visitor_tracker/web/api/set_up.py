"""The first account of a server, and links with which somebody chooses a password."""

from typing import Annotated

import msgspec

from visitor_tracker.access.accounts import Account, email_address, user_name
from visitor_tracker.access.invitations import no_link
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.web.api.entrance import Entrance, LoggedIn, Proved
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, Password, People
from visitor_tracker.web.asked import answer, body_as
from visitor_tracker.web.guards import SET_UP_HINT, refuse_foreign
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route

Token = Annotated[str, msgspec.Meta(max_length=128, description="what stands behind # in the link")]


class SetUpState(msgspec.Struct, frozen=True):
    """Whether the first account can be made, with the link that the server's log has."""

    open: bool
    password_least: int  # characters


class SetUpAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first account, an admin's."""

    username: Annotated[str, msgspec.Meta(max_length=64)]
    password: Password
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    token: Token = ""


class InvitationAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link, and the password that its owner chooses; without one: whose link it is."""

    token: Token
    password: Password = ""


class Invited(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose link it is; with `login` and `csrf` where its use has logged in a browser."""

    username: str
    second_factor: bool  # whether a code is needed to log in
    login: str = ""
    csrf: str = ""


class SetUpRoutes:
    """`/api/v1/setup` and `/api/v1/invitation`."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people
        self._entrance = Entrance(parts, people)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/api/v1/setup",
                self._state,
                "whether the first account can be made",
                "own",
                query=NoQuery,
                answer=SetUpState,
            ),
            Route(
                "POST",
                "/api/v1/setup",
                self._set_up,
                "make the first account, and log in",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=SetUpAsked,
                answer=LoggedIn,
                status=201,
            ),
            Route(
                "POST",
                "/api/v1/invitation",
                self._accept,
                "choose a password with a link, and log in; without a password: whose link it is",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=InvitationAsked,
                answer=Invited,
            ),
        ]

    def _state(self, _: Request) -> Answer:
        return answer(SetUpState(not self._people.accounts.any(), self._parts.config.auth.password_least))

    def _set_up(self, request: Request) -> Answer:
        refuse_foreign(request)
        asked = body_as(request, SetUpAsked)
        return self._entrance.browser(request, self.make_first(request, asked), 201)

    def make_first(self, request: Request, asked: SetUpAsked) -> Proved:
        """Make the first account; raises HttpError 400, 403, 404, 409, 429 or 503."""
        people = self._people
        if people.accounts.any():
            raise set_up_closed()
        if not asked.token:
            raise HttpError(403, "link_needed", "the first account is made with a link", SET_UP_HINT)
        taken = people.throttle.take(self._parts.guards.trusted.client_address(request))
        if not people.invitations.is_for_set_up(asked.token):
            raise no_link()
        user_name(asked.username)  # before the work of a hash
        email_address(asked.email)
        password_hash = people.passwords.hash(asked.password, asked.username, asked.email)
        account = people.invitations.set_up(asked.token, asked.username, asked.email, password_hash)
        people.throttle.reset(taken)
        self._parts.audit.note(
            people.accounts.who(account), "user.added", target=account.username, detail={"by": "set-up", "admin": True}
        )
        return Proved(account, password_hash)

    def _accept(self, request: Request) -> Answer:
        refuse_foreign(request)
        asked = body_as(request, InvitationAsked)
        people = self._people
        taken = people.throttle.take(self._parts.guards.trusted.client_address(request))
        account = people.invitations.whose(asked.token)
        people.throttle.reset(taken)
        if not asked.password:
            return answer(Invited(account.username, account.second_factor))
        password_hash = people.passwords.hash(asked.password, account.username, account.email)
        account = people.invitations.accept(asked.token, password_hash)
        self._parts.audit.note(people.accounts.who(account), "user.password", target=account.username)
        if account.second_factor:
            return answer(Invited(account.username, True))
        return self._enter(request, account, password_hash)

    def _enter(self, request: Request, account: Account, password_hash: str) -> Answer:
        made = self._entrance.browser(request, Proved(account, password_hash))
        entered = msgspec.json.decode(made.body, type=LoggedIn)
        body = msgspec.json.encode(Invited(account.username, False, entered.login, entered.csrf))
        return msgspec.structs.replace(made, body=body)


def set_up_closed() -> HttpError:
    """Return what to raise where there is an account already."""
    return HttpError(403, "set_up", "this server has accounts already", "log in, or ask an admin for an invitation")


def link_of(parts: Parts, token: str) -> str:
    """Return the address of a link; a path where the server was not told its own address."""
    return f"{parts.config.server.public_url.rstrip('/')}/setup#{token}"


class Link(msgspec.Struct, frozen=True):
    """A link that works once; shown this once. `link` is a path where server.public_url is not set."""

    link: str
    expires_at: str


def new_link(parts: Parts, token: str, life_ms: int) -> Link:
    """Return a new link as it is shown."""
    return Link(link_of(parts, token), iso(parts.clock() + life_ms))
