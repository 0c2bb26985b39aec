"""GET /stats: the numbers of a site. Without a question everything of all time, as trackers of old tell it."""

import time
from collections.abc import Callable

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports import overview
from visitor_tracker.reports.answers import Answer as Found
from visitor_tracker.reports.answers import answer, shown_breakdown, shown_series, shown_totals
from visitor_tracker.reports.query import Asked, QueryError, Question, read_question
from visitor_tracker.sites import Site, Snapshot, site_id_of
from visitor_tracker.store.replay import ReplayTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.asked import answer as in_json
from visitor_tracker.web.asked import site_named, that_answer
from visitor_tracker.web.routed import sees_all, visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.stats_types import OldStatsQuery, Stats
from visitor_tracker.web.turns import long_turn
from visitor_tracker.web.typed import question_of, refuse_unknown

_DEFAULT = "default"


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

    def routes(self) -> list[Route]:
        summary = "the numbers of a site: ?site_id=&period=&by=&filter="
        return [Route("GET", "/stats", self.stats, summary, "read", query=OldStatsQuery, answer=Stats)]

    def stats(self, request: Request) -> Answer:
        """Everything of all time, and what the question comes to where there is one."""
        sent = question_of(request, OldStatsQuery)
        asked = sent.asked()
        if asked != Asked():
            refuse_unknown(request, OldStatsQuery)
        snapshot = visible(self._snapshot(), request)
        name = sent.site_id or sent.site
        site = snapshot.by_name.get(name or _DEFAULT)
        if site is None and (asked != Asked() or not sees_all(request)):
            site_named(name or _DEFAULT, snapshot)
        # A page of old asks before its site's first visit, and expects zeros.
        site = site or Site(site_id_of(name), name)
        now_ms = self._clock()
        policy = snapshot.policy_of(site.id).visitor
        sites, left_out = that_answer(self._table.database, [site] if name else snapshot.sites)
        body = msgspec.structs.asdict(overview.visits(self._table, site, policy, now_ms))
        body |= msgspec.structs.asdict(
            overview.counted(self._table, sites, self._replays.events(each.id for each in sites))
        )
        if asked != Asked():
            body |= self._answered(asked, site, snapshot, now_ms)
        return in_json(body, left_out)

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
        with long_turn():
            return answer(self._table, question)
