"""Kinds of people and of robots, and their days as the tracker sees them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from visitor_tracker.event import Agent
from visitor_tracker.ingest.behaviour.days import Step, VisitorDay

_DAY = 1_790_000_000_000 // 86_400_000 * 86_400_000  # a day of 2026
_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "inlet",
    "jetty",
    "knoll",
    "larch",
    "maple",
    "north",
    "oasis",
    "pearl",
]
_SLUGS = [f"{first}-{second}" for first in _WORDS for second in _WORDS]
_SITE = [f"/{section}/{slug}" for section in ("blog", "docs", "shop", "about") for slug in _SLUGS]
_SITE += ["/", "/blog", "/docs", "/shop", "/contact", "/search", "/cart"]
_SCREENS = ("1920x1080", "1536x864", "1440x900", "390x844", "412x915", "2560x1440", "1366x768")
_NOW_CHROME = 158


@dataclass(frozen=True)
class View:
    """A page, seconds into the day; `read` seconds it was looked at, `by_link` a page of the site led there."""

    at: float
    page: str
    read: float = 0.0
    by_link: bool = True
    clicks: int = 0
    brought: bool = False


@dataclass(frozen=True)
class Kind:
    """`views` makes a day; robots that run no script (`runs_script` False) are unseen where only the script counts."""

    name: str
    views: Callable[[Random], Iterator[View]]
    runs_script: bool = True
    organisation: Callable[[Random], str] = lambda _: ""
    version: Callable[[Random], int] = lambda random: random.randint(_NOW_CHROME - 6, _NOW_CHROME)
    screens: Callable[[Random], frozenset[str]] = lambda random: frozenset({random.choice(_SCREENS)})


def day_of(kind: Kind, random: Random, *, by_script: bool) -> VisitorDay:
    """Return one visitor's day of a kind."""
    seen = by_script and kind.runs_script
    steps: list[Step] = []
    for number, view in enumerate(sorted(kind.views(random), key=lambda view: view.at)):
        ts = _DAY + int(view.at * 1000)
        led = view.by_link and number > 0
        steps.append(
            Step(ts, f"example.com{view.page}", True, seen and led, has_screen=seen, came_from=seen and view.brought)
        )
        if seen and view.read > 0.3:
            read = int(view.read * 1000)
            scroll = random.randint(5, 100)
            steps.append(Step(ts + read, steps[-1].page, False, engaged_ms=read, scroll=scroll, has_screen=True))
        if seen:
            steps += [Step(ts + 900 * n, steps[-1].page, False, is_action=True) for n in range(view.clicks)]
    steps.sort(key=lambda step: step.ts)
    agent = Agent("Chrome", str(kind.version(random)), "Windows", "10", "desktop")
    screens = kind.screens(random) if seen else frozenset()
    return VisitorDay(tuple(steps), agent, kind.organisation(random), screens, frozenset())


# People.


def _popular(random: Random) -> str:
    """Return a page as readers choose it: few of them most of the time."""
    return _SITE[min(len(_SITE) - 1, int(random.paretovariate(0.9)) - 1)]


def _reading(random: Random, median: float, sigma: float = 1.0) -> float:
    return random.lognormvariate(0, sigma) * median


def _visits(  # noqa: PLR0913 - the rest by keyword
    random: Random, visits: int, pages: tuple[int, int], median: float, *, sigma: float = 1.0, engaged: float = 0.8
) -> Iterator[View]:
    for _ in range(visits):
        at = random.uniform(7, 22) * 3600
        for number in range(random.randint(*pages)):
            stay = _reading(random, median, sigma)
            page = random.choice(_SITE) if random.random() < 0.4 else _popular(random)
            read = stay * random.uniform(0.3, 1) if random.random() < engaged else 0.0
            clicks = random.choice((0, 0, 0, 1, 2))
            yield View(at, page, min(read, 1800), random.random() < 0.85, clicks, number == 0 and random.random() < 0.6)
            at += 1 + stay


def _ordinary(random: Random) -> Iterator[View]:
    return _visits(random, random.choice((1, 1, 1, 2, 3)), (1, 12), 30)


def _fast(random: Random) -> Iterator[View]:
    return _visits(random, random.randint(1, 3), (15, 60), 5, sigma=0.8)


