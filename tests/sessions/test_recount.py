"""Whatever happens, in whatever order it arrives: the fold's tables are those of a recount."""

from hypothesis import HealthCheck, example, given, settings

from tests.sessions.happening import World, happenings, long_visit, passive_before_midnight
from tests.sessions.memory import MemoryFold
from tests.sessions.recount import recount
from visitor_tracker.event import Event


@given(happenings())
@example(long_visit())
@example(passive_before_midnight())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_order_and_any_batches_end_in_the_tables_of_a_recount(happened: tuple[World, list[list[Event]]]) -> None:
    world, batches = happened
    daily = world.keys == "daily"
    timezone = world.folded_in or world.timezone
    fold = MemoryFold(timezone, daily=daily)
    for batch in batches:
        fold.fold(batch)
        fold.restart()

    events = [event for batch in batches for event in batch]
    expected = recount(events, timezone, daily=daily)
    found = fold.rows()
    assert found.hours == expected.hours
    assert found.days == expected.days
    assert found.months == expected.months
    assert found.seen == expected.seen
