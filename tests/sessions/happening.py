"""Events for tests: plain ones by hand, and anything that may happen by chance, near the edges that matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from visitor_tracker.event import Agent, Event, Kind, Place, Signal, Source
from visitor_tracker.ingest.calendar import local_day

Keys = Literal["daily", "monthly", "persistent"]

MINUTE_MS = 60_000
GOOGLE = Source("search", "Google", "google.com/", utm_campaign="spring")
SOURCES = (
    Source(),
    GOOGLE,
    Source("referral", "example.net", "example.net/links"),
    Source("internal", "us", "example.org/"),
)
MUNICH = Place("DE", "Bavaria", "Munich", "Example GmbH")
FIREFOX = Agent("Firefox", "128", "iOS", "17", "mobile")
WHERE = (
    (Place(), Agent(), ""),
    (MUNICH, FIREFOX, "de"),
    (Place("DE", "", "Munich"), Agent("Firefox", "", "Linux", "", "desktop"), "de"),
)

# Zones whose days differ, and nights: of a month's end, and in which clocks are put forward or back.
NIGHTS = {
    "UTC": ("2026-02-01 00:00", "2026-06-11 00:00"),
    "Europe/Berlin": ("2026-03-29 00:00", "2026-10-25 00:00", "2026-11-01 00:00"),
    "America/St_Johns": ("2026-03-08 00:00", "2026-11-01 00:00"),
    "Australia/Lord_Howe": ("2026-04-05 00:00", "2026-10-04 00:00"),
    "America/Santiago": ("2026-09-06 00:00", "2026-04-05 00:00"),
    "America/Havana": ("2026-03-08 00:00", "2026-11-01 00:00"),
}


def at(timezone: str, text: str) -> int:
    """Return the epoch ms of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp() * 1000)


def hashed(person: str, period: str) -> bytes:
    return blake2b(f"{person} {period}".encode(), digest_size=16).digest()


@dataclass(frozen=True)
class World:
    """A site's zone and how long its visitor keys last."""

    timezone: str = "UTC"
    keys: Keys = "daily"
    folded_in: str = ""  # the zone that was set before the events were folded, where that is another one

    def event(  # noqa: PLR0913
        self,
        number: int,
        ts: int | str,
        kind: Kind = "pageview",
        *,
        person: str = "anna",
        page: str = "/",
        host: str = "example.org",
        source: Source = SOURCES[0],
        where: tuple[Place, Agent, str] = WHERE[0],
        name: str = "",
        target: str = "",
        engaged_ms: int = 0,
        interactive: bool = True,
        signals: int = 0,
        counted: bool = False,
    ) -> Event:
        """Return an event; without a `person` it has no visitor."""
        ts = at(self.timezone, ts) if isinstance(ts, str) else ts
        day = local_day(self.timezone, ts)
        period, before = day.period, day.previous_period
        if self.keys == "monthly":
            period, before = day.month, before[:7]
        elif self.keys == "persistent":
            period = before = ""
        place, agent, language = where
        return Event(
            number.to_bytes(16, "big"),
            kind,
            1,
            ts,
            ts,
            day.number,
            hashed(person, period) if person else b"",
            hashed(person, before) if person and before != period else b"",
            b"",
            b"",
            f"https://{host}{page}",
            source,
            place,
            agent,
            language,
            signals,
            name=name,
            target=target,
            engaged_ms=engaged_ms,
            interactive=interactive,
            counted=counted,
        )


