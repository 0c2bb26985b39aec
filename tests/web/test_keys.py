"""API keys: made, listed and revoked by people, and what each lets a program do."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import msgspec
import pytest

from tests.running import until
from tests.web.conftest import REMOTE, Build, Site
from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.keeper import Keeper
from visitor_tracker.access.last_use import EVERY_MS, LastUse
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.send_keys import digest, make
from visitor_tracker.access.who import Role
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.http.message import Request, Response
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

BLOG, SHOP = site_id_of("blog"), site_id_of("shop")
HOST = {"host": "stats.example.com"}


def body_of(response: Response) -> dict[str, object]:
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


def code_of(response: Response) -> str:
    return str(json.loads(response.body)["error"]["code"])


@dataclass
class Office:
    """A server with two sites and people."""

    site: Site

    def __post_init__(self) -> None:
        self.store: SqlStore = self.site.app.store
        self.accounts = Accounts(self.store)
        self.root = self.accounts.create("root", is_admin=True, password_hash="x")
        for id, name in ((BLOG, "blog"), (SHOP, "shop")):
            SiteTable(self.store.database).put(
                msgspec.structs.replace(self.site.app.snapshot.now.sites[0], id=id, name=name)
            )
        self.refresh()

    def refresh(self) -> None:
        """Bring the snapshot up to date, as the keeper does every second."""
        Keeper(self.store, self.site.app.config, Metrics().counters()).step(time.time_ns() // 1_000_000)
        self.site.app.snapshot.refresh()

    def person(self, name: str, **roles: Role) -> Account:
        return self.accounts.create(name, roles={site_id_of(site): role for site, role in roles.items()})

    def as_person(self, account: Account) -> dict[str, str]:
        """Return the headers of a program that has logged in as somebody."""
        app = self.site.app
        logins = Logins(self.store, app.shared.keys.token, app.config.auth)
        tokens = logins.start_tokens(account, Request("POST", "/", "", {}, b"", True, REMOTE))
        return HOST | {"authorization": f"Bearer {tokens.access_token}"}

    def make(self, account: Account, *scopes: str, **more: str) -> str:
        """Make a key as somebody and return it."""
        made = self.post("/api/v1/keys", {"name": f"k{next(numbers)}", "scopes": scopes} | more, account)
        assert made.status == 201, made.body
        return str(body_of(made)["key"])

    def post(self, target: str, body: object, account: Account | None = None, key: str = "") -> Response:
        headers = self.as_person(account) if account else with_key(key)
        return self.site.ask(target, method="POST", body=msgspec.json.encode(body), peer=REMOTE, headers=headers)

    def get(self, target: str, key: str) -> int:
        return self.site.ask(target, peer=REMOTE, headers=with_key(key)).status

    def delete(self, key_id: object, account: Account) -> int:
        return self.site.ask(
            f"/api/v1/keys/{key_id}", method="DELETE", peer=REMOTE, headers=self.as_person(account)
        ).status

    def listed(self, account: Account) -> list[str]:
        found = body_of(self.site.ask("/api/v1/keys", peer=REMOTE, headers=self.as_person(account)))["keys"]
        assert isinstance(found, list)
        return [key["name"] for key in found]


numbers = count(1)


def with_key(key: str) -> dict[str, str]:
    return HOST | {"authorization": f"Bearer {key}"}


@pytest.fixture
def office(build: Build) -> Office:
    return Office(build())


def test_a_key_is_shown_once_with_what_it_is_for(office: Office) -> None:
    asked = {"name": "reports", "scopes": ["ingest", "read"], "site": "blog", "expires_in": "90d"}
    made = office.post("/api/v1/keys", asked, office.root)
    shown = body_of(made)
    key = shown.pop("key")
    assert made.status == 201
    assert isinstance(key, str)
    assert key.startswith("vt_")
    assert (shown["site"], shown["scopes"], shown["user"]) == ("blog", ["read", "ingest"], office.root.id)
    found = body_of(office.site.ask("/api/v1/keys", peer=REMOTE, headers=office.as_person(office.root)))
    assert found == {"keys": [shown]}
    stored = office.store.execute("select digest, scopes, expires_at - created_at from api_keys")
    assert [(bytes(row[0]), row[1]) for row in stored] == [(digest(key), "read ingest")]
    assert 90 * 86_400_000 - 1000 <= stored[0][2] <= 90 * 86_400_000
    assert key not in str(office.store.execute("select detail, target from audit"))


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_reader_reads_its_site_and_changes_nothing(office: Office, header: str) -> None:
    key = office.make(office.root, "read", site="blog")
    headers = HOST | {header: key if header == "x-api-key" else f"bearer {key}"}
    ask = office.site.ask
    assert ask("/stats?site=blog", peer=REMOTE, headers=headers).status == 200
    assert ask("/visitors?site=blog", peer=REMOTE, headers=headers).status != 401
    assert ask("/stats?site=shop", peer=REMOTE, headers=headers).status == 404
    assert ask("/api/v1/sites/blog/shares", peer=REMOTE, headers=headers).status == 403
    assert office.post("/api/v1/keys", {"name": "child", "scopes": ["read"], "site": "blog"}, key=key).status == 403


def test_a_key_for_all_sites_has_those_to_come(office: Office) -> None:
    key = office.make(office.root, "read")
    SiteTable(office.store.database).put(
        msgspec.structs.replace(office.site.app.snapshot.now.sites[0], id=77, name="news")
    )
    office.refresh()
    assert [office.get(f"/stats?site={name}", key) for name in ("blog", "news")] == [200, 200]


def test_an_admins_key_for_all_sites_is_an_admin(office: Office) -> None:
    key = office.make(office.root, "admin")
    assert office.get("/debug/auth-status/blog", key) == 200
    assert office.get("/debug/auth-status/blog", office.make(office.root, "admin", site="blog")) == 403


def test_an_owners_key_owns_its_site_and_no_other(office: Office) -> None:
    olga = office.person("olga", blog="owner", shop="viewer")
    key = office.make(olga, "admin", site="blog")
    assert [office.get(f"/api/v1/sites/{name}/shares", key) for name in ("blog", "shop")] == [200, 404]
    everything = office.make(olga, "admin")
    assert [office.get(f"/api/v1/sites/{name}/shares", everything) for name in ("blog", "shop")] == [200, 404]
    assert [office.get(f"/stats?site={name}", everything) for name in ("blog", "shop", "default")] == [200, 200, 404]
    assert office.get("/debug/auth-status/blog", everything) == 403


@pytest.mark.parametrize(
    ("scopes", "site", "status"),
    [
        (["read"], "shop", 201),
        (["read"], None, 201),
        (["read"], "default", 404),
        (["ingest"], "shop", 403),
        (["ingest"], None, 403),
        (["ingest"], "blog", 201),
        (["admin"], "shop", 403),
        (["admin"], "blog", 201),
        (["read", "ingest"], "shop", 403),
    ],
)
def test_nobody_makes_keys_for_more_than_they_may(
    office: Office, scopes: list[str], site: str | None, status: int
) -> None:
    olga = office.person("olga", blog="owner", shop="viewer")
    asked = {"name": "mine", "scopes": scopes} | ({"site": site} if site else {})
    assert office.post("/api/v1/keys", asked, olga).status == status


def demoted(office: Office, olga: Account) -> None:
    office.accounts.set_role(olga.id, BLOG, "viewer")


def left(office: Office, olga: Account) -> None:
    office.accounts.set_role(olga.id, BLOG, None)


def disabled(office: Office, olga: Account) -> None:
    office.accounts.change(olga, disabled=True)


def removed(office: Office, olga: Account) -> None:
    office.accounts.remove(olga)


@pytest.mark.parametrize(
    ("change", "reads", "manages"),
    [(demoted, 200, 404), (left, 403, 403), (disabled, 401, 401), (removed, 401, 401)],
)
def test_a_key_may_never_more_than_its_maker_now(
    office: Office, change: Callable[[Office, Account], None], reads: int, manages: int
) -> None:
    olga = office.person("olga", blog="owner")
    key = office.make(olga, "admin", "ingest", site="blog")
    office.refresh()
    assert [kept.name for kept in office.site.app.snapshot.now.send_keys] != []
    change(office, olga)
    assert office.get("/stats?site=blog", key) == reads
    assert office.get("/api/v1/sites/blog/shares", key) in (manages, 403)
    office.refresh()
    assert office.site.app.snapshot.now.send_keys == ()


def test_unknown_revoked_and_expired_keys_get_the_same_answer(office: Office) -> None:
    revoked, expired = office.make(office.root, "read"), office.make(office.root, "read", expires_in="1h")
    office.store.execute("update api_keys set expires_at = 1 where digest = %s", (digest(expired),))
    stored = {bytes(row[0]): row[1] for row in office.store.execute("select digest, id from api_keys")}
    assert office.delete(stored[digest(revoked)], office.root) == 204
    texts = [make(), revoked, expired, "vt_", "vt_" + "x" * 5000, "vt_ünïcode"]
    answers = [office.site.ask("/stats", peer=REMOTE, headers=with_key(text)) for text in texts]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert code_of(answers[0]) == "unknown_key"


def test_a_key_that_sends_reads_nothing_not_even_what_is_public(office: Office) -> None:
    key = office.make(office.root, "ingest")
    for target in ("/stats?site=blog", "/api/v1/keys", "/debug/auth-status/blog"):
        refused = office.site.ask(target, peer=REMOTE, headers=with_key(key))
        assert (refused.status, code_of(refused)) == (403, "ingest_only")


def test_a_key_that_reads_is_no_send_key(office: Office) -> None:
    reader, sender = office.make(office.root, "read"), office.make(office.root, "ingest", "read", site="blog")
    office.refresh()
    event = {"type": "pageview", "site": "blog", "url": "https://blog.example/", "ip": "198.51.100.9"}
    assert office.post("/api/v1/events", event, key=sender).status == 202
    assert office.post("/api/v1/events", event, key=reader).status == 401
    for text, status in ((sender, 202), (reader, 401), ("another program's", 202)):
        body = msgspec.json.encode(event)
        headers = HOST | {"x-api-key": text}
        assert office.site.ask("/api/v1/events", method="POST", body=body, headers=headers).status == status
    assert office.get("/stats?site=blog", sender) == 200


def test_own_keys_and_those_of_own_sites_are_seen_and_revoked(office: Office) -> None:
    olga, vera = office.person("olga", blog="owner"), office.person("vera", blog="viewer", shop="viewer")
    for account, name, site in ((olga, "o", "blog"), (vera, "v-blog", "blog"), (vera, "v-shop", "shop")):
        assert office.post("/api/v1/keys", {"name": name, "scopes": ["read"], "site": site}, account).status == 201
    assert office.listed(olga) == ["o", "v-blog"]
    assert office.listed(vera) == ["v-blog", "v-shop"]
    assert office.listed(office.root) == ["o", "v-blog", "v-shop"]
    ids = {row[0]: row[1] for row in office.store.execute("select name, id from api_keys")}
    assert office.delete(ids["v-shop"], olga) == 404
    assert office.delete(ids["o"], vera) == 404
    assert [office.delete(ids["v-blog"], olga), office.delete(ids["v-blog"], olga)] == [204, 404]
    rows = office.store.execute("select who, action, target, site_id from audit where action like 'key.%%' order by id")
    assert [tuple(row[1:]) for row in rows] == [
        ("key.added", "o", BLOG),
        ("key.added", "v-blog", BLOG),
        ("key.added", "v-shop", SHOP),
        ("key.revoked", "v-blog", BLOG),
    ]
    assert rows[-1][0] == f"user:{olga.id}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a b", "scopes": ["read"]}, 400),
        ({"name": "a\n", "scopes": ["read"]}, 400),
        ({"name": "a", "scopes": []}, 400),
        ({"name": "a", "scopes": ["write"]}, 400),
        ({"name": "a", "scopes": ["read"], "expires_in": "0d"}, 400),
        ({"name": "a", "scopes": ["read"], "expires_in": "99999d"}, 400),
        ({"name": "a", "scopes": ["read"], "expires_in": "1d\n"}, 400),
        ({"name": "a", "scopes": ["read"], "more": 1}, 400),
        ({"scopes": ["read"]}, 400),
        ({"name": "taken", "scopes": ["read"]}, 409),
    ],
)
def test_what_is_no_key_is_refused(office: Office, body: object, status: int) -> None:
    assert office.post("/api/v1/keys", {"name": "taken", "scopes": ["read"]}, office.root).status == 201
    refused = office.post("/api/v1/keys", body, office.root)
    assert (refused.status, "hint" in body_of(refused)["error"]) == (status, True)  # type: ignore[operator]


def test_what_an_admins_key_makes_does_not_outlive_it(office: Office) -> None:
    parent = office.make(office.root, "admin", expires_in="1h")
    made = [
        body_of(office.post("/api/v1/keys", {"name": f"c{place}", "scopes": ["read"]} | more, key=parent))
        for place, more in enumerate(({}, {"expires_in": "90d"}))
    ]
    ends = office.store.execute("select min(expires_at), max(expires_at), count(*) from api_keys")
    assert ends[0][0] == ends[0][1]
    assert (ends[0][2], {each["user"] for each in made}) == (3, {office.root.id})


def test_the_last_use_is_noted_of_readers_and_senders(office: Office) -> None:
    reader, sender = office.make(office.root, "read"), office.make(office.root, "ingest")
    office.refresh()
    office.get("/stats?site=blog", reader)
    office.post("/api/v1/events", {"type": "pageview", "site": "blog", "url": "https://b.example/"}, key=sender)
    used = "select count(*) from api_keys where last_used_at >= created_at"
    until(lambda: office.store.execute(used) == [(2,)])


def test_a_use_is_written_at_most_once_a_minute() -> None:
    written: list[tuple[str, int]] = []
    uses = LastUse[str](lambda key, at, _: written.append((key, at)))
    for at in (0, 1, EVERY_MS - 1, EVERY_MS, EVERY_MS + 1, 5):
        uses.note("a", at)
        uses.wait()
    uses.note("b", 7)
    uses.wait()
    assert written == [("a", 0), ("a", EVERY_MS), ("b", 7)]


def test_a_use_that_cannot_be_written_stops_nothing() -> None:
    written: list[str] = []

    def write(key: str, at: int, unless_after: int) -> None:
        if key == "a":
            raise StoreUnavailable("away")
        written.append(key)

    uses = LastUse[str](write)
    for key in ("a", "b"):
        uses.note(key, 1)
        uses.wait()
    assert written == ["b"]
