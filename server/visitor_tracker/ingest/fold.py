"""Fold the inbox into the tables that reports read, each event once.

    inbox ──rows of one site──▶ events ──▶ facts ──one transaction──▶ events, sessions, rollups …; the rows are deleted

Deleting its row is the mark that a row was folded, so whatever fails is tried again and nothing counts twice. A site
is folded by one node at a time: who holds its lease, which every transaction looks at. A row that cannot be folded is
split into rows of one event each, and an event that cannot be folded alone is set aside in dead_letters with the
reason.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import msgspec

from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import Event, InboxRow, decode_events, encode_events
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.ingest.folding import Changes, Prepared, Robot
from visitor_tracker.ingest.people import Rule
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.store import folding as tables
from visitor_tracker.store import vocabulary
from visitor_tracker.store.inbox import Inbox, add_rows, remove_rows
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_MOST_EVENTS, _LEAST_EVENTS = 2_000, 100  # of one transaction
_FIRST_EVENTS = 500
_HOLD_SECONDS = 0.015  # a transaction may take while others wait for the turn to write
_ROWS = 64  # read at once
_IDLE_SECONDS = 0.1
_PAUSE_SECONDS = (0.1, 2.0)  # first and longest pause while the store is away
_ELSEWHERE_SECONDS = 1.0  # until a site that another node holds is looked at again
_LAST_SECONDS = 5.0  # to fold what is left when the server stops
_MOST_REASON = 500  # characters

RuleOf = Callable[[int], Rule]


class _Elsewhere(Exception):
    """Another node folds this site; the transaction is rolled back, nothing was done."""


class Folder:
    """Belongs to one thread. More of them, on one node or several, fold different sites at a time."""

    def __init__(self, store: SqlStore, counters: Counters, rule_of: RuleOf, *, holder: str = "") -> None:
        """`rule_of` says how a site counts, by its id; `holder` is who this is to other nodes."""
        self._store = store
        self._tables = tables.FoldTables(store.database)
        self._inbox = Inbox(store.database)
        self._counters = counters
        self._rule_of = rule_of
        self._holder = holder or f"{os.getpid()}-{os.urandom(12).hex()}"
        self._profiles = Profiles()
        self._most = _FIRST_EVENTS
        self._elsewhere: dict[int, float] = {}  # sites of other nodes: monotonic time to look again
        self._held: set[int] = set()
        self._pause = 0.0
        self._is_away = False

    def run(self, stop: threading.Event) -> None:
        """Fold until `stop`, and then what is left for some seconds more, if the store is there."""
        while not stop.is_set():
            if not self._step_or_log():
                stop.wait(self._pause or _IDLE_SECONDS)
        until = time.monotonic() + _LAST_SECONDS
        while not self._pause and time.monotonic() < until and self._step_or_log():
            pass
        self.let_go()

    def step(self) -> bool:
        """Fold a transaction's worth of each site that waits; False: nothing is left here, or the store is away."""
        try:
            folded = False
            for site_id in self._tables.sites_waiting():
                if self._elsewhere.get(site_id, 0.0) <= time.monotonic():
                    folded |= self._fold_some(site_id)
        except (StoreUnavailable, OutcomeUnknown) as error:
            self._store_failed(error)
            return False
        if self._is_away:
            log.info("the fold goes on")
            self._is_away = False
        self._pause = 0.0
        return folded

    def let_go(self) -> None:
        """Let other nodes have the sites at once."""
        held, self._held = self._held, set()
        try:
            for site_id in held:
                self._tables.write(partial(tables.release_lease, site_id=site_id, holder=self._holder))
        except (StoreUnavailable, OutcomeUnknown):
            log.debug("the leases end by themselves")

    def _step_or_log(self) -> bool:
        try:
            return self.step()
        except Exception:
            log.exception("folding failed and is tried again")
            self._pause = _PAUSE_SECONDS[1]
            return False

    def _store_failed(self, error: Exception) -> None:
        first, longest = _PAUSE_SECONDS
        self._pause = min(2 * self._pause, longest) or first
        self._most = max(_LEAST_EVENTS, self._most // 2)
        self._counters.add(Cell.STORE_ERRORS)
        if not self._is_away:
            log.warning("the fold waits for the store: %s", error)
            self._is_away = True

    # One site.

    def _fold_some(self, site_id: int) -> bool:
        """Fold the site's oldest rows, in one transaction where nothing is wrong with them."""
        rows = self._inbox.rows(site_id, _ROWS)
        chosen: list[InboxRow] = []
        events = 0
        for row in rows:
            if chosen and events + row.events > self._most:
                break
            chosen.append(row)
            events += row.events
        return bool(chosen) and self._fold_rows(site_id, chosen)

    def _fold_rows(self, site_id: int, rows: Sequence[InboxRow]) -> bool:
        """Fold the rows; where that fails each alone, and what fails alone is taken apart. False: not ours."""
        try:
            return self._try(site_id, rows)
        except (StoreUnavailable, OutcomeUnknown):
            raise
        except Exception as error:
            if len(rows) > 1:
                return all([self._fold_rows(site_id, [row]) for row in rows])
            log.debug("a row of the inbox cannot be folded", exc_info=True)
            self._take_apart(rows[0], error)
            return True

    def _try(self, site_id: int, rows: Sequence[InboxRow]) -> bool:
        rule = self._rule_of(site_id)
        prepared = {row.id: [self._prepare(event, rule) for event in decode_events(row.body)] for row in rows}
        try:
            folded, duplicates, took = self._tables.write(
                lambda session: self._apply(session, site_id, rule, prepared, rows[0].id)
            )
        except _Elsewhere:
            self._elsewhere[site_id] = time.monotonic() + _ELSEWHERE_SECONDS
            self._held.discard(site_id)
            return False
        self._profiles.stored()
        self._held.add(site_id)
        self._counters.add(Cell.FOLDED, folded)
        self._counters.add(Cell.FOLD_DUPLICATES, duplicates)
        self._learn_size(took)
        return True

    def _prepare(self, event: Event, rule: Rule) -> Prepared:
        fact = fact_of(event, rule.timezone, self._profiles)
        if not judge(event.signals):
            return Prepared(event, fact, None)
        texts = self._profiles
        return Prepared(
            event, fact, Robot(tuple(map(texts.text, _reasons(event.signals))), texts.text(event.agent.bot))
        )

    def _apply(
        self, session: Session, site_id: int, rule: Rule, prepared: dict[bytes, list[Prepared]], batch_id: bytes
    ) -> tuple[int, int, float]:
        """Return how many events were folded, how many had been before, and how long others had to wait."""
        began = time.monotonic()
        now = time.time_ns() // 1_000_000
        if not tables.hold_lease(session, site_id, self._holder, now, now + int(LEASE_SECONDS * 1000)):
            raise _Elsewhere
        ids = tables.still_waiting(session, site_id, list(prepared))
        events = [event for row_id, row in prepared.items() if row_id in ids for event in row]
        new = self._new(session, site_id, events, batch_id, now)
        profiles = self._profiles
        vocabulary.add_texts(session, profiles.fresh_texts)
        vocabulary.add_sources(session, profiles.fresh_sources)
        vocabulary.add_contexts(session, profiles.fresh_contexts)
        Changes(session, site_id, rule, profiles).add(new)
        remove_rows(session, site_id, ids)
        return len(new), len(events) - len(new), time.monotonic() - began

    def _new(
        self, session: Session, site_id: int, events: Sequence[Prepared], batch_id: bytes, now: int
    ) -> list[Prepared]:
        """Return the events that were never folded; the page counter has checked the ids of its own."""
        unchecked = [event.fact.id for event in events if not event.event.counted]
        left = tables.new_ids(session, site_id, unchecked, batch_id, now)
        new: list[Prepared] = []
        for event in events:
            if event.event.counted:
                new.append(event)
            elif event.fact.id in left:
                left.remove(event.fact.id)
                new.append(event)
        return new

    def _learn_size(self, took: float) -> None:
        """Make transactions shorter while others wait for their end, else longer: both have their price."""
        if self._store.database.is_wanted():
            wanted = int(self._most * _HOLD_SECONDS / max(took, 0.001))
            self._most = min(max(_LEAST_EVENTS, wanted), self._most)
        else:
            self._most = min(_MOST_EVENTS, self._most + self._most // 4)

    # What cannot be folded.

    def _take_apart(self, row: InboxRow, error: Exception) -> None:
        """Make rows of one event each of a row, or set aside what is one event or none that can be read."""
        try:
            events = decode_events(row.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            events = []
        if len(events) > 1:
            parts = [
                InboxRow(row.site_id, row.id[:6] + os.urandom(10), row.at, 1, encode_events([event]))
                for event in events
            ]
        else:
            parts = []
            reason = f"{type(error).__name__}: {error}"[:_MOST_REASON]
            self._inbox.set_aside(reason, row.body, time.time_ns() // 1_000_000, row.site_id)
            self._counters.add(Cell.DEAD_LETTERS)
            log.error("an event that cannot be folded is set aside, see  visitor-tracker deadletter list: %s", reason)

        def work(session: Session) -> None:
            if tables.still_waiting(session, row.site_id, [row.id]):
                add_rows(session, parts)
                remove_rows(session, row.site_id, [row.id])

        self._tables.write(work)


@lru_cache(256)
def _reasons(signals: int) -> tuple[str, ...]:
    return tuple(reasons(signals))
