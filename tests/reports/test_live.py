"""Who is here now."""

import pytest

from tests.reports.visits_of_people import (
    ANNA,
    BEN,
    CARA,
    CHROME,
    FRANCE,
    GOOGLE,
    INSIDE,
    NEWS,
    fill,
    happened,
)
from visitor_tracker.event import Agent, Signal
from visitor_tracker.ingest.bots import reasons
from visitor_tracker.reports import live as live_view
from visitor_tracker.reports.live import FEED_MOST, Judge, Live, LiveView, MinuteViews, Share, read_live
from visitor_tracker.sites import Site
from visitor_tracker.store import people
from visitor_tracker.store.sql import SqlStore

NOW = 1_774_000_830_500  # 2026-03-20T10:00:30.500Z
SECOND, MINUTE = 1_000, 60_000
JUDGE = Judge(int(Signal.USER_AGENT | Signal.RATE), reasons)
SITE = Site(1, "default")
PAGE = "https://example.com/"


def live(store: SqlStore, site: Site = SITE, now: int = NOW) -> Live:
    return store.database.read(lambda session: read_live(session, site, now, JUDGE))


def test_a_quiet_site(store: SqlStore) -> None:
    fill(store, [happened(NOW - 31 * MINUTE)])
    found = live(store)
    assert (found.site, found.time, found.now, found.visitors, found.views) == (
        "default", "2026-03-20T10:00:30.500Z", 0, 0, 0
    )  # fmt: skip
    assert found.minutes[0] == MinuteViews("2026-03-20T09:31:00.000Z", 0)
    assert found.minutes[-1] == MinuteViews("2026-03-20T10:00:00.000Z", 0)
    assert len(found.minutes) == 30
    assert (found.pages, found.sources, found.countries, found.feed, found.robots.events) == ((), (), (), (), 0)


def test_who_is_here_and_who_was(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(NOW - 40 * MINUTE, ANNA, PAGE, source=GOOGLE),  # the visit began before what is looked at
            happened(NOW - 29 * MINUTE, ANNA, f"{PAGE}prices", source=INSIDE),
            happened(NOW - 4 * MINUTE, ANNA, PAGE, "scroll"),
            happened(NOW - 20 * MINUTE, BEN, f"{PAGE}prices", source=NEWS, place=FRANCE),
            happened(NOW - 5 * MINUTE, CARA, PAGE, source=INSIDE),  # five minutes are over
        ],
    )
    found = live(store)
    assert (found.now, found.visitors, found.visitors_minutes, found.looked_at) == (1, 3, 30, 3)
    assert found.pages == (Share("/prices", 1, 2), Share("/", 0, 1))
    assert found.sources == (Share("Google", 1, 1), Share("direct", 0, 1), Share("newsletter", 0, 1))
    assert found.countries == (Share("DE", 1, 2), Share("FR", 0, 1))


def test_views_by_the_minute(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(NOW),
            happened(NOW - 30 * SECOND),
            happened(NOW - 30 * SECOND - 500),  # the first moment of the minute
            happened(NOW - 30 * SECOND - 501),
            happened(NOW - 2 * MINUTE, kind="custom", name="order"),
            happened(NOW - 3 * MINUTE, b""),  # somebody who is not followed
            happened(NOW - 30 * MINUTE + 1, BEN),  # in a minute that is shown in part only
            happened(NOW + 30 * SECOND),  # another node's clock is ahead
        ],
    )
    found = live(store)
    assert [minute.views for minute in found.minutes] == [0] * 26 + [1, 0, 1, 3]
    assert (found.views, found.visitors) == (5, 2)


def test_the_feed_is_newest_first_and_without_signs_of_life(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(NOW - 9 * SECOND, ANNA, f"{PAGE}docs/a"),
            happened(NOW - 8 * SECOND, ANNA, f"{PAGE}docs/a", "engagement", engaged_ms=1000),
            happened(NOW - 7 * SECOND, ANNA, f"{PAGE}docs/a", "vital", name="LCP", value=1.2),
            happened(NOW - 6 * SECOND, b"", f"{PAGE}docs/b", place=FRANCE),
            happened(NOW - 5 * SECOND, BEN, f"{PAGE}docs/a", "outbound", target="https://example.org/", agent=CHROME),
            happened(NOW - 5 * SECOND, BEN, f"{PAGE}shop", "custom", name="order"),
        ],
    )
    feed = live(store).feed
    shown = [(event.time[17:19], event.kind, event.page, event.country, event.name, event.target) for event in feed]
    assert shown == [
        ("25", "custom", "/shop", "DE", "order", ""),
        ("25", "outbound", "/docs/a", "DE", "", "https://example.org/"),
        ("24", "pageview", "/docs/b", "FR", "", ""),
        ("21", "pageview", "/docs/a", "DE", "", ""),
    ]
    assert [event.session for event in feed] == [
        f"{BEN.hex()}-{NOW - 5 * SECOND}", f"{BEN.hex()}-{NOW - 5 * SECOND}", "", f"{ANNA.hex()}-{NOW - 9 * SECOND}"
    ]  # fmt: skip


