"""The work of an embedded tracker, in the threads of the process that it is in.

send ──▶ pipeline ▸ journal (synced) ──▶ Delivered
                      └──(drainer, folder)──▶ reports
"""

import logging
import queue
import threading
from contextlib import ExitStack
from typing import Any

import msgspec

from visitor_tracker.access.snapshot import FILE, read_snapshot
from visitor_tracker.app import App, Shared, background_of, first_snapshot
from visitor_tracker.config import Config
from visitor_tracker.errors import AlreadyRunning, HttpError, OutcomeUnknown, StoreUnavailable
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.ingest.hit import Client, Receipt
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.jobs.background import Background
from visitor_tracker.jobs.own_stores import Backgrounds
from visitor_tracker.middleware.tracker import Delivered, Refused, Unavailable
from visitor_tracker.reports.everywhere import all_stats, all_visitors, any_visitor
from visitor_tracker.reports.visitors import LIMIT, LIMIT_MOST, Scope, Visitor
from visitor_tracker.serve import hold_locks, migrate_store
from visitor_tracker.sites import Snapshot
from visitor_tracker.web.dialects import own
from visitor_tracker.web.visitors import now_ms, unknown_visitor

log = logging.getLogger(__name__)

Row = dict[str, Any]

_TICK_SECONDS = 0.5
_ANSWER_SECONDS = 30.0
_SENDER = Client("", "visitor-tracker-middleware", {}, vouched=True)


class Inside:
    """A tracker of this process. Nothing is opened before it is asked for."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()  # of _running; the first event waits for migrations under it
        self._running: _Running | None = None

    def send(self, events: bytes) -> Delivered:
        """Understand and journal a JSON array of events; raises Unavailable, Refused."""
        request = Request("POST", "/api/v1/events", "", {}, events, keep_alive=True, peer=Peer(""))
        try:
            parts = own.read(request)
            app = self._opened().app
        except HttpError as error:
            raise Refused(error.message) from error
        except (StoreUnavailable, OutcomeUnknown) as error:
            raise Unavailable(str(error)) from error
        answer: queue.SimpleQueue[Receipt | None] = queue.SimpleQueue()
        app.intake.keep(*app.intake.understand(parts, _SENDER, app.intake.read_now(_SENDER)), answer.put)
        app.flush()
        try:
            receipt = answer.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise Unavailable("the journal does not answer") from None
        if receipt is None:
            raise Unavailable("the journal takes nothing now")
        return Delivered(receipt.accepted, tuple(filter(None, receipt.verdicts)))

    def get_all_visitors(self, limit: int = LIMIT) -> list[Row]:
        """Return the visitors of all sites as docs/visitors.md shows them, the newest first."""
        app = self._opened().app
        most = min(limit, LIMIT_MOST)
        found: list[Visitor] = all_visitors(app.store.database, _scopes(app), now_ms(), country_name, most)
        return [_row(each) for each in found]

    def get_visitor(self, ip: str) -> Row:
        """Return one visitor, or {error, ip} where there is none."""
        app = self._opened().app
        found = any_visitor(app.store.database, _scopes(app), now_ms(), country_name, ip)
        return dict(unknown_visitor(ip)) if found is None else _row(found)

    def get_visitor_stats(self) -> Row:
        """Return {total_visitors, total_visits, countries, top_ips}."""
        app = self._opened().app
        return _row(all_stats(app.store.database, _scopes(app), now_ms(), country_name))

    def close(self) -> None:
        """Store what waits and let go of everything; the next event opens it again."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def _opened(self) -> "_Running":
        with self._lock:
            if self._running is None:
                self._running = _Running(self._config)
            return self._running


class _Running:
    """An App, its ticks, and the background work if this process is the one to do it."""

    def __init__(self, config: Config) -> None:
        """Raise StoreUnavailable while neither the store nor what is known of it is there."""
        self._config = config
        self._background: Background | Backgrounds | None = None
        self._holds = ExitStack()
        leads = self._leads()
        try:
            self.app = App(config, Shared(config, 1, opened_snapshot(config) if leads else _others_snapshot(config)))
        except BaseException:
            self._holds.close()
            raise
        if leads:
            self._start_background()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded-tracker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.app.stop_taking()
        if self._background is not None:
            self._background.stop()
        self.app.close()
        self._holds.close()

    def _leads(self) -> bool:
        with ExitStack() as stack:
            try:
                hold_locks(self._config, stack)
            except AlreadyRunning:
                return False
            self._holds = stack.pop_all()
        return True

    def _start_background(self) -> None:
        self._background = background_of(
            self._config, self.app.store, self.app.counters, own_counters=self.app.shared.own_counters
        )
        self._background.start()

    def _run(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            try:
                self.app.tick()
                if self._background is None and self._leads():
                    log.info("this process does the background work now")
                    self._start_background()
            except Exception:
                log.exception("a tick of the embedded tracker failed")


def opened_snapshot(config: Config) -> Snapshot:
    """Bring the store up to date and return its keys and sites; while it is away, what was known before."""
    return first_snapshot(config, ask=_is_migrated(config))


def _is_migrated(config: Config) -> bool:
    """Bring the tables up to date; False: the store is away, and what was known before will do."""
    try:
        migrate_store(config)
    except (StoreUnavailable, OutcomeUnknown):
        snapshot = read_snapshot(config.data_dir / FILE)
        if snapshot is None or not snapshot.secrets:
            raise
        return False
    return True


def _others_snapshot(config: Config) -> Snapshot:
    """Return what the process has written that does the background work."""
    snapshot = read_snapshot(config.data_dir / FILE)
    if snapshot is None or not snapshot.secrets:
        raise StoreUnavailable("another process is preparing the data folder")
    return snapshot


def _scopes(app: App) -> list[Scope]:
    snapshot = app.snapshot.now
    return [Scope(site, snapshot.policy_of(site.id)) for site in snapshot.sites]


def _row(value: msgspec.Struct) -> Row:
    row: Row = msgspec.to_builtins(value)
    return row
