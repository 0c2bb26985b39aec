"""What brings visitors: search engines, links, campaigns, assistants, or nothing that can be known."""

from datetime import date
from functools import lru_cache
from random import Random
from typing import Literal

import msgspec
from msgspec.structs import replace

from visitor_tracker.jobs.demo.chance import Weighted
from visitor_tracker.jobs.demo.pages import LAUNCHED, PARSER_POST, SQLITE_POST, Page, Section

Lands = Literal["search", "home", "reading", "answer", "advert", "news"]

# Which sections a visit of that kind begins in.
LANDS: dict[Lands, Weighted[Section]] = {
    "search": Weighted((("docs", 42.0), ("home", 26.0), ("blog", 22.0), ("product", 9.0), ("missing", 1.0))),
    "home": Weighted((("home", 58.0), ("docs", 18.0), ("product", 14.0), ("blog", 8.0), ("missing", 2.0))),
    "reading": Weighted((("blog", 74.0), ("home", 16.0), ("docs", 10.0))),
    "answer": Weighted((("docs", 62.0), ("home", 20.0), ("product", 14.0), ("missing", 4.0))),
    "advert": Weighted((("product", 78.0), ("home", 22.0))),
    "news": Weighted((("blog", 1.0),)),
}


class Origin(msgspec.Struct, frozen=True):
    """Where visits come from: the weight on the first and on the last day, and how many of them bounce.

    In `referrer` and `query`, {google} and {click} stand for what differs from visitor to visitor. All visits begin on
    `page`, if there is one, and are of people whose time zones begin with `zones`.
    """

    name: str
    first: float
    last: float
    lands: Lands
    bounces: float = 0.45
    referrer: str = ""
    query: str = ""
    page: Page | None = None
    zones: str = ""


NEWSLETTER = Origin(
    "newsletter", 0.4, 0.6, "news", 0.30, "", "utm_source=newsletter&utm_medium=email&utm_campaign={issue}"
)
HACKER_NEWS = Origin("hacker news", 0.5, 0.7, "reading", 0.66, "https://news.ycombinator.com/")
REDDIT = Origin("reddit", 2.0, 2.2, "reading", 0.58, "https://www.reddit.com/")
PRODUCT_HUNT = Origin("product hunt", 0.2, 0.3, "home", 0.50, "https://www.producthunt.com/", "ref=producthunt")
FRONT_PAGE = replace(HACKER_NEWS, page=SQLITE_POST)
THREAD = replace(REDDIT, page=PARSER_POST)
LAUNCH = replace(PRODUCT_HUNT, page=LAUNCHED)
PRESS = Origin("press", 0, 0, "home", 0.56, "https://gazette.example/tools/marrow-2", page=LAUNCHED, zones="America/")
DIRECT = Origin("direct", 27, 25, "home", 0.42)

ORIGINS: tuple[Origin, ...] = (
    DIRECT,
    Origin("google", 39, 33, "search", 0.47, "https://www.google.{google}/"),
    Origin("bing", 4.5, 4.5, "search", 0.46, "https://www.bing.com/"),
    Origin("duckduckgo", 2.6, 3.4, "search", 0.44, "https://duckduckgo.com/"),
    Origin("ecosia", 0.8, 0.9, "search", 0.45, "https://www.ecosia.org/"),
    Origin("kagi", 0.2, 0.7, "search", 0.36, "https://kagi.com/"),
    Origin("chatgpt", 1.2, 5.5, "answer", 0.38, "https://chatgpt.com/", "utm_source=chatgpt.com"),
    Origin("perplexity", 0.4, 1.1, "answer", 0.40, "https://www.perplexity.ai/"),
    Origin("claude", 0.2, 1.0, "answer", 0.37, "https://claude.ai/"),
    REDDIT,
    HACKER_NEWS,
    Origin("youtube", 1.1, 1.6, "home", 0.52, "https://www.youtube.com/"),
    Origin("x", 1.6, 0.8, "reading", 0.62, "https://t.co/"),
    Origin("mastodon", 0.5, 0.9, "reading", 0.48, "https://fosstodon.org/"),
    Origin("bluesky", 0.3, 0.9, "reading", 0.50, "https://bsky.app/"),
    Origin("linkedin", 1.0, 1.2, "reading", 0.55, "https://www.linkedin.com/"),
    Origin("github", 3.2, 3.4, "answer", 0.34, "https://github.com/"),
    Origin("stack overflow", 0.9, 0.5, "answer", 0.41, "https://stackoverflow.com/"),
    Origin("comparison", 1.4, 1.7, "advert", 0.36, "https://compare.example/best-note-programs"),
    Origin("weblog", 0.9, 1.0, "reading", 0.44, "https://weblog.example/links"),
    PRODUCT_HUNT,
    Origin(
        "google ads", 3.2, 4.0, "advert", 0.55, "https://www.google.{google}/",
        "utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=note+program&gclid={click}",
    ),
    Origin(
        "facebook ads", 1.4, 1.0, "advert", 0.68, "https://l.facebook.com/",
        "utm_source=facebook&utm_medium=paid_social&utm_campaign=students&utm_content=video&fbclid={click}",
    ),
    Origin(
        "bing ads", 0.4, 0.6, "advert", 0.56, "https://www.bing.com/", "utm_source=bing&utm_medium=cpc&msclkid={click}"
    ),
    Origin("partner", 0.5, 0.8, "advert", 0.33, "", "utm_source=partner&utm_medium=affiliate&utm_campaign=spring"),
    NEWSLETTER,
)  # fmt: skip


@lru_cache(4096)
def origins_at(progress: float) -> Weighted[Origin]:
    """Return what brings visitors when so much of the whole time has passed."""
    return Weighted((each, each.first + (each.last - each.first) * progress) for each in ORIGINS)


def arrival(origin: Origin, chance: Random, google: str, sent: date) -> tuple[str, str]:
    """Return referrer and query of a visit's first page; `sent` is when the last newsletter was."""
    query = origin.query
    if "{" in query:
        query = query.format(click=f"{chance.getrandbits(96):024x}", issue=f"{sent:%Y-%m-%d}")
    return origin.referrer.replace("{google}", google), f"?{query}" if query else ""
