"""What programs with the middleware send to: a server with a key for them, and one inside the program."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.folded import events_of_store
from tests.running import Server, until
from visitor_tracker.cli import main
from visitor_tracker.embedding import EmbeddedTracker, embedded
from visitor_tracker.event import Event
from visitor_tracker.middleware import Counts

KEEP = {"VISITOR_TRACKER_IDENTITY_IP": "full", "VISITOR_TRACKER_IDENTITY_USER_AGENT": "full"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a program sends, as the options of its middleware, and what arrived there."""

    options: dict[str, Any]
    store_url: str

    def events(self, number: int) -> list[Event]:
        """Wait for so many events and return all there are."""
        found: list[Event] = []

        def is_there() -> bool:
            found[:] = events_of_store(self.store_url)
            return len(found) >= number

        until(is_there, lambda: f"{len(found)} of {number} events arrived")
        return found


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A send key that the server knows when it starts."""
    assert main(["key", "add", "host", "--data-dir", str(tmp_path / "data")]) == 0
    return capsys.readouterr().out.strip()


@pytest.fixture
def server(tmp_path: Path, key: str) -> Iterator[Server]:
    running = Server(tmp_path, settings=KEEP)
    try:
        running.start()
        yield running
    finally:
        running.kill9()


@pytest.fixture
def server_target(server: Server, key: str) -> Target:
    return Target({"server": server.url, "key": key}, f"sqlite:///{server.folder / 'data' / 'visitors.db'}")


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[EmbeddedTracker]:
    kept = {"server.data_dir": str(tmp_path / "data"), "identity.ip": "full", "identity.user_agent": "full"}
    made = embedded(kept)
    yield made
    made.close()


@pytest.fixture
def embedded_target(tracker: EmbeddedTracker, tmp_path: Path) -> Target:
    tracker.get_visitor_stats()  # opens it, so that its tables are there
    return Target({"tracker": tracker}, f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")


@pytest.fixture(params=["server", "embedded"])
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(f"{request.param}_target")
    return found


def settled(counts: Callable[[], Counts]) -> Counts:
    """Wait until nothing waits, and return what became of the requests."""
    until(lambda: not counts().waiting, lambda: f"some wait: {counts()}")
    return counts()
