"""`visitor-tracker query`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, MINUTE, event, fold
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.insight import Goal, InsightTable, Segment

SITE = Site(1, "default")
DAY = bounds("UTC", 20260310)[0]
PERIOD = ("--period", "2026-03-10..2026-03-11")


@pytest.fixture
def counted(tmp_path: Path, command: Command) -> Command:
    """A data folder with two days of a site."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    events = [
        event(SITE, DAY + 9 * HOUR_MS, "anna", "/", source=GOOGLE, place=GERMANY, engaged_ms=75_000),
        event(SITE, DAY + 9 * HOUR_MS + 2 * MINUTE, "anna", "/a\x1b[31m", place=GERMANY),
        event(SITE, DAY + 30 * HOUR_MS, "cara", "/", place=FRANCE),
    ]
    fold(store, SITE, events)
    table = InsightTable(store.database)
    table.kept_segments.add(SITE.id, Segment("French", "country is FR", at=DAY))
    table.kept_goals.add(SITE.id, Goal("Front", "page", page="/", at=DAY))
    store.close()
    return command


def test_a_table(counted: Command) -> None:
    done = counted("query", "--metrics", "visitors,views,engaged,share", "--by", "page", *PERIOD)
    assert done.code == 0
    assert (
        done.out
        == """\
default, 2026-03-10 to 2026-03-11 (UTC)

PAGE        VISITORS  VIEWS  ENGAGED   SHARE
/                  2      2   37.5 s   66.7%
/a\\x1b[31m         1      1    0.0 s   33.3%
all                2      3   37.5 s  100.0%
"""
    )
    assert "visitors of each day, added up" in done.err


def test_changes_since_another_period(counted: Command) -> None:
    done = counted("query", "--metrics", "views,bounce_rate", "--period", "2026-03-11", "--compare", "previous")
    assert done.out.splitlines()[0] == "default, 2026-03-11 (UTC), compared with 2026-03-10 to 2026-03-10"
    assert done.out.splitlines()[2].split() == ["VIEWS", "VIEWS", "±", "BOUNCE_RATE", "BOUNCE_RATE", "±"]
    assert done.out.splitlines()[3].split() == ["1", "-50.0", "%", "100.0%", "-"]


def test_all_forms(counted: Command) -> None:
    asked = ("query", "--metrics", "views", "--by", "time:day", "--filter", "country is DE", *PERIOD)
    said = json.loads(counted(*asked, "--json").out)
    assert said["query"]["filters"] == 'country is "DE"'
    assert counted(*asked, "--csv").out == "time,views\n2026-03-10,2\n2026-03-11,0\n"
    assert counted(*asked, "--ndjson").out.splitlines()[0] == '{"time":"2026-03-10","views":2}'


def test_segments_goals_and_pages(counted: Command) -> None:
    done = counted("query", "--metrics", "conversions", "--goal", "Front", "--segment", "French", *PERIOD, "--csv")
    assert done.out == "conversions\n1\n"
    first = counted("query", "--by", "page", "--metrics", "views", "--limit", "1", *PERIOD)
    assert "1 of 2 rows" in first.err
    cursor = first.err.rpartition("--cursor ")[2].split()[0]
    following = counted("query", "--by", "page", "--metrics", "views", "--limit", "1", "--cursor", cursor, *PERIOD)
    assert following.out.splitlines()[3].startswith("/a")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--metrics", "visiters"), "--metrics: there is no metric 'visiters': use visitors"),
        (("--by", "planet"), "--by: there is no dimension 'planet'"),
        (("--filter", "country was DE"), "--filter: filter, character 9"),
        (("--period", "never"), "--period: 'never' is no period"),
        (("--compare", "never"), "--compare: 'never' is no period"),
        (("--order", "page"), "--order: order_by cannot be 'page'"),
        (("--segment", "Germans"), "--segment: the site has no segment"),
        (("--metrics", "conversions"), "--goal: conversions needs a goal"),
        (("--limit", "5000"), "--limit: limit is a number from 1 to 1000"),
    ],
)
def test_mistakes_name_the_option(counted: Command, options: tuple[str, ...], says: str) -> None:
    done = counted("query", *options)
    assert done.code == 2
    assert says in done.err
