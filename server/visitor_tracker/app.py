"""Build the program from its settings: the one place that knows every part.

`App` is what one process needs to answer requests; `Shared` is what all processes of a server share and
therefore exists before the fork.
"""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from visitor_tracker import resources
from visitor_tracker.access.audit import Audit
from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.access.last_use import LastUse
from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.sites import SiteBook
from visitor_tracker.access.snapshot import FILE, SnapshotReader, read_snapshot
from visitor_tracker.access.tokens import ReadToken, TokenSigner
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.ingest.agent import AgentReader, Agents, Classifier
from visitor_tracker.ingest.counter import Counter
from visitor_tracker.ingest.counting_apart import CountingApart
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.intake import Intake
from visitor_tracker.ingest.journals import Journals, open_journals
from visitor_tracker.ingest.lookup import OnlineLookup
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.ingest.seen import Seen
from visitor_tracker.ingest.visitor import hashed
from visitor_tracker.ingest.visits import Visits
from visitor_tracker.jobs.background import Background
from visitor_tracker.jobs.courtesy import Workers
from visitor_tracker.jobs.extracting import Extracting
from visitor_tracker.jobs.judging import Judging
from visitor_tracker.jobs.others import others_of
from visitor_tracker.jobs.own_stores import Backgrounds, own_backgrounds, readers
from visitor_tracker.jobs.rules import folder_by_sites, rule_of_site
from visitor_tracker.metrics import Cell, Counters, Metrics
from visitor_tracker.routes import api_routes, api_schemes, page_routes
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.api_keys import ApiKeyTable
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.of_settings import store_of as stores_of
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.admission import Admission
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.badge import BadgeRoutes
from visitor_tracker.web.collect import Clients, CollectRoutes
from visitor_tracker.web.counter import CounterRoutes
from visitor_tracker.web.dashboard import DashboardRoutes
from visitor_tracker.web.dialect import Dialect
from visitor_tracker.web.dialects import ackee, analytics, goatcounter, matomo, own, plausible, script, track, umami
from visitor_tracker.web.guards import Cors, Guards, TrustedProxies
from visitor_tracker.web.health import HealthRoutes, parted
from visitor_tracker.web.heat import HeatRoutes
from visitor_tracker.web.home import HomeRoutes
from visitor_tracker.web.pages import PageReader
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.replay import ReplayRoutes
from visitor_tracker.web.router import Route, Router
from visitor_tracker.web.strangers import Strangers

log = logging.getLogger(__name__)

