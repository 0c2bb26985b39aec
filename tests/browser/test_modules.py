"""The tracker script with all of its modules and a real server: what is done on a page is stored, each once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.running import Server, until

from .origins import Relay, Site
from .stored import Stored, stored

ALL = "data-allow-localhost data-modules='clicks errors vitals'"
LOADED = "() => performance.getEntriesByType('resource').filter((entry) => /client/.test(entry.name)).length"


def tag(server: str, attributes: str = ALL) -> str:
    return f'<script defer src="{server}/script.js" {attributes}></script>'


def ready(page: Page, url: str, modules: int = 5) -> None:
    """Open the page and wait for the modules: more.js, overflow.js and three others."""
    page.goto(url)
    page.wait_for_function(f"async (most) => ({LOADED})() >= most", arg=modules)
    page.wait_for_function("() => VisitorTracker.tracker.onLeave?.length >= 2")


def kept(server: Server, site: Site, *kinds: str) -> list[Stored]:
    """Return what is stored of these kinds, in the order in which it happened."""
    return [event for event in stored(server, site.folder) if event.kind in kinds]


@pytest.fixture
def failing(chromium: Browser) -> Iterator[Page]:
    """A tab whose scripts may throw."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


PAGE = """<style>
  * {margin: 0; padding: 0; border: 0 solid}
  body > * {display: block; width: 200px; height: 40px}
</style>
<script>
  addEventListener('click', (event) => event.composedPath().some((node) => node.href) && event.preventDefault());
  addEventListener('submit', (event) => event.preventDefault());
</script>
<a href="https://other.example/out?token=secret#part">Out</a>
<a href="/files/report.pdf" download>Report</a>
<form id="join" action="/join?secret=1"><input name="mail" value="john@example.com"><button>Join</button></form>
<p data-track="Plan" data-track-size="big">Plan</p>
<button>Dead</button>"""


def test_everything_that_is_done_on_a_page_is_stored(page: Page, site: Site, server: Server) -> None:
    ready(page, site.put("page", PAGE + tag(server.url)))
    for selector in ("a[download]", "form button", "p", "a"):
        page.click(selector, position={"x": 5, "y": 5})
    page.click("button >> text=Dead", position={"x": 5, "y": 5})
    page.wait_for_function("() => VisitorTracker.tracker.queue.some((event) => event.properties?.dead)")
    page.goto("about:blank")
    acts = ("outbound", "download", "form", "custom")
    until(lambda: len(kept(server, site, *acts, "click")) >= 9)
    assert kept(server, site, *acts) == [
        Stored("download", "page", "", f"{site.url}/files/report.pdf"),
        Stored("form", "page", "join", f"{site.url}/join"),
        Stored("custom", "page", "Plan", properties={"size": "big"}),
        Stored("outbound", "page", "", "https://other.example/out?token=redacted"),
    ]
    clicks = kept(server, site, "click")
    assert [(event.name, event.properties["tag"], event.properties.get("dead")) for event in clicks] == [
        ("Report", "a", None),
        ("Join", "button", None),
        ("", "p", None),
        ("Out", "a", None),
        ("Dead", "button", True),
    ]
    assert len(kept(server, site, "pageview")) == 1
    vitals = [event.name for event in kept(server, site, "vital")]
    assert len(vitals) == len(set(vitals))
    assert {"TTFB", "FCP", "LCP"} <= set(vitals)
    everything = str([(event, event.rest) for event in stored(server, site.folder)])
    assert "secret" not in everything
    assert "john" not in everything


def test_an_error_is_stored_with_its_group_once(failing: Page, site: Site, server: Server) -> None:
    script = "<script>const fail = (number) => { throw new TypeError(`no ${number}`) }</script>"
    url = site.put("page", script + tag(server.url))
    for number in (7, 7, 8):
        ready(failing, url)
        failing.evaluate("(number) => { setTimeout(fail, 0, number); setTimeout(fail, 0, number) }", number)
        failing.wait_for_function("() => VisitorTracker.tracker.queue.some((event) => event.type === 'error')")
        failing.goto("about:blank")
    until(lambda: len(kept(server, site, "error")) >= 3)
    found = kept(server, site, "error")
    assert [event.name for event in found] == ["TypeError: no 7", "TypeError: no 7", "TypeError: no 8"]
    assert len({event.properties["group"] for event in found}) == 1
    assert str(found[0].properties["stack"]).startswith(f"fail ({site.folder}page:1:")


def test_a_missing_page_is_stored_beside_its_view(page: Page, site: Site, server: Server) -> None:
    url = site.put("lost", tag(server.url, "data-allow-localhost data-status=404"))
    page.goto(url)
    page.wait_for_function("() => VisitorTracker.tracker.onPage")
    page.goto("about:blank")
    until(lambda: kept(server, site, "custom"))
    [found] = kept(server, site, "custom")
    assert found == Stored("custom", "lost", "404", properties={"path": f"{site.folder}lost", "status": 404})
    [_] = kept(server, site, "pageview")


def test_a_click_that_changes_the_route_is_one_of_the_page_before(page: Page, site: Site, server: Server) -> None:
    route = "<button onclick=\"history.pushState(null, '', 'next')\">Next</button>"
    ready(page, site.put("page", route + tag(server.url)))
    page.click("button")
    page.goto("about:blank")
    until(lambda: len(kept(server, site, "pageview", "click")) >= 3)
    found = kept(server, site, "pageview", "click")
    # Ages are told by the clock of the server when a request arrives: what two requests told may change places.
    assert sorted((event.kind, event.page) for event in found) == [
        ("click", "page"),
        ("pageview", "next"),
        ("pageview", "page"),
    ]


STRANGE = """<script>
  Object.freeze(console);
  for (const name of ['name', 'target', 'tag', 'dead', 'rage'])
    Object.defineProperty(Object.prototype, name, {set() { throw new Error('taken') }, get() {}, configurable: true});
</script>
<img name="querySelector"><img name="body">
<form name="documentElement"><input name="parentNode"><input name="id"></form>
<a href="https://other.example/" data-track="__proto__" data-track-__proto__="a" data-track-constructor="b">Out</a>"""


def test_a_strange_page_under_a_strict_policy(page: Page, site: Site, server: Server) -> None:
    html = STRANGE + "<script>addEventListener('click', (event) => event.preventDefault())</script>" + tag(server.url)
    policy = f"default-src 'none'; script-src {server.url} 'unsafe-inline'; connect-src {server.url}"
    ready(page, site.put("page", html, Content_Security_Policy=policy))
    box = page.evaluate("() => { const {x, y} = document.links[0].getBoundingClientRect(); return [x, y] }")
    page.mouse.click(box[0] + 3, box[1] + 3)
    page.goto("about:blank")
    until(lambda: len(kept(server, site, "outbound", "custom", "click")) >= 3)
    assert kept(server, site, "outbound", "custom") == [
        Stored("custom", "page", "__proto__", properties={"__proto__": "a", "constructor": "b"}),
        Stored("outbound", "page", "", "https://other.example/"),
    ]
    [click] = kept(server, site, "click")
    assert (click.name, click.properties["tag"]) == ("Out", "a")


def test_the_end_of_a_page_costs_few_requests(page: Page, site: Site, relay: Relay) -> None:
    ready(page, site.put("page", f"<button>Go</button>{tag(relay.url)}"))
    page.click("button")
    before = len([request for request in relay.seen if request.route == "POST /e"])
    page.goto("about:blank")
    until(lambda: any(b'"vital"' in request.body for request in relay.seen))
    assert len([request for request in relay.seen if request.route == "POST /e"]) - before <= 3
