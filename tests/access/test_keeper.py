"""The life of visitor keys, and what the keeper tells all processes."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from tests.mariadb import MariaDB
from visitor_tracker.access.keeper import Keeper, due, is_over, lacking
from visitor_tracker.access.sites import SiteBook
from visitor_tracker.access.snapshot import FILE, SnapshotError, read_snapshot, write_snapshot
from visitor_tracker.access.wrapping import FILE as KEY_FILE
from visitor_tracker.access.wrapping import Wrapped, read_file_key
from visitor_tracker.config import Config, IdentityConfig, ServerConfig, SitesConfig, StoreConfig
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.metrics import Cell, Counters, Metrics
from visitor_tracker.sites import Policy, SendKey, Site, Snapshot
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.keys import KeyTable
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

HOUR = 3_600_000
DAY = 24 * HOUR
NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
AT_NOON = {
    "2026-11-22", "2026-11-23", "2026-11-24", "2026-11", "persistent",
}  # fmt: skip
NOBODY = "mysql://user:password@127.0.0.1:1/none"


BOTH = pytest.mark.parametrize("store_url", ["sqlite", "mysql"], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; MariaDB where a test asks for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'visitors.db'}"
    server: MariaDB = request.getfixturevalue("mariadb")
    return server.url(server.fresh_database())


@pytest.fixture
def opened() -> Iterator[Callable[[str], SqlStore]]:
    """Open stores that are closed after the test."""
    stores: list[SqlStore] = []

    def open_it(url: str) -> SqlStore:
        stores.append(open_store(url))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(store_url: str, opened: Callable[[str], SqlStore]) -> SqlStore:
    made = opened(store_url)
    migrate(made)
    return made


class Node:
    """A keeper with its data folder."""

    def __init__(
        self, store: SqlStore, folder: Path, identity: IdentityConfig | None = None, sites: SitesConfig | None = None
    ) -> None:
        self.config = Config(
            server=ServerConfig(data_dir=str(folder)),
            identity=identity or IdentityConfig(),
            sites=sites or SitesConfig(),
            store=StoreConfig(),
        )
        self.counters: Counters = Metrics().counters()
        self.path = folder / FILE
        self.clock = 0.0  # seconds, monotonic
        self.keeper = Keeper(store, self.config, self.counters, monotonic=lambda: self.clock)

    @property
    def snapshot(self) -> Snapshot:
        found = read_snapshot(self.path)
        assert found is not None
        return found

    @property
    def missing(self) -> int:
        return self.counters.get(Cell.KEY_MISSING)

    def step(self, now: int = NOON) -> Snapshot:
        self.keeper.step(now)
        return self.snapshot

    def step_for_an_hour(self, now: int) -> Snapshot:
        """Let the clock say so until it is believed."""
        self.step(now)
        self.clock += 3600.0
        return self.step(now + HOUR)


@pytest.fixture
def node(store: SqlStore, tmp_path: Path) -> Node:
    return Node(store, tmp_path / "data")


def date_at(ts_ms: int, offset_hours: int = 0) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ts_ms + offset_hours * HOUR)).strftime("%Y-%m-%d")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("period", "made", "destroyed"),
    [
        # UTC+14 has a date 14 hours before UTC has it, UTC-12 ends it 12 hours after.
        ("2026-11-24", "2026-11-22 10:00", "2026-11-25 13:00"),
        ("2028-02-29", "2028-02-27 10:00", "2028-03-01 13:00"),
        ("2026-11", "2026-10-30 10:00", "2026-12-01 13:00"),
        ("2026-12", "2026-11-29 10:00", "2027-01-01 13:00"),
    ],
)
def test_a_key_is_due_24_hours_before_its_time_and_over_an_hour_after(period: str, made: str, destroyed: str) -> None:
    assert period not in due(at(made) - 1)
    assert period in due(at(made))
    assert not is_over(period, at(destroyed) - 1)
    assert is_over(period, at(destroyed))


def test_every_date_on_earth_has_its_key_for_twelve_hours_before_and_while_it_lasts() -> None:
    for hour in range(0, 800 * 24, 23):
        now = NOON + hour * HOUR
        dates = {date_at(now + ahead * HOUR, offset) for ahead in (0, 12) for offset in range(-12, 15)}
        assert {*dates, *(date[:7] for date in dates)} <= set(due(now))
        assert not any(is_over(period, now) for period in due(now))


@pytest.mark.parametrize(
    "period", ["persistent", "", "2026-W40", "2026-13", "2026-02-30", "0000-01-01", "9999-12", "9999-12-31", "x"]
)
def test_what_is_no_date_is_never_over(period: str) -> None:
    assert not is_over(period, NOON)


@BOTH
def test_the_first_step_makes_the_keys_and_tells_them(node: Node, store: SqlStore) -> None:
    keys = node.step().keys
    assert set(keys) == AT_NOON
    assert {len(key) for key in keys.values()} == {32}
    assert len(set(keys.values())) == len(keys)
    assert sorted((line.period, line.action, line.at) for line in KeyTable(store.database).log()) == [
        (period, "created", NOON) for period in sorted(AT_NOON)
    ]
    assert node.missing == 0


def test_a_step_with_nothing_new_writes_nothing(node: Node) -> None:
    assert node.keeper.step(NOON)
    before = node.path.stat()
    assert not node.keeper.step(NOON + 1000)
    assert node.path.stat() == before
    node.path.unlink()
    assert node.keeper.step(NOON + 2000), "a file that is gone is written again"
    written = node.snapshot
    node.path.write_bytes(b"rubbish")
    assert node.keeper.step(NOON + 3000), "and so is one that somebody changed"
    assert node.snapshot == written


@BOTH
def test_a_keeper_that_starts_again_finds_its_keys(node: Node, store: SqlStore, tmp_path: Path) -> None:
    before = node.step()
    again = Node(store, tmp_path / "data")
    assert not again.keeper.step(NOON + 1000)
    assert again.snapshot == before


@BOTH
def test_days_pass(node: Node, store: SqlStore) -> None:
    seen: dict[str, bytes] = {}
    for hour in range(0, 10 * 24, 3):
        now = NOON + hour * HOUR
        node.step(now)
        node.clock += 3600.0
        keys = node.step(now).keys
        assert not any(is_over(period, now) for period in keys)
        assert lacking(node.snapshot, now) == []
        assert all(seen.get(period, key) == key for period, key in keys.items()), "a key changed"
        seen |= keys
    lines = KeyTable(store.database).log()
    destroyed = [line for line in lines if line.action == "destroyed"]
    dates = [date_at(NOON + day * DAY) for day in range(9)]
    assert [line.period for line in destroyed] == [*dates[:-1], "2026-11", dates[-1]]
    assert all(is_over(line.period, line.at) and not is_over(line.period, line.at - 3 * HOUR) for line in destroyed)
    assert len({line.period for line in lines if line.action == "created"}) == len(seen)
    assert set(KeyTable(store.database).keys()) == set(node.snapshot.keys)


def test_a_destroyed_key_is_in_no_file(store: SqlStore, tmp_path: Path) -> None:
    node = Node(store, tmp_path / "data")
    key = node.step().keys["2026-11-22"]
    assert any(key in content for content in contents(tmp_path))
    node.step_for_an_hour(NOON + 2 * DAY)
    assert "2026-11-22" not in node.snapshot.keys
    assert not any(key in content for content in contents(tmp_path))


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@BOTH
def test_a_clock_set_back_revives_nothing(node: Node, store: SqlStore) -> None:
    node.step()
    later = node.step_for_an_hour(NOON + 3 * DAY)
    again = node.step(NOON)
    assert set(again.keys) == set(later.keys)
    assert node.missing == 2, "the dates that go on at noon have no key: views count and visitors do not"
    made = [line.period for line in KeyTable(store.database).log() if line.action == "created"]
    assert len(made) == len(set(made))
    assert node.step(NOON + 3 * DAY + 1000).keys == later.keys
    assert node.missing == 0


def test_a_clock_that_is_wrong_for_a_moment_destroys_nothing(node: Node, store: SqlStore) -> None:
    before = node.step().keys
    for days in (1.5, 2, 40, 4000):
        far = node.step(NOON + int(days * DAY)).keys
        assert before.items() <= far.items()
        node.clock += 1800.0
        assert before.items() <= node.step().keys.items()
    assert [line for line in KeyTable(store.database).log() if line.action == "destroyed"] == []


def test_a_key_is_destroyed_when_its_period_ends_or_an_hour_after_that_is_noticed_late(node: Node) -> None:
    over, _ = at("2026-11-23T13:00"), node.step()
    assert "2026-11-22" in node.step(over - 1000).keys
    assert "2026-11-22" not in node.step(over).keys
    assert "2026-11-23" in node.step(late := over + 2 * DAY).keys
    node.clock += 3599.0
    assert "2026-11-23" in node.step(late + HOUR - 1000).keys
    node.clock += 1.0
    assert {"2026-11-23", "2026-11-24"}.isdisjoint(node.step(late + HOUR).keys)


def test_the_persistent_key_is_made_anew_when_somebody_destroyed_it(node: Node, store: SqlStore) -> None:
    before = node.step().keys["persistent"]
    assert KeyTable(store.database).destroy("persistent", NOON)
    assert node.step(NOON + 1000).keys["persistent"] != before


def test_keys_with_unknown_names_stay(node: Node, store: SqlStore) -> None:
    node.step()
    KeyTable(store.database).make("2026-W47", b"w" * 32, NOON)
    node.step_for_an_hour(NOON + 30 * DAY)
    assert "2026-W47" in set(KeyTable(store.database).keys())


def test_while_the_store_is_away_the_file_stays_and_loses_what_is_over(
    tmp_path: Path, opened: Callable[[str], SqlStore]
) -> None:
    sites = (Site(1, "default"), Site(9, "shop"))
    keys = {"2026-11-21": b"a" * 32, "2026-11-23": b"b" * 32, "persistent": b"p" * 32}
    (tmp_path / "data").mkdir()
    write_snapshot(tmp_path / "data" / FILE, Snapshot(sites, keys, {"cookie": b"c" * 32}))
    node = Node(opened(NOBODY), tmp_path / "data", IdentityConfig(visitor="monthly"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            node.keeper.step(NOON + DAY)
        node.clock += 3600.0
    del keys["2026-11-21"]
    assert node.snapshot == Snapshot(sites, keys, {"cookie": b"c" * 32}, policy=Policy("monthly"))
    assert node.missing == 2, "that of the date which the east has already, and that of the month"
    before = node.path.stat()
    with pytest.raises(StoreUnavailable):
        node.keeper.step(NOON + DAY + 1000)
    assert node.path.stat() == before


def test_with_neither_store_nor_file_every_key_is_missing(tmp_path: Path, opened: Callable[[str], SqlStore]) -> None:
    node = Node(opened(NOBODY), tmp_path / "data")
    with pytest.raises(StoreUnavailable):
        node.keeper.step(NOON)
    assert not node.path.exists()
    assert node.missing == len(lacking(Snapshot(), NOON)) == 4


def test_a_damaged_file_is_written_again(node: Node, store: SqlStore, tmp_path: Path) -> None:
    before = node.step()
    node.path.write_bytes(b"rubbish")
    again = Node(store, tmp_path / "data")
    assert again.keeper.step(NOON)
    assert again.snapshot == before


def test_what_a_killed_keeper_left_goes_away(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    leftover = tmp_path / "data" / "snapshot.new"
    leftover.write_bytes(b"half")
    Node(store, tmp_path / "data")
    assert not leftover.exists()


def test_a_folder_that_cannot_be_is_named(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError, match="file"):
        Node(store, tmp_path / "file" / "data").step()


@BOTH
def test_everything_a_process_must_know_is_in_the_file(store: SqlStore, tmp_path: Path) -> None:
    shop = Site(77, "shop", ("shop.example",), policy=Policy("cookie"))
    SiteTable(store.database).put(shop)
    key = SendKey(b"d" * 32, "backend")
    store.execute("insert into api_keys values (%s, 'd1', 'backend', 0, 'ingest', '', 0, 0, 0)", (key.digest,))
    made = SiteBook(tmp_path / "data")
    (tmp_path / "data").mkdir()
    blog = made.create("blog", Snapshot())
    assert blog is not None
    node = Node(store, tmp_path / "data", IdentityConfig(visitor="monthly", ip="truncated", opt_out="drop"))
    told = node.step()
    assert told.sites == (Site(1, "default"), blog, shop)
    assert blog in SiteTable(store.database).all()
    assert told.send_keys == (key,)
    assert told.secrets == {name: store.secret(name) for name in ("reads", "token", "cookie")}
    assert told.policy == Policy("monthly", "truncated", "class", "drop", "drop")
    assert not told.auto_create, "somebody has added a site by hand"
    SiteTable(store.database).remove("shop")
    assert node.keeper.step(NOON + 1000)
    assert node.snapshot.sites == (Site(1, "default"), blog)


@pytest.mark.parametrize(
    ("setting", "sites", "may"),
    [
        ("auto", [], True),
        ("auto", [Site(1, "default", ("example.com",))], True),
        ("auto", [Site(8, "blog", automatic=True)], True),
        ("auto", [Site(8, "blog")], False),
        ("on", [Site(8, "blog")], True),
        ("off", [], False),
    ],
)
def test_events_may_make_sites_as_the_setting_says(
    store: SqlStore, tmp_path: Path, setting: Literal["auto", "on", "off"], sites: list[Site], may: bool
) -> None:
    for site in sites:
        SiteTable(store.database).put(site)
    node = Node(store, tmp_path / "data", sites=SitesConfig(auto_create=setting))
    assert node.step().auto_create is may


@pytest.fixture
def mysql(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> SqlStore:
    made = opened(mariadb.url(mariadb.fresh_database()))
    migrate(made)
    return made


def test_the_database_server_never_sees_a_key(mysql: SqlStore, tmp_path: Path) -> None:
    node = Node(mysql, tmp_path / "data")
    keys = node.step().keys
    stored = KeyTable(mysql.database).keys()
    wrapper = Wrapped(read_file_key(tmp_path / "data" / KEY_FILE))
    assert set(stored) == set(keys) == AT_NOON
    for period, key in keys.items():
        assert key not in stored[period]
        assert wrapper.unwrap(period, stored[period]) == key
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_nodes_with_one_key_file_have_the_same_keys(mysql: SqlStore, tmp_path: Path) -> None:
    first = Node(mysql, tmp_path / "first")
    shared = IdentityConfig(key_file=str(tmp_path / "first" / KEY_FILE))
    second = Node(mysql, tmp_path / "second", shared)
    assert first.step().keys == second.step().keys
    assert second.step(NOON + 3 * DAY).keys == first.step(NOON + 3 * DAY).keys
    made = [line.period for line in KeyTable(mysql.database).log() if line.action == "created"]
    assert len(made) == len(set(made))


def test_with_another_key_file_keys_are_missing_and_nobody_makes_new_ones(
    mysql: SqlStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Node(mysql, tmp_path / "first"), Node(mysql, tmp_path / "second")
    keys = first.step().keys
    with caplog.at_level(logging.WARNING):
        assert second.step().keys == {}
        second.step(NOON + 1000)
    assert len(caplog.records) == 1, "it is said once"
    assert "give this node the identity.key_file of the others" in caplog.text
    assert second.missing == len(lacking(Snapshot(), NOON))
    assert first.step(NOON + 2000).keys == keys
    assert first.missing == 0
