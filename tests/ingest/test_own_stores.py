"""The main database, where sites have one of their own: nothing of them may be in it, or wait for it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.ingest.journal_bench import Bench
from tests.ingest.journal_child import event
from visitor_tracker.app import store_of
from visitor_tracker.config import Config, ServerConfig, SiteStore, StoreConfig
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.errors import ConfigError
from visitor_tracker.event import Event
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.ingest.own_stores import check_places, prepare_all
from visitor_tracker.ingest.segments import make_folder
from visitor_tracker.serve import migrate_store
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.sql import SqlStore

BLOG = site_id_of("blog")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(server=ServerConfig(data_dir=str(tmp_path)), site_stores=(SiteStore("blog", StoreConfig()),))


@pytest.fixture
def main(config: Config) -> Iterator[SqlStore]:
    """The main database of a server that runs without the setting."""
    before = Config(server=config.server)
    migrate_store(before)
    with closing(store_of(before)) as store:
        yield store


@pytest.fixture
def bench(tmp_path: Path, main: SqlStore) -> Iterator[Bench]:
    """The journal of that server, with an event of blog in it."""
    made = Bench(tmp_path)
    made.open()
    told: list[bool] = []
    assert made.journal.add([of_blog()], told.append)
    made.journal.flush()
    assert told == [True]
    yield made
    made.journal.close()


def of_blog() -> Event:
    return msgspec.structs.replace(event(1), site_id=BLOG)


def drain(config: Config, main: SqlStore, bench: Bench) -> None:
    drainer = Drainer(config.journal_folder, main, bench.metrics.counters())
    while drainer.step():
        pass


def test_what_was_stored_since_a_command_made_the_database_is_seen_at_the_start(
    config: Config, main: SqlStore, bench: Bench
) -> None:
    """The file names the database and a command makes it, while the server that runs knows nothing of it."""
    marker = config.data_dir / "journals" / "blog.place"
    bench.journal.close()
    for segment in config.journal_folder.glob("*.segment"):
        segment.rename(segment.with_suffix(".later"))
    prepare_all(config, main)
    assert marker.exists()
    for segment in config.journal_folder.glob("*.later"):
        segment.rename(segment.with_suffix(".segment"))
    with pytest.raises(ConfigError, match=f"start the server without this setting .and {marker}. until"):
        migrate_store(config)
    drain(config, main, bench)
    with pytest.raises(ConfigError, match="is in the main database, where it would be out of sight"):
        migrate_store(config)
    prepare_all(config, main)  # commands go on: the server is who must not


def test_a_site_that_was_erased_can_have_one_while_the_journal_is_kept(
    config: Config, main: SqlStore, bench: Bench
) -> None:
    """The journal keeps for an hour what the database has."""
    with pytest.raises(ConfigError, match="are in the journal of the main database: start the server without this"):
        migrate_store(config)
    drain(config, main, bench)
    with pytest.raises(ConfigError, match="visitor-tracker site remove blog --erase --yes  first"):
        migrate_store(config)
    eraser = Eraser(main)
    eraser.finish([eraser.begin_site(BLOG, None)])
    assert list(config.journal_folder.glob("*.segment"))
    assert any(name.endswith("for blog") for name in migrate_store(config))
    migrate_store(config)


def test_a_site_can_be_called_like_a_marker(tmp_path: Path) -> None:
    """`.place` is an end of hosts, which sites are called after."""
    site = SiteStore("some.place", StoreConfig())
    config = Config(server=ServerConfig(data_dir=str(tmp_path)), site_stores=(site,))
    migrate_store(config)
    make_folder(place_of(config, site).journal)
    check_places(config)


@pytest.mark.parametrize(
    ("main", "own"),
    [("sqlite:////x/main.db", "sqlite:////x/y/../main.db"), ("mysql://one:a@db/all", "mysql://other:b@db:3306/all")],
)
def test_a_database_is_the_same_however_it_is_named(tmp_path: Path, main: str, own: str) -> None:
    config = Config(
        server=ServerConfig(data_dir=str(tmp_path)),
        store=StoreConfig(url=main),
        site_stores=(SiteStore("blog", StoreConfig(url=own)),),
    )
    with pytest.raises(ConfigError, match=r"sites.blog.store.url is the same database as store.url"):
        check_places(config)
