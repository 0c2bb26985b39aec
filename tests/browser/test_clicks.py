"""modules/clicks.js: which clicks are told, and which of them nothing came of."""

import pytest
from playwright.sync_api import Browser, Page

from tests.running import Server

from .modules import leave, push, start, taken, until_taken, without, words
from .origins import Site

STAY = "<script>addEventListener('click', (event) => event.preventDefault())</script>"
STYLE = (
    "<style>* {margin: 0; padding: 0; border: 0 solid} body > * {display: block; width: 200px; height: 40px}</style>"
)
PLACE = {"x": 30, "y": 10, "column": 2, "row": 0}
EARLIER_FIELDS = ("url", "t", "type")


def clicked(page: Page, site: Site, server: Server, html: str, *selectors: str) -> list[dict[str, object]]:
    """Click one thing after the other, leave, and return what is told of it."""
    page.goto(site.put("page", STYLE + STAY + html))
    start(page, server.url, "clicks")
    for selector in selectors:
        push(page, selector, 30, 10)
    leave(page)
    return without(taken(page), *EARLIER_FIELDS)


def told(tag: str, name: str = "", target: str = "", **properties: object) -> dict[str, object]:
    return {"name": name, "target": target, "properties": {"tag": tag, **properties, **PLACE}}


@pytest.mark.parametrize(
    ("html", "selector", "wanted"),
    [
        pytest.param(
            "<button id=go class='big red'> Buy \n now </button>",
            "button",
            told("button", "Buy now", id="go", **{"class": "big red"}),
            id="button",
        ),
        pytest.param(
            "<a href='https://other.example/a?b=1#c'><i id=deep>more</i></a>",
            "i",
            told("a", "more", "https://other.example/a?b=1"),
            id="link",
        ),
        pytest.param("<a href='mailto:john@example.com'>write</a>", "a", told("a", "write"), id="mail"),
        pytest.param("<p>some text</p>", "p", told("p"), id="text is not told"),
        pytest.param("<button aria-label=Close><svg></svg></button>", "button", told("button", "Close"), id="icon"),
        pytest.param(f"<button>{'long ' * 40}</button>", "button", told("button", ("long " * 40)[:64]), id="long text"),
        pytest.param("<button>on<b hidden>off</b></button>", "button", told("button", "on"), id="hidden"),
        pytest.param("<input value=secret>", "input", told("input"), id="field"),
        pytest.param("<input type=submit value=secret>", "input", told("input"), id="button that is a field"),
        pytest.param("<textarea>secret</textarea>", "textarea", told("textarea"), id="text field"),
        pytest.param("<div contenteditable><a href=/x>secret</a></div>", "a", told("a", "", "/x"), id="edited link"),
        pytest.param(
            "<div role=button>do<span contenteditable>secret</span></div>", "div", told("div"), id="edited in a button"
        ),
        pytest.param("<label>field <input type=checkbox></label>", "label", told("label"), id="label: one click"),
        pytest.param(
            "<form id=f><input name=id><input name=localName><input name=getAttribute><input name=isContentEditable>"
            "<button>go</button></form><style>input {display: none} button {width: 200px; height: 40px}</style>",
            "button",
            told("button", "go"),
            id="form whose fields hide what it is",
        ),
        pytest.param("<svg class=icon><rect width=200 height=40 /></svg>", "rect", told("rect"), id="drawing"),
    ],
)
def test_a_click_is_told_without_what_was_typed(  # noqa: PLR0913
    page: Page, site: Site, server: Server, html: str, selector: str, wanted: dict[str, object]
) -> None:
    [found] = clicked(page, site, server, html, selector)
    target = str(wanted["target"])
    assert found == wanted | {"target": site.url + target if target.startswith("/") else target}
    assert "secret" not in words(found)


def test_a_click_belongs_to_the_page_and_the_moment_it_was_made_on(page: Page, site: Site, server: Server) -> None:
    url = site.put("page", "<button onclick=\"history.pushState(null, '', 'next')\">next</button>")
    page.goto(url)
    start(page, server.url, "clicks")
    before = page.evaluate("() => Date.now()")
    page.click("button")
    after = page.evaluate("() => Date.now()")
    [found] = until_taken(page, 1)
    assert (found["type"], found["url"]) == ("click", url)
    assert before <= found["t"] <= after
    assert "dead" not in found["properties"]


