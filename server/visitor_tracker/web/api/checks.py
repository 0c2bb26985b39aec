"""The self-test: what this server finds out about itself, about this request, and about what its sites send."""

import platform
import shutil
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cryptography import x509
from msgspec import Meta

from visitor_tracker import __version__
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.errors import StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.apart import answers, away, of_site
from visitor_tracker.store.base import Finding
from visitor_tracker.store.migrate import pending
from visitor_tracker.store.sightings import Sightings
from visitor_tracker.web.api.people import NoQuery, is_secure
from visitor_tracker.web.asked import answer, query_as
from visitor_tracker.web.checkup import surroundings
from visitor_tracker.web.guards import is_local
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route

_HOUR_MS = 3_600_000
_DAY_SECONDS = 86_400
_CERTIFICATE_DAYS = 14  # that a certificate should be good for, or nobody renews it
_FREE_BYTES = 1 << 30
_PROBED_ZONE = "Europe/Berlin"

State = Literal["ok", "warn", "bad"]
_STATES: dict[str, State] = {"ok": "ok", "warning": "warn", "error": "bad"}


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at; `change` says what to do where it is not ok."""

    name: str
    state: State
    text: str
    change: str = ""


class Seen(msgspec.Struct, frozen=True):
    """How this request came: what the socket and its headers say, and which address counts as the client's."""

    peer: Annotated[str, Meta(description="Address of the connection; empty for the unix socket")]
    trusted: Annotated[bool, Meta(description="Whether it is one of trusted_proxies")]
    forwarded: Annotated[dict[str, str], Meta(description="Headers that proxies send")]
    client: Annotated[str, Meta(description="Address that is counted as the visitor's")]
    host: str
    secure: bool


class SiteSeen(msgspec.Struct, frozen=True):
    """What a site sent lately; `by_counter` is the share that came by the page counter: its image, or /update."""

    site: str
    last_event_at: str | None
    events_hour: int
    by_counter: float | None


class Checks(msgspec.Struct, frozen=True):
    """`now` is the server's clock, for a comparison with one's own."""

    version: str
    now: str
    state: Annotated[State, Meta(description="The worst of all")]
    checks: list[Check]
    request: Seen
    sites: list[SiteSeen]


class CheckRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sightings = Sightings(parts.store.database)

    def routes(self) -> list[Route]:
        summary = "what the server finds out about itself, this request and its sites"
        return [Route("GET", "/api/v1/checks", self.checks, summary, "operate", query=NoQuery, answer=Checks)]

    def checks(self, request: Request) -> Answer:
        """GET /api/v1/checks."""
        query_as(request, NoQuery)
        seen = self._seen(request)
        found = [*self._of_store(), *self._of_own_stores(), *self._of_server(), *self._of_request(request, seen)]
        try:
            sites = self._of_sites(request)
        except (StoreError, StoreUnavailable):  # the check of the store says so
            sites = []
        worst: State = max((check.state for check in found), key=["ok", "warn", "bad"].index)
        now = self._parts.clock()
        return answer(Checks(__version__, iso(now), worst, found, seen, sites))

    def _of_store(self) -> Iterator[Check]:
        store = self._parts.store
        try:
            yield Check("store", "ok", store.describe())
            if waiting := pending(store):
                hint = "run  visitor-tracker migrate, or start the server again, which does it"
                yield Check("store", "warn", f"the store's tables need {', '.join(waiting)}", hint)
            yield from _checks("store", store.check())
        except StoreUnavailable as error:
            yield Check("store", "bad", f"the store is away: {error}", "start the database, or correct store.url")
        except StoreError as error:
            yield Check("store", "bad", f"the store refuses: {error}", "run  visitor-tracker check  for more")

    def _of_own_stores(self) -> Iterator[Check]:
        for site in self._parts.config.site_stores:
            if not answers(of_site(self._parts.store.database, site_id_of(site.name))):
                text = f"the database of the site {site.name} is away; its events wait in its journal"
                yield Check("store", "bad", text, "bring it back; other sites do without it")

    def _of_server(self) -> Iterator[Check]:
        config = self._parts.config
        for name, finding in surroundings(config):
            yield _check(name, finding)
        yield _disk(config.data_dir)
        yield _time_zones()
        yield _client(self._parts)
        if config.tls.certificate:
            yield _certificate(Path(config.tls.certificate), self._parts.clock() // 1000)
        yield Check(
            "versions",
            "ok",
            f"Visitor Tracker {__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        )

    def _of_request(self, request: Request, seen: Seen) -> Iterator[Check]:
        yield self._address(request)
        if seen.forwarded and not seen.trusted:
            yield Check(
                "proxy",
                "warn",
                f"{seen.peer or 'the socket'} sends {', '.join(seen.forwarded)}, which is not believed",
                f"if it is your proxy, add {seen.peer} to trusted_proxies; else nothing is wrong",
            )
        elif seen.forwarded:
            yield Check("proxy", "ok", f"the proxy {seen.peer} is trusted; the client is {seen.client}")
        else:
            yield Check("proxy", "ok", f"no proxy; the client is {seen.client}")
        if seen.secure or is_local(request):
            yield Check("https", "ok", "by https" if seen.secure else "on the server's own machine")
        else:
            yield Check(
                "https",
                "bad",
                "this page came without https: passwords can be read on the way",
                "put a proxy with https in front that sends X-Forwarded-Proto, or set tls.certificate",
            )

    def _address(self, request: Request) -> Check:
        public = self._parts.config.server.public_url.rstrip("/")
        asked = request.headers.get("host", "")
        if public and public.partition("://")[2].lower() == asked.lower():
            return Check("public_url", "ok", public)
        if public:
            return Check(
                "public_url",
                "warn",
                f"server.public_url is {public}, but this page was asked for at {asked}",
                "set server.public_url to the address that visitors and people use",
            )
        state: State = "warn" if Accounts(self._parts.store).any() and not is_local(request) else "ok"
        return Check(
            "public_url",
            state,
            "server.public_url is not set: snippets and links guess the address of this server",
            "set server.public_url, e.g. https://stats.example.com",
        )

    def _of_sites(self, request: Request) -> list[SiteSeen]:
        now = self._parts.clock()
        sites = visible(self._parts.snapshot(), request).sites
        gone = away(self._parts.store.database, (site.id for site in sites))
        return [self._of_site(site.name, site.id, now) for site in sites if site.id not in gone]

    def _of_site(self, name: str, site_id: int, now: int) -> SiteSeen:
        found = self._sightings.of_site(site_id, now - _HOUR_MS, now)
        latest = iso(found.latest_at) if found.latest_at else None
        share = round(found.counted / found.events, 4) if found.events else None
        return SiteSeen(name, latest, found.events, share)

    def _seen(self, request: Request) -> Seen:
        peer, headers = request.peer, request.headers
        trusted = self._parts.guards.trusted
        return Seen(
            "" if peer.unix else peer.address,
            peer.unix or trusted.holds(peer.address),
            {name: text[:500] for name in _FORWARDED if (text := headers.get(name))},
            trusted.client_address(request),
            headers.get("host", ""),
            is_secure(request, self._parts),
        )


_FORWARDED = ("x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")


def _check(name: str, finding: Finding) -> Check:
    return Check(name, _STATES[finding.level], finding.message, finding.hint)


def _checks(name: str, findings: Iterable[Finding]) -> Iterator[Check]:
    return (_check(name, finding) for finding in findings)


def _disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check("disk", "bad", f"{folder}: {error.strerror}", "make the folder, or name another server.data_dir")
    text = f"{free / (1 << 30):.1f} GiB are free for {folder}"
    return Check("disk", "ok", text) if free >= _FREE_BYTES else Check("disk", "warn", text, "free some space")


def _time_zones() -> Check:
    try:
        ZoneInfo(_PROBED_ZONE)
    except (ZoneInfoNotFoundError, OSError):
        return Check(
            "time_zones",
            "bad",
            "there is no time zone data: the days of all sites are those of UTC",
            "install the system's tzdata, or  pip install tzdata",
        )
    return Check("time_zones", "ok", "time zone data is there")


def _client(parts: Parts) -> Check:
    if "script.js" in parts.files and "dashboard.html" in parts.files:
        return Check("client", "ok", "the tracker script and the dashboard are built")
    return Check("client", "bad", "the browser client is not built", "run  make client")


def _certificate(path: Path, now: int) -> Check:
    try:
        ends = x509.load_pem_x509_certificate(path.expanduser().read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        return Check("certificate", "bad", f"{path} cannot be read: {error}", "correct tls.certificate")
    days = int((ends - datetime.fromtimestamp(now, UTC)).total_seconds() // _DAY_SECONDS)
    text = f"the certificate is good until {ends:%Y-%m-%d}"
    if days < 0:
        return Check("certificate", "bad", f"{text}: it is over", "renew it, and send the server SIGHUP")
    if days < _CERTIFICATE_DAYS:
        return Check("certificate", "warn", f"{text}: {days} days", "renew it, and send the server SIGHUP")
    return Check("certificate", "ok", text)
