"""Visitors one by one: who came last comes first, once, however long the list and whatever was deleted since."""

from random import Random

import msgspec
import pytest

from tests.ingest.test_erasing import ANNA, COOKIES, fold, visit
from tests.ingest.test_fold import SITE
from tests.sessions.happening import at, hashed
from visitor_tracker.reports import profiles as listing
from visitor_tracker.reports.profiles import FIRST, VisitorView, cursor_of, visitor, visitors, visits
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store import profiles
from visitor_tracker.store.sql import SqlStore

ZONE = "Europe/Berlin"
HOME = Site(SITE, "default", timezone=ZONE)
NOW = at(ZONE, "2026-11-22 12:00")
COOKIE = Policy(visitor="cookie", ip="full")


def page(store: SqlStore, after: str, limit: int) -> tuple[list[VisitorView], str | None]:
    cursor = cursor_of(after) if after else FIRST
    found = store.database.read(lambda session: visitors(session, HOME, NOW, cursor, limit))
    return found.visitors, found.cursor


def everybody(store: SqlStore, limit: int) -> list[VisitorView]:
    """Return the whole list, read in slices."""
    found, cursor = page(store, "", limit)
    while cursor is not None:
        more, cursor = page(store, cursor, limit)
        found += more
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
def test_the_list_has_everybody_once_the_latest_first(store: SqlStore, limit: int) -> None:
    chance = Random(1)
    people = [f"person {number}" for number in range(12)]
    first = at(ZONE, "2026-10-01 00:00")
    moments = {person: [first + chance.randrange(52 * 86_400) * 1000 for _ in range(4)] for person in people}
    numbers = iter(range(1, 1000))
    fold(store, [COOKIES.event(next(numbers), ts, person=who) for who, all_ts in moments.items() for ts in all_ts])
    waiting = range(at(ZONE, "2026-11-01 00:00"), at(ZONE, "2026-11-04 00:00"), 29 * 60_000)
    fold(store, [COOKIES.event(next(numbers), ts, "engagement", person=people[0]) for ts in waiting])  # days long
    last = {hashed(who, ""): max(all_ts) for who, all_ts in moments.items()}
    last[hashed(people[0], "")] = max(last[hashed(people[0], "")], waiting[-1])
    found = everybody(store, limit)
    assert [seen.id for seen in found] == [who.hex() for who in sorted(last, key=lambda who: (-last[who], who))]
    own = next(seen for seen in found if seen.id == hashed(people[3], "").hex())
    assert own == store.database.read(lambda session: visitor(session, HOME, hashed(people[3], "")))


def test_a_long_pause_does_not_end_the_list(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "DAYS_MOST", 2)
    days = ["2026-11-20", "2026-11-10", "2026-10-01", "2026-03-01", "2025-12-01"]
    fold(store, [visit(number, f"{day} 10:00", f"person {number}") for number, day in enumerate(days, 1)])
    assert [seen.last_visit[:10] for seen in everybody(store, 50)] == days


def test_whose_visits_were_deleted_comes_last(store: SqlStore) -> None:
    fold(store, [visit(1, "2026-11-20 10:00", "bert")])
    old = [hashed(f"person {number}", "") for number in range(3)]
    for number, who in enumerate(old):
        row = (SITE, who, 1000, 2000 + number, 5, "")
        store.execute(
            "insert into visitor_profiles (site_id, visitor, first_at, last_at, visits, note)"
            " values (%s, %s, %s, %s, %s, %s)",
            row,
        )
    for limit in (1, 2, 50):
        found = everybody(store, limit)
        assert [seen.visits for seen in found] == [1, 5, 5, 5]
        assert [seen.id for seen in found[1:]] == [who.hex() for who in reversed(old)]


def test_visits_are_listed_with_pages_and_the_address_that_the_policy_allows(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, "2026-11-20 12:05"), visit(3, "2026-11-21 09:00")])
    own = f"192.0.2.{ANNA[0]}"

    def read(policy: Policy, before: int = 1 << 62, limit: int = 10) -> listing.VisitPage:
        found = store.database.read(lambda session: visits(session, HOME, policy, ANNA, before, limit))
        assert found is not None
        return found

    shown = read(COOKIE)
    assert shown.cursor is None
    assert [(each.started_at, each.ended_at, each.pages) for each in shown.visits] == [
        ("2026-11-21T08:00:00.000Z", "2026-11-21T08:00:00.000Z", ["/"]),
        ("2026-11-20T11:00:00.000Z", "2026-11-20T11:05:00.000Z", ["/"]),
    ]
    assert {each.stated_at == each.started_at for each in shown.visits} == {True}
    assert {each.ip for each in shown.visits} == {own}
    assert {each.ip for each in read(Policy(ip="truncated")).visits} == {"192.0.2.0"}
    assert {each.ip for each in read(Policy()).visits} == {""}
    one = read(COOKIE, limit=1)
    assert [one.visits, read(COOKIE, int(one.cursor or 0)).visits] == [shown.visits[:1], shown.visits[1:]]
    assert store.database.read(lambda session: visits(session, HOME, COOKIE, b"x" * 16, 1 << 62, 10)) is None


def test_a_note_is_kept_beside_what_visits_tell(store: SqlStore) -> None:
    fold(store, [visit(1), visit(2, "2026-11-21 09:00")])
    before = store.database.read(lambda session: visitor(session, HOME, ANNA))
    store.database.write(lambda session: profiles.put_note(session, SITE, ANNA, visit(1).ts, "a friend"))
    after = store.database.read(lambda session: visitor(session, HOME, ANNA))
    assert before is not None
    assert after == msgspec.structs.replace(before, note="a friend")


NO_CURSORS = ["", "x", "1", "1-", "1-00", "-1-" + "0" * 32, "1-" + "g" * 32, "9" * 30 + "-" + "0" * 32]


@pytest.mark.parametrize("text", NO_CURSORS)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cursor|hexadecimal"):
        cursor_of(text)
