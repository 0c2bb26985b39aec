"""Losses: what the fold makes of the numbers that browser tabs give their events."""

import itertools
import time
from collections.abc import Sequence
from random import Random

import msgspec
import pytest

from tests.ingest.tabs import Tab, counted, sent, tab_id
from visitor_tracker.days import DAY_MS, HOUR_MS
from visitor_tracker.event import Event, InboxRow, Signal, encode_events
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.ingest.rebuild import Rebuilder
from visitor_tracker.ingest.tabs import ADDED_UP_MS, tabs_of
from visitor_tracker.metrics import Metrics
from visitor_tracker.store.inbox import add_rows
from visitor_tracker.store.quality import QualityTable
from visitor_tracker.store.sql import SqlStore

SITE = 1
NOW = 1_795_348_800_000
RULE = Rule("UTC")
_numbers = itertools.count(1)


def this_hour() -> int:
    now = time.time_ns() // 1_000_000
    return now - now % HOUR_MS


def put(store: SqlStore, events: Sequence[Event]) -> None:
    row_id = next(_numbers).to_bytes(16, "big")
    row = InboxRow(SITE, row_id, events[0].at, len(events), encode_events(list(events)))
    store.database.write(lambda session: add_rows(session, [row]))


def fold(store: SqlStore, *rows: Sequence[Event]) -> None:
    for row in rows:
        put(store, row)
    folder = Folder(store, Metrics().counters(), lambda site_id: RULE)
    while folder.step():
        pass
    folder.let_go()


def hours(store: SqlStore) -> dict[int, Tab]:
    found = QualityTable(store.database).hours(SITE, 0, 1 << 62)
    return {each.hour: (each.tabs, each.received, each.expected) for each in found}


def test_a_gap_is_a_loss_until_it_is_filled(store: SqlStore) -> None:
    hour = this_hour()
    tab = tab_id(hour)
    fold(store, [sent(tab, 1), sent(tab, 2)])
    assert hours(store) == {hour: (1, 2, 2)}
    fold(store, [sent(tab, 5)])
    assert hours(store) == {hour: (1, 3, 5)}
    fold(store, [sent(tab, 4)], [sent(tab, 3)])
    assert hours(store) == {hour: (1, 5, 5)}


def test_a_repetition_counts_once_in_the_same_row_and_in_later_ones(store: SqlStore) -> None:
    hour = this_hour()
    first, third = sent(tab_id(hour), 1), sent(tab_id(hour), 3)
    fold(store, [first, third, first], [third])
    fold(store, [first], [third, third])
    assert hours(store) == {hour: (1, 2, 3)}


def test_what_is_set_aside_has_not_arrived_and_what_came_with_it_counts_once(store: SqlStore) -> None:
    hour = this_hour()
    events = [sent(tab_id(hour), seq) for seq in range(1, 8)]
    events[3] = msgspec.structs.replace(events[3], engaged_ms=(1 << 64) - 1)  # no table takes that
    fold(store, events[:2], events[2:])
    assert hours(store) == {hour: (1, 6, 7)}


def test_a_tab_belongs_to_the_hour_in_which_it_began_however_long_it_lasts(store: SqlStore) -> None:
    hour = this_hour() - 2 * DAY_MS
    old, new = tab_id(hour + HOUR_MS - 1), tab_id(hour + HOUR_MS)
    fold(store, [sent(old, 1), sent(new, 1)], [sent(old, 4, at=hour + 2 * DAY_MS), sent(new, 2, at=hour + DAY_MS)])
    assert hours(store) == {hour: (1, 2, 4), hour + HOUR_MS: (1, 2, 2)}


def test_a_robot_s_events_are_sent_and_arrive_like_any(store: SqlStore) -> None:
    hour = this_hour()
    tab = tab_id(hour)
    fold(store, [sent(tab, 1), sent(tab, 2, signals=int(Signal.RATE)), sent(tab, 3)])
    assert hours(store) == {hour: (1, 3, 3)}


def test_what_tells_no_tab_writes_none(store: SqlStore) -> None:
    fold(store, [msgspec.structs.replace(sent(tab_id(this_hour()), 1), tab=b"", seq=0)])
    assert hours(store) == {}


def test_tabs_that_share_a_number_hide_no_loss_of_another(store: SqlStore) -> None:
    hour = this_hour()
    copied, other = tab_id(hour, 1), tab_id(hour, 2)
    again = msgspec.structs.replace(sent(copied, 2), id=bytes(15) + b"\1")
    fold(store, [sent(copied, 1), sent(copied, 2), again, sent(other, 1), sent(other, 3)])
    assert hours(store) == {hour: (2, 5, 3 + 3)}


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_a_count_by_hand_and_a_rebuild_changes_none(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    now = this_hour()
    batches: list[list[Event]] = []
    for number in range(60):
        tab = tab_id(now - chance.randrange(7 * DAY_MS), number)
        left = list(range(1, chance.randint(1, 30)))
        while left:
            size = chance.randint(1, 5)
            batch = [sent(tab, seq, at=now) for seq in left[:size]]
            left = left[size:]
            batches += [batch] * chance.choice([0, 1, 1, 1, 1, 2, 3])
    chance.shuffle(batches)
    arrived = [event for batch in batches for event in batch]
    for start in range(0, len(batches), 100):
        fold(store, *batches[start : start + 100])
    expected = counted(arrived)
    assert hours(store) == expected
    assert sum(tab[2] for tab in expected.values()) > sum(tab[1] for tab in expected.values()), "something was lost"

    rebuilder = Rebuilder(store, SITE, RULE)
    assert sum(rebuilder.rebuild(day).events for day in rebuilder.days()) == len({event.id for event in arrived})
    rebuilder.let_go()
    assert hours(store) == expected

    table = QualityTable(store.database)
    before = sorted(expected)[len(expected) // 2]
    assert table.old_sites(before) == [SITE]
    assert table.add_up(SITE, before) == sum(expected[hour][0] for hour in expected if hour < before)
    assert table.add_up(SITE, before) == 0
    assert table.old_sites(before) == []
    assert hours(store) == expected


@pytest.mark.parametrize(
    ("began", "at", "counts"),
    [
        (NOW, NOW, True),
        (NOW - 8 * DAY_MS, NOW, True),
        (NOW - 8 * DAY_MS - 1, NOW, False),
        (NOW + HOUR_MS, NOW, True),
        (NOW + HOUR_MS + 1, NOW, False),
        (0, NOW, False),
        ((1 << 48) - 1, NOW, False),
        # It has waited for the fold, and its tab is soon added up.
        (NOW - DAY_MS * 17 // 2, NOW - DAY_MS, True),
        (NOW - DAY_MS * 17 // 2 - 1, NOW - DAY_MS, False),
        (NOW - ADDED_UP_MS, NOW - 7 * DAY_MS, False),
    ],
)
def test_a_tab_counts_only_where_its_time_can_be(began: int, at: int, counts: bool) -> None:
    found = tabs_of([sent(tab_id(began), 7, at=at)], NOW)
    assert list(found.values()) == ([(1, 7)] if counts else [])


def test_no_event_comes_to_a_tab_that_may_be_added_up() -> None:
    began = NOW - ADDED_UP_MS
    assert tabs_of([sent(tab_id(began), 1, at=began + at) for at in range(0, ADDED_UP_MS, HOUR_MS)], NOW) == {}
