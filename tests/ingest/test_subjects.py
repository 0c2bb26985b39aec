"""Who is looked for is found by what is stored and by the keys that are there, and what cannot be is said."""

import msgspec
import pytest

from tests.ingest.test_erasing import ANNA, DAILY, LASTING, fold, visit
from tests.ingest.test_fold import BERLIN, SITE
from tests.sessions.happening import hashed
from visitor_tracker.event import Event
from visitor_tracker.ingest.subjects import Subject, find, visitor_of
from visitor_tracker.ingest.visitor import of_agent, of_client, of_cookie
from visitor_tracker.sites import IpPolicy, Policy, Site, Snapshot, VisitorPolicy
from visitor_tracker.store.sql import SqlStore

HOME = Site(SITE, "default")
KEYS = {"2026-11-20": b"a" * 32, "2026-11-21": b"b" * 32, "2026-11": b"c" * 32, "persistent": b"d" * 32}


def snapshot(visitor: VisitorPolicy = "daily", ip: IpPolicy = "none", keys: dict[str, bytes] = KEYS) -> Snapshot:
    return Snapshot(sites=(HOME,), policy=Policy(visitor=visitor, ip=ip), keys=keys)


def of(visitor: bytes, number: int, when: str = "2026-11-20 12:00", ip: str = "") -> Event:
    return msgspec.structs.replace(visit(number, when), visitor=visitor, ip=ip, session=b"")


def test_by_cookie_and_by_the_id_of_the_page(store: SqlStore) -> None:
    now = snapshot("cookie")
    cookie, own = of_cookie(now, HOME, b"c" * 16), of_client(now, HOME, "own")
    fold(store, [of(cookie, 1), of(own, 2)])
    assert find(store.database, now, HOME, Subject(cookie=b"c" * 16)).visitors == (cookie,)
    assert find(store.database, now, HOME, Subject(client_id="own")).visitors == (own,)
    assert find(store.database, now, HOME, Subject(visitor=own)).visitors == (own,)
    for nobody in (Subject(cookie=b"x" * 16), Subject(client_id="other"), Subject(visitor=b"x" * 16)):
        assert find(store.database, now, HOME, nobody).visitors == ()


def test_by_address_and_browser_under_every_key_that_is_there(store: SqlStore) -> None:
    now = snapshot()
    people = of_agent(now, HOME, "192.0.2.7", "Firefox")
    assert set(people) == set(KEYS)
    fold(store, [of(people["2026-11-20"], 1), of(people["2026-11-21"], 2, "2026-11-21 12:00")], DAILY)
    asked = Subject(ip="192.0.2.7", user_agent="Firefox")
    found = find(store.database, now, HOME, asked)
    assert set(found.visitors) == {people["2026-11-20"], people["2026-11-21"]}
    assert "days before 2026-11-20 are destroyed" in " ".join(found.notes)
    left = {period: key for period, key in KEYS.items() if period != "2026-11-20"}
    found = find(store.database, snapshot(keys=left), HOME, asked)
    assert found.visitors == (people["2026-11-21"],)
    assert "days before 2026-11-21 are destroyed" in " ".join(found.notes)
    assert "user agent" in " ".join(find(store.database, now, HOME, Subject(ip="192.0.2.7")).notes)
    assert "not here" in " ".join(find(store.database, snapshot(keys={}), HOME, asked).notes)


@pytest.mark.parametrize(
    ("policy", "kept", "asked"),
    [
        ("full", "192.0.2.7", "192.0.2.7"),
        ("full", "2001:db8::7", "2001:DB8:0::7"),
        ("truncated", "192.0.2.0", "192.0.2.7"),
        ("none", "192.0.2.7", "[192.0.2.7]:80"),
    ],
)
def test_by_the_address_that_events_were_stored_with(store: SqlStore, policy: IpPolicy, kept: str, asked: str) -> None:
    bert = hashed("bert", "")
    fold(store, [of(ANNA, 1, ip=kept), of(bert, 2, ip="192.0.2.70"), of(ANNA, 3, "2026-11-21 12:00")], LASTING)
    found = find(store.database, snapshot("persistent", policy), HOME, Subject(ip=asked))
    assert (found.visitors, found.addresses) == ((ANNA,), (kept,))
    store.execute("delete from ip_records")
    assert find(store.database, snapshot("persistent", policy), HOME, Subject(ip=asked)) == found
    nobody = find(store.database, snapshot("persistent", policy), HOME, Subject(ip="198.51.100.1"))
    assert (nobody.visitors, nobody.addresses) == ((), ())


def test_who_it_was_before_and_after_midnight_is_one(store: SqlStore) -> None:
    events = [BERLIN.event(number, when) for number, when in enumerate(("2026-11-20 23:50", "2026-11-21 00:10"), 1)]
    fold(store, events, DAILY)
    both = {event.visitor for event in events}
    assert len(both) == 2
    for one in both:
        assert set(find(store.database, snapshot(), HOME, Subject(visitor=one)).visitors) == both


@pytest.mark.parametrize("text", ["", "x", "00" * 15, "00" * 17, "zz" * 16, "00 " * 16])
def test_what_is_no_visitor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no visitor"):
        visitor_of(text)


def test_what_is_no_address_is_refused(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="no address"):
        find(store.database, snapshot(), HOME, Subject(ip="example.com"))