def _power(random: Random) -> Iterator[View]:
    return _visits(random, random.randint(6, 25), (5, 30), 20, sigma=1.2)


def _comic(random: Random) -> Iterator[View]:
    """Reads a series from its beginning: each page once, in order, at an even pace."""
    at, first = random.uniform(8, 20) * 3600, random.randint(1, 200)
    for number in range(first, first + random.randint(30, 160)):
        stay = _reading(random, 12, 0.45)
        yield View(at, f"/comic/{number}", stay * 0.9)
        at += 1 + stay + (random.expovariate(1 / 300) if random.random() < 0.04 else 0)


def _tabs(random: Random) -> Iterator[View]:
    """Opens many results in tabs at once, then reads some."""
    at = random.uniform(8, 20) * 3600
    for _ in range(random.randint(2, 6)):
        for _ in range(random.randint(5, 20)):
            at += random.uniform(0.3, 1.5)
            yield View(at, random.choice(_SITE), _reading(random, 20) if random.random() < 0.5 else 0.0)
        at += random.uniform(120, 1500)


def _office(random: Random) -> Iterator[View]:
    """Many people with one address and one browser, as one visitor."""
    for _ in range(random.randint(10, 60)):
        yield from _ordinary(random)


def _hospital(random: Random) -> Iterator[View]:
    """The same round the clock."""
    for _ in range(random.randint(40, 120)):
        shift = random.uniform(-7, 1.9) * 3600
        for view in _ordinary(random):
            yield View(view.at + shift, view.page, view.read, view.by_link, view.clicks, view.brought)


def _kiosk(random: Random) -> Iterator[View]:
    """A screen in a hall that loads its page anew all day."""
    every, at = random.choice((30, 60, 300)), random.uniform(0, 3600)
    while at < 86_000:
        yield View(at, "/board", every * 0.9 if random.random() < 0.5 else 0.0, False)
        at += every + random.uniform(-0.2, 0.2)


def _slides(random: Random) -> Iterator[View]:
    """A screen that shows a few pages in turn."""
    every, at, number = random.choice((20, 45, 90)), 6 * 3600.0, 0
    while at < 20 * 3600:
        yield View(at, f"/slide/{number % 5}", every * 0.95)
        at += every + random.uniform(-0.1, 0.1)
        number += 1


def _feed(random: Random) -> Iterator[View]:
    """A reader of feeds that asks every half hour, and a person who opens what is new."""
    at = random.uniform(0, 1800)
    while at < 86_000:
        yield View(at, "/feed.xml", 0.0, False)
        at += 1800 + random.uniform(0, 2)
    yield from _visits(random, 2, (1, 4), 40)


def _idle(random: Random) -> Iterator[View]:
    """Looks at many pages of a shop for a moment each, and blocks what tells of reading."""
    return _visits(random, random.randint(1, 2), (20, 50), 8, sigma=0.9, engaged=0.0)


def _vpn(random: Random) -> Iterator[View]:
    return _visits(random, random.randint(1, 4), (2, 20), 25)


def _clerk(random: Random) -> Iterator[View]:
    """Works through a list: each entry from a bookmark or another program, once, quickly."""
    at = 9 * 3600.0
    for page in sorted(random.sample(_SITE, random.randint(20, 60))):
        stay = _reading(random, 40, 0.7)
        yield View(at, page, stay * 0.7, False, random.choice((0, 1, 1, 2)))
        at += stay + 3


_RENTED = ("Amazon.com, Inc.", "DigitalOcean, LLC", "Hetzner Online GmbH", "OVH SAS", "Google Cloud")

PEOPLE = [
    Kind("ordinary readers", _ordinary),
    Kind("fast readers", _fast),
    Kind("power users", _power),
    Kind("readers of a series", _comic),
    Kind("openers of tabs", _tabs),
    Kind("offices behind one address", _office, screens=lambda random: frozenset(random.sample(_SCREENS, 4))),
    Kind("the same round the clock", _hospital, screens=lambda random: frozenset(random.sample(_SCREENS, 4))),
    Kind("kiosks", _kiosk),
    Kind("slide shows", _slides),
    Kind("readers of feeds", _feed),
    Kind("blockers of engagement", _idle),
    Kind("users of VPNs", _vpn, organisation=lambda random: random.choice((*_RENTED, "M247 Europe SRL"))),
    Kind("clerks with a list", _clerk),
    Kind("old browsers", _ordinary, version=lambda random: random.randint(60, 110)),
]


