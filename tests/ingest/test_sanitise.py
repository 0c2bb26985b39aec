"""Recordings that somebody forged run nothing, fetch nothing and tell nothing; harmless ones stay as they are."""

import json
import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.forged import EVIL, FORGED_CHANGES, FORGED_ELEMENTS, LIVE
from tests.ingest.recordings import (
    AT,
    HARMLESS,
    PICTURE,
    Json,
    added,
    changed,
    element,
    event,
    increment,
    meta,
    mutation,
    rewritten,
    snapshot,
    text,
)
from visitor_tracker.ingest.safe_css import SPLIT, safe_css, safe_loose_text
from visitor_tracker.ingest.safe_markup import Rules
from visitor_tracker.ingest.safe_nodes import DEPTH_MOST
from visitor_tracker.ingest.sanitise import sanitise

SHOWN = Rules(mask=False)
MAIL, CARD, IP = "ann.smith@example.org", "4111111111111111", "203.0.113.77"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Zephyr/9"


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_recording_stays_as_it_is(name: str) -> None:
    assert sanitise([HARMLESS[name]], Rules()) == [HARMLESS[name]]
    assert json.loads(json.dumps(HARMLESS[name])) == HARMLESS[name]


@pytest.mark.parametrize("name", HARMLESS)
def test_doing_it_twice_changes_nothing(name: str) -> None:
    for rules in (Rules(), SHOWN):
        once = sanitise([HARMLESS[name]], rules)
        assert sanitise(once, rules) == once


def elements(node: object) -> Iterator[Json]:
    """Yield every element that is anywhere in an event."""
    if isinstance(node, dict):
        if node.get("type") == 2 and "tagName" in node:
            yield node
        for value in node.values():
            yield from elements(value)
    elif isinstance(node, list):
        for value in node:
            yield from elements(value)


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("forged", FORGED_ELEMENTS, ids=lambda node: str(node["tagName"]))
def test_a_forged_element_does_nothing(forged: Json, mask: bool) -> None:
    for sent in (snapshot(forged), added(forged), added(element("div", {}, forged))):
        [kept] = sanitise([sent], Rules(mask=mask))
        assert LIVE.findall(json.dumps(kept)) == []
        linked = [
            node["attributes"].get("href", "#") for node in elements(kept) if node["tagName"] not in ("a", "area")
        ]
        assert {href[:1] for href in linked} <= {"#"}
        for node in elements(kept):
            if node["tagName"] == "style":
                whole = node["attributes"].get("_cssText", "").replace(SPLIT, "") + "".join(
                    child["textContent"] for child in node["childNodes"]
                )
                assert safe_css(whole) == whole


@pytest.mark.parametrize("forged", FORGED_CHANGES, ids=lambda change: str(next(iter(change))))
def test_a_forged_change_does_nothing(forged: Mapping[str, object]) -> None:
    for rules in (Rules(), SHOWN):
        [kept] = sanitise([changed(forged)], rules)
        [change] = kept["data"]["attributes"]
        assert LIVE.findall(json.dumps(kept)) == []
        assert not {"href", "rel", "content", "constructor", "background"} & set(change["attributes"])


@pytest.mark.parametrize(
    ("sheet", "safe"),
    [
        (f"a{{background:url({EVIL})}}", f"a{{background:blocked({EVIL})}}"),
        (f"a{{background:URL( '{EVIL}' )}}", f"a{{background:blocked( '{EVIL}' )}}"),
        ("a{background:url(data:text/html,x)}", "a{background:blocked(data:text/html,x)}"),
        ("a{background:url(/**/data:image/png,x)}", "a{background:blocked(/**/data:image/png,x)}"),
        (f"@IMPORT '{EVIL}';", f"@blocked '{EVIL}';"),
        ("a{background:u\\000072\r\nl(x)}", "a{background:blocked(x)}"),
        ("a{background:\\75\\72\\6C(x)}", "a{background:blocked(x)}"),
        ("a{background:image\\2d set('x' 1x)}", "a{background:blocked('x' 1x)}"),
        ("html{scroll-behavior:smooth;behavior:url(#x)}", "html{scroll-behavior:smooth;blocked:url(#x)}"),
    ],
)
def test_style_sheets(sheet: str, safe: str) -> None:
    assert safe_css(sheet) == safe
    assert safe_css(safe) == safe


