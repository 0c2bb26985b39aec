"""What stands before a handler: whose request it is, what it may read, how often it may come."""

import hmac
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, inet_pton
from typing import Final, Protocol

from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.tokens import ReadToken
from visitor_tracker.access.who import LOCAL, NOBODY, Access, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web.strangers import Strangers

log = logging.getLogger(__name__)

_EXPOSE = ("Access-Control-Expose-Headers", "X-Tracker, Retry-After, Link")
_ALLOWED_HEADERS = "Content-Type, Authorization, X-Site-ID, X-Umami-Cache"  # what clients of some trackers add
_PROXY_HEADERS = (
    *("forwarded", "via", "x-forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-host"),
    *(f"x-forwarded-{what}" for what in ("for", "host", "proto", "port", "scheme", "server")),
    *("true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-original-forwarded-for"),
)
_LOOPBACK_HOSTS = frozenset({"localhost", "[::1]"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HAS_READ_TOKEN = Who("local", "read token", everywhere="viewer")
SET_UP_HINT: Final = "the server's log has the link, and  visitor-tracker user setup-link  prints a new one"
_NO_SITE = Site(0, "")  # that nobody owns: stands for the sites where there are none


class TrustedProxies:
    """The networks whose forwarding headers are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(text, strict=False) for text in networks
        )
        self._masks = [
            (int(network.netmask), int(network.network_address))
            for network in self._networks
            if isinstance(network, IPv4Network)
        ]
        self._known = lru_cache(1024)(self._holds)
        self.holds_peer = lru_cache(8192)(self.holds)  # peers are few where a proxy stands before visitors
        self._told = False

    def holds(self, address: str) -> bool:
        """Say whether a proxy has that address; behind one every visitor is asked for, so new ones must be cheap."""
        if not self._networks:
            return False
        try:
            number = int.from_bytes(inet_pton(AF_INET, address), "big")
        except (OSError, ValueError):
            return self._known(address)
        return any(number & mask == network for mask, network in self._masks)

    def _holds(self, address: str) -> bool:
        try:
            ip = _unmapped(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def client_address(self, request: Request) -> str:
        """Return the address a request came from: the socket's peer, or what a trusted one says of it.

        X-Forwarded-For is walked from the right, over trusted addresses; X-Real-IP is read where there is none.
        """
        peer = request.peer
        headers = request.headers
        if not peer.unix and not self.holds_peer(peer.address):
            if "x-forwarded-for" in headers and not self._told:
                self._tell(peer.address)
            return peer.address
        forwarded = headers.get("x-forwarded-for", "")
        if not forwarded:
            return _bare(headers.get("x-real-ip", "").strip()) or peer.address
        if "," not in forwarded:
            return _bare(forwarded) or peer.address
        client = peer.address
        for hop in reversed(forwarded.split(",")):
            address = _bare(hop.strip())
            if not address:
                break  # unreadable: whatever is left of it, and in other fields, may be forged
            client = address
            if not self.holds(address):
                break
        return client

    def _tell(self, address: str) -> None:
        """Warn once of what looks like a proxy that nobody named; strangers may send that header too."""
        ip = ip_address(address.partition("%")[0])
        if ip.is_private or ip.is_loopback:
            self._told = True
            log.warning(
                "a proxy on this machine or network sends X-Forwarded-For, but is not trusted: all of its visitors"
                " share one rate limit; add its address to trusted_proxies"
            )


def _bare(text: str) -> str:
    """Return the address in `text`, without port or brackets; "" when there is none."""
    if ":" not in text:  # one IPv4 address has one spelling here
        try:
            inet_pton(AF_INET, text)
        except (OSError, ValueError):
            text = text.strip()
        else:
            return text
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(_unmapped(ip_address(text.partition("%")[0])))
    except ValueError:
        return ""


def _unmapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a dual-stack socket shows as IPv6; else all of IPv4 would be one /64."""
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


class Cors:
    """Which origins browsers may call the public routes from; immutable, replaced on reload."""

    def __init__(self, origins: Iterable[str], max_age: int) -> None:
        allowed = frozenset(origin.lower().rstrip("/") for origin in origins)
        self.takes_all = "*" in allowed
        self._of_any: Headers = (("Access-Control-Allow-Origin", "*"), _EXPOSE)
        self._of_origin: dict[str, Headers] = {
            origin: (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"), _EXPOSE) for origin in allowed
        }
        self._max_age = str(max_age)

    def headers(self, request: Request) -> Headers:
        """Return the headers for an answer to this request; always one of a few constant tuples."""
        if self.takes_all:
            return self._of_any
        return self._of_origin.get(request.headers.get("origin", "").lower(), (("Vary", "Origin"),))

    def allows(self, request: Request) -> bool:
        """Say whether a page of that origin may be counted; requests without Origin always."""
        return (
            self.takes_all
            or request.headers.get("origin", "").lower() in self._of_origin
            or "origin" not in request.headers
        )

    def preflight(self, request: Request, methods: str) -> Response:
        """Answer OPTIONS of a public route."""
        extra: Headers = (
            ("Allow", methods),
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", _ALLOWED_HEADERS),
            ("Access-Control-Max-Age", self._max_age),
        )
        return Response(204, headers=self.headers(request) + extra)


class Scheme(Protocol):
    """One way to prove who asks."""

    def identify(self, request: Request) -> Who | None:
        """Return who asks; None where the request brings no proof of this sort.

        Raises HttpError 401 for a proof that is wrong, and what the store raises.
        """


class Guards:
    """The guards of one server; `trusted` and `cors` are replaced on reload."""

    def __init__(  # noqa: PLR0913 - the rest by keyword
        self,
        trusted: TrustedProxies,
        cors: Cors,
        limiter: RateLimiter,
        read_token: ReadToken,
        *,
        snapshot: Callable[[], Snapshot] = Snapshot,
        schemes: Sequence[Scheme] = (),
        strangers: Strangers | None = None,
    ) -> None:
        """`strangers` are the places of those who read without an account."""
        self.trusted = trusted
        self.cors = cors
        self.schemes = schemes
        self.strangers = strangers or Strangers()
        self._limiter = limiter
        self._read_token = read_token
        self._snapshot = snapshot

    @property
    def has_accounts(self) -> bool:
        return self._snapshot().has_accounts

    def limit(self, request: Request) -> str:
        """Take a token of the client's bucket and return its address; raise 429 when the bucket is empty."""
        address = self.trusted.client_address(request)
        if wait := self._limiter.allow(address):
            raise _too_many(wait)
        return address

    def charge(self, request: Request, tokens: int) -> None:
        """Take more of the client's bucket for a request that passed; raise 429 when so much is not in it."""
        if wait := self._limiter.allow_more(self.trusted.client_address(request), tokens):
            raise _too_many(wait)

    def count(self, request: Request) -> str:
        """Let a visit pass and return its client's address; raise 403 for a foreign origin and 429 for too many."""
        if not self.cors.takes_all and not self.cors.allows(request):
            raise HttpError(
                403,
                "origin_not_allowed",
                "this web site may not count visits here",
                "add its origin to cors.origins",
                dropped="origin",
            )
        address = self.trusted.client_address(request)  # as `limit`, for every event
        if wait := self._limiter.allow(address):
            raise _too_many(wait)
        return address

    def identify(self, request: Request) -> Who:
        """Return who asks, NOBODY without proof; raises HttpError 401 for a proof that is wrong."""
        found = (scheme.identify(request) for scheme in self.schemes)
        who = next((each for each in found if each is not None), None)
        # On the own machine a link that was opened there must not hide what it saw before.
        if self.has_accounts or (who is not None and not (who.kind == "share" and who.is_ambient)):
            return who or NOBODY
        scheme_name, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme_name.lower() == "bearer" and self._read_token.matches(given.strip()):
            return _HAS_READ_TOKEN
        return LOCAL if is_local(request) else who or NOBODY

    def admit(self, request: Request, access: Access) -> Who:
        """Return who asks for a route of that access; raise HttpError 401 or 403 where that is nobody who may at all.

        Which sites of it, the handler sees to.
        """
        who = self.identify(request)
        if who.is_ambient:
            refuse_foreign(request, who.csrf)
        if access == "own":
            return who
        # Without an account nobody changes anything; what is sent to routes that read is a question.
        is_question = request.method in _SAFE_METHODS or access == "read"
        if (is_question or who.kind != "local") and any(who.may(access, site) for site in self._sites()):
            return who
        raise self.refusal(who)

    def read(self, request: Request) -> None:
        """Let a read of what belongs to no site but `default` pass; else raise 401 or 403."""
        who = self.admit(request, "read")
        if not who.reads(self._snapshot().by_id.get(DEFAULT_SITE) or self._sites()[0]):
            raise self.refusal(who)

    def refusal(self, who: Who) -> HttpError:
        """Return what to raise for somebody who may not: 401 where more proof could help."""
        if who.kind == "local":
            return HttpError(
                403,
                "account_needed",
                f"{who.name} may only read, and this server has no account yet",
                f"make the first one: {SET_UP_HINT}",
            )
        if who.kind != "nobody":
            return HttpError(
                403, "forbidden", f"{who.name} may not do that", "ask an admin of this server for the right"
            )
        if self.has_accounts:
            return HttpError(
                401,
                "login_needed",
                "these numbers are for people with an account, or a key",
                "log in at /login, or send  Authorization: Bearer KEY  with a key of  visitor-tracker key add",
            )
        return HttpError(
            401,
            "read_token_needed",
            "these numbers are shown on the server's own machine, or with its token",
            "send  Authorization: Bearer TOKEN  with the token that  visitor-tracker token  prints",
        )

    def _sites(self) -> tuple[Site, ...]:
        return self._snapshot().sites or (_NO_SITE,)


def _too_many(wait: int) -> HttpError:
    return HttpError(
        429,
        "rate_limited",
        "too many visits from this address",
        f"wait {wait} s, or raise rate_limit.per_second and rate_limit.burst",
        retry_after=wait,
        dropped="rate_limit",
    )


def refuse_foreign(request: Request, csrf: str = "") -> None:
    """Raise 403 where another web site makes a browser ask, or a change lacks `csrf`: proofs are sent whoever asks.

    A page elsewhere cannot read the answer, but it must not make this machine work, or change, for it either.
    """
    headers = request.headers
    changes = request.method not in _SAFE_METHODS
    if headers.get("sec-fetch-site") == "cross-site" and (changes or headers.get("sec-fetch-mode") != "navigate"):
        raise HttpError(403, "other_site", "another web site asks for this", "open it yourself")
    if not changes:
        return
    origin = headers.get("origin")
    asking = (origin or "").partition("://")[2].lower()  # "" for "null"
    if origin is not None and (not asking or asking != headers.get("host", "").lower()):
        raise HttpError(403, "other_site", "another web site asks for this change", "open it yourself")
    if csrf and not hmac.compare_digest(headers.get("x-csrf-token", "").encode(), csrf.encode()):
        raise HttpError(
            403, "csrf", "the change lacks the token of its login", "send  X-CSRF-Token  with csrf of GET /api/v1/me"
        )


def is_local(request: Request) -> bool:
    """Say whether a request comes from this machine and no proxy: peer and Host are loopback, nothing forwarded.

    The Host rule keeps a web page elsewhere from reading through a visitor's own browser (DNS rebinding).
    HTTP/1.0 counts as a proxy: an nginx before 1.29.7 that was told nothing but proxy_pass speaks it, names this
    server's own address as Host and says nothing of its client. Later ones do so by HTTP/1.1, and cannot be told from
    this machine: so it only reads, and docs/accounts.md warns of them.
    """
    peer, headers = request.peer, request.headers
    if request.version == "HTTP/1.0":
        return False
    if peer.unix or not _is_loopback(peer.address) or any(name in headers for name in _PROXY_HEADERS):
        return False
    host = headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in _LOOPBACK_HOSTS or _is_loopback(name.strip("[]"))


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    try:
        return _unmapped(ip_address(address)).is_loopback
    except ValueError:
        return False
