"""The routes without sockets: requests in, responses out, over a real store."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import msgspec
import pytest

from visitor_tracker.access import send_keys
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.sites import SiteBook
from visitor_tracker.app import App, Shared, first_snapshot, journal_folder, store_of
from visitor_tracker.config import Config, RateLimitConfig, ServerConfig, StoreConfig
from visitor_tracker.event import Event, decode_events
from visitor_tracker.http.message import Deferred, Headers, Peer, Request, Response, Stream
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.metrics import Cell
from visitor_tracker.serve import migrate_store
from visitor_tracker.sites import SendKey
from visitor_tracker.store.inbox import Inbox

LOCAL = Peer("127.0.0.1")
REMOTE = Peer("192.0.2.7")
HOST = {"host": "localhost:8000"}


class Site:
    """An App and a way to ask it."""

    def __init__(self, config: Config) -> None:
        self.shared = Shared(config, 1, first_snapshot(config))
        self.app = App(config, self.shared)

    @cached_property
    def admin(self) -> dict[str, str]:
        """Headers with an admin's key, as `visitor-tracker key add operator --scope admin` makes it."""
        store = self.app.store
        keys = ApiKeys(store)
        _, text = keys.add(Audit(store), OPERATOR, "operator", site_id=0, scopes=["admin"], expires_at=0)
        return {"authorization": f"Bearer {text}"}

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
        answer = self.app.router(request)
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, Stream):  # its beginning is all that is asked for
            answer.close()
            return Response(200, answer.first, answer.headers)
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

    def events(self) -> list[Event]:
        """Drain the journal; return all events of the inbox, site by site, in the order in which they came."""
        config = self.app.config
        store = store_of(config)
        try:
            drainer = Drainer(journal_folder(config), store, self.shared.metrics.counters())
            while drainer.step():
                pass
            inbox = Inbox(store.database)
            sites = self.app.snapshot.now.sites
            rows = [row for site in (*sites, *SiteBook(config.data_dir).sites()) for row in inbox.rows(site.id, 1000)]
        finally:
            store.close()
        return [event for row in rows for event in decode_events(row.body)]

    def add_send_key(self, name: str, site_id: int = 0) -> str:
        """Make a send key that the App knows at once."""
        key = send_keys.make()
        known = self.app.snapshot.now.send_keys
        mine = SendKey(send_keys.digest(key), name, site_id)
        self.app.snapshot.now = msgspec.structs.replace(self.app.snapshot.now, send_keys=(*known, mine))
        return key

    def counted(self, cell: Cell) -> int:
        return self.shared.metrics.total(cell)


Build = Callable[..., Site]


@pytest.fixture
def build(tmp_path: Path, prepare_database: Callable[[str], None]) -> Iterator[Build]:
    """Return a function that makes a Site from changed sections of the settings."""
    made: list[Site] = []

    def make(**sections: object) -> Site:
        config = Config(
            server=ServerConfig(data_dir=str(tmp_path)),
            store=StoreConfig(url=f"sqlite:///{tmp_path / 'v.db'}"),
            rate_limit=RateLimitConfig(per_second=1000, burst=100_000),
        )
        config = replace(config, **sections)  # type: ignore[arg-type]
        prepare_database(config.store.url)
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
