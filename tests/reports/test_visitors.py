"""Visitors one by one, in the shape of the visitors API of old."""

from collections.abc import Sequence

import msgspec
import pytest

from tests.reports.visits_of_people import ANNA, BEN, CARA, CHROME, FRANCE, INSIDE, fill, happened
from visitor_tracker.event import Event, Place, Signal
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.reports.visitors import Scope, TopIp, Visitor, VisitorStats, visitor, visitor_stats, visitors
from visitor_tracker.sites import IpPolicy, Policy, Site, VisitorPolicy
from visitor_tracker.store.folding import IpRecord, merge_ip_records
from visitor_tracker.store.sql import SqlStore

NOW = 1_774_000_800_000  # 2026-03-20T10:00:00Z
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
PAGE = "https://example.com/"
SHORT = {name: name.hex()[:16] for name in (ANNA, BEN, CARA)}
UNKNOWN = ("Unknown", "XX", "Unknown", "Unknown", "Unknown", "Unknown")


def scope(site_id: int = 1, visitor: VisitorPolicy = "daily", ip: IpPolicy = "none", timezone: str = "UTC") -> Scope:
    policy = Policy(visitor=visitor, ip=ip, user_agent="full" if ip == "full" else "class")
    return Scope(Site(site_id, f"site{site_id}", timezone=timezone), policy)


DAILY = (scope(),)
LASTING = (scope(visitor="persistent"),)
ADDRESSES = (scope(ip="full"),)


def listed(store: SqlStore, scopes: Sequence[Scope] = DAILY, limit: int = 100, now: int = NOW) -> list[Visitor]:
    return store.database.read(lambda session: visitors(session, scopes, now, country_name, limit))


def one(store: SqlStore, ip: str, scopes: Sequence[Scope] = DAILY) -> Visitor | None:
    return store.database.read(lambda session: visitor(session, scopes, NOW, country_name, ip))


def stats(store: SqlStore, scopes: Sequence[Scope] = DAILY) -> VisitorStats:
    return store.database.read(lambda session: visitor_stats(session, scopes, NOW, country_name))


def add_records(store: SqlStore, *records: IpRecord, site_id: int = 1) -> None:
    store.database.write(lambda session: merge_ip_records(session, site_id, records))


def ips(found: Sequence[Visitor]) -> list[str]:
    return [each.ip for each in found]


# Visitors that are hashes.


def test_nobody(store: SqlStore) -> None:
    assert listed(store) == []
    assert stats(store) == VisitorStats(0, 0, {}, [])


def test_a_record_has_what_its_visits_say(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(NOW - 2 * MINUTE, url=f"{PAGE}docs?page=2", source=INSIDE, agent=CHROME, place=FRANCE),
            happened(NOW - 90 * MINUTE, url=PAGE),
            happened(NOW - 89 * MINUTE, url=f"{PAGE}docs"),
            happened(NOW - 88 * MINUTE, url=f"{PAGE}docs"),
            happened(NOW - 88 * MINUTE, url=f"{PAGE}read", kind="scroll"),
        ],
    )
    assert listed(store) == [
        Visitor(
            ip=SHORT[ANNA],
            country="France",
            country_code="FR",
            region="Île-de-France",
            city="Paris",
            org="Unknown",
            isp="Unknown",
            first_seen="2026-03-20T08:30:00+00:00",
            last_seen="2026-03-20T09:58:00+00:00",
            visit_count=4,
            paths_visited=["GET /", "GET /docs"],
            user_agents=["Firefox 128 (Windows)", "Chrome 140 (Android)"],
        )
    ]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Place(), UNKNOWN),
        (Place("LOCAL"), ("Local", "LOCAL", "Local Network", "Local", "Local Network", "Local")),
        (
            Place("US", "California", "San Francisco", "Example ISP"),
            ("United States", "US", "California", "San Francisco", "Example ISP", "Example ISP"),
        ),
    ],
)
def test_places(store: SqlStore, place: Place, shown: tuple[str, ...]) -> None:
    fill(store, [happened(NOW, place=place)])
    [found] = listed(store)
    assert (found.country, found.country_code, found.region, found.city, found.org, found.isp) == shown


def test_the_newest_come_first_and_limit_counts_visitors_not_visits(store: SqlStore) -> None:
    fill(
        store,
        [
            *(happened(NOW - hours * 60 * MINUTE, ANNA) for hours in range(8)),
            happened(NOW - 9 * 60 * MINUTE, BEN),
            happened(NOW - DAY, CARA),
        ],
    )
    assert ips(listed(store)) == [SHORT[ANNA], SHORT[BEN], SHORT[CARA]]
    assert ips(listed(store, limit=2)) == [SHORT[ANNA], SHORT[BEN]]
    assert [found.visit_count for found in listed(store, limit=1)] == [8]


