"""`visitor-tracker site`: web sites as a person manages them."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.conftest import Command
from visitor_tracker.access.sites import SiteBook
from visitor_tracker.sites import Snapshot, site_id_of
from visitor_tracker.web.snippets import KINDS, PROXIES, Kind, snippet

SUMMARY = ("name", "hostnames", "aliases", "timezone", "public", "automatic", "own_policy")


def listed(command: Command, *more: str) -> dict[str, dict[str, Any]]:
    """Return the sites that the list has, by name."""
    done = command("site", "list", "--json", *more)
    assert (done.code, done.err) == (0, "")
    return {row["name"]: row for row in map(json.loads, done.out.splitlines())}


def test_a_site_is_added_changed_listed_and_removed(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    added = command("site", "add", "blog", "--hostname", "Blog.Example.com", "--alias", "17", *where)
    assert (added.code, added.out) == (0, "made the site blog\n")
    changed = command("site", "set", "blog", "--timezone", "Europe/Berlin", "--visitor", "monthly", "--public", *where)
    assert (changed.code, changed.out) == (0, "changed the site blog\n")
    rows = listed(command, *where)
    assert list(rows) == ["default", "blog"]
    assert [rows["blog"][name] for name in SUMMARY] == [
        "blog", ["blog.example.com"], ["17"], "Europe/Berlin", True, False, True
    ]  # fmt: skip
    assert rows["blog"]["id"] == str(site_id_of("blog"))
    assert rows["blog"]["policy"] == {
        "visitor": "monthly", "ip": "none", "user_agent": "class", "traits": "drop", "opt_out": "ignore"
    }  # fmt: skip
    removed = command("site", "remove", "blog", *where)
    assert (removed.code, "its numbers stay" in removed.out) == (0, True)
    assert list(listed(command, *where)) == ["default"]


def test_the_list_is_a_table_for_people(command: Command) -> None:
    command("site", "add", "blog", "--hostname", "blog.example.com", "--hostname", "*.blog.example.com")
    command("site", "set", "blog", "--alias", "17", "--alias", "weblog", "--module", "errors", "--module", "clicks")
    done = command("site", "list")
    cells = [re.split(r"\s{2,}", line.strip()) for line in done.out.splitlines()]
    assert [row[0] for row in cells] == ["NAME", "default", "blog"]
    assert cells[1] == ["default", "1", "UTC", "daily", "-", "itself", "-", "what no other has"]
    assert cells[2][2:6] == ["UTC", "daily", "clicks, errors", "you"]
    assert cells[2][7:] == ["blog.example.com, *.blog.example.com", "17, weblog"]


def test_adding_works_before_the_first_start(command: Command, tmp_path: Path) -> None:
    assert command("site", "add", "blog").code == 0
    assert (tmp_path / "data" / "visitors.db").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("set", "blog", "--public"),
        ("remove", "blog"),
        ("snippet", "blog"),
    ],
)
def test_a_wrong_folder_is_told_and_left_alone(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = command("site", *arguments)
    assert (done.code, done.out) == (1, "")
    assert str(tmp_path / "data" / "visitors.db") in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "blog"), 1, "the site blog is there already: change it with  visitor-tracker site set blog"),
        (("add", "default"), 1, "visitor-tracker site set default"),
        (("add", "17"), 1, "17 is a name or alias of the site blog"),
        (("add", "shop", "--hostname", "BLOG.example.com."), 1, "blog.example.com belongs to the site blog"),
        (("add", "shop", "--alias", "17"), 1, "17 is a name or alias of the site blog"),
        (("set", "default", "--hostname", "blog.example.com"), 1, "blog.example.com belongs to the site blog"),
        (("add", "a b"), 2, "no site name"),
        (("add", "shop", "--hostname", "shop.example:80"), 2, "has a port"),
        (("add", "shop", "--timezone", "berlin"), 2, "write it as, for example,"),
        (("add", "shop", "--visitor", "weekly"), 2, "invalid choice: 'weekly'"),
        (("set", "shop", "--public"), 1, "there is no site shop"),
        (("remove", "shop"), 1, "there is no site shop"),
        (("snippet", "shop"), 1, "(known: default, blog)"),
        (("remove", "default"), 1, "cannot be removed"),
        (("fly",), 2, "invalid choice: 'fly'"),
        (("set", "blog", "--public", "--private"), 2, "not allowed with argument --public"),
        (("set", "blog", "--hostname", "a.example", "--any-hostname"), 2, "not allowed with argument --hostname"),
        (("set", "blog", "--alias", "1", "--no-alias"), 2, "not allowed with argument --alias"),
    ],
)
def test_mistakes_are_explained(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    command("site", "add", "blog", "--hostname", "blog.example.com", "--alias", "17")
    before = listed(command)
    done = command("site", *arguments)
    assert (done.code, done.out) == (code, ""), done.err
    assert said in done.err
    assert listed(command) == before


def test_what_is_not_given_stays(command: Command) -> None:
    command("site", "add", "blog", "--hostname", "a.example", "--alias", "1", "--ip", "truncated", "--public")
    command("site", "set", "blog", "--opt-out", "drop")
    row = listed(command)["blog"]
    assert [row[name] for name in SUMMARY] == ["blog", ["a.example"], ["1"], "UTC", True, False, True]
    assert (row["policy"]["ip"], row["policy"]["opt_out"]) == ("truncated", "drop")


def test_everything_can_be_undone(command: Command) -> None:
    command("site", "add", "blog", "--hostname", "a.example", "--alias", "1", "--ip", "truncated", "--public")
    command("site", "set", "blog", "--any-hostname", "--no-alias", "--private", "--as-settings")
    row = listed(command)["blog"]
    assert [row[name] for name in SUMMARY] == ["blog", [], [], "UTC", False, False, False]
    again = command("site", "set", "blog", "--private")
    assert (again.code, again.out) == (0, "nothing to change: the site blog is so already\n")


def test_a_policy_begins_with_what_the_settings_say(command: Command, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("identity: {ip: truncated, opt_out: drop}\n")
    command("site", "add", "blog", "--visitor", "monthly")
    row = listed(command)
    assert row["blog"]["policy"] == {
        "visitor": "monthly", "ip": "truncated", "user_agent": "class", "traits": "drop", "opt_out": "drop"
    }  # fmt: skip
    assert row["default"]["policy"] == row["blog"]["policy"] | {"visitor": "daily"}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--visitor", "cookie", "sets a cookie"),
        ("--visitor", "persistent", "recognised"),
        ("--ip", "full", "personal data"),
        ("--user-agent", "full", "user agents as they are sent"),
        ("--traits", "keep", "identify"),
        ("--visitor", "daily", ""),
        ("--opt-out", "drop", ""),
    ],
)
def test_what_costs_privacy_is_said_once(command: Command, option: str, value: str, said: str) -> None:
    command("site", "add", "blog")
    lines = command("site", "set", "blog", option, value).err.splitlines()
    assert len(lines) == (1 if said else 0)
    assert said in "".join(lines)
    assert command("site", "set", "blog", "--public").err.startswith("--public: everybody may read its numbers")
    assert command("site", "set", "blog", "--public").err == ""


def test_the_first_site_ends_that_events_make_sites(command: Command) -> None:
    assert "sites.auto_create" in command("site", "add", "blog").err
    assert "sites.auto_create" not in command("site", "add", "shop").err


def test_a_site_that_an_event_made_is_listed_and_can_be_taken_over(command: Command, tmp_path: Path) -> None:
    command("migrate")
    made = SiteBook(tmp_path / "data").create("blog", Snapshot())
    assert made is not None
    assert listed(command)["blog"]["automatic"] is True
    done = command("site", "add", "blog", "--hostname", "blog.example.com")
    assert (done.code, done.out) == (0, "made the site blog, which an event had named before\n")
    row = listed(command)["blog"]
    assert (row["automatic"], row["hostnames"]) == (False, ["blog.example.com"])


def test_a_removed_site_that_an_event_made_stays_away(command: Command, tmp_path: Path) -> None:
    command("migrate")
    SiteBook(tmp_path / "data").create("blog", Snapshot())
    done = command("site", "remove", "blog")
    assert (done.code, "an event that names it" in done.err) == (0, True)
    assert list(listed(command)) == ["default"]
    assert SiteBook(tmp_path / "data").sites() == []


def test_a_snippet_is_what_pages_and_programs_need(command: Command, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("server: {public_url: 'https://stats.example.com/'}\n")
    command("site", "add", "blog", "--hostname", "*.example.org", "--hostname", "blog.example.com")
    done = command("site", "snippet", "blog")
    assert done.code == 0
    assert '<script defer src="https://stats.example.com/script.js?site=blog"></script>' in done.out
    [image] = re.findall(r'<noscript><img src="([^"]+)" alt=""></noscript>', done.out)
    assert image.startswith("https://stats.example.com/pixel.gif?")
    assert parse_qs(urlsplit(image).query) == {"url": ["https://blog.example.com/"]}
    words = shlex.split(done.out[done.out.index("curl ") :])
    assert words[:2] == ["curl", "https://stats.example.com/api/v1/events"]
    event = json.loads(words[words.index("-d") + 1])
    assert event == {"type": "pageview", "site": "blog", "url": "https://blog.example.com/"}


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_lines_for_every_kind_of_pages(command: Command, kind: str) -> None:
    done = command("site", "snippet", "default", "--for", kind)  # there is no database yet
    assert done.code == 0
    assert "/script.js" in done.out or "script\\.js" in done.out
    assert ("trusted_proxies" in done.err) == (kind in PROXIES)


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_shows_the_same_lines(kind: Kind) -> None:
    page = Path(__file__).parents[2] / "docs" / "tracker.md"
    assert snippet(kind, "https://stats.example.com", "blog") in page.read_text("utf-8")


def test_a_snippet_tells_what_it_had_to_guess(command: Command) -> None:
    command("site", "add", "blog")
    done = command("site", "snippet", "blog")
    assert 'src="http://127.0.0.1:8000/script.js?site=blog"' in done.out
    assert "set server.public_url" in done.err
    assert "site set blog --hostname" in done.err
    assert "--hostname" not in command("site", "snippet", "default").err


def test_a_site_has_an_address_and_keeps_what_it_says(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    kept = ("--retention", "events=90", "--retention", "replay=7")
    assert command("site", "add", "blog", "--url", "https://Blog.example.com", *kept, *where).code == 0
    row = json.loads(command("site", "show", "blog", "--json", *where).out)
    assert (row["url"], row["own_retention"]) == ("https://blog.example.com/", {"events_days": 90, "replay_days": 7})
    assert row["retention"] == {"events_days": 90, "replay_days": 7, "ip_records_days": 0, "profiles_days": 400}
    command("site", "set", "blog", "--retention", "replay=settings", "--retention", "ip-records=0", *where)
    command("site", "set", "blog", "--holiday", "12-25", "--holiday", "2026-04-05", *where)
    assert "2026-04-05, 12-25" in command("site", "show", "blog", *where).out
    assert "use days such as" in command("site", "set", "blog", "--holiday", "Easter", *where).err
    assert command("site", "set", "blog", "--no-holiday", *where).code == 0
    row = json.loads(command("site", "show", "blog", "--json", *where).out)
    assert row["own_retention"] == {"events_days": 90, "ip_records_days": 0}
    assert command("site", "set", "blog", "--retention-as-settings", *where).code == 0
    shown = command("site", "show", "blog", *where).out
    assert "for ever, replay 30 days" in shown
    assert "admins" in shown.lower()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--url", "blog"), 1, "is no address"),
        (("--url", "javascript:alert(1)"), 1, "is no address"),
        (("--retention", "events"), 2, "are no days"),
        (("--retention", "all=1"), 2, "use events, replay, ip-records, profiles"),
        (("--retention", "events=99999"), 2, "36500"),
        (("--retention", "events=-1"), 2, "are no days"),
    ],
)
def test_mistakes_of_addresses_and_days_are_explained(
    command: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    command("site", "add", "blog")
    done = command("site", "set", "blog", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_changes_are_in_the_audit_log(command: Command) -> None:
    command("site", "add", "blog", "--hostname", "blog.example.com")
    command("site", "set", "blog", "--public")
    command("site", "set", "blog", "--public")
    command("site", "remove", "blog")
    lines = [json.loads(line) for line in command("audit", "--json").out.splitlines()]
    assert [(line["action"], line["target"], line["who"]) for line in reversed(lines)] == [
        ("site.added", "blog", "local"),
        ("site.changed", "blog", "local"),
        ("site.removed", "blog", "local"),
    ]
    assert lines[1]["detail"] == {"public": True}


def test_all_of_a_site_can_be_erased(command: Command, store_url: str) -> None:
    where = ("--store", store_url)
    command("site", "add", "blog", *where)
    asked = command("site", "remove", "blog", "--erase", *where)
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert "blog" in listed(command, *where)
    done = command("site", "remove", "blog", "--erase", "--yes", *where)
    assert (done.code, "erased what was counted" in done.out) == (0, True)
    again = command("site", "add", "blog", *where)
    assert (again.code, "is being erased just now" in again.err) == (1, True)
