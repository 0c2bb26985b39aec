"""The tracker script: on this page, doing this, exactly these events arrive and are stored, each once."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.running import Server, until

from .modules import hide
from .origins import Relay, Site
from .stored import Stored, stored
from .test_script_tag import OPENER, TELL

LOCAL = "data-allow-localhost"


def tag(server: str, attributes: str = LOCAL) -> str:
    return f'<script defer src="{server}/script.js" {attributes}></script>'


def leave(page: Page) -> None:
    """Go to a page without the script; what the page has to say, it says now."""
    page.goto("about:blank")


def idle(page: Page) -> None:
    """Wait until the page had nothing to do, twice."""
    for _ in range(2):
        page.evaluate("new Promise(requestIdleCallback)")


def expect_stored(server: Server, site: Site, wanted: list[Stored]) -> None:
    """Wait for exactly these events besides those of attention."""

    def found() -> list[Stored]:
        return [event for event in stored(server, site.folder) if event.kind != "engagement"]

    until(lambda: len(found()) >= len(wanted), lambda: f"stored are only {found()}")
    # What happens in one millisecond has no order.
    assert sorted(found(), key=repr) == sorted(wanted, key=repr)


def sent(relay: Relay) -> list[dict[str, object]]:
    """Return the events of all requests to /e, each as often as it was sent."""
    found: list[dict[str, object]] = []
    for request in relay.seen:
        if request.route == "POST /e":
            found += json.loads(request.body)
        elif request.route == "GET /e":
            found.append(json.loads(unquote(urlsplit(request.path).query.removeprefix("e="))))
    return found


def test_a_page_is_counted_with_what_it_says_of_itself(page: Page, site: Site, relay: Relay, server: Server) -> None:
    url = site.put("page", tag(relay.url))
    page.goto(url + "?utm_source=news#part")
    expect_stored(server, site, [Stored("pageview", "page")])
    (event,) = stored(server, site.folder)
    assert (event.rest.title, event.rest.viewport) == ("A page", "1280x720")
    (told,) = sent(relay)
    assert told["url"] == url + "?utm_source=news"
    assert (told["timezone"] != "", told["screen"], told["seq"]) == (True, "1280x720", 1)
    assert str(told["id"])[:11] >= str(told["tab"])[:11]


def test_no_request_needs_a_preflight_and_nothing_else_is_asked_for(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", tag(relay.url) + "<script>window.onload = () => analytics('Ready')</script>"))
    until(lambda: any("/client/more." in request.path for request in relay.seen))
    leave(page)
    until(lambda: len(sent(relay)) >= 2)
    assert {request.method for request in relay.seen} == {"GET", "POST"}
    assert {request.route for request in relay.seen if "/client/" not in request.path} == {"GET /script.js", "POST /e"}


def test_named_events_and_people(page: Page, site: Site, server: Server) -> None:
    early = """<script>
      window.analytics = window.analytics || function () { (analytics.q = analytics.q || []).push(arguments); };
      analytics('Early', {plan: 'small'});
    </script>"""
    page.goto(site.put("page", early + tag(server.url)))
    page.evaluate("""() => {
        analytics('Order', {value: 9.5, currency: 'EUR', items: 2, gift: true});
        analytics.track('Late');
        VisitorTracker.track('Later');
        new VisitorTracker().track('Last');
        analytics.identify('somebody@example.com', {plan: 'big'});
    }""")
    leave(page)
    expect_stored(
        server,
        site,
        [
            Stored("pageview", "page"),
            Stored("custom", "page", "Early", properties={"plan": "small"}),
            Stored("custom", "page", "Order", properties={"value": 9.5, "currency": "EUR", "items": 2, "gift": True}),
            Stored("custom", "page", "Late"),
            Stored("custom", "page", "Later"),
            Stored("custom", "page", "Last"),
            Stored("identify", "page"),
        ],
    )


def test_changes_of_the_route_are_pages(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", tag(server.url)))
    page.evaluate("history.pushState({}, '', 'second?x=1')")
    page.evaluate("history.replaceState({}, '', 'second?x=2')")
    page.evaluate("location.hash = 'part'")
    page.evaluate("history.pushState({}, '', 'third')")
    page.evaluate("history.go(-1)")
    names = ("page", "second", "third", "second")
    expect_stored(server, site, [Stored("pageview", name) for name in names])


def test_fragments_are_pages_where_the_tag_says_so(page: Page, site: Site, relay: Relay) -> None:
    url = site.put("page", tag(relay.url, f"{LOCAL} data-hash"))
    page.goto(url + "#/one")
    page.evaluate("location.hash = '/two'")
    until(lambda: len(sent(relay)) >= 2)
    pages = [event for event in sent(relay) if event["type"] == "pageview"]
    assert [event["url"] for event in pages] == [url + "#/one", url + "#/two"]
    assert pages[1]["referrer"] == url + "#/one"


def test_a_page_that_comes_back_from_the_cache_is_seen_again(page: Page, site: Site, server: Server) -> None:
    site.put("page", tag(server.url))
    page.goto(site.put("page", tag(server.url)))
    page.goto(site.put("other", "<p>other</p>"))
    page.evaluate("history.back()")
    expect_stored(server, site, [Stored("pageview", "page"), Stored("pageview", "page")])


def test_attention_is_measured_in_parts(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", tag(server.url) + "<p style='height: 3000px'>long</p>"))
    page.bring_to_front()
    page.wait_for_function("performance.now() > 400")
    page.evaluate("scrollTo(0, 1000)")
    page.wait_for_function("performance.now() > 800")
    leave(page)

    def parts() -> list[Stored]:
        return [event for event in stored(server, site.folder) if event.kind == "engagement"]

    until(parts)
    seen = sum(event.engaged_ms for event in parts())
    assert seen >= 300
    assert max(event.rest.scroll for event in parts()) in range(50, 65)


def test_a_click_and_the_tab_is_closed_at_once(chromium: Browser, site: Site, server: Server) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.put("page", tag(server.url) + """<button onclick="analytics('Bought')">Buy</button>"""))
    page.click("button")
    page.close()
    context.close()
    expect_stored(server, site, [Stored("pageview", "page"), Stored("custom", "page", "Bought")])


def test_a_server_that_is_killed_gets_everything_once_it_is_back(page: Page, site: Site, own_server: Server) -> None:
    page.goto(site.put("page", tag(own_server.url)))
    expect_stored(own_server, site, [Stored("pageview", "page")])
    own_server.kill9()
    page.evaluate("analytics('While it was away')")
    page.evaluate("VisitorTracker.tracker.flush()")
    page.evaluate("history.pushState({}, '', 'next')")
    page.wait_for_function("VisitorTracker.tracker.queue.length >= 2")
    own_server.start()
    expect_stored(
        own_server,
        site,
        [Stored("pageview", "page"), Stored("custom", "page", "While it was away"), Stored("pageview", "next")],
    )


def test_what_was_not_acknowledged_comes_with_the_next_page(
    chromium: Browser, site: Site, relay_to: Callable[[Server], Relay], own_server: Server
) -> None:
    context = chromium.new_context()
    relay = relay_to(own_server)
    relay.lose = 100  # the server stores, its answers are lost
    page = context.new_page()
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate("analytics('Asked')")
    until(lambda: sent(relay))
    page.close()
    relay.lose = 0
    page = context.new_page()
    page.goto(site.put("next", tag(relay.url)))
    wanted = [Stored("pageview", "page"), Stored("custom", "page", "Asked"), Stored("pageview", "next")]
    expect_stored(own_server, site, wanted)
    page.wait_for_function("VisitorTracker.tracker.queue.length === 0")
    again = [event["id"] for event in sent(relay)]
    assert len(again) > len(set(again)), "nothing was sent twice, so nothing was proved"
    context.close()


def test_offline_and_online_again(chromium: Browser, site: Site, server: Server) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.put("page", tag(server.url)))
    expect_stored(server, site, [Stored("pageview", "page")])
    context.set_offline(True)
    page.evaluate("analytics('In a tunnel')")
    page.evaluate("VisitorTracker.tracker.flush()")
    context.set_offline(False)
    expect_stored(server, site, [Stored("pageview", "page"), Stored("custom", "page", "In a tunnel")])
    context.close()


def test_a_strict_policy_of_the_page(page: Page, site: Site, server: Server) -> None:
    policy = f"default-src 'none'; script-src {server.url}; connect-src {server.url}"
    page.goto(site.put("page", tag(server.url), Content_Security_Policy=policy))
    expect_stored(server, site, [Stored("pageview", "page")])


def test_a_policy_that_lets_images_through_only(page: Page, site: Site, relay: Relay, server: Server) -> None:
    policy = f"default-src 'none'; script-src {relay.url}; img-src {relay.url}"
    page.goto(site.put("page", tag(relay.url), Content_Security_Policy=policy))
    expect_stored(server, site, [Stored("pageview", "page")])
    assert {request.route for request in relay.seen} >= {"GET /e"}


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts"'])
def test_a_frame_of_another_origin(page: Page, site: Site, server: Server, sandbox: str) -> None:
    framed = site.put("framed", tag(server.url)).replace("127.0.0.1", "localhost")
    page.goto(site.put("page", f'<iframe {sandbox} src="{framed}"></iframe>'))
    expect_stored(server, site, [Stored("pageview", "framed")])


def test_pages_of_this_machine_are_not_counted_unless_asked_for(page: Page, site: Site, relay: Relay) -> None:
    with page.expect_console_message(lambda message: "data-allow-localhost" in message.text):
        page.goto(site.put("page", tag(relay.url, "")))
    page.evaluate("analytics('Not counted')")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.put("page", tag(relay.url, "data-disable-console")))
    idle(page)
    assert sent(relay) == []
    assert [text for text in said if "visitor-tracker" in text] == []


def test_a_page_that_is_asked_to_explains_what_it_sends(page: Page, site: Site, server: Server) -> None:
    def tells_of_the_page(message: ConsoleMessage) -> bool:
        return "visitor-tracker" in message.text and any("type" in str(part.json_value()) for part in message.args)

    with page.expect_console_message(tells_of_the_page):
        page.goto(site.put("page", tag(server.url)) + "?explain")


def test_a_second_tag_and_somebody_elses_global(page: Page, site: Site, server: Server) -> None:
    theirs = "<script>window.analytics = {theirs: true}</script>"
    page.goto(site.put("page", theirs + tag(server.url) + tag(server.url)))
    expect_stored(server, site, [Stored("pageview", "page")])
    assert page.evaluate("[analytics.theirs, typeof VisitorTracker.track]") == [True, "function"]


def test_the_counter_of_the_class_is_loaded_when_it_is_used(page: Page, site: Site, server: Server) -> None:
    url = site.put("page", tag(server.url, f"{LOCAL} data-manual"))
    page.goto(url)
    visit = page.evaluate("new VisitorTracker().updateVisitorCount()")
    assert visit["visit_count"] == 1
    assert page.evaluate("new VisitorTracker().getVisitorCount(location.href)")["visit_count"] == 1
    assert page.evaluate("new VisitorTracker('http://127.0.0.1:9').getVisitorCount()") is None


def test_a_visitor_who_opted_out_is_not_counted(page: Page, site: Site, relay: Relay) -> None:
    url = site.put("page", tag(relay.url))
    page.goto(url)
    page.evaluate("analytics.optOut()")
    before = len(sent(relay))
    page.reload()
    page.evaluate("analytics('Not counted')")
    idle(page)
    assert page.evaluate("VisitorTracker.tracker.queue.filter(({name}) => name)") == []
    page.evaluate("analytics.optOut(false)")
    page.evaluate("analytics('Counted')")
    leave(page)
    until(lambda: len(sent(relay)) > before)
    assert "Not counted" not in [event.get("name") for event in sent(relay)]


def test_each_event_has_its_number_in_the_tab(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate("analytics('One')")
    page.goto(site.put("next", tag(relay.url)))
    page.evaluate("analytics('Two')")
    leave(page)
    until(lambda: any(event.get("name") == "Two" for event in sent(relay)))
    numbers = {event["id"]: event["seq"] for event in sent(relay)}
    assert set(numbers.values()) == set(range(1, len(numbers) + 1))
    assert len({event["tab"] for event in sent(relay)}) == 1


def test_nothing_is_kept_in_the_browser_where_the_settings_say_so(
    page: Page, site: Site, start_server: Callable[..., Server]
) -> None:
    server = start_server(VISITOR_TRACKER_TRACKER_STORAGE="false")
    page.goto(site.put("page", tag(server.url)))
    page.evaluate("analytics('Named')")
    idle(page)
    assert page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie]") == [{}, {}, ""]
    leave(page)
    expect_stored(server, site, [Stored("pageview", "page"), Stored("custom", "page", "Named")])
    server.stop()


@pytest.mark.parametrize("policy", ["drop", "anonymous"])
def test_who_asks_for_privacy_gets_what_the_site_says(
    page: Page, site: Site, start_server: Callable[..., Server], relay_to: Callable[[Server], Relay], policy: str
) -> None:
    server = start_server(VISITOR_TRACKER_IDENTITY_OPT_OUT=policy)
    relay = relay_to(server)
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto(site.put("page", tag(relay.url)))
    page.evaluate("analytics('Named')")
    idle(page)
    assert page.evaluate("[{...localStorage}, {...sessionStorage}]") == [{}, {}]
    leave(page)
    if policy == "drop":
        assert sent(relay) == []
    else:
        expect_stored(server, site, [Stored("pageview", "page"), Stored("custom", "page", "Named")])
    server.stop()


def test_the_page_knows_its_visitor_where_the_policy_is_client(
    page: Page, site: Site, start_server: Callable[..., Server], relay_to: Callable[[Server], Relay]
) -> None:
    server = start_server(VISITOR_TRACKER_IDENTITY_VISITOR="client")
    relay = relay_to(server)
    page.goto(site.put("page", tag(relay.url)))
    page.goto(site.put("next", tag(relay.url)))
    until(
        lambda: (
            {event["url"] for event in sent(relay) if event["type"] == "pageview"} >= {site.url + site.folder + "next"}
        )
    )
    visitors = {event["visitor_id"] for event in sent(relay)}  # of every event: else it would be somebody else's
    assert [len(str(visitor)) for visitor in visitors] == [32]
    server.stop()


def test_a_prerendered_page_is_counted_when_it_is_opened(
    chromium_command: list[str], site: Site, relay: Relay, server: Server, tmp_path: Path
) -> None:
    site.put("target", tag(relay.url) + TELL)
    opener = site.put("page", OPENER)
    with subprocess.Popen(
        [*chromium_command, "--headless", f"--user-data-dir={tmp_path / 'profile'}", opener], stderr=subprocess.DEVNULL
    ) as browser:
        try:
            until(lambda: site.saw("prerendering"))
            assert sent(relay) == []
            site.put("go", "now")
            until(lambda: site.saw("opened"))
            expect_stored(server, site, [Stored("pageview", "target")])
        finally:
            browser.terminate()


HOSTILE = [
    "delete window.crypto; Object.defineProperty(window, 'crypto', {value: undefined})",
    "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})",
    "Storage.prototype.setItem = () => { throw new Error('full') }",
    "window.fetch = () => { throw new Error('no') }",
    "window.fetch = undefined; navigator.sendBeacon = undefined",
    "Object.defineProperty(document, 'currentScript', {value: null})",
    "Array.prototype.toJSON = () => 'broken'",
    "Object.prototype.extra = 'polluted'; Object.prototype.q = 'not an array'",
    "JSON.stringify = () => { throw new Error('no') }",
    "window.analytics = {q: 1}",
    "Object.defineProperty(window, 'VisitorTracker', {value: null})",
]


@pytest.mark.parametrize("script", HOSTILE)
def test_nothing_is_thrown_into_a_strange_page(page: Page, site: Site, server: Server, script: str) -> None:
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(site.put("page", f"<script>{script}</script>{tag(server.url)}"))
    page.evaluate("window.analytics?.track?.('Named', {__proto__: {a: 1}, constructor: 'x'})")
    idle(page)
    hide(page)
    idle(page)
    assert thrown == []
