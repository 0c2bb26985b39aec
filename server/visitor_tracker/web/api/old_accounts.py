"""`/auth/…`: log-in as clients of the website-analytics server know it; always with tokens, never with a cookie."""

from typing import Annotated, Literal

import msgspec

from visitor_tracker.access.accounts import Account
from visitor_tracker.access.logins import wrong_token
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.web.api.entrance import Entrance, LoggedIn, Proof, shown
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, Password, People, answer_with, own_account
from visitor_tracker.web.api.set_up import SetUpAsked, SetUpRoutes
from visitor_tracker.web.asked import answer, body_as
from visitor_tracker.web.guards import refuse_foreign
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import who_of
from visitor_tracker.web.router import Handler, Route

Text = Annotated[str, msgspec.Meta(max_length=254)]


class OldProof(msgspec.Struct, frozen=True):
    """`email` may be a username too; further fields of old clients say nothing here."""

    password: Password
    email: Text = ""
    username: Text = ""
    name: Text = ""
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    token: Annotated[str, msgspec.Meta(max_length=128)] = ""  # of the set-up link, for signup elsewhere


class OldToken(msgspec.Struct, frozen=True):
    """The refresh token that came last."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=256)] = ""


class OldUser(msgspec.Struct, frozen=True):
    """Somebody."""

    id: str
    email: str
    name: str
    username: str
    is_admin: bool
    created_at: str


class OldLogin(msgspec.Struct, frozen=True):
    """Tokens and whose they are; `expires_in` is seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: OldUser
    token_type: Literal["bearer"] = "bearer"


class OldMessage(msgspec.Struct, frozen=True):
    """What was done."""

    message: str


class OldAccountRoutes:
    """`/auth/signup`, `/auth/login`, `/auth/refresh`, `/auth/logout`, `/auth/me`."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._people = people
        self._entrance = Entrance(parts, people)
        self._set_up = SetUpRoutes(parts, people)

    def routes(self) -> list[Route]:
        return [
            self._post("signup", self._sign_up, "make the first account, as POST /api/v1/setup", OldProof, status=201),
            self._post("login", self._log_in, "log in, as POST /api/v1/login with tokens", OldProof),
            self._post("refresh", self._refresh, "new tokens, as POST /api/v1/refresh", OldToken),
            Route(
                "POST",
                "/auth/logout",
                self._log_out,
                "end a log-in, as POST /api/v1/logout",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=OldToken,
                answer=OldMessage,
            ),
            Route("GET", "/auth/me", self._me, "who has logged in", "known", query=NoQuery, answer=OldUser),
        ]

    def _post(self, name: str, handler: Handler, summary: str, body: object, status: int = 200) -> Route:
        return Route(
            "POST",
            f"/auth/{name}",
            handler,
            summary,
            "own",
            body_most=BODY_MOST,
            query=NoQuery,
            body=body,
            answer=OldLogin,
            status=status,
        )

    def _sign_up(self, request: Request) -> Answer:
        refuse_foreign(request)
        asked = body_as(request, OldProof)
        username = asked.username or asked.email
        proved = self._set_up.make_first(request, SetUpAsked(username, asked.password, asked.email, asked.token))
        return answer_with(_login(proved.account, self._entrance.new_tokens(request, proved)), status=201)

    def _log_in(self, request: Request) -> Answer:
        refuse_foreign(request)
        asked = body_as(request, OldProof)
        name = asked.email or asked.username
        if not name:
            raise HttpError(400, "invalid_body", "there is no email", "use email, password")
        proved = self._entrance.prove(request, Proof(name, asked.password, asked.code))
        return answer(_login(proved.account, self._entrance.new_tokens(request, proved)))

    def _refresh(self, request: Request) -> Answer:
        account, tokens = self._people.logins.refresh(body_as(request, OldToken).refresh_token)
        return answer(_login(account, shown(account, tokens)))

    def _log_out(self, request: Request) -> Answer:
        self._entrance.end(request, body_as(request, OldToken).refresh_token)
        return answer(OldMessage("Logged out successfully"))

    def _me(self, request: Request) -> Answer:
        if who_of(request).kind != "user":
            raise wrong_token()
        return answer(_user(own_account(who_of(request), self._people)))


def _login(account: Account, entered: LoggedIn) -> OldLogin:
    return OldLogin(entered.access_token, entered.refresh_token, entered.expires_in, _user(account))


def _user(account: Account) -> OldUser:
    name = account.username
    return OldUser(account.id, account.email, name, name, account.is_admin, iso(account.created_at))
