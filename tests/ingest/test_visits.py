"""The short way of a counted visit ends in the same event as the whole way."""

import msgspec
import pytest

from tests.ingest.understanding import (
    BLOG,
    CLIENT,
    DAY_MS,
    DEFAULT,
    KEYS,
    NOW,
    READING,
    URL,
    World,
    client,
    with_headers,
)
from visitor_tracker.event import DropReason, Event, Signal
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.visits import Visits
from visitor_tracker.sites import Policy, Snapshot

SLOT_MS = 900_000


class Counted:
    """Visits over a world; `noted` are the events that were told of."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.noted: list[Event] = []
        self.visits = Visits(self.world.pipeline, lambda: self.world.snapshot, self.noted.append)

    def outcome(self, url: str = URL, who: Client = CLIENT, now: int = NOW) -> Event | DropReason:
        return self.visits.event(url, b"i" * 16, who, READING, now)

    def event(self, url: str = URL, who: Client = CLIENT, now: int = NOW) -> Event:
        found = self.outcome(url, who, now)
        assert isinstance(found, Event), found
        return found


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.mark.parametrize(
    ("url", "who"),
    [
        (URL, CLIENT),
        ("HTTPS://Example.com/%61/../b?utm_source=News&gclid=x&q=1#top", CLIENT),
        ("https://blog.example.com/ann@example.com?token=abc", CLIENT),
        (f"{URL}?ip=203.0.113.9&x={'y' * 30}", CLIENT),
        (f"{URL}?ua=Mozilla%2F5.0+(X11;+Linux+x86_64;+rv:133.0)", CLIENT),
        (f"{URL}?long={'y' * 1000}", CLIENT),
        ("https://example.com/wp-login.php", CLIENT),
        (URL, client(ip="2001:db8::7", country="FR")),
        (URL, client(user_agent="", headers={})),
        (URL, with_headers({"accept-language": "fr;q=0.5"})),
        (URL, client(vouched=True)),
    ],
)
def test_both_ways_lead_to_the_same_event(url: str, who: Client) -> None:
    short, whole = Counted(), World()
    for _ in range(2):  # read, then remembered
        expected = whole.pipeline.understand(Hit(id=b"i" * 16, url=url), who, READING, NOW, counted=True)
        assert short.outcome(url, who) == expected


@pytest.mark.parametrize(
    "policy",
    [
        Policy(ip="full"),
        Policy(ip="truncated"),
        Policy(user_agent="full"),
        Policy(opt_out="anonymous"),
        Policy(visitor="cookie"),
        Policy(visitor="monthly"),
        Policy(visitor="persistent"),
        Policy(visitor="client"),
    ],
)
def test_a_policy_holds_on_the_short_way_too(policy: Policy) -> None:
    snapshot = Snapshot((DEFAULT, BLOG), KEYS, policy=policy)
    short, whole = Counted(World(snapshot)), World(snapshot)
    who = with_headers({"dnt": "1"}, cookie=b"c" * 16)
    for _ in range(2):
        expected = whole.pipeline.understand(Hit(id=b"i" * 16, url=URL), who, READING, NOW, counted=True)
        assert short.outcome(URL, who) == expected


def test_an_opt_out_that_drops_is_told() -> None:
    counted = Counted(World(Snapshot((DEFAULT,), KEYS, policy=Policy(opt_out="drop"))))
    assert counted.outcome(who=with_headers({"sec-gpc": "1"})) == "opt_out"
    assert isinstance(counted.outcome(), Event)


def test_foreign_hosts_and_bad_addresses_are_told() -> None:
    [only] = sites = (msgspec.structs.replace(BLOG, id=1, name="default"),)
    assert only.hostnames
    counted = Counted(World(Snapshot(sites, KEYS)))
    for _ in range(2):
        assert counted.outcome(URL) == "hostname"
        assert counted.outcome("javascript:1") == "invalid_url"


def test_the_first_event_of_each_visitor_is_noted(counted: Counted) -> None:
    first = counted.event()
    counted.event()
    counted.event("https://example.com/other")
    other = counted.event(who=client(ip="203.0.113.10"))
    assert counted.noted == [first, other]


def test_a_day_ends_on_time(counted: Counted) -> None:
    midnight = NOW - NOW % DAY_MS
    before, after = counted.event(now=midnight - 1), counted.event(now=midnight)
    assert (before.day, after.day) == (20261121, 20261122)
    assert after.visitor != before.visitor == after.previous
    assert counted.event(now=midnight + 2 * SLOT_MS - 1).previous == before.visitor
    late = counted.event(now=midnight + 2 * SLOT_MS)
    assert (late.visitor, late.previous) == (after.visitor, b"")


def test_new_keys_and_sites_hold_at_once(counted: Counted) -> None:
    world = counted.world
    world.snapshot = msgspec.structs.replace(world.snapshot, keys={})
    assert counted.event().visitor == b""
    world.snapshot = msgspec.structs.replace(world.snapshot, keys=KEYS)
    assert len(counted.event().visitor) == 16
    mine = msgspec.structs.replace(BLOG, hostnames=("example.com",))
    world.snapshot = msgspec.structs.replace(world.snapshot, sites=(DEFAULT, mine))
    assert counted.event().site_id == 7


def test_ids_are_one_of_a_kind(counted: Counted) -> None:
    made = [counted.visits.event(URL, None, CLIENT, READING, NOW) for _ in range(100)]
    assert len({event.id for event in made if isinstance(event, Event)}) == 100


def test_a_robot_s_pace_is_noticed_though_its_page_is_remembered(counted: Counted) -> None:
    signals = [counted.event().signals for _ in range(130)]
    assert (signals[0], signals[-1]) == (0, Signal.RATE)


def test_strangers_cannot_fill_the_memory(counted: Counted) -> None:
    for number in range(20_000):
        counted.event(f"https://example.com/{number}", client(ip=f"2001:db8:{number:x}::1"))
    visits = counted.visits
    assert len(visits._known.pages) <= 16_384
    assert len(visits._known.visitors) <= 16_384
