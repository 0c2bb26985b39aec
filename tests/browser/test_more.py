"""modules/more.js: on this page, doing this, exactly these events arrive."""

import pytest
from playwright.sync_api import Page

from tests.running import Server

from .modules import START, STUB, Do, Sent, push, start, taken, words
from .origins import Site, _Handler, served

STAY = """<script>addEventListener('click', (event) => {
  if (event.composedPath().some((node) => node.localName === 'a')) event.preventDefault();
})</script>"""
OUT = "https://other.example/path?q=1"


def click(selector: str, **options: object) -> Do:
    return lambda page: page.click(selector, **options)  # type: ignore[arg-type]


def press(selector: str) -> Do:
    return lambda page: page.press(selector, "Enter")


def goal(name: str, **properties: str) -> Sent:
    return {"type": "custom", "name": name, "properties": properties}


def outbound(target: str = OUT) -> Sent:
    return {"type": "outbound", "target": target}


LOADED = """performance.getEntriesByType('resource').map((entry) => entry.name)
  .filter((name) => name.includes('/client/'))"""
SHADOW = f"""<div id=host></div><script>
  host.attachShadow({{mode: 'open'}}).innerHTML = '<a href="{OUT}"><b>out</b></a>';
</script>"""
REMOVES = "<script>addEventListener('click', (event) => event.target.remove(), true)</script>"
STOPS = "<script>addEventListener('click', (event) => event.stopPropagation(), true)</script>"
NO_SUBMIT = "<script>addEventListener('submit', (event) => event.preventDefault())</script>"


