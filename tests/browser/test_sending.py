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
DATABASES = "async () => (await indexedDB.databases()).length"
KEEPING = {"modules": [], "files": {}, "memory": False}


def old(name: str, number: int, age_ms: int = 60_000) -> list[Sent]:
    now = int(time.time() * 1000)
    return [{"id": f"{name}{each}", "t": now - age_ms, "properties": {"x": each}} for each in range(number)]


def test_what_overflows_comes_back_with_the_next_page_once(page: Page, site: Site, server: Server) -> None:
    url = site.put("page", "")
    page.goto(url)
    events = old("a", 41)
    start(page, server.url, "more", settings=KEEPING, queue=events)
    page.evaluate("() => tracker.keep()")
    assert page.evaluate("() => tracker.queue.map((event) => event.id)") == [each["id"] for each in events[20:]]
    page.wait_for_function(DATABASES)
    page.reload()
    start(page, server.url, "more", settings=KEEPING)
    page.wait_for_function("() => JSON.parse(localStorage.getItem('put') ?? '[]').length === 20")
    assert taken(page, "put") == events[:20]
    page.reload()
    start(page, server.url, "more", settings=KEEPING, queue=old("b", 41))
    page.evaluate("() => tracker.keep()")
    page.evaluate("() => { tracker.queue = []; dispatchEvent(new Event('online')) }")
    page.wait_for_function("() => localStorage.getItem('put')")
    assert [each["id"] for each in taken(page, "put")] == [f"b{each}" for each in range(20)]


@pytest.mark.parametrize(("number", "age_ms"), [(40, 60_000), (99, 0)])
def test_who_loses_nothing_gets_no_database(page: Page, site: Site, server: Server, number: int, age_ms: int) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more", settings=KEEPING, queue=old("a", number, age_ms))
    page.evaluate("() => { tracker.keep(); dispatchEvent(new Event('online')) }")
    assert page.evaluate("() => tracker.queue.length") == number
    assert page.evaluate(DATABASES) == 0


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
        "vt:here": json.dumps(old("own", 1)),
        "vt:a": json.dumps([*young, *gone]),
        "vt:b": "broken",
        "vt:c": "{}",
        "vt.id": "kept",
        "theirs": "kept",
    }
    start(page, server.url, "more", shared=left)
    assert taken(page, "put") == young
    assert page.evaluate("() => Object.keys(tracker.shared)") == ["vt:here", "vt.id", "theirs"]


def test_an_image_takes_an_event_where_nothing_else_can(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", ""))
    start(page, server.url, "more")
    with page.expect_request("**/e?e=*") as asked:
        assert page.evaluate("() => tracker.image({type: 'pageview', t: Date.now() - 5000, url: location.href})")
    sent = json.loads(unquote(urlsplit(asked.value.url).query.removeprefix("e=")))
    assert sent["type"] == "pageview"
    assert 5_000 <= sent["age_ms"] < 60_000
    assert page.evaluate("() => { tracker.base = 'x:'; return tracker.image({t: 1}) }")


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
