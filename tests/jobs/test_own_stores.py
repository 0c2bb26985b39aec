"""The background work of a site with a database of its own."""

from contextlib import closing
from pathlib import Path

from visitor_tracker.access.snapshot import FILE, write_snapshot
from visitor_tracker.app import store_of
from visitor_tracker.config import Config, ServerConfig, SiteStore, StoreConfig
from visitor_tracker.jobs.own_stores import own_backgrounds
from visitor_tracker.metrics import Metrics
from visitor_tracker.serve import migrate_store
from visitor_tracker.sites import Retention, Site, Snapshot, site_id_of
from visitor_tracker.store.sites import SiteTable


def test_housekeeping_begins_with_the_days_that_the_site_has_now(tmp_path: Path) -> None:
    """They may have been changed while the server, or this database, was away."""
    config = Config(server=ServerConfig(data_dir=str(tmp_path)), site_stores=(SiteStore("blog", StoreConfig()),))
    migrate_store(config)
    before, now = (Site(site_id_of("blog"), "blog", retention=Retention(events_days=days)) for days in (1, 0))
    write_snapshot(config.data_dir / FILE, Snapshot(sites=(now,)))
    with closing(store_of(config)) as store:
        [(background, own)] = own_backgrounds(config, store.of_main(), [Metrics().counters()], bool)
        table = SiteTable(own.database)
        table.put(before)
        background._bring_up_to_date()  # nothing else of it begins before this is done
        assert [site.retention for site in table.all() if site.name == "blog"] == [now.retention]
        own.close()
