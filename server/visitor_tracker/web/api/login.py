"""The routes of log-in and log-out."""

from typing import Annotated

import msgspec

from visitor_tracker.access.logins import no_cookie
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.web.api.entrance import Entrance, LoggedIn, Proof, shown
from visitor_tracker.web.api.people import BODY_MOST, Code, Name, NoQuery, Password, People, is_secure, nothing
from visitor_tracker.web.asked import answer, body_as
from visitor_tracker.web.guards import refuse_foreign
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


class LoginAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to log in; `tokens` for programs, which get no cookie."""

    username: Name
    password: Password
    code: Code = ""
    tokens: bool = False


class RefreshAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token that came last; each is good once."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=256)]


class LogoutAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Empty where a cookie or an access token says who asks."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=256)] = ""


class LoginOffered(msgspec.Struct, frozen=True):
    """What the log-in page has to show."""

    set_up: bool  # whether there are accounts
    username: str  # who has logged in already with this browser, "" for nobody
    single_sign_on: str  # what it is called, "" for none


class LoginRoutes:
    """`/api/v1/login`, `/refresh`, `/logout`."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people
        self._entrance = Entrance(parts, people)

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/api/v1/login",
                self._offer,
                "what the log-in page has to show",
                "own",
                query=NoQuery,
                answer=LoginOffered,
            ),
            Route(
                "POST",
                "/api/v1/login",
                self._log_in,
                "log in: a cookie, or tokens",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=LoginAsked,
                answer=LoggedIn,
            ),
            Route(
                "POST",
                "/api/v1/refresh",
                self._refresh,
                "new tokens for a refresh token, which is used up",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=RefreshAsked,
                answer=LoggedIn,
            ),
            Route(
                "POST",
                "/api/v1/logout",
                self._log_out,
                "end this log-in",
                "own",
                body_most=BODY_MOST,
                query=NoQuery,
                body=LogoutAsked,
                status=204,
            ),
        ]

    def _offer(self, request: Request) -> Answer:
        auth = self._parts.config.auth
        secure = is_secure(request, self._parts)
        who = self._people.logins.who_by_cookie(request.headers.get("cookie", ""), secure=secure)
        name = auth.oidc_name if auth.oidc_issuer else ""
        return answer(LoginOffered(self._people.accounts.any(), who.name if who else "", name))

    def _log_in(self, request: Request) -> Answer:
        refuse_foreign(request)
        asked = body_as(request, LoginAsked)
        proved = self._entrance.prove(request, Proof(asked.username, asked.password, asked.code))
        return self._entrance.tokens(request, proved) if asked.tokens else self._entrance.browser(request, proved)

    def _refresh(self, request: Request) -> Answer:
        asked = body_as(request, RefreshAsked)
        return answer(shown(*self._people.logins.refresh(asked.refresh_token)))

    def _log_out(self, request: Request) -> Answer:
        refuse_foreign(request)  # also without the cookie, which the answer takes away
        self._entrance.end(request, body_as(request, LogoutAsked).refresh_token)
        return nothing((no_cookie(secure=is_secure(request, self._parts)),))
