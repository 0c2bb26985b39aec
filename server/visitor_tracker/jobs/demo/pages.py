"""The invented site: a program for notes, with a handbook and a blog."""

from functools import lru_cache
from typing import Literal

import msgspec

from visitor_tracker.jobs.demo.chance import Weighted

Section = Literal["home", "product", "docs", "blog", "company", "missing"]


class Page(msgspec.Struct, frozen=True):
    """`days_ago` is when it was published, before the last day; 0: it has always been there."""

    path: str
    title: str
    section: Section
    days_ago: int = 0
    lasting: float = 1.0  # what is left of the interest when it is no news any more


HOME = Page("/", "Marrow | notes that stay yours", "home")
PRICING = Page("/pricing", "Pricing | Marrow", "product")
DOWNLOAD = Page("/download", "Download | Marrow", "product")
CONTACT = Page("/contact", "Contact | Marrow", "company")
INSTALL = Page("/docs/install", "Install Marrow | Handbook", "docs")
LAUNCHED = Page("/marrow-2", "Marrow 2 is here", "product")  # linked from nowhere: who is sent there begins there
MISSING = tuple(
    Page(path, "Page not found | Marrow", "missing")
    for path in ("/docs/instal", "/blog/old-announcement", "/download/linux", "/features.html", "/signup")
)

_FIXED: tuple[tuple[Page, float], ...] = (
    (HOME, 30),
    (Page("/features", "Features | Marrow", "product"), 9),
    (PRICING, 11),
    (DOWNLOAD, 9),
    (Page("/about", "About us | Marrow", "company"), 2),
    (CONTACT, 1.5),
    (Page("/changelog", "Changelog | Marrow", "company"), 2.5),
    (Page("/docs/", "Handbook | Marrow", "docs"), 5),
    (INSTALL, 8),
    (Page("/docs/quick-start", "Quick start | Handbook", "docs"), 7),
    (Page("/docs/sync", "Synchronise devices | Handbook", "docs"), 6),
    (Page("/docs/import", "Import notes from elsewhere | Handbook", "docs"), 5),
    (Page("/docs/shortcuts", "Keyboard shortcuts | Handbook", "docs"), 3),
    (Page("/docs/api", "HTTP API | Handbook", "docs"), 4),
    (Page("/docs/backup", "Backup and restore | Handbook", "docs"), 2.5),
    (Page("/docs/faq", "Questions and answers | Handbook", "docs"), 3),
    (Page("/blog/", "Blog | Marrow", "blog"), 3),
)

_FIRST_POST, _BETWEEN_POSTS = 6, 14  # days
_POSTS: tuple[tuple[str, str, float], ...] = (
    ("search-without-a-server", "Search without a server", 0.5),
    ("we-moved-to-a-smaller-machine", "We moved to a smaller machine", 0.6),
    ("plain-text-is-forever", "Plain text is forever", 2.2),
    ("how-sync-works", "How our sync works, and when it does not", 1.6),
    ("autumn-release", "What is new this autumn", 0.3),
    ("accessibility-report", "What we learned from screen reader users", 0.5),
    ("sqlite-in-production", "Three years of SQLite in production", 2.0),
    ("why-we-have-no-investors", "Why we have no investors", 0.7),
    ("end-to-end-encryption", "End-to-end encryption, explained with envelopes", 1.2),
    ("summer-release", "What is new this summer", 0.2),
    ("a-week-with-paper", "A week with paper instead of our own program", 0.4),
    ("writing-a-parser", "Writing a Markdown parser in a weekend", 1.4),
    ("import-from-anywhere", "Import from anywhere", 0.6),
    ("the-outage-of-tuesday", "What happened on Tuesday", 0.3),
    ("version-2", "Marrow 2 is here", 0.8),
    ("designing-for-one-hand", "Designing for one hand", 0.4),
    ("prices-change", "Our prices change, and why", 0.3),
    ("spring-release", "What is new this spring", 0.2),
    ("backups-nobody-tests", "Backups that nobody tests", 1.0),
    ("keyboard-first", "Keyboard first", 0.5),
    ("our-server-bill", "Our server bill, line by line", 1.3),
    ("offline-first", "Offline first is a promise", 0.8),
    ("notes-for-teams", "Notes for teams", 0.4),
    ("winter-release", "What is new this winter", 0.2),
    ("a-year-in-numbers", "A year in numbers", 0.3),
    ("hello", "Hello", 0.2),
)
POSTS = tuple(
    Page(f"/blog/{slug}", f"{title} | Marrow", "blog", _FIRST_POST + _BETWEEN_POSTS * number, lasting)
    for number, (slug, title, lasting) in enumerate(_POSTS)
)
SQLITE_POST, PARSER_POST = (
    next(post for post in POSTS if post.path.endswith(slug)) for slug in ("/sqlite-in-production", "/writing-a-parser")
)
_NEWS = 9.0  # of a post on its first day
_HALF_LIFE_DAYS = 6.0

# Where readers of a section go on; of docs mostly to docs.
_ONWARDS: dict[Section, dict[Section, float]] = {
    "home": {"product": 5, "docs": 1.5, "blog": 1.2, "company": 0.8},
    "product": {"product": 4, "home": 1, "docs": 1.6, "company": 0.8},
    "docs": {"docs": 7, "product": 1, "home": 0.7, "blog": 0.3},
    "blog": {"blog": 2.5, "home": 2.2, "product": 1.4, "docs": 0.8},
    "company": {"home": 2, "product": 2, "company": 1, "blog": 1},
    "missing": {"home": 4, "docs": 2, "product": 1},
}


def post_before(days_ago: int) -> Page | None:
    """Return the newest post so many days before the last one, None before the first."""
    return next((post for post in POSTS if post.days_ago >= days_ago), None)


@lru_cache(4096)
def pages_of(section: Section, days_ago: int) -> Weighted[Page]:
    """Return a section's pages as they are read on a day."""
    fixed = [(page, weight) for page, weight in _FIXED if page.section == section]
    if section == "blog":
        fixed += [(post, _interest(post, days_ago)) for post in POSTS if post.days_ago >= days_ago]
    return Weighted(fixed)


@lru_cache(64)
def sections_after(section: Section) -> Weighted[Section]:
    """Return where readers of a section go on."""
    return Weighted(_ONWARDS[section].items())


def _interest(post: Page, days_ago: int) -> float:
    age: float = (post.days_ago - days_ago) / _HALF_LIFE_DAYS
    return float(_NEWS * 0.5**age + post.lasting)
