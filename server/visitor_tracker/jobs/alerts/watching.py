"""Look at every rule each minute, note what happens, and send what that tells.

    rules ──look──▶ happenings ──decide──▶ states and deliveries (one transaction) ──▶ receivers

Of several nodes one does it: who has the lease. A rule that takes long to look at is looked at less often.
"""

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from visitor_tracker.access.alert_channels import Channels
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.config import Config
from visitor_tracker.days import DAY_MS
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable, TrackerError
from visitor_tracker.jobs.alerts.deciding import Circumstances, Decided, decide, event_id
from visitor_tracker.jobs.alerts.delivering import Deliverer, parcels
from visitor_tracker.jobs.alerts.emergency import Emergency, Watched
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, Look, View
from visitor_tracker.jobs.alerts.numbers import goal, threshold
from visitor_tracker.jobs.alerts.of_server import certificate, lag
from visitor_tracker.jobs.alerts.unusual import anomaly, silent
from visitor_tracker.outgoing.channels import Channel
from visitor_tracker.outgoing.courier import Courier, courier_of
from visitor_tracker.reports.query import QueryError
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.alert_deliveries import DeliveryTable, Noted, State
from visitor_tracker.store.alerts import AlertTables, Rule, RuleKind
from visitor_tracker.store.apart import is_apart
from visitor_tracker.store.leases import JobLeases
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
LEASE: Final = "alerts"
HISTORY_DAYS: Final = 90
STATES_DAYS: Final = 60

_LEASE_MS = 3 * MINUTE_MS
_SHARE = 50  # of the time that looking at one rule may take: one part of so many
_ANOMALY_MS = 5 * MINUTE_MS  # hours and days end no more often
SERVER = Site(0, "")

LOOKS: Mapping[RuleKind, Look] = {
    "anomaly": anomaly,
    "threshold": threshold,
    "goal": goal,
    "silent": silent,
    "lag": lag,
    "certificate": certificate,
}


