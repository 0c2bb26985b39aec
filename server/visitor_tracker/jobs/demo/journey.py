"""What one visitor does in one visit: pages, how long and how far they are read, and what is clicked there."""

from collections.abc import Callable
from datetime import date
from random import Random

import msgspec
from msgspec.structs import replace

from visitor_tracker.event import Kind
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.jobs.demo.browsers import viewport
from visitor_tracker.jobs.demo.chance import Weighted, around
from visitor_tracker.jobs.demo.origins import LANDS, NEWSLETTER, Origin
from visitor_tracker.jobs.demo.pages import (
    CONTACT,
    DOWNLOAD,
    HOME,
    MISSING,
    PRICING,
    Page,
    Section,
    pages_of,
    post_before,
    sections_after,
)
from visitor_tracker.jobs.demo.people import Person

_PAGES_MOST = 12
_GOES_ON = 0.68  # who looks at one more page
_ANSWERED = 0.2  # who found all in one page
_SILENT = 0.3  # of bounces: gone before anything more was heard
_MEASURED = 0.1  # visits that report how fast the first page was
_BOUNCE_MS = 9_500
_FOLLOWS = 0.965  # who is luckier follows a link to another site
_SUBSCRIBES = 0.4
_FAULTY, _FAILS = 0.25, 0.002  # pages with an error of their scripts, where there is a fault and else
_READ_MS: dict[Section, float] = {
    "home": 19_000, "product": 27_000, "docs": 55_000, "blog": 80_000, "company": 20_000, "missing": 6_000
}  # fmt: skip
_PLANS = Weighted((("free", 70.0), ("personal", 22.0), ("team", 8.0)))
_PRICES = {"personal": 36.0, "team": 180.0}  # a year
_FILES = {"Windows": "setup.exe", "Macintosh": "dmg", "X11": "AppImage", "Android": "apk"}
_FAULTS = ("TypeError: undefined is not an object (evaluating 'editor.state')", "ResizeObserver loop limit exceeded")
_LINKS = Weighted(
    (
        ("https://github.com/marrow-notes/marrow", 5.0),
        ("https://www.sqlite.org/wal.html", 2.0),
        ("https://commonmark.org/help/", 2.0),
        ("https://fosstodon.org/@marrow", 1.0),
    )
)
_SEARCHED = ("sync", "export", "dark mode", "backup", "import", "tags", "encryption")