@pytest.mark.parametrize(
    ("html", "do", "wanted"),
    [
        pytest.param(f"<a href={OUT}#part>out</a>", click("a"), [outbound()], id="link to elsewhere"),
        pytest.param(f"<a href={OUT}><i>out</i></a>", click("i"), [outbound()], id="picture in a link"),
        pytest.param(f"<a href={OUT}>out</a>", press("a"), [outbound()], id="by the keyboard"),
        pytest.param(f"<a href={OUT}>out</a>", click("a", button="middle"), [outbound()], id="middle button"),
        pytest.param(f"<a href={OUT}>out</a>", click("a", modifiers=["Control"]), [outbound()], id="with ctrl"),
        pytest.param(f"<a href={OUT}>out</a>", click("a", button="right"), [], id="right button"),
        pytest.param("<a href=/in>in</a>", click("a"), [], id="link to a page of the site"),
        pytest.param("<a href=#part>part</a>", click("a"), [], id="link to a part of the page"),
        pytest.param("<a href=mailto:john@example.com>mail</a>", click("a"), [], id="mail"),
        pytest.param("<a href='javascript:void 0'>do</a>", click("a"), [], id="script in a link"),
        pytest.param("<a href='https://['>broken</a>", click("a"), [], id="broken link"),
        pytest.param("<a>nowhere</a>", click("a"), [], id="no link"),
        pytest.param(
            f"<svg><a href={OUT}><text y=20>out</text></a></svg>", click("text"), [outbound()], id="link in a drawing"
        ),
        pytest.param(
            f"<svg><a xlink:href={OUT}><text y=20>out</text></a></svg>", click("text"), [outbound()], id="old SVG link"
        ),
        pytest.param(SHADOW, click("b"), [outbound()], id="link in a shadow tree"),
        pytest.param(f"{REMOVES}<a href={OUT}>out</a>", click("a"), [outbound()], id="link that goes when clicked"),
        pytest.param(
            "<a href='https://other.example/a/Report.PDF?v=1#page=2'>file</a>",
            click("a"),
            [{"type": "download", "target": "https://other.example/a/Report.PDF?v=1"}],
            id="file elsewhere",
        ),
        pytest.param("<a href='/x.html' download>file</a>", click("a"), ["download /x.html"], id="download"),
        pytest.param("<a href='/x.zip'>file</a>", click("a"), ["download /x.zip"], id="file"),
        pytest.param("<a href='/zip'>file</a>", click("a"), [], id="no file"),
        pytest.param(
            "<button data-track='Sign up' data-track-plan=pro data-track-from='top bar'>join</button>",
            click("button"),
            [goal("Sign up", plan="pro", **{"from": "top bar"})],
            id="goal with properties",
        ),
        pytest.param(
            "<button data-fast-goal=checkout data-fast-goal-price=49>buy</button>",
            click("button"),
            [goal("checkout", price="49")],
            id="goal of the earlier script",
        ),
        pytest.param(
            f"<a href={OUT} data-track=Partner><b>out</b></a>", click("b"), [goal("Partner"), outbound()], id="both"
        ),
        pytest.param("<div data-track=''><p>text</p></div>", click("p"), [], id="goal without a name"),
        pytest.param("<p data-track=Middle>text</p>", click("p", button="middle"), [], id="middle button on no link"),
        pytest.param(
            "<p data-track=Odd data-track-__proto__=a data-track-constructor=b data-track-tostring=c>text</p>",
            click("p"),
            [goal("Odd", __proto__="a", constructor="b", tostring="c")],
            id="names of prototypes",
        ),
        pytest.param(
            "<section data-track=Outer><p data-track=Inner>text</p></section>",
            click("p"),
            [goal("Inner")],
            id="the nearest goal",
        ),
        pytest.param(
            f"{NO_SUBMIT}<form id=join data-track=Joined action='/join?token=secret'>"
            "<input name=mail value=john@example.com><button>go</button></form>",
            click("input"),
            [],
            id="goal of a form when its field is clicked",
        ),
        pytest.param(
            f"{NO_SUBMIT}<form id=join data-track=Joined data-track-kind=news action='/join?token=secret'>"
            "<input name=mail value=john@example.com><button>go</button></form>",
            lambda page: page.press("input", "Enter"),
            ["form /join join", goal("Joined", kind="news")],
            id="form that is sent",
        ),
        pytest.param(
            f"{NO_SUBMIT}<form name=find id=find action=/find><input name=id value=secret><input name=action>"
            "<input name=getAttribute><input name=attributes><input name=parentNode><button>go</button></form>",
            lambda page: push(page, "button"),
            ["form /find find"],
            id="form whose fields hide what it is",
        ),
        pytest.param(
            f"{NO_SUBMIT}<form action='javascript:void 0'><button>go</button></form>",
            click("button"),
            [{"type": "form", "name": "", "target": ""}],
            id="form that a script takes",
        ),
        pytest.param(
            f"<img name=querySelector><img name=body><form name=documentElement></form><a href={OUT}>out</a>",
            click("a"),
            [outbound()],
            id="pictures that hide what a document is",
        ),
    ],
)
def test_what_is_done_is_told(  # noqa: PLR0913
    page: Page, site: Site, server: Server, html: str, do: Do, wanted: list[object]
) -> None:
    page.goto(site.put("page", STAY + html))
    start(page, server.url, "more")
    do(page)
    assert taken(page) == [_event(each, site.url) for each in wanted]


def _event(wanted: object, origin: str) -> object:
    """Return the event that "kind /path name" stands for; others as they are."""
    if not isinstance(wanted, str):
        return wanted
    kind, path, *name = wanted.split()
    return {"type": kind, "target": origin + path} | ({"name": name[0]} if name else {})


def test_nothing_that_is_typed_is_told(page: Page, site: Site, server: Server) -> None:
    fields = "<input name=a value=secret><textarea name=b>secret</textarea><input type=password value=secret>"
    page.goto(site.put("page", f"{NO_SUBMIT}<form id=f action='/x?y=secret#secret'>{fields}<button>go</button></form>"))
    start(page, server.url, "more")
    for selector in ("input[name=a]", "textarea", "button"):
        page.click(selector)
    found = taken(page)
    assert [event["type"] for event in found] == ["form"]
    assert "secret" not in words(found)


