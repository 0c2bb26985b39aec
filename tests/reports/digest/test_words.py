"""How a report is put into words, and that nothing in it is more than text."""

import re
import struct
import zlib
from html.parser import HTMLParser
from typing import get_args

import msgspec
import pytest

from visitor_tracker.ingest.zones import country_name
from visitor_tracker.reports.digest import png
from visitor_tracker.reports.digest.calendar import Days, Every
from visitor_tracker.reports.digest.content import Bar, Digest, Figure, Happening, Line, Listing, Reached, Reason
from visitor_tracker.reports.digest.countries import COUNTRIES
from visitor_tracker.reports.digest.formats import Formats
from visitor_tracker.reports.digest.letter import letter
from visitor_tracker.reports.digest.noise import unlike_usual
from visitor_tracker.reports.digest.page import mail_of, page_of
from visitor_tracker.reports.digest.said import Links, Said
from visitor_tracker.reports.digest.text import text_of
from visitor_tracker.reports.digest.words import WORDS, Language, Words

EVIL = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202eevil\x1b[31m\r\nBcc: x@y.example"
LINKS = Links("https://stats.example.com", "anna@example.com", "https://stats.example.com/unsubscribe?token=abc")


def digest(text: str = "/pricing", *, every: Every = "weekly", days: Days | None = None) -> Digest:
    """Return a report in which all that somebody else wrote is that text."""
    lines = (Line(text, 1_234, 1_000.0), Line("/" + "long" * 200, 12, 0.0))
    return Digest(
        site=text,
        timezone="Europe/Berlin",
        every=every,
        days=days or Days(20261116, 20261122),
        before=Days(20261109, 20261115),
        figures=(
            Figure("visitors", 1_234, 1_000.0, "more"),
            Figure("visits", 1_500, 1_500.0, "usual"),
            Figure("views", 12_345, 20_000.0, "less"),
            Figure("bounce_rate", 0.345, 0.3),
            Figure("engaged_seconds", 75.0, None),
        ),
        visitors_are="daily_sum",
        bars=tuple(Bar(20261116 + place, None, visits) for place, visits in enumerate((0, 5, 10, 1, 0, 2, 3))),
        lists=(
            Listing("pages", lines, 12_345),
            Listing("sources", (Line(text, 5, 7.0),), 20),
            Listing("countries", (Line("DE", 5, 7.0), Line("XX", 1, 1.0), Line(text, 1, 1.0)), 20),
            Listing("campaigns", (Line(text, 5, 7.0),), 20),
        ),
        goals=(Reached(text, 12, 10.0, 0.0123),),
        goals_are_counted=True,
        risers=lines,
        fallers=lines[:1],
        happenings=(
            Happening(20261118, None, "visits", "spike", 812.0, 230.0, (Reason("page", text, 0.86, "/"),), False, "/"),
            Happening(20261119, 14, "views", "dip", 0.0, 31.5, (), True, "/dashboard/x"),
        ),
        known=20260101,
    )  # fmt: skip


def said(found: Digest, language: Language = "en") -> Said:
    return Said(found, Formats(language, country_name))


class Elements(HTMLParser):
    """The elements of a page, with what could do something."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("language", get_args(Language))
def test_what_others_wrote_is_text_only(language: Language) -> None:
    report = said(digest(EVIL), language)
    for page in (mail_of(report, LINKS)[0], page_of(report, LINKS)):
        found = Elements()
        found.feed(page)
        assert not found.names & {"script", "iframe", "object", "form", "link", "base"}
        assert not {name for name in found.attributes if name.startswith("on")}
        assert {each for each in found.addresses if not each.startswith("https://stats.example.com/")} <= {"cid:chart"}
        assert not re.search("[\u202e\x1b\r]", page)
        assert "&lt;script&gt;" in page
    text = text_of(report, LINKS)
    assert not re.search("[\u202e\x1b\r]", text)
    assert not re.search("^Bcc:", text, re.MULTILINE)
    mail = letter(report, LINKS, "report-1")
    assert not re.search("[\x00-\x1f\u202e]", mail.subject)
    assert len(mail.subject) <= 150
    assert len(mail.html) < 100_000


def test_a_mail_says_how_it_is_ended() -> None:
    mail = letter(said(digest()), LINKS, "report-1")
    assert mail.headers["List-Unsubscribe"] == "<https://stats.example.com/unsubscribe?token=abc>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.subject == "/pricing: 1,500 Visits (±0%), 16–22 November 2026"
    assert LINKS.stop in mail.text
    assert LINKS.stop in mail.html
    assert "anna@example.com" in mail.text
    assert list(mail.images) == ["chart"]


def test_a_report_by_itself_has_no_links() -> None:
    page = page_of(said(digest()), Links())
    assert "href" not in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_text() -> None:
    text = text_of(said(digest()), LINKS)
    lines = text.splitlines()
    assert lines[:3] == ["/pricing: Weekly report", "16–22 November 2026", "compared with 9–15 November 2026"]
    assert "Visitors                       1,234      +23%  unusually many" in lines
    assert "Page views                    12,345      −38%  unusually few" in lines
    assert "Engaged time per visit    1 min 15 s" in [line.replace("\u00a0", " ") for line in lines]
    assert "* Visits rose to 812 on Wednesday, 18 November 2026, usually about 230." in lines
    assert "  Mostly: /pricing (86%)." in lines
    assert "* Views fell to 0 on Thursday, 19 November 2026, 14:00, usually about 32." in lines
    assert "  Everything changed alike: was the site out of reach, or the tracker gone for a while?" in lines
    assert f"{'Germany':<52}  {5:>8}     −29%" in lines
    assert f"{'unknown':<52}  {1:>8}      ±0%" in lines
    assert f"{'/pricing':<52}  {12:>8}     1.2%" in lines, "a goal, with its rate"
    assert "18 Nov        10  " + "#" * 40 in lines


def test_languages_write_numbers_and_days_in_their_own_way() -> None:
    spoken = {language: said(digest(), language) for language in get_args(Language)}
    assert {language: each.days for language, each in spoken.items()} == {
        "en": "16–22 November 2026",
        "de": "16.–22. November 2026",
        "fr": "16–22 novembre 2026",
        "es": "16–22 de noviembre de 2026",
    }
    formats = {language: each.formats for language, each in spoken.items()}
    assert [each.number(1_234) for each in formats.values()] == ["1,234", "1.234", "1\u202f234", "1234"]
    assert [each.number(1_234_567) for each in formats.values()] == [
        "1,234,567", "1.234.567", "1\u202f234\u202f567", "1.234.567",
    ]  # fmt: skip
    assert [each.percent(0.0123) for each in formats.values()] == ["1.2%", "1,2\u00a0%", "1,2\u202f%", "1,2\u00a0%"]
    assert [each.day(20260301, with_weekday=True) for each in formats.values()] == [
        "Sunday, 1 March 2026", "Sonntag, 1. März 2026", "dimanche 1er mars 2026", "domingo, 1 de marzo de 2026",
    ]  # fmt: skip
    month = Days(20261001, 20261031)
    assert [each.days(month, "monthly") for each in formats.values()] == [
        "October 2026", "Oktober 2026", "octobre 2026", "octubre de 2026",
    ]  # fmt: skip
    assert formats["de"].days(Days(20261228, 20270103), "weekly") == "28. Dezember 2026 – 3. Januar 2027"
    assert [each.country("DE") for each in formats.values()] == ["Germany", "Deutschland", "Allemagne", "Alemania"]
    assert formats["de"].country("VU") == "Vanuatu"
    changes = [(0.004, "±0%"), (0.123, "+12%"), (-0.5, "−50%"), (8.99, "+899%"), (20.4, "×\u202f21")]
    assert [formats["en"].change(change) for change, _ in changes] == [text for _, text in changes]


@pytest.mark.parametrize("language", [each for each in get_args(Language) if each != "en"])
def test_every_language_fills_in_the_same(language: Language) -> None:
    for field in Words.__struct_fields__:
        mine, english = getattr(WORDS[language], field), getattr(WORDS["en"], field)
        assert _blanks(mine) == _blanks(english), field
        assert _shape(mine) == _shape(english), field


def _blanks(words: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(words))) if isinstance(words, str) else set()


def _shape(words: object) -> object:
    return sorted(words) if isinstance(words, dict) else len(words) if isinstance(words, tuple) else type(words)


def test_countries_are_those_that_there_are() -> None:
    assert all(country_name(code) != code for _, code in COUNTRIES)
    assert len({code for _, code in COUNTRIES}) * 3 == len(COUNTRIES)


def test_a_time_without_anybody_says_so() -> None:
    found = digest()
    nobody = tuple(msgspec.structs.replace(figure, value=0) for figure in found.figures)
    empty = said(msgspec.structs.replace(found, figures=nobody))
    assert "Nobody came in this time." in text_of(empty, LINKS)
    assert "Nobody came in this time." in page_of(empty, LINKS)
    assert letter(empty, LINKS).images == {}


def test_the_picture_is_a_png_of_the_bars() -> None:
    picture = png.bars([0, 1, 4], width=30, height=12)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(picture):
        size, kind = struct.unpack(">I4s", picture[at : at + 8])
        content = picture[at + 8 : at + 8 + size]
        assert struct.unpack(">I", picture[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    rows = zlib.decompress(chunks[b"IDAT"])
    drawn = ["".join(" #-"[pixel] for pixel in rows[row * 31 + 1 : row * 31 + 31]) for row in range(12)]
    assert drawn[0] == " " * 20 + "#" * 8 + "  "
    assert drawn[9] == " " * 10 + "#" * 8 + "  " + "#" * 8 + "  "
    assert drawn[11] == "-" * 30
    assert len(png.bars([0.0])) < len(png.bars([7.0, 0.0] * 372)) < 20_000, "of nothing, and of very much"


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (100, [100, 100, 100, 100], "unknown"),
        (105, [100, 101, 99, 100, 102], "usual"),
        (150, [100, 101, 99, 100, 102], "more"),
        (60, [100, 101, 99, 100, 102], "less"),
        (150, [100, 160, 90, 150, 80], "usual"),  # it always changes so much
        (3, [1, 1, 1, 1, 1], "usual"),  # so few are chance
        (0, [0, 0, 0, 0, 0], "usual"),
    ],
)
def test_a_change_is_told_from_noise(now: int, earlier: list[float], expected: str) -> None:
    assert unlike_usual(now, earlier) == expected
