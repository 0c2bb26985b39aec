"""The routes without sockets: requests in, responses out, over a real store."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from visitor_tracker.app import App, Shared, keys_of
from visitor_tracker.config import Config, RateLimitConfig, ServerConfig, StoreConfig
from visitor_tracker.http.message import Deferred, Headers, Peer, Request, Response
from visitor_tracker.metrics import Cell
from visitor_tracker.serve import migrate_store

LOCAL = Peer("127.0.0.1")
REMOTE = Peer("192.0.2.7")
HOST = {"host": "localhost:8000"}


class Site:
    """An App and a way to ask it."""

    def __init__(self, config: Config) -> None:
        self.shared = Shared(config, 1, keys_of(config))
        self.app = App(config, self.shared)

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        peer: Peer = LOCAL,
        headers: dict[str, str] | None = None,
    ) -> Response:
        path, _, query = target.partition("?")
        request = Request(method, path, query, HOST | (headers or {}), body, True, peer)
        fast = self.app.router.is_fast(request)
        answer = self.app.router(request)
        if isinstance(answer, Response):
            return answer
        assert fast, "only the fast lane gathers"
        return self._wait(answer)

    def _wait(self, deferred: Deferred) -> Response:
        got: list[Response | None] = []
        done = threading.Event()

        def deliver(response: Response | None) -> None:
            got.append(response)
            done.set()

        deferred.attach(deliver)
        self.app.router.flush()
        assert done.wait(20)
        assert got[0] is not None
        return got[0]

    def counted(self, cell: Cell) -> int:
        return self.shared.metrics.total(cell)


Build = Callable[..., Site]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Return a function that makes a Site from changed sections of the settings."""
    made: list[Site] = []

    def make(**sections: object) -> Site:
        config = Config(
            server=ServerConfig(data_dir=str(tmp_path)),
            store=StoreConfig(url=f"sqlite:///{tmp_path / 'v.db'}"),
            rate_limit=RateLimitConfig(per_second=1000, burst=100_000),
        )
        config = replace(config, **sections)  # type: ignore[arg-type]
        migrate_store(config)
        made.append(Site(config))
        return made[-1]

    yield make
    for site in made:
        site.app.close()


@pytest.fixture
def site(build: Build) -> Site:
    return build()


def header(response: Response, name: str) -> str:
    """Return the one value of a header, "" when it is missing."""
    return header_of(response.headers, name)


def header_of(headers: Headers, name: str) -> str:
    found = [value for key, value in headers if key.lower() == name.lower()]
    assert len(found) <= 1, found
    return found[0] if found else ""