def test_what_a_page_shows_later_is_told_too(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", STAY))
    start(page, server.url, "more")
    page.evaluate(f"""() => {{ document.body.innerHTML = '<a href="{OUT}" data-track=Late>late</a>' }}""")
    page.click("a")
    assert taken(page) == [goal("Late"), outbound()]


def test_what_happened_before_it_came_is_not_lost(page: Page, site: Site, server: Server) -> None:
    early = "<script>early = []; addEventListener('click', (event) => early.push(event), true)</script>"
    html = f"{STAY}{early}<form id=f><input name=parentNode><a href={OUT}><b data-track=Soon>out</b></a></form>"
    page.goto(site.put("page", html))
    push(page, "b")
    page.evaluate(STUB, {"base": f"{server.url}/", "modules": [], "more": {}})
    page.evaluate("() => { tracker.seen = early }")
    page.evaluate(START, f"{server.url}/client/more.js")
    assert taken(page) == [goal("Soon"), outbound()]


SETTERS = """<script>
  for (const name of 'name target properties type plan id class tag x rage dead stop timer'.split(' '))
    Object.defineProperty(Object.prototype, name, {set() { throw new Error('taken'); }, get() {}, configurable: true});
  Object.freeze(console);
</script>"""


def test_a_page_that_spoils_all_objects_loses_nothing(page: Page, site: Site, server: Server) -> None:
    html = f"{SETTERS}{STAY}<a href={OUT} data-track=Goal data-track-plan=pro>out</a>"
    page.goto(site.put("page", html))
    start(page, server.url, "more")
    page.click("a")
    assert taken(page) == [goal("Goal", plan="pro"), outbound()]


def test_it_runs_where_pages_allow_nothing_but_the_servers_scripts(page: Page, site: Site, server: Server) -> None:
    policy = f"default-src 'none'; script-src {server.url}; require-trusted-types-for 'script'"
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(site.put("page", f"<a href={OUT}>out</a>", Content_Security_Policy=policy))
    start(page, server.url, "more", modules=["clicks", "errors", "vitals"])
    page.wait_for_function(f"() => {LOADED}.length === 4")
    page.click("a", button="middle")
    assert taken(page) == [outbound()]
    assert [text for text in told if "Content" in text or "Trusted" in text] == []


def test_a_page_that_says_it_is_missing_is_told_once(page: Page, site: Site, server: Server) -> None:
    url = site.put("old", "<meta name=vt-status content=404>nothing here")
    page.goto(f"{url}?token=secret")
    start(page, server.url, "more")
    missing = {"path": f"{site.folder}old", "status": 404}
    assert taken(page) == [{"type": "custom", "name": "404", "properties": missing, "interactive": False}]


@pytest.mark.parametrize(
    ("html", "more", "wanted"),
    [
        ("<meta name=vt-status content=200>", {"dataset": {"status": "404"}}, []),
        ("", {"dataset": {"status": "410"}}, [410]),
        ("", {"dataset": {"status": "ok"}}, []),
        ("", {"dataset": {}}, []),
    ],
)
def test_what_the_page_says_of_itself_comes_first(  # noqa: PLR0913
    page: Page, site: Site, server: Server, html: str, more: dict[str, object], wanted: list[int]
) -> None:
    page.goto(site.put("page", html))
    start(page, server.url, "more", **more)
    assert [event["properties"]["status"] for event in taken(page)] == wanted


class Missing(Site):
    """A web site that has no page at all, and says so."""

    def answer(self, handler: _Handler) -> None:
        handler.send_response_only(404)
        handler.send_header("Content-Length", "7")
        handler.end_headers()
        handler.wfile.write(b"nothing")


def test_the_status_of_the_answer_counts_where_the_page_says_nothing(page: Page, server: Server) -> None:
    with served(Missing()) as site:
        page.goto(f"{site.url}/nowhere")
        start(page, server.url, "more")
        found = taken(page)
    assert [(event["name"], event["properties"]) for event in found] == [("404", {"path": "/nowhere", "status": 404})]


def test_a_router_may_show_a_missing_page_later(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more")
    page.evaluate("""() => {
      history.pushState(null, '', 'lost');
      tracker.onPage.forEach((work) => work());
      document.head.append(Object.assign(document.createElement('meta'), {name: 'vt-status', content: '404'}));
    }""")
    page.wait_for_function("() => localStorage.getItem('events')")
    assert [event["properties"] for event in taken(page)] == [{"path": f"{site.folder}lost", "status": 404}]


def test_it_loads_the_modules_that_the_site_uses(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more", modules=["errors", "missing", "clicks"])
    page.wait_for_function(f"() => {LOADED}.length === 4")
    names = ("more", "errors", "missing", "clicks")
    assert sorted(page.evaluate(LOADED)) == sorted(f"{server.url}/client/{name}.js" for name in names)