@st.composite
def happenings(draw: st.DrawFn) -> tuple[World, list[list[Event]]]:
    """Return a world, and events of some people in it, in batches of any order."""
    timezone = draw(st.sampled_from(sorted(NIGHTS)))
    keys: Keys = draw(st.sampled_from(["daily", "monthly", "persistent"]))
    # Who was whom before midnight is no question where hashes stay, so there the zone may change at any time.
    folded_in = draw(st.sampled_from(["", "", "Asia/Tokyo"])) if keys == "persistent" else ""
    world = World(timezone, keys, folded_in)
    night = at(timezone, draw(st.sampled_from(NIGHTS[timezone])))
    events: list[Event] = []
    for person in draw(st.sampled_from([["anna"], ["anna", "bert"], ["anna", "bert", ""]])):
        ts = night + draw(_STARTS) * MINUTE_MS
        for step, steps in draw(st.lists(_STEPS, min_size=1, max_size=8)):
            for _ in range(steps):
                ts += step
                number = len(events)
                if steps > 1:
                    events.append(world.event(number, ts, "engagement", person=person, page="/a", engaged_ms=100))
                else:
                    events.append(draw(_events(world, number, ts, person)))
    return world, _batches(events, draw(st.sampled_from([1, 2, 3, 7, 50, 1000])), draw(st.integers(0, 999)))


def long_visit() -> tuple[World, list[list[Event]]]:
    """Return a visit of two days that a late event makes one of three, and with that the second one to end on /b.

    The first one that ended there began the day before both, so it is in no bucket that the late event's day names.
    """
    world = World("UTC", "persistent")
    start = at("UTC", "2026-06-10 12:00")
    waiting = range(start, at("UTC", "2026-06-12 00:00"), 30 * MINUTE_MS)
    events = [
        world.event(1, "2026-06-09 23:50", "engagement"),
        world.event(2, "2026-06-10 00:10", page="/b"),
        world.event(3, start, page="/a"),
        *(world.event(number, ts, "engagement") for number, ts in enumerate(waiting, 10)),
    ]
    return world, [events, [world.event(4, "2026-06-12 00:00", page="/b")]]


def passive_before_midnight() -> tuple[World, list[list[Event]]]:
    """Return a visit that only its second hash acts in, so that it stands with that one, in the month after."""
    world = World("UTC", "monthly")
    events = [
        world.event(1, "2026-06-30 23:55", "engagement", engaged_ms=600, source=GOOGLE),
        world.event(2, "2026-07-01 00:05", page="/a"),
    ]
    return world, [[event] for event in reversed(events)]


_STARTS = st.sampled_from([-3000, -1500, -90, -31, -30, -15, -1, 0, 10, 29, 30, 100, 125, 1400])
_PAUSES = st.sampled_from(
    [0, 0, 1, 60_000, 5 * MINUTE_MS, 29 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS + 1, 8 * 60 * MINUTE_MS]
)
_RUNS = st.tuples(st.sampled_from([29 * MINUTE_MS, 30 * MINUTE_MS]), st.sampled_from([10, 52, 101, 150]))
_STEPS = st.one_of(*[st.tuples(_PAUSES, st.just(1))] * 12, _RUNS)
_KINDS: Sequence[Kind] = (
    "pageview", "pageview", "pageview", "pageview", "engagement", "engagement", "custom", "click", "outbound",
    "download", "form", "scroll", "vital",
)  # fmt: skip


@st.composite
def _events(draw: st.DrawFn, world: World, number: int, ts: int, person: str) -> Event:
    return world.event(
        number,
        ts,
        draw(st.sampled_from(_KINDS)),
        person=person,
        page=draw(st.sampled_from(["/", "/a", "/b?x=1"])),
        host=draw(st.sampled_from(["example.org", "example.org", "www.example.org:8443"])),
        source=draw(st.sampled_from(SOURCES)),
        where=draw(st.sampled_from(WHERE)),
        name=draw(st.sampled_from(["", "join"])),
        target=draw(st.sampled_from(["", "https://example.com/x.zip"])),
        engaged_ms=draw(st.sampled_from([0, 0, 4_000, 10_000])),
        interactive=draw(st.booleans()),
        signals=draw(st.sampled_from([0, 0, 0, 0, 0, int(Signal.MISSING_HEADERS), int(Signal.RATE)])),
    )


def _batches(events: list[Event], size: int, seed: int) -> list[list[Event]]:
    """Return the events in at most a dozen pieces and in another order; in their own where the seed is 0."""
    if seed:
        Random(seed).shuffle(events)
    size = max(size, len(events) // 12)
    return [events[start : start + size] for start in range(0, len(events), size)]
