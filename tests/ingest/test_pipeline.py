"""From a hit to an event: what is kept, bounded, cleaned and dropped, and why."""

import msgspec
import pytest

from tests.ingest.understanding import BLOG, CLIENT, DAY_MS, FIREFOX, KEYS, NOW, URL, World, client, with_headers
from visitor_tracker.event import DropReason, Event, Kind, Property, Signal, decode_events, encode_events
from visitor_tracker.ingest.hit import KEY_MOST, NAME_MOST, PROPERTIES_MOST, TITLE_MOST, VALUE_MOST, Hit
from visitor_tracker.ingest.pipeline import language
from visitor_tracker.sites import Snapshot, VisitorPolicy

MAIL = "ann.smith@example.com"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("hit", "reason"),
    [
        (Hit(), "invalid_url"),
        (Hit("click"), "invalid_url"),
        (Hit(url="javascript:alert(1)"), "invalid_url"),
        (Hit(url="file://host/share"), "invalid_url"),
        (Hit(url="https://user:secret@example.com/"), "invalid_url"),
        (Hit(url="https://example.com/" + "a" * 3000), "invalid_url"),
        (Hit(url=URL, site="nobody"), "unknown_site"),
        (Hit(url=URL, site="blog"), "hostname"),
        (Hit(url=URL, age_ms=7 * DAY_MS + 1), "too_old"),
        (Hit(url=URL, age_ms=10**30), "too_old"),
    ],
)
def test_what_is_dropped_has_a_reason(world: World, hit: Hit, reason: DropReason) -> None:
    assert world.outcome(hit) == reason


@pytest.mark.parametrize(
    ("hit", "site_id"),
    [
        (Hit(url=URL), 1),
        (Hit(url="https://blog.example.com/"), 7),
        (Hit(url="https://a.b.blog.example.org:8443/"), 7),
        (Hit(url="https://blog.example.com/", site="alias-1"), 7),
        (Hit(url="https://blog.example.com/", site="BLOG.example.com"), 7),
        (Hit(url="https://blog.example.com/", site="default"), 1),
        (Hit(url=URL, site="new"), 99),
        (Hit("custom", site="blog"), 7),
        (Hit("identify"), 1),
    ],
)
def test_whose_hit_it_is(world: World, hit: Hit, site_id: int) -> None:
    assert world.event(hit).site_id == site_id


def test_no_site_is_made_where_that_is_off() -> None:
    world = World(Snapshot((BLOG,), KEYS, auto_create=False))
    assert world.outcome(Hit(url=URL, site="new")) == "unknown_site"
    assert world.outcome(Hit(url=URL)) == "unknown_site", "there is no default site here"
    assert world.made == []


def test_a_key_of_one_site_sends_for_no_other(world: World) -> None:
    mine = client(vouched=True, only_site=7)
    assert world.event(Hit("custom", site="blog"), mine).site_id == 7
    assert world.outcome(Hit(url=URL), mine) == "unknown_site"


@pytest.mark.parametrize(("sent", "kept"), [(0, 0), (-5000, 0), (1500, 1500), (7 * DAY_MS, 7 * DAY_MS)])
def test_ages_are_of_the_past(world: World, sent: int, kept: int) -> None:
    event = world.event(Hit(url=URL, age_ms=sent))
    assert (event.at, event.at - event.ts) == (NOW, kept)


def test_a_day_is_the_site_s_and_its_key_the_day_s(world: World) -> None:
    today, yesterday = world.event(Hit(url=URL)), world.event(Hit(url=URL, age_ms=DAY_MS))
    assert (today.day, yesterday.day) == (20261122, 20261121)
    assert today.visitor != yesterday.visitor != b""
    lost = world.event(Hit(url=URL, age_ms=3 * DAY_MS))
    assert (lost.day, lost.visitor) == (20261119, b""), "its key is destroyed: the view counts, its visitor does not"


