"""`goal`, `funnel`, `journey`, `cohorts`, `attribution`, `segment` and `annotation`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, MINUTE, event, fold
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.audit import AuditTable

SITE = Site(1, "default")
AT = bounds("UTC", 20260310)[0] + 9 * HOUR_MS
PERIOD = ("--period", "2026-03-10")


@pytest.fixture
def counted(tmp_path: Path, command: Command) -> Command:
    """A data folder with two visits of one day."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    events = [
        event(SITE, AT, "anna", "/", source=GOOGLE, place=GERMANY),
        event(SITE, AT + MINUTE, "anna", "/thanks", place=GERMANY),
        event(
            SITE, AT + 2 * MINUTE, "anna", "/thanks", "custom", name="buy", value=12.5, currency="EUR", place=GERMANY
        ),
        event(SITE, AT + HOUR_MS, "ben", "/", place=FRANCE),
    ]
    fold(store, SITE, events)
    store.close()
    return command


def test_goals(counted: Command, tmp_path: Path) -> None:
    assert counted("goal", "add", "Thanks", "--page", "/thanks*").code == 0
    assert counted("goal", "add", "Sales", "--revenue", "buy", "--where", "value > 1").code == 0
    assert counted("goal", "list").out == (
        "NAME    KIND     WHAT\nThanks  page     /thanks*\nSales   revenue  buy, value > 1\n"
    )
    assert [json.loads(line)["name"] for line in counted("goal", "list", "--json").out.splitlines()] == [
        "Thanks",
        "Sales",
    ]
    assert counted("goal", "report", *PERIOD).out == (
        "default, 2026-03-10 (UTC)\n\n2 visitors, 2 visits\n\n"
        "GOAL    CONVERSIONS  VISITORS  VISITS   RATE    REVENUE\n"
        "Thanks            1         1       1  50.0%\n"
        "Sales             1         1       1  50.0%  12.50 EUR\n"
    )
    assert "Sales by country  CONVERSIONS" in counted("goal", "report", *PERIOD, "--by", "country").out
    told = json.loads(counted("goal", "report", *PERIOD, "--goal", "Sales", "--filter", "country is FR", "--json").out)
    assert (told["visitors"], told["goals"][0]["conversions"]) == (1, 0)
    assert counted("attribution", "Sales", *PERIOD, "--by", "source").out == (
        "default, 2026-03-10 (UTC)\n\nSOURCE  CONVERSIONS   SHARE  VISITORS    REVENUE\n"
        "Google            1  100.0%         1  12.50 EUR\n"
    )
    assert json.loads(counted("attribution", "Sales", *PERIOD, "--json").out)["conversions"] == 1
    assert counted("goal", "remove", "Thanks").code == 0
    assert counted("goal", "remove", "Thanks").code == 1
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    actions = [row.action for row in AuditTable(store.database).latest(9)]
    store.close()
    assert actions == ["goal.removed", "goal.added", "goal.added"]


def test_funnels(counted: Command) -> None:
    assert counted("funnel", "add", "Way", "--page", "/", "--event", "buy", "--minutes", "5").code == 0
    assert counted("funnel", "list").out == "NAME  ORDER  STEPS\nWay   loose  / > buy\n"
    assert json.loads(counted("funnel", "list", "--json").out)["minutes"] == 5
    assert counted("funnel", "report", "Way", *PERIOD).out == (
        "default, 2026-03-10 (UTC)\n\n"
        "STEP  VISITS  OF FIRST    DROPPED  AFTER\n"
        "/          2    100.0%  1 (50.0%)      -\n"
        "buy        1     50.0%          -  120 s\n"
    )
    steps = ("--page", "/", "--step", "value > 10", "--days", "2", "--strict")
    done = counted("funnel", "report", *steps, *PERIOD, "--by", "country")
    assert (done.code, "daily" in done.err, "country: DE" in done.out) == (0, True, True)
    assert len(json.loads(counted("funnel", "report", "Way", *PERIOD, "--json").out)["steps"][0]["sessions"]) == 1
    assert counted("funnel", "remove", "Way").code == 0
    assert counted("funnel", "report", "Way").code == 1


