"""What `privacy verify` proves, and what it finds."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.mariadb import MariaDB
from tests.reports.traffic import event as happened
from tests.reports.traffic import fold
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.access.privacy import Report, verify
from visitor_tracker.access.snapshot import FILE, read_snapshot, write_snapshot
from visitor_tracker.config import Config, IdentityConfig, LogConfig, ServerConfig, StoreConfig
from visitor_tracker.event import Agent, Batch, Event, InboxRow, Place, Source, Visit, encode_batch, encode_events
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.keys import KeyTable
from visitor_tracker.store.scanning import OVERLAP_BYTES, PIECE_BYTES, ROWS, scan
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

DAY = 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC

IPV4, IPV6 = "203.0.113.77", "2001:db8:85a3::8a2e:370:7334"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
MAIL, CARD = "alice@example.com", "4111 1111 1111 1111"
PERSONAL = {
    IPV4: "client address",
    IPV6: "client address",
    FIREFOX: "user agent",
    MAIL: "e-mail address",
    CARD: "card number",
}


BOTH = pytest.mark.parametrize("store_url", ["sqlite", "mysql"], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; MariaDB where a test asks for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'visitors.db'}"
    server: MariaDB = request.getfixturevalue("mariadb")
    return server.url(server.fresh_database())


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def config(store_url: str, tmp_path: Path) -> Config:
    return Config(server=ServerConfig(data_dir=str(tmp_path / "data")), store=StoreConfig(url=store_url))


@pytest.fixture
def step(store: SqlStore, config: Config) -> Callable[[int], bool]:
    keeper = Keeper(store, config, Metrics().counters(), monotonic=itertools.count(0, 3600).__next__)
    keeper.step(NOON)
    return keeper.step


def problems(report: Report) -> list[str]:
    return [f"{finding.level}: {finding.message}" for finding in report.findings if finding.level != "ok"]


def event(number: int = 0, **changes: object) -> Event:
    """Return an event as the pipeline makes it, with nothing personal but the changes."""
    plain = Event(
        id=number.to_bytes(16, "big"),
        kind="pageview",
        site_id=1,
        ts=NOON,
        at=NOON,
        day=20261122,
        visitor=b"v" * 16,
        previous=b"",
        session=b"s" * 16,
        person=b"",
        url="https://shop.example/a?size=1.2.3&page=4.5.6.7.8",
        source=Source(referrer="example.org/news/12:30:45"),
        place=Place("DE"),
        agent=Agent("Firefox", "145", "Linux", "6.1"),
        title="Version 10.0.19045, at 12:30:45 and std::vector<int>, 4111 1111 1111 1112",
        screen="1920x1080",
    )
    return msgspec.structs.replace(plain, **changes)


def put(store: SqlStore, *events: Event, site_id: int = 1, number: int = 1) -> None:
    """Drain one row into the inbox."""
    row = InboxRow(site_id, number.to_bytes(16, "big"), NOON, len(events), encode_events(list(events)))
    segment = number.to_bytes(16, "little")
    assert Inbox(store.database).drain([row], [], segment_id=segment, old=0, new=1, at=NOON)


@BOTH
def test_after_days_of_life_everything_is_sound(store: SqlStore, config: Config, step: Callable[[int], bool]) -> None:
    put(store, *(event(number) for number in range(50)))
    store.count(b"b" * 16, [Visit(b"h" * 16, "https://shop.example/")], NOON)
    for day in range(40):
        step(NOON + day * DAY)
    report = verify(store, config, NOON + 39 * DAY)
    assert problems(report) == []
    assert report.is_sound
    said = " / ".join(finding.message for finding in report.findings)
    assert "the log of keys is whole: 85 lines" in said
    assert "7 visitor keys are in the store, 39 were destroyed" in said


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("update key_log set at = at + 1 where n = 2", "not whole at line 2"),
        ("update key_log set period = '2026-11-01' where n = 1", "not whole at line 1"),
        ("update key_log set action = 'destroyed' where n = 3", "not whole at line 3"),
        ("delete from key_log where n = 2", "not whole at line 3"),
        ("delete from key_log where n = 1", "not whole at line 2"),
        ("update key_log set n = 9 where n = 5", "not whole at line 9"),
        ("delete from key_log where n = 5", "that the log does not know"),
        ("delete from visitor_keys where period = '2026-11-23'", "key of 2026-11-23 is gone, and no line"),
        ("update visitor_keys set value = x'00' where period = '2026-11-23'", "2026-11-23 is not the one"),
        ("insert into visitor_keys (period, value, created_at) values ('2026-11-30', x'00', 0)", "does not know"),
    ],
)
def test_a_change_by_hand_is_found(
    store: SqlStore, config: Config, step: Callable[[int], bool], change: str, found: str
) -> None:
    step(NOON)
    store.execute(change)
    told = problems(verify(store, config, NOON))
    assert any(found in line for line in told), told
    assert all(line.startswith("error: ") for line in told)


@BOTH
def test_a_key_that_outlives_its_time_is_found_in_store_and_file(
    store: SqlStore, config: Config, step: Callable[[int], bool]
) -> None:
    step(NOON)
    over = NOON + 25 * 3_600_000  # when the key of the 22nd must go
    assert problems(verify(store, config, over)) == [], "the keeper has some minutes"
    path = config.data_dir / FILE
    assert problems(verify(store, config, over + 3_600_000)) == [
        "error: 2026-11-22 is over, and its visitor key was not destroyed",
        f"error: {path} still has the visitor key of 2026-11-22, which is over",
    ]
    step(over)
    assert problems(verify(store, config, over + 3_600_000)) == []


def test_a_snapshot_with_too_much_is_found(store: SqlStore, config: Config, step: Callable[[int], bool]) -> None:
    step(NOON)
    path = config.data_dir / FILE
    snapshot = read_snapshot(path)
    assert snapshot is not None
    write_snapshot(path, msgspec.structs.replace(snapshot, keys=snapshot.keys | {"2026-12-24": b"x" * 32}))
    path.chmod(0o640)
    leftover = path.with_name("snapshot.new")
    write_snapshot(leftover, Snapshot(keys={"2026-11-01": b"x" * 32}))
    assert problems(verify(store, config, NOON)) == [
        f"error: {path} has visitor keys and other users can read it",
        f"error: {path} has a visitor key of 2026-12-24 that the store does not have",
        f"error: {leftover} still has the visitor key of 2026-11-01, which is over",
    ]
    leftover.write_bytes(b"half of a file")
    assert f"error: {leftover} cannot be read, so nobody knows what it has" in problems(verify(store, config, NOON))


def test_a_persistent_key_that_was_destroyed_and_made_anew_is_no_problem(
    store: SqlStore, config: Config, step: Callable[[int], bool]
) -> None:
    KeyTable(store.database).destroy("persistent", NOON)
    step(NOON)
    assert problems(verify(store, config, NOON)) == []


def texts(secret: str) -> list[Event]:
    return [
        event(1, title=f"Hello {secret}"),
        event(2, title=secret.ljust(60, ".") if secret[0].isdigit() else secret),
        event(3, url=f"https://shop.example/?who={secret}"),
        event(4, properties={"who": secret}),
        event(5, properties={secret: 1}),
        event(6, source=Source(referrer=f"example.org/{secret}")),
    ]


@BOTH
@pytest.mark.parametrize(("secret", "kind"), PERSONAL.items())
def test_what_is_personal_is_found_wherever_it_is_and_not_shown(
    store: SqlStore, config: Config, step: Callable[[int], bool], secret: str, kind: str
) -> None:
    put(store, *texts(secret))
    store.count(b"b" * 16, [Visit(b"h" * 16, f"https://shop.example/{secret}")], NOON)
    Inbox(store.database).set_aside(f"cannot read {secret}", b"\xff" + secret.encode(), NOON)
    journal = config.data_dir / "journal"
    journal.mkdir(parents=True)
    (journal / "1.segment").write_bytes(bytes(100) + encode_batch(Batch(b"i" * 16, NOON, texts(secret))))
    (config.data_dir / "server.log").write_text(f"INFO hello {secret}\n")
    report = verify(store, config, NOON)
    assert sorted(problems(report)) == sorted(
        f"warning: {place}: {number} times what looks like a {kind}"
        for place, number in [
            ("dead_letters.body", 1),
            ("dead_letters.reason", 1),
            ("inbox.body", 6),
            ("visitors.page_url", 1),
            (journal / "1.segment", 6),
            (config.data_dir / "server.log", 1),
        ]
    )
    assert secret not in repr(report)


def test_a_log_elsewhere_is_looked_through_too(store: SqlStore, config: Config, tmp_path: Path) -> None:
    log = tmp_path / "elsewhere.log"
    log.write_text(f"{IPV4} said hello\n")
    config = Config(server=config.server, store=config.store, log=LogConfig(file=str(log)))
    assert problems(verify(store, config, NOON)) == [f"warning: {log}: 1 times what looks like a client address"]


def test_hosts_of_pages_are_no_visitors(store: SqlStore, config: Config) -> None:
    SiteTable(store.database).put(Site(9, "intranet", ("10.1.2.3", "fd00:1:2:3::9")))
    put(
        store,
        event(1, url="http://192.168.7.5:8080/start", source=Source(referrer="192.168.7.5/before")),
        event(2, url="http://[fd00:1:2:3::8]/start", source=Source(referrer="fd00:1:2:3::8/before")),
        event(3, source=Source(referrer="10.1.2.3/before"), title="fd00:1:2:3::9"),
    )
    store.count(b"b" * 16, [Visit(b"h" * 16, "http://192.168.7.5/")], NOON)
    assert problems(verify(store, config, NOON)) == []


@BOTH
def test_hosts_of_pages_are_no_visitors_once_they_are_folded(store: SqlStore, config: Config) -> None:
    """What is folded knows no scheme any more by which an address is told to be a page's."""
    site = Site(7, "intranet")
    SiteTable(store.database).put(site)
    fold(
        store,
        site,
        [
            happened(site, NOON, "anna", host="192.168.7.5:8080", source=Source(referrer="192.168.7.5/before")),
            happened(site, NOON, "robot", host="[fd00:1:2:3::8]:8443", signals=1),
            happened(site, NOON, "ben", host="shop.example"),
        ],
    )
    assert problems(verify(store, config, NOON)) == []
    fold(store, site, [happened(site, NOON + 1, "cara", title=f"I am {IPV4}", target=IPV6)])
    assert sorted(problems(verify(store, config, NOON))) == [
        "warning: events.body: 1 times what looks like a client address",
        "warning: strings.value: 1 times what looks like a client address",
    ]
    store.execute("delete from events")  # as after the time that they are kept for
    assert problems(verify(store, config, NOON)) == [
        "warning: strings.value: 2 times what looks like a client address",  # the robot's host is known no more
    ]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (Policy(), []),
        (Policy(ip="full"), [IPV4, IPV6]),
        (Policy(ip="truncated"), [IPV4, IPV6]),
        (Policy(user_agent="full"), [FIREFOX]),
        (Policy(traits="keep"), [MAIL, CARD]),
    ],
)
@pytest.mark.parametrize("is_default", [True, False])
def test_what_a_site_keeps_on_purpose_is_found_with_others_only(
    store: SqlStore, config: Config, policy: Policy, kept: list[str], is_default: bool
) -> None:
    identity = IdentityConfig(ip=policy.ip, user_agent=policy.user_agent, traits=policy.traits)
    if is_default:
        config = Config(server=config.server, store=config.store, identity=identity)
        SiteTable(store.database).put(Site(9, "strict", policy=Policy()))
        strict, open_site = 9, 1
    else:
        SiteTable(store.database).put(Site(9, "open", policy=policy))
        strict, open_site = 1, 9
    events = [event(number, title=secret) for number, secret in enumerate(PERSONAL)]
    put(store, *events, site_id=open_site)
    others = problems(verify(store, config, NOON))
    assert len(others) == len({PERSONAL[secret] for secret in PERSONAL.keys() - set(kept)})
    put(store, *events, site_id=strict, number=2)
    assert len(problems(verify(store, config, NOON))) == len(set(PERSONAL.values()))


