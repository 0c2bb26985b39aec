"""Visitors one by one: who is here now, one session's events, and the visitors API of old."""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker.event import Signal
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.ingest import bots
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.reports.everywhere import all_stats, all_visitors, any_timeline, any_visitor
from visitor_tracker.reports.live import FEED_MOST, Judge, Live, LiveView, shortened
from visitor_tracker.reports.timeline import Timeline
from visitor_tracker.reports.visitors import (
    LIMIT,
    LIMIT_MOST,
    Scope,
    Visitor,
    VisitorStats,
)
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.asked import JSON, LeftOut, answer, that_answer
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route, argument
from visitor_tracker.web.site_query import OfSite, OfSites, OldName, OptionalSite
from visitor_tracker.web.typed import question_of

JUDGE = Judge(sum(int(signal) for signal in Signal if bots.judge(int(signal))), bots.reasons)

_FEED = 20
_NO_SESSION = msgspec.json.encode(
    {
        "detail": "Session not found",  # what clients of the earlier API read
        "error": {
            "code": "no_session",
            "message": "no visit has this id",
            "hint": "use the session id that the page sent, or an id as GET /api/v1/live shows it",
        },
    }
)

HashSession = Callable[[Snapshot, Site, str], bytes]


class LiveQuery(OfSite, frozen=True):
    """Who is on a site."""

    feed: Annotated[int, Meta(ge=0, le=FEED_MOST, description="How many events, and as many of robots")] = _FEED


class OldVisitors(msgspec.Struct, frozen=True):
    """Visitors of a site, or of all."""

    site_id: OldName = ""
    site: OptionalSite = ""

    def among(self, snapshot: Snapshot) -> tuple[Site, ...]:
        """Return the site that is named, else all of them; raises HttpError 404 where there is none of that name."""
        return OfSites(self.site, self.site_id).among(snapshot)


class OldVisitorList(OldVisitors, frozen=True):
    """The same, as a list."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description="How many at most, the newest")] = LIMIT


class Visitors(msgspec.Struct, frozen=True):
    """Visitors, the newest first."""

    visitors: list[Visitor]
    count: int


class NoVisitor(msgspec.Struct, frozen=True):
    """What the visitors API of old answers for an address it does not know, with status 200."""

    error: str
    ip: str


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class VisitorRoutes:
    def __init__(
        self,
        store: SqlStore,
        snapshot: Callable[[], Snapshot],
        hash_session: HashSession,
        clock: Callable[[], int] = now_ms,
        live: LiveView | None = None,
    ) -> None:
        """`hash_session` hashes a session id that pages gave as ingest does; `clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._hash_session = hash_session
        self._clock = clock
        self._live = live or LiveView(store.database, JUDGE)

    def routes(self) -> list[Route]:
        old, any_of = "/v1/monitoring/visitors", OldVisitors
        one, by_id = "one session's events in order: ?site=", "/sessions/{id}"
        newest = "visitors one by one, newest first: ?site_id=&limit="
        how_many = "how many visitors, and from where: ?site_id="
        now = "who is on a site now: ?site="
        return [
            Route("GET", "/api/v1/live", self.live, now, "visitors", query=LiveQuery, answer=Live),
            Route("GET", by_id, self.session, one, "visitors", query=any_of, answer=Timeline),
            Route("GET", old, self.visitors, newest, "visitors", query=OldVisitorList, answer=Visitors),
            Route("GET", f"{old}/stats", self.stats, how_many, "visitors", query=any_of, answer=VisitorStats),
            Route(
                "GET",
                f"{old}/{{ip}}",
                self.visitor,
                "one visitor: ?site_id=",
                "visitors",
                query=any_of,
                answer=Visitor | NoVisitor,
            ),
        ]

    def live(self, request: Request) -> Answer:
        """GET /api/v1/live?site=&feed=: `feed` says how many events."""
        asked = question_of(request, LiveQuery)
        site, length = asked.among(visible(self._snapshot(), request)), asked.feed
        return answer(shortened(self._live.read(site, self._clock()), length))

    def session(self, request: Request) -> Answer:
        """GET /sessions/{id}, as clients of a website-analytics server of old ask for it."""
        snapshot = visible(self._snapshot(), request)
        sites = question_of(request, OldVisitors).among(snapshot)
        session_id = argument(request)
        found = any_timeline(
            self._database,
            sites,
            session_id,
            lambda site, text: self._hash_session(snapshot, site, text),
            JUDGE.robots,
        )
        return Response(404, _NO_SESSION, JSON) if found is None else answer(found)

    def visitors(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors: {visitors, count}."""
        asked = question_of(request, OldVisitorList)
        scopes, left_out = self._scopes(request, asked)
        found = all_visitors(self._database, scopes, self._clock(), country_name, asked.limit)
        return answer(Visitors(found, len(found)), left_out)

    def stats(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors/stats."""
        scopes, left_out = self._scopes(request, question_of(request, OldVisitors))
        return answer(all_stats(self._database, scopes, self._clock(), country_name), left_out)

    def visitor(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors/{ip}; one that is not known is answered with 200, as ever."""
        scopes, left_out = self._scopes(request, question_of(request, OldVisitors))
        ip = argument(request)
        found = any_visitor(self._database, scopes, self._clock(), country_name, ip)
        return answer(unknown_visitor(ip) if found is None else found, left_out)

    def _scopes(self, request: Request, asked: OldVisitors) -> tuple[list[Scope], LeftOut]:
        snapshot = visible(self._snapshot(), request)
        sites, left_out = that_answer(self._database, asked.among(snapshot))
        return [Scope(site, snapshot.policy_of(site.id)) for site in sites], left_out


def unknown_visitor(ip: str) -> dict[str, str]:
    """Return what the visitors API of old answers for an address it does not know."""
    return {"error": f"No data found for IP: {ip}", "ip": ip}
