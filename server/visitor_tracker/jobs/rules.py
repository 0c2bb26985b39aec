"""How a site counts, by the settings and by what it has of its own."""

from collections.abc import Callable

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.snapshot import FILE, SnapshotReader
from visitor_tracker.config import Config
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.metrics import Counters
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore


def folder_by_sites(
    config: Config, store: SqlStore, counters: Counters, forgets_words: Callable[[], bool] = bool
) -> Folder:
    """Return what folds the inbox by the sites of the snapshot file; belongs to one thread. See `Folder`."""
    reader = SnapshotReader(config.data_dir / FILE, Snapshot())
    table = SiteTable(store.database)

    def rule_of(site_id: int) -> Rule:
        reader.refresh()
        # A site that was just made is in the store before it is in the file; one that was removed is nowhere.
        site = reader.now.by_id.get(site_id) or next((one for one in table.all() if one.id == site_id), None)
        return rule_of_site(config, site or Site(site_id, ""))

    return Folder(store, counters, rule_of, forgets_words=forgets_words)


def rule_of_site(config: Config, site: Site) -> Rule:
    """Return how a site counts, by the settings where it has no policy of its own."""
    is_daily = (site.policy or policy_of(config.identity)).visitor == "daily"
    return Rule(site.timezone, is_daily, config.robots.behaviour)
