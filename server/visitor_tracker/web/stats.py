"""GET /stats: the numbers of a site. Without a question everything of all time, as trackers of old tell it."""

import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.http.url import parse_query
from visitor_tracker.reports import overview
from visitor_tracker.reports.answers import Answer as Found
from visitor_tracker.reports.answers import answer, shown_breakdown, shown_series, shown_totals
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.sites import Site, Snapshot, site_id_of
from visitor_tracker.store.replay import ReplayTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.routed import sees_all, visible
from visitor_tracker.web.router import Route

_JSON: Headers = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
_FIELDS = {"filters": "filter"}  # where the parameter has another name
_QUESTION = {name: _FIELDS.get(name, name) for name in Asked.__dataclass_fields__}
_SITE = ("site_id", "site")
_DEFAULT = "default"
_LONG_WAIT_SECONDS = 5.0  # for the answer to another filtered question


class StatsRoutes:
    """Handlers of the numbers; for readers."""

    def __init__(
        self, store: SqlStore, snapshot: Callable[[], Snapshot], *, clock: Callable[[], int] | None = None
    ) -> None:
        """`clock` is epoch ms."""
        self._table = ReportTable(store.database)
        self._replays = ReplayTable(store.database)
        self._snapshot = snapshot
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)
        self._long = threading.Lock()

    def routes(self) -> list[Route]:
        return [Route("GET", "/stats", self.stats, "the numbers of a site: ?site_id=&period=&by=&filter=", "read")]

    def stats(self, request: Request) -> Answer:
        """Everything of all time, and what the question comes to where there is one."""
        try:
            fields = parse_query(request.query)
        except ValueError as error:
            raise HttpError(400, "invalid_query", str(error)) from error
        asked = Asked(**{name: fields.get(field, "") for name, field in _QUESTION.items()})
        if asked != Asked():
            _refuse_unknown(fields)
        snapshot = visible(self._snapshot(), request)
        name = fields.get("site_id") or fields.get("site") or ""
        site = snapshot.by_name.get(name or _DEFAULT)
        if site is None and (asked != Asked() or not sees_all(request)):
            raise HttpError(404, "unknown_site", "there is no such site", "visitor-tracker site list  shows the names")
        # A page of old asks before its site's first visit, and expects zeros.
        site = site or Site(site_id_of(name), name)
        now_ms = self._clock()
        policy = snapshot.policy_of(site.id).visitor
        sites = [site] if name else snapshot.sites
        body = msgspec.structs.asdict(overview.visits(self._table, site, policy, now_ms))
        body |= msgspec.structs.asdict(
            overview.counted(self._table, sites, self._replays.events(each.id for each in sites))
        )
        if asked != Asked():
            body |= self._answered(asked, site, snapshot, now_ms)
        return Response(200, msgspec.json.encode(body), _JSON)

    def _answered(self, asked: Asked, site: Site, snapshot: Snapshot, now_ms: int) -> dict[str, object]:
        policy = snapshot.policy_of(site.id).visitor
        try:
            question = read_question(asked, site, policy, now_ms=now_ms, known=lambda: self._table.known(site.id))
            found = self._long_answer(question) if question.is_long else answer(self._table, question)
        except QueryError as error:
            raise HttpError(400, f"invalid_{error.name}", str(error)) from error
        body: dict[str, object] = {
            "totals": shown_totals(question, found.totals),
            "series": shown_series(found.series),
        }
        if found.breakdowns:
            body["breakdown"] = shown_breakdown(found.breakdowns[0])
        return body

    def _long_answer(self, question: Question) -> Found:
        """Answer from visits or events, one question at a time: each may keep a core busy that visits need too."""
        if not self._long.acquire(timeout=_LONG_WAIT_SECONDS):
            raise HttpError(
                503,
                "busy",
                "another filtered question is being answered",
                "try again, or narrow the span",
                retry_after=5,
            )
        try:
            return answer(self._table, question)
        finally:
            self._long.release()


def _refuse_unknown(fields: Iterable[str]) -> None:
    """Tell a parameter that nobody reads: it is a mistake in a question. Without one, callers of old may send any."""
    known = sorted({*_QUESTION.values(), *_SITE})
    if unknown := sorted(set(fields) - set(known)):
        raise HttpError(
            400, "unknown_parameter", f"there is no parameter {unknown[0][:40]!r}", f"use {', '.join(known)}"
        )
