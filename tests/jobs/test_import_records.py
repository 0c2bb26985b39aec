"""visitors.json comes in: each visitor once, also after an interruption."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.import_parts import BLOG, FIREFOX, GOOGLEBOT, NOW, SNAPSHOT, line_reader
from visitor_tracker.event import Event, Place, decode_events
from visitor_tracker.jobs.importing import record_importer
from visitor_tracker.jobs.importing.importer import ImportFailed
from visitor_tracker.jobs.importing.reading import LineReader, Wanted
from visitor_tracker.jobs.importing.record_importer import RecordImporter, Taken
from visitor_tracker.jobs.importing.records import RecordsError, RecordsFile, is_records_file, read_records
from visitor_tracker.middleware.visitors_json import FileError
from visitor_tracker.sites import Policy
from visitor_tracker.store import migrate, open_store, people
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.ip_records import IpRecord
from visitor_tracker.store.sql import SqlStore

FULL = Policy(ip="full", user_agent="full")
FIRST, LAST = 1_736_937_000_000, 1_736_950_920_000


def record(ip: str = "203.0.113.42", **more: object) -> dict[str, Any]:
    return {
        "ip": ip, "country": "United States", "country_code": "US", "region": "California", "city": "San Francisco",
        "org": "Example ISP", "isp": "Example ISP", "first_seen": "2025-01-15T10:30:00+00:00",
        "last_seen": "2025-01-15T14:22:00+00:00", "visit_count": 15, "paths_visited": ["GET /docs", "POST /v1/chat"],
        "user_agents": [FIREFOX],
    } | more  # fmt: skip


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def inbox(store: SqlStore) -> Inbox:
    return Inbox(store.database)


def read(folder: Path, *records: dict[str, Any]) -> RecordsFile:
    path = folder / "visitors.json"
    path.write_text(json.dumps({each["ip"]: each for each in records}))
    return read_records(str(path), BLOG.id, NOW)


def reader(policy: Policy = FULL) -> LineReader:
    return line_reader(Wanted(BLOG, "blog.example", every=True), policy=policy)


def events(inbox: Inbox) -> list[Event]:
    found: list[Event] = []
    after = b""
    while rows := inbox.rows(BLOG.id, 100, after):
        found += [event for row in rows for event in decode_events(row.body)]
        after = rows[-1].id
    return found


def kept(store: SqlStore) -> list[IpRecord]:
    return store.database.read(lambda session: people.newest_ip_records(session, BLOG.id, 100))


def test_a_visitor_becomes_views_and_a_record(tmp_path: Path, store: SqlStore, inbox: Inbox) -> None:
    taken = RecordImporter(reader(), BLOG.id, inbox=inbox).run(read(tmp_path, record()))
    assert (taken.visitors, taken.addresses, taken.views, taken.robots) == (1, 1, 15, 0)
    place = ("US", "California", "San Francisco", "Example ISP")
    assert kept(store) == [
        IpRecord("203.0.113.42", FIRST, LAST, 15, *place, ("GET /docs", "POST /v1/chat"), (FIREFOX,))
    ]
    found = events(inbox)
    assert [event.ts for event in found] == [FIRST, *[LAST] * 14]
    assert {(event.ip, event.user_agent) for event in found} == {("", "")}
    assert {event.place for event in found} == {Place(*place)}
    assert [event.url for event in found[:3]] == [
        "https://blog.example/docs", "https://blog.example/v1/chat", "https://blog.example/docs",
    ]  # fmt: skip
    assert len({event.id for event in found}) == 15


@pytest.mark.parametrize(
    ("policy", "ips", "agents"),
    [
        (Policy(ip="full"), ["203.0.113.42"], ()),
        (Policy(ip="truncated", user_agent="full"), ["203.0.113.0"], (FIREFOX,)),
        (Policy(), [], None),
    ],
)
def test_no_more_is_kept_than_the_site_may(  # noqa: PLR0913
    tmp_path: Path, store: SqlStore, inbox: Inbox, policy: Policy, ips: list[str], agents: tuple[str, ...] | None
) -> None:
    file = read(tmp_path, record(), record("203.0.113.43", visit_count=1))
    RecordImporter(reader(policy), BLOG.id, inbox=inbox).run(file)
    found = kept(store)
    expected = ips if policy.ip == "truncated" or not ips else ["203.0.113.42", "203.0.113.43"]
    assert sorted(each.ip for each in found) == expected
    assert {each.user_agents for each in found} == ({agents} if ips else set())
    assert sum(each.visits for each in found) == (16 if ips else 0)
    assert len(events(inbox)) == 16


def test_an_import_that_was_interrupted_goes_on(
    tmp_path: Path, store: SqlStore, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_importer, "_BATCH_EVENTS", 7)
    file = read(tmp_path, *[record(f"203.0.113.{number}", visit_count=5) for number in range(10)])
    stored: list[int] = []

    def stop_after_three() -> bool:
        stored.append(len(events(inbox)))
        if len(stored) == 3:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        RecordImporter(reader(), BLOG.id, inbox=inbox, fold=stop_after_three).run(file)
    assert stored == [7, 14, 21]
    taken = RecordImporter(reader(), BLOG.id, inbox=inbox).run(file)
    assert (taken.was_there, taken.views) == (21, 29)
    assert len({event.id for event in events(inbox)}) == len(events(inbox)) == 50
    assert [each.visits for each in kept(store)] == [5] * 10
    again = RecordImporter(reader(), BLOG.id, inbox=inbox).run(file)
    assert again == Taken(was_there=50)
    assert len(events(inbox)) == 50


def test_a_later_copy_is_refused_and_another_file_is_not(tmp_path: Path, inbox: Inbox) -> None:
    RecordImporter(reader(), BLOG.id, inbox=inbox).run(read(tmp_path, record()))
    with pytest.raises(ImportFailed, match="another copy"):
        RecordImporter(reader(), BLOG.id, inbox=inbox).run(read(tmp_path, record(visit_count=16)))
    other = read(tmp_path, record("192.0.2.1"))
    assert RecordImporter(reader(), BLOG.id, inbox=inbox).run(other).visitors == 1


def test_robots_are_kept_apart(tmp_path: Path, inbox: Inbox) -> None:
    file = read(tmp_path, record(user_agents=[GOOGLEBOT]), record("192.0.2.1"))
    taken = RecordImporter(reader(), BLOG.id, inbox=inbox).run(file)
    assert (taken.visitors, taken.views, taken.robots) == (2, 15, 15)


def test_visitors_of_local_networks_stay_local(tmp_path: Path) -> None:
    [found] = read(tmp_path, record("10.0.0.1", country="Local", country_code="LOCAL", org="Local Network")).records
    assert found.place == Place("LOCAL", "Local Network", "Local", "Local")


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b'{"203.0.113.42": {"ip": "203.0.113.42"}}', True),
        (b'\xef\xbb\xbf {\n "2001:db8::1" : {', True),
        (b'{"ip": "203.0.113.42"}', False),
        (b'{"remote_addr": {"a": 1}}', False),
        (b'{"1.2.3": {', False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_such_a_file_is_known_by_its_beginning(tmp_path: Path, content: bytes, *, is_one: bool) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    assert is_records_file(str(path)) is is_one
    assert not is_records_file(str(tmp_path / "missing"))


def test_hostile_texts_become_harmless(tmp_path: Path) -> None:
    evil = record(
        city="\x1b[2JX" * 99, paths_visited=["GET /\x00\x1b", "no request", "GET /%%%"], user_agents=["\u202e" * 9]
    )
    [found] = read(tmp_path, evil).records
    assert found.place.city.isprintable()
    assert len(found.place.city) <= 128
    assert all(text.isprintable() for text in found.requests + found.user_agents)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot be read"):
        read_records(str(tmp_path / "missing.json"), 1, NOW)
    (tmp_path / "visitors.json").write_text("{" * 100_000)
    with pytest.raises(FileError, match="not JSON"):
        read_records(str(tmp_path / "visitors.json"), 1, NOW)


def test_a_trial_stores_nothing(tmp_path: Path) -> None:
    taken = RecordImporter(reader(), BLOG.id).run(read(tmp_path, record()))
    assert (taken.visitors, taken.views) == (1, 15)
    assert SNAPSHOT.keys.keys() >= {"persistent"}
