"""Reads that the later version of the website-analytics server of old has: /sessions, /heatmap, /health."""

from typing import Annotated

import msgspec

from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.reports.everywhere import all_sessions, any_timeline
from visitor_tracker.reports.latest_sessions import (
    ListedSession,
    SessionHeat,
    Status,
    heat_of,
)
from visitor_tracker.reports.visitors import Scope
from visitor_tracker.web.asked import JSON, answer, query_as, sites_asked_for, that_answer
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.visitors import JUDGE

_LIMIT, _LIMIT_MOST = 100, 1_000
_ID = "the session id that the page sent, or one of GET /sessions"


class SessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site_id: Annotated[str, msgspec.Meta(description="name of a site; without it all that you may see")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=_LIMIT_MOST)] = _LIMIT
    status: Annotated[Status | None, msgspec.Meta(description="active: heard of in the last 30 minutes")] = None


class Sessions(msgspec.Struct, frozen=True):
    sessions: list[ListedSession]
    count: int


class HeatQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    site_id: str = ""
    page_url: Annotated[str, msgspec.Meta(description="clicks of this page only")] = ""


class Health(msgspec.Struct, frozen=True):
    status: str
    database: str


class OldAnalytics:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.store.database

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/sessions",
                self.sessions,
                "sessions, newest first: ?site_id=&limit=&status=",
                "visitors",
                query=SessionsQuery,
                answer=Sessions,
            ),
            Route(
                "GET",
                "/heatmap/{session_id}",
                self.heatmap,
                "where one session clicked, in squares of 10 px: ?page_url=",
                "visitors",
                query=HeatQuery,
                answer=SessionHeat,
            ),
            Route("GET", "/health", self.health, "whether server and store work", "own", answer=Health),
        ]

    def sessions(self, request: Request) -> Answer:
        """GET /sessions?site_id=&limit=&status=."""
        asked = query_as(request, SessionsQuery)
        snapshot = visible(self._parts.snapshot(), request)
        wanted = sites_asked_for({"site_id": asked.site_id}, snapshot)
        sites, left_out = that_answer(self._database, wanted)
        scopes = [Scope(site, snapshot.policy_of(site.id)) for site in sites]
        found = all_sessions(self._database, scopes, self._parts.clock(), asked.limit, asked.status)
        return answer(Sessions(found, len(found)), left_out)

    def heatmap(self, request: Request) -> Answer:
        """GET /heatmap/{session_id}?page_url=&site_id=."""
        asked = query_as(request, HeatQuery)
        snapshot = visible(self._parts.snapshot(), request)
        sites = sites_asked_for({"site_id": asked.site_id}, snapshot)
        found = any_timeline(
            self._database,
            sites,
            argument_named(request, "session_id"),
            lambda site, text: self._parts.hash_session(snapshot, site, text),
            JUDGE.robots,
        )
        if found is None:
            raise HttpError(404, "no_session", "no visit has this id", f"use {_ID}")
        return answer(heat_of(found, asked.page_url))

    def health(self, request: Request) -> Answer:
        """GET /health, as monitors of old ask: 503 while the store is away, though visits are taken even then."""
        try:
            self._parts.store.ping()
        except (StoreUnavailable, StoreError, OutcomeUnknown):
            return Response(503, msgspec.json.encode(Health("degraded", "away")), (*JSON, ("Retry-After", "2")))
        return answer(Health("healthy", "connected"))
