"""modules/more.js beside what people do: events that cannot be sent, other modules, old browsers, the console."""

import json
import time
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page

from tests.running import Server

from .modules import START, Sent, hide, start, taken
from .origins import Site

LOADED = """performance.getEntriesByType('resource').map((entry) => entry.name)
  .filter((name) => name.includes('/client/'))"""
HERE = f"vt:{'0' * 32}"
DATABASES = "async () => (await indexedDB.databases()).length"


def old(name: str, number: int, age_ms: int = 60_000) -> list[Sent]:
    now = int(time.time() * 1000)
    return [{"id": f"{name}{each}", "t": now - age_ms, "properties": {"x": each}} for each in range(number)]


def test_what_overflows_comes_back_with_the_next_page_once(page: Page, site: Site, server: Server) -> None:
    url = site.put("page", "")
    page.goto(url)
    events = old("a", 41)
    start(page, server.url, "overflow", queue=events)
    page.evaluate("() => tracker.keep()")
    page.wait_for_function("() => tracker.queue.length === 20")
    assert page.evaluate("() => tracker.queue.map((event) => event.id)") == [each["id"] for each in events[21:]]
    page.reload()
    start(page, server.url, "overflow")
    page.wait_for_function("() => JSON.parse(localStorage.getItem('put') ?? '[]').length === 21")
    assert taken(page, "put") == events[:21]
    page.reload()
    start(page, server.url, "overflow", queue=old("b", 41))
    page.evaluate("() => tracker.keep()")
    page.wait_for_function("() => tracker.queue.length === 20")
    page.evaluate("() => { tracker.queue = []; dispatchEvent(new Event('online')) }")
    page.wait_for_function("() => localStorage.getItem('put')")
    assert [each["id"] for each in taken(page, "put")] == [f"b{each}" for each in range(21)]


@pytest.mark.parametrize(("number", "age_ms"), [(40, 60_000), (99, 0)])
def test_who_loses_nothing_gets_no_database(page: Page, site: Site, server: Server, number: int, age_ms: int) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "overflow", queue=old("a", number, age_ms))
    page.evaluate("() => { tracker.keep(); dispatchEvent(new Event('online')) }")
    assert page.evaluate("() => tracker.queue.length") == number
    assert page.evaluate(DATABASES) == 0


NO_DATABASE = [
    "throw new Error('no')",
    "const request = {}; setTimeout(() => request.onerror(new Event('error'))); return request",
]


@pytest.mark.parametrize("opened", NO_DATABASE)
def test_without_a_database_events_stay_in_memory(page: Page, site: Site, server: Server, opened: str) -> None:
    broken = f"{{open() {{ window.asked = 1; {opened} }}}}"
    page.add_init_script(f"Object.defineProperty(window, 'indexedDB', {{value: {broken}}})")
    page.goto(site.put("page", ""))
    start(page, server.url, "overflow", queue=old("a", 60))
    page.evaluate("() => tracker.keep()")
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.evaluate("() => [window.asked, tracker.queue.length]") == [1, 60]


def test_what_waits_in_memory_has_an_end(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more", queue=old("a", 1500, 0))
    page.evaluate("() => tracker.put([])")
    assert page.evaluate("() => [tracker.queue.length, tracker.queue[0].id]") == [1000, "a500"]


def test_where_nothing_may_be_stored_nothing_is(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more", queue=old("a", 99))
    page.evaluate("() => tracker.keep()")
    assert page.evaluate("() => tracker.queue.length") == 99
    assert page.evaluate(DATABASES) == 0


def test_what_earlier_pages_left_is_taken_over_once(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    young, gone = old("young", 2), old("gone", 1, 8 * 86_400_000)
    left = {
        HERE: json.dumps(old("own", 1)),
        f"vt:{'a' * 32}": json.dumps([*young, *gone]),
        f"vt:{'b' * 32}": "broken",
        f"vt:{'c' * 32}": "{}",
        "vt:theirs": "kept",
        "vt.id": "kept",
        "theirs": "kept",
    }
    page.evaluate("(left) => Object.assign(localStorage, left)", left)
    start(page, server.url, "more", shared="localStorage", key=HERE)
    assert taken(page, "put") == young
    assert page.evaluate("() => Object.keys(localStorage).sort()") == sorted([HERE, "vt:theirs", "vt.id", "theirs"])


ONE = """async () => {
  const event = {type: 'pageview', t: Date.now() - 5000, url: location.href};
  const [done] = await tracker.single([event]);
  return done === event;
}"""


def test_an_image_takes_an_event_where_nothing_else_can(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more")
    with page.expect_request("**/e?e=*") as asked:
        assert page.evaluate(ONE)
    sent = json.loads(unquote(urlsplit(asked.value.url).query.removeprefix("e=")))
    assert sent["type"] == "pageview"
    assert 5_000 <= sent["age_ms"] < 60_000
    assert page.evaluate("() => { tracker.base = 'x:'; return tracker.single([{t: 1}]) }") is None


def test_other_modules_hear_of_pages_and_of_the_end(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more")
    page.evaluate("""() => {
      window.heard = [];
      tracker.onPage.push(() => { throw new Error('mine') }, () => heard.push('page'));
      tracker.onLeave.push(() => { throw new Error('mine') }, () => heard.push('leave'));
      tracker.flush = () => heard.push('flush');
      tracker.seen.push({type: 'pageview'});
      tracker.seen.push({type: 'custom'});
    }""")
    hide(page)
    assert page.evaluate("() => heard") == ["page", "leave", "flush"]


def test_old_browsers_tell_of_routes_too(page: Page, site: Site, server: Server) -> None:
    page.add_init_script("delete window.navigation; Object.defineProperty(window, 'navigation', {value: undefined})")
    page.goto(site.put("page", ""))
    start(page, server.url, "more")
    page.wait_for_function(f"() => {LOADED}.some((name) => name.endsWith('/routes.js'))")
    page.evaluate("() => { window.views = 0; tracker.view = () => { views++ } }")
    page.evaluate(START, f"{server.url}/client/routes.js")
    page.evaluate("() => { history.pushState({a: 1}, '', 'next'); history.back() }")
    page.wait_for_function("() => views === 3")
    assert page.evaluate("() => location.pathname.endsWith('page')")


@pytest.mark.parametrize(
    ("more", "query", "wanted"),
    [
        ({}, "", []),
        ({"dataset": {"debug": ""}}, "", ["pageview", "custom"]),
        ({}, "?explain", ["pageview", "custom"]),
        ({"dataset": {"debug": "false"}}, "", []),
        ({"dataset": {"disableConsole": ""}}, "?explain", []),
        ({"isOff": True}, "", ["not counted here"]),
        ({"isOff": True, "dataset": {"disableConsole": ""}}, "", []),
    ],
)
def test_who_puts_it_into_a_page_can_see_what_it_does(  # noqa: PLR0913
    page: Page, site: Site, server: Server, more: dict[str, object], query: str, wanted: list[str]
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.put("page", "<p data-track=Goal>goal</p>") + query)
    start(page, server.url, "more", **({"seen": [{"type": "pageview"}]} | more))
    if wanted:
        page.wait_for_function(f"() => {LOADED}.some((name) => name.endsWith('/explain.js'))")
        page.evaluate("() => import(`${tracker.base}client/explain.js`)")
    page.evaluate("() => tracker.seen.push({type: 'custom'})")
    told = [text for text in said if text.startswith("visitor-tracker:")]
    assert len(told) == len(wanted), said
    assert all(want in text for want, text in zip(wanted, told, strict=True)), told
