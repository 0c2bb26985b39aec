"""The newest sessions, and where one of them clicked."""

import pytest

from tests.reports.visits_of_people import ANNA, BEN, CARA, DEFAULT, fill, happened
from visitor_tracker.event import Property
from visitor_tracker.ingest.bots import judge
from visitor_tracker.reports.latest_sessions import Cell, ListedSession, Status, heat_of, latest_sessions
from visitor_tracker.reports.timeline import Timeline, timeline
from visitor_tracker.reports.visitors import Scope
from visitor_tracker.sessions.session import GAP_MS
from visitor_tracker.sites import Policy, Site, VisitorPolicy
from visitor_tracker.store.sql import SqlStore

NOW = 1_774_000_800_000  # 2026-03-20T10:00:00Z
MINUTE, DAY = 60_000, 86_400_000
BLOG = Site(2, "blog")


def listed(
    store: SqlStore, limit: int = 10, status: Status | None = None, policy: VisitorPolicy = "daily"
) -> list[ListedSession]:
    scopes = [Scope(site, Policy(visitor=policy)) for site in (DEFAULT, BLOG)]
    return store.database.read(lambda session: latest_sessions(session, scopes, NOW, limit, status))


def visitors(found: list[ListedSession]) -> list[str]:
    return [each.visitor_id for each in found]


def test_there_is_none(store: SqlStore) -> None:
    assert listed(store) == []


def test_what_is_told_of_a_session(store: SqlStore) -> None:
    first = NOW - 10 * MINUTE
    fill(
        store,
        [
            happened(first, url="https://example.com/in"),
            happened(first + MINUTE, kind="click", name="Buy"),
            happened(first + 2 * MINUTE, url="https://example.com/out"),
        ],
    )
    assert listed(store) == [
        ListedSession(
            session_id=f"{ANNA.hex()}-{first}",
            site_id="default",
            visitor_id=ANNA.hex(),
            status="active",
            started_at="2026-03-20T09:50:00.000Z",
            last_activity="2026-03-20T09:52:00.000Z",
            ended_at=None,
            duration_seconds=120.0,
            engaged_seconds=0.0,
            pageviews=2,
            events=1,
            entry_page="/in",
            exit_page="/out",
            country="DE",
            browser="Firefox 128",
            os="Windows 11",
            device="desktop",
        )
    ]


@pytest.mark.parametrize("policy", ["daily", "persistent"])
def test_the_newest_come_first_whatever_their_site(store: SqlStore, policy: VisitorPolicy) -> None:
    daily = policy == "daily"
    fill(store, [happened(NOW - 5 * MINUTE, ANNA), happened(NOW - 3 * DAY, CARA)], daily=daily)
    fill(store, [happened(NOW - 4 * MINUTE, BEN, site=BLOG)], BLOG, daily=daily)
    assert visitors(listed(store, policy=policy)) == [BEN.hex(), ANNA.hex(), CARA.hex()]
    assert visitors(listed(store, 2, policy=policy)) == [BEN.hex(), ANNA.hex()]
    assert visitors(listed(store, status="active", policy=policy)) == [BEN.hex(), ANNA.hex()]


def test_one_that_may_go_on_is_active(store: SqlStore) -> None:
    fill(store, [happened(NOW - GAP_MS, ANNA), happened(NOW - GAP_MS - 1, BEN)])
    assert [(each.visitor_id, each.status) for each in listed(store)] == [(ANNA.hex(), "active"), (BEN.hex(), "ended")]
    [ended] = listed(store, status="ended")
    assert ended.ended_at == ended.last_activity == "2026-03-20T09:29:59.999Z"


def test_those_that_ended_are_found_behind_many_that_go_on(store: SqlStore) -> None:
    here = [happened(NOW - number, bytes([0, number]) * 8) for number in range(40)]
    fill(store, [*here, happened(NOW - 2 * DAY, CARA), happened(NOW - 3 * DAY, BEN)])
    assert visitors(listed(store, 2, "ended")) == [CARA.hex(), BEN.hex()]
    assert visitors(listed(store, 1, "ended")) == [CARA.hex()]


def test_none_is_older_than_thirty_days(store: SqlStore) -> None:
    fill(store, [happened(NOW - 31 * DAY, ANNA), happened(NOW - 29 * DAY, BEN)])
    assert visitors(listed(store)) == [BEN.hex()]


def clicked(store: SqlStore) -> Timeline:
    places: list[tuple[Property, Property]] = [(100, 200), (109, 209.5), (110, 200), ("left", 1), (True, True)]
    page = "https://example.com/a?b=c"
    clicks = [
        happened(NOW + number, kind="click", url=page, properties={"x": x, "y": y})
        for number, (x, y) in enumerate(places)
    ]
    other = happened(NOW + 9, kind="click", url="https://example.com/other", properties={"x": 1, "y": 1})
    fill(store, [happened(NOW - 1, url=page), *clicks, other])
    robots = next(signals for signals in range(1, 1 << 16) if judge(signals))
    found = store.database.read(
        lambda session: timeline(session, [DEFAULT], f"{ANNA.hex()}-{NOW}", lambda site, text: b"", robots)
    )
    assert found is not None
    return found


def test_clicks_are_counted_in_squares(store: SqlStore) -> None:
    found = clicked(store)
    of_page = heat_of(found, "https://EXAMPLE.com/a#part")
    assert (of_page.grid_size, of_page.total) == (10, 3)
    assert of_page.points == (Cell(100, 200, 2), Cell(110, 200, 1))
    assert heat_of(found, "").total == 4
    assert heat_of(found, "no address").points == ()
