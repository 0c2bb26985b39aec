"""Fold the inbox into the tables that reports read, each event once.

    inbox ──rows of one site──▶ events ──▶ facts ──one transaction──▶ events, sessions, rollups …; the rows are deleted

Deleting its row is the mark that a row was folded, so whatever fails is tried again and nothing counts twice. A site
is folded by one node at a time: who holds its lease, which every transaction looks at. A row that cannot be folded is
split into rows of one event each, and an event that cannot be folded alone is set aside in dead_letters with the
reason. But where the store is what fails, everything waits: no event is to blame.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import (
    InboxRow,
    RawEvent,
    decode_agent,
    decode_events,
    decode_raw_events,
    encode_events,
)
from visitor_tracker.ingest.arrivals import arrivals_of
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.ingest.deltas import settle
from visitor_tracker.ingest.erased import without_erased
from visitor_tracker.ingest.folding import Changes, Prepared, Robot
from visitor_tracker.ingest.people import Rule
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sessions.interning import fact_of_raw
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.sums import Sums
from visitor_tracker.store import folding as tables
from visitor_tracker.store import vocabulary
from visitor_tracker.store.arrivals import add_arrivals
from visitor_tracker.store.inbox import Inbox, add_letter, add_rows, remove_rows
from visitor_tracker.store.own import Own
from visitor_tracker.store.session import Session, T, ValueRefused
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_MOST_EVENTS, _LEAST_EVENTS = 2_000, 100  # of one transaction
_FIRST_EVENTS = 500
_HOLD_SECONDS = 0.015  # a transaction may take while others wait for the turn to write
_MOST_ROWS = 500  # of one transaction
_TRANSACTIONS, _MOST_PUT_OFF = 16, 8_000  # of how many, and of how many events, the rollups are written at once
_IDLE_SECONDS = 0.1
_PAUSE_SECONDS = (0.1, 2.0)  # first and longest pause while the store is away
_ELSEWHERE_SECONDS = 1.0  # until a site that another node holds is looked at again
_FAILED_SECONDS = 2.0  # until a site that fails is tried again, while the others go on
_TOLD_SECONDS = 600.0  # until the same problem is told again
_LAST_SECONDS = 5.0  # to fold what is left when the server stops
_MOST_REASON = 500  # characters

RuleOf = Callable[[int], Rule]


class _Elsewhere(Exception):
    """Another node folds this site; the transaction is rolled back, nothing was done."""


class _Folded(msgspec.Struct, frozen=True):
    """What a transaction came to; `took` seconds others had to wait, and whether somebody did.

    `delta` is what it left to a later one.
    """

    new: int
    duplicates: int
    took: float
    was_wanted: bool
    delta: Sums | None


class Folder:
    """Belongs to one thread. More of them, on one node or several, fold different sites at a time."""

    def __init__(
        self,
        store: SqlStore,
        counters: Counters,
        rule_of: RuleOf,
        *,
        holder: str = "",
        forgets_words: Callable[[], bool] = bool,
    ) -> None:
        """`rule_of` says how a site counts, by its id; `holder` is who this is to other nodes.

        `forgets_words` is called when nothing waits; True: it has emptied the tables of texts, sources and contexts.
        """
        self._forgets_words = forgets_words
        self._store = store
        # No ledger beside it has seen what the page counter counted.
        self._checks_all_ids = isinstance(store.database, Own)
        self._tables = tables.FoldTables(store.database)
        self._inbox = Inbox(store.database)
        self._counters = counters
        self._rule_of = rule_of
        self._holder = holder or f"{os.getpid()}-{os.urandom(12).hex()}"
        self._profiles = Profiles()
        self._deltas: dict[bytes, Sums] = {}  # what transactions just before came to, by the ids in rollup_deltas
        self._most = _FIRST_EVENTS
        self._later: dict[int, float] = {}  # sites of other nodes, or that fail: monotonic time to look again
        self._held: set[int] = set()
        self._pause = 0.0
        self._is_away = False
        self._told: dict[str, float] = {}  # problems, and the monotonic time to tell each again

    def run(self, stop: threading.Event, drained: threading.Event | None = None) -> None:
        """Fold until `stop`, and then for some seconds more, if the store is there, what is left.

        `drained` is set when nothing more comes into the inbox.
        """
        while not stop.is_set():
            if not self._step_or_log():
                stop.wait(self._pause or _IDLE_SECONDS)
        until = time.monotonic() + _LAST_SECONDS
        while not self._pause and time.monotonic() < until:
            was_last = drained is None or drained.is_set()
            if not self._step_or_log():
                if was_last or drained is None:
                    break
                drained.wait(_IDLE_SECONDS)
        self.let_go()

    def step(self) -> bool:
        """Fold a transaction's worth of each site that waits; False: nothing is left here, or the store is away.

        Where a site fails it raises what did, when the others have had their turn.
        """
        problem: Exception | None = None
        folded = False
        try:
            for site_id in self._tables.sites_waiting():
                if self._later.get(site_id, 0.0) > time.monotonic():
                    continue
                try:
                    folded |= self._fold_some(site_id)
                except (StoreUnavailable, OutcomeUnknown):
                    raise
                except Exception as error:  # noqa: BLE001 - raised when the others have had their turn
                    self._later[site_id] = time.monotonic() + _FAILED_SECONDS
                    problem = problem or error
        except (StoreUnavailable, OutcomeUnknown) as error:
            self._store_failed(error)
            return False
        if problem is not None:
            raise problem
        if self._is_away:
            log.info("the fold goes on")
            self._is_away = False
        self._pause = 0.0
        return folded

    def let_go(self) -> None:
        """Let other nodes have the sites at once."""
        held, self._held = sorted(self._held), set()

        def work(session: Session) -> None:
            for site_id in held:
                tables.release_lease(session, site_id, self._holder)

        try:
            if held:
                self._tables.write(work)
        except (StoreUnavailable, OutcomeUnknown, StoreError):
            log.debug("the leases end by themselves", exc_info=True)

    def _step_or_log(self) -> bool:
        try:
            return self.step() or self._forget_words()
        except Exception as error:
            self._counters.add(Cell.STORE_ERRORS, isinstance(error, StoreError))
            if self._is_news(repr(error)):
                log.exception("folding failed and is tried again")
            return False

    def _forget_words(self) -> bool:
        if not self._pause and self._forgets_words():
            self._profiles = Profiles()
        return False

    def _is_news(self, problem: str) -> bool:
        """Say whether the problem is to be told: the same one again and again is told now and then."""
        now = time.monotonic()
        if self._told.get(problem, 0.0) > now:
            return False
        self._told = {told: until for told, until in self._told.items() if until > now}
        self._told[problem] = now + _TOLD_SECONDS
        return True

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
        """Fold the site's oldest rows, in few transactions; the last one of them writes the rollups of all."""
        self._deltas.clear()
        most_events = min(_TRANSACTIONS * self._most, max(_MOST_PUT_OFF, self._most))
        rows = self._inbox.oldest(site_id, most_rows=_MOST_ROWS, most_events=most_events)
        if not rows:
            return bool(self._write(site_id, lambda session: settle(session, site_id, self._profiles)))
        folded = False
        while rows:
            fit = _fitting(rows, self._most)
            if not self._fold_rows(site_id, rows[:fit], may_put_off=fit < len(rows)):
                break
            folded = True
            rows = rows[fit:]
        return folded

    def _fold_rows(self, site_id: int, rows: Sequence[InboxRow], *, may_put_off: bool = False) -> bool:
        """Fold the rows; where one of them fails each half, and what fails alone is taken apart. False: not ours."""
        try:
            return self._try(site_id, rows, may_put_off=may_put_off)
        except Exception as error:
            if not _is_of_events(error):
                raise
            log.debug("rows of the inbox cannot be folded", exc_info=True)
            self._profiles = Profiles()  # what the store refuses may be among what is fresh
            if len(rows) == 1:
                return self._take_apart(rows[0], error)
        half = len(rows) // 2
        return self._fold_rows(site_id, rows[:half]) and self._fold_rows(site_id, rows[half:])

    def _try(self, site_id: int, rows: Sequence[InboxRow], *, may_put_off: bool) -> bool:
        rule = self._rule_of(site_id)
        prepared = {row.id: [self._prepare(event, rule) for event in decode_raw_events(row.body)] for row in rows}
        delta_id = os.urandom(16) if may_put_off else b""

        def work(session: Session) -> _Folded:
            return self._apply(session, site_id, rule, prepared, delta_id)

        folded = self._write(site_id, work)
        if folded is None:
            return False
        if folded.delta is not None:
            self._deltas[delta_id] = folded.delta
        self._profiles.stored()
        self._counters.add(Cell.FOLDED, folded.new)
        self._counters.add(Cell.FOLD_DUPLICATES, folded.duplicates)
        self._learn_size(folded)
        return True

    def _write(self, site_id: int, work: Callable[[Session], T]) -> T | None:
        """Run `work` in a transaction that has the site's lease; None: another node has it, nothing was done."""

        def with_lease(session: Session) -> T:
            now = time.time_ns() // 1_000_000
            if not tables.hold_lease(session, site_id, self._holder, now, now + int(LEASE_SECONDS * 1000)):
                raise _Elsewhere
            return work(session)

        try:
            done = self._tables.write(with_lease)
        except _Elsewhere:
            self._later[site_id] = time.monotonic() + _ELSEWHERE_SECONDS
            self._held.discard(site_id)
            return None
        self._held.add(site_id)
        return done

    def _prepare(self, event: RawEvent, rule: Rule) -> Prepared:
        fact = fact_of_raw(event, rule.timezone, self._profiles)
        if not judge(event.signals):
            return Prepared(event, fact, None)
        texts = self._profiles
        return Prepared(
            event,
            fact,
            Robot(tuple(map(texts.text, _reasons(event.signals))), texts.text(decode_agent(event.agent).bot)),
        )

    def _apply(
        self, session: Session, site_id: int, rule: Rule, prepared: dict[bytes, list[Prepared]], delta_id: bytes
    ) -> _Folded:
        """Do all of a transaction; without a `delta_id` the rollups have to be changed at once."""
        began = time.monotonic()
        batch_id = os.urandom(16)
        ids = tables.still_waiting(session, site_id, list(prepared))
        waiting = [event for row_id, row in prepared.items() if row_id in ids for event in row]
        events = without_erased(session, site_id, rule, waiting)
        new = self._new(session, site_id, events, batch_id, time.time_ns() // 1_000_000)
        profiles = self._profiles
        vocabulary.add_texts(session, profiles.fresh_texts)
        vocabulary.add_sources(session, profiles.fresh_sources)
        vocabulary.add_contexts(session, profiles.fresh_contexts)
        changes = Changes(session, site_id, rule, profiles)
        changes.add(new)
        arrived = arrivals_of([each.event for each in events], [each.event for each in new])
        add_arrivals(session, site_id, arrived)
        delta = changes.put_off(delta_id) if delta_id else None
        if delta is None:
            changes.write(self._deltas)
        remove_rows(session, site_id, ids)
        # Asked with the turn to write in hand: once it is given back, who waited has it and waits no more.
        was_wanted = self._store.database.is_wanted()
        return _Folded(len(new), len(events) - len(new), time.monotonic() - began, was_wanted, delta)

    def _new(
        self, session: Session, site_id: int, events: Sequence[Prepared], batch_id: bytes, now: int
    ) -> list[Prepared]:
        """Return the events that were never folded; the page counter has checked ids that it stored with its counts."""
        unchecked = [event.fact.id for event in events if self._checks_all_ids or not event.event.counted]
        left = tables.new_ids(session, site_id, unchecked, batch_id, now)
        new: list[Prepared] = []
        for event in events:
            if event.event.counted and not self._checks_all_ids:
                new.append(event)
            elif event.fact.id in left:
                left.remove(event.fact.id)
                new.append(event)
        return new

    def _learn_size(self, folded: _Folded) -> None:
        """Make transactions shorter while others wait for their end, else longer: both have their price."""
        if folded.was_wanted:
            wanted = int(self._most * _HOLD_SECONDS / max(folded.took, 0.001))
            self._most = min(max(_LEAST_EVENTS, wanted), self._most)
        else:
            self._most = min(_MOST_EVENTS, self._most + self._most // 4)

    # What cannot be folded.

    def _take_apart(self, row: InboxRow, error: Exception) -> bool:
        """Make rows of one event each of a row, or set aside what is one event or none that can be read."""
        try:
            events = decode_events(row.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            events = []
        reason = f"{type(error).__name__}: {error}"[:_MOST_REASON]
        parts = [
            InboxRow(row.site_id, row.id[:6] + os.urandom(10), row.at, 1, encode_events([event]))
            for event in (events if len(events) > 1 else ())
        ]

        def work(session: Session) -> bool:
            if not tables.still_waiting(session, row.site_id, [row.id]):
                return False
            add_rows(session, parts)
            if not parts:
                add_letter(session, reason, row.body, time.time_ns() // 1_000_000, row.site_id)
            remove_rows(session, row.site_id, [row.id])
            return not parts

        is_aside = self._write(row.site_id, work)
        if is_aside:
            self._counters.add(Cell.DEAD_LETTERS)
            if self._is_news(type(error).__name__):
                log.error("what cannot be folded is set aside, see  visitor-tracker deadletter list: %s", reason)
        return is_aside is not None


def _fitting(rows: Sequence[InboxRow], most_events: int) -> int:
    """Return of how many rows the events fit into one transaction; at least one."""
    left = most_events - rows[0].events
    for number, row in enumerate(rows[1:], 1):
        left -= row.events
        if left < 0:
            return number
    return len(rows)


def _is_of_events(error: Exception) -> bool:
    """Say whether what was being folded is to blame, and not the store or the machine, where all of it would fail."""
    return isinstance(error, ValueRefused) or not isinstance(
        error, StoreError | StoreUnavailable | OutcomeUnknown | MemoryError | OSError
    )


@lru_cache(256)
def _reasons(signals: int) -> tuple[str, ...]:
    return tuple(reasons(signals))