def test_the_feed_is_bounded(store: SqlStore) -> None:
    fill(store, [happened(NOW - number) for number in range(FEED_MOST + 5)])
    feed = live(store).feed
    assert len(feed) == FEED_MOST
    assert feed[0].time > feed[-1].time


def test_robots_are_apart(store: SqlStore) -> None:
    crawler = Agent("Googlebot", "2", "", "", "bot", "Googlebot")
    seen = int(Signal.USER_AGENT)
    fill(
        store,
        [
            happened(NOW - MINUTE, ANNA, f"{PAGE}a", signals=seen, agent=crawler),
            happened(NOW - MINUTE, BEN, f"{PAGE}b", signals=int(Signal.RATE | Signal.MISSING_HEADERS)),
            happened(NOW - MINUTE, CARA, f"{PAGE}c", signals=int(Signal.MISSING_HEADERS)),  # no robot yet
        ],
    )
    found = live(store)
    assert (found.now, found.views, found.pages) == (1, 1, (Share("/c", 1, 1),))
    assert [(event.page, event.session[:4]) for event in found.feed] == [("/c", "0303")]
    assert found.robots.events == 2
    assert [(event.page, event.crawler, event.reasons, event.session) for event in found.robots.feed] == [
        ("/b", "", ["missing_headers", "rate"], ""),
        ("/a", "Googlebot", ["user_agent"], ""),
    ]


def test_sites_do_not_mix(store: SqlStore) -> None:
    other = Site(2, "other")
    fill(store, [happened(NOW - MINUTE, ANNA)])
    fill(store, [happened(NOW - MINUTE, BEN, site=other), happened(NOW - MINUTE, CARA, site=other)], other)
    assert (live(store).visitors, live(store, other).visitors) == (1, 2)


@pytest.mark.parametrize("days", [1, 3])
def test_a_visit_that_began_on_another_day_is_found(store: SqlStore, days: int) -> None:
    site = Site(1, "default", timezone="Australia/Lord_Howe")
    began = NOW - days * 86_400_000
    views = [happened(ts, site=site) for ts in range(began + 25 * MINUTE, NOW, 25 * MINUTE)]
    fill(store, [happened(began, site=site, source=GOOGLE), *views], site)
    assert [(share.name, share.visitors) for share in live(store, site).sources] == [("Google", 1)]


def test_on_a_very_busy_site_visitors_are_those_of_fewer_minutes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "EVENTS_MOST", 3)
    ages = {ANNA: 0, BEN: 3 * MINUTE, CARA: 4 * MINUTE, b"d" * 16: 10 * MINUTE}
    fill(store, [happened(NOW - age, visitor) for visitor, age in ages.items()])
    found = live(store)
    assert (found.visitors_minutes, found.visitors, found.now, found.views) == (10, 3, 3, 4)
    monkeypatch.setattr(live_view, "EVENTS_MOST", 0)
    found = live(store)
    assert (found.visitors_minutes, found.visitors, found.now, found.views) == (1, 1, 1, 4)


def test_minutes_that_are_over_are_read_once(store: SqlStore) -> None:
    settled: live_view.Settled = {}
    fill(store, [happened(NOW - 3 * MINUTE)])
    store.database.read(lambda session: read_live(session, SITE, NOW, JUDGE, settled))
    minute = NOW - NOW % MINUTE
    assert sorted(settled) == [minute - MINUTE * number for number in range(29, 2, -1)]
    settled[minute - 3 * MINUTE] = people.Minute(17, 4, 21)
    later = store.database.read(lambda session: read_live(session, SITE, NOW + MINUTE, JUDGE, settled))
    assert later.minutes[-5] == MinuteViews("2026-03-20T09:57:00.000Z", 17)
    assert (later.views, later.robots.events) == (17, 4)
    assert sorted(settled) == [minute - MINUTE * number for number in range(28, 1, -1)]


def test_an_answer_is_kept_for_ten_times_as_long_as_it_took(store: SqlStore) -> None:
    ticks = iter([0.0, 3.0, 32.9, 33.1, 33.2, 34.1, 34.3, 34.4])
    view = LiveView(store.database, JUDGE, lambda: next(ticks))
    fill(store, [happened(NOW - MINUTE)])
    first = view.read(SITE, NOW)  # from 0 to 3
    assert view.read(SITE, NOW + 29 * SECOND) is first
    second = view.read(SITE, NOW + 30 * SECOND)  # from 33.1 to 33.2: so it is kept for a second
    assert second.time > first.time
    assert view.read(SITE, NOW + 31 * SECOND) is second
    assert view.read(SITE, NOW + 32 * SECOND).time > second.time


def test_answers_of_sites_are_kept_apart(store: SqlStore) -> None:
    view = LiveView(store.database, JUDGE, lambda: 0.0)
    assert view.read(SITE, NOW).site == "default"
    assert view.read(Site(2, "other"), NOW).site == "other"
