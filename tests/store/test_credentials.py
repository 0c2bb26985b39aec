"""What proves who asks besides passwords: keys, nonces, links and identities, in each kind of store."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.store.samples import NOW
from visitor_tracker import resources
from visitor_tracker.store import migrate
from visitor_tracker.store.api_keys import ApiKey, ApiKeyTable
from visitor_tracker.store.audit import AuditRow, AuditTable
from visitor_tracker.store.identities import IdentityTable
from visitor_tracker.store.session import DuplicateKey
from visitor_tracker.store.shares import ShareLink, ShareTable
from visitor_tracker.store.signing import NonceTable, SigningKey, SigningKeyTable
from visitor_tracker.store.sql import SqlStore

SHOP, BLOG = 7, 8
FILE = "0009_credentials.sql"


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def note(action: str) -> AuditRow:
    return AuditRow(os.urandom(16), NOW, "local:", "command line", action, 0, "", "{}")


def noted(store: SqlStore) -> list[str]:
    return sorted(row.action for row in AuditTable(store.database).latest(100))


@pytest.fixture
def api_keys(store: SqlStore) -> ApiKeyTable:
    return ApiKeyTable(store.database)


def test_api_keys_are_kept_as_they_are_and_revoked_once(store: SqlStore, api_keys: ApiKeyTable) -> None:
    first = ApiKey(digest(1), "a1", "backend", 0, "read ingest", "u" * 32, NOW, NOW + 5, 0)
    second = ApiKey(digest(2), "b2", "backend", SHOP, "admin", "", NOW + 1)
    api_keys.add(second, note("key.added"))
    api_keys.add(first, note("key.added"))
    assert api_keys.all() == [first, second]
    assert [api_keys.find(digest(n)) for n in (1, 2, 3)] == [first, second, None]
    assert [api_keys.by_id(key_id) for key_id in ("a1", "b2", "", "A1")] == [first, second, None, None]
    assert [api_keys.revoke(key_id, note("key.revoked")) for key_id in ("a1", "a1", "")] == [True, False, False]
    assert api_keys.all() == [second]
    assert noted(store) == ["key.added", "key.added", "key.revoked"]


def test_a_key_that_is_there_is_not_added_again_and_nothing_is_told(store: SqlStore, api_keys: ApiKeyTable) -> None:
    key = ApiKey(digest(1), "a1", "backend")
    api_keys.add(key, note("key.added"))
    with pytest.raises(DuplicateKey):
        api_keys.add(key._replace(id="b2"), note("key.added"))
    assert (api_keys.all(), noted(store)) == ([key], ["key.added"])


def test_the_last_use_moves_on_by_the_minute(api_keys: ApiKeyTable) -> None:
    api_keys.add(ApiKey(digest(1), "a1", "backend"), note("key.added"))
    seen = []
    for at in (NOW, NOW + 59_999, NOW + 60_001):
        api_keys.used(digest(1), at, at - 60_000)
        found = api_keys.find(digest(1))
        assert found is not None
        seen.append(found.last_used_at - NOW)
    assert seen == [0, 0, 60_001]


def test_keys_of_programs_that_send_are_taken_over(
    store_url: str, opened: Callable[[str], SqlStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened(store_url)
    with monkeypatch.context() as older:
        for name in resources.migrations():
            if name < FILE:
                (tmp_path / name).write_bytes((resources.SQL / name).read_bytes())
        older.setattr(resources, "SQL", tmp_path)
        migrate(old)
    add = "insert into send_keys (digest, id, name, site_id, created_at) values (%s, %s, %s, %s, %s)"
    for number, site_id in ((1, 0), (2, SHOP)):
        old.execute(add, (digest(number), f"id{number}", f"name{number}", site_id, NOW + number))
    old.close()
    store = opened(store_url)
    expected = [
        ApiKey(digest(1), "id1", "name1", 0, "ingest", "", NOW + 1),
        ApiKey(digest(2), "id2", "name2", SHOP, "ingest", "", NOW + 2),
    ]
    for _ in range(2):  # the second time as after a kill
        assert FILE in migrate(store)
        assert ApiKeyTable(store.database).all() == expected
        store.execute("delete from schema_migrations where name >= %s", (FILE,))
    with pytest.raises(Exception, match="send_keys"):
        store.execute("select * from send_keys")


def test_signing_keys_belong_to_their_site(store: SqlStore) -> None:
    table = SigningKeyTable(store.database)
    first = SigningKey("a" * 16, SHOP, digest(1), "phone", "read", "", NOW)
    second = SigningKey("b" * 16, SHOP, digest(2), "robot", "admin", "u" * 32, NOW + 1, 5)
    other = SigningKey("c" * 16, BLOG, digest(1), "phone", "read", "", NOW + 2)
    assert [table.add(key, note("signing_key.added"), most=2) for key in (first, second, other)] == [True] * 3
    assert not table.add(SigningKey("d" * 16, SHOP, digest(4), "more"), note("signing_key.added"), most=2)
    assert (table.of_site(SHOP), table.of_site(BLOG), table.of_site(1)) == ([first, second], [other], [])
    assert table.all() == [first, second, other]
    assert (table.find(first.id), table.find("")) == (first, None)
    assert [table.revoke(first.id, site, note("signing_key.revoked")) for site in (BLOG, SHOP, SHOP)] == [
        False,
        True,
        False,
    ]
    table.used(second.id, NOW, NOW - 1)
    assert table.of_site(SHOP) == [second._replace(last_used_at=NOW)]
    assert noted(store) == ["signing_key.added"] * 3 + ["signing_key.revoked"]


def test_a_new_pair_replaces_all_keys_of_its_site(store: SqlStore) -> None:
    table = SigningKeyTable(store.database)
    old = [SigningKey(str(number) * 16, SHOP, digest(number), "phone") for number in range(3)]
    other = SigningKey("x" * 16, BLOG, digest(9), "phone")
    for key in (*old, other):
        table.add(key, note("signing_key.added"), most=10)
    new = SigningKey("n" * 16, SHOP, digest(5), "paired", created_at=NOW)
    table.replace(new, note("signing_key.paired"))
    table.replace(new, note("signing_key.paired"))
    assert (table.of_site(SHOP), table.of_site(BLOG)) == ([new], [other])


def test_of_many_who_come_with_a_nonce_one_takes_it(store: SqlStore) -> None:
    table = NonceTable(store.database)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: table.take(digest(1), NOW), range(16)))
    assert sorted(taken) == [False] * 15 + [True]
    assert table.take(digest(2), NOW)


def test_nonces_are_forgotten_when_their_time_is_over(store: SqlStore) -> None:
    table = NonceTable(store.database)
    for number in range(4):
        table.take(digest(number), NOW + number)
    assert [table.purge(NOW + 2), table.purge(NOW + 2)] == [2, 0]
    assert [table.take(digest(number), NOW) for number in range(4)] == [True, True, False, False]


def test_share_links_are_kept_as_they_are_and_revoked_once(store: SqlStore) -> None:
    table = ShareTable(store.database)
    first = ShareLink(digest(1), "a1", SHOP, "Für Ada 🎈", "$argon2id$…", "u" * 32, NOW, NOW + 5, 0)
    second = ShareLink(digest(2), "b2", BLOG, created_at=NOW + 1)
    table.add(second, note("share.added"))
    table.add(first, note("share.added"))
    assert (table.all(), table.of_site(SHOP), table.of_site(1)) == ([first, second], [first], [])
    assert [table.find(digest(n)) for n in (1, 3)] == [first, None]
    assert [table.revoke(site, "a1", note("share.revoked")) for site in (BLOG, SHOP, SHOP)] == [False, True, False]
    table.used(digest(2), NOW, NOW - 1)
    assert table.all() == [second._replace(last_used_at=NOW)]
    assert noted(store) == ["share.added", "share.added", "share.revoked"]


def test_a_subject_is_one_account_until_it_is_another(store: SqlStore) -> None:
    table = IdentityTable(store.database)
    issuer, subject = "https://id.example", "12ä"
    table.link(issuer, subject, "u1", NOW, note("identity.linked"))
    table.link(f"{issuer}1", "2ä", "u2", NOW, note("identity.linked"))
    assert [table.find(issuer, subject), table.find(f"{issuer}1", "2ä"), table.find(issuer, "x")] == ["u1", "u2", None]
    table.link(issuer, subject, "u3", NOW, note("identity.linked"))
    assert table.find(issuer, subject) == "u3"
