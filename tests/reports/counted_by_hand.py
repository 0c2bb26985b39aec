"""What events come to under filters and in lists, counted one by one, without sessions and rollups."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.reports.traffic import FIREFOX, FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, NEWS, SAFARI, event, who
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, day_after, day_of
from visitor_tracker.event import Agent, Event, Kind, Property, Source
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.sites import Site

SITE = Site(1, "default", timezone="Europe/Berlin")
DAY = bounds("Europe/Berlin", 20260310)[0]
NOW = bounds("Europe/Berlin", 20260331)[0] + 15 * HOUR_MS
LISTED = ("custom", "outbound", "click", "form", "download")
KINDS: tuple[Kind, ...] = (
    "pageview", "pageview", "custom", "custom", "outbound", "click", "form", "engagement", "vital",
)  # fmt: skip
PRICES: tuple[Property, ...] = (9.5, 10, 10.0, "12", "cheap", True, 9)


def visits() -> list[Event]:
    """Return three visits, of three visitors, and what somebody unknown and a robot did.

    anna  DE Google   / with a title, /a, a sign-up for pro (9.5), a vital, a purchase of 20, a link out
    ben   FR news     /a, a sign-up for free (12, as text)
    cara  DE          a sign-up for pro, nothing else
    """
    at = DAY + 9 * HOUR_MS
    anna: dict[str, Any] = {"place": GERMANY, "agent": FIREFOX}
    ben: dict[str, Any] = {"place": FRANCE, "agent": SAFARI}
    pro: dict[str, Property] = {"plan": "pro", "price": 9.5, "trial": True}
    return [
        event(SITE, at, "anna", "/", source=GOOGLE, title="Welcome, all!", **anna),
        event(SITE, at + MINUTE, "anna", "/a", source=INSIDE, engaged_ms=30_000, title="Prices", **anna),
        event(SITE, at + 2 * MINUTE, "anna", "/a", "custom", name="signup", properties=pro, **anna),
        event(SITE, at + 2 * MINUTE, "anna", "/a", "vital", name="LCP", value=2.5, **anna),
        event(SITE, at + 3 * MINUTE, "anna", "/b", "custom", name="buy", value=20.0, properties={"n": 3}, **anna),
        event(SITE, at + 4 * MINUTE, "anna", "/b", "outbound", target="https://x.test/", **anna),
        event(SITE, at + 2 * HOUR_MS, "ben", "/a", source=NEWS, title="Prices", scroll=80, **ben),
        event(
            SITE, at + 2 * HOUR_MS + 1, "ben", "/a", "custom", name="signup",
            properties={"plan": "free", "price": "12", "n": 3.0}, **ben,
        ),
        event(SITE, at + 3 * HOUR_MS, "cara", "/", "custom", name="signup", properties={"plan": "pro"}, place=GERMANY),
        event(SITE, at + 3 * HOUR_MS, "", "/a", "custom", name="signup", properties={"plan": "pro"}, **ben),
        event(SITE, at, "robot", "/a", "custom", name="signup", properties={"plan": "pro"}, signals=1),
    ]  # fmt: skip


@dataclass(frozen=True)
class Visited:
    """A visit as the model of these tests has it: its events in order, and those of its events that are actions."""

    events: Sequence[Event]

    @property
    def acts(self) -> list[Event]:
        return [each for each in self.events if each.kind == "pageview" or each.kind in LISTED]

    @property
    def is_visit(self) -> bool:
        return bool(self.acts and self.events[0].visitor)

    @property
    def head(self) -> Event:
        return (self.acts or self.events)[0]

    @property
    def views(self) -> list[Event]:
        return [each for each in self.events if each.kind == "pageview"]

    @property
    def entry(self) -> str:
        return path(self.views[0]) if self.views and self.is_visit else ""

    @property
    def duration_ms(self) -> int:
        return self.events[-1].ts - self.events[0].ts


def path(happened: Event) -> str:
    return happened.url.removeprefix("https://").partition("/")[1] + happened.url.split("/", 3)[3]


def visited(events: Iterable[Event]) -> list[Visited]:
    """Cut events into visits: at pauses of more than half an hour, and going on over the midnight of a new hash."""
    sessions: dict[bytes, list[list[Event]]] = defaultdict(list)
    alone: list[Visited] = []
    for each in sorted({each.id: each for each in events}.values(), key=lambda each: (each.ts, each.id)):
        if each.signals & ~4:
            continue
        if not each.visitor:
            alone.append(Visited([each]))
        elif (own := sessions[each.visitor]) and each.ts - own[-1][-1].ts <= 30 * MINUTE:
            own[-1].append(each)
        else:
            own.append([each])
    join(sessions)
    return alone + [Visited(own) for each in sessions.values() for own in each]


def join(sessions: dict[bytes, list[list[Event]]]) -> None:
    """Put the first session of a hash to the last one of the hash before, where it goes on with it."""
    links = sorted({(visitor, each.previous) for visitor, own in sessions.items() for part in own for each in part})
    for visitor, previous in links:
        if visitor not in sessions or previous not in sessions:
            continue
        earlier, first = sessions[previous][-1], sessions[visitor][0]
        is_near = 0 <= first[0].ts - earlier[-1].ts <= 30 * MINUTE
        if is_near and earlier[0].ts - bounds(SITE.timezone, earlier[0].day)[0] >= 30 * MINUTE:
            earlier.extend(sessions[visitor].pop(0))


Holds = Callable[[Visited, Event], bool]


def number(value: Property | None) -> float:
    if isinstance(value, bool) or value in (None, ""):
        return float("nan")
    return float(str(value)) if str(value).replace(".", "").isdigit() else float("nan")


FILTERS: list[tuple[str, Holds]] = [
    ("prop:plan is pro", lambda visit, each: each.properties.get("plan") == "pro"),
    ("prop:plan is not pro", lambda visit, each: each.properties.get("plan") != "pro"),
    ("prop:plan contains r", lambda visit, each: "r" in str(each.properties.get("plan", "")).lower()),
    ("prop:price > 9.5", lambda visit, each: number(each.properties.get("price")) > 9.5),
    ("prop:price <= 10", lambda visit, each: number(each.properties.get("price")) <= 10),
    ("not prop:price <= 10", lambda visit, each: not number(each.properties.get("price")) <= 10),
    ("kind is engagement,vital", lambda visit, each: each.kind in ("engagement", "vital")),
    ("title glob ?*", lambda visit, each: bool(each.title)),
    ("target is https://x.test/", lambda visit, each: each.target == "https://x.test/"),
    (
        "prop:plan is pro and country is DE and page is /a",
        lambda visit, each: (
            each.properties.get("plan") == "pro" and visit.head.place.country == "DE" and path(each) == "/a"
        ),
    ),
    (
        "prop:plan is pro or country is DE and event contains SIGN",
        lambda visit, each: (
            each.properties.get("plan") == "pro"
            or (visit.head.place.country == "DE" and each.kind == "custom" and "sign" in each.name)
        ),
    ),
    (
        "not (entry is /a or kind is custom) or prop:plan is free and source is Google",
        lambda visit, each: (
            not (visit.entry == "/a" or each.kind == "custom")
            or (each.properties.get("plan") == "free" and visit.head.source == GOOGLE)
        ),
    ),
    ("kind is pageview or kind is not pageview", lambda visit, each: True),
]


class Model:
    """What events come to, counted one by one."""

    def __init__(self, events: Iterable[Event], holds: Holds, first: int, last: int) -> None:
        self.visits = [(visit, [each for each in visit.events if holds(visit, each)]) for visit in visited(events)]
        self._days = (first, last)

    def _within(self, each: Event) -> bool:
        return self._days[0] <= each.day <= self._days[1]

    def numbers(self, value: Callable[[Visited, Event], str] | None = None, wanted: str = "") -> Numbers:
        """Return totals, or those of the events with a value: a visit counts at the first of these."""
        visitors: set[bytes] = set()
        found = dict.fromkeys(("visits", "views", "events", "engaged_ms", "bounces", "singles", "duration_ms"), 0)
        for visit, selected in self.visits:
            own = [each for each in selected if value is None or value(visit, each) == wanted]
            here = [each for each in own if self._within(each)]
            found["views"] += sum(each.kind == "pageview" for each in here)
            found["events"] += sum(each.kind in LISTED for each in here)
            found["engaged_ms"] += sum(each.engaged_ms for each in here)
            if not visit.is_visit:
                continue
            visitors |= {each.visitor for each in here}
            if own and self._within(own[0]):
                found["visits"] += 1
                found["duration_ms"] += visit.duration_ms
                if len(visit.views) <= 1:
                    found["singles"] += 1
                    is_short = sum(each.engaged_ms for each in visit.events) < 10_000
                    found["bounces"] += is_short and not any(each.kind in LISTED for each in visit.events)
        return Numbers(visitors=len(visitors), **found)

    def values(self, value: Callable[[Visited, Event], str]) -> set[str]:
        found = {value(visit, each) for visit, selected in self.visits for each in selected if self._within(each)}
        return found - {""}

    def times(self, value: Callable[[Visited, Event], str], wanted: str) -> int:
        """Return how many selected events have the value, whatever their kinds."""
        return sum(
            self._within(each) and value(visit, each) == wanted for visit, selected in self.visits for each in selected
        )


def crowd(seed: int, *, daily: bool) -> list[Event]:
    """Return what fifty people do on three days around the end of summer time, with visits that go over midnight."""
    chance = random.Random(seed)
    start = bounds(SITE.timezone, 20261024)[0]
    found = []
    for person in range(50):
        ts = start + chance.randrange(3 * DAY_MS)
        for _ in range(chance.randrange(1, 12)):
            day = day_of(SITE.timezone, ts)
            name = f"{person}@{day}" if daily else str(person)
            is_early = daily and ts - bounds(SITE.timezone, day)[0] < 30 * MINUTE
            is_known = chance.random() < 0.9
            kind = chance.choice(KINDS)
            properties: dict[str, Property] = {}
            if chance.random() < 0.6:
                properties["plan"] = chance.choice(["pro", "free", "Pro ✓", ""])
            if chance.random() < 0.4:
                properties["price"] = chance.choice(PRICES)
            found.append(
                event(
                    SITE,
                    ts,
                    name if is_known else "",
                    chance.choice(["/", "/a", "/b"]),
                    kind,
                    previous=who(f"{person}@{day_after(day, -1)}") if is_early and is_known else b"",
                    source=chance.choice([GOOGLE, NEWS, Source(), INSIDE]),
                    place=chance.choice([GERMANY, FRANCE]),
                    agent=chance.choice([FIREFOX, Agent()]),
                    title=chance.choice(["", "Prices"]),
                    name="" if kind == "pageview" else chance.choice(["signup", "play", ""]),
                    target="https://x.test/" if kind == "outbound" else "",
                    properties=properties,
                    engaged_ms=chance.choice([0, 4_000, 12_000]),
                    signals=chance.choice([0] * 9 + [1, 4]),
                )
            )
            ts += chance.randrange(MINUTE, 35 * MINUTE)
    return found


VALUES: dict[str, Callable[[Visited, Event], str]] = {
    "prop:plan": lambda visit, each: str(each.properties.get("plan", "")),
    "prop:price": lambda visit, each: {"10.0": "10", "True": "true"}.get(
        str(each.properties.get("price", "")), str(each.properties.get("price", ""))
    ),
    "title": lambda visit, each: each.title,
    "kind": lambda visit, each: each.kind,
    "event": lambda visit, each: each.name if each.kind == "custom" else "",
    "page": lambda visit, each: path(each),
    "country": lambda visit, each: visit.head.place.country,
    "entry": lambda visit, each: visit.entry,
}
