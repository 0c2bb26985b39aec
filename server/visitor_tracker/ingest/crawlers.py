"""Which user agents are crawlers by their own words, and what they call themselves.

The published list (is-bot) is one alternation of some 190 patterns, which costs 200-2,000 µs a text. Taken apart
it gives the same answer in about 15 µs: most patterns are plain words, to be looked for as they are; most others hold
a word without which they cannot match, so they run only where that word is.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Protocol

NAME_MOST = 40  # characters of a crawler's name
UNNAMED = "unnamed"

# The only letters beyond ASCII that equal an ASCII letter where case is ignored.
_ALIKE = str.maketrans({"\u0130": "i", "\u017f": "s", "\u212a": "k"})

_TOKEN = re.compile(
    r"""
    (?P<set>\[(?:[^]\\]|\\.)+]|\\[bBdDwWsS]|[.^$])
    |(?P<escape>\\[^a-zA-Z0-9])
    |(?P<repeat>[*+?]|\{[0-9,]+})
    |(?P<unsure>\(\?[a-zA-Z-]|[\\[{])
    |(?P<open>\()|(?P<close>\))|(?P<bar>\|)|(?P<char>.)
    """,
    re.DOTALL | re.VERBOSE,
)


class Word(NamedTuple):
    """The longest text, in lower case, that is in all a pattern matches; `exact`: it matches wherever that is."""

    text: str
    exact: bool
    at_start: bool


_NO_WORD = Word("", exact=False, at_start=False)


def word_of(pattern: str) -> Word:
    """Read a regular expression; what is not understood for sure gives no word."""
    runs, depth, exact = [""], 0, True
    at_start = pattern.startswith("^")
    for token in _TOKEN.finditer(pattern, 1 if at_start else 0):
        kind = token.lastgroup
        if kind == "unsure" or (kind == "bar" and depth == 0):
            return _NO_WORD
        depth += (kind == "open") - (kind == "close")
        if kind in ("char", "escape"):
            runs[-1] += token.group()[-1].lower() if depth == 0 else ""
            continue
        exact = False
        if kind == "repeat":  # the character before it may be left out
            runs[-1] = runs[-1][:-1]
        runs.append("")
    longest = max(runs, key=len)
    return Word(longest, exact, at_start) if longest.isascii() else _NO_WORD


Search = Callable[[str], object]


class Compiled(Protocol):
    """What compilers of regular expressions make."""

    def match(self, text: str, /) -> object: ...
    def search(self, text: str, /) -> object: ...


class CrawlerList(NamedTuple):
    """A list of patterns, taken apart; make it with `take_apart`."""

    beginnings: tuple[str, ...]
    words: tuple[str, ...]
    by_word: tuple[tuple[str, Search], ...]  # a pattern and the word it needs
    others: tuple[Search, ...]

    def has(self, text: str) -> bool:
        """Say whether any of the patterns is found; the cost is linear in the text."""
        lower = (text if text.isascii() else text.translate(_ALIKE)).lower()
        if lower.startswith(self.beginnings) or any(map(lower.__contains__, self.words)):
            return True
        for word, search in self.by_word:
            if word in lower and search(text):
                return True
        return any(search(text) for search in self.others)


def take_apart(patterns: Iterable[str], compiled: Callable[[str], Compiled]) -> CrawlerList:
    """Sort patterns (case is ignored) by the quickest way to look for them; `compiled` makes those that must run."""
    beginnings: list[str] = []
    words: list[str] = []
    by_word: list[tuple[str, Search]] = []
    others: list[Search] = []
    for pattern in sorted(patterns):
        word = word_of(pattern)
        if word.exact and word.text:
            (beginnings if word.at_start else words).append(word.text)
            continue
        found = compiled(pattern)
        search = found.match if word.at_start else found.search
        if word.text:
            by_word.append((word.text, search))
        else:
            others.append(search)
    return CrawlerList(tuple(beginnings), tuple(words), tuple(by_word), tuple(others))


@cache
def published_list() -> CrawlerList:
    """Load is-bot's patterns, once a process: some 20 ms and 2 MB."""
    import regex
    from is_bot import Bots

    def compiled(pattern: str) -> Compiled:
        made: Compiled = regex.compile(pattern, flags=regex.IGNORECASE)  # re cannot look behind for several widths
        return made

    return take_apart(Bots().patterns, compiled)


# Browsers that nobody looks at, and programs that drive browsers.
_HEADLESS = ("headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver", "slimerjs", "cypress/")


def is_headless(lower: str) -> bool:
    """Say whether a text in lower case names a browser without a screen, or what drives one."""
    return any(map(lower.__contains__, _HEADLESS))


_ADDRESS = re.compile(r"(?:\bhttps?:|\bwww\.)[^\s;,()]*|(?<![^\s;,()])[^\s;,()]*@[^\s;,()]*", re.IGNORECASE)
_VERSION = re.compile(r"(?:\bMozilla)?/[\w.+:~*-]*")
_BETWEEN = re.compile(r"[:;()\[\],|<>\"{}]+| - ")
_TAIL = re.compile(r"[ _-](?:v(?:er(?:sion)?)?[ ._]?)?[0-9][\w.]*$", re.IGNORECASE)
_STRANGE = re.compile(r"[^\w .!&'-]+")
_TELLING = (
    "bot", "crawl", "spider", "slurp", "fetch", "preview", "monitor", "headless", "phantom", "archiv", "externalhit",
    "externalagent", "lighthouse", "inspect", "insight", "mediapartners", "google-", "-google", "-user", "uptime",
    "synthetic", "puppeteer", "playwright", "selenium", "cypress",
)  # fmt: skip
_WORDS_MOST = 4  # what is longer is a sentence
_GENERIC = frozenset({"bot", "robot", "bots", "robots", "crawler", "spider", "http", "https", "scanner", "search"})
_OF_BROWSERS = frozenset(
    {
        "", "mozilla", "applewebkit", "chrome", "chromium", "safari", "mobile safari", "mobile", "gecko", "khtml",
        "like gecko", "version", "firefox", "edg", "edge", "edga", "opr", "opera", "presto", "compatible", "trident",
        "msie", "windows", "windows nt", "macintosh", "linux", "x11", "android", "iphone", "ipad", "u", "build", "wv",
        "crios", "fxios", "samsungbrowser", "win64", "x64", "wow64", "tablet pc", "infopath", "slcc2",
    }
)  # fmt: skip
_LANGUAGES = frozenset({"python", "java", "ruby", "php", "perl", "node.js", "node", "dart", "cpython"})


def crawler_name(text: str) -> str:
    """Return what a crawler calls itself, without version and address: Googlebot, GPTBot, curl, python-requests."""
    parts = _BETWEEN.split(_VERSION.sub("/;", _ADDRESS.sub(" ", text)))
    return _telling(parts) or _after_compatible(parts) or _product(parts) or UNNAMED


def _telling(parts: list[str]) -> str:
    """Return the first part that says what it does, and is not just the word for that."""
    lower = ";".join(parts).lower()
    marks = [mark for mark in _TELLING if mark in lower]
    for part in parts if marks else []:
        if any(map(part.lower().__contains__, marks)):
            name = _clean(part)
            if name.lower() not in _GENERIC and len(name.split()) <= _WORDS_MOST:
                return name
    return ""


def _after_compatible(parts: list[str]) -> str:
    """Return what follows "compatible", as in Mozilla/5.0 (compatible; Name/1.0)."""
    for before, part in pairwise(parts):
        if before.strip().lower() == "compatible" and _is_own(name := _clean(part)):
            return name
    return ""


def _product(parts: list[str]) -> str:
    """Return the first product that is no browser's, better one that is not just a language; or first or last words."""
    last = len(parts) - 1
    products = [part for number, part in enumerate(parts) if number in (0, last) or part.endswith("/")]
    own = [name for name in map(_clean, products) if _is_own(name)]
    return next((name for name in own if name.lower() not in _LANGUAGES), own[0] if own else "")


def _is_own(name: str) -> bool:
    lower = name.lower()
    return lower not in _OF_BROWSERS and not lower.endswith(" build") and not lower.startswith("msie")


def _clean(part: str) -> str:
    name = _STRANGE.sub(" ", part).strip(" .-_'&")
    name = _TAIL.sub("", name) or name
    return " ".join(name.split())[:NAME_MOST].rstrip()
