"""`visitor-tracker robots`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.ingest.test_fold import drain, folder_of, put
from tests.reports.traffic import event, who
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store

SITE = Site(1, "default")
START = bounds("UTC", 20260310)[0] + HOUR_MS
PERIOD = ("--period", "2026-03-10")
CRAWLER, ANNA = who("crawler").hex(), who("anna").hex()


@pytest.fixture
def crawled(tmp_path: Path, command: Command) -> Command:
    """A data folder with a day of a crawler and of Anna, who is not judged yet."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    pages = [event(SITE, START + 5_000 * number, "crawler", f"/page/{number}") for number in range(200)]
    put(store, [*pages, event(SITE, START, "anna"), event(SITE, START + 90_000, "anna", "/blog")])
    folder = folder_of(store, Rule())
    drain(folder)
    folder.let_go()
    store.close()
    return command


def test_days_are_judged_and_the_list_says_why(crawled: Command) -> None:
    done = crawled("robots", *PERIOD)
    assert (done.code, done.out) == (0, "default, 2026-03-10 (UTC)\n\n")
    assert "--judge" in done.err
    done = crawled("robots", "--judge", *PERIOD)
    assert done.out.splitlines()[1].split() == ["2026-03-10", "1", "1", "200"]
    done = crawled("robots", *PERIOD)
    row = done.out.splitlines()[3]
    assert row.startswith(f"2026-03-10  {CRAWLER}  robot")
    assert "200 pages, one every 5.0 s ± 0.0" in row
    assert "1 robots with 200 views, 0 doubtful, 0 overruled; robots.behaviour is exclude" in done.err
    found = json.loads(crawled("robots", *PERIOD, "--json").out)
    assert (found["site"], found["robots"], found["visitors"][0]["visitor"]) == ("default", 1, CRAWLER)
    assert json.loads(crawled("robots", "--judge", "--json", *PERIOD).out)["changed"] == 0


def test_a_person_s_word_holds_at_once(crawled: Command) -> None:
    crawled("robots", "--judge", *PERIOD)
    done = crawled("robots", "--overrule", CRAWLER, "human", "--day", "2026-03-10")
    assert (done.code, done.out) == (0, "2026-03-10: the numbers are made again\n")
    assert json.loads(crawled("stats", *PERIOD, "--json").out)["totals"]["views"] == 202
    crawled("robots", "--overrule", ANNA, "robot", "--day", "2026-03-10")
    assert json.loads(crawled("stats", *PERIOD, "--json").out)["totals"]["views"] == 200
    rows = crawled("robots", *PERIOD).out.splitlines()[3:]
    assert [row.split()[1:3] for row in rows] == [[CRAWLER, "human,"], [ANNA, "robot,"]]
    crawled("rebuild", "--day", "2026-03-10")
    assert json.loads(crawled("stats", *PERIOD, "--json").out)["totals"]["views"] == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--overrule", CRAWLER, "alien"), "takes human, robot or rules, not 'alien'"),
        (("--overrule", "crawler", "human"), "'crawler' is no visitor"),
        (("--overrule", "g" * 32, "human"), "is no visitor"),
        (("--day", "2026-03-10"), "--day goes with --overrule"),
        (("--limit", "0"), "must be a whole number from 1 to 1000"),
        (("--overrule", CRAWLER, "human", "--day", "2026-02-30"), "must be a date"),
    ],
)
def test_wrong_usage_is_told(crawled: Command, arguments: tuple[str, ...], said: str) -> None:
    done = crawled("robots", *arguments)
    assert done.code == 2
    assert said in done.err


def test_who_was_not_there_cannot_be_judged(crawled: Command) -> None:
    done = crawled("robots", "--overrule", who("cora").hex(), "robot", "--day", "2026-03-10")
    assert done.code == 1
    assert "no event of this visitor is there" in done.err
