"""Bring a site's own database into use, and see to it that a site's events are never in two places.

A marker beside it says where the database of a site is. It is written when the database has its tables; from then on
the site's events are there, and a server whose settings say otherwise must not start.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from visitor_tracker.config import Config, SiteStore
from visitor_tracker.config.site_stores import Place, place_of
from visitor_tracker.errors import ConfigError, OutcomeUnknown, StoreError, StoreUnavailable, TrackerError
from visitor_tracker.ingest.parcel import read_record
from visitor_tracker.ingest.segments import Segment, scan
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.base import Finding
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.migrate import migrate, pending
from visitor_tracker.store.of_settings import own_store
from visitor_tracker.store.retention import RetentionTables
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_MARKERS = "*.place"


def prepare(config: Config, site: SiteStore, main: SqlStore, own: SqlStore) -> list[str]:
    """Bring the tables of a site's own database up to date; return what was done, by name.

    The first time it must be empty, and nothing of the site may be in the main one. Raises ConfigError where that is
    not so, and what stores raise.
    """
    place = place_of(config, site)
    is_new = not place.marker.exists()
    if is_new:
        _check_main(config, site, main)
    done = migrate(own)
    if is_new:
        _check_own(site, own)
        _mark(place)
    return [f"{name} for {site.name}" for name in done]


def prepare_all(config: Config, main: SqlStore, *, is_start: bool = False) -> list[str]:
    """Do so for all of them; one that is away, or fails, keeps nobody from going on, and is told in the log.

    `is_start`: a server may have run without the setting since, and what it stored of these sites is looked for.
    """
    done: list[str] = []
    for site in config.site_stores:
        if is_start and place_of(config, site).marker.exists():
            _check_main(config, site, main)
        with closing(own_store(config, site)) as own:
            try:
                done += prepare(config, site, main, own)
            except (StoreUnavailable, OutcomeUnknown, StoreError) as error:
                log.warning("the site %s waits for its own database: %s", site.name, error)
    return done


def misplaced(config: Config) -> Iterator[str]:
    """Yield what the settings say of sites' databases that is not where their events are."""
    own = {site.name: site for site in config.site_stores}
    taken = {_database_of(config.store_url): "store.url"} if own else {}
    for site in config.site_stores:
        name, database = f"sites.{site.name}.store.url", _database_of(place_of(config, site).url)
        if database in taken:
            yield f"{name} is the same database as {taken[database]}: each needs one of its own"
        taken[database] = name
    for marker in _markers(config):
        name, there = marker.name.removesuffix(".place"), marker.read_text("utf-8").strip()
        if name not in own:
            yield (
                f"what was counted of the site {name} is in {there}: put the setting sites.{name}.store back; or, if"
                f" that is to be given up, remove {marker}"
            )
        elif (place := described(place_of(config, own[name]).url)) != there:
            yield (
                f"sites.{name}.store.url: {place} is another database than {there}, which has what was counted so far;"
                f" if you have moved it, remove {marker}"
            )


def _markers(config: Config) -> list[Path]:
    try:
        found = sorted((config.data_dir / "journals").glob(_MARKERS))
        return [path for path in found if path.is_file()]  # a journal's folder may be called so
    except OSError:  # who cannot look in there cannot serve either, and is told so elsewhere
        return []


def check_places(config: Config) -> None:
    """Raise ConfigError where the settings name other databases than those that have the events."""
    if problems := list(misplaced(config)):
        raise ConfigError("\n".join(problems))


def check_own(config: Config) -> Iterator[Finding]:
    """Look at sites' own databases."""
    for problem in misplaced(config):
        yield Finding("error", problem)
    for site in config.site_stores:
        place = place_of(config, site)
        if not place.marker.exists():
            yield Finding(
                "ok", f"store of the site {site.name}: {described(place.url)}; the next start makes its tables"
            )
            continue
        with closing(own_store(config, site)) as own:
            yield from _look_at(site, own)


def _look_at(site: SiteStore, own: SqlStore) -> Iterator[Finding]:
    name = f"store of the site {site.name}"
    try:
        yield Finding("ok", f"{name}: {own.describe()}")
        if waiting := pending(own):
            hint = "run  visitor-tracker migrate, or start the server, which does it"
            yield Finding("warning", f"{name}: its tables need {', '.join(waiting)}", hint)
        for found in own.check():
            yield replace(found, message=f"{name}: {found.message}")
    except StoreUnavailable as error:
        yield Finding("error", f"{name}: {error}", "bring it back; other sites do without it, and its events wait")
    except TrackerError as error:  # says itself what to change
        yield Finding("error", f"{name}: {error}")


def own_files(config: Config) -> list[Path]:
    """Return the SQLite files of single sites that a server uses, but those whose folder is not there now.

    Raises ConfigError where the settings name other databases than those that have the events.
    """
    check_places(config)
    places = [locate(place_of(config, site).url) for site in config.site_stores]
    files = [place.path for place in places if isinstance(place, SqliteLocation) and place.path is not None]
    return [file for file in files if file.parent.is_dir()]


def own_place(config: Config, name: str) -> str:
    """Return where the site's own database is, without password; "" for none."""
    own = next((site for site in config.site_stores if site.name == name), None)
    return described(place_of(config, own).url) if own else ""


def described(url: str) -> str:
    """Return where a database is, without password."""
    location = locate(url)
    return str(location.path) if isinstance(location, SqliteLocation) else location.place


def _database_of(url: str) -> str:
    """Return the same for all ways to name a database."""
    location = locate(url)
    return str(location.path and location.path.resolve()) if isinstance(location, SqliteLocation) else location.place


def _check_main(config: Config, site: SiteStore, main: SqlStore) -> None:
    site_id = site_id_of(site.name)
    inbox = Inbox(main.of_main().database)
    marker = place_of(config, site).marker
    without = "without this setting" + (f" (and {marker})" if marker.exists() else "")
    if inbox.holds(site_id):
        raise ConfigError(
            f"sites.{site.name}.store: what was counted of this site so far is in the main database, where it would be"
            f" out of sight: {without}, export it and  visitor-tracker site remove {site.name} --erase --yes  first,"
            " or name another site"
        )
    segments = scan(config.journal_folder)
    stored = inbox.positions([segment.id for segment in segments]) if segments else {}
    if any(_waits(segment, stored.get(segment.id, 0), site_id) for segment in segments):
        raise ConfigError(
            f"sites.{site.name}.store: events of this site are in the journal of the main database: start the server"
            f" {without} until they are stored"
        )


def _check_own(site: SiteStore, own: SqlStore) -> None:
    others = set(RetentionTables(own.database).sites()) - {site_id_of(site.name)}
    if others:
        raise ConfigError(f"sites.{site.name}.store.url: this database has events of other sites: name an empty one")


def _waits(segment: Segment, position: int, site_id: int) -> bool:
    """Say whether a segment has events of a site that are not stored: those after a position."""
    while True:
        try:
            piece = segment.read(position)
        except FileNotFoundError:  # a server that runs has just deleted it, for all of it was stored
            return False
        for payload, end in piece.batches:
            batch = read_record(payload, end).batch
            if batch is not None and any(event.site_id == site_id for event in batch.events):
                return True
        if piece.torn or not piece.batches:
            return False
        position = piece.position


def _mark(place: Place) -> None:
    place.marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = place.marker.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(described(place.url) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(place.marker)
    _sync(place.marker.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
