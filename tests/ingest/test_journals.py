"""The journals of a process where a site has one of its own."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.ingest.journal_bench import Bench
from tests.ingest.journal_child import event, payloads
from visitor_tracker.event import Event, decode_batch
from visitor_tracker.ingest.journals import Journals

BLOG = 7


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    main, own = Bench(tmp_path / "main"), Bench(tmp_path / "own")
    for each in (main, own):
        each.folder.parent.mkdir(exist_ok=True)
        each.open()
    yield main, own
    for each in (main, own):
        each.journal.close()


def of_blog(number: int) -> Event:
    return msgspec.structs.replace(event(number), site_id=BLOG)


def numbers(folder: Path) -> list[int]:
    return [int.from_bytes(each.id, "big") for payload in payloads(folder) for each in decode_batch(payload).events]


def test_each_event_is_in_the_journal_of_its_site(benches: tuple[Bench, Bench]) -> None:
    main, own = benches
    journals = Journals(main.journal, {BLOG: own.journal})
    told: list[bool] = []
    for events in ([event(1)], [of_blog(2)], [event(3), of_blog(4), event(5)], [of_blog(6), of_blog(7)]):
        assert journals.add(events, told.append)
    assert told == []
    journals.flush()
    assert told == [True] * 4
    assert (numbers(main.folder), numbers(own.folder)) == ([1, 3, 5], [2, 4, 6, 7])


def test_a_request_is_stored_when_all_of_its_journals_say_so(benches: tuple[Bench, Bench]) -> None:
    main, own = benches
    journals = Journals(main.journal, {BLOG: own.journal})
    told: list[bool] = []
    assert journals.add([event(1), of_blog(2)], told.append)
    own.journal.flush()
    assert told == []
    main.journal.flush()
    assert told == [True]


def test_a_journal_that_takes_nothing_refuses_a_request_with_its_events_only(benches: tuple[Bench, Bench]) -> None:
    main, own = benches
    journals = Journals(main.journal, {BLOG: own.journal})
    told: list[bool] = []
    own.journal.close()
    assert not journals.add([event(1), of_blog(2)], told.append)
    assert not journals.add([of_blog(3)], told.append)
    assert journals.add([event(4)], told.append)
    journals.flush()
    assert (told, numbers(main.folder), numbers(own.folder)) == ([True], [4], [])
