"""A site whose visitors are counted and folded, without processes of its own."""

import time
from typing import Any

import msgspec

from tests.web.conftest import REMOTE, Site, header_of
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.app import folder_of, journal_folder, store_of
from visitor_tracker.http.message import Peer, Response
from visitor_tracker.ingest.drain import Drainer

BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept-language": "de",
    "accept": "*/*",
}

Json = Any


class Visitor:
    """A browser of somebody; keeps its cookies."""

    def __init__(self, site: Site, peer: Peer = REMOTE, **headers: str) -> None:
        self.site = site
        self.peer = peer
        self.headers = BROWSER | headers
        self.cookies: dict[str, str] = {}

    def ask(self, target: str, method: str = "GET", body: object = None, **headers: str) -> Response:
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.site.ask(target, method=method, body=data, peer=self.peer, headers=self.headers | sent | named)
        for name, value in response.headers:
            if name == "Set-Cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self.cookies[cookie] = text
        return response

    def view(self, url: str = "https://example.com/", **more: object) -> None:
        """See a page."""
        response = self.ask("/api/v1/events", "POST", [{"type": "pageview", "url": url, **more}])
        assert header_of(response.headers, "X-Tracker") == "accepted", response


def settle(site: Site) -> None:
    """Do what the jobs process does: drain, fold, and take over sites and keys."""
    config = site.app.config
    store = store_of(config)
    try:
        counters = site.shared.metrics.counters()
        drainer = Drainer(journal_folder(config), store, counters)
        while drainer.step():
            pass
        folder = folder_of(config, store, counters)
        while folder.step():
            pass
        folder.let_go()
        Keeper(store, config, counters).step(time.time_ns() // 1_000_000)
    finally:
        store.close()
    site.app.snapshot.refresh()


def read(site: Site, target: str, status: int = 200) -> Json:
    """Return what a reader on the server's own machine gets."""
    return _said(site.ask(target), status)


def manage(site: Site, method: str, target: str, body: object = None, status: int = 200) -> Json:
    """Return what an admin gets."""
    data = b"" if body is None else msgspec.json.encode(body)
    return _said(site.ask(target, method=method, body=data, headers=site.admin), status)


def _said(response: Response, status: int) -> Json:
    assert response.status == status, (response.status, response.body)
    return msgspec.json.decode(response.body) if response.body else None


def code_of(response: Response) -> tuple[int, str]:
    return response.status, msgspec.json.decode(response.body)["error"]["code"] if response.status >= 400 else ""