def node_of(config: Config) -> str:
    """Return how this node is called: one server at a time has a data folder, so that the next one has its leases."""
    place = config.data_dir.stat()
    return f"{socket.gethostname()[:24]}:{place.st_dev:x}:{place.st_ino:x}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Watching:
    """Belongs to one thread; `step` about once a minute."""

    def __init__(
        self,
        store: SqlStore,
        config: Config,
        snapshot: SnapshotReader,
        *,
        courier: Courier | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """`clock` is epoch ms."""
        self._store = store
        self._config = config
        self._snapshot = snapshot
        self._clock = clock
        self._started = clock()
        self._courier = courier or courier_of(config)
        self._rules = AlertTables(store.database)
        self._table = DeliveryTable(store.database)
        self._leases = JobLeases(store.database)
        self._holder = node_of(config)
        self._emergency = Emergency(self._courier, clock)
        self._due: dict[bytes, int] = {}  # when a rule is looked at again
        self._unreadable: dict[int, str] = {}  # what was told of sites
        self._purged_at = 0
        self._led_at = -MINUTE_MS

    def run(self, rest: Callable[[float], bool]) -> None:
        """Work until `rest`, which waits for so many seconds, says that it is over."""
        while not rest(0):
            try:
                self.step(lambda: rest(0))
            except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
                log.warning("alerts wait for the store: %s", error)
                self._emergency.tell()
            except Exception:
                log.exception("alerts failed and are tried again")
            if rest(EVERY_SECONDS):
                break
        try:
            self._led_at = -MINUTE_MS
            self._leases.give_back(LEASE, self._holder)
        except TrackerError:
            log.debug("the lease of alerts ends by itself", exc_info=True)

    def step(self, is_over: Callable[[], bool] = bool) -> None:
        """Look at all rules that are due, and send what is."""
        watched = self._rules.sites()
        if not watched or not self._leads():  # where nobody wants to be told, nothing is written each minute
            self._emergency.forget()
            return
        self._emergency.seen()
        self._snapshot.refresh()
        snapshot = self._snapshot.now
        channels = Channels(self._store.database, self._secret(snapshot))
        deliverer = Deliverer(self._table, channels, self._courier, self._clock)
        self._note_emergency()
        sites = {SERVER.id: SERVER, **snapshot.by_id}
        for site_id in watched:
            if site_id in sites:
                with self._alone(site_id):
                    self._look_at_site(sites[site_id], snapshot, channels, is_over)
                deliverer.run(is_over)
                self._emergency.seen()
        deliverer.run(is_over)
        self._purge()
        with self._alone(SERVER.id):
            self._emergency.remember(self._watched(channels))

    @contextmanager
    def _alone(self, site_id: int) -> Iterator[None]:
        """Let a row that cannot be read stop nothing but its own site's alerts; it is told once."""
        try:
            yield
        except StoreError as error:
            if self._unreadable.get(site_id) != str(error):
                log.warning("the alerts of site %d cannot be looked at: %s", site_id, error)
            self._unreadable[site_id] = str(error)

    def _leads(self) -> bool:
        """Say whether this node has the lease, and have it for longer where it was taken a while ago."""
        now = self._clock()
        if not 0 <= now - self._led_at < MINUTE_MS:
            if not self._leases.take(LEASE, self._holder, now, _LEASE_MS):
                return False
            self._led_at = now
        return True

    def _watched(self, channels: Channels) -> list[Watched]:
        """Return the rules of which the store need not be there."""
        there = channels.all(SERVER.id)
        return [
            Watched(rule, tuple(channel for channel in there if channel.id.hex() in rule.channels))
            for rule in self._rules.rules(SERVER.id)
            if rule.is_on
            and rule.kind == "lag"
            and all(state.done for state in self._table.states(SERVER.id, rule.id).values())
        ]

    def _note_emergency(self) -> None:
        """Note what was told while the store was away, so that nothing but its end is told again."""
        for rule_id, since in self._emergency.told().items():
            event = event_id(str(since))
            before = self._table.states(SERVER.id, rule_id).get(event)
            state = State(since, told=self._clock())
            self._table.note(SERVER.id, rule_id, [Noted(event, state, before)], self._clock())

    def _look_at_site(self, site: Site, snapshot: Snapshot, channels: Channels, is_over: Callable[[], bool]) -> None:
        there = {channel.id.hex(): channel for channel in channels.all(site.id)}
        for rule in self._rules.rules(site.id):
            if is_over() or not self._leads():
                return
            if rule.is_on and self._due.get(rule.id, 0) <= self._clock():
                self._look_at(site, snapshot, rule, there)

    def _look_at(self, site: Site, snapshot: Snapshot, rule: Rule, there: Mapping[str, Channel]) -> None:
        begun = time.monotonic()
        try:
            self._note(site, rule, self._decided(site, snapshot, rule), there)
        except QueryError as error:
            self._tell_problem(site, rule, str(error))
        except (StoreUnavailable, OutcomeUnknown):
            if not is_apart(self._store.database, site.id):
                raise  # for all rules
            self._tell_problem(site, rule, "the database of this site is away")
        except Exception:
            log.exception("the alert %s of %s cannot be looked at", rule.name, site.name or "the server")
            self._tell_problem(site, rule, "it failed: the server's log says why")
        else:
            self._tell_problem(site, rule, "")
        took_ms = int((time.monotonic() - begun) * 1000)
        least = _ANOMALY_MS if rule.kind == "anomaly" else 0
        self._due[rule.id] = self._clock() + max(least, took_ms * _SHARE)

    def _decided(self, site: Site, snapshot: Snapshot, rule: Rule) -> list[Decided]:
        states, now = self._table.states(site.id, rule.id), self._clock()
        policy = snapshot.policy_of(site.id).visitor
        looked = LOOKS[rule.kind](View(self._store, self._config, site, policy, rule, states, now, self._started))
        if looked is None:
            return []
        address = self._config.server.public_url.rstrip("/")
        return decide(Circumstances(rule, site.name, site.timezone, now, address), states, looked)

    def _note(self, site: Site, rule: Rule, decided: list[Decided], there: Mapping[str, Channel]) -> None:
        noted = []
        for each in decided:
            parts: list[tuple[bytes, str]] = []
            if each.message is not None:
                channels = [there[name] for name in rule.channels if name in there]
                parts = [(channel.id, body) for channel in channels for body in parcels(channel, each.message)]
                log.info("alert %s of %s: %s", rule.name, site.name or "the server", each.message.title)
            noted.append(Noted(each.event, each.state, each.before, tuple(parts)))
        if noted:
            self._table.note(site.id, rule.id, noted, self._clock())

    def _tell_problem(self, site: Site, rule: Rule, problem: str) -> None:
        if problem != rule.problem:
            self._rules.note_problem(site.id, rule.id, problem)
        if problem and problem != rule.problem:
            log.warning("the alert %s of %s cannot be looked at: %s", rule.name, site.name or "the server", problem)

    def _secret(self, snapshot: Snapshot) -> bytes:
        """Return the server's secret, by which channels are sealed."""
        own = self._config.server.secret_key.encode()
        return own or snapshot.secrets.get("token") or self._store.secret("token")

    def _purge(self) -> None:
        now = self._clock()
        if now - self._purged_at >= DAY_MS:
            self._table.purge(now - HISTORY_DAYS * DAY_MS, now - STATES_DAYS * DAY_MS)
            self._purged_at = now
