"""Single sign-on: `/login/oidc`, its way back, and which ways to log in there are."""

import hmac
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.oidc import Provider
from visitor_tracker.access.sign_on import PATH, Flow, Flows, Guests, no_cookie
from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.api.pairing import base_url_of
from visitor_tracker.web.api.people import NoQuery, is_secure, logins_of
from visitor_tracker.web.asked import answer, fields_of, query_as
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import HTML, Route

_CODE_MOST = 4096


class SignOnAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`next`: the path of this server to go to after it."""

    next: Annotated[str, msgspec.Meta(max_length=1024)] = "/"


class SignOnReturn(msgspec.Struct, frozen=True):
    """What the provider sends back by the browser; it may add parameters of its own."""

    state: str = ""
    code: str = ""
    error: str = ""


class OidcWay(msgspec.Struct, frozen=True):
    """`name` is what the button says."""

    name: str
    url: str


class Ways(msgspec.Struct, frozen=True):
    """How people can log in here."""

    password: bool
    oidc: OidcWay | None


class SignOnRoutes:
    """Without `auth.oidc_issuer` there is nothing to go to, and the routes say so."""

    def __init__(self, parts: Parts) -> None:
        auth = parts.config.auth
        accounts = Accounts(parts.store, parts.clock)
        self._parts = parts
        self._provider = Provider(auth) if auth.oidc_issuer else None
        self._flows = Flows(parts.secret, parts.clock)
        self._guests = Guests(parts.store, accounts, parts.audit, create=auth.create_users, clock=parts.clock)
        self._accounts = accounts
        self._logins = logins_of(parts)

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/api/v1/login/ways", self._ways, "ways to log in here", "own", query=NoQuery, answer=Ways),
            Route("GET", PATH, self._go, "log in at the provider", "own", query=SignOnAsked, status=303, media=HTML),
            Route(
                "GET",
                f"{PATH}/callback",
                self._come_back,
                "the way back from the provider",
                "own",
                query=SignOnReturn,
                status=303,
                media=HTML,
            ),
        ]

    def _ways(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        name = self._parts.config.auth.oidc_name
        return answer(Ways(password=True, oidc=OidcWay(name, PATH) if self._provider else None))

    def _go(self, request: Request) -> Answer:
        provider = self._there()
        flow = self._flows.start(fields_of(request).get("next", "/"))
        if request.method == "HEAD":
            return _to(f"{PATH}?{urlencode({'next': flow.onward})}")
        try:
            state, nonce, verifier = self._flows.state(flow), self._flows.nonce(flow), self._flows.verifier(flow)
            place = provider.address(self._redirect_uri(request), state, nonce, verifier)
        except HttpError as error:
            return self._failed(request, error.code, flow)
        return _to(place, (self._flows.cookie(flow, secure=self._is_secure(request)),))

    def _come_back(self, request: Request) -> Answer:
        provider = self._there()
        if request.method == "HEAD":
            return _to("/login")
        flow = self._flows.read(request.headers.get("cookie", ""))
        try:
            if flow is None:
                raise _failure("sign_on_expired")
            return self._entered(request, provider, flow, self._code(request, flow))
        except HttpError as error:
            return self._failed(request, error.code, flow)
        except (StoreUnavailable, OutcomeUnknown):
            return self._failed(request, "store_unavailable", flow)

    def _code(self, request: Request, flow: Flow) -> str:
        """Return the code that a browser brings back; raises HttpError unless it is the one that was sent."""
        returned = msgspec.convert(fields_of(request), SignOnReturn)
        if not hmac.compare_digest(self._flows.state(flow).encode(), returned.state.encode("utf-8", "surrogatepass")):
            raise _failure("sign_on_expired")
        if returned.error == "access_denied":
            raise _failure("sign_on_denied")
        if returned.error or not 0 < len(returned.code) <= _CODE_MOST:
            raise _failure("sign_on_refused")
        return returned.code

    def _entered(self, request: Request, provider: Provider, flow: Flow, code: str) -> Response:
        """Log a browser in whose code is good; raises HttpError."""
        identity = provider.identity(
            code, self._redirect_uri(request), self._flows.nonce(flow), self._flows.verifier(flow)
        )
        account = self._guests.account(identity)
        secure = self._is_secure(request)
        try:
            started = self._logins.start(account, request, secure=secure)
        except HttpError as error:
            raise HttpError(error.status, "sign_on_disabled", error.message, error.hint) from error
        self._parts.audit.note(
            self._accounts.who(account), "login.started", target=account.username, detail={"kind": "single sign-on"}
        )
        return _to(flow.onward, (*started.headers, no_cookie(secure=secure)))

    def _failed(self, request: Request, code: str, flow: Flow | None) -> Response:
        """Lead back to the log-in page, which has words for the code."""
        asked = {"error": code} | ({"next": flow.onward} if flow and flow.onward != "/" else {})
        return _to(f"/login?{urlencode(asked)}", (no_cookie(secure=self._is_secure(request)),))

    def _redirect_uri(self, request: Request) -> str:
        return f"{base_url_of(request, self._parts.config.server.public_url)}{PATH}/callback"

    def _there(self) -> Provider:
        if self._provider is None:
            raise HttpError(404, "no_sign_on", "there is no single sign-on here", "log in at /login")
        return self._provider

    def _is_secure(self, request: Request) -> bool:
        return self._parts.config.server.public_url.startswith("https:") or is_secure(request, self._parts)


def _failure(code: str) -> HttpError:
    return HttpError(400, code, "the log-in did not come back as it should", "try again")


def _to(place: str, headers: Headers = ()) -> Response:
    return Response(303, headers=(("Location", place), ("Cache-Control", "no-store"), *headers))
