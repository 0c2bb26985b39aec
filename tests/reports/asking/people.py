"""What people do on a few days around the end of summer time, by chance."""

import random
from itertools import count

from tests.reports.counted_by_hand import KINDS
from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, NEWS, SAFARI, event, who
from visitor_tracker.days import DAY_MS, bounds, day_after, day_of
from visitor_tracker.event import Agent, Event, Property, Source
from visitor_tracker.sites import Site

ZONE = "Europe/Berlin"
FIRST_DAY, DAYS = 20261022, 8
ACTS = ("custom", "outbound", "click", "form", "download")

_numbers = count(1)


def new_site() -> Site:
    """Return a site that no other test has."""
    number = next(_numbers)
    return Site(1_000 + number, f"site-{number}", timezone=ZONE)


def crowd(chance: random.Random, site: Site, people: int, *, daily: bool) -> list[Event]:
    """Return what so many people do; with `daily` a hash lives for a day, and visits over midnight have two."""
    start = bounds(ZONE, FIRST_DAY)[0]
    found: list[Event] = []
    for person in range(people):
        ts = start + chance.randrange(DAYS * DAY_MS)
        for _ in range(chance.randrange(1, 9)):
            found.append(_event(chance, site, person, ts, daily=daily))
            ts += chance.choice([MINUTE, 12 * MINUTE, 29 * MINUTE, 35 * MINUTE, 300 * MINUTE])
    return found


def _event(chance: random.Random, site: Site, person: int, ts: int, *, daily: bool) -> Event:
    day = day_of(ZONE, ts)
    is_early = daily and ts - bounds(ZONE, day)[0] < 30 * MINUTE
    is_known = chance.random() < 0.92
    name = (f"{site.id} {person}@{day}" if daily else f"{site.id} {person}") if is_known else ""
    kind = chance.choice(KINDS)
    properties: dict[str, Property] = {}
    if chance.random() < 0.5:
        properties["plan"] = chance.choice(["pro", "free", "=Pro ✓"])
    return event(
        site,
        ts,
        name,
        chance.choice(["/", "/a", "/b"]),
        kind,
        host=chance.choice(["a.test", "b.test"]),
        previous=who(f"{site.id} {person}@{day_after(day, -1)}") if is_early and is_known else b"",
        source=chance.choice([GOOGLE, NEWS, Source(), INSIDE]),
        place=chance.choice([GERMANY, FRANCE]),
        agent=chance.choice([FIREFOX, SAFARI, Agent()]),
        title=chance.choice(["", "Prices"]),
        name="" if kind == "pageview" else chance.choice(["signup", "play", ""]),
        target="https://x.test/" if kind in ("outbound", "click") else "",
        properties=properties,
        engaged_ms=0 if kind in ACTS else chance.choice([0, 4_000, 12_000]),
        value=chance.choice([0, 1, 2.5]) if kind in ("custom", "vital") else 0,
        currency=chance.choice(["EUR", "EUR", "EUR", "USD"]) if kind == "custom" else "",
        scroll=chance.choice([0, 0, 40, 75, 100]),
        signals=chance.choice([0] * 9 + [1, 4]),
    )
