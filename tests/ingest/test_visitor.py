"""Hashes of visitors: who is one visitor, for how long, and what happens without a key."""

import msgspec
import pytest

from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.hit import Client
from visitor_tracker.ingest.visitor import hashed, visitor
from visitor_tracker.sites import Policy, Site, Snapshot, VisitorPolicy

NOON = 1_795_348_800_000  # 2026-11-22 12:00 UTC
MIDNIGHT = NOON + 12 * 3_600_000
LAST_OF_MONTH = 1_796_083_199_999  # 2026-11-30 23:59:59.999 UTC

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ALICE = Client("192.0.2.7", FIREFOX, {})
COOKIE = bytes(range(16))

SITE, OTHER_SITE = Site(1, "default"), Site(2, "shop")
PERIODS = (
    "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-30", "2026-12-01", "2026-11", "2026-12", "persistent",
)  # fmt: skip
SNAPSHOT = Snapshot(keys={period: period.encode().ljust(32, b".") for period in PERIODS})


def seen(
    client: Client = ALICE, at: int = NOON, policy: VisitorPolicy = "daily", site: Site = SITE, own: str = ""
) -> tuple[bytes, bytes]:
    """Return (visitor, previous) of a hit that has its key."""
    found, previous, missing = visitor(SNAPSHOT, site, Policy(policy), client, local_day(site.timezone, at), own=own)
    assert not missing
    assert len(found) == 16
    return found, previous


def who(client: Client = ALICE, at: int = NOON, policy: VisitorPolicy = "daily", site: Site = SITE) -> bytes:
    return seen(client, at, policy, site)[0]


def with_ip(ip: str) -> Client:
    return msgspec.structs.replace(ALICE, ip=ip)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "::ffff:192.0.2.7"),
        ("192.0.2.7", "::FFFF:c000:207"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0000:0000:0000:0001"),
        ("fe80::1%eth0", "fe80::1"),
        ("not an address", "not an address"),
    ],
)
def test_one_visitor_however_the_address_is_written(one: str, other: str) -> None:
    assert who(with_ip(one)) == who(with_ip(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.7", "192.0.2.8"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("::1", "0.0.0.1"),
        ("192.0.2.7", "192.0.2.07"),
        ("unix", ""),
        ("\ud800", "\ud801"),
        ("a\0b", "a\0c"),
    ],
)
def test_two_visitors_at_two_addresses(one: str, other: str) -> None:
    assert who(with_ip(one)) != who(with_ip(other))


def test_two_visitors_by_user_agent_and_by_site() -> None:
    agents = [FIREFOX, FIREFOX + "1", "", "\ud800", "Ünïcode"]
    hashes = {who(Client("192.0.2.7", agent, {})) for agent in agents} | {who(site=OTHER_SITE)}
    assert len(hashes) == len(agents) + 1


def test_no_text_makes_one_client_look_like_another() -> None:
    """The parts of what is hashed cannot be moved into one another."""
    odd = [
        Client("abcd", "efgh", {}),
        Client("abc", "defgh", {}),
        Client("97.98.99.100", "efgh", {}),
        Client("6162:6364:6566:6768::", "", {}),
    ]
    assert len({who(client) for client in odd}) == len(odd)


def test_a_daily_visitor_is_another_one_tomorrow() -> None:
    assert who(at=NOON) == who(at=MIDNIGHT - 1)
    assert who(at=MIDNIGHT) != who(at=NOON)


def test_the_day_is_the_one_of_the_site() -> None:
    berlin, evening = Site(1, "default", timezone="Europe/Berlin"), MIDNIGHT - 30 * 60_000
    assert who(at=evening, site=berlin) == who(at=MIDNIGHT)
    assert who(at=evening) == who(at=NOON)


