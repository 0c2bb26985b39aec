"""Scores of visitors' days: each reason, and that people of all kinds are no robots."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from tests.ingest.robot_kinds import PEOPLE, ROBOTS, Kind, day_of
from visitor_tracker.event import Agent, Signal
from visitor_tracker.ingest.behaviour.days import Step, VisitorDay
from visitor_tracker.ingest.behaviour.figures import figures_of
from visitor_tracker.ingest.behaviour.habits import Habits, habits_of
from visitor_tracker.ingest.behaviour.score import HUMAN, judged, verdict_of

START = 1_795_300_000_000
SECOND = 1000
KNOWN = Habits(engage=0.95, follow_links=0.9, run_script=0.95)
UNKNOWN = Habits()
CHROME = Agent("Chrome", "160", "Windows", "10", "desktop")


def views(number: int, gap: float = 5.0, page: str = "/p/{}", **more: object) -> list[Step]:
    """Return views that are evenly apart; {} in the page is their number."""
    steps = [Step(START + int(n * gap * SECOND), page.format(n)) for n in range(number)]
    return [msgspec.structs.replace(step, **more) for step in steps]


def day(steps: Sequence[Step], **more: object) -> VisitorDay:
    return msgspec.structs.replace(VisitorDay(tuple(steps), CHROME), **more)


def alphabet() -> list[Step]:
    """Return views of /aa to /zz, without an even pace."""
    random = Random(1)
    moments = sorted(random.sample(range(3600), 26))
    return [Step(START + at * SECOND, f"/{chr(97 + n)}") for n, at in enumerate(moments)]


def names(found: VisitorDay, habits: Habits = UNKNOWN) -> set[str]:
    return {reason.name for reason in judged(found, habits).reasons if reason.weight > 0}


def test_a_crawler_is_a_robot_by_several_reasons_the_heaviest_first() -> None:
    found = judged(day(views(212)), UNKNOWN)
    assert found.verdict == "robot"
    assert [(reason.name, reason.weight, reason.text) for reason in found.reasons] == [
        ("even_gaps", 3.0, "212 pages, one every 5.0 s ± 0.0"),
        ("nothing_twice", 1.8, "212 different pages in 212 views: none seen again"),
        ("pace", 1.67, "212 pages without a minute's pause, one every 5.0 s"),
    ]


@pytest.mark.parametrize(
    ("found", "habits", "name"),
    [
        (day(views(20, has_screen=True)), KNOWN, "not_engaged"),
        (day(views(20)), KNOWN, "no_links"),
        (day(views(20)), KNOWN, "no_script"),
        (day(alphabet()), UNKNOWN, "alphabetical"),
        (day([*views(11, engaged_ms=5_000)]), UNKNOWN, "even_reading"),
        (day(views(300, 300.0)), UNKNOWN, "no_rest"),
        (day(views(150, 0.2, "/")), UNKNOWN, "pace"),
        (day(views(20), organisation="Hetzner Online GmbH"), UNKNOWN, "data_centre"),
        (day(views(20), agent=Agent("Chrome", "90", "Windows", "10", "desktop")), UNKNOWN, "browser_version"),
        (day(views(20), screens=frozenset({"800x600"})), UNKNOWN, "screen"),
        (day(views(20), agent=Agent(device="mobile"), screens=frozenset({"2560x1440"})), UNKNOWN, "screen"),
        (day(views(20), screens=frozenset({"800x700"}), viewports=frozenset({"1900x900"})), UNKNOWN, "viewport"),
        (day([*views(9), *views(1, signals=int(Signal.PROBE_PATH))]), UNKNOWN, "signals"),
        (day([*views(2), *views(1, signals=int(Signal.AUTOMATION))]), UNKNOWN, "signals"),
        (day([*views(9), *views(1, signals=int(Signal.RATE))]), UNKNOWN, "rate"),
        (day(views(20, signals=int(Signal.MISSING_HEADERS))), UNKNOWN, "headers"),
    ],
)
def test_each_reason_is_told(found: VisitorDay, habits: Habits, name: str) -> None:
    assert name in names(found, habits)


def test_a_slideshow_that_goes_on_by_itself_is_no_robot() -> None:
    """Its pace and its reading are the same fact, and without another one it is a doubt."""
    show = views(80, 5.0, engaged_ms=5_000, has_screen=True, by_link=True)
    found = judged(day(show), KNOWN)
    assert (found.verdict, found.score > 0.5) == ("doubtful", True)
    assert {reason.name for reason in found.reasons if reason.weight > 0} == {"even_gaps", "nothing_twice", "pace"}
    assert judged(day(show, organisation="Hetzner Online GmbH"), KNOWN).verdict == "robot"


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (day(views(20, engaged_ms=1)), ""),
        (day([msgspec.structs.replace(step, engaged_ms=n**3 * 50) for n, step in enumerate(views(20))]), "reads"),
        (day(views(20, page="/{}", is_action=True)), "acts"),
        (day([*views(10), *views(10)]), "comes_back"),
        (day(alphabet(), screens=frozenset({"1x2", "3x4", "5x6"})), "many_people"),
        (day(views(10, came_from=True)), "brought"),
    ],
)
def test_so_is_what_speaks_for_a_person(found: VisitorDay, name: str) -> None:
    for_a_person = {reason.name for reason in judged(found, UNKNOWN).reasons if reason.weight < 0}
    assert name in for_a_person or not name


@pytest.mark.parametrize(
    "steps",
    [
        [],
        views(7, 0.1),
        views(1000, 30.0, "/board"),
        views(1000, 30.0, "/board", has_screen=True),
        views(200, signals=int(Signal.USER_AGENT)),
    ],
    ids=["nothing", "few views", "a kiosk", "a kiosk with the script", "a robot by its own words"],
)
def test_of_some_nothing_is_said(steps: list[Step]) -> None:
    found = judged(day(steps), KNOWN if steps and steps[0].has_screen is False and len(steps) < 8 else UNKNOWN)
    assert found.verdict == "human"


def test_habits_are_those_of_visitors_with_some_views_and_few_make_none() -> None:
    assert habits_of([]) == UNKNOWN
    engaged = figures_of(day(views(9, engaged_ms=4_000, has_screen=True, by_link=True)))
    passing = figures_of(day(views(4, has_screen=True)))
    robot = figures_of(day(views(9, signals=int(Signal.PROBE_PATH))))
    assert habits_of([engaged] * 36 + [passing] * 50 + [robot] * 50) == Habits(0.95, 0.95, 0.95)


@pytest.mark.parametrize(("score", "verdict"), [(0.0, "human"), (0.499, "human"), (0.5, "doubtful"), (0.9, "robot")])
def test_thresholds(score: float, verdict: str) -> None:
    assert verdict_of(score) == verdict
    assert HUMAN.verdict == "human"


@pytest.mark.parametrize("by_script", [True, False], ids=["script", "log"])
def test_no_person_of_any_kind_is_a_robot(by_script: bool) -> None:
    random = Random(11)
    days = [day_of(kind, random, by_script=by_script) for kind in PEOPLE for _ in range(15)]
    habits = habits_of(figures_of(each) for each in days)
    assert [each for each in days if judged(each, habits).verdict == "robot"] == []


FOUND = {"even crawlers", "alphabetical crawlers", "slow even crawlers", "headless that wait 5 s a page"}


@pytest.mark.parametrize("kind", [kind for kind in ROBOTS if kind.name in FOUND], ids=lambda kind: kind.name)
def test_most_robots_of_these_kinds_are(kind: Kind) -> None:
    random = Random(12)
    people = [day_of(PEOPLE[0], random, by_script=True) for _ in range(100)]
    habits = habits_of(map(figures_of, people))
    found = [judged(day_of(kind, random, by_script=True), habits).verdict for _ in range(20)]
    assert found.count("robot") >= 18
