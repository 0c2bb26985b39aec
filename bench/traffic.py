"""Events as a busy site sends them: many visits at once, in the order of time. The same plan makes the same events.

A visit is one to eight pageviews with what people do on pages in between. Pages, sources, places and devices have the
long tails of real ones; one visitor in eight comes again on the same day; one event in twenty is a robot's. Day keys
change at midnight, so a visit that goes on has another visitor's hash there, and tells the one before.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from random import Random
from typing import Literal, TypeVar

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, day_after
from visitor_tracker.event import DEFAULT_SITE, Agent, Channel, Event, Kind, Place, Signal, Source

T = TypeVar("T")

PAGES, SOURCES, PLACES, TARGETS = 2_000, 150, 120, 300
EVENTS_PER_VISIT = 5.0  # on average
_DRAWN = 1 << 16  # values drawn beforehand of each kind; a visit takes any of them by 16 random bits
_LAST_DRAWN = _DRAWN - 1
_SLOT_MS = 10 * 60_000  # visits that begin in so long a time are made at once
_HALF_HOUR_MS = 30 * 60_000
_SPREAD = 2_654_435_761  # a multiplier that spreads numbers that follow each other; Knuth, TAOCP 3, 6.4
_COME_AGAIN, _RECENT = 0.12, 20_000  # how many visits are of somebody who was here, among so many last ones
_ROBOTS = 0.0626  # of visits, so that they are 5 % of events
_ENGAGED = 0.75  # of pages are told how long they were looked at

_BY_HOUR = (3, 2, 2, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 11, 11, 10, 9, 9, 9, 9, 8, 7, 6, 4)
_BY_WEEKDAY = (1.1, 1.15, 1.15, 1.1, 1.0, 0.75, 0.75)
_VISIT_PAGES = (45, 18, 12, 8, 6, 5, 3, 3)  # weights of 1, 2, 3 … pages
_ACTIONS: tuple[tuple[Kind, float], ...] = (
    ("custom", 0.06), ("outbound", 0.03), ("download", 0.01), ("form", 0.005), ("click", 0.025), ("scroll", 0.12),
)  # fmt: skip
_NAMES = ("signup", "search", "play", "add_to_cart", "checkout", "share", "copy_code", "filter", "vote", "print")
_BROWSERS: tuple[tuple[str, str, str, Literal["desktop", "mobile", "tablet"]], ...] = (
    ("Chrome", "Windows", "10", "desktop"), ("Safari", "iOS", "18", "mobile"), ("Chrome", "Android", "15", "mobile"),
    ("Safari", "macOS", "15", "desktop"), ("Edge", "Windows", "10", "desktop"), ("Firefox", "Linux", "", "desktop"),
    ("Chrome", "macOS", "15", "desktop"), ("Samsung Internet", "Android", "14", "mobile"),
    ("Firefox", "Windows", "10", "desktop"), ("Safari", "iPadOS", "18", "tablet"),
)  # fmt: skip
_INTERNAL = Source("internal")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which days, how many events on an average one; the site's calendar is UTC. The first day begins with an hour."""

    first_day: int = 20_250_101
    first_hour: int = 0
    days: int = 30
    per_day: int = 30_000
    seed: int = 1
    site_id: int = DEFAULT_SITE


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a visitor is and with what."""

    place: Place
    agent: Agent
    language: str
    screen: str
    viewport: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Who visits, from where; `number` is the person's."""

    number: int
    setting: Setting
    signals: int = 0


