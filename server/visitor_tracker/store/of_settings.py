"""Open the stores that the settings name."""

from functools import partial

from visitor_tracker.config import Config, SiteStore, StoreConfig
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.apart import Apart
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.own import Own
from visitor_tracker.store.session import Database
from visitor_tracker.store.sql import SqlStore


def store_of(config: Config) -> SqlStore:
    """Open the store of the settings, without migrating it; sites' own databases are opened when they are needed."""
    main = _open(config.store_url, config.store)
    if not config.site_stores:
        return main
    own = {site_id_of(site.name): _own(config, site, is_bounded=True) for site in config.site_stores}
    return SqlStore(Apart(main.database, own))


def own_store(config: Config, site: SiteStore) -> SqlStore:
    """Return the store of one site, for work that may wait for it."""
    return SqlStore(_own(config, site, is_bounded=False))


def _own(config: Config, site: SiteStore, *, is_bounded: bool) -> Own:
    place = place_of(config, site)
    location = locate(place.url)
    is_file = isinstance(location, SqliteLocation)
    return Own(
        site.name,
        partial(_database, place.url, site.store),
        dialect="sqlite" if is_file else "mysql",
        file=location.path if isinstance(location, SqliteLocation) else None,
        marker=place.marker,
        is_bounded=is_bounded,
    )


def _database(url: str, store: StoreConfig) -> Database:
    return _open(url, store).database


def _open(url: str, store: StoreConfig) -> SqlStore:
    return open_store(
        url,
        durability=store.durability,
        connect_seconds=store.connect_seconds,
        answer_seconds=store.answer_seconds,
        borrow_seconds=store.borrow_seconds,
    )
