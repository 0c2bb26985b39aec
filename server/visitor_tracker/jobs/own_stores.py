"""The background work of sites that have a database of their own: each has its own drainer, folder and housekeeping.

    journals/blog ──▶ blog's inbox ──▶ blog's tables      threads of the jobs process, which wait for nobody else's

One that is away keeps its own journal waiting and nothing else.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from visitor_tracker.access.snapshot import FILE, SnapshotReader, read_snapshot
from visitor_tracker.config import Config, SiteStore
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.own_stores import prepare
from visitor_tracker.jobs.background import Background
from visitor_tracker.jobs.extracting import Extracting
from visitor_tracker.jobs.judging import Judging
from visitor_tracker.jobs.rules import folder_by_sites, rule_of_site
from visitor_tracker.metrics import Counters
from visitor_tracker.sites import Site, Snapshot, site_id_of
from visitor_tracker.store import erasing
from visitor_tracker.store.erasing_site import forget_words
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.of_settings import own_store
from visitor_tracker.store.session import Session
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_LOOK_SECONDS = 2.0


class SomeSites(SnapshotReader):
    """What the snapshot file says of some sites; of one thread."""

    def __init__(self, path: Path, is_meant: Callable[[Site], bool]) -> None:
        super().__init__(path, Snapshot(sites=()))
        self._is_meant = is_meant

    def _refresh(self) -> bool:
        if not super()._refresh():
            return False
        self.now = msgspec.structs.replace(self.now, sites=tuple(filter(self._is_meant, self.now.sites)))
        return True


class Backgrounds:
    """Several of them, from `start` to `stop`."""

    def __init__(self, main: Background, own: Sequence[tuple[Background, SqlStore]]) -> None:
        self._main = main
        self._own = own

    def start(self) -> None:
        for background in (self._main, *(background for background, _ in self._own)):
            background.start()

    def stop(self) -> None:
        """End all of it at once: each may take some seconds for what is left."""
        threads = [
            threading.Thread(target=background.stop, name="stopping", daemon=True)
            for background in (self._main, *(background for background, _ in self._own))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _, store in self._own:
            store.close()


def readers(config: Config) -> Callable[[], SnapshotReader]:
    """Return what reads the sites whose events are in the main database."""
    path = config.data_dir / FILE
    if not config.site_stores:
        return partial(SnapshotReader, path, Snapshot())
    own = {site.name for site in config.site_stores}
    return partial(SomeSites, path, lambda site: site.name not in own)


def own_backgrounds(
    config: Config, main: SqlStore, counters: Sequence[Counters], are_short: Callable[[], bool]
) -> list[tuple[Background, SqlStore]]:
    """Return the work of each site that has a database of its own; `counters` are a row for each."""
    return [
        _background(config, site, main, row, are_short) for site, row in zip(config.site_stores, counters, strict=True)
    ]


def _background(
    config: Config, site: SiteStore, main: SqlStore, counters: Counters, are_short: Callable[[], bool]
) -> tuple[Background, SqlStore]:
    store = own_store(config, site)
    reader = partial(SomeSites, config.data_dir / FILE, lambda each: each.name == site.name)
    background = Background(
        store,
        Drainer(place_of(config, site).journal, store, counters, config=config.journal),
        folder_by_sites(config, store, counters, _Forgetting(reader(), store, site_id_of(site.name)).step),
        migrate=partial(_bring_up_to_date, config, site, main, store),
        keep=_Copying(reader(), store).step,
        ids_days=site.store.ids_keep_days,
        config=config,
        extracting=Extracting(store, reader()),
        judging=Judging(store, reader(), partial(rule_of_site, config), counters),
        are_short=are_short,
    )
    return background, store


def _bring_up_to_date(config: Config, site: SiteStore, main: SqlStore, own: SqlStore) -> list[str]:
    """Prepare a site's own database, and its row: housekeeping begins after this, and must not keep to an old one."""
    done = prepare(config, site, main, own)
    snapshot = read_snapshot(config.data_dir / FILE)
    for each in snapshot.sites if snapshot else ():
        if each.name == site.name:
            SiteTable(own.database).put(each)
    return done


class _Forgetting:
    """Empties the tables of words once a site was erased: where sites share them, nobody knows whose they are."""

    def __init__(self, reader: SnapshotReader, store: SqlStore, site_id: int) -> None:
        self._reader = reader
        self._store = store
        self._site_id = site_id
        self._next = 0.0

    def step(self) -> bool:
        """Say whether they were emptied now; in the folder's thread, which would add to them."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _LOOK_SECONDS
        self._reader.refresh()
        is_read = bool(self._reader.now.secrets)
        if not is_read or self._reader.now.sites or Inbox(self._store.database).holds(self._site_id):
            return False
        return self._store.database.write(self._forget)

    def _forget(self, session: Session) -> bool:
        erasing.overwrite(session)
        return forget_words(session)


class _Copying:
    """Keeps the site's row in its own database as it is in the main one: what retention says is read there."""

    def __init__(self, reader: SnapshotReader, store: SqlStore) -> None:
        self._reader = reader
        self._table = SiteTable(store.database)
        self._copied: tuple[Site, ...] | None = None
        self._next = 0.0

    def step(self) -> None:
        self._reader.refresh()
        sites = self._reader.now.sites
        if sites == self._copied or time.monotonic() < self._next:
            return
        try:
            for site in sites:
                self._table.put(site)
        except (StoreUnavailable, OutcomeUnknown, StoreError):  # the drainer tells that it is away
            self._next = time.monotonic() + 1.0
        else:
            self._copied = sites
