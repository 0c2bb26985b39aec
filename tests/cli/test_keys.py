"""`visitor-tracker key`: send keys as a person manages them."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.send_keys import digest
from visitor_tracker.sites import SendKey, site_id_of
from visitor_tracker.store.api_keys import ApiKey, ApiKeyTable
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.open import open_store


def stored(store_url: str) -> list[SendKey]:
    store = open_store(store_url)
    try:
        return [SendKey(key.digest, key.name, key.site_id) for key in ApiKeyTable(store.database).all()]
    finally:
        store.close()


def listed(command: Command, *more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in command("key", "list", "--json", *more).out.splitlines()]


def test_a_key_is_shown_once_and_only_its_digest_is_kept(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    command("site", "add", "blog", *where)
    made = command("key", "add", "backend", "--site", "blog", *where)
    key = made.out.strip()
    assert made.code == 0
    assert re.fullmatch(r"vt_[A-Za-z0-9_-]{43}", key)
    assert "Authorization: Bearer" in made.err
    assert stored(store_url) == [SendKey(digest(key), "backend", site_id_of("blog"))]
    assert [(row["name"], row["site"]) for row in listed(command, *where)] == [("backend", "blog")]
    assert key not in command("key", "list", *where).out


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_key_is_revoked_by_name_or_id(command: Command, by: str) -> None:
    command("key", "add", "one")
    command("key", "add", "two")
    one = next(row for row in listed(command) if row["name"] == "one")
    given = one[by]
    assert given
    done = command("key", "revoke", given)
    assert (done.code, done.out.startswith("revoked the key one;")) == (0, True)
    assert [row["name"] for row in listed(command)] == ["two"]
    again = command("key", "revoke", given)
    assert (again.code, again.out) == (1, "")
    assert "visitor-tracker key list" in again.err


def test_the_list_is_a_table_for_people(command: Command) -> None:
    command("site", "add", "blog")
    command("key", "add", "backend")
    command("key", "add", "cms", "--site", "blog")
    command("site", "remove", "blog")
    cells = [re.split(r"\s{2,}", line.strip()) for line in command("key", "list").out.splitlines()]
    assert cells[0] == ["NAME", "ID", "SITE", "MADE (UTC)"]
    assert [(row[0], row[2]) for row in cells[1:]] == [
        ("backend", "all"),
        ("cms", f"{site_id_of('blog')} (removed)"),
    ]


def test_without_keys_the_list_says_how_to_make_one(command: Command) -> None:
    command("site", "add", "blog")
    done = command("key", "list")
    assert (done.code, done.out) == (0, "")
    assert "visitor-tracker key add NAME" in done.err
    assert command("key", "list", "--json").err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "backend"), 1, "there is a key backend already"),
        (("add", "other", "--site", "shop"), 1, "there is no site shop"),
        (("add", "a b"), 2, "no key name"),
        (("add",), 2, "the following arguments are required: NAME"),
        (("revoke", "other"), 1, "there is no key other"),
    ],
)
def test_mistakes_are_explained(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    command("key", "add", "backend")
    done = command("key", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert [row["name"] for row in listed(command)] == ["backend"]


@pytest.mark.parametrize("arguments", [("list",), ("revoke", "backend")])
def test_a_wrong_folder_is_told_and_left_alone(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = command("key", *arguments)
    assert (done.code, done.out) == (1, "")
    assert str(tmp_path / "data" / "visitors.db") in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_key_says_what_it_is_for_and_until_when(command: Command) -> None:
    command("site", "add", "blog")
    made = command(
        "key", "add", "reports", "--site", "blog", "--scope", "read", "--scope", "ingest", "--expires", "90d"
    )
    assert made.code == 0
    assert "for read, ingest" in made.err
    [row] = listed(command)
    assert (row["scopes"], row["site"], row["last_used_at"]) == (["read", "ingest"], "blog", None)
    assert row["created_at"]
    assert row["expires_at"]
    good_for = datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["created_at"])
    assert timedelta(days=89) < good_for <= timedelta(days=90)
    cells = [re.split(r"\s{2,}", line.strip()) for line in command("key", "list").out.splitlines()]
    assert cells[0] == ["NAME", "ID", "SITE", "FOR", "MADE (UTC)", "EXPIRES"]
    assert cells[1][3] == "read, ingest"


@pytest.mark.parametrize("time", ["", "0d", "90", "d", "1y", "1.5d", "99999d", "-1d", "٣d"])
def test_a_time_that_is_none_is_explained(command: Command, time: str) -> None:
    done = command("key", "add", "reports", f"--expires={time}")
    assert (done.code, "12h, 90d, 26w" in done.err) == (2, True)


def test_an_ambiguous_name_needs_the_id(command: Command, tmp_path: Path) -> None:
    command("key", "add", "reports")
    store = open_store(f"sqlite:///{tmp_path}/data/visitors.db")
    try:
        other = ApiKey(digest("other"), "0123456789abcdef", "reports", user_id="a" * 32)
        ApiKeyTable(store.database).add(other, Audit(store).row(OPERATOR, "key.added"))
    finally:
        store.close()
    done = command("key", "revoke", "reports")
    assert (done.code, "there are 2 keys reports" in done.err) == (1, True)
    assert command("key", "revoke", "0123456789abcdef").code == 0
    assert command("key", "revoke", "reports").code == 0


def test_making_and_revoking_is_in_the_audit_log(command: Command, tmp_path: Path) -> None:
    command("key", "add", "reports", "--scope", "read")
    command("key", "revoke", "reports")
    store = open_store(f"sqlite:///{tmp_path}/data/visitors.db")
    try:
        rows = AuditTable(store.database).latest(10)
    finally:
        store.close()
    assert [(row.who, row.name, row.action, row.target) for row in rows] == [
        ("local:", "command line", "key.revoked", "reports"),
        ("local:", "command line", "key.added", "reports"),
    ]