def test_who_did_nothing_or_is_a_robot_or_is_too_old_is_not_listed(store: SqlStore) -> None:
    fill(
        store,
        [
            happened(NOW, ANNA, kind="vital", name="LCP"),
            happened(NOW, BEN, signals=int(Signal.USER_AGENT)),
            happened(NOW - 31 * DAY, CARA),
            happened(NOW, b""),
        ],
    )
    assert listed(store) == []


def long_ago() -> list[Event]:
    """Visitors who come again, one of them in a visit of three days."""
    return [
        *(happened(ts, BEN) for ts in range(NOW - 4 * DAY, NOW - DAY + 1, 29 * MINUTE)),
        happened(NOW - 20 * DAY, ANNA, f"{PAGE}old"),
        happened(NOW - 2 * MINUTE, ANNA, f"{PAGE}new"),
        happened(NOW - 28 * DAY, CARA),
    ]


def test_lasting_visitors_are_one_record_over_all_days(store: SqlStore) -> None:
    fill(store, long_ago(), daily=False)
    anna, ben, cara = listed(store, LASTING)
    assert (anna.ip, anna.first_seen[:10], anna.last_seen[:10], anna.visit_count) == (
        SHORT[ANNA], "2026-02-28", "2026-03-20", 2
    )  # fmt: skip
    assert anna.paths_visited == ["GET /old", "GET /new"]
    assert (ben.ip, ben.first_seen[:10], ben.visit_count) == (SHORT[BEN], "2026-03-16", 3 * DAY // (29 * MINUTE) + 1)
    assert cara.ip == SHORT[CARA]
    assert ips(listed(store, LASTING, limit=1)) == [SHORT[ANNA]]
    assert [found.visit_count for found in listed(store, LASTING, limit=1)] == [2]


def test_a_long_visit_of_long_ago_is_no_part_of_a_record(store: SqlStore) -> None:
    months_ago = range(NOW - 60 * DAY, NOW - 56 * DAY, 29 * MINUTE)
    fill(store, [*(happened(ts, ANNA) for ts in months_ago), happened(NOW, ANNA)], daily=False)
    for found in (listed(store, LASTING), listed(store, LASTING, limit=1)):
        assert [each.visit_count for each in found] == [1]
    found_one = one(store, SHORT[ANNA], LASTING)
    assert found_one is not None
    assert found_one.visit_count == 1


def test_a_visit_over_midnight_is_newer_than_one_of_the_day_itself(store: SqlStore) -> None:
    midnight = NOW - 10 * 60 * MINUTE
    fill(
        store,
        [
            happened(midnight - 5 * MINUTE, BEN),  # the older day's visit goes on into the newer day
            happened(midnight + 15 * MINUTE, BEN),
            happened(midnight + 5 * MINUTE, ANNA),
        ],
        daily=False,
    )
    assert ips(listed(store, LASTING, limit=1)) == [SHORT[BEN]]


@pytest.mark.parametrize("scopes", [DAILY, LASTING])
def test_totals(store: SqlStore, scopes: Sequence[Scope]) -> None:
    is_daily = scopes is DAILY
    fill(
        store,
        [
            happened(NOW, ANNA),
            happened(NOW, ANNA),
            happened(NOW - MINUTE, BEN, place=FRANCE),
            happened(NOW - 3 * DAY, CARA if is_daily else ANNA, place=FRANCE),
            happened(NOW - 40 * DAY, b"o" * 16),
        ],
        daily=is_daily,
    )
    found = stats(store, scopes)
    if is_daily:
        assert (found.total_visitors, found.total_visits) == (3, 4)
        assert (list(found.countries.items()), found.top_ips[0]) == (
            [("France", 2), ("Germany", 1)], TopIp(SHORT[ANNA], "Germany", 2)
        )  # fmt: skip
    else:
        assert (found.total_visitors, found.total_visits) == (2, 4)
        assert found.top_ips == [TopIp(SHORT[ANNA], "Germany", 3), TopIp(SHORT[BEN], "France", 1)]


def test_ten_are_at_the_top(store: SqlStore) -> None:
    fill(store, [happened(NOW - MINUTE, bytes([number]) * 16) for number in range(1, 13) for _ in range(number)])
    top = stats(store).top_ips
    assert [each.visit_count for each in top] == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]


@pytest.mark.parametrize("given", [ANNA.hex()[:16], ANNA.hex()[:20], ANNA.hex(), ANNA.hex()[:16].upper()])
def test_one_is_found_by_its_hash(store: SqlStore, given: str) -> None:
    fill(store, [happened(NOW - 3 * DAY, ANNA), happened(NOW, BEN)])
    found = one(store, given)
    assert found is not None
    assert (found.ip, found.visit_count) == (SHORT[ANNA], 1)