def batches(plan: Plan, size: int = 500) -> Iterator[list[Event]]:
    """Yield the plan's events, so many at a time; memory holds what happens within an hour or so."""
    waiting: list[Event] = []
    for slot in Traffic(plan).slots():
        waiting += slot
        for start in range(0, len(waiting) - size + 1, size):
            yield waiting[start : start + size]
        del waiting[: len(waiting) // size * size]
    if waiting:
        yield waiting


class Traffic:
    """Makes the events of one plan; used once, by one thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = Random(plan.seed)
        self._people = 0
        self._pages = self._drawn(pages(), [1 / rank for rank in range(1, PAGES + 1)])
        self._sources = self._drawn(sources(), [SOURCES * 1.2] + [1 / rank * 60 for rank in range(1, SOURCES)])
        self._settings = self._drawn_settings()
        self._targets = self._drawn(targets(), [1 / rank for rank in range(1, TARGETS + 1)])
        self._dwells = [int(2_000 + min(self._chance.expovariate(1 / 40_000), 600_000)) for _ in range(_DRAWN)]
        self._crawlers = robots()

    def slots(self) -> Iterator[list[Event]]:
        """Yield the events of one slot of time after the other, sorted."""
        plan, chance = self._plan, self._chance
        begin, _ = bounds("UTC", plan.first_day)
        going_on: list[Event] = []
        for start in range(begin + plan.first_hour * HOUR_MS, begin + plan.days * DAY_MS, _SLOT_MS):
            hour, weekday = start % DAY_MS // HOUR_MS, (start // DAY_MS + 3) % 7  # 1970 began on a Thursday
            share = _BY_HOUR[hour] / sum(_BY_HOUR) * _BY_WEEKDAY[weekday] * 24 * _SLOT_MS / DAY_MS
            exact = plan.per_day * share / EVENTS_PER_VISIT
            for _ in range(int(exact + chance.random())):
                going_on += self._visit(start + int(chance.random() * _SLOT_MS))
            going_on.sort(key=_ts)
            end = bisect_left(going_on, start + _SLOT_MS, key=_ts)
            yield going_on[:end]
            del going_on[:end]
        if going_on:
            yield going_on

    def _visit(self, ts: int) -> list[Event]:
        chance = self._chance
        if chance.random() < _ROBOTS:
            setting, signals = self._crawlers[chance.getrandbits(16) % len(self._crawlers)]
            number = -1 - chance.getrandbits(10)
            return self._crawl(Visit(number, setting, signals), ts)
        if self._people > _RECENT and chance.random() < _COME_AGAIN:
            number = self._people - int(chance.random() * _RECENT)
        else:
            self._people = number = self._people + 1
        return self._look_around(Visit(number, self._settings[number * _SPREAD >> 8 & _LAST_DRAWN]), ts)

    def _crawl(self, visit: Visit, ts: int) -> list[Event]:
        bits, pages, day = self._chance.getrandbits, self._pages, _Day(visit.number, ts)
        made = []
        for _ in range(1 + bits(16) % 7):
            day = day if ts < day.end else _Day(visit.number, ts)
            made.append(self._event("pageview", ts, day, visit, pages[bits(16)], Source()))
            ts += 500 + bits(12)
        return made

    def _look_around(self, visit: Visit, ts: int) -> list[Event]:
        bits, random, day = self._chance.getrandbits, self._chance.random, _Day(visit.number, ts)
        source = self._sources[bits(16)]
        made = []
        for _ in range(self._chance.choices(range(1, 9), _VISIT_PAGES)[0]):
            day = day if ts < day.end else _Day(visit.number, ts)
            page, dwell = self._pages[bits(16)], self._dwells[bits(16)]
            made.append(self._event("pageview", ts, day, visit, page, source))
            moment = random()
            for kind, share in _ACTIONS:
                if moment < share:
                    made.append(self._action(kind, ts + dwell // 2, day, visit, page))
                    break
                moment -= share
            ts += dwell
            day = day if ts < day.end else _Day(visit.number, ts)
            if random() < _ENGAGED:
                made.append(self._event("engagement", ts, day, visit, page, _INTERNAL, engaged_ms=dwell * 7 // 10))
            ts += 300
            source = _INTERNAL
        return made

    def _action(self, kind: Kind, ts: int, day: "_Day", visit: Visit, page: Page) -> Event:
        bits = self._chance.getrandbits
        name = target = ""
        if kind in ("custom", "form", "click"):
            name = _NAMES[min(bits(4), bits(4)) % len(_NAMES)]
        if kind in ("outbound", "download"):
            target = self._targets[bits(16)] + (".pdf" if kind == "download" else "")
        day = day if ts < day.end else _Day(visit.number, ts)
        return self._event(kind, ts, day, visit, page, _INTERNAL, name=name, target=target)

    def _event(  # noqa: PLR0913
        self,
        kind: Kind,
        ts: int,
        day: "_Day",
        visit: Visit,
        page: Page,
        source: Source,
        *,
        name: str = "",
        target: str = "",
        engaged_ms: int = 0,
    ) -> Event:
        setting = visit.setting
        return Event(
            (ts << 80 | self._chance.getrandbits(80)).to_bytes(16, "big"),
            kind,
            self._plan.site_id,
            ts,
            ts,
            day.number,
            day.visitor,
            day.previous if ts < day.half_past else b"",
            b"",
            b"",
            page.url,
            source,
            setting.place,
            setting.agent,
            setting.language,
            visit.signals,
            page.title if kind == "pageview" else "",
            name,
            target,
            {"plan": "free"} if name == "signup" else {},
            setting.screen,
            setting.viewport if kind == "pageview" else "",
            engaged_ms,
            75 if kind == "scroll" else 0,
        )

    def _drawn(self, values: Sequence[T], weights: Sequence[float]) -> list[T]:
        return self._chance.choices(values, weights, k=_DRAWN)

    def _drawn_settings(self) -> list[Setting]:
        """Return who visits: of each country its own languages, of each device its own screens."""
        chance = self._chance
        where = self._drawn(places(), [1 / rank for rank in range(1, PLACES + 1)])
        agents = browsers()
        what = self._drawn(agents, [1 / rank**0.8 for rank in range(1, len(agents) + 1)])
        made: dict[tuple[int, int, int, bool], Setting] = {}
        drawn = []
        for place, agent in zip(where, what, strict=True):
            size, abroad = min(chance.getrandbits(2), chance.getrandbits(2)), chance.random() < 0.1
            key = (id(place), id(agent), size, abroad)
            if key not in made:
                screen, viewport = _SCREENS[agent.device][size]
                language = "en-US" if abroad else f"{place.country.lower()}-{place.country}"
                made[key] = Setting(place, agent, language, screen, viewport)
            drawn.append(made[key])
        return drawn


class _Day:
    """A person under the key of one day."""

    __slots__ = ("end", "half_past", "number", "previous", "visitor")

    def __init__(self, person: int, ts: int) -> None:
        index = ts // DAY_MS
        self.end = (index + 1) * DAY_MS
        self.half_past = self.end - DAY_MS + _HALF_HOUR_MS
        self.number = day_after(19_700_101, index)
        self.visitor = _hash(person, index)
        self.previous = _hash(person, index - 1) if ts < self.half_past else b""


def _hash(person: int, day: int) -> bytes:
    return blake2b(b"%d %d" % (person, day), digest_size=16).digest()


_ts = attrgetter("ts")

_SCREENS: dict[str, tuple[tuple[str, str], ...]] = {
    "desktop": (
        ("1920x1080", "1872x940"),
        ("1536x864", "1488x730"),
        ("2560x1440", "1600x1200"),
        ("1440x900", "1440x789"),
    ),
    "mobile": (("390x844", "390x664"), ("412x915", "412x785"), ("360x800", "360x672"), ("430x932", "430x739")),
    "tablet": (("820x1180", "820x1106"), ("768x1024", "768x954"), ("800x1280", "800x1121"), ("744x1133", "744x1059")),
}


def pages() -> list[Page]:
    """Return the site's pages, the most visited first."""
    sections = ("blog", "docs", "news", "products", "help")
    first = [Page("https://example.com/", "Example: welcome"), Page("https://example.com/pricing", "Pricing")]
    rest = range(PAGES - len(first))
    base = "https://example.com"
    return first + [Page(f"{base}/{sections[n % 5]}/{n // 100}/name-of-page-{n}", f"Name of page {n}") for n in rest]


def sources() -> list[Source]:
    """Return what brings visitors; the first is nothing at all."""
    kinds: tuple[Channel, ...] = ("search", "social", "referral", "referral", "campaign", "email", "ai", "paid")
    found = [Source(), Source("search", "Google", "www.google.com"), Source("social", "Reddit", "www.reddit.com/r/web")]
    for n in range(SOURCES - len(found)):
        channel = kinds[n % len(kinds)]
        if channel in ("campaign", "email", "paid"):
            medium = "newsletter" if channel == "email" else "banner"
            found.append(Source(channel, f"partner{n}", "", f"partner{n}", medium, f"spring-{n % 12}", "", f"v{n % 3}"))
        else:
            found.append(Source(channel, f"site{n}.example", f"site{n}.example/a/link-{n}"))
    return found


def places() -> list[Place]:
    """Return cities: six of each of the first countries, fewer of the others."""
    codes = ("US", "DE", "GB", "FR", "IN", "BR", "JP", "NL", "CA", "ES", "IT", "PL", "SE", "AU", "CH", "AT", "MX", "KR")
    rest = (first + second for first in "ABEFGHKLMNPRSTUZ" for second in "ACDEGHKLMNRSTU")
    found = [Place(code, f"Region {n % 3}", f"City {n}") for code in codes[:15] for n in range(4)]
    others = [code for code in (*codes[15:], *rest) if code not in codes[:15]]
    found += [Place(code, "Region 0", "City 0") for code in others[: PLACES - len(found)]]
    return found


def browsers() -> list[Agent]:
    """Return user agents: browsers of some versions on their systems."""
    return [
        Agent(name, str(138 - version), system, of, device)
        for version in range(4)
        for name, system, of, device in _BROWSERS
    ]


def robots() -> list[tuple[Setting, int]]:
    """Return crawlers by name, and browsers that nobody looks at, with what speaks against them."""
    cloud = Place("US", "Virginia", "Ashburn", "Example Cloud")
    named = ("Googlebot", "bingbot", "GPTBot", "AhrefsBot", "YandexBot", "Applebot", "ClaudeBot", "SemrushBot")
    crawlers = [(Setting(cloud, Agent(device="bot", bot=name), "", "", ""), Signal.USER_AGENT) for name in named]
    browser = Setting(cloud, Agent("Chrome", "138", "Linux", "", "desktop"), "en-US", "800x600", "800x600")
    seen = (Signal.HEADLESS | Signal.AUTOMATION, Signal.RATE, Signal.PROBE_PATH | Signal.MISSING_HEADERS)
    return [(setting, int(signals)) for setting, signals in (*crawlers, *((browser, signals) for signals in seen))]


def targets() -> list[str]:
    """Return where outbound links and downloads lead."""
    return [f"https://elsewhere{n}.example/a/place" for n in range(TARGETS)]