@pytest.mark.parametrize(
    ("policy", "midnight"), [("daily", MIDNIGHT), ("daily", LAST_OF_MONTH + 1), ("monthly", LAST_OF_MONTH + 1)]
)
def test_a_visit_goes_on_over_midnight_for_half_an_hour(policy: VisitorPolicy, midnight: int) -> None:
    before = who(at=midnight - 1, policy=policy)
    assert seen(at=midnight - 1, policy=policy) == (before, b"")
    after, previous = seen(at=midnight, policy=policy)
    assert previous == before != after
    assert seen(at=midnight + 29 * 60_000, policy=policy) == (after, before)
    assert seen(at=midnight + 30 * 60_000, policy=policy) == (after, b"")


def test_a_monthly_visitor_stays_for_the_month() -> None:
    assert seen(at=MIDNIGHT, policy="monthly") == seen(at=NOON, policy="monthly")
    assert who(at=LAST_OF_MONTH + 1, policy="monthly") != who(policy="monthly")


def test_a_persistent_visitor_stays() -> None:
    assert (
        seen(at=LAST_OF_MONTH + 1, policy="persistent") == seen(policy="persistent") == (who(policy="persistent"), b"")
    )


def test_a_cookie_tells_visitors_apart_and_not_their_address() -> None:
    with_cookie = msgspec.structs.replace(ALICE, cookie=COOKIE)
    elsewhere = msgspec.structs.replace(with_cookie, ip="198.51.100.1", user_agent="other")
    assert seen(with_cookie, policy="cookie") == seen(elsewhere, MIDNIGHT, policy="cookie")
    assert who(with_cookie, policy="cookie") != who(with_cookie, policy="cookie", site=OTHER_SITE)
    assert COOKIE not in who(with_cookie, policy="cookie")
    assert who(with_cookie) == who(), "a cookie counts for nothing under another policy"


def test_the_page_can_say_who_it_is() -> None:
    mine = seen(policy="client", own="visitor-1")
    assert mine == seen(with_ip("198.51.100.1"), MIDNIGHT, policy="client", own="visitor-1")
    assert mine != seen(policy="client", own="visitor-2")
    assert seen(own="visitor-1") == seen(), "it counts for nothing under another policy"


@pytest.mark.parametrize("policy", ["cookie", "client"])
def test_who_does_not_say_who_he_is_is_a_daily_visitor(policy: VisitorPolicy) -> None:
    assert seen(at=MIDNIGHT, policy=policy) == seen(at=MIDNIGHT)


def test_equal_names_of_different_kinds_have_different_hashes() -> None:
    text = "A" * 16
    hashes = {
        hashed(SNAPSHOT, SITE, text, "session"),
        hashed(SNAPSHOT, SITE, text, "person"),
        hashed(SNAPSHOT, OTHER_SITE, text, "person"),
        seen(policy="client", own=text)[0],
        seen(msgspec.structs.replace(ALICE, cookie=text.encode()), policy="cookie")[0],
    }
    assert len(hashes) == 5
    assert {len(found) for found in hashes} == {16}


def test_no_id_has_no_hash() -> None:
    assert hashed(SNAPSHOT, SITE, "", "session") == b""


def test_any_text_can_be_an_id() -> None:
    assert len({hashed(SNAPSHOT, SITE, text, "person") for text in ("\ud800", "ü", "x" * 100_000, "\0")}) == 4


@pytest.mark.parametrize("policy", ["daily", "monthly", "persistent", "cookie", "client"])
def test_without_a_key_there_is_no_visitor_and_nobody_makes_one_up(policy: VisitorPolicy) -> None:
    client = msgspec.structs.replace(ALICE, cookie=COOKIE)
    found = visitor(Snapshot(), SITE, Policy(policy), client, local_day("UTC", NOON), own="visitor-1")
    assert found == (b"", b"", True)
    assert hashed(Snapshot(), SITE, "s", "session") == b""


def test_without_yesterdays_key_a_visit_begins_anew() -> None:
    today = Snapshot(keys={"2026-11-23": SNAPSHOT.keys["2026-11-23"]})
    assert visitor(today, SITE, Policy(), ALICE, local_day("UTC", MIDNIGHT)) == (who(at=MIDNIGHT), b"", False)