def test_journeys_and_cohorts(counted: Command) -> None:
    assert counted("journey", *PERIOD, "--steps", "1").out == (
        "default, 2026-03-10 (UTC)\n\n2 visits\n\n"
        "STEP  FROM  TO       VISITS\n   1  /     (exit)        1\n   1  /     /thanks       1\n"
    )
    told = json.loads(counted("journey", *PERIOD, "--start", "/thanks", "--direction", "previous", "--json").out)
    assert [(link["from"], link["to"]) for link in told["links"]] == [("/thanks", "/"), ("/", "(entry)")]
    assert "daily" in counted("cohorts", *PERIOD).err
    assert json.loads(counted("cohorts", *PERIOD, "--json").out)["suppressed"]
    assert counted("site", "set", "default", "--visitor", "persistent").code == 0
    done = counted("cohorts", "--period", "2026-03-09..2026-03-11")
    assert done.out.splitlines()[2].split() == ["DAY", "VISITORS", "1", "2"]


def test_segments_and_annotations(counted: Command) -> None:
    assert counted("goal", "add", "Thanks", "--page", "/thanks*").code == 0
    assert counted("segment", "add", "French", "country is FR").code == 0
    assert counted("segment", "list").out == "NAME    FILTER\nFrench  country is FR\n"
    assert json.loads(counted("segment", "list", "--json").out)["shared"] is True
    assert "1 visitors, 1 visits" in counted("goal", "report", *PERIOD, "--segment", "French").out
    assert counted("segment", "remove", "French").code == 0
    assert counted("goal", "report", "--segment", "French").code == 1
    added = counted("annotation", "add", "Release 2", "--at", "2026-03-10", "--link", "https://x.test/2")
    assert added.out == "noted at 2026-03-10 00:00:00 UTC: Release 2\n"
    told = json.loads(counted("annotation", "list", *PERIOD, "--json").out)
    assert (told["text"], told["link"]) == ("Release 2", "https://x.test/2")
    assert counted("annotation", "list", "--period", "2026-03-09").out == ""
    assert counted("annotation", "remove", told["id"]).code == 0
    assert counted("annotation", "remove", told["id"]).code == 1
    assert counted("annotation", "remove", "nothing").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("goal", "add", "x"), 2, "--page"),
        (("goal", "add", "x", "--event", "a", "--revenue", "b"), 2, "not both"),
        (("goal", "add", "x", "--scroll", "101"), 2, "1 to 100"),
        (("goal", "add", "x\ny", "--page", "/"), 2, "one line"),
        (("goal", "add", "x", "--event", "a", "--where", "plan"), 2, "where, character 1"),
        (("goal", "report", "--by", "page"), 2, "country"),
        (("goal", "report", "--goal", "none"), 1, "goal add"),
        (("goal", "report", "--site", "moon"), 1, "moon"),
        (("funnel", "add", "x", "--page", "/"), 2, "2 to 10 steps"),
        (("funnel", "report"), 2, "2 to 10 steps"),
        (("funnel", "report", "x", "--page", "/"), 2, "not both"),
        (("journey", "--steps", "11"), 2, "1 to 10"),
        (("attribution", "x", "--lookback", "0"), 2, "1 to 90"),
        (("segment", "add", "x", "country"), 2, "filter, character 8"),
        (("annotation", "add", "x", "--at", "soon"), 2, "2026-03-31"),
        (("annotation", "add", "x", "--link", "ftp://x"), 2, "https://"),
        (("goal",), 2, "goal add"),
    ],
)
def test_mistakes_are_told(counted: Command, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = counted(*arguments)
    assert done.code == code
    assert told in done.err


def test_a_name_is_taken_once(counted: Command) -> None:
    assert counted("goal", "add", "Thanks", "--page", "/thanks*").code == 0
    done = counted("goal", "add", "Thanks", "--page", "/thanks")
    assert (done.code, "already" in done.err) == (1, True)


def test_nothing_yet(counted: Command) -> None:
    for what in ("goal", "funnel", "segment", "annotation"):
        done = counted(what, "list")
        assert (done.code, done.out) == (0, "")
        assert f"visitor-tracker {what} add" in done.err
    assert "goal add" in counted("goal", "report").err
