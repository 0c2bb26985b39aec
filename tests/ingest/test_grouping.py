"""Which errors are one problem."""

import re
import string

import pytest

from tests.ingest.understanding import World
from visitor_tracker.event import Property
from visitor_tracker.ingest import grouping
from visitor_tracker.ingest.grouping import group_of
from visitor_tracker.ingest.hit import Hit

STACK = "render (/static/app.3f2a1b.js:10:5) | mount (/static/app.3f2a1b.js:88:1) | ? (/:7:9)"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("no", "a"), ("no", "a"), id="the same"),
        pytest.param(("id 7 is gone", ""), ("id 4711 is gone", ""), id="numbers"),
        pytest.param(("took 1.5 s", ""), ("took 27,25 s", ""), id="fractions"),
        pytest.param(("no 3f2a9b77c1", ""), ("no 00aa11bb22cc", ""), id="hex"),
        pytest.param(("at 0xdeadbeef1", ""), ("at 0xdeadbeef2", ""), id="addresses"),
        pytest.param(
            ("no order 6f9619ff-8b86-d011-b42d-00c04fc964ff", ""),
            ("no order 6f9619ff-8b86-d011-b42d-00cf4fc964fa", ""),
            id="UUIDs",
        ),
        pytest.param(('"John Smi" is not JSON', ""), ('"<html>" is not JSON', ""), id="what was read"),
        pytest.param(("Uncaught Error: no", ""), ("Error: no", ""), id="what browsers say before it"),
        pytest.param(("Uncaught (in promise) Error: no", ""), ("Error: no", ""), id="of a promise"),
        pytest.param(
            ("Loading chunk 7 failed (https://a.test/c.3f2a1b.js?v=1)", ""),
            ("Loading chunk 12 failed (https://cdn.b.test/c.9c8b7a.js)", ""),
            id="URLs in the words",
        ),
        pytest.param(("no", STACK), ("no", STACK.replace("3f2a1b", "77aa01")), id="builds"),
        pytest.param(("no", STACK), ("no", re.sub(r":\d+:\d+", ":1:2", STACK)), id="lines and columns"),
        pytest.param(("no", STACK), ("no", STACK.replace("(/", "(https://cdn.test/")), id="origins"),
        pytest.param(("no", STACK), ("no", STACK.replace(".js:", ".js?v=3:")), id="queries"),
        pytest.param(
            ("no", "load (/assets/index-BX3k9a2_.js:1:1)"), ("no", "load (/assets/index-Ck-39aZq.js:1:9)"), id="vite"
        ),
        pytest.param(("no", "t (/7.a1b2c3d4.chunk.js:1:1)"), ("no", "e (/12.99aa88bb.chunk.js:1:1)"), id="webpack"),
        pytest.param(("no", "ab (/a.js:1:1)"), ("no", "x (/a.js:1:1)"), id="names of a minifier"),
        pytest.param(("no", "async load (/a.js:1:1)"), ("no", "load (/a.js:1:1)"), id="async"),
        pytest.param(("no", "new Shop (/a.js:1:1)"), ("no", "Shop (/a.js:1:1)"), id="new"),
        pytest.param(("no", "Object.load [as run] (/a.js:1:1)"), ("no", "load (/a.js:1:1)"), id="other names of it"),
        pytest.param(
            ("no", "".join(f"f{n:03} (/a.js:1:1) | " for n in range(5))),
            ("no", "".join(f"f{n:03} (/a.js:1:1) | " for n in range(9))),
            id="what lies below five frames",
        ),
        pytest.param(
            ("no", "render (/app.js:10:5) | mount (/app.js:88:1)"),
            ("no", "Error: no\n    at render (https://a.test/app.js:10:5)\n    at mount (https://a.test/app.js:88:1)"),
            id="as Chromium writes it",
        ),
        pytest.param(
            ("no", "render (/app.js:10:5) | mount (/app.js:88:1)"),
            ("no", "Error: no at render (https://a.test/app.js:10:5) at mount (https://a.test/app.js:88:1)"),
            id="the same on one line",
        ),
        pytest.param(
            ("no", "render (/app.js:10:5) | mount (/app.js:88:1)"),
            ("no", "render@https://a.test/app.js:10:5\nmount/<@https://a.test/app.js:88:1\n"),
            id="as Firefox writes it",
        ),
        pytest.param(
            ("no", "render (/app.js:10:5) | mount (/app.js:88:1)"),
            ("no", "render@https://a.test/app.js:10:5 mount/<@https://a.test/app.js:88:1"),
            id="the same on a line",
        ),
    ],
)
def test_what_is_one_problem_is_one_group(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert group_of(*one) == group_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("no", ""), ("yes", ""), id="words"),
        pytest.param(("TypeError: no", ""), ("RangeError: no", ""), id="sorts"),
        pytest.param(("reading 'a'", ""), ("reading 'b'", ""), id="names of properties"),
        pytest.param(("no", "load (/a.js:1:1)"), ("no", "send (/a.js:1:1)"), id="functions"),
        pytest.param(("no", "load (/a.js:1:1)"), ("no", "load (/b.js:1:1)"), id="files"),
        pytest.param(("no", "load (/shop/a.js:1:1)"), ("no", "load (/blog/a.js:1:1)"), id="folders"),
        pytest.param(("no", "load (/a.js:1:1) | top (/a.js:1:1)"), ("no", "load (/a.js:1:1)"), id="callers"),
        pytest.param(("no", "load (/a.js:1:1)"), ("no", ""), id="a stack and none"),
        pytest.param(("", ""), ("no", ""), id="no words"),
    ],
)
def test_other_problems_are_other_groups(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert group_of(*one) != group_of(*other)


@pytest.mark.parametrize(
    "piece",
    [
        "a (",
        "(" * 9,
        "@",
        "x@y:1 ",
        " at ",
        " | ",
        "://",
        "a.b://",
        '"',
        "0x",
        "-0000",
        "\ud800",
        "a" * 50,
        "f (/a:1",
        "1,",
    ],
)
def test_any_text_has_a_group(piece: str) -> None:
    for times in (1, 2, 5_000):
        group = group_of(piece * times, piece * times)
        assert len(group) == 12
        assert set(group) <= set(string.hexdigits.lower())


@pytest.mark.parametrize(
    ("message", "stack"),
    [("a.", ""), ("a+", ""), ("“", ""), ("1,", ""), ("", " "), ("", "/"), ("", "a@x:1/<"), ("", "[as "), ("", "\n")],
)
def test_time_grows_with_the_text_and_not_faster(monkeypatch: pytest.MonkeyPatch, message: str, stack: str) -> None:
    monkeypatch.setattr(grouping, "_TEXT_MOST", 1 << 20)  # with the square of it this would take an hour
    assert len(group_of(message * 300_000, f"x{stack * 300_000} (y:1)")) == 12


@pytest.mark.parametrize("claimed", [{}, {"group": "mine"}, {"group": 7}])
def test_an_error_has_its_group_whatever_the_page_says_it_is(claimed: dict[str, Property]) -> None:
    stack = "send (/a.js:1:2)"
    event = World().event(Hit("error", name="no 7", properties={"stack": stack, **claimed}))
    assert event.properties == {"stack": stack, "group": group_of("no 7", stack)}


def test_the_group_is_that_of_what_is_kept() -> None:
    event = World().event(Hit("error", name="ask ann.smith@example.com  now", properties={"stack": 7}))
    assert event.name == "ask [email] now"
    assert event.properties == {"stack": 7, "group": group_of("ask [email] now", "7")}
    assert World().event(Hit("error")).properties == {"group": group_of("", "")}
    assert World().event(Hit("custom", name="no")).properties == {}