@pytest.mark.parametrize(
    "sheet",
    [
        "@font-face{src:local('x'),url(data:font/woff2;base64,AA==) format('woff2')}",
        """a{background:url("data:image/svg+xml,%3csvg xmlns='http://www.w3.org/2000/svg'%3e")}""",
        "a{fill:url(#g);overscroll-behavior:none}",
        ".\\31 0px\\:x{content:'\\201C'}",
        f"a{{}}{SPLIT}b{{}}",
        "@media print{a{color:red}}@supports (display:grid){b{}}",
    ],
)
def test_style_sheets_that_stay(sheet: str) -> None:
    assert safe_css(sheet) == sheet


@pytest.mark.parametrize(
    "pieces",
    [("a{b:ur", f"l({EVIL})}}"), ("a{b:url", f"({EVIL})}}"), ("@im", f"port '{EVIL}'"), ("@", f"import '{EVIL}'"),
     ("@im\\7", f"0 ort '{EVIL}'"), ("a{b:\\75", f"rl({EVIL})}}"), ("a{b:image-", f"set('{EVIL}' 1x)}}"),
     ("a{b:u\\72", f"l({EVIL})}}"), ("@\\69 ", f"mport '{EVIL}'"), ("@\\69\r", f"\nmport '{EVIL}'"),
     ("@\\69 mp\\6", f"f rt '{EVIL}'"), ("a{b:u", f"\\72 l({EVIL})}}"), ("a{b:ur\\", f"6c ({EVIL})}}"),
     ("a{b:ur\\6", f"c ({EVIL})}}"), ("a{b:ur\\6c\r", f"\n({EVIL})}}"), ("a{b:ur\\6c", f" ({EVIL})}}"),
     ("a{b:\\75 ", "\\72 ", f"\\6c ({EVIL})}}")],
)  # fmt: skip
def test_texts_of_unknown_elements_make_no_style_sheet_together(pieces: tuple[str, ...]) -> None:
    together = "".join(map(safe_loose_text, pieces))
    assert safe_css(together) == together
    for sent in ([rewritten(piece) for piece in pieces], [added(text(piece)) for piece in pieces]):
        kept = sanitise(sent, SHOWN)
        assert len(kept) == len(pieces)


@pytest.mark.parametrize(
    "style",
    [
        element("style", {}, text("@im"), text("x"), text(f"port '{EVIL}'")),
        element("style", {}, text("a{b:u"), text("x"), text(f"\\72 l({EVIL})}}")),
        element("style", {"_cssText": f"@im{SPLIT}x{SPLIT}port '{EVIL}'"}, text(""), text(""), text("")),
        element("style", {"_cssText": "@im"}),
    ],
)
def test_style_sheets_stay_harmless_when_a_part_is_taken_away_or_added(style: Json) -> None:
    [kept] = sanitise([added(style)], SHOWN)
    [made] = list(elements(kept))
    pieces = [child["textContent"] for child in made["childNodes"]]
    pieces = made["attributes"].get("_cssText", SPLIT.join(pieces)).split(SPLIT)
    together = pieces[0] + (pieces[2] if len(pieces) == 3 else safe_loose_text(f"port '{EVIL}'"))
    assert safe_css(together) == together


def test_cuts_inside_of_cuts() -> None:
    deep = "/* rr_" * 5_000 + SPLIT + "split */" * 5_000
    assert SPLIT not in safe_css(f"a{{}}{deep}b{{}}")


