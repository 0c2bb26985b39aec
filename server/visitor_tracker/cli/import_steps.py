"""What imports of logs and of visitors' records share: what is known, and the folding of what was taken."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.sites import with_default
from visitor_tracker.access.snapshot import FILE as SNAPSHOT
from visitor_tracker.access.snapshot import read_snapshot
from visitor_tracker.app import first_snapshot
from visitor_tracker.cli.arguments import opened, reach, sqlite_file
from visitor_tracker.cli.output import remark
from visitor_tracker.cli.sites import known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import AlreadyRunning, StoreUnavailable, TrackerError
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.fold import LEASE_SECONDS
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.jobs.importing.pace import Pace
from visitor_tracker.jobs.importing.reading import LineReader, Wanted
from visitor_tracker.jobs.importing.resume import KeyOf
from visitor_tracker.jobs.rules import folder_by_sites
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Snapshot, site_id_of
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.lock import hold
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

LAST_SECONDS = LEASE_SECONDS + 2.0  # until who was killed has lost its sites
_PAUSE_SECONDS = 0.1


@contextmanager
def folding(store: SqlStore, config: Config, *, is_running: bool) -> Iterator[Callable[[], bool]]:
    """Give what folds a piece of the inbox, or waits for the server to do so; False: go on."""
    if is_running:
        yield Pace(Inbox(store.database).pending).step
        return
    folder = folder_by_sites(config, store, Metrics().counters())
    try:
        yield folder.step
    finally:
        folder.let_go()


def target(store: SqlStore, config: Config, options: argparse.Namespace) -> SqlStore:
    """Return the store that takes what is imported; raises TrackerError where that may be several."""
    if not config.site_stores:
        return store
    if options.site is None:
        raise TrackerError(
            "some sites have a database of their own (sites.NAME.store): name the site with --site\n"
            "nothing was imported"
        )
    return store.of_site(site_id_of(options.site))


def fold_rest(inbox: Inbox, fold: Callable[[], bool], seconds: float) -> None:
    """Fold what another folder, which ended without letting go of its sites, has kept from being folded."""
    until = time.monotonic() + seconds
    while inbox.pending()[0] and (fold() or time.monotonic() < until):
        time.sleep(_PAUSE_SECONDS)
    if waiting := inbox.pending()[1]:
        remark(f"{waiting:,} events wait to be counted by the server: look again in a moment")


def snapshot_of(config: Config) -> tuple[Snapshot, bool]:
    """Return keys and sites, and whether a server runs here.

    While none does, they are brought up to date, as a server that starts would do; else the file has them.
    """
    try:
        with hold(config.data_dir / "server"):
            return first_snapshot(config), False
    except AlreadyRunning:
        snapshot = read_snapshot(config.data_dir / SNAPSHOT)
        if snapshot is None:
            raise StoreUnavailable("the server that runs has not written its sites and keys yet") from None
        return snapshot, True


def known_snapshot(config: Config) -> Snapshot:
    """Return the sites that are there, without making anything."""
    policy = policy_of(config.identity)
    reach(config)
    file = sqlite_file(config)
    if file is not None and not file.exists():
        return Snapshot(policy=policy)
    with opened(config) as store:
        return Snapshot(sites=tuple(SiteTable(store.database).all()), policy=policy)


def wanted_of(options: argparse.Namespace, snapshot: Snapshot) -> Wanted:
    """Return what the options ask for; raises SiteError for a site that is not there."""
    there = with_default(snapshot.sites)
    site = known_site(there, options.site) if options.site else None
    named = site or there[0]
    host = options.host or next((name for name in named.hostnames if not name.startswith("*.")), "")
    return Wanted(site, f"[{host}]" if ":" in host else host, options.all)


def reader_of(config: Config, snapshot: Snapshot, key_of: KeyOf, wanted: Wanted, geo: GeoReader) -> LineReader:
    """Return what makes events of lines."""
    return LineReader(
        snapshot,
        key_of,
        wanted,
        agents=AgentReader(Metrics().counters()),
        geo=geo,
        drop_parameters=config.counter.drop_parameters,
        now=time.time_ns() // 1_000_000,
    )


def tell_unfinished(before: dict[str, str], after: dict[str, str]) -> None:
    """Say which files an earlier import has left half taken."""
    for name in sorted(after[file_id] for file_id in after.keys() & before.keys()):
        remark(f"an import of {name} is unfinished: import it again to go on")
