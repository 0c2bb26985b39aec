"""`visitor-tracker quality`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.quality import add_tabs

DAY = bounds("UTC", 20260310)[0]
PERIOD = ("--period", "2026-03-10")


@pytest.fixture
def counted(tmp_path: Path, command: Command) -> Command:
    """A data folder with two days of a site."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    tabs = {
        (DAY + HOUR_MS, bytes(16)): (1203, 1300),
        (DAY + 5 * HOUR_MS, bytes(16)): (7, 7),
        (DAY - DAY_MS, bytes(16)): (1, 1),
    }
    store.database.write(lambda session: add_tabs(session, 1, tabs))
    store.close()
    return command


def test_hours_of_a_day_and_their_sum(counted: Command) -> None:
    done = counted("quality", *PERIOD)
    assert done.code == 0
    assert (
        done.out
        == """\
default, 2026-03-10 (UTC)

HOUR                    TABS  RECEIVED  EXPECTED  LOST  SHARE
2026-03-10T01:00+00:00     1     1,203     1,300    97  7.46%
2026-03-10T05:00+00:00     1         7         7     0  0.00%
all                        2     1,210     1,307    97  7.42%
"""
    )
    assert "sent last" in done.err, "what cannot be known is said"


def test_days_as_json(counted: Command) -> None:
    found = json.loads(counted("quality", "--period", "2026-03-09..2026-03-10", "--json").out)
    assert (found["site"], found["from"], found["to"], found["interval"]) == (
        "default", "2026-03-09", "2026-03-10", "day",
    )  # fmt: skip
    assert [(point["start"], point["lost"]) for point in found["points"]] == [("2026-03-09", 0), ("2026-03-10", 97)]
    assert (found["lost"], found["share_lost"]) == (97, 0.074159)


def test_nothing_to_tell_is_said(counted: Command) -> None:
    done = counted("quality", "--period", "2026-03-01")
    assert (done.code, done.out) == (0, "default, 2026-03-01 (UTC)\n\n")
    assert "no tabs" in done.err


def test_a_period_that_is_none_is_wrong_usage(counted: Command) -> None:
    done = counted("quality", "--period", "soon")
    assert (done.code, done.out) == (2, "")
    assert "is no period" in done.err
