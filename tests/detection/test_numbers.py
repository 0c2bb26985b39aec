"""Numbers that are no counts."""

from random import Random

from visitor_tracker.detection.numbers import unusual


def _walk(length: int, seed: int) -> list[float]:
    random = Random(seed)
    return [20.0 + random.gauss(0, 1) for _ in range(length)]


def test_a_value_never_seen_is_noticed_at_once_and_told_once() -> None:
    values = _walk(2_000, 1)
    values[1_500:1_510] = [60.0] * 10
    assert [index for index in unusual(values) if 1_450 <= index < 1_650] == [1_500]


def test_a_small_lasting_change_is_noticed_within_its_first_steps() -> None:
    values = _walk(2_000, 2)
    values[1_500:] = [value + 2.5 for value in values[1_500:]]
    assert 1_500 < unusual(values)[0] < 1_530


def test_noise_seldom_alarms() -> None:
    found = sum(len(unusual(_walk(2_000, seed))) for seed in range(10))
    assert found <= 2 * 17, "two in a thousand steps after the learning"


def test_an_alarm_is_said_by_what_was_before_it() -> None:
    values = _walk(1_500, 3)
    values[700:760] = [value * 3 for value in values[700:760]]
    whole = unusual(values)
    assert whole
    for length in range(1, len(values), 37):
        assert unusual(values[:length]) == [index for index in whole if index < length]


def test_what_never_changes_and_what_is_empty_is_usual() -> None:
    assert unusual([]) == []
    assert unusual([7.5] * 1_000) == []