LOOKUPS_A_MINUTE = 45  # what ip-api.com allows


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of a server, the same for all of its processes."""

    reads: bytes = field(repr=False)
    token: bytes = field(repr=False)
    cookies: bytes = field(repr=False)


class Shared:
    """Made before the fork: counters and rate buckets in shared memory, the keys, and sites as they are at start.

    With these in hand a worker can start, and take visits, while the store is away.
    """

    def __init__(self, config: Config, workers: int, snapshot: Snapshot) -> None:
        self.metrics = Metrics(max(1, workers) + len(config.site_stores))
        self.snapshot = snapshot
        self.own_counters = [self.metrics.counters(-number) for number, _ in enumerate(config.site_stores, 1)]
        self.keys = keys_of(config, snapshot)
        limits = config.rate_limit
        self.limiter = RateLimiter(limits.per_second, limits.burst, enabled=limits.enabled)


class App:
    """Store, journal, counter and routes of one process; `router` is the Application to serve."""

    def __init__(self, config: Config, shared: Shared, process: int = 0) -> None:
        self.config = config
        self.counters = counters = shared.metrics.counters(process)
        self.store = store_of(config)
        self.shared = shared
        self.snapshot = SnapshotReader(config.data_dir / FILE, shared.snapshot)
        self.guards = Guards(
            TrustedProxies(config.trusted_proxies),
            Cors(config.cors.origins, config.cors.max_age),
            shared.limiter,
            ReadToken(shared.keys.reads),
            snapshot=lambda: self.snapshot.now,
            strangers=Strangers(max(1, config.http.threads // 2)),
        )
        self.pages = PageReader(config.counter.drop_parameters)
        self.signer = TokenSigner(shared.keys.token)
        most = 4 * config.http.max_queue
        main, self._own_journals = open_journals(config, counters, most)
        self.journal = Journals(main, self._own_journals) if self._own_journals else main
        self.geo = GeoReader(config.geo, online=_online(config))
        reader = AgentReader(counters)
        self._agents = Agents(reader, Classifier(reader, self.flush_joined), counters)
        self.counter = Counter(
            self.store,
            main,
            counters,
            committers=_committers(config),
            most_waiting=most,
        )
        self._counting = CountingApart(self.counter, self._own_journals) if self._own_journals else self.counter
        self.intake = self._intake(config)
        floor, seconds = config.counter.badge_floor, config.counter.badge_seconds
        self._badges = BadgeRoutes(self.store, self.guards, self.pages, floor=floor, seconds=seconds)
        self.router = Router(
            self._routes(config),
            guards=self.guards,
            counters=counters,
            flush=self.flush,
            hsts=config.tls.hsts,
        )

    def _intake(self, config: Config) -> Intake:
        book = SiteBook(config.data_dir)
        pipeline = Pipeline(
            snapshot=lambda: self.snapshot.now,
            make_site=lambda name: book.create(name, self.snapshot.now),
            geo=self.geo,
            drop_parameters=config.counter.drop_parameters,
        )
        seen = Seen(Inbox(self.store.database).known)
        visits = Visits(pipeline, lambda: self.snapshot.now, seen.note)
        return Intake(pipeline, visits, self._agents, self.journal, seen, self.counters)

    def _routes(self, config: Config) -> Sequence[Route]:
        files = resources.client_files()
        assets = AssetRoutes(files)
        home = HomeRoutes(self.store, self.guards, assets, DashboardRoutes(files, assets))
        parts = self._parts(config, files, assets)
        self.guards.schemes = api_schemes(parts)
        cookies = VisitorCookies(self.shared.keys.cookies)
        uses = LastUse(ApiKeyTable(self.store.database).used)
        clients = Clients(self.guards, lambda: self.snapshot.now, cookies, config.geo.header, uses)
        sessions = analytics.Sessions()
        collecting = CollectRoutes(
            all_dialects(sessions),
            intake=self.intake,
            clients=clients,
            guards=self.guards,
            cookies=cookies,
            snapshot=lambda: self.snapshot.now,
            counters=self.counters,
            body_most=config.http.max_body,
            batch_most=config.http.max_batch,
        )
        counting = CounterRoutes(
            counter=self._counting,
            store=self.store,
            intake=self.intake,
            clients=clients,
            guards=self.guards,
            pages=self.pages,
            signer=self.signer,
            counters=self.counters,
            path_pixel=collecting.handler(goatcounter.count_pixel),
        )
        own = parted(config, self.store.database, self._own_journals)
        routes = [
            *home.routes(),
            *counting.routes(),
            *self._with_recordings(collecting.routes(), config, clients, sessions),
            *self._badges.routes(),
            *page_routes(files, assets, lambda: self.snapshot.now, config),
            *api_routes(parts),
            *HealthRoutes(self.store, self.journal, self.shared.metrics, own).routes(),
        ]
        home.list_routes(routes)
        return routes

    def _parts(self, config: Config, files: Mapping[str, bytes], assets: AssetRoutes) -> Parts:
        return Parts(
            config,
            self.store,
            self.guards,
            Audit(self.store),
            lambda: self.snapshot.now,
            _hash_session,
            files,
            assets,
            lambda: time.time_ns() // 1_000_000,
            self.counters,
            self.shared.keys.token,
            lambda: self.router.routes,
        )

    def _with_recordings(
        self, events: Sequence[Route], config: Config, clients: Clients, sessions: analytics.Sessions
    ) -> list[Route]:
        """Return the routes of events, one of which takes recordings too, and those of recordings and heat."""
        apart = self._own_journals.keys()
        admission = Admission(self.guards, clients, self.intake, lambda: self.snapshot.now, self.counters, apart)
        replays = ReplayRoutes(
            self.store,
            admission,
            lambda: self.snapshot.now,
            _hash_session,
            config.replay,
            body_most=config.http.max_batch,
        )
        heat = HeatRoutes(self.store, admission, lambda: self.snapshot.now, config.counter.drop_parameters)
        read = partial(analytics.read_replay, sessions=sessions)
        return [
            *[replays.beside(route, read) if route.path == analytics.EVENTS_PATH else route for route in events],
            *replays.routes(),
            *heat.routes(),
        ]

    def flush(self) -> None:
        """Make durable what waits; the loop has gathered all that was ready."""
        self._agents.new_gather()
        self.flush_joined()

    def flush_joined(self) -> None:
        """Make durable what waits, while the loop goes on gathering."""
        self._counting.flush()
        self.journal.flush()

    def tick(self) -> None:
        """Take over what changed outside: called about twice a second, costs a few system calls."""
        self.snapshot.refresh()
        self.geo.refresh()
        self.flush_joined()  # also lets go of an old segment, and of visits that a store which hangs keeps waiting

    def is_trusted(self, address: str) -> bool:
        """Say whether the peer is a proxy whose connections have no cap."""
        return self.guards.trusted.holds(address)

    def reload(self, config: Config) -> None:
        """Take over the settings that can change while the server runs."""
        limits = config.rate_limit
        self.shared.limiter.update(limits.per_second, limits.burst, enabled=limits.enabled)
        self.guards.trusted = TrustedProxies(config.trusted_proxies)
        self.guards.cors = Cors(config.cors.origins, config.cors.max_age)
        self._badges.update(floor=config.counter.badge_floor, seconds=config.counter.badge_seconds)

    def stop_taking(self) -> None:
        """Make durable what waits and take no more; what is journaled by now can be drained after this."""
        self._agents.close()
        self._counting.close()
        self.journal.close()

    def close(self) -> None:
        """Store what waits and let go of the store; nothing may be sent to the router any more."""
        self.stop_taking()
        self.geo.close()
        self.store.close()


def store_of(config: Config) -> SqlStore:
    """Open the store of the settings, without migrating it."""
    return stores_of(config)


def keys_of(config: Config, snapshot: Snapshot) -> Keys:
    """Return the keys of settings and snapshot."""
    secrets = snapshot.secrets
    return Keys(secrets["reads"], config.server.secret_key.encode() or secrets["token"], secrets["cookie"])


def journal_folder(config: Config) -> Path:
    """Return where this node's journal is."""
    return config.journal_folder


