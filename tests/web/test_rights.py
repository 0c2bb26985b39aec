"""Who may use which route: every route that is not for everybody, asked as each sort of client there is.

A route that is not in ROUTES fails the test, and so does a request that not even an admin can send.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, Site
from tests.web.listed_routes import ROUTES
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.who import Access, Role
from visitor_tracker.http.message import Request
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Site as SiteValue
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.web.router import Route

NOBODY, SHARE, VIEWER, STRANGER, OWNER, ADMIN = "nobody", "share link", "viewer", "other owner", "owner", "admin"
INGEST, READ, READ_ALL, ADMIN_KEY = "ingest key", "read key", "read key of all sites", "admin key of the site"
OWN_MACHINE = "own machine"  # before the first account
CLIENTS = (NOBODY, SHARE, VIEWER, STRANGER, OWNER, ADMIN, INGEST, READ, READ_ALL, ADMIN_KEY)

# Who may use a route of that access for the site `blog`, which everybody asks for here.
MAY: Mapping[Access, frozenset[str]] = {
    "read": frozenset({SHARE, VIEWER, OWNER, ADMIN, READ, READ_ALL, ADMIN_KEY}),
    "visitors": frozenset({VIEWER, OWNER, ADMIN, READ, READ_ALL, ADMIN_KEY}),
    "manage": frozenset({OWNER, ADMIN, ADMIN_KEY}),
    "known": frozenset(CLIENTS) - {NOBODY, INGEST},
    "operate": frozenset({ADMIN, READ_ALL}),
    "admin": frozenset({ADMIN}),
}

# Where not all may who may by the access, or others too: lists of what each may see, and what only people have.
_PEOPLE = frozenset({VIEWER, STRANGER, OWNER, ADMIN})
_LISTS = MAY["read"] | {STRANGER}
BUT: dict[str, frozenset[str]] = {
    "GET /api/v1/sites": _LISTS,
    "GET /sites": _LISTS,
    "GET /websites": _LISTS,
    "GET /replay": _LISTS - {SHARE},  # pages that ask for what they show
    "GET /replay/{session}": _LISTS - {SHARE},
    "GET /snapshot": _LISTS - {SHARE},
    "POST /api/v1/keys": frozenset({VIEWER, OWNER, ADMIN}),
    "POST /api/v1/sites/{site}/signing-keys": frozenset({OWNER, ADMIN}),
    "PATCH /api/v1/me": _PEOPLE,
    "GET /api/v1/me/logins": _PEOPLE,
    "DELETE /api/v1/me/logins/{id}": _PEOPLE,
    "POST /api/v1/me/password": _PEOPLE,
    "POST /api/v1/me/totp": _PEOPLE,
    "DELETE /api/v1/me/totp": _PEOPLE,
    "POST /api/v1/me/totp/confirm": _PEOPLE,
    "GET /auth/me": _PEOPLE,
}
# What the server's own machine may before the first account: whatever only shows something, but for accounts.
OWN_MACHINE_READS: frozenset[Access] = frozenset({"read", "visitors", "known", "operate"})
NOT_OF_ITS_OWN = frozenset({"GET /api/v1/me/logins", "GET /auth/me"})
# Answers that say who asks may, and something else is wrong.
_PASSED = {"wrong_password", "wrong_code", "already_registered"}

ID = "0" * 32
NAMES = {"site": "blog", "site_id": "blog", "website_id": "blog", "username": "spare"}
REMOVED = {"DELETE /websites/{website_id}": "old"}  # a site of its own
QUERIES = {
    "GET /api/v1/stats/attribution": "site=blog&goal=Read",
    "GET /api/v1/stats/funnel": "site=blog&funnel=Way",
    "GET /api/v1/snapshot": "site=blog&url=https://blog.example/",
    "GET /heatmap/{session_id}": "site_id=blog&page_url=https://blog.example/",
}
STEPS = [{"page": "/"}, {"page": "/buy"}]
BODIES: dict[str, object] = {
    "POST /api/v1/sites": {"name": "more"},
    "POST /api/v1/users": {"username": "newcomer"},
    "POST /register-key": {"site_id": "blog", "public_key_hex": "ab" * 32},
    "POST /websites": {"name": "older"},
    "POST /api/v1/keys": {"name": "k", "scopes": ["read"], "site": "blog"},
    "POST /api/v1/me/password": {"old": "wrong", "new": "some other password"},
    "POST /api/v1/me/totp/confirm": {"code": "000000"},
    "PUT /api/v1/robots/visitors/{visitor}": {"day": "2026-03-10", "verdict": "robot"},
    "POST /api/v1/sites/{site}/channels": {"name": "Team", "kind": "ntfy", "url": "https://ntfy.example/topic"},
    "POST /api/v1/server/channels": {"name": "Team", "kind": "ntfy", "url": "https://ntfy.example/topic"},
    "POST /api/v1/sites/{site}/alerts": {"name": "Odd", "kind": "anomaly"},
    "POST /api/v1/server/alerts": {"name": "Late", "kind": "lag"},
    "POST /api/v1/sites/{site}/annotations": {"text": "Moved"},
    "POST /api/v1/sites/{site}/funnels": {"name": "Other way", "steps": STEPS},
    "POST /api/v1/sites/{site}/goals": {"name": "Bought", "kind": "event", "event": "Purchase"},
    "PUT /api/v1/sites/{site}/members/{username}": {"role": "viewer"},
    "POST /api/v1/sites/{site}/signing-keys": {"name": "k", "public_key": "ab" * 32},
    "POST /api/v1/sites/{site}/visitors/erase": {"visitor": ID},
    "POST /api/v1/sites/{site}/visitors/export": {"visitor": ID},
    "POST /api/v1/sites/{site}/visitors/find": {"visitor": ID},
    "PATCH /api/v1/sites/{site}/visitors/{visitor}": {"note": "x"},
    "POST /api/v1/stats/funnel": {"site": "blog", "steps": STEPS},
    "POST /api/v1/stats/goals": {"site": "blog", "goal": {"kind": "page", "page": "/"}},
    "POST /api/v1/stats/queries": {"queries": [{"site": "blog", "metrics": ["views"]}]},
    "POST /api/v1/stats/query": {"site": "blog", "metrics": ["views"]},
    "POST /api/v1/sites/{site}/reports": {"recipients": ["anna@example.com"]},
    "POST /api/v1/sites/{site}/segments": {"name": "Germans", "filter": "country is DE"},
}


@dataclass
class Town:
    """A server with two sites and one of each sort of client."""

    site: Site
    headers: dict[str, dict[str, str]]
    channels: dict[str, str]  # by the route that makes alerts which use them

    def ask(self, route: Route, client: str) -> tuple[int, str]:
        """Return status and error code of the route's answer to that client."""
        name = f"{route.method} {route.path}"
        names = NAMES | {"website_id": REMOVED.get(name, "blog")}
        parts = (names.get(part[1:-1], ID) if part[:1] == "{" else part for part in route.path.split("/"))
        path, query, body = "/".join(parts), QUERIES.get(name) or _query(route), BODIES.get(name)
        if name in self.channels and isinstance(body, dict):
            body = {**body, "channels": [self.channels[name]]}
        answer = self.site.ask(
            f"{path}?{query}" if query else path,
            method=route.method,
            body=b"{}" if body is None and route.body else b"" if body is None else msgspec.json.encode(body),
            peer=LOCAL if client == OWN_MACHINE else REMOTE,
            headers={"host": "stats.example.com"} | self.headers[client],
        )
        if answer.status == 303 and dict(answer.headers)["Location"].startswith("/login"):
            return 401, "login_needed"
        try:
            return answer.status, str(json.loads(answer.body)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return answer.status, ""


def _query(route: Route) -> str:
    names = {each.encode_name for each in msgspec.structs.fields(route.query)} if route.query else set()
    return next((f"{name}=blog" for name in ("site", "site_id") if name in names), "")


def is_refused(answered: tuple[int, str]) -> bool:
    """Say whether it was for who asks; a site that they may not see is one that does not exist."""
    status, code = answered
    return code not in _PASSED and (status in (401, 403) or code == "unknown_site")


@pytest.fixture
def town(build: Build) -> Town:
    site = build()
    store = site.app.store
    for name in ("blog", "shop", "old"):
        SiteTable(store.database).put(SiteValue(site_id_of(name), name, created_at=1))
    accounts = Accounts(store)
    people: dict[str, Account] = {
        ADMIN: accounts.create("root", is_admin=True, password_hash="x"),
        **{
            who: accounts.create(name, roles=roles)
            for who, name, roles in (
                (VIEWER, "viewer", _role("blog", "viewer")),
                (OWNER, "owner", _role("blog", "owner")),
                (STRANGER, "stranger", _role("shop", "owner")),
            )
        },
    }
    accounts.create("spare")
    Keeper(store, site.app.config, Metrics().counters()).step(time.time_ns() // 1_000_000)
    site.app.snapshot.refresh()
    made = Town(site, {NOBODY: {}} | {who: logged_in(site, account) for who, account in people.items()}, {})
    admin = made.headers[ADMIN]
    for who, asked in (
        (INGEST, {"scopes": ["ingest"], "site": "blog"}),
        (READ, {"scopes": ["read"], "site": "blog"}),
        (READ_ALL, {"scopes": ["read"]}),
        (ADMIN_KEY, {"scopes": ["admin"], "site": "blog"}),
    ):
        key = posted(site, "/api/v1/keys", {"name": who.replace(" ", "-"), **asked}, admin)["key"]
        made.headers[who] = {"authorization": f"Bearer {key}"}
    token = posted(site, "/api/v1/sites/blog/shares", {"name": "press"}, admin)["token"]
    made.headers[SHARE] = {"x-share-token": token}
    posted(site, "/api/v1/sites/blog/goals", {"name": "Read", "kind": "page", "page": "/read"}, admin)
    posted(site, "/api/v1/sites/blog/funnels", {"name": "Way", "steps": STEPS}, admin)
    mail = {"name": "Mail", "kind": "email", "to": ["anna@example.com"]}
    for base in ("/api/v1/sites/{site}", "/api/v1/server"):
        channel = posted(site, f"{base.format(site='blog')}/channels", mail, admin)
        made.channels[f"POST {base}/alerts"] = channel["id"]
    return made


def _role(site: str, role: Role) -> dict[int, Role]:
    return {site_id_of(site): role}


def logged_in(site: Site, account: Account) -> dict[str, str]:
    logins = Logins(site.app.store, site.app.shared.keys.token, site.app.config.auth)
    tokens = logins.start_tokens(account, Request("POST", "/", "", {}, b"", True, REMOTE))
    return {"authorization": f"Bearer {tokens.access_token}"}


def posted(site: Site, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> dict[str, str]:
    given = {"host": "stats.example.com", **headers}
    answer = site.ask(path, method="POST", body=msgspec.json.encode(body), peer=REMOTE, headers=given)
    assert answer.status == 201, answer.body
    found: dict[str, str] = json.loads(answer.body)
    return found


def listed() -> dict[str, Access]:
    return {route.strip(): access for access, text in ROUTES.items() for route in text.strip().splitlines()}


def test_every_route_that_is_not_for_everybody_is_listed_with_its_access(town: Town) -> None:
    routes = town.site.app.router.routes
    assert {f"{route.method} {route.path}": route.access for route in routes if route.access != "public"} == listed()


def test_each_route_answers_those_who_may_and_no_others(town: Town) -> None:
    wrong: list[str] = []
    private = [route for route in town.site.app.router.routes if route.access not in ("public", "own")]
    for route in sorted(private, key=_last_what_destroys):
        name = f"{route.method} {route.path}"
        may = BUT.get(name, MAY[route.access])
        for client in sorted(CLIENTS, key=lambda one: one in may):  # those who may not must not have changed anything
            status, code = answered = town.ask(route, client)
            if is_refused(answered) == (client in may) or (client in may and status >= 500):
                wrong.append(f"{name}: {client}: {status} {code}")
            if client == ADMIN and status in (400, 405) and code not in _PASSED:
                wrong.append(f"{name}: the request is wrong: {status} {code}")
    assert wrong == [], "\n".join(wrong)


def test_before_the_first_account_the_own_machine_reads_and_changes_nothing(town: Town) -> None:
    """Its requests look like those of a proxy that says nothing of its clients, who must not become admins."""
    snapshot = town.site.app.snapshot
    snapshot.now = msgspec.structs.replace(snapshot.now, has_accounts=False)
    town.headers[OWN_MACHINE] = {"host": "localhost:8000"}
    wrong: list[str] = []
    for route in town.site.app.router.routes:
        name = f"{route.method} {route.path}"
        if route.access in ("public", "own"):
            continue
        status, code = answered = town.ask(route, OWN_MACHINE)
        if route.access in OWN_MACHINE_READS and (route.method == "GET" or route.access == "read"):
            if (is_refused(answered) or status >= 500) and name not in NOT_OF_ITS_OWN:
                wrong.append(f"{name}: {status} {code}")
        elif answered != (403, "account_needed"):
            wrong.append(f"{name}: {status} {code}")
    assert wrong == [], "\n".join(wrong)
    refused = town.site.ask("/api/v1/users", method="POST", body=b"{}")
    assert "visitor-tracker user setup-link" in json.loads(refused.body)["error"]["hint"]


def _last_what_destroys(route: Route) -> tuple[bool, str]:
    return (route.method == "DELETE" and route.path.count("/") <= 4 and "{" in route.path, route.path)
