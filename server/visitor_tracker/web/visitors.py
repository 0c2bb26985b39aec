"""Visitors one by one: who is here now, one session's events, and the visitors API of old."""

import time
from collections.abc import Callable

import msgspec

from visitor_tracker.event import Signal
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.ingest import bots
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.reports.live import FEED_MOST, Judge, LiveView
from visitor_tracker.reports.timeline import timeline
from visitor_tracker.reports.visitors import LIMIT, LIMIT_MOST, Scope, visitor, visitor_stats, visitors
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.asked import JSON, answer, fields_of, number, site_named, sites_asked_for
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route, argument

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


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class VisitorRoutes:
    def __init__(
        self,
        store: SqlStore,
        snapshot: Callable[[], Snapshot],
        hash_session: HashSession,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """`hash_session` hashes a session id that pages gave as ingest does; `clock` is epoch ms."""
        self._database = store.database
        self._snapshot = snapshot
        self._hash_session = hash_session
        self._clock = clock
        self._live = LiveView(store.database, JUDGE)

    def routes(self) -> list[Route]:
        old = "/v1/monitoring/visitors"
        return [
            Route("GET", "/api/v1/live", self.live, "who is on a site now: ?site=", "visitors"),
            Route("GET", "/sessions/{id}", self.session, "one session's events in order: ?site=", "visitors"),
            Route("GET", old, self.visitors, "visitors one by one, newest first: ?site_id=&limit=", "visitors"),
            Route("GET", f"{old}/stats", self.stats, "how many visitors, and from where: ?site_id=", "visitors"),
            Route("GET", f"{old}/{{ip}}", self.visitor, "one visitor: ?site_id=", "visitors"),
        ]

    def live(self, request: Request) -> Answer:
        """GET /api/v1/live?site=&feed=: `feed` says how many events."""
        fields = fields_of(request)
        site = site_named(fields.get("site") or fields.get("site_id") or "default", visible(self._snapshot(), request))
        length = number(fields, "feed", _FEED, FEED_MOST, least=0)
        live = self._live.read(site, self._clock())
        robots = msgspec.structs.replace(live.robots, feed=live.robots.feed[:length])
        return answer(msgspec.structs.replace(live, feed=live.feed[:length], robots=robots))

    def session(self, request: Request) -> Answer:
        """GET /sessions/{id}, as clients of a website-analytics server of old ask for it."""
        snapshot = visible(self._snapshot(), request)
        sites = sites_asked_for(fields_of(request), snapshot)
        session_id = argument(request)
        found = self._database.read(
            lambda session: timeline(
                session,
                sites,
                session_id,
                lambda site, text: self._hash_session(snapshot, site, text),
                JUDGE.robots,
            )
        )
        return Response(404, _NO_SESSION, JSON) if found is None else answer(found)

    def visitors(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors: {visitors, count}."""
        fields = fields_of(request)
        scopes = self._scopes(request)
        limit = number(fields, "limit", LIMIT, LIMIT_MOST)
        now = self._clock()
        found = self._database.read(lambda session: visitors(session, scopes, now, country_name, limit))
        return answer({"visitors": found, "count": len(found)})

    def stats(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors/stats."""
        scopes, now = self._scopes(request), self._clock()
        return answer(self._database.read(lambda session: visitor_stats(session, scopes, now, country_name)))

    def visitor(self, request: Request) -> Answer:
        """GET /v1/monitoring/visitors/{ip}; one that is not known is answered with 200, as ever."""
        scopes, ip, now = self._scopes(request), argument(request), self._clock()
        found = self._database.read(lambda session: visitor(session, scopes, now, country_name, ip))
        return answer(unknown_visitor(ip) if found is None else found)

    def _scopes(self, request: Request) -> list[Scope]:
        snapshot = visible(self._snapshot(), request)
        sites = sites_asked_for(fields_of(request), snapshot)
        return [Scope(site, snapshot.policy_of(site.id)) for site in sites]


def unknown_visitor(ip: str) -> dict[str, str]:
    """Return what the visitors API of old answers for an address it does not know."""
    return {"error": f"No data found for IP: {ip}", "ip": ip}
