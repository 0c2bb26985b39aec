"""Events, and the vocabulary that they are told in, as the fold stores them."""

import random
from collections.abc import Callable

import pytest

from tests.mariadb import MariaDB
from tests.store.samples import DAY, NOW, key
from visitor_tracker.days import hour_of
from visitor_tracker.measures import body_id, text_id
from visitor_tracker.sessions.fact import Fact, Rest, decode_rest, encode_rest
from visitor_tracker.store import migrate, vocabulary
from visitor_tracker.store.facts import add_facts, facts_between
from visitor_tracker.store.sql import SqlStore

TEXTS = {text_id(text): text for text in ("/", "/größe", "%s %d %%", "🙂 \0 ' \\", "x" * 5000, " ", "a", "a ", "A")}


def fact(number: int, *, ts: int = NOW, visitor: bytes = b"", rest: Rest | None = None) -> Fact:
    """Return an event as it comes back: no `previous`, the hour of UTC."""
    return Fact(
        key(number),
        ts,
        DAY,
        hour_of("UTC", ts),
        number % 11,
        3,
        4,
        visitor,
        b"",
        *(-(2**63) + number, 2**63 - 1, -5, 6, 0, 8),
        engaged_ms=9,
        client=rest.client if rest else b"",
        rest=encode_rest(rest) if rest else b"",
    )


def add(store: SqlStore, *facts: Fact, site_id: int = 1) -> None:
    store.database.write(lambda session: add_facts(session, site_id, facts))


def between(store: SqlStore, first: int, last: int, limit: int = 99, after: bytes = b"") -> list[Fact]:
    return store.database.read(lambda session: facts_between(session, 1, first, last, limit, after))


def test_events_come_back_in_their_order(store: SqlStore) -> None:
    rest = Rest(url="https://example.com/ä", properties={"a": 1, "b": "ü", "c": True}, client=key(77), value=1.5)
    facts = [fact(1), fact(2, visitor=key(5)), fact(3, ts=NOW + 1, rest=rest), fact(0, ts=NOW + 2)]
    add(store, *reversed(facts))
    add(store, fact(9), site_id=2)
    assert between(store, NOW, NOW + 2) == facts
    assert decode_rest(facts[2].rest) == rest
    assert between(store, NOW + 1, NOW + 1) == [facts[2]]
    assert between(store, NOW + 3, NOW + 9) == []


def test_the_hour_is_one_of_the_zone(store: SqlStore) -> None:
    ts = 1_790_000_000_000 // 3_600_000 * 3_600_000
    add(store, fact(1, ts=ts))
    [found] = store.database.read(lambda session: facts_between(session, 1, ts, ts, 9, timezone="Asia/Kolkata"))
    assert (found.ts, found.hour) == (ts, ts - 30 * 60_000)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 99])
def test_slices_make_the_whole(store: SqlStore, limit: int) -> None:
    facts = [fact(number, ts=NOW + number // 4) for number in range(20)]
    add(store, *facts)
    found = between(store, NOW, NOW + 99, limit)
    for _ in facts:
        found += between(store, found[-1].ts, NOW + 99, limit, found[-1].id)
    assert found == facts


def test_an_event_that_is_there_stays(store: SqlStore) -> None:
    add(store, fact(1, rest=Rest(title="first")))
    add(store, fact(1, rest=Rest(title="second")), fact(2))
    assert between(store, NOW, NOW) == [fact(1, rest=Rest(title="first")), fact(2)]


def test_nothing_changes_nothing(store: SqlStore) -> None:
    add(store)
    store.database.write(lambda session: vocabulary.add_texts(session, {}))
    assert between(store, 0, 2**62) == []
    assert store.database.read(lambda session: vocabulary.texts(session, ())) == {}


def test_large_events_fit_into_small_packets(mariadb: MariaDB, opened: Callable[[str], SqlStore]) -> None:
    sizes = [700_000, 400_000, 5, 400_000, 900_000, *([2000] * 1500)]
    rests = [Rest(client=bytes(16), user_agent=random.randbytes(size // 2).hex()) for size in sizes]
    facts = [fact(number, rest=rest) for number, rest in enumerate(rests)]
    url = mariadb.url(mariadb.fresh_database())
    migrate(opened(url))
    with mariadb.setting("max_allowed_packet", 1 << 20):
        store = opened(url)
        add(store, *facts)
        assert between(store, NOW, NOW, 4)[3].rest == facts[3].rest
    assert between(opened(url), NOW, NOW, 9999) == facts


def test_texts_come_back_as_they_were(store: SqlStore) -> None:
    store.database.write(lambda session: vocabulary.add_texts(session, TEXTS))
    store.database.write(lambda session: vocabulary.add_texts(session, TEXTS))
    assert store.database.read(lambda session: vocabulary.texts(session, [*TEXTS, 0, 5])) == TEXTS


def test_a_text_that_is_there_stays(store: SqlStore) -> None:
    for text in ("first", "second"):
        store.database.write(lambda session, text=text: vocabulary.add_texts(session, {5: text}))  # type: ignore[misc]
    assert store.database.read(lambda session: vocabulary.texts(session, {5})) == {5: "first"}


def test_sources_and_contexts_are_apart(store: SqlStore) -> None:
    sources = {body_id(body): body for body in (b"", b"\0\xff", b"s" * 3000)}
    contexts = {**dict.fromkeys(sources, b"context"), 1: b"another"}
    store.database.write(lambda session: vocabulary.add_sources(session, sources))
    store.database.write(lambda session: vocabulary.add_contexts(session, contexts))
    asked = [1, *sources, 99]
    assert store.database.read(lambda session: vocabulary.source_bodies(session, asked)) == sources
    assert store.database.read(lambda session: vocabulary.context_bodies(session, asked)) == contexts


def test_many_texts_are_one_call(store: SqlStore) -> None:
    texts = {text_id(text): text for text in (f"/page/{number}/{'x' * (number % 700)}" for number in range(2500))}
    store.database.write(lambda session: vocabulary.add_texts(session, texts))
    assert store.database.read(lambda session: vocabulary.texts(session, texts.keys())) == texts
