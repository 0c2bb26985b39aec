"""`visitor-tracker user`: accounts as an operator manages them."""

import io
import json
import re
import sys
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.cli.conftest import Command, Done
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.audit import Audit
from visitor_tracker.access.passwords import Argon2
from visitor_tracker.access.who import Who
from visitor_tracker.store.accounts import AccountTable
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.open import open_store

PASSWORD = "a horse, a battery"

Typed = Callable[..., Done]


@pytest.fixture
def typed(command: Command, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Run a command with a text on its standard input."""

    def run(text: str, *arguments: str) -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return command(*arguments)

    return run


def one(command: Command, name: str, *more: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(command("user", "show", name, "--json", *more).out)
    return found


def test_an_account_is_made_changed_and_removed(command: Command, typed: Typed, store_url: str) -> None:
    where = ("--store", store_url)
    command("site", "add", "blog", *where)
    made = typed(
        f"{PASSWORD}\n", "user", "add", "ada", "--admin", "--email", "ada@example.com", "--password-stdin", *where
    )
    assert (made.code, made.out) == (0, "made the account ada\n")
    invited = command(
        "user", "add", "bob", "--site", "blog", "--site", "default", "--role", "owner", "--invite", *where
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/setup#[A-Za-z0-9_-]{43}\n", invited.out)
    bob = one(command, "BOB", *where)
    assert (bob["roles"], bob["has_password"], bob["seen_at"]) == ({"blog": "owner", "default": "owner"}, False, None)
    assert command("user", "set", "bob", "--site", "blog", "--role", "viewer", *where).code == 0
    assert command("user", "set", "bob", "--site", "default", "--role", "none", "--disable", *where).code == 0
    bob = one(command, "bob", *where)
    assert (bob["roles"], bob["disabled"], bob["is_admin"]) == ({"blog": "viewer"}, True, False)
    refused = command("user", "password", "bob", "--invite", *where)
    assert (refused.code, refused.out) == (1, "")
    assert "--enable" in refused.err
    assert command("user", "set", "bob", "--enable", "--admin", "--email", "bob@example.com", *where).code == 0
    assert command("user", "set", "bob", *where).code == 0, "nothing to change, nothing to note"
    assert [json.loads(line)["username"] for line in command("user", "list", "--json", *where).out.splitlines()] == [
        "ada",
        "bob",
    ]
    assert command("user", "remove", "bob@example.com", *where).out == "removed the account bob\n"
    assert command("user", "show", "bob", *where).code == 1
    store = open_store(store_url)
    actions = [(row.who, row.action, row.target) for row in AuditTable(store.database).latest(50)]
    store.close()
    assert [line for line in actions if line[1].startswith("user.")] == [
        ("local:", "user.removed", "bob"),
        ("local:", "user.changed", "bob"),
        ("local:", "user.changed", "bob"),
        ("local:", "user.changed", "bob"),
        ("local:", "user.invited", "bob"),
        ("local:", "user.added", "bob"),
        ("local:", "user.added", "ada"),
    ]


def test_only_the_hash_of_a_password_is_kept(typed: Typed, tmp_path: object) -> None:
    typed(f"{PASSWORD}\r\n", "user", "add", "ada", "--admin", "--password-stdin")
    store = open_store(f"sqlite:///{tmp_path}/data/visitors.db")
    [row] = AccountTable(store.database).all()
    store.close()
    assert PASSWORD not in row.password_hash
    assert Argon2().verify(row.password_hash, PASSWORD)


def test_the_first_account_is_an_admins_and_the_last_admin_stays(command: Command, typed: Typed) -> None:
    refused = command("user", "add", "bob", "--invite")
    assert (refused.code, refused.out) == (1, "")
    assert "first account must be an admin's" in refused.err
    assert typed(PASSWORD, "user", "add", "ada", "--admin", "--password-stdin").code == 0
    for arguments in (("remove", "ada"), ("set", "ada", "--no-admin"), ("set", "ada", "--disable")):
        done = command("user", *arguments)
        assert (done.code, done.out) == (1, "")
        assert "only admin who can log in" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "ADA", "--invite"), "somebody has that username"),
        (("add", "a b", "--invite"), "no username: use 1 to 64 letters"),
        (("add", "bob", "--site", "nowhere", "--invite"), "there is no site nowhere"),
        (("add", "bob", "--password-stdin"), "too short: use at least 10 characters"),
        (("add", "bob"), "--password-stdin"),
        (("set", "ada", "--site", "default"), "--site and --role together"),
        (("set", "ada", "--role", "viewer"), "--site and --role together"),
        (("add", "bob", "--role", "owner", "--invite"), "--role together with --site"),
        (("set", "ada", "--email", "none"), "no e-mail address"),
        (("show", "nobody"), "there is no such user"),
        (("password", "nobody", "--invite"), "there is no such user"),
        (("logins", "nobody"), "there is no such user"),
        (("logout", "nobody"), "there is no such user"),
        (("no-second-factor", "nobody"), "there is no such user"),
        (("remove", "nobody"), "there is no such user"),
    ],
)
def test_what_cannot_be_is_said_so(command: Command, typed: Typed, arguments: tuple[str, ...], words: str) -> None:
    assert command("user", "add", "ada", "--admin", "--invite").code == 0
    done = typed("short", "user", *arguments)
    assert (done.code, done.out) == (1, "")
    assert words in done.err
    assert len(command("user", "list", "--json").out.splitlines()) == 1


def test_a_password_is_set_and_ends_the_links(typed: Typed, command: Command) -> None:
    command("user", "add", "ada", "--admin", "--invite")
    done = typed(PASSWORD, "user", "password", "ada", "--password-stdin")
    assert done.out == "set the password of ada; all log-ins have ended\n"
    assert one(command, "ada")["has_password"] is True
    assert command("user", "logins", "ada").err == "logged in nowhere\n"
    assert command("user", "logout", "ada").out == "ended all log-ins of ada\n"
    assert command("user", "no-second-factor", "ada").out == "ada has no second factor\n"


def test_the_list_is_a_table_for_people(command: Command, typed: Typed) -> None:
    assert "no accounts yet" in command("user", "list", "--store", "sqlite:///:memory:").err
    typed(PASSWORD, "user", "add", "ada", "--admin", "--password-stdin")
    command("user", "add", "bob", "--email", "bob@example.com", "--site", "default", "--invite")
    header, *rows = command("user", "list").out.splitlines()
    assert header.split() == ["NAME", "E-MAIL", "RIGHTS", "STATE", "LAST", "LOG-IN", "(UTC)"]
    assert [row.split() for row in rows] == [
        ["ada", "-", "admin", "active", "-"],
        ["bob", "bob@example.com", "default", "(viewer)", "invited", "-"],
    ]
    shown = command("user", "show", "bob").out
    assert "roles          default (viewer)\n" in shown
    assert "has password   no\n" in shown


def test_the_link_to_set_up_is_there_until_there_is_an_account(
    command: Command, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("user", "setup-link").out.startswith("http://127.0.0.1:8000/setup#")
    monkeypatch.setenv("VISITOR_TRACKER_SERVER_PUBLIC_URL", "https://stats.example.com/")
    assert command("user", "setup-link").out.startswith("https://stats.example.com/setup#")
    assert len(command("token").out) == 65
    typed(PASSWORD, "user", "add", "ada", "--admin", "--password-stdin")
    done = command("user", "setup-link")
    assert (done.code, done.out) == (1, "")
    assert "there are accounts already" in done.err
    token = command("token")
    assert (token.code, token.out) == (1, "")
    assert "visitor-tracker key add" in token.err


def test_a_new_password_tells_of_keys_and_revokes_them_if_asked(typed: Typed, command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    typed(PASSWORD, "user", "add", "ada", "--admin", "--password-stdin", *where)
    ada = str(one(command, "ada", *where)["id"])
    with closing(open_store(store_url)) as store:
        who = Who("user", "ada", ada, is_admin=True)
        _, text = ApiKeys(store).add(Audit(store), who, "hers", site_id=0, scopes=["read"], expires_at=0)
        kept = typed(PASSWORD, "user", "password", "ada", "--password-stdin", *where)
        assert "made and that stay good: 1; --revoke-keys revokes them" in kept.err
        assert ApiKeys(store).who(text).name == "hers"
        gone = command("user", "password", "ada", "--invite", "--revoke-keys", *where)
        assert "API keys that were revoked: 1" in gone.err
        assert ApiKeys(store).all() == []
        assert [row.action for row in AuditTable(store.database).latest(2)] == ["key.revoked", "user.invited"]