def test_a_click_by_the_keyboard_has_no_place(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", "<button>go</button>"))
    start(page, server.url, "clicks")
    page.press("button", "Enter")
    leave(page)
    assert [found["properties"] for found in taken(page)] == [{"tag": "button"}]


def test_what_scripts_click_is_told_of_nobody(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", "<button>go</button>"))
    start(page, server.url, "clicks")
    page.evaluate("() => { for (let i = 0; i < 9; i++) document.querySelector('button').click() }")
    leave(page)
    assert taken(page) == []


def test_many_clicks_at_one_place_are_one_rage(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", f"{STYLE}<button>go</button>"))
    start(page, server.url, "clicks")
    for _ in range(5):
        page.mouse.click(30, 10, delay=30)
    leave(page)
    assert [found["properties"].get("rage") for found in taken(page)] == [None, None, True, None, None]


def test_three_clicks_that_select_a_paragraph_are_no_rage(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", f"{STYLE}<p>some text to read</p>"))
    start(page, server.url, "clicks")
    page.click("p", click_count=3, delay=30)
    leave(page)
    assert page.evaluate("() => String(getSelection()).trim()") == "some text to read"
    assert [found["properties"].get("rage") for found in taken(page)] == [None, None, None]


ACTS = {
    "adds": "document.body.append('more')",
    "scrolls": "window.scrollTo(0, 100)",
    "focuses": "document.querySelector('input').focus()",
    "selects": "getSelection().selectAllChildren(document.body)",
    "routes": "history.pushState(null, '', '?next')",
    "jumps": "location.hash = 'part'",
    "colours": "event.target.style.color = 'red'",
    "late": "setTimeout(() => document.body.append('more'), 300)",
    "opens": "document.querySelector('details').open = true",
}


def test_clicks_that_nothing_comes_of_are_dead(chromium: Browser, site: Site, server: Server) -> None:
    """One tab for each, side by side: every one of them takes a second."""
    dead = {
        "button": "<button>{}</button>",
        "pointer": "<div style='cursor: pointer'>{}</div>",
        "role": "<div role=button>{}</div>",
        "here": "<a href='#'>{}</a><script>addEventListener('click', (event) => event.preventDefault())</script>",
        "script": "<a href='javascript:void 0'>{}</a>",
        "field": "<input type=button value={}>",
    }
    silent = {
        "text": "<p>{}</p>",
        "typing": "<input value={}>",
        "box": "<input type=checkbox value={}>",
        "picture": "<canvas role=button>{}</canvas>",
        "component": "<x-button role=button>{}</x-button>",
        "elsewhere": "<a href=/page target=frame>{}</a><iframe name=frame></iframe>",
        "download": "<a href=/file download>{}</a>",
    }
    acting = {name: f'<button onclick="{act}">{{}}</button><input><details></details>' for name, act in ACTS.items()}
    context = chromium.new_context()
    found = {}
    tall = "<div style='height: 5000px'></div>"
    for name, html in (dead | silent | acting).items():
        page = context.new_page()
        page.goto(site.put(name, html.format(name) + tall))
        start(page, server.url, "clicks")
        page.evaluate("(name) => { tracker.add = (type, fields) => { window.told = fields.properties } }", name)
        page.locator("body > *").first.click(position={"x": 5, "y": 5})
        page.wait_for_function("() => window.told")
        found[name] = page.evaluate("() => told.dead ?? false")
        page.close()
    context.close()
    assert found == dict.fromkeys(dead, True) | dict.fromkeys([*silent, *acting], False)


def test_a_click_that_leaves_the_page_is_not_dead(page: Page, site: Site, server: Server) -> None:
    site.put("next", "next")
    page.goto(site.put("page", "<button onclick=\"location.href = 'next'\">next</button>"))
    start(page, server.url, "more", modules=["clicks"])
    page.wait_for_function("() => tracker.onLeave.length")
    page.click("button")
    page.wait_for_url("**/next")
    assert [found["properties"].get("dead") for found in until_taken(page, 1)] == [None]
