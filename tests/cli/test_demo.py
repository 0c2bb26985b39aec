"""`visitor-tracker demo`: a site of invented visits."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from visitor_tracker.measures import Dimension
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

SMALL = ("--days", "3", "--visits", "10")


def test_a_site_is_made_and_filled(command: Command, store_url: str) -> None:
    done = command("demo", *SMALL, "--timezone", "Europe/Berlin", "--store", store_url)
    assert (done.code, done.err) == (0, "")
    told = re.match(
        r"wrote 3 days of invented visits to the site demo: (\d+) page views, (\d+) events with those of robots"
        r" \((\d+)\), in \d+ s\n\nlook at them with\n  visitor-tracker stats --site demo --period all --store \S+\n$",
        done.out,
    )
    assert told is not None
    views, events, robots = map(int, told.groups())
    assert f"Views     {views} " in command("stats", "--site", "demo", "--period", "all", "--store", store_url).out
    assert 3 * 10 < views < events
    assert robots < events
    with opened(store_url) as store:
        [site] = [site for site in SiteTable(store.database).all() if site.name == "demo"]
        assert (site.hostnames, site.timezone, site.automatic) == (("demo.example",), "Europe/Berlin", True)
        assert Inbox(store.database).pending() == (0, 0), "all of it is folded"
        assert store.execute("select count(*) from events")[0][0] == events
        assert sum_of(store, "views", Dimension.TOTAL) == views
        assert sum_of(store, "events", Dimension.KIND) == events - robots
        assert sum_of(store, "visits", Dimension.TOTAL) > 3 * 10 / 2
        assert store.execute("select count(*) from dead_letters")[0][0] == 0


@contextmanager
def opened(url: str) -> Iterator[SqlStore]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def sum_of(store: SqlStore, measure: str, dimension: Dimension) -> int:
    found = store.execute(f"select sum({measure}) from rollup_day where dimension = {int(dimension)}")
    return int(found[0][0])


def test_it_works_before_the_first_start_and_only_once(command: Command, tmp_path: Path) -> None:
    assert command("demo", *SMALL).code == 0
    assert (tmp_path / "data" / "visitors.db").is_file()
    again = command("demo", *SMALL)
    assert (again.code, again.out) == (1, "")
    assert "the site demo has visits already" in again.err
    assert "--site demo2" in again.err
    assert command("demo", *SMALL, "--site", "demo2").code == 0


def test_hits_may_make_sites_as_before(command: Command) -> None:
    command("demo", *SMALL)
    assert "an event" in command("site", "list").out, "it is no site that somebody added"


def test_a_site_that_is_there_keeps_its_hosts_and_zone(command: Command, tmp_path: Path) -> None:
    command("site", "add", "trial", "--hostname", "trial.example.com", "--timezone", "Asia/Tokyo")
    assert command("demo", "--site", "trial", *SMALL).code == 0
    with opened(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}") as store:
        hosts = store.execute(
            "select distinct strings.value from strings join rollup_day on rollup_day.value = strings.id"
            " where site_id = %s and dimension = %s",
            (site_id_of("trial"), int(Dimension.HOST)),
        )
    assert hosts == [("trial.example.com",)]


def test_numbers_of_a_removed_site_are_left_alone(command: Command) -> None:
    command("demo", *SMALL)
    command("site", "remove", "demo")
    done = command("demo", "--days", "4")
    assert (done.code, "has visits already" in done.err) == (1, True)
    assert "demo" not in command("site", "list").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--site", "default"), 1, "the site default takes real visits"),
        (("--site", "trial", "--timezone", "Asia/Tokyo"), 1, "has the time zone UTC: leave --timezone out"),
        (("--site", "of host"), 2, "is no site name"),
        (("--site", "taken"), 1, "the host taken.example belongs to the site trial"),
        (("--timezone", "Berlin"), 2, "is no time zone"),
        (("--days", "0"), 2, "must be at least 1, not 0"),
        (("--days", "1097"), 2, "must be at most 1,096, not 1,097"),
        (("--visits", "20001"), 2, "must be at most 20,000"),
        (("--seed", "x"), 2, "must be a whole number"),
    ],
)
def test_mistakes_are_told(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    command("site", "add", "trial", "--hostname", "taken.example")
    before = command("site", "list").out
    done = command("demo", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert command("site", "list").out == before


def test_the_help_says_how_it_is_used(command: Command) -> None:
    done = command("demo", "--help")
    assert done.code == 0
    assert all(option in done.out for option in ("--site", "--days", "--visits", "--seed", "--timezone", "examples:"))
    assert "demo" in command("--help").out


def test_a_person_sees_how_far_it_is(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = command("demo", *SMALL)
    assert re.fullmatch(r"\r1 of 3 days, \d+ events\r2 of 3 days, \d+ events\r3 of 3 days, \d+ events\n", done.err)


def test_who_interrupts_it_is_told_that_it_can_go_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(done: int, days: int, events: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("visitor_tracker.cli.demo._progress", lambda: interrupt)
        done = command("demo", *SMALL)
    assert (done.code, done.out) == (130, "")
    assert "the same command goes on from here" in done.err
    rest = command("demo", *SMALL)
    assert (rest.code, rest.err) == (0, "went on after the first 2 days, which were there\n")
    assert rest.out.startswith("wrote 1 day of invented visits")