def test_a_long_text_of_escapes_is_read_once() -> None:
    for piece in ("@", "@\\@", "@\\6", "\\6 ", "a", " \n"):
        assert safe_loose_text(piece * 300_000).count(piece) >= 299_999


@pytest.mark.parametrize(
    "sent",
    [
        event(5, {"tag": "x", "payload": {"html": "<script>"}}),
        event(6, {"plugin": "rrweb/console@1", "payload": {"level": "log"}}),
        event(7, {"url": EVIL, "payload": {}}),
        event(8, {"type": "caption", "text": "x"}),
        event(99, {}),
        increment(9, id=40, type=0, commands=[{"property": "drawImage", "args": [{"rr_type": "x", "src": EVIL}]}]),
        increment(10, family="x", fontSource=f"url({EVIL})", buffer=False),
        increment(11, level="log", payload=["x"]),
        increment(16, define={"name": "x-y"}),
        increment(99),
        increment(2, id=40, type="click"),
        increment(13, id=40, index="0", set={"property": "color", "value": "red"}),
        event(2, {"node": element("html")}),
        event(2, {"node": None}),
        event(4, {"href": 5, "width": 1, "height": 1}),
        {"type": 3, "data": [], "timestamp": AT},
        {"type": 1, "data": {}, "timestamp": "now"},
        {"type": True, "data": {}, "timestamp": AT},
        {"type": 1, "data": {}, "timestamp": float("nan")},
        {"type": 1, "data": {}, "timestamp": -1},
        {}, None, 5, "packed", [],
    ],
)  # fmt: skip
def test_other_events_are_left_out(sent: object) -> None:
    assert sanitise([sent, HARMLESS["scroll"]], Rules()) == [HARMLESS["scroll"]]


def test_fields_that_nobody_knows_are_left_out() -> None:
    sent = snapshot(
        element("p", {}, text("*") | {"__proto__": 1, "isStyle": True}, evil="x", needBlock=True, isSVG="yes")
    )
    sent |= {"delay": 5, "__proto__": {}}
    [kept] = sanitise([sent], Rules())
    assert kept == snapshot(element("p", {}, text("*"), needBlock=True))


def test_elements_of_unknown_names_are_shown_as_text() -> None:
    [kept] = sanitise([added(element("blink", {"class": "a"}, text("**")))], Rules())
    assert kept == added(element("span", {"class": "a"}, text("**")))


def test_a_dropped_element_leaves_its_id() -> None:
    [kept] = sanitise([snapshot(element("script", {}, text("x"), node_id=77))], Rules())
    assert kept == snapshot(element("noscript", node_id=77))


def test_text_is_masked() -> None:
    said = {"title": "Anna B", "alt": "Anna", "placeholder": "your name", "aria-label": "Anna"}
    page = snapshot(
        element("p", said, text("Anna\n said: hi")), element("input", {"type": "submit", "value": "Buy it"})
    )
    [kept] = sanitise([page], Rules())
    assert kept == snapshot(
        element("p", {"title": "**** *", "alt": "****", "placeholder": "**** ****", "aria-label": "****"},
                text("****\n ***** **")),
        element("input", {"type": "submit", "value": "*** **"}),
    )  # fmt: skip
    assert sanitise([page], SHOWN) == [page]
    [kept] = sanitise([rewritten("Anna (B)")], Rules())
    assert kept == rewritten("**** ***")


@pytest.mark.parametrize("mask", [True, False])
def test_nobody_learns_what_was_typed(mask: bool) -> None:
    sent = [
        increment(5, id=40, text="hunter2", isChecked=False),
        changed({"value": "hunter2"}),
        snapshot(
            element("input", {"type": "password", "value": "hunter2"}),
            element("input", {"type": "no such type", "value": "hunter2"}),
            element("input", {"value": "hunter2"}),
            element("select", {"value": "hunter2"}, element("option", {"selected": True, "value": "hunter 2"})),
            element("textarea", {"value": "hunter2"}, text("hunter2")),
        ),
    ]
    typed, attribute, page = sanitise(sent, Rules(mask=mask))
    assert (typed["data"]["text"], attribute["data"]["attributes"][0]["attributes"]) == ("*" * 7, {"value": "*" * 7})
    assert "hunter2" not in json.dumps(page)
    assert "selected" not in json.dumps(page)


