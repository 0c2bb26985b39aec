"""Crawlers by the published list, taken apart to be quick, and by the names they give themselves."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from is_bot import Bots
from ua_parser import load_lazy_builtins

from tests.ingest.agents import CHROME, TEXTS
from visitor_tracker.ingest.crawlers import (
    NAME_MOST,
    UNNAMED,
    Compiled,
    Word,
    crawler_name,
    published_list,
    take_apart,
    word_of,
)

LIST = published_list()
WHOLE = Bots()


def parts_of(texts: list[str]) -> list[str]:
    return sorted({part for text in texts for part in text.replace("(", " (").split(" ")})


PIECES = [
    *parts_of(TEXTS),
    *(f"{word.upper()}{end}" for word in LIST.words + LIST.beginnings for end in ("", " ", "/1.0", "x")),
    *(word for word, _ in LIST.by_word),
    " cubot", "bots", "bot_", "google pixel", "channel/google", "camscan", "libhttp", "java;", "; x;", "@a.", "@ab-c.",
    "x.ai", ".com", "|", "()", "news", "gnews", "newsapphire", "<", ";", "(", ",", "-", "", " ", "/", "\n", "\t", "%",
    "é", "ſcan", "Kindle", "ſpıder", "İ", "ſ", "\u212a", "📱", "\x00", "\x1f", "mozilla/5.0 x", "1.1", "/v1.2.3,",
]  # fmt: skip


def as_text(pattern: str) -> str:
    """What a regular expression looks like without its grammar."""
    for mark, text in ((r"\d", "1"), (r"\b", ""), (r"\w", "w"), (r"\s", " "), ("(?:", ""), ("(?!", ""), ("(?<", "")):
        pattern = pattern.replace(mark, text)
    return "".join(character for character in pattern if character not in "()[]^$?*+|\\{}")


PATTERNS = [matcher.regex for matchers in load_lazy_builtins() for matcher in matchers]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        [text.upper() for text in TEXTS],
        [text.replace("s", "ſ").replace("k", "\u212a").replace("i", "İ") for text in TEXTS],
        [text[:cut] for text in TEXTS for cut in (0, 1, 12, 49, 50, 51)],
        [" ".join(reversed(text.split(" "))) for text in TEXTS],
        [f"{CHROME} {as_text(pattern)}" for pattern in PATTERNS[::3]],
        [as_text(pattern) for pattern in PATTERNS],
        [text for pattern in WHOLE.patterns for text in (as_text(pattern), f" {as_text(pattern)} ", pattern)],
    ],
    ids=["corpus", "upper case", "look-alikes", "cut", "reversed", "parser's in a browser", "parser's", "list's own"],
)
def test_taken_apart_the_list_says_the_same(texts: list[str]) -> None:
    assert [text for text in texts if LIST.has(text) != WHOLE.is_bot(text)] == []


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8),
    st.sampled_from(["", " ", "/", "; "]),
    st.sampled_from(["", CHROME, CHROME[:40]]),
)
def test_taken_apart_the_list_says_the_same_of_mixtures(pieces: list[str], between: str, before: str) -> None:
    text = (before + between.join(pieces))[:512]
    assert LIST.has(text) == WHOLE.is_bot(text)


def test_taken_apart_the_list_says_the_same_of_many_mixtures() -> None:
    random = Random(11)
    for _ in range(2_000):
        pieces = random.choices(PIECES, k=random.randint(1, 6))
        text = random.choice(["", "", CHROME[:40], "Mozilla/5.0 (Linux; "]) + random.choice(["", " ", "/"]).join(pieces)
        assert LIST.has(text) == WHOLE.is_bot(text), text


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("crawl", Word("crawl", True, False)),
        ("Crawl", Word("crawl", True, False)),
        (r"mail\.ru/", Word("mail.ru/", True, False)),
        ("^wget", Word("wget", True, True)),
        (r"\|", Word("|", True, False)),
        ("bots?", Word("bot", False, False)),
        ("ab*cd", Word("cd", False, False)),
        ("abc{0,2}d", Word("ab", False, False)),
        (r"a\d?bc", Word("bc", False, False)),
        ("abc[de]?f", Word("abc", False, False)),
        (r"x[\])]abc", Word("abc", False, False)),
        ("(?<! cu)bot(?:x|longer)", Word("bot", False, False)),
        ("(abcdef)?x", Word("x", False, False)),
        ("a(b(c)def)g", Word("a", False, False)),
        (r"rss\b", Word("rss", False, False)),
        (r"\w+", Word("", False, False)),
        ("end$", Word("end", False, False)),
        ("^a|bcd", Word("", False, False)),
        ("one|two", Word("", False, False)),
        ("größe", Word("", False, False)),
        ("^größe", Word("", False, False)),
        (r"\x41bc", Word("", False, False)),
        (r"\p{L}abc", Word("", False, False)),
        ("(?x)a b", Word("", False, False)),
        ("[]abc]d", Word("", False, False)),
        ("(?:abc){e<=1}d", Word("", False, False)),
    ],
)
def test_the_word_a_pattern_needs_is_found(pattern: str, word: Word) -> None:
    assert word_of(pattern) == word


def test_patterns_that_hold_no_word_always_run() -> None:
    def compiled(pattern: str) -> Compiled:
        return re.compile(pattern, re.IGNORECASE)

    apart = take_apart([r"^\d+$", "one|two", "größe", "^ab?c"], compiled)
    assert [apart.has(text) for text in ("12", "x1", "a TWO", "GRÖSSE", "GRÖßE", "ac", "xac")] == [
        True, False, True, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        unit * (512 // len(unit))
        for unit in ("a", "1.1", "; a", "@a", "a.a", "/1.1", " cubot", ".a.ai", "a/1.1 ", "(", "é")
    ]
    + [
        "a" * 511 + "@",
        "x/" + "1.1" * 170,
        "Mozilla/5.0 (compatible;" + " a/1.1" * 80 + "x",
        "a" * 255 + "/1" + ".1" * 127,
    ],
)
def test_texts_made_to_cost_much_are_read(text: str) -> None:
    assert LIST.has(text) == WHOLE.is_bot(text)
    assert 0 < len(crawler_name(text)) <= NAME_MOST


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mozilla/5.0 (compatible; bot; +http://example.com/NiceBot)", "bot"),
        ("Mozilla/5.0 (compatible; Example-Reader 2.1; mailto:me@example.com)", "Example-Reader"),
        ("ExampleBot_v2.0", "ExampleBot"),
        ("example-crawler/1.0 (me@example.com)", "example-crawler"),
        (
            "Mozilla/5.0 (Linux; Android 9; Nexus Build/X) Chrome/90 Mobile Safari/537.36 NewBot/3 (+www.example.com)",
            "NewBot",
        ),
        ("Python/3.12 niquests/3.5", "niquests"),
        ("Python/3.12", "Python"),
        (
            "A program that fetches pages for one of those who like long user agents/1.0",
            "A program that fetches pages for one of",
        ),
        ("https://example.com/bot.html", UNNAMED),
        ("someone@example.com", UNNAMED),
        ("🤖/1.0", UNNAMED),
        ("", UNNAMED),
    ],
)
def test_a_crawler_is_called_what_it_calls_itself(text: str, name: str) -> None:
    assert crawler_name(text) == name


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=600) | st.lists(st.sampled_from(" /;()@.-_:bot+httpBuild1"), max_size=200).map("".join))
def test_any_text_is_read_and_names_stay_short(text: str) -> None:
    name = crawler_name(text[:512])
    assert 0 < len(name) <= NAME_MOST
    assert not set(name) & set("/@;()<>\"'\n") - {"'"}
