"""An App that takes each request's word for who asks."""

import json
from typing import Any

import msgspec

from tests.web.conftest import LOCAL
from tests.web.conftest import Site as Served
from visitor_tracker.access.who import NOBODY, Who
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.sites import Site

SITE = Site(1, "default")
SHOP = Site(7, "shop", timezone="Europe/Berlin")
PEOPLE = {
    "root": Who("user", "root", "0" * 32, is_admin=True),
    "owner": Who("user", "olga", "1" * 32, roles={1: "owner"}),
    "viewer": Who("user", "vera", "2" * 32, roles={1: "viewer"}),
    "other": Who("user", "otto", "3" * 32, roles={7: "owner"}),
    "share": Who("share", "a link", "4" * 32, roles={1: "viewer"}),
    "deploy": Who("key", "deploy", "5" * 16, roles={1: "owner"}),
}


class Asking:
    """An App whose requests say who asks in a header."""

    def __init__(self, served: Served) -> None:
        self.served = served
        snapshot = served.app.snapshot
        snapshot.now = msgspec.structs.replace(snapshot.now, sites=(SITE, SHOP))
        served.app.guards.schemes = (self,)

    def identify(self, request: Request) -> Who | None:
        return PEOPLE.get(request.headers["x-who"], NOBODY)

    def __call__(
        self, method: str, target: str, body: object = None, *, who: str = "root", peer: Peer = LOCAL
    ) -> tuple[int, Any]:
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        found = self.served.ask(target, method=method, body=sent, peer=peer, headers={"x-who": who})
        return found.status, json.loads(found.body) if found.body else None

    def code(self, method: str, target: str, body: object = None, *, who: str = "root") -> tuple[int, str]:
        status, said = self(method, target, body, who=who)
        return status, said["error"]["code"] if said and "error" in said else ""
