"""Of each event people hear once that it began and once that it is over, when they want to hear of it."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.jobs.alerts.deciding import Circumstances, decide, event_id, is_quiet, lasted
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, Happening, Looked
from visitor_tracker.store.alert_deliveries import State
from visitor_tracker.store.alerts import Rule

BERLIN = "Europe/Berlin"
MIDNIGHT = bounds(BERLIN, 20261014)[0]
RULE = Rule("Odd", "threshold", ("aa",), metric="views", value=10)
QUIET = msgspec.structs.replace(RULE, quiet_from="22:00", quiet_to="07:00")


class Story:
    """A rule over a day: what is told, by the hour in which it was looked at."""

    def __init__(self, rule: Rule = RULE) -> None:
        self.rule = rule
        self.states: dict[bytes, State] = {}
        self.told: list[tuple[float, str, str]] = []

    def look(self, hour: float, *found: Happening, calm: str = "calm") -> None:
        now = MIDNIGHT + int(hour * HOUR_MS)
        circumstances = Circumstances(self.rule, "blog", BERLIN, now, "https://stats.example.com")
        for each in decide(circumstances, self.states, Looked(found, calm)):
            assert each.before == self.states.get(each.event)
            self.states[each.event] = each.state
            if each.message is not None:
                self.told.append((hour, each.message.phase, each.message.text))
        assert decide(circumstances, self.states, Looked(found, calm)) == [], "once"


def on(hour: float, key: str = "", **more: object) -> Happening:
    found = Happening(key, MIDNIGHT + int(hour * HOUR_MS), "title", f"{key or 'it'} is on")
    return msgspec.structs.replace(found, **more)


def test_what_goes_on_is_told_once_and_its_end_once() -> None:
    story = Story()
    for hour in (1, 2, 3):
        story.look(hour, on(hour))
    for hour in (4, 5):
        story.look(hour)
    story.look(6, on(6))
    assert story.told == [
        (1, "on", "it is on"),
        (4, "over", "calm\nIt lasted 3 hours."),
        (6, "on", "it is on"),
    ]
    assert len(story.states) == 2


def test_the_end_is_told_only_where_the_rule_says_so() -> None:
    story = Story(msgspec.structs.replace(RULE, tell_over=False))
    for hour in (1, 2, 4):
        story.look(hour, *([on(1)] if hour < 4 else []))
    assert story.told == [(1, "on", "it is on")]
    assert all(state.done for state in story.states.values())


def test_several_events_of_a_rule_are_told_each() -> None:
    story = Story()
    story.look(1, on(1, "a"))
    story.look(2, on(1, "a"), on(2, "b"))
    story.look(3, on(1, "a", is_over=True), on(2, "b"))
    story.look(4, on(1, "a", is_over=True), on(2, "b"), on(3, "c", is_over=True))
    assert story.told == [
        (1, "on", "a is on"),
        (2, "on", "b is on"),
        (3, "over", "a is on\nIt lasted 2 hours."),
        (4, "on", "c is on\nIt is over by now."),
    ]


def test_what_has_no_end_is_told_once() -> None:
    story = Story()
    for hour in (1, 2):
        story.look(hour, on(1, "goal", has_end=False))
    story.look(3)
    assert story.told == [(1, "on", "goal is on")]


def test_in_quiet_hours_it_waits_and_is_told_afterwards_unless_it_is_over() -> None:
    story = Story(QUIET)
    story.look(1, on(1))
    story.look(2)  # over again: nobody hears of it
    story.look(3, on(3))
    story.look(6.99, on(3))
    story.look(7, on(3))
    assert story.told == [(7, "on", "it is on")]


def test_an_end_in_quiet_hours_is_told_in_the_morning() -> None:
    story = Story(QUIET)
    story.look(21, on(21))
    story.look(23)
    story.look(30)
    story.look(31)
    assert story.told == [(21, "on", "it is on"), (31, "over", "calm\nIt lasted 2 hours.")]


def test_what_is_urgent_is_told_at_night() -> None:
    story = Story(msgspec.structs.replace(QUIET, urgent=True))
    story.look(1, on(1))
    story.look(2)
    assert [hour for hour, _, _ in story.told] == [1, 2]


def test_after_a_message_nothing_new_is_told_for_the_cooldown() -> None:
    story = Story(msgspec.structs.replace(RULE, cooldown_minutes=120))
    story.look(1, on(1, "a"), on(1.1, "b"), on(1.2, "c"))
    story.look(2, on(1, "a"), on(1.1, "b"), on(1.2, "c", is_over=True))
    story.look(3, on(1, "a"), on(1.1, "b"))
    assert story.told == [(1, "on", "a is on"), (3, "on", "b is on")]


@pytest.mark.parametrize(
    ("quiet_from", "quiet_to", "quiet", "loud"),
    [
        ("22:00", "07:00", (0, 6.9, 22, 23.9), (7, 12, 21.9)),
        ("12:00", "13:30", (12, 13.4), (0, 11.9, 13.5, 23)),
        ("00:00", "23:59", (0, 12, 23.9), ()),
        ("08:00", "08:00", (), (0, 8, 12)),
        ("", "", (), (0, 12)),
    ],
)
def test_quiet_hours_are_those_of_the_sites_clocks(
    quiet_from: str, quiet_to: str, quiet: Sequence[float], loud: Sequence[float]
) -> None:
    rule = msgspec.structs.replace(RULE, quiet_from=quiet_from, quiet_to=quiet_to)
    said: Mapping[float, bool] = {
        hour: is_quiet(rule, BERLIN, MIDNIGHT + int(hour * HOUR_MS)) for hour in (*quiet, *loud)
    }
    assert said == {**dict.fromkeys(quiet, True), **dict.fromkeys(loud, False)}


def test_quiet_hours_keep_to_the_clock_when_it_is_put_back() -> None:
    night = bounds(BERLIN, 20261025)[0]  # its hour from 2:00 comes twice
    assert is_quiet(QUIET, BERLIN, night + 7 * HOUR_MS + 59 * MINUTE_MS)
    assert not is_quiet(QUIET, BERLIN, night + 8 * HOUR_MS)


def test_times_are_told_as_people_say_them() -> None:
    said = [lasted(each) for each in (0, MINUTE_MS, 119 * MINUTE_MS, 120 * MINUTE_MS, 47 * HOUR_MS, 2 * DAY_MS)]
    assert said == ["1 minute", "1 minute", "119 minutes", "2 hours", "47 hours", "2 days"]
    assert event_id("a") != event_id("b")
