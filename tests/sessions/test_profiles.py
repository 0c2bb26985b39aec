"""What is new to a folder, what it remembers, and what a source and a context count for."""

import msgspec
import pytest

from tests.sessions.happening import FIREFOX, GOOGLE, MUNICH
from visitor_tracker.event import Agent, Place, Source
from visitor_tracker.measures import Dimension, body_id, text_id
from visitor_tracker.sessions.fact import Context, encode_context
from visitor_tracker.sessions.profiles import Profiles

PHONE = Context(MUNICH, FIREFOX, "de", "390x844")
encode = msgspec.msgpack.encode


def named(profiles: Profiles, source: Source, context: Context) -> dict[Dimension, str]:
    """Return the pairs with the texts that were learnt."""
    pairs = profiles.pairs(profiles.source(source), profiles.context(context))
    return {Dimension(dimension): profiles.fresh_texts.get(value, "") for dimension, value in pairs}


def test_a_visit_counts_for_everything_it_came_from_and_with() -> None:
    assert named(Profiles(), GOOGLE, PHONE) == {
        Dimension.TOTAL: "",
        Dimension.SOURCE: "Google",
        Dimension.REFERRER: "google.com/",
        Dimension.CHANNEL: "search",
        Dimension.UTM_CAMPAIGN: "spring",
        Dimension.COUNTRY: "DE",
        Dimension.REGION: "DE/Bavaria",
        Dimension.CITY: "DE/Bavaria/Munich",
        Dimension.ORGANISATION: "Example GmbH",
        Dimension.BROWSER: "Firefox",
        Dimension.BROWSER_VERSION: "Firefox 128",
        Dimension.OS: "iOS",
        Dimension.OS_VERSION: "iOS 17",
        Dimension.DEVICE: "mobile",
        Dimension.LANGUAGE: "de",
        Dimension.SCREEN: "390x844",
    }


def test_what_is_empty_has_no_row() -> None:
    assert named(Profiles(), Source(), Context(Place(), Agent("Firefox"))) == {
        Dimension.TOTAL: "",
        Dimension.CHANNEL: "direct",
        Dimension.COUNTRY: "XX",
        Dimension.BROWSER: "Firefox",
    }


def test_a_city_without_a_region_keeps_its_place() -> None:
    assert named(Profiles(), Source(), Context(Place("DE", "", "Munich"), Agent()))[Dimension.CITY] == "DE//Munich"


def test_a_visit_that_begins_inside_the_site_came_directly() -> None:
    found = named(Profiles(), Source("internal", "us", "example.org/a"), Context(Place(), Agent()))
    assert found == {Dimension.TOTAL: "", Dimension.CHANNEL: "direct", Dimension.COUNTRY: "XX"}


def test_first_sight_makes_fresh_and_the_second_does_not() -> None:
    profiles = Profiles()
    source, context, text = profiles.source(GOOGLE), profiles.context(PHONE), profiles.text("/a")
    assert profiles.fresh_sources == {source: encode(GOOGLE)}
    assert profiles.fresh_contexts == {context: encode_context(PHONE)}
    assert (source, text) == (body_id(encode(GOOGLE)), text_id("/a"))
    assert {"Google", "/a", "DE/Bavaria/Munich"} <= set(profiles.fresh_texts.values())
    profiles.stored()
    assert (profiles.source(GOOGLE), profiles.context(PHONE), profiles.text("/a")) == (source, context, text)
    assert (profiles.fresh_sources, profiles.fresh_contexts, profiles.fresh_texts) == ({}, {}, {})


def test_the_empty_text_is_nobodys() -> None:
    profiles = Profiles()
    assert (profiles.text(""), profiles.fresh_texts) == (0, {})


def test_a_long_text_is_cut() -> None:
    profiles = Profiles()
    assert profiles.text("x" * 513) == profiles.text("x" * 600) == text_id("x" * 512)
    assert set(profiles.fresh_texts.values()) == {"x" * 512}


def test_what_another_process_stored_is_learnt_and_is_not_fresh() -> None:
    one, other = Profiles(), Profiles()
    source, context = one.source(GOOGLE), one.context(PHONE)
    with pytest.raises(KeyError):
        other.pairs(source, context)
    assert other.unknown([source, source], [context]) == ([source], [context])
    other.learn(one.fresh_sources, one.fresh_contexts)
    assert other.unknown([source], [context]) == ([], [])
    assert other.pairs(source, context) == one.pairs(source, context)
    assert (other.fresh_sources, other.fresh_contexts, other.fresh_texts) == ({}, {}, {})


def test_memory_is_bounded_and_keeps_what_is_asked_for() -> None:
    profiles = Profiles(remembered=10)
    for number in range(100):
        profiles.text("asked for again and again")
        profiles.text(str(number))
        profiles.stored()
    profiles.text("asked for again and again")
    assert profiles.fresh_texts == {}
    profiles.text("0")
    assert set(profiles.fresh_texts.values()) == {"0"}


def test_nothing_of_a_transaction_is_forgotten() -> None:
    profiles = Profiles(remembered=1)
    sources = [profiles.source(Source("referral", f"{number}.example")) for number in range(50)]
    context = profiles.context(PHONE)
    assert len({profiles.pairs(source, context) for source in sources}) == 50
    assert len(profiles.fresh_sources) == 50
    profiles.stored()
    profiles.stored()
    assert profiles.source(Source("referral", "3.example")) == sources[3]
    assert profiles.context(PHONE) == context
    assert profiles.pairs(sources[3], context)[0] == (Dimension.TOTAL, 0)