def test_ids_are_the_client_s_or_one_of_a_kind(world: World) -> None:
    assert world.event(Hit(url=URL, id=b"i" * 16)).id == b"i" * 16
    made = [world.event(Hit(url=URL)).id for _ in range(100)]
    assert sorted(set(made)) == made, "in the order of their making"
    assert {len(each) for each in made} == {16}
    assert {int.from_bytes(each[:6], "big") for each in made} == {NOW}


@pytest.mark.parametrize("kind", ["custom", "identify", "error", "vital"])
def test_programs_have_no_pages(world: World, kind: Kind) -> None:
    assert world.event(Hit(kind)).url == ""


def test_pages_have_one_spelling(world: World) -> None:
    assert world.event(Hit(url="HTTPS://Example.COM:443/%61?sort=1&utm_source=x&b=2#top")).url == f"{URL}?b=2"


def test_pages_without_a_server_are_localhost_s(world: World) -> None:
    assert world.event(Hit(url="file:///a/b%20c.html?q=1#top")).url == "http://localhost/a/b%20c.html?q=1"
    assert world.outcome(Hit(url="file:///a", site="blog")) == "hostname"
    assert world.outcome(Hit(url="file:///" + "a" * 3000)) == "invalid_url"


TAB = f"{NOW - 60_000:012x}" + "0123456789" * 2


def test_a_tab_is_known_by_its_time_and_a_keyed_hash(world: World) -> None:
    first, second = (world.event(Hit(url=URL, tab=TAB, seq=seq)) for seq in (1, 2))
    assert (first.tab[:6].hex(), len(first.tab), first.seq, second.seq) == (TAB[:12], 16, 1, 2)
    assert first.tab == second.tab
    assert bytes.fromhex(TAB)[6:] not in first.tab
    elsewhere = world.event(Hit(url="https://blog.example.com/", tab=TAB, seq=1))
    assert (elsewhere.tab[:6], elsewhere.tab == first.tab) == (first.tab[:6], False)


def test_a_tab_is_the_session_of_an_event_that_names_none(world: World) -> None:
    named = world.event(Hit(url=URL, session=TAB))
    assert len(named.session) == 16
    assert world.event(Hit(url=URL, tab=TAB, seq=1)).session == named.session
    both = world.event(Hit(url=URL, tab=TAB, seq=1, session="mine"))
    assert both.session == world.event(Hit(url=URL, session="mine")).session != named.session
    assert both.tab == world.event(Hit(url=URL, tab=TAB, seq=1)).tab


@pytest.mark.parametrize(("policy", "days", "kept"), [
    ("daily", 0, True), ("daily", 1, False), ("monthly", 1, True), ("monthly", 30, False), ("persistent", 30, True),
])  # fmt: skip
def test_a_tab_that_stays_open_links_no_days_that_the_policy_keeps_apart(
    world: World, policy: VisitorPolicy, days: int, kept: bool
) -> None:
    world.policy(visitor=policy)
    opened = f"{NOW - days * DAY_MS:012x}" + TAB[12:]
    event = world.event(Hit(url=URL, tab=opened, seq=1))
    assert (bool(event.session), event.seq) == (kept, 1)


@pytest.mark.parametrize("tab", ["", "short", TAB[:-1] + "g", TAB + "0", "\u0661" * 32, f"0x{TAB[2:]}", f" {TAB[1:]}"])
def test_a_tab_that_is_none_is_ignored(world: World, tab: str) -> None:
    event = world.event(Hit(url=URL, tab=tab, seq=3))
    assert (event.tab, event.seq, event.session) == (b"", 0, b"")


@pytest.mark.parametrize(
    ("seq", "kept"), [(0, 0), (-1, 0), (1, 1), (1 << 31, 1 << 31), ((1 << 31) + 1, 0), (1 << 80, 0)]
)
def test_an_event_without_a_number_in_its_tab_has_its_session_only(world: World, seq: int, kept: int) -> None:
    event = world.event(Hit(url=URL, tab=TAB, seq=seq))
    assert (len(event.session), bool(event.tab), event.seq) == (16, kept > 0, kept)


