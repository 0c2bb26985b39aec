"""A tracker inside another program."""

import json
import os
import pickle
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.folded import events_of_store
from tests.running import until
from visitor_tracker.config import load
from visitor_tracker.embedding import EmbeddedTracker, beside, embedded
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware import Delivered, Refused, Unavailable
from visitor_tracker.serve import hold_locks

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def events(*ids: str, ip: str = "203.0.113.7") -> bytes:
    sent = {"url": "https://example.com/prices", "ip": ip, "user_agent": FIREFOX}
    return json.dumps([sent | {"id": one * 32} for one in ids]).encode()


@pytest.fixture
def tracker(tmp_path: Path, store_url: str) -> Iterator[EmbeddedTracker]:
    made = embedded({"server.data_dir": str(tmp_path / "data"), "store.url": store_url, "identity.ip": "full"})
    yield made
    made.close()


def test_events_are_stored_once(tracker: EmbeddedTracker, store_url: str) -> None:
    assert tracker.send(events("1", "2")) == Delivered(2)
    assert tracker.send(events("2", "3")) == Delivered(2)
    until(lambda: len(events_of_store(store_url)) == 3)
    tracker.close()
    assert tracker.send(events("3", "4")) == Delivered(2)
    until(lambda: len(events_of_store(store_url)) == 4)
    assert {(event.ip, event.signals) for event in events_of_store(store_url)} == {("203.0.113.7", 0)}


def test_visitors_are_told_as_the_middleware_of_old_did(tracker: EmbeddedTracker) -> None:
    tracker.send(events("1", "2"))
    tracker.send(events("3", ip="203.0.113.8"))
    until(lambda: tracker.get_visitor_stats()["total_visits"] == 3)
    stats = tracker.get_visitor_stats()
    assert (stats["total_visitors"], stats["countries"]) == (2, {"Unknown": 2})
    assert [top["visit_count"] for top in stats["top_ips"]] == [2, 1]
    every = tracker.get_all_visitors()
    assert {record["ip"]: record["visit_count"] for record in every} == {"203.0.113.7": 2, "203.0.113.8": 1}
    assert tracker.get_all_visitors(limit=1) == every[:1]
    assert tracker.get_visitor("203.0.113.7") in every
    unknown = tracker.get_visitor("192.0.2.1")
    assert unknown == {"error": "No data found for IP: 192.0.2.1", "ip": "192.0.2.1"}


def test_each_event_has_a_verdict(tracker: EmbeddedTracker) -> None:
    sent = json.dumps([{"url": "https://example.com/"}, {"url": "ftp://example.com/"}, {"type": "odd"}])
    assert tracker.send(sent.encode()) == Delivered(1, ("invalid_url", "invalid_event"))


def test_what_is_no_json_is_refused(tracker: EmbeddedTracker) -> None:
    with pytest.raises(Refused, match="truncated"):
        tracker.send(b"[")


def test_while_nothing_is_known_and_the_store_is_away_events_are_not_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"mysql://root@127.0.0.1:{port}/visitors"
    tracker = embedded({"server.data_dir": str(tmp_path / "data"), "store.url": url})
    for _ in range(2):
        with pytest.raises(Unavailable):
            tracker.send(events("1"))
    tracker.close()


def test_a_process_that_does_not_prepare_the_folder_waits_for_the_one_that_does(tmp_path: Path) -> None:
    overrides = {"server.data_dir": str(tmp_path / "data"), "server.workers": 0}
    tracker = embedded(overrides)
    with ExitStack() as stack:
        hold_locks(load(None, {}, overrides), stack)
        with pytest.raises(Unavailable, match="preparing"):
            tracker.send(events("1"))
    assert tracker.send(events("1")) == Delivered(1)
    tracker.close()


def child_of(tracker: EmbeddedTracker) -> int:
    """Return the process that does the tracker's work, once it has begun."""
    tracker.get_visitor_stats()
    pid = tracker.child
    assert pid is not None
    return pid


def test_the_work_is_done_by_a_process_that_ends_with_the_tracker(tmp_path: Path) -> None:
    tracker = embedded({"server.data_dir": str(tmp_path / "data")})
    assert tracker.child is None
    child = child_of(tracker)
    assert Path(f"/proc/{child}").exists()
    os.kill(child, signal.SIGTERM)  # which whole groups of processes get; it stays until the program lets it go
    assert tracker.send(events("1")) == Delivered(1)
    assert child_of(tracker) == child
    tracker.close()
    assert not Path(f"/proc/{child}").exists()
    assert tracker.child is None


def test_a_process_that_was_killed_is_followed_by_another(tracker: EmbeddedTracker, store_url: str) -> None:
    assert tracker.send(events("1", "2")) == Delivered(2)
    killed = child_of(tracker)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(Unavailable, match="ended"):
        tracker.send(events("2", "3"))
    assert tracker.send(events("2", "3")) == Delivered(2)
    assert child_of(tracker) != killed
    until(lambda: len(events_of_store(store_url)) == 3)


def test_the_process_takes_no_modules_from_the_working_directory(
    tracker: EmbeddedTracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "logging", "visitor_tracker"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert tracker.send(events("1")) == Delivered(1)


def test_what_cannot_be_asked_does_not_keep_others_waiting(tracker: EmbeddedTracker) -> None:
    class Address(str):
        """Nobody else knows this class."""

    child = child_of(tracker)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        tracker.get_visitor(Address("192.0.2.1"))
    assert tracker.send(events("1")) == Delivered(1)
    assert child_of(tracker) == child


def test_an_answer_that_was_read_in_part_is_read_no_further(
    tracker: EmbeddedTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: "Connection[object, object]") -> None:
        os.read(self.fileno(), 3)
        raise KeyboardInterrupt

    child = child_of(tracker)
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "recv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tracker.get_visitor_stats()
    with pytest.raises(Unavailable, match="ended"):
        tracker.get_visitor_stats()
    assert tracker.get_visitor_stats()["total_visits"] == 0
    assert child_of(tracker) != child


@pytest.mark.parametrize("reason", ["wanted", "no program", "a program that does not run Python"])
def test_where_there_is_no_process_of_its_own_threads_do_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason != "wanted":
        monkeypatch.setattr(beside, "interpreter", lambda: "" if reason == "no program" else "/bin/true")
    tracker = embedded({"server.data_dir": str(tmp_path / "data")}, own_process=reason != "wanted")
    if reason == "a program that does not run Python":
        with pytest.raises(Unavailable, match="ended"):
            tracker.send(events("1"))
    assert tracker.send(events("1", "2")) == Delivered(2)
    assert tracker.child is None
    until(lambda: tracker.get_visitor_stats()["total_visits"] == 2)
    tracker.close()


def test_settings_come_from_file_environment_and_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("identity:\n  ip: truncated\n")
    monkeypatch.setenv("VISITOR_DATA_DIR", str(tmp_path / "data"))
    tracker = embedded(file=file)
    tracker.send(events("1"))
    until(lambda: [one["ip"] for one in tracker.get_all_visitors()] == ["203.0.113.0"])
    tracker.close()
    assert (tmp_path / "data" / "visitors.db").is_file()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"server.data_folder": "x"}, "there is no setting server.data_folder"),
        ({"identity.ip": "some"}, "must be one of none"),
    ],
)
def test_settings_that_cannot_work_are_told_at_once(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        embedded(settings)
