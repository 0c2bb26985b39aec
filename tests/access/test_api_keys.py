"""Which keys programs may send with at a moment, and what is lent by whom."""

from collections.abc import Iterator

import pytest

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.makers import Makers, lent
from visitor_tracker.access.send_keys import digest, make
from visitor_tracker.access.who import Role, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.sites import SendKey
from visitor_tracker.store import open_store
from visitor_tracker.store.api_keys import ApiKey, ApiKeyTable
from visitor_tracker.store.sql import SqlStore

NOW = 1_790_000_000_000
BLOG, SHOP = 7, 8


@pytest.fixture
def store() -> Iterator[SqlStore]:
    made = open_store("sqlite:///:memory:")
    yield made
    made.close()


def put(store: SqlStore, name: str, **more: object) -> SendKey:
    """Store a key; return what of it would be in the snapshot."""
    key = ApiKey(digest(name), name, name, **more)  # type: ignore[arg-type]
    ApiKeyTable(store.database).add(key, Audit(store).row(OPERATOR, "key.added"))
    return SendKey(key.digest, name, key.site_id)


def test_programs_send_with_keys_that_are_for_it_and_not_over(store: SqlStore) -> None:
    good = [
        put(store, "for ever"),
        put(store, "until later", expires_at=NOW + 1),
        put(store, "both", scopes="read ingest", site_id=BLOG),
    ]
    put(store, "over", expires_at=NOW)
    put(store, "reader", scopes="read")
    put(store, "newer", scopes="write ingestion")
    put(store, "of nobody", user_id="0" * 32)
    put(store, "of no id", user_id="xyz")
    assert list(ApiKeys(store).send_keys(NOW)) == sorted(good, key=lambda key: key.digest)


@pytest.mark.parametrize(
    ("is_admin", "roles", "kept"),
    [
        (True, {}, ["all", "blog"]),
        (False, {BLOG: "owner"}, ["blog"]),
        (False, {BLOG: "viewer", SHOP: "owner"}, []),
        (False, {}, []),
    ],
)
def test_who_sends_with_a_key_may_what_its_maker_may(
    store: SqlStore, is_admin: bool, roles: dict[int, Role], kept: list[str]
) -> None:
    accounts = Accounts(store)
    accounts.create("root", is_admin=True, password_hash="x")
    maker = accounts.create("olga", is_admin=is_admin, roles=roles)
    put(store, "all", user_id=maker.id)
    put(store, "blog", user_id=maker.id, site_id=BLOG)
    assert sorted(key.name for key in ApiKeys(store).send_keys(NOW)) == kept
    accounts.change(maker, disabled=True)
    assert ApiKeys(store).send_keys(NOW) == ()


KEY = Who("key", "k", "1")
OLGA = Who("user", "olga", "2", roles={BLOG: "owner", SHOP: "viewer"})
ROOT = Who("user", "root", "3", is_admin=True)


@pytest.mark.parametrize(
    ("maker", "site_id", "scope", "rights"),
    [
        (OLGA, BLOG, "read", ({BLOG: "viewer"}, None, False)),
        (OLGA, BLOG, "admin", ({BLOG: "owner"}, None, False)),
        (OLGA, SHOP, "admin", ({SHOP: "viewer"}, None, False)),
        (OLGA, 99, "admin", ({}, None, False)),
        (OLGA, 0, "read", ({BLOG: "viewer", SHOP: "viewer"}, None, False)),
        (OLGA, 0, "admin", ({BLOG: "owner", SHOP: "viewer"}, None, False)),
        (ROOT, BLOG, "read", ({BLOG: "viewer"}, None, False)),
        (ROOT, BLOG, "admin", ({BLOG: "owner"}, None, False)),
        (ROOT, 0, "read", ({}, "viewer", False)),
        (ROOT, 0, "admin", ({}, None, True)),
        (OPERATOR, 0, "admin", ({}, None, True)),
    ],
)
def test_what_is_lent(maker: Who, site_id: int, scope: str, rights: tuple[dict[int, str], str | None, bool]) -> None:
    who = lent(maker, KEY, site_id, "admin" if scope == "admin" else "read")
    assert (dict(who.roles), who.everywhere, who.is_admin) == rights
    assert (who.kind, who.name, who.id, who.csrf) == ("key", "k", "1", "")


@pytest.mark.parametrize("kind", ["nobody", "signature", "share"])
def test_who_is_no_person_makes_no_keys(store: SqlStore, kind: str) -> None:
    who = Who(kind, "x", "9", roles={BLOG: "owner"})  # type: ignore[arg-type]
    assert Makers(store).id_of(who) is None
    with pytest.raises(HttpError) as refused:
        ApiKeys(store).add(Audit(store), who, "k", site_id=BLOG, scopes=["read"], expires_at=0)
    assert refused.value.status == 403


def test_nobody_has_more_keys_than_anybody_needs(store: SqlStore) -> None:
    keys, audit = ApiKeys(store), Audit(store)
    for number in range(200):
        put(store, f"k{number}")
    with pytest.raises(HttpError) as refused:
        keys.add(audit, OPERATOR, "more", site_id=0, scopes=["read"], expires_at=0)
    assert (refused.value.status, refused.value.code) == (409, "too_many_keys")


def test_a_key_is_unknown_from_the_moment_it_is_over(store: SqlStore) -> None:
    text = make()
    key = ApiKey(digest(text), "1", "k", scopes="read", expires_at=NOW)
    ApiKeyTable(store.database).add(key, Audit(store).row(OPERATOR, "key.added"))
    moments = iter((NOW - 1, NOW))
    keys = ApiKeys(store, lambda: next(moments))
    assert keys.who(text).everywhere == "viewer"
    keys.uses.wait()
    with pytest.raises(HttpError, match="not known"):
        keys.who(text)
