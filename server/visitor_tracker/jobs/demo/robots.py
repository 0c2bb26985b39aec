"""Robots: crawlers, monitors, browsers without a screen, referrer spam, and those that look for holes."""

from random import Random
from typing import Literal

import msgspec

from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.jobs.demo.chance import Weighted, about
from visitor_tracker.jobs.demo.journey import Scene, Sent
from visitor_tracker.jobs.demo.pages import HOME, Page, Section, pages_of
from visitor_tracker.jobs.demo.people import address

_RUNS = 0.045  # of the visits of a day
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko"
_CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT}) Chrome/120.0.0.0 Safari/537.36"


class Robot(msgspec.Struct, frozen=True):
    """How a robot calls itself, what it wants, and how many pages in one run."""

    text: str
    wants: Literal["pages", "home", "holes", "attention"]
    most: int


ROBOTS = Weighted(
    (
        (Robot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "pages", 9), 26.0),
        (Robot("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "pages", 7), 14.0),
        (Robot(f"Mozilla/5.0 {_WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "pages", 12), 13.0),
        (Robot(f"Mozilla/5.0 {_WEBKIT}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "pages", 10), 8.0),
        (Robot("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "pages", 14), 12.0),
        (Robot("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "pages", 8), 6.0),
        (Robot("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "home", 1), 3.0),
        (Robot(_CHROME.replace("Chrome/", "HeadlessChrome/"), "pages", 3), 7.0),
        (Robot("python-requests/2.32.3", "holes", 5), 4.0),
        (Robot("Go-http-client/2.0", "holes", 6), 4.0),
        (Robot(_CHROME, "holes", 4), 1.5),
        (Robot(_CHROME, "attention", 1), 3.5),
    )
)
_HOLES = tuple(
    Page(path, "", "missing")
    for path in (
        "/wp-login.php",
        "/.env",
        "/xmlrpc.php",
        "/phpmyadmin/",
        "/.git/config",
        "/vendor/phpunit/",
        "/owa/auth/",
    )
)
_SPAM = ("https://semalt.com/", "https://buttons-for-website.com/", "https://traffic2money.com/")
_SECTIONS: Weighted[Section] = Weighted(
    (("docs", 4.0), ("blog", 4.0), ("product", 1.5), ("company", 1.0), ("home", 1.0))
)


def robots(scene: Scene, day: tuple[int, int], visits: float, chance: Random) -> list[Sent]:
    """Return what robots do from one moment of a day to another; they never sleep."""
    sent: list[Sent] = []
    for _ in range(about(chance, visits * _RUNS)):
        sent += _run(scene, ROBOTS.pick(chance), chance.randrange(*day), chance)
    return sent


def _run(scene: Scene, robot: Robot, ts: int, chance: Random) -> list[Sent]:
    client = Client(address(chance), robot.text, {"accept": "*/*", "accept-encoding": "gzip"})
    is_headless = "Headless" in robot.text
    sent: list[Sent] = []
    for _ in range(chance.randint(1, robot.most)):
        page = _page(scene, robot, chance)
        hit = Hit(
            id=ts.to_bytes(6, "big") + chance.randbytes(10),
            site=scene.site,
            url=scene.base + page.path,
            referrer=chance.choice(_SPAM) if robot.wants == "attention" else "",
            title=page.title,
            automation=is_headless,
        )
        sent.append(Sent(ts, hit, client))
        ts += chance.randrange(300, 20_000)
    return sent


def _page(scene: Scene, robot: Robot, chance: Random) -> Page:
    if robot.wants == "holes":
        return chance.choice(_HOLES)
    if robot.wants == "pages":
        return pages_of(_SECTIONS.pick(chance), scene.ago).pick(chance)
    return HOME