PRIVATE = [MAIL, MAIL.replace("@", "%40"), CARD, "4111 1111 1111 1111", IP, AGENT]


@pytest.mark.parametrize("private", PRIVATE)
def test_nothing_private_is_kept(private: str) -> None:
    url = f"https://example.com/{private}?mail={private}&token=s3cr3t#{private}"
    sent = [
        meta(url),
        snapshot(
            element(
                "a",
                {"href": url, "title": private, "class": private, "id": private, "data-x": private,
                 "style": f"--x:'{private}'",
                 "aria-label": private, f"data-{private}": "x", "name": private, "fill": private, "d": private},
                text(f"say {private}, please"),
            ),
            element("style", {"_cssText": f"a::after{{content:'{private}'}}"}, text(f"/* {private} */")),
            element(f"x-{private}", {}),
            element("input", {"type": "checkbox", "value": private}),
        ),
        mutation([{"id": 5, "value": private}]),
        changed({"title": private, "style": {"color": private}}),
        increment(8, id=5, adds=[{"rule": f"a{{content:'{private}'}}"}], replace=private),
        increment(13, id=5, index=[0], set={"property": "content", "value": private}),
    ]  # fmt: skip
    kept = json.dumps(sanitise(sent, Rules(False, IP, AGENT)))
    assert len(json.loads(kept)) == len(sent)
    kept = re.sub('"d": "[0-9 ]+"', "", kept)  # shapes are rows of numbers, some of them like a card's
    assert [each for each in (MAIL, "ann.smith", CARD, "4111 1111", IP, "Zephyr", "s3cr3t") if each in kept] == []


def test_trees_are_cut_where_they_are_too_deep() -> None:
    node = element("b")
    for _ in range(3 * DEPTH_MOST // 2):
        node = element("div", {}, node)
    [kept] = sanitise([snapshot(node)], Rules())
    assert len(list(elements(kept))) in range(DEPTH_MOST - 5, DEPTH_MOST + 5)
    assert "b" not in {found["tagName"] for found in elements(kept)}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, 10**400, "5", None, True, [5]])
def test_numbers_that_are_none(number: object) -> None:
    sent = [
        increment(1, positions=[{"x": number, "y": 2, "id": 5, "timeOffset": 0}]),
        increment(3, id=1, x=0, y=number),
        increment(4, width=number, height=5),
        snapshot(element("div", {"rr_scrollTop": number})) if number is not True else None,
    ]
    kept = sanitise(sent, Rules())
    assert [one["type"] for one in kept] == ([2] if number is not True else [])
    assert "rr_scrollTop" not in json.dumps(kept) or number == "5"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 90) | st.floats() | st.text(max_size=12) | st.sampled_from(
        ["script", "style", "img", EVIL, "javascript:alert(1)", "url(", "@import", "\\75rl(x)", "<script"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "data", "node", "id", "tagName", "attributes", "childNodes", "source", "adds", "texts",
                         "value", "parentId", "style", "src", "onload", "href", "textContent", "timestamp", "rules"]),
        inner, max_size=6),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ANYTHING, max_size=5), st.booleans())
def test_anything_is_taken_and_comes_out_harmless(sent: list[object], mask: bool) -> None:
    rules = Rules(mask=mask)
    kept = sanitise([*sent, event(2, {"node": {"type": 0, "id": 1, "childNodes": sent}})], rules)
    assert sanitise(kept, rules) == kept
    assert LIVE.findall(json.dumps(kept)) == []


def test_pictures_of_the_recording_itself_stay() -> None:
    sent = changed({"src": PICTURE})
    assert sanitise([sent], Rules()) == [sent]
