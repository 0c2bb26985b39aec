"""`visitor-tracker stats`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, MINUTE, event, fold
from visitor_tracker.cli.stats import _shown_points
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.reports.numbers import Numbers, Point, Series
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store import migrate, open_store

SITE = Site(1, "default")
BLOG = Site(site_id_of("blog"), "blog", timezone="Europe/Berlin")
DAY = bounds("UTC", 20260310)[0]
PERIOD = ("--period", "2026-03-09..2026-03-11")


@pytest.fixture
def counted(tmp_path: Path, command: Command) -> Command:
    """A data folder with three days of a site."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    events = [
        event(SITE, DAY + 9 * HOUR_MS, "anna", "/", source=GOOGLE, place=GERMANY, agent=FIREFOX, engaged_ms=75_000),
        event(SITE, DAY + 9 * HOUR_MS + 2 * MINUTE, "anna", "/a", place=GERMANY, agent=FIREFOX),
        event(SITE, DAY + 10 * HOUR_MS, "ben", "/a\x1b[31m", place=FRANCE),
        event(SITE, DAY + 30 * HOUR_MS, "cara", "/a", place=FRANCE),
    ]
    fold(store, SITE, events)
    store.close()
    return command


def test_a_page_of_numbers(counted: Command) -> None:
    done = counted("stats", *PERIOD)
    assert done.code == 0
    assert (
        done.out
        == """\
default, 2026-03-09 to 2026-03-11 (UTC)

Visitors  3
Visits    3
Views     4  (1.3 a visit)
Events    0
Bounces   67%  (67% with one page)
Engaged   25s a visit
Duration  40s a visit

DAY           VISITORS       VIEWS
2026-03-09           0           0
2026-03-10           2           3  ████████████████████████████████████████
2026-03-11           1           1  ██████████████

PAGE        VISITORS  VISITS  VIEWS  ENGAGED
/a                 2       2      2       0s
/a\\x1b[31m         1       1      1       0s
/                  1       1      1   1m 15s

CHANNEL  VISITORS  VISITS  VIEWS  EVENTS  BOUNCES  ENGAGED
direct          2       2      2       0     100%       0s
search          1       1      2       0       0%   1m 15s

SOURCE  VISITORS  VISITS  VIEWS  EVENTS  BOUNCES  ENGAGED
Google         1       1      2       0       0%   1m 15s

COUNTRY     VISITORS  VISITS  VIEWS  EVENTS  BOUNCES  ENGAGED
FR France          2       2      2       0     100%       0s
DE Germany         1       1      2       0       0%   1m 15s
"""
    )
    assert done.err == "\nnote: visitors of each day, added up: who comes on another day counts again\n"


def test_one_list_under_a_filter(counted: Command) -> None:
    done = counted("stats", *PERIOD, "--by", "page", "--limit", "1", "--filter", "country is FR", "--order", "views")
    assert done.code == 0
    lines = done.out.splitlines()
    assert "Views     2  (1.0 a visit)" in lines
    assert lines[-1] == "… 2 in all"


def test_json(counted: Command) -> None:
    done = counted("stats", *PERIOD, "--by", "country", "--json")
    found = json.loads(done.out)
    assert (done.code, done.err, found["site"]) == (0, "", "default")
    assert found["totals"]["views"] == 4
    assert len(found["series"]["points"]) == 3
    assert [(row["value"], row["visitors"]) for row in found["breakdowns"][0]["rows"]] == [("FR", 2), ("DE", 1)]


@pytest.fixture
def signed_up(tmp_path: Path, command: Command) -> Command:
    """A data folder with sign-ups of two plans, and a property that its page made up."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    at = DAY + 9 * HOUR_MS
    events = [
        event(SITE, at, "anna", "/", place=GERMANY),
        event(SITE, at + MINUTE, "anna", "/", "custom", name="Signup", properties={"plan": "pro", "price": 9.5}),
        event(SITE, at, "ben", "/a", "custom", name="Signup", properties={"plan": "pro", "price": 20}),
        event(SITE, at, "cara", "/a", "custom", name="Signup", properties={"plan": "free\x1b[31m"}),
        event(SITE, at, "cara", "/a", "custom", name="Buy", properties={"plan": "pro", "my \x1b[31mplan": "x"}),
    ]
    fold(store, SITE, events)
    store.close()
    return command


def test_a_list_of_a_property(signed_up: Command) -> None:
    done = signed_up("stats", *PERIOD, "--by", "prop:plan", "--filter", "event is Signup")
    assert done.code == 0
    assert done.out.endswith(
        """
