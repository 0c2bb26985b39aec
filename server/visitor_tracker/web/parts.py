"""What route modules are made of: handed to each, so that a new one changes no signature."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from visitor_tracker.access.audit import Audit
from visitor_tracker.config import Config
from visitor_tracker.metrics import Counters
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.router import Route


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one process. `files` are those of the built client; `clock` is epoch ms."""

    config: Config
    store: SqlStore
    guards: Guards
    audit: Audit
    snapshot: Callable[[], Snapshot]
    hash_session: Callable[[Snapshot, Site, str], bytes]  # the id that a page gave a session, as ingest hashes it
    files: Mapping[str, bytes]
    assets: AssetRoutes
    clock: Callable[[], int]
    counters: Counters
    secret: bytes = field(repr=False)  # 32 bytes, the same on every node; derive keys from it with a label each
    all_routes: Callable[[], Sequence[Route]] = tuple  # of the server, once it is put together
