"""`visitor-tracker errors` and `visitor-tracker vitals`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import FIREFOX, MINUTE, event, fold
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store

SITE = Site(1, "default")
DAY = bounds("UTC", 20260310)[0]
PERIOD = ("--period", "2026-03-10")


@pytest.fixture
def counted(tmp_path: Path, command: Command) -> Command:
    """A data folder with a day of a site."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    told: dict[str, Any] = {"properties": {"group": "aa", "stack": "f (/a.js:1:2) | g (/a.js:3:4)"}}
    vital: dict[str, Any] = {"agent": FIREFOX}
    events = [
        event(SITE, DAY + HOUR_MS, "anna", "/a", "error", name="Error: no\x1b[31m", **told),
        event(SITE, DAY + HOUR_MS + MINUTE, "ben", "/a", "error", name="Error: no\x1b[31m", **told),
        event(SITE, DAY + 2 * HOUR_MS, "anna", "", "error", name="", host="", properties={"group": "bb"}),
        event(SITE, DAY + HOUR_MS, "anna", "/a", "vital", name="LCP", value=1200.0, **vital),
        event(SITE, DAY + HOUR_MS, "ben", "/b", "vital", name="LCP", value=4800.0, **vital),
        event(SITE, DAY + HOUR_MS, "ben", "/b", "vital", name="CLS", value=0.0512, **vital),
    ]
    fold(store, SITE, events)
    store.close()
    return command


def test_errors_are_listed_with_their_stacks(counted: Command) -> None:
    done = counted("errors", *PERIOD)
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
default, 2026-03-10 (UTC)

Error: no\\x1b[31m
    2 times, 2 visitors, 2026-03-10T01:00 to 2026-03-10T01:01, group aa
    on https://a.test/a
      at f (/a.js:1:2)
      at g (/a.js:3:4)

without a message
    once, 1 visitor, 2026-03-10T02:00 to 2026-03-10T02:00, group bb
"""
    )


def test_the_rest_of_a_long_list_is_counted(counted: Command) -> None:
    assert counted("errors", *PERIOD, "--limit", "1").out.splitlines()[-1] == "… 2 problems in all"


def test_vitals_by_page(counted: Command) -> None:
    done = counted("vitals", *PERIOD, "--by", "page")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
default, 2026-03-10 (UTC)

VITAL       P75  RATING  GOOD  IMPROVE  POOR  SAMPLES
LCP    4,800 ms  poor     50%       0%   50%        2
CLS       0.051  good    100%       0%    0%        1

PAGE       LCP  INP    CLS  FCP  TTFB  SAMPLES
/a    1,200 ms    -      -    -     -        1
/b    4,800 ms    -  0.051    -     -        1
"""
    )


def test_the_rest_of_the_pages_is_counted(counted: Command) -> None:
    assert counted("vitals", *PERIOD, "--by", "page", "--limit", "1").out.splitlines()[-1] == "… 2 in all"


@pytest.mark.parametrize(("name", "field"), [("errors", "problems"), ("vitals", "vitals")])
def test_json_has_everything(counted: Command, name: str, field: str) -> None:
    found = json.loads(counted(name, *PERIOD, "--json").out)
    assert (found["site"], found["from"], found["to"], len(found[field])) == ("default", "2026-03-10", "2026-03-10", 2)


@pytest.mark.parametrize("name", ["errors", "vitals"])
def test_nothing_to_tell_is_said(counted: Command, name: str) -> None:
    done = counted(name, "--period", "2026-03-01")
    assert done.code == 0
    assert f'modules have "{name}"' in done.err


@pytest.mark.parametrize("name", ["errors", "vitals"])
def test_a_period_that_is_none_is_wrong_usage(counted: Command, name: str) -> None:
    done = counted(name, "--period", "soon")
    assert (done.code, done.out) == (2, "")
    assert "is no period" in done.err
