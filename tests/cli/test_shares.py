"""`visitor-tracker share` and `pair`: as a person manages links and keys that sign."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cli.conftest import Command
from visitor_tracker.access.passwords import Passwords
from visitor_tracker.access.share_links import digest_of
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.open import open_store
from visitor_tracker.store.shares import ShareTable


def listed(command: Command, group: str, *more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in command(group, "list", "--json", *more).out.splitlines()]


def cells(command: Command, group: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in command(group, "list").out.splitlines()]


def audited(tmp_path: Path) -> list[tuple[str, str, int]]:
    store = open_store(f"sqlite:///{tmp_path}/data/visitors.db")
    try:
        return [(row.who, row.action, row.site_id) for row in reversed(AuditTable(store.database).latest(10))][1:]
    finally:
        store.close()


def test_a_link_is_printed_once_and_works_for_its_site(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    command("site", "add", "blog", *where)
    made = command("share", "add", "blog", "--name", "Für Ada", "--expires", "30d", *where)
    found = re.fullmatch(r"http://127\.0\.0\.1:8000/share/([\w-]{43})\n", made.out)
    assert (made.code, found is not None) == (0, True)
    assert found is not None
    store = open_store(store_url)
    try:
        link = ShareTable(store.database).find(digest_of(found[1]))
    finally:
        store.close()
    assert link is not None
    assert (link.site_id, link.name, link.password) == (site_id_of("blog"), "Für Ada", "")
    [row] = listed(command, "share", *where)
    assert (row["site"], row["name"], row["has_password"], row["last_used_at"]) == ("blog", "Für Ada", False, None)
    assert found[1] not in command("share", "list", *where).out


def test_a_password_comes_from_standard_input(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert command("share", "add", "default", "--password-stdin").code == 0
    store = open_store(f"sqlite:///{tmp_path}/data/visitors.db")
    try:
        [link] = ShareTable(store.database).all()
    finally:
        store.close()
    assert Passwords(tmp_path, 10).verify(link.password, "correct horse") is not None
    assert cells(command, "share")[1][3] == "yes"


@pytest.mark.parametrize(("typed", "said"), [("", "the password is empty"), ("short", "too short")])
def test_a_password_that_is_none_makes_no_link(
    command: Command, monkeypatch: pytest.MonkeyPatch, typed: str, said: str
) -> None:
    command("site", "add", "blog")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    done = command("share", "add", "default", "--password-stdin")
    assert (done.code, done.out, said in done.err) == (1, "", True)
    assert listed(command, "share") == []


def test_a_link_is_revoked_once(command: Command, tmp_path: Path) -> None:
    command("site", "add", "blog")
    command("share", "add", "blog")
    [row] = listed(command, "share")
    assert cells(command, "share")[0] == ["ID", "SITE", "NAME", "PASSWORD", "MADE (UTC)", "EXPIRES", "LAST USED"]
    assert [command("share", "revoke", row["id"]).code for _ in range(2)] == [0, 1]
    assert "visitor-tracker share add SITE" in command("share", "list").err
    blog = site_id_of("blog")
    assert [line for line in audited(tmp_path) if "share" in line[1]] == [
        ("local:", "share.added", blog),
        ("local:", "share.revoked", blog),
    ]


def test_a_pair_is_printed_once(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    command("site", "add", "blog", *where)
    made = command("pair", "add", "blog", "--scope", "admin", *where)
    shown = json.loads(made.out)
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(shown["private_key"])).public_key()
    [row] = listed(command, "pair", *where)
    assert (shown["base_url"], shown["site_id"]) == ("http://127.0.0.1:8000", "blog")
    assert (row["id"], row["public_key"], row["scope"]) == (shown["key_id"], public.public_bytes_raw().hex(), "admin")
    assert shown["private_key"] not in command("pair", "list", *where).out


def test_keys_made_elsewhere_are_registered_and_revoked(command: Command, tmp_path: Path) -> None:
    command("site", "add", "blog")
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    made = command("pair", "add", "blog", "--name", "robot", "--public-key", public)
    key_id = made.out.strip()
    assert (made.code, re.fullmatch("[0-9a-f]{16}", key_id) is not None) == (0, True)
    again = command("pair", "add", "blog", "--public-key", public)
    assert (again.code, "registered already" in again.err) == (1, True)
    assert [row[2:4] for row in cells(command, "pair")[1:]] == [["robot", "read"]]
    assert [command("pair", "revoke", key_id).code for _ in range(2)] == [0, 1]
    assert "visitor-tracker pair add SITE" in command("pair", "list").err
    assert [line[1] for line in audited(tmp_path)][-2:] == ["signing_key.added", "signing_key.revoked"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("share", "add", "nowhere"), 1, "there is no site nowhere"),
        (("share", "add", "default", "--expires", "x"), 2, "12h, 90d, 26w"),
        (("share", "revoke", "x"), 1, "there is no share link x"),
        (("pair", "add", "nowhere"), 1, "there is no site nowhere"),
        (("pair", "add", "default", "--public-key", "xyz"), 1, "64 hex digits"),
        (("pair", "add", "default", "--name", "a b"), 2, "no key name"),
        (("pair", "revoke", "x"), 1, "there is no key x"),
    ],
)
def test_mistakes_are_explained(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    command("site", "add", "blog")
    done = command(*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
