"""One session's events in order."""

from hashlib import blake2b

import pytest

from tests.reports.visits_of_people import ANNA, BEN, CHROME, FRANCE, GOOGLE, INSIDE, fill, happened
from visitor_tracker.event import Signal
from visitor_tracker.reports import timeline as timelines
from visitor_tracker.reports.recordings import InTimeline
from visitor_tracker.reports.timeline import Timeline, TimelineEvent, Viewport, timeline
from visitor_tracker.sites import Site
from visitor_tracker.store.replay import Chunk, Limits, ReplayTable
from visitor_tracker.store.sql import SqlStore

T = 1_774_000_800_000  # 2026-03-20T10:00:00Z
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
SITE, OTHER = Site(1, "default"), Site(2, "other", timezone="America/St_Johns")
ROBOTS = int(Signal.USER_AGENT)
PAGE = "https://example.com/"


def hashed(site: Site, text: str) -> bytes:
    return blake2b(site.seed + text.encode(), digest_size=16).digest()


def told(store: SqlStore, session_id: str, *sites: Site) -> Timeline | None:
    asked = sites or (SITE, OTHER)
    return store.database.read(lambda session: timeline(session, asked, session_id, hashed, ROBOTS))


def found(store: SqlStore, session_id: str, *sites: Site) -> Timeline:
    made = told(store, session_id, *sites)
    assert made is not None
    return made


def pages(made: Timeline) -> list[str]:
    return [event.href.removeprefix(PAGE) for event in made.events]


MINE = hashed(SITE, "mine")


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    """A store with one visit of every kind of event, sent out of order."""
    fill(
        store,
        [
            happened(T + 40 * SECOND, kind="identify", session=MINE, properties={"plan": "pro"}, person=b"p" * 16),
            happened(T, source=GOOGLE, session=MINE, title="Home", viewport="1280x720"),
            happened(
                T + 9 * SECOND, kind="click", session=MINE, name="Submit", target="https://example.com/buy",
                properties={"tag": "BUTTON", "id": "submit-btn", "class": "btn", "x": 100, "y": 200, "plan": "pro"},
            ),
            happened(T + 20 * SECOND, url=f"{PAGE}buy?step=2", source=INSIDE, session=MINE),
            happened(T + 30 * SECOND, kind="custom", session=MINE, name="order", properties={"items": 2}, value=9.5,
                     currency="EUR"),
            happened(T + 50 * SECOND, kind="engagement", session=MINE, engaged_ms=4_500, scroll=80),
            happened(T + 50 * SECOND, BEN),
        ],
    )  # fmt: skip
    return store


def test_the_pages_own_id_finds_the_whole_session(shop: SqlStore) -> None:
    made = found(shop, "mine")
    assert (made.session_id, made.site, made.visits, made.visitor) == (
        "mine", "default", [f"{ANNA.hex()}-{T}"], ANNA.hex()
    )  # fmt: skip
    assert (made.started_at, made.ended_at) == ("2026-03-20T10:00:00.000Z", "2026-03-20T10:00:50.000Z")
    assert (made.duration_seconds, made.engaged_seconds) == (50.0, 4.5)
    assert (made.country, made.region, made.city) == ("DE", "Bavaria", "Munich")
    assert (made.browser, made.os, made.device) == ("Firefox 128", "Windows 11", "desktop")
    assert made.source == {"channel": "search", "name": "Google", "referrer": "www.google.com/"}
    counts = (made.pageviews, made.identify_events, made.custom_events, made.click_events, made.rrweb_events)
    assert (counts, made.total_events, made.truncated) == ((2, 1, 1, 1, 0), 6, False)
    assert [event.type for event in made.events] == [
        "pageview",
        "click",
        "pageview",
        "custom",
        "identify",
        "engagement",
    ]


def test_events_have_the_names_under_which_they_were_sent(shop: SqlStore) -> None:
    view, click, second, order, person, engaged = found(shop, "mine").events
    assert view == TimelineEvent(
        "pageview", "2026-03-20T10:00:00.000Z", view.id, PAGE, "www.google.com/", "Home", viewport=Viewport(1280, 720)
    )
    assert (click.text, click.name, click.target) == ("Submit", "", "https://example.com/buy")
    assert click.element == {"tag": "BUTTON", "id": "submit-btn", "class": "btn", "x": 100, "y": 200}
    assert click.data == {"plan": "pro"}
    assert (second.href, second.referrer) == (f"{PAGE}buy?step=2", "example.com/")
    assert (order.name, order.data, order.value, order.currency) == ("order", {"items": 2}, 9.5, "EUR")
    assert (person.data, person.person) == ({"plan": "pro"}, "70" * 16)
    assert (engaged.engaged_ms, engaged.scroll) == (4_500, 80)


@pytest.mark.parametrize("moment", [T, T + 7 * SECOND, T + 50 * SECOND])
def test_our_own_id_finds_the_visit_of_its_moment(shop: SqlStore, moment: int) -> None:
    made = found(shop, f"{ANNA.hex()}-{moment}")
    assert (made.visits, made.total_events) == ([f"{ANNA.hex()}-{T}"], 6)


@pytest.mark.parametrize(
    "unknown",
    [
        "", "yours", "mine ", "MINE", f"{ANNA.hex()}-{T - 1}", f"{ANNA.hex()}-{T + 51 * SECOND}", f"{'ff' * 16}-{T}",
        f"{ANNA.hex()}-", f"{ANNA.hex()}-{10**14}", f"{ANNA.hex()}-0", "💥' or 1=1 --",
    ],
)  # fmt: skip
def test_there_is_no_such_session(shop: SqlStore, unknown: str) -> None:
    assert told(shop, unknown) is None