def test_who_opts_out_has_no_tab(world: World) -> None:
    world.policy(opt_out="anonymous")
    event = world.event(Hit(url=URL, tab=TAB, seq=3), with_headers({"dnt": "1"}))
    assert (event.tab, event.seq, event.session) == (b"", 0, b"")


def test_without_the_lasting_key_there_is_neither_session_nor_tab() -> None:
    world = World(Snapshot((BLOG,), {name: key for name, key in KEYS.items() if name != "persistent"}))
    event = world.event(Hit(url="https://blog.example.com/", tab=TAB, seq=3))
    assert (event.tab, event.seq, event.session) == (b"", 0, b"")


def test_texts_are_cut_after_they_are_cleaned(world: World) -> None:
    long = f"{MAIL} " + "x" * 10_000
    event = world.event(
        Hit("custom", url=URL, title=long, name=long, target=long, properties={long: long}, screen=long, viewport=long)
    )
    assert (len(event.title), len(event.name), len(event.target)) == (TITLE_MOST, NAME_MOST, 2048)
    [(key, value)] = event.properties.items()
    assert isinstance(value, str)
    assert (len(key), len(value)) == (KEY_MOST, VALUE_MOST)
    assert (event.screen, event.viewport) == ("", "")
    assert MAIL not in repr(event)


def test_properties_are_bounded(world: World) -> None:
    many: dict[str, Property] = {f"key {number}": number for number in range(100)}
    assert len(world.event(Hit("custom", url=URL, properties=many)).properties) == PROPERTIES_MOST
    odd: dict[str, Property] = {
        "inf": float("inf"),
        "nan": float("nan"),
        "big": 1 << 70,
        "least": -(1 << 62),
        "on": True,
        "half": 0.5,
    }
    assert world.event(Hit("custom", url=URL, properties=odd)).properties == {
        "least": -(1 << 62), "on": True, "half": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("engaged_ms", -1, 0),
        ("engaged_ms", 10**30, DAY_MS),
        ("scroll", -1, 0),
        ("scroll", 10**30, 100),
        ("value", float("nan"), 0.0),
        ("value", float("inf"), 0.0),
        ("value", 12.5, 12.5),
        ("currency", "EUR", "EUR"),
        ("currency", "eur", ""),
        ("currency", "EURO", ""),
        ("screen", "1920x1080", "1920x1080"),
        ("screen", "1920x", ""),
        ("screen", "192000x1080", ""),
        ("language", "EN_us", "en-US"),
        ("language", "<script>", ""),
        ("language", "", "de-DE"),
    ],
)
def test_values_are_within_bounds(world: World, field: str, sent: object, kept: object) -> None:
    event = world.event(msgspec.structs.replace(Hit("custom", url=URL), **{field: sent}))
    assert getattr(event, field) == kept
    assert decode_events(encode_events([event])) == [event], "it can be stored"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("de", "de"), ("de-de,en;q=0.9", "de-DE"), ("zh-hant-tw", "zh-Hant-TW"), ("*", ""), ("a" * 70, ""), ("en-", "")],
)
def test_languages(text: str, expected: str) -> None:
    assert language(text) == expected


TEXT = f"{MAIL} 203.0.113.9 {FIREFOX} 4111 1111 1111 1111"


@pytest.mark.parametrize("kind", ["pageview", "click", "error", "form", "custom"])
def test_nothing_personal_stays_in_any_text(world: World, kind: Kind) -> None:
    address = f"https://example.com/{MAIL}?ip=203.0.113.9&ua={FIREFOX}&card=4111111111111111"
    hit = Hit(
        kind, url=address, referrer=address, title=TEXT, name=TEXT, target=address, properties={TEXT[:40]: TEXT},
        visitor=TEXT, session=TEXT, person=TEXT, language=TEXT, timezone=TEXT, screen=TEXT, viewport=TEXT,
        currency=TEXT,
    )  # fmt: skip
    kept = repr(world.event(hit))
    for secret in (MAIL, "203.0.113.9", "Gecko/20100101", "4111"):
        assert secret not in kept