@BOTH
def test_a_scan_reads_every_row_once_and_long_values_in_pieces(store: SqlStore) -> None:
    for number in range(2 * ROWS + 3):
        site_id = number % 3 + 1
        row = InboxRow(site_id, number.to_bytes(16, "little"), NOON, 1, b"%d" % number)
        Inbox(store.database).drain([row], [], segment_id=number.to_bytes(16, "big"), old=0, new=1, at=NOON)
    long = b"x" * (PIECE_BYTES - 4) + IPV4.encode() + b"y" * 100
    Inbox(store.database).set_aside("long", long, NOON, site_id=7)
    found = list(scan(store.database))
    bodies = [(one.site_id, int(one.content)) for one in found if (one.table, one.column) == ("inbox", "body")]
    assert sorted(bodies) == sorted((number % 3 + 1, number) for number in range(2 * ROWS + 3))
    pieces = [one.content for one in found if (one.table, one.column) == ("dead_letters", "body")]
    assert [len(piece) for piece in pieces] == [PIECE_BYTES, OVERLAP_BYTES + len(long) - PIECE_BYTES]
    assert IPV4.encode() in pieces[1]
    assert {one.site_id for one in found if one.table == "dead_letters"} == {7}


@BOTH
def test_tables_of_other_programs_are_not_read(store: SqlStore) -> None:
    store.execute("create table guestbook (id integer primary key, mail varchar(100))")
    store.execute("insert into guestbook (id, mail) values (1, %s)", (MAIL,))
    assert "guestbook" not in {found.table for found in scan(store.database)}
