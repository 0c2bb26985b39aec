"""Events as facts: what gets an id, and what is kept beside."""

import msgspec
import pytest

from tests.sessions.happening import GOOGLE, MUNICH, WHERE, World, at
from visitor_tracker.event import KIND_CODES, Event, RawEvent, decode_events, decode_raw_events, encode_events
from visitor_tracker.measures import body_id, text_id
from visitor_tracker.sessions.fact import Context, Fact, Flag, Rest, decode_rest, encode_context, encode_rest
from visitor_tracker.sessions.interning import fact_of, fact_of_raw
from visitor_tracker.sessions.profiles import Profiles

WORLD = World("Asia/Kathmandu")
NOON = at("Asia/Kathmandu", "2026-06-11 12:10")


def test_a_fact_has_ids_for_texts() -> None:
    event = WORLD.event(
        7, NOON, "click", page="/a?x=1", source=GOOGLE, where=WHERE[1], name="menu", target="#top", engaged_ms=5
    )
    profiles = Profiles()
    context = Context(event.place, event.agent, event.language, event.screen)
    assert context.place == MUNICH
    assert fact_of(event, "Asia/Kathmandu", profiles) == Fact(
        event.id,
        NOON,
        20260611,
        at("Asia/Kathmandu", "2026-06-11 12:00"),
        KIND_CODES["click"],
        0,
        0,
        event.visitor,
        b"",
        text_id("/a"),
        text_id("example.org"),
        body_id(msgspec.msgpack.encode(GOOGLE)),
        body_id(encode_context(context)),
        text_id("menu"),
        text_id("#top"),
        5,
        b"",
        encode_rest(Rest("https://example.org/a?x=1")),
    )
    assert {"/a", "example.org", "menu", "#top", "click", "Google", "DE/Bavaria/Munich"} <= set(
        profiles.fresh_texts.values()
    )


@pytest.mark.parametrize(
    ("url", "host", "page", "rest"),
    [
        ("https://example.org/", "example.org", "/", ""),
        ("https://example.org:8443/a/b", "example.org:8443", "/a/b", ""),
        ("https://[::1]:8/a", "[::1]:8", "/a", ""),
        ("http://example.org/a", "example.org", "/a", "http://example.org/a"),
        ("https://example.org/a?b=/c", "example.org", "/a", "https://example.org/a?b=/c"),
        ("https://example.org?a", "example.org", "", "https://example.org?a"),
        (f"https://example.org/{'x' * 600}", "example.org", f"/{'x' * 511}", f"https://example.org/{'x' * 600}"),
        ("", "", "", ""),
    ],
)
def test_a_url_is_host_and_path_and_kept_where_it_says_more(url: str, host: str, page: str, rest: str) -> None:
    event = msgspec.structs.replace(WORLD.event(1, NOON), url=url)
    fact = fact_of(event, "UTC", Profiles())
    assert (fact.host, fact.page) == (text_id(host), text_id(page))
    assert (decode_rest(fact.rest).url if fact.rest else "") == rest


def test_what_is_rare_goes_into_the_rest() -> None:
    event: Event = msgspec.structs.replace(
        WORLD.event(1, NOON),
        session=b"s" * 16,
        person=b"p" * 16,
        title="Home",
        properties={"plan": "pro"},
        viewport="800x600",
        scroll=50,
        value=9.5,
        currency="EUR",
        ip="192.0.2.1",
        user_agent="Mozilla",
    )
    fact = fact_of(event, "UTC", Profiles())
    assert fact.client == b"s" * 16
    assert decode_rest(fact.rest) == Rest(
        "", "Home", {"plan": "pro"}, "800x600", 50, 9.5, "EUR", b"s" * 16, b"p" * 16, "192.0.2.1", "Mozilla"
    )


def test_nothing_rare_needs_no_rest() -> None:
    assert fact_of(WORLD.event(1, NOON), "UTC", Profiles()).rest == b""


def test_flags_say_what_happened_by_itself_and_what_was_counted() -> None:
    by_itself = WORLD.event(1, NOON, "custom", interactive=False)
    counted = WORLD.event(2, NOON, counted=True)
    assert fact_of(by_itself, "UTC", Profiles()).flags == Flag.BY_ITSELF
    assert fact_of(counted, "UTC", Profiles()).flags == Flag.COUNTED


def test_a_raw_event_has_the_fields_of_an_event() -> None:
    def named(kind: type[Event | RawEvent]) -> list[tuple[str, object, object]]:
        return [(field.name, field.default, field.default_factory) for field in msgspec.structs.fields(kind)]

    assert named(RawEvent) == named(Event)


def test_a_raw_event_is_the_same_fact() -> None:
    """Also where a folder has forgotten what it knew, and where it has not."""
    events = [
        WORLD.event(7, NOON, "click", page="/a?x=1", source=GOOGLE, where=WHERE[1], name="menu", target="#top"),
        WORLD.event(8, NOON + 1, where=WHERE[2]),
        WORLD.event(9, NOON + 2, source=GOOGLE, where=WHERE[1]),
    ]
    body = encode_events(events)
    assert decode_events(body) == events
    facts = [fact_of(event, "UTC", Profiles()) for event in events]
    for profiles in (Profiles(), Profiles(1)):
        for _ in range(3):
            raw = decode_raw_events(body)
            assert [fact_of_raw(event, "UTC", profiles) for event in raw] == facts
            for fact in facts:
                assert profiles.pairs(fact.source, fact.context)
            profiles.stored()


def test_what_a_raw_event_names_is_new_once() -> None:
    profiles = Profiles()
    [event] = decode_raw_events(encode_events([WORLD.event(7, NOON, source=GOOGLE, where=WHERE[1])]))
    fact = fact_of_raw(event, "UTC", profiles)
    assert (*profiles.fresh_sources, *profiles.fresh_contexts) == (fact.source, fact.context)
    profiles.stored()
    assert fact_of_raw(event, "UTC", profiles) == fact
    assert (profiles.fresh_sources, profiles.fresh_contexts, profiles.fresh_texts) == ({}, {}, {})


def test_a_raw_event_with_a_source_that_is_none_is_refused() -> None:
    """As decoding it whole would."""
    [event] = decode_raw_events(encode_events([WORLD.event(7, NOON)]))
    broken = msgspec.structs.replace(event, source=msgspec.Raw(msgspec.msgpack.encode(7)))
    with pytest.raises(msgspec.DecodeError):
        fact_of_raw(broken, "UTC", Profiles())