def test_traits_are_dropped_or_kept_as_they_came(world: World) -> None:
    hit = Hit("identify", person="u-1", properties={"mail": MAIL})
    assert world.event(hit).properties == {}
    world.policy(traits="keep")
    assert world.event(hit).properties == {"mail": MAIL}
    assert world.event(Hit("custom", url=URL, properties={"mail": MAIL})).properties == {"mail": "[email]"}


@pytest.mark.parametrize(
    ("changes", "ip", "user_agent"),
    [
        ({}, "", ""),
        ({"ip": "truncated"}, "203.0.113.0", ""),
        ({"ip": "full"}, "203.0.113.9", ""),
        ({"user_agent": "full"}, "", FIREFOX),
    ],
)
def test_policies_say_what_is_kept_of_a_client(world: World, changes: dict[str, str], ip: str, user_agent: str) -> None:
    world.policy(**changes)
    event = world.event(Hit(url=URL))
    assert (event.ip, event.user_agent) == (ip, user_agent)


@pytest.mark.parametrize("headers", [{"dnt": "1"}, {"sec-gpc": "1"}])
def test_opting_out(world: World, headers: dict[str, str]) -> None:
    who = with_headers(headers)
    assert len(world.event(Hit(url=URL), who).visitor) == 16, "ignored unless the site says otherwise"
    world.policy(opt_out="anonymous", ip="full", user_agent="full", visitor="client")
    event = world.event(Hit(url=URL, person="u-1", visitor="v-1"), who)
    assert (event.visitor, event.previous, event.person, event.ip, event.user_agent) == (b"", b"", b"", "", "")
    assert world.event(Hit(url=URL), with_headers({"dnt": "0"})).visitor
    world.policy(opt_out="drop")
    assert world.outcome(Hit(url=URL), who) == "opt_out"


def test_whoever_sends_for_others_is_no_robot_for_it(world: World) -> None:
    bare = client(headers={"content-length": "20"})
    assert world.event(Hit(url=URL), bare).signals == Signal.MISSING_HEADERS
    assert world.event(Hit(url=URL), client(headers={}, vouched=True)).signals == 0


@pytest.mark.parametrize(
    ("hit", "signal"),
    [
        (Hit(url="https://example.com/wp-login.php"), Signal.PROBE_PATH),
        (Hit(url=URL, referrer="https://semalt.com/x"), Signal.REFERRER_SPAM),
        (Hit(url=URL, automation=True), Signal.AUTOMATION),
    ],
)
def test_robots_are_kept_with_what_speaks_against_them(world: World, hit: Hit, signal: Signal) -> None:
    assert world.event(hit).signals == signal


def test_too_many_pages_in_a_minute_are_a_robot_s(world: World) -> None:
    signals = [world.event(Hit(url=URL)).signals for _ in range(130)]
    assert (signals[100], signals[-1]) == (0, Signal.RATE)
    assert world.event(Hit("scroll", url=URL)).signals == 0, "other events come in any number"


def test_one_client_s_address_is_not_remembered_for_others(world: World) -> None:
    url = "https://example.com/?ip=198.51.100.7"
    theirs = client(ip="198.51.100.7")
    assert world.event(Hit(url=url, title="at 198.51.100.7"), CLIENT).title == "at 198.51.100.7"
    event = world.event(Hit(url=url, title="at 198.51.100.7"), theirs)
    assert (event.url, event.title) == ("https://example.com/?ip=redacted", "at [removed]")
    assert world.event(Hit(url=url)).url == url


def test_the_source_comes_with_its_marks(world: World) -> None:
    event: Event = world.event(Hit(url=f"{URL}?gclid=secret-1&utm_campaign=Spring", referrer="https://www.google.com/"))
    assert (event.source.channel, event.source.click_id, event.source.utm_campaign) == ("paid", "gclid", "Spring")
    assert "secret-1" not in repr(event)
    assert world.event(Hit(url=URL, referrer="https://www.example.com/before")).source.channel == "internal"