class Scene(msgspec.Struct, frozen=True):
    """What visits of a day share: `ago` counts days before the last one, `slow` is how long pages take to load."""

    site: str
    base: str
    day: date
    issue: date  # of the last newsletter
    ago: int
    slow: float
    faulty: bool


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A hit, when it happened and from whom it came."""

    ts: int
    hit: Hit
    client: Client


class Visitor(msgspec.Struct, frozen=True):
    """Who visits, with what brought them: the referrer and query of the first page."""

    person: Person
    client: Client
    origin: Origin
    referrer: str = ""
    query: str = ""


def journey(scene: Scene, visitor: Visitor, start: int, chance: Random) -> list[Sent]:
    """Return the hits of a visit; their ids are made here, from time and chance."""
    write = _Writer(scene, visitor, chance)
    is_bounce = chance.random() < visitor.origin.bounces
    page = _landing(scene, visitor, chance)
    referrer, query, ts = visitor.referrer, visitor.query, start
    for number in range(1 if is_bounce else _length(chance)):
        write.open(page, query)
        write(ts, "pageview", referrer=referrer)
        if page.section == "missing":
            write(ts, "custom", name="404", properties={"path": page.path}, interactive=False)
        if not number and chance.random() < _MEASURED:
            _measure(write, ts)
        stay = _stay(write, page, ts, is_bounce=is_bounce)
        if not is_bounce:
            _act(write, page, ts, stay)
        ts += stay + chance.randrange(200, 3_000)
        referrer, query = scene.base + page.path, ""
        page = _next_page(scene, page, chance)
    return write.sent


class _Writer:
    """Writes down what happens in one visit, page after page."""

    __slots__ = ("_hit", "chance", "scene", "sent", "visitor")

    def __init__(self, scene: Scene, visitor: Visitor, chance: Random) -> None:
        self.scene = scene
        self.visitor = visitor
        self.chance = chance
        self.sent: list[Sent] = []
        person = visitor.person
        self._hit = Hit(
            site=scene.site,
            language=person.language,
            timezone=person.home.timezone,
            screen=person.screen,
            viewport=viewport(person.kind, person.screen),
        )

    def open(self, page: Page, query: str) -> None:
        """Let what follows happen on that page."""
        self._hit = replace(self._hit, url=self.scene.base + page.path + query, title=page.title)

    def __call__(self, ts: int, kind: Kind, **more: object) -> None:
        hit_id = ts.to_bytes(6, "big") + self.chance.randbytes(10)
        self.sent.append(Sent(ts, replace(self._hit, kind=kind, id=hit_id, **more), self.visitor.client))


def _landing(scene: Scene, visitor: Visitor, chance: Random) -> Page:
    if visitor.origin.page is not None:
        return visitor.origin.page
    newest = post_before(scene.ago)
    if visitor.origin is NEWSLETTER and newest is not None:
        return newest
    return _page_in(LANDS[visitor.origin.lands].pick(chance), scene, chance)


def _page_in(section: Section, scene: Scene, chance: Random) -> Page:
    return chance.choice(MISSING) if section == "missing" else pages_of(section, scene.ago).pick(chance)


def _next_page(scene: Scene, page: Page, chance: Random) -> Page:
    """Return where a reader goes from here; hardly ever to the same page."""
    found = _page_in(sections_after(page.section).pick(chance), scene, chance)
    return found if found is not page else pages_of("product", scene.ago).pick(chance)


def _length(chance: Random) -> int:
    pages = 1 if chance.random() < _ANSWERED else 2
    while 1 < pages < _PAGES_MOST and chance.random() < _GOES_ON:
        pages += 1
    return pages


def _stay(write: _Writer, page: Page, ts: int, *, is_bounce: bool) -> int:
    """Write how long and how far the page was read; return how long it was open."""
    chance = write.chance
    if is_bounce:
        engaged = chance.randrange(400, _BOUNCE_MS)
        if chance.random() < _SILENT:
            return engaged
        scroll = chance.randrange(5, 60)
    else:
        engaged = min(1_200_000, 10_500 + int(around(chance, _READ_MS[page.section], 0.8)))
        scroll = min(100, int(around(chance, 62, 0.4)))
    stay = engaged + int(chance.expovariate(1 / 4_000))
    if page.section == "blog" and not is_bounce:
        for depth in (50, 90):
            if scroll >= depth:
                write(ts + engaged * depth // 110, "scroll", scroll=depth)
    write(ts + stay, "engagement", engaged_ms=engaged, scroll=scroll)
    return stay


def _act(write: _Writer, page: Page, ts: int, stay: int) -> None:
    """Write what is clicked, sent and broken on a page while it is open."""
    chance = write.chance
    at = ts + chance.randrange(stay // 4, stay)
    share, act = _ACTS.get(page.path) or _ACTS.get(page.section) or (0.0, _follow)
    luck = chance.random()
    if luck < share:
        act(write, at)
    elif luck > _FOLLOWS:
        _follow(write, at)
    _fail(write, at)


def _follow(write: _Writer, at: int) -> None:
    write(at, "outbound", target=_LINKS.pick(write.chance))


def _search(write: _Writer, at: int) -> None:
    write(at, "custom", name="search", properties={"words": write.chance.choice(_SEARCHED)})


def _download(write: _Writer, at: int) -> None:
    agent = write.visitor.client.user_agent
    end = next((end for system, end in _FILES.items() if system in agent), "")
    if end:
        write(at, "download", target=f"https://files.marrow.example/marrow-2.4.{end}")
    else:
        write(at, "outbound", target="https://apps.apple.com/app/marrow")


def _sign_up(write: _Writer, at: int) -> None:
    plan = _PLANS.pick(write.chance)
    write(at, "custom", name="signup", properties={"plan": plan, "newsletter": write.chance.random() < _SUBSCRIBES})
    price = _PRICES.get(plan)
    if price is not None:
        write(at + 900, "custom", name="purchase", properties={"plan": plan}, value=price, currency="EUR")


# How many do what on a page, or on a page of a section.
_ACTS: dict[str, tuple[float, Callable[[_Writer, int], None]]] = {
    PRICING.path: (0.09, _sign_up),
    DOWNLOAD.path: (0.5, _download),
    CONTACT.path: (0.3, lambda write, at: write(at, "form", name="contact")),
    HOME.path: (0.1, lambda write, at: write(at, "click", name="start-for-free")),
    "docs": (0.05, _search),
    "blog": (0.03, lambda write, at: write(at, "form", name="newsletter")),
}


def _fail(write: _Writer, at: int) -> None:
    """Write an error of the page's scripts, which on some days only Safari has."""
    is_safari = write.visitor.person.kind.engine == "safari"
    if write.scene.faulty and is_safari and write.chance.random() < _FAULTY:
        write(at, "error", name=_FAULTS[0], interactive=False)
    elif write.chance.random() < _FAILS:
        write(at, "error", name=_FAULTS[1], interactive=False)


def _measure(write: _Writer, ts: int) -> None:
    """Write how fast the page was; phones are slower."""
    chance = write.chance
    slow = write.scene.slow * (1.7 if write.visitor.person.is_mobile else 1.0)
    values = {
        "TTFB": around(chance, 190 * slow, 0.5),
        "FCP": around(chance, 780 * slow, 0.4),
        "LCP": around(chance, 1_450 * slow, 0.45),
        "INP": around(chance, 95 * slow, 0.6),
        "CLS": around(chance, 0.03, 1.0),
    }
    for name, value in values.items():
        write(ts + 2_500, "vital", name=name, value=round(value, 3), interactive=False)
