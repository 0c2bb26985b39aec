"""Attributes of the tracker script's tag, and calls that were made before it was there."""

from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.running import Server, until

from .origins import Relay, Site
from .stored import Stored
from .test_tracker import LOCAL, expect_stored, idle, leave, sent, tag

MODULES = "() => performance.getEntriesByType('resource').map((entry) => /client\\/(\\w+)/.exec(entry.name)?.[1])"


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ("data-website-id=one data-domain=two", "one"),
        ("data-domain=two", "two"),
        ("", None),
    ],
)
def test_the_site_is_the_one_that_the_tag_names(
    page: Page, site: Site, relay: Relay, attributes: str, wanted: str | None
) -> None:
    page.goto(site.put("page", tag(relay.url, f"{LOCAL} {attributes}")))
    until(lambda: sent(relay))
    assert sent(relay)[0].get("site") == wanted


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_events_go_to_the_server_that_the_tag_names(
    page: Page, site: Site, relay: Relay, server: Server, end: str
) -> None:
    page.goto(site.put("page", tag(server.url, f"{LOCAL} data-api-url={relay.url}{end}")))
    until(lambda: sent(relay))
    assert {request.route for request in relay.seen if "/client/" not in request.path} == {"POST /e"}
    expect_stored(server, site, [Stored("pageview", "page")])


def test_a_page_that_counts_by_hand(page: Page, site: Site, server: Server) -> None:
    page.goto(site.put("page", tag(server.url, f"{LOCAL} data-manual")))
    page.evaluate("history.pushState({}, '', 'next')")
    idle(page)
    page.evaluate("VisitorTracker.tracker.view()")
    page.evaluate("VisitorTracker.tracker.view()")
    leave(page)
    expect_stored(server, site, [Stored("pageview", "next")])


@pytest.mark.parametrize(
    ("attribute", "wanted"),
    [("", {"errors"}), ("data-modules='clicks, vitals'", {"clicks", "vitals"}), ("data-modules", set())],
)
def test_modules_are_those_of_the_tag_else_the_site_s(
    page: Page, site: Site, module_server: Server, attribute: str, wanted: set[str]
) -> None:
    page.goto(site.put("page", tag(module_server.url, f"{LOCAL} {attribute}")))
    page.wait_for_function("() => VisitorTracker.tracker.onLeave")
    page.wait_for_function(f"(wanted) => wanted.every((name) => ({MODULES})().includes(name))", arg=sorted(wanted))
    idle(page)
    assert set(page.evaluate(MODULES)) & {"clicks", "vitals", "errors"} == wanted


@pytest.mark.parametrize("attribute", ["", "data-allow-localhost", "data-allow-file-protocol"])
def test_files_are_counted_where_the_tag_says_so(page: Page, relay: Relay, tmp_path: Path, attribute: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>A file</title>{tag(relay.url, attribute)}")
    page.goto(file.as_uri())
    if attribute == "data-allow-file-protocol":
        until(lambda: sent(relay))
        assert [event["url"] for event in sent(relay)] == [file.as_uri()]
    else:
        until(lambda: any("/client/more" in request.path for request in relay.seen))
        idle(page)
        assert sent(relay) == []


def test_pages_of_this_machine_are_not_counted_where_the_tag_says_so(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", tag(relay.url, "data-allow-localhost=false data-disable-console")))
    until(lambda: any("/client/more" in request.path for request in relay.seen))
    page.evaluate("analytics('Not counted')")
    idle(page)
    assert sent(relay) == []
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_page_that_is_debugged_tells_what_it_sends(page: Page, site: Site, server: Server) -> None:
    def tells_of_the_page(message: ConsoleMessage) -> bool:
        return "visitor-tracker" in message.text and "pageview" in str([part.json_value() for part in message.args])

    with page.expect_console_message(tells_of_the_page):
        page.goto(site.put("page", tag(server.url, f"{LOCAL} data-debug")))


@pytest.mark.parametrize(
    "stub",
    [
        "window.analytics = function () { (analytics.q = analytics.q || []).push(arguments) };"
        "analytics('A'); analytics('B', {x: 1})",
        "window.analytics = {q: [['A'], null, 7, ['B', {x: 1}]]}",
        "window.analytics = Object.assign((...given) => analytics.q.push(given), {q: []});"
        "analytics('A'); analytics('B', {x: 1})",
    ],
)
def test_calls_that_were_made_before_the_script_came(page: Page, site: Site, server: Server, stub: str) -> None:
    page.goto(site.put("page", f"<script>{stub}</script>{tag(server.url)}"))
    leave(page)
    wanted = [
        Stored("pageview", "page"),
        Stored("custom", "page", "A"),
        Stored("custom", "page", "B", properties={"x": 1}),
    ]
    expect_stored(server, site, wanted)