# Robots.


def _crawl(
    random: Random,
    pages: int,
    gap: Callable[[], float],
    *,
    order: str = "random",
    read: Callable[[], float] | None = None,
) -> Iterator[View]:
    at = random.uniform(0, 3) * 3600
    wanted = random.sample(_SITE, min(pages, len(_SITE)))
    if order == "sorted":
        wanted.sort()
    for page in wanted:
        if at > 86_300:
            return
        yield View(at, page, read() if read else 0.0, False)
        at += gap()


def _even(random: Random) -> Iterator[View]:
    pause = random.choice((1, 2, 5, 10))
    return _crawl(random, random.randint(60, 800), lambda: pause + random.uniform(-0.1, 0.1))


def _sorted(random: Random) -> Iterator[View]:
    return _crawl(random, random.randint(60, 800), lambda: random.uniform(0.5, 4), order="sorted")


def _jittered(random: Random) -> Iterator[View]:
    return _crawl(random, random.randint(60, 500), lambda: random.uniform(2, 12))


def _poisson(random: Random) -> Iterator[View]:
    return _crawl(random, random.randint(80, 500), lambda: random.expovariate(1 / 8))


def _slow(random: Random) -> Iterator[View]:
    return _crawl(random, 2000, lambda: random.uniform(60, 240))


def _slow_even(random: Random) -> Iterator[View]:
    return _crawl(random, 2000, lambda: 120 + random.uniform(-2, 2))


def _small(random: Random) -> Iterator[View]:
    return _crawl(random, random.randint(15, 40), lambda: random.uniform(1, 4))


def _headless(random: Random) -> Iterator[View]:
    return _crawl(random, random.randint(30, 300), lambda: random.uniform(3, 9))


def _pretender(random: Random) -> Iterator[View]:
    return _crawl(
        random, random.randint(30, 300), lambda: random.uniform(6, 9), read=lambda: 5 + random.uniform(-0.2, 0.2)
    )


def _good_pretender(random: Random) -> Iterator[View]:
    """Waits and reads as people do, and follows links: only the pages give it away."""
    for view in _crawl(random, random.randint(60, 300), lambda: _reading(random, 20)):
        yield View(view.at, view.page, _reading(random, 15), random.random() < 0.85)


def _hammer(random: Random) -> Iterator[View]:
    at = random.uniform(0, 80_000)
    for _ in range(random.randint(150, 2000)):
        yield View(at, "/", 0.0, False)
        at += random.uniform(0.05, 0.4)


def _prices(random: Random) -> Iterator[View]:
    """Looks at the same thirty pages every hour."""
    wanted = random.sample(_SITE, 30)
    for hour in range(24):
        at = hour * 3600 + random.uniform(0, 60)
        for page in wanted:
            yield View(at, page, 0.0, False)
            at += random.uniform(1, 3)


def _rented(random: Random) -> str:
    return random.choice(_RENTED) if random.random() < 0.7 else ""


def _old(random: Random) -> int:
    return random.choice((random.randint(60, 125), random.randint(126, _NOW_CHROME)))


def _no_screen(random: Random) -> frozenset[str]:
    return frozenset({random.choice(("800x600", "800x600", "1920x1080"))})


ROBOTS = [
    Kind("even crawlers", _even, False, _rented, _old),
    Kind("alphabetical crawlers", _sorted, False, _rented, _old),
    Kind("jittered crawlers", _jittered, False, _rented, _old),
    Kind("crawlers with chance gaps", _poisson, False, _rented, _old),
    Kind("slow jittered crawlers", _slow, False, _rented, _old),
    Kind("slow even crawlers", _slow_even, False, _rented, _old),
    Kind("small crawls, no network known", _small, False),
    Kind("headless browsers", _headless, True, _rented, _old, _no_screen),
    Kind("headless that wait 5 s a page", _pretender, True, _rented, _old, _no_screen),
    Kind("headless that act like readers", _good_pretender, True, _rented, _old, _no_screen),
    Kind("hammers of one page", _hammer, False, _rented, _old),
    Kind("price watchers", _prices, True, _rented, _old, _no_screen),
]