@pytest.mark.parametrize("given", ["", "01", ANNA.hex()[:14], f"{ANNA.hex()}00", "ff" * 8, "01 01 01 01 01 01 01 01"])
def test_a_hash_that_says_too_little_finds_nobody(store: SqlStore, given: str) -> None:
    fill(store, [happened(NOW, ANNA)])
    assert one(store, given) is None


# Visitors that are addresses.

HOME = IpRecord(
    "203.0.113.42", NOW - DAY, NOW - MINUTE, 15, "US", "California", "San Francisco", "Example ISP",
    ("GET /docs", "GET /v1/health", "POST /v1/chat"), ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)",),
)  # fmt: skip
WORK = IpRecord("2001:db8::7", NOW - 400 * DAY, NOW - 300 * DAY, 8, "CA", "", "Toronto", "", (), ())


def test_addresses_have_one_record_however_old(store: SqlStore) -> None:
    add_records(store, WORK, HOME)
    home, work = listed(store, ADDRESSES)
    assert msgspec.to_builtins(home) == {
        "ip": "203.0.113.42",
        "country": "United States",
        "country_code": "US",
        "region": "California",
        "city": "San Francisco",
        "org": "Example ISP",
        "isp": "Example ISP",
        "first_seen": "2026-03-19T10:00:00+00:00",
        "last_seen": "2026-03-20T09:59:00+00:00",
        "visit_count": 15,
        "paths_visited": ["GET /docs", "GET /v1/health", "POST /v1/chat"],
        "user_agents": ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)"],
    }
    assert (work.ip, work.country, work.region) == ("2001:db8::7", "Canada", "Unknown")
    assert ips(listed(store, ADDRESSES, limit=1)) == ["203.0.113.42"]
    assert stats(store, ADDRESSES) == VisitorStats(
        2,
        23,
        {"Canada": 1, "United States": 1},
        [TopIp("203.0.113.42", "United States", 15), TopIp("2001:db8::7", "Canada", 8)],
    )


@pytest.mark.parametrize("given", ["2001:db8::7", "2001:DB8:0:0::7"])
def test_an_address_is_found_in_any_spelling(store: SqlStore, given: str) -> None:
    add_records(store, WORK)
    found = one(store, given, ADDRESSES)
    assert found is not None
    assert found.visit_count == 8


def test_what_a_policy_does_not_keep_is_not_shown(store: SqlStore) -> None:
    add_records(store, HOME)
    fill(store, [happened(NOW, ANNA)])
    assert ips(listed(store)) == [SHORT[ANNA]]
    assert one(store, "203.0.113.42") is None
    assert ips(listed(store, ADDRESSES)) == ["203.0.113.42"]
    assert one(store, SHORT[ANNA], ADDRESSES) is None


def test_records_of_a_policy_of_before_are_shown_as_todays_allows(store: SqlStore) -> None:
    network = msgspec.structs.replace(HOME, ip="203.0.113.0", user_agents=("Firefox 128 Windows",), last_at=NOW)
    add_records(store, HOME, network, WORK)
    scopes = [scope(ip="truncated")]
    home, work = listed(store, scopes)
    assert (home.ip, home.visit_count, home.user_agents) == ("203.0.113.0", 30, ["Firefox 128 Windows"])
    assert work.ip == "2001:db8::"
    assert [top.ip for top in stats(store, scopes).top_ips] == ["203.0.113.0", "2001:db8::"]
    assert one(store, "203.0.113.42", scopes) == one(store, "203.0.113.0", scopes)
    assert one(store, "2001:db8::7", scopes) is None  # its network has no record
    [_, raw, _] = listed(store, ADDRESSES)
    assert raw.user_agents == list(HOME.user_agents)


def test_sites_of_both_kinds_are_one_list(store: SqlStore) -> None:
    scopes = (scope(1), scope(2, ip="full"), scope(3, ip="full"))
    fill(store, [happened(NOW - 2 * MINUTE, ANNA)])
    add_records(store, HOME, site_id=2)
    add_records(store, msgspec.structs.replace(HOME, visits=1, country="DE", last_at=NOW, paths=("GET /x",)), site_id=3)
    both, anna = listed(store, scopes)
    assert (both.ip, both.visit_count, both.country_code, both.last_seen) == (
        "203.0.113.42", 16, "DE", "2026-03-20T10:00:00+00:00"
    )  # fmt: skip
    assert both.paths_visited == ["GET /docs", "GET /v1/health", "POST /v1/chat", "GET /x"]
    assert anna.ip == SHORT[ANNA]
    assert one(store, "203.0.113.42", scopes) == both
    assert one(store, SHORT[ANNA], scopes) == anna
