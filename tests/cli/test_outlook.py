"""`visitor-tracker forecast`, `anomalies` and `trends`."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import GOOGLE, event, fold
from visitor_tracker.event import Source
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.insight import Annotation, InsightTable

SITE = Site(1, "default")
NEWS = Source("social", "Hacker News", "news.ycombinator.com/item")
SPIKE = 5  # days ago
PAGE = "/po\x1bst"


def noon(days: int) -> int:
    """Return noon, UTC, so many days ago, as epoch ms."""
    day = datetime.fromtimestamp(time.time(), UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return int((day - timedelta(days=days)).timestamp() * 1000)


@pytest.fixture
def visited(tmp_path: Path, command: Command) -> Command:
    """A data folder with forty days of a site, one of them on a front page."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    usual = [
        event(SITE, noon(days) + number, f"{days} {number}", "/" if number % 3 else "/docs", source=GOOGLE)
        for days in range(1, 41)
        for number in range(30 + days % 3)
    ]
    spike = [event(SITE, noon(SPIKE) + number, f"spike {number}", PAGE, source=NEWS) for number in range(150)]
    fold(store, SITE, [*usual, *spike])
    InsightTable(store.database).kept_annotations.add(SITE.id, Annotation("Launch", at=noon(SPIKE)))
    store.close()
    return command


def test_a_forecast_is_a_table(visited: Command) -> None:
    done = visited("forecast", "--periods", "3")
    assert done.code == 0
    title, _, header, *rows = done.out.splitlines()
    assert (title, header.split()) == ("default, visits by the day (UTC)", ["DAY", "EXPECTED", "LOW", "HIGH"])
    assert len(rows) == 3
    said = "90% of the values are likely to lie between LOW and HIGH; learned from {} days"
    assert said.format(39) in done.err or said.format(38) in done.err  # yesterday is open until minutes after midnight
    found = json.loads(visited("forecast", "--step", "week", "--json").out)
    assert (found["can_forecast"], found["step"], len(found["points"])) == (True, "week", 4)
    assert "learned from" in visited("forecast", "--step", "month").err
    found = json.loads(visited("forecast", "--step", "hour", "--metric", "views", "--json").out)
    assert (found["can_forecast"], found["step"], len(found["points"])) == (True, "hour", 24)


def test_anomalies_are_a_table_and_with_reasons_sentences(visited: Command) -> None:
    day = datetime.fromtimestamp(noon(SPIKE) / 1000, UTC).date()
    done = visited("anomalies")
    assert done.code == 0
    assert done.out.splitlines()[0] == "default, the last 90 days (UTC)"
    header, row = done.out.splitlines()[2:]
    assert header.split() == ["FROM", "TO", "WHAT", "HOW", "MUCH", "VALUE", "USUALLY"]
    assert row.startswith(f"{day}  {day}  spike of visits")
    reasons = visited("anomalies", "--why").out.splitlines()
    assert reasons[2].startswith("Visits rose to 18")
    assert reasons[2].endswith("of the rise is Hacker News, nearly all to /po\\x1bst.")
    assert reasons[3].split() == ["CAUSE", "NOW", "USUALLY", "EXPLAINS"]
    assert reasons[4].split()[:4] == ["source", "Hacker", "News", "150"]
    assert reasons[-1] == "  noted: Launch"
    found = json.loads(visited("anomalies", "--why", "--json").out)
    assert (found["site"], found["anomalies"][0]["causes"][0]["value"]) == ("default", "Hacker News")
    assert json.loads(visited("anomalies", "--json").out)["anomalies"][0]["kind"] == "spike"


def test_trends_are_tables(visited: Command) -> None:
    done = visited("trends", "--days", "14")
    assert done.code == 0
    for said in (
        "A DAY",
        "these days",
        "before",
        "WEEKDAY",
        "busiest hours: ",
        "in the last seven days",
        "NEW",
        "/po\\x1bst",
    ):
        assert said in done.out
    assert json.loads(visited("trends", "--json").out)["average"]["days"] == 28


def test_a_young_site_is_told_so(tmp_path: Path, command: Command) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    store.close()
    forecast, anomalies, trends = (command(name) for name in ("forecast", "anomalies", "trends"))
    assert "there are no complete days with visits yet" in forecast.err
    assert "there are 0 complete days; 14 are needed" in anomalies.err
    assert "there are no complete days with visits yet" in trends.err
    assert {done.code for done in (forecast, anomalies, trends)} == {0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forecast", "--periods", "400"), "use 1 to 366"),
        (("forecast", "--holidays", "Easter"), "use days such as"),
        (("anomalies", "--days", "0"), "--days must be from 1 to 366"),
        (("trends", "--days", "6"), "--days must be from 7 to 180"),
    ],
)
def test_mistakes_are_named(visited: Command, arguments: tuple[str, ...], said: str) -> None:
    done = visited(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
