"""The middleware's events in visitors.json."""

import json
from pathlib import Path

import pytest

from visitor_tracker.middleware import visitors_json
from visitor_tracker.middleware.file_tracker import FileTracker
from visitor_tracker.middleware.tracker import Delivered, Refused, Unavailable
from visitor_tracker.middleware.visitors_json import FileError, Record, VisitorFile

HOME = "203.0.113.42"
EVENT: Record = {
    "type": "pageview", "id": "0" * 32, "url": "https://example.com/v1/caf%C3%A9?q=1", "ip": HOME,
    "user_agent": "Firefox", "age_ms": 0, "properties": {"method": "POST", "status": 200},
}  # fmt: skip


def nowhere(_: str) -> dict[str, str]:
    return {"country": "Unknown", "country_code": "XX"}


@pytest.fixture
def file(tmp_path: Path) -> VisitorFile:
    return VisitorFile(tmp_path / "visitors.json")


def sent(file: VisitorFile, *events: object) -> Delivered:
    return FileTracker(lambda: file, nowhere).send(json.dumps(events).encode())


def test_events_of_an_address_are_one_record(file: VisitorFile) -> None:
    later = EVENT | {"url": "https://example.com/", "properties": {}, "user_agent": ""}
    assert sent(file, EVENT | {"age_ms": 60_000}, EVENT, later) == Delivered(3)
    [record] = file.load().values()
    assert (record["visit_count"], record["user_agents"]) == (3, ["Firefox"])
    assert record["paths_visited"] == ["POST /v1/café", "GET /"]
    assert record["first_seen"] < record["last_seen"]


def test_what_has_no_address_is_dropped(file: VisitorFile) -> None:
    assert sent(file, EVENT | {"ip": ""}, EVENT) == Delivered(1, ("no_address",))


@pytest.mark.parametrize("events", [b"{", b"[1]", b'[{"ip": "1.2.3.4"}]', b'[{"url": "/", "age_ms": "x"}]'])
def test_what_is_no_event_is_refused_and_changes_nothing(file: VisitorFile, events: bytes) -> None:
    with pytest.raises(Refused):
        FileTracker(lambda: file, nowhere).send(events)
    assert not file.path.exists()


def test_a_file_that_cannot_be_used_makes_events_wait(file: VisitorFile) -> None:
    file.path.write_text("not JSON")
    with pytest.raises(Unavailable, match="not JSON"):
        sent(file, EVENT)
    assert file.path.read_text() == "not JSON"


def test_a_place_that_becomes_known_is_noted(file: VisitorFile) -> None:
    sent(file, EVENT)
    tracker = FileTracker(lambda: file, lambda _: {"country": "France", "country_code": "FR"})
    tracker.send(json.dumps([EVENT]).encode())
    assert file.load()[HOME]["country"] == "France"


def test_the_file_is_for_its_owner_only_and_nothing_is_left_beside_it(file: VisitorFile) -> None:
    sent(file, EVENT)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["visitors.json", "visitors.json.lock"]


def test_a_link_in_the_place_of_the_new_file_is_not_followed(file: VisitorFile, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "visitors.json.new").symlink_to(tmp_path / "precious")
    with pytest.raises(FileError):
        file.save({HOME: {"visit_count": 1}})
    assert (tmp_path / "precious").read_text() == "mine"


def test_there_is_an_end_to_visitors_and_to_what_is_known_of_one(
    file: VisitorFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors_json, "VISITORS_MOST", 2)
    monkeypatch.setattr(visitors_json, "PATHS_MOST", 3)
    many = [EVENT | {"url": f"https://example.com/{number}"} for number in range(9)]
    sent(file, EVENT | {"ip": "192.0.2.1", "age_ms": 90_000}, EVENT | {"ip": "192.0.2.2"}, *many)
    found = file.load()
    assert set(found) == {"192.0.2.2", HOME}
    assert len(found[HOME]["paths_visited"]) == 3
