"""`visitor-tracker rebuild` and `deadletter`: what an operator types and sees."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import event
from visitor_tracker.event import encode_events
from visitor_tracker.sites import Site
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default")


@pytest.fixture
def demo(command: Command) -> Command:
    """A data folder with three days of the site demo."""
    assert command("demo", "--days", "3", "--visits", "5").code == 0
    return command


def test_every_day_is_made_again_and_stays_as_it_was(demo: Command) -> None:
    before = demo("stats", "--site", "demo", "--period", "all").out
    done = demo("rebuild", "--site", "demo", "--all")
    assert (done.code, done.err) == (0, "")
    header, *rows, last = done.out.splitlines()
    assert header.split() == ["DAY", "EVENTS", "OF", "ROBOTS", "NUMBERS", "CHANGED"]
    assert {row.split()[-1] for row in rows} == {"0"}
    assert last == f"days made again: {len(rows)}"
    assert demo("stats", "--site", "demo", "--period", "all").out == before


def test_some_days_as_json(demo: Command) -> None:
    found = [json.loads(line) for line in demo("rebuild", "--site", "demo", "--all", "--json").out.splitlines()]
    first, last = found[0]["day"], found[-1]["day"]
    assert demo("rebuild", "--site", "demo", "--from", first, "--to", last, "--json").out.count("\n") == len(found)
    assert json.loads(demo("rebuild", "--site", "demo", "--day", last, "--json").out) == found[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "say which days: --day DATE, --from DATE [--to DATE], or --all"),
        (("--all", "--day", "2026-01-01"), 2, "say which days"),
        (("--to", "2026-01-01", "--all"), 2, "--to goes with --from"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), 2, "--from must not be after --to"),
        (("--day", "2026-02-30"), 2, "must be a date such as 2026-11-21, not '2026-02-30'"),
        (("--all", "--site", "shop"), 1, "there is no site shop:  visitor-tracker site list  shows all"),
        (("--site", "demo", "--day", "1999-01-01"), 1, "the site demo has no events of such a day"),
        (("--all",), 1, "the site default has no events of any day"),
    ],
)
def test_what_cannot_be_made_again_is_told(demo: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = demo("rebuild", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.fixture
def store(command: Command) -> Iterator[SqlStore]:
    """The database of the commands, with tables and nothing in them."""
    assert command("migrate").code == 0
    store = open_store("sqlite:data/visitors.db")
    yield store
    store.close()


def test_what_was_set_aside_is_listed_and_tried_again(command: Command, store: SqlStore) -> None:
    now = time.time_ns() // 1_000_000
    sent = [event(SITE, now, "anna", "/"), event(SITE, now, "ben", "/a")]
    Inbox(store.database).set_aside("no table took it \x1b[31m" + "x" * 100, encode_events(sent), now, SITE.id)
    done = command("deadletter", "list")
    assert (done.code, done.err) == (0, "")
    header, row = done.out.splitlines()
    assert header.split() == ["ID", "SET", "ASIDE", "(UTC)", "SITE", "EVENTS", "REASON"]
    name, *_, reason = row.split("  ")
    assert reason.startswith("no table took it \\x1b[31mxxx")
    assert reason.endswith("x…")
    [letter] = [json.loads(line) for line in command("deadletter", "list", "--json").out.splitlines()]
    assert (letter["events"], letter["id"][:12], len(letter["reason"])) == (2, name, 122)
    done = command("deadletter", "retry", name)
    assert (done.code, done.out, done.err) == (0, "1 put back into the inbox; a running server folds it at once\n", "")
    assert Inbox(store.database).pending() == (1, 2)
    assert command("deadletter", "list").err == "nothing was set aside\n"


@pytest.mark.parametrize(
    ("arguments", "code", "out", "said"),
    [
        ((), 2, "", "name what to retry as  deadletter list  shows it, or say --all"),
        (("--all", "abc"), 2, "", "name what to retry"),
        (("abc",), 1, "0 put back into the inbox\n", "abc: no such letter"),
        (("--all",), 0, "", "nothing was set aside"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_retry_of_nothing(command: Command, arguments: tuple[str, ...], code: int, out: str, said: str) -> None:
    done = command("deadletter", "retry", *arguments)
    assert (done.code, done.out) == (code, out)
    assert said in done.err