prop:plan     VISITORS  VISITS  EVENTS
pro                  2       2       2
free\\x1b[31m         1       1       1
"""
    )
    found = json.loads(signed_up("stats", *PERIOD, "--by", "prop:plan", "--json").out)
    assert found["breakdowns"][0]["dimension"] == "prop:plan"
    assert [(row["value"], row["events"]) for row in found["breakdowns"][0]["rows"]] == [
        ("pro", 3),
        ("free\x1b[31m", 1),
    ]


def test_a_filter_of_a_property(signed_up: Command) -> None:
    done = signed_up("stats", *PERIOD, "--filter", "prop:price >= 10 or prop:plan glob fre*")
    assert done.code == 0
    assert "Visits    2\nViews     0  (0.0 a visit)\nEvents    2\n" in done.out
    assert (
        "PAGE  VISITORS  VISITS  VIEWS  EVENTS  ENGAGED\n/a           2       2      0       2        -\n" in done.out
    )


def test_a_property_may_have_any_name(signed_up: Command) -> None:
    done = signed_up("stats", *PERIOD, "--by", "prop:my \x1b[31mplan")
    assert (done.code, "\x1b" in done.out) == (0, False)
    assert done.out.endswith(
        "\nprop:my \\x1b[31mplan  VISITORS  VISITS  EVENTS\nx                            1       1       1\n"
    )
    done = signed_up("stats", *PERIOD, "--by", "property:plan")
    assert (done.code, "use page, host" in done.err, "title, target, prop:NAME" in done.err) == (2, True, True)


def test_long_periods_are_shown_by_the_week(counted: Command) -> None:
    done = counted("stats", "--period", "2026-01-01..2026-03-31")
    assert "WEEK " in done.out
    assert (
        len(json.loads(counted("stats", "--period", "2026-01-01..2026-03-31", "--json").out)["series"]["points"]) == 90
    )


def test_a_period_without_numbers_is_no_list_of_zeros(counted: Command) -> None:
    done = counted("stats", "--period", "2026-02-01..2026-02-28")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "Duration  -"
    assert "nothing was counted in this period; the first day with numbers is 2026-03-10\n" in done.err
    done = counted("stats", *PERIOD, "--filter", "country is ES")
    assert (done.out.splitlines()[-1], "nothing fits the filter in this period" in done.err) == ("Duration  -", True)


def test_a_list_without_rows(counted: Command) -> None:
    assert counted("stats", *PERIOD, "--by", "outbound").out.endswith("\n\nOUTBOUND\nnone\n")


def test_hours_are_called_by_the_clock(counted: Command) -> None:
    lines = counted("stats", "--period", "2026-03-10").out.splitlines()
    assert lines[10:12] == ["HOUR                VISITORS       VIEWS", "2026-03-10 00:00           0           0"]
    assert len([line for line in lines if line.startswith("2026-03-10 ")]) == 24


def test_an_hour_that_comes_twice_has_its_offset(counted: Command) -> None:
    store = open_store("sqlite:data/visitors.db")
    fold(store, BLOG, [event(BLOG, bounds("Europe/Berlin", 20261025)[0], "anna", "/")])
    store.close()
    counted("site", "add", "blog", "--timezone", "Europe/Berlin")
    lines = counted("stats", "--site", "blog", "--period", "2026-10-25", "--interval", "hour").out.splitlines()
    assert [line.split("  ")[0] for line in lines[11:16]] == [
        "2026-10-25 00:00",
        "2026-10-25 01:00",
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00",
    ]


def test_all_time_begins_with_the_first_numbers(counted: Command) -> None:
    lines = counted("stats", "--period", "all", "--interval", "day").out.splitlines()
    assert lines[0].startswith("default, 2026-03-01 to ")
    assert lines[11].startswith("2026-03-10 ")


def test_hours_to_come_are_not_shown() -> None:
    points = tuple(Point(f"2026-03-10T{hour:02}:00+01:00", Numbers()) for hour in range(24))
    series = Series("hour", "Europe/Berlin", points, "exact")
    assert _shown_points(series, DAY + 12 * HOUR_MS, is_all=False) == list(points[:14])


def test_a_narrow_terminal_gets_narrow_lines(counted: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    long = f"/a{'/long' * 30}/page"
    store = open_store("sqlite:data/visitors.db")
    fold(store, SITE, [event(SITE, DAY, "dora", long)])
    store.close()
    assert long in counted("stats", *PERIOD).out, "a pipe gets all of it"
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = counted("stats", *PERIOD).out.splitlines()
    assert max(map(len, lines)) < 70
    assert any(line.startswith("/a/long") and "ng/page " in line for line in lines)


def test_another_time_zone(counted: Command) -> None:
    done = counted("stats", *PERIOD, "--timezone", "Asia/Tokyo")
    assert "Visitors  -" in done.out
    assert "suppressed" in done.err


def test_sites_by_name_and_alias(counted: Command) -> None:
    counted("site", "add", "blog", "--alias", "42", "--timezone", "Europe/Berlin")
    for name in ("blog", "42"):
        done = counted("stats", "--site", name, *PERIOD)
        assert done.out.startswith("blog, 2026-03-09 to 2026-03-11 (Europe/Berlin)")
        assert (
            done.err
            == """
nothing was counted on this site yet
other sites: default; name one with --site
robots are not counted, nor are programs such as curl:  --by bot  lists what came of them
"""
        )
    missing = counted("stats", "--site", "shop")
    assert (missing.code, "there is no site shop" in missing.err) == (1, True)


def test_all_periods(counted: Command) -> None:
    for period in ("today", "yesterday", "24h", "7d", "30d", "90d", "12mo", "month", "last_month", "year", "all"):
        assert counted("stats", "--period", period).code == 0, period


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--period", "soon"), "'soon' is no period: use today"),
        (("--by", "pages"), "by cannot be 'pages': use page, host"),
        (("--filter", "page = /a"), "filter, character 6: expected is, contains or glob"),
        (("--limit", "many"), "limit must be a whole number from 1 to 1000"),
        (("--timezone", "Berlin"), "there is no time zone 'Berlin'"),
        (("--interval", "year"), "invalid choice: 'year'"),
    ],
)
def test_mistakes(counted: Command, arguments: tuple[str, str], said: str) -> None:
    done = counted("stats", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_wrong_folder_is_told(command: Command) -> None:
    done = command("stats")
    assert (done.code, "there is no database" in done.err) == (1, True)
