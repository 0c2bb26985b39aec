"""Build the program from its settings: the one place that knows every part.

`App` is what one process needs to answer requests; `Shared` is what all processes of a server share and
therefore exists before the fork.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from visitor_tracker import resources
from visitor_tracker.access.limits import RateLimiter
from visitor_tracker.access.tokens import ReadToken, TokenSigner
from visitor_tracker.config import Config
from visitor_tracker.ingest.counter import Counter
from visitor_tracker.metrics import Counters, Metrics
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.badge import BadgeRoutes
from visitor_tracker.web.counter import CounterRoutes
from visitor_tracker.web.guards import Cors, Guards, TrustedProxies
from visitor_tracker.web.health import HealthRoutes
from visitor_tracker.web.home import HomeRoutes
from visitor_tracker.web.pages import PageReader
from visitor_tracker.web.router import Route, Router

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of a server, the same for all of its processes."""

    reads: bytes = field(repr=False)
    token: bytes = field(repr=False)


class Shared:
    """Made before the fork: counters and rate buckets in shared memory, and the keys.

    With the keys in hand a worker can start, and answer 503, while the store is away.
    """

    def __init__(self, config: Config, workers: int, keys: Keys) -> None:
        self.metrics = Metrics(max(1, workers))
        self.keys = keys
        limits = config.rate_limit
        self.limiter = RateLimiter(limits.per_second, limits.burst, enabled=limits.enabled)


class App:
    """Store, counter and routes of one process; `router` is the Application to serve."""

    def __init__(self, config: Config, shared: Shared, process: int = 0) -> None:
        self.counters = counters = shared.metrics.counters(process)
        self.store = store_of(config)
        self.shared = shared
        self.guards = Guards(
            TrustedProxies(config.trusted_proxies),
            Cors(config.cors.origins, config.cors.max_age),
            shared.limiter,
            ReadToken(shared.keys.reads),
        )
        self.pages = PageReader(config.counter.drop_parameters)
        self.signer = TokenSigner(shared.keys.token)
        self.counter = Counter(
            self.store,
            counters,
            committers=_committers(config),
            most_waiting=4 * config.http.max_queue,
        )
        self._badges = BadgeRoutes(
            self.store,
            self.guards,
            self.pages,
            floor=config.counter.badge_floor,
            seconds=config.counter.badge_seconds,
        )
        self.router = Router(
            self._routes(counters),
            guards=self.guards,
            counters=counters,
            flush=self.counter.flush,
            hsts=config.tls.hsts,
        )

    def _routes(self, counters: Counters) -> Sequence[Route]:
        assets = AssetRoutes(resources.client_files())
        home = HomeRoutes(self.store, self.guards, assets)
        counting = CounterRoutes(
            counter=self.counter,
            store=self.store,
            guards=self.guards,
            pages=self.pages,
            signer=self.signer,
            counters=counters,
        )
        routes = [
            *home.routes(),
            *counting.routes(),
            *self._badges.routes(),
            *assets.routes(),
            *HealthRoutes(self.store, self.counter, self.shared.metrics).routes(),
        ]
        home.list_routes(routes)
        return routes

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

    def close(self) -> None:
        """Store what waits and let go of the store; nothing may be sent to the router any more."""
        self.counter.close()
        self.store.close()


def store_of(config: Config) -> SqlStore:
    """Open the store of the settings, without migrating it."""
    store = config.store
    return open_store(
        config.store_url,
        durability=store.durability,
        connect_seconds=store.connect_seconds,
        answer_seconds=store.answer_seconds,
        borrow_seconds=store.borrow_seconds,
    )


def keys_of(config: Config) -> Keys:
    """Read the keys from settings and store; the store makes what it does not have."""
    store = store_of(config)
    try:
        return Keys(store.secret("reads"), config.server.secret_key.encode() or store.secret("token"))
    finally:
        store.close()


def _committers(config: Config) -> int:
    """Two where one may wait for the network while the other stores; but workers share a machine too."""
    return 2 if config.store_url.startswith("mysql") and worker_count(config) <= 1 else 1


def worker_count(config: Config) -> int:
    """Return the number of worker processes, 0 for everything in one."""
    workers = config.server.workers
    if workers == "auto":
        return len(os.sched_getaffinity(0)) if config.store_url.startswith("mysql") else 1
    return workers