def first_snapshot(config: Config, *, ask: bool = True) -> Snapshot:
    """Bring keys and sites up to date and return them; while the store is away, what the snapshot file has.

    Raises StoreUnavailable where there is no such file either. Without `ask` the store is known to be away.
    """
    path = config.data_dir / FILE
    problem = _step_once(config) if ask else StoreUnavailable("it did not answer just now")
    found = read_snapshot(path)
    if problem is None:
        if found is None:
            raise StoreUnavailable(f"{path} was just written and cannot be read")
        return found
    if found is None or not found.secrets:
        raise problem
    log.warning("starting with the keys and sites of %s, the store is away: %s", path, problem)
    return found


def _step_once(config: Config) -> StoreUnavailable | OutcomeUnknown | None:
    """Let a keeper bring keys and sites up to date; return why the store is away, if it is."""
    try:
        with closing(store_of(config)) as store:
            Keeper(store, config, Metrics().counters()).step(time.time_ns() // 1_000_000)
    except (StoreUnavailable, OutcomeUnknown) as error:
        return error
    return None


def background_of(
    config: Config,
    store: SqlStore,
    counters: Counters,
    workers: Metrics | None = None,
    own_counters: Sequence[Counters] = (),
) -> Background | Backgrounds:
    """Return the work nobody waits for; one process of a node does it, which gives way to `workers`, if any.

    `own_counters` are a row for each site that has a database of its own.
    """
    main = store.of_main()
    keeper = Keeper(main, config, counters)
    reader = readers(config)
    are_short = bool if workers is None else _workers(config, workers).are_short
    background = Background(
        main,
        Drainer(journal_folder(config), main, counters, config=config.journal),
        folder_by_sites(config, main, counters),
        migrate=partial(migrate, main, config.counter.drop_parameters),
        keep=lambda: keeper.step(time.time_ns() // 1_000_000),
        ids_days=config.store.ids_keep_days,
        config=config,
        extracting=Extracting(main, reader()),
        judging=Judging(main, reader(), partial(rule_of_site, config), counters),
        others=others_of(config, store),
        are_short=are_short,
    )
    if not config.site_stores:
        return background
    return Backgrounds(background, own_backgrounds(config, main, own_counters, are_short))


def _workers(config: Config, metrics: Metrics) -> Workers:
    return Workers(partial(metrics.total, Cell.LOOP_BUSY_MILLISECONDS), worker_count(config))


def folder_of(config: Config, store: SqlStore, counters: Counters) -> Folder:
    """Return what folds the inbox by the sites of the snapshot file; belongs to one thread."""
    return folder_by_sites(config, store, counters)


def all_dialects(sessions: analytics.Sessions | None = None) -> list[Dialect]:
    """Return every collect endpoint; `sessions` is shared with who reads recordings."""
    return analytics.dialects(sessions) + [
        dialect
        for module in (own, script, track, plausible, umami, goatcounter, matomo, ackee)
        for dialect in module.dialects()
    ]


def _online(config: Config) -> OnlineLookup | None:
    """Return the look-ups of one worker, which share what the services allow a minute."""
    if config.geo.online == "off":
        return None
    return OnlineLookup(config.geo.online, per_minute=max(1, LOOKUPS_A_MINUTE // max(1, worker_count(config))))


def _hash_session(snapshot: Snapshot, site: Site, session: str) -> bytes:
    return hashed(snapshot, site, session, "session")


def _committers(config: Config) -> int:
    """Two where one may wait for the network while the other stores; but workers share a machine too."""
    return 2 if config.store_url.startswith("mysql") and worker_count(config) <= 1 else 1


def worker_count(config: Config) -> int:
    """Return the number of worker processes, 0 for everything in one."""
    workers = config.server.workers
    if workers == "auto":
        return len(os.sched_getaffinity(0)) if config.store_url.startswith("mysql") else 1
    return workers
