"""Where hits become durable: understood, journaled, and only then answered.

submit ──▶ agent known? ──yes──▶ Pipeline ──▶ Journal.add ──(flush, synced)──▶ done(Receipt)
                └──no──▶ classifier thread ──┘
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import DropReason, Event
from visitor_tracker.ingest.address import address_of
from visitor_tracker.ingest.agent import Agents, Reading
from visitor_tracker.ingest.bots import judge
from visitor_tracker.ingest.dropped import CELL_OF
from visitor_tracker.ingest.hit import Client, Hit, Malformed, Receipt
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.ingest.journals import Journals
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.ingest.seen import Seen
from visitor_tracker.ingest.visits import Visits
from visitor_tracker.metrics import Cell, Counters

Done = Callable[[Receipt | None], None]  # None: nothing was stored, the journal cannot take it


class Intake:
    """Of one process; any thread may submit."""

    def __init__(  # noqa: PLR0913
        self,
        pipeline: Pipeline,
        visits: Visits,
        agents: Agents,
        journal: Journal | Journals,
        seen: Seen,
        counters: Counters,
    ) -> None:
        self.pipeline = pipeline
        self._visits = visits
        self._agents = agents
        self._journal = journal
        self._seen = seen
        self._counters = counters

    @property
    def available(self) -> bool:
        """False while nothing can be stored."""
        return self._journal.available

    def submit(self, parts: Sequence[Hit | Malformed], client: Client, done: Done) -> None:
        """Understand and keep the hits of one request; `done` may be called at once, or later from any thread."""
        reading = self._agents.known(client.user_agent)
        if reading is None:
            self._agents.reading(client.user_agent, partial(self._understand_and_keep, parts, client, done))
            return
        part = parts[0]
        if len(parts) == 1 and not client.vouched and isinstance(part, Hit):  # as nearly always
            outcome = self.pipeline.understand(part, client, reading, time.time_ns() // 1_000_000)
            if isinstance(outcome, Event):
                self._seen.note(outcome)
                if outcome.signals and judge(outcome.signals):
                    self._counters.add(Cell.BOTS)
                stored = _StoredOne(self._counters, outcome, done)
                if not self._journal.add((outcome,), stored):
                    stored(False)
                return
        self._understand_and_keep(parts, client, done, reading)

    def _understand_and_keep(
        self, parts: Sequence[Hit | Malformed], client: Client, done: Done, reading: Reading
    ) -> None:
        self.keep(*self.understand(parts, client, reading), done)

    def submit_and_ask(self, parts: Sequence[Hit | Malformed], client: Client, done: Done) -> None:
        """Do as `submit` in a thread that may wait, and learn whether the visitor of the first event is new."""
        events, receipt = self.understand(parts, client, self._agents.read(client.user_agent))
        if events and events[0].visitor:
            with suppress(StoreUnavailable, StoreError, OutcomeUnknown):  # nobody knows, then
                receipt = msgspec.structs.replace(receipt, first_visit=self._seen.claim(events[0]))
        self.keep(events, receipt, done)

    def read_now(self, client: Client) -> Reading:
        """Return what the user agent says, for a thread that may wait for it."""
        return self._agents.read(client.user_agent)

    def known(self, user_agent: str) -> Reading | None:
        """Return what the user agent says, None where finding out takes time."""
        return self._agents.known(user_agent)

    def with_reading(self, user_agent: str, ready: Callable[[Reading], None]) -> None:
        """Call `ready` with what the user agent says: at once where that is quick, else from another thread."""
        self._agents.reading(user_agent, ready)

    def understand(
        self, parts: Sequence[Hit | Malformed], client: Client, reading: Reading
    ) -> tuple[list[Event], Receipt]:
        """Return the events to keep, and what becomes of each part once they are kept."""
        now = time.time_ns() // 1_000_000
        events: list[Event] = []
        verdicts: list[DropReason | None] = []
        problems: dict[int, str] = {}
        for part in parts:
            if isinstance(part, Malformed):
                problems[len(verdicts)] = part.problem
                verdicts.append(part.reason)
                continue
            outcome = self._one(part, client, reading, now)
            if isinstance(outcome, Event):
                events.append(outcome)
                verdicts.append(None)
            else:
                verdicts.append(outcome)
        return events, Receipt(verdicts, problems, events[0] if events else None)

    def event_of(
        self, url: str, visit_id: bytes | None, client: Client, reading: Reading, *, is_shared: bool
    ) -> Event | DropReason:
        """Return the event of a visit that the per-page counter stores; `is_shared`: see Visits.event."""
        return self._visits.event(url, visit_id, client, reading, time.time_ns() // 1_000_000, is_shared=is_shared)

    def keep(self, events: Sequence[Event], receipt: Receipt, done: Done) -> None:
        """Journal the events of one receipt."""
        if not events:
            _count_dropped(self._counters, receipt)
            done(receipt)
            return

        robots = 0
        for event in events:
            self._seen.note(event)
            robots += judge(event.signals)
        if robots:
            self._counters.add(Cell.BOTS, robots)
        stored = _Stored(self._counters, events, receipt, done)
        if not self._journal.add(events, stored):
            stored(False)

    def _one(self, hit: Hit, client: Client, reading: Reading, now: int) -> Event | DropReason:
        if client.vouched and (hit.ip or hit.user_agent):
            client = _client_of(hit, client)
            reading = self._agents.read(client.user_agent)
        return self.pipeline.understand(hit, client, reading, now)


class _StoredOne(msgspec.Struct, frozen=True, gc=False):
    """As `_Stored`, for a request that is a single event."""

    counters: Counters
    event: Event
    done: Done

    def __call__(self, is_stored: bool) -> None:
        if is_stored:
            self.done(Receipt([None], first=self.event))
        else:
            self.counters.add(Cell.DROPPED_UNAVAILABLE)
            self.done(None)


class _Stored(msgspec.Struct, frozen=True, gc=False):
    """What the journal calls about the events of one receipt; a function with these bound costs twice as much.

    The journal counts what it has stored as accepted, all at once.
    """

    counters: Counters
    events: Sequence[Event]
    receipt: Receipt
    done: Done

    def __call__(self, is_stored: bool) -> None:
        receipt = self.receipt
        if not is_stored:
            self.counters.add(Cell.DROPPED_UNAVAILABLE, len(self.events))
            self.done(None)
            return
        if len(receipt.verdicts) != len(self.events):
            _count_dropped(self.counters, receipt)
        self.done(receipt)


def _count_dropped(counters: Counters, receipt: Receipt) -> None:
    for verdict in receipt.verdicts:
        if verdict is not None:
            counters.add(CELL_OF[verdict])


def _client_of(hit: Hit, sender: Client) -> Client:
    """Return the client for whom a program sends; what the program's own request shows is not the client's."""
    user_agent = hit.user_agent or sender.user_agent
    ip = address_of(hit.ip)
    if not ip:
        return msgspec.structs.replace(sender, user_agent=user_agent)
    return msgspec.structs.replace(sender, ip=ip, user_agent=user_agent, headers={}, country="")
