"""An App with numbers, and how tests ask it for them."""

import json
from typing import Any
from urllib.parse import urlencode

import msgspec

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, MINUTE, SAFARI, event, fold
from tests.web.conftest import LOCAL
from tests.web.conftest import Site as Served
from visitor_tracker.access.who import NOBODY, Who
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.sites import Site, site_id_of

PATH = "/api/v1/stats/query"
SITE = Site(1, "default", timezone="Europe/Berlin")
BLOG = Site(site_id_of("blog"), "blog", aliases=("42",))
DAY = bounds("Europe/Berlin", 20260310)[0]
DAYS = {"date_range": ["2026-03-09", "2026-03-10"]}
VERA = Who("user", "vera", "2" * 32, roles={SITE.id: "viewer"})
LINK = Who("share", "a link", "4" * 32, roles={BLOG.id: "viewer"})

Said = dict[str, Any]


class Asking:
    """An App whose requests say who asks in a header."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.store = served.app.store
        snapshot = served.app.snapshot
        snapshot.now = msgspec.structs.replace(snapshot.now, sites=(SITE, BLOG))
        served.app.guards.schemes = (self,)

    def identify(self, request: Request) -> Who | None:
        return {"vera": VERA, "link": LINK, "nobody": NOBODY}.get(request.headers.get("x-who", ""))

    def response(
        self, target: str, body: object = None, *, peer: Peer = LOCAL, headers: dict[str, str] | None = None
    ) -> Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        return self.served.ask(target, method=method, body=raw, peer=peer, headers=headers)

    def says(self, body: Said | None = None, **parameters: str) -> Said:
        """Return the answer to a query, sent as a body or as parameters."""
        found = self.response(f"{PATH}?{urlencode(parameters)}" if body is None else PATH, body)
        assert found.status == 200, found.body
        said: Said = json.loads(found.body)
        return said

    def refusal(self, body: object = None, **parameters: str) -> tuple[int, str, str]:
        found = self.response(f"{PATH}?{urlencode(parameters)}" if body is None else PATH, body)
        error = json.loads(found.body)["error"]
        return found.status, error["code"], f"{error['message']}: {error['hint']}"


def with_numbers(served: Served) -> Asking:
    """A site with visits on two days, and another one."""
    found = Asking(served)
    anna: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    at = DAY + HOUR_MS
    fold(
        found.store,
        SITE,
        [
            event(SITE, DAY - HOUR_MS, "anna yesterday", "/", source=GOOGLE, **anna),
            event(SITE, at, "anna", "/", source=GOOGLE, scroll=40, **anna),
            event(SITE, at + MINUTE, "anna", "/a", engaged_ms=30_000, **anna),
            event(SITE, at + 2 * MINUTE, "anna", "/a", "custom", name="buy", value=19.5, currency="EUR", **anna),
            event(SITE, at + HOUR_MS, "ben", "/a", place=FRANCE, agent=SAFARI, scroll=80),
            event(SITE, at + HOUR_MS + 1, "ben", "/a", "custom", name="=1+1", place=FRANCE, agent=SAFARI),
        ],
    )
    fold(found.store, BLOG, [event(BLOG, DAY, "anna", "/blog")])
    return found