def test_an_id_belongs_to_a_site(shop: SqlStore) -> None:
    fill(shop, [happened(T, BEN, site=OTHER, session=hashed(OTHER, "mine")), happened(T + 1, BEN, site=OTHER)], OTHER)
    assert found(shop, "mine").site == "default"
    assert found(shop, "mine", OTHER).total_events == 2
    assert told(shop, f"{ANNA.hex()}-{T}", OTHER) is None


def test_pages_of_another_browser_with_the_same_visitor_hash_are_left_out(store: SqlStore) -> None:
    yours = hashed(SITE, "yours")
    fill(
        store,
        [
            happened(T, url=f"{PAGE}mine", session=MINE),
            happened(T + SECOND, url=f"{PAGE}yours", session=yours),
            happened(T + 2 * SECOND, url=f"{PAGE}backend", kind="custom", name="paid"),  # sent by a program
        ],
    )
    assert pages(found(store, "mine")) == ["mine", "backend"]
    assert pages(found(store, "yours")) == ["yours", "backend"]
    assert pages(found(store, f"{ANNA.hex()}-{T}")) == ["mine", "yours", "backend"]


def test_a_long_lived_id_finds_every_visit_that_has_it(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(T, url=f"{PAGE}1", session=MINE),
            happened(T + 31 * MINUTE, url=f"{PAGE}2", session=MINE),
            happened(T + 70 * MINUTE, url=f"{PAGE}alone"),  # a visit that nobody says is this session's
            happened(T + DAY, BEN, url=f"{PAGE}3", session=MINE, place=FRANCE, agent=CHROME),
        ],
    )
    made = found(store, "mine")
    assert pages(made) == ["1", "2", "3"]
    assert made.visits == [f"{ANNA.hex()}-{T}", f"{ANNA.hex()}-{T + 31 * MINUTE}", f"{BEN.hex()}-{T + DAY}"]
    assert (made.country, made.browser) == ("DE", "Firefox 128")


def test_robots_and_others_are_not_in_it(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(T, url=f"{PAGE}a", session=MINE),
            happened(T + SECOND, url=f"{PAGE}b", session=MINE, signals=ROBOTS),
            happened(T + 2 * SECOND, BEN, url=f"{PAGE}c"),
            happened(T + 3 * SECOND, b"", url=f"{PAGE}d"),
            happened(T + 4 * SECOND, url=f"{PAGE}e", session=MINE),
        ],
    )
    assert pages(found(store, "mine")) == ["a", "e"]


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"])
def test_a_visit_of_several_days_is_found_by_any_moment(store: SqlStore, timezone: str) -> None:
    site = Site(1, "default", timezone=timezone)
    views = [happened(ts, site=site, session=MINE) for ts in range(T, T + 3 * DAY, 29 * MINUTE)]
    fill(store, views, site, daily=False)
    first_day = DAY // (29 * MINUTE) + 1  # so many of its events are read
    for moment in (T, T + DAY + MINUTE, T + 2 * DAY):
        made = found(store, f"{ANNA.hex()}-{moment}", site)
        assert (made.visits, made.total_events, made.truncated) == ([f"{ANNA.hex()}-{T}"], first_day, True)


def test_more_events_than_are_shown_are_told(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelines, "EVENTS_MOST", 3)
    fill(store, [happened(T + number, session=MINE) for number in range(4)])
    made = found(store, "mine")
    assert (made.total_events, made.truncated) == (3, True)


def test_what_cannot_be_made_of_its_parts_is_kept_whole(store: SqlStore) -> None:
    urls = ["http://example.com/", "https://example.com:8443/a?b=c", "https://example.com/ü", ""]
    events = [happened(T + number, url=url, kind="custom", name="x", session=MINE) for number, url in enumerate(urls)]
    fill(store, events)
    assert [event.href for event in found(store, "mine").events] == urls


def record(store: SqlStore, client: bytes, site: Site = SITE) -> InTimeline:
    table = ReplayTable(store.database)
    for number in range(2):
        chunk = Chunk(site.id, client, number, T + number * MINUTE, b"packed", 6, 7, "1280x720", PAGE)
        assert table.add(chunk, Limits(1000, DAY)) == "stored"
    return InTimeline(2, 14, "2026-03-20T10:00:00.000Z", "2026-03-20T10:01:00.000Z", f"/replay/{client.hex()}")


def test_a_recording_is_told_by_every_id_of_its_session(shop: SqlStore) -> None:
    assert found(shop, "mine").replay is None
    recording = record(shop, MINE)
    record(shop, hashed(SITE, "yours"))
    for session_id in ("mine", MINE.hex(), f"{ANNA.hex()}-{T}"):
        made = found(shop, session_id)
        assert (made.replay, made.rrweb_events, made.total_events) == (recording, 14, 6)
    assert found(shop, f"{BEN.hex()}-{T + 50 * SECOND}").replay is None


def test_a_session_that_is_only_recorded(shop: SqlStore) -> None:
    recording = record(shop, hashed(OTHER, "seen"), OTHER)
    made = found(shop, "seen")
    assert (made.session_id, made.site, made.visits, made.events) == ("seen", "other", [], [])
    assert (made.replay, made.rrweb_events, made.total_events) == (recording, 14, 0)
    assert (made.started_at, made.ended_at, made.duration_seconds) == (recording.started_at, recording.ended_at, 60.0)
    assert told(shop, "seen", SITE) is None
