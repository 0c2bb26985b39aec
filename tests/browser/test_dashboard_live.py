"""The live view of the dashboard, in a real browser, served by two workers."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.running import Server, until

from .conftest import StartServer
from .test_demo import LOW_CONTRAST

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CRAWLER = "Googlebot/2.1 (+http://www.google.com/bot.html)"
STREAM = "**/api/v1/live/stream*"


@pytest.fixture(scope="module")
def live_server(start_server: StartServer) -> Server:
    """Two workers behind a proxy that names countries, as the tests themselves do."""
    return start_server(VISITOR_TRACKER_SERVER_WORKERS="2", VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")


@pytest.fixture(autouse=True)
def _no_complaints(page: Page) -> Iterator[None]:
    """Nothing breaks the policy of the page."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    yield
    assert [text for text in found if "Content Security Policy" in text] == []


def visit(server: Server, path: str, number: int, country: str = "DE", agent: str = AGENT) -> None:
    """Be somebody of that number who opens a page."""
    event = {"type": "pageview", "site": "default", "url": f"https://example.com{path}"}
    who = {"user-agent": agent, "accept-language": "de", "x-forwarded-for": f"203.0.113.{number}"}
    answer = server.session.post(f"{server.url}/api/v1/events", json=[event], headers={**who, "cf-ipcountry": country})
    assert answer.json()["accepted"] == 1


def opened(page: Page, server: Server, state: str = "Live") -> Page:
    page.goto(f"{server.url}/dashboard/default/live")
    expect(page.locator(".live-state")).to_have_text(state)
    return page


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_what_happens_shows_up_by_itself(page: Page, live_server: Server) -> None:
    visit(live_server, "/first", 1)
    opened(page, live_server)
    feed = panel(page, "What happens").get_by_role("listitem")
    expect(feed.filter(has_text="/first")).to_have_count(1)
    before = int(page.locator(".live-number strong").inner_text())
    visit(live_server, "/second", 2, "FR")
    visit(live_server, "/third", 3, "SG")
    expect(feed.first).to_contain_text(re.compile("/second|/third"))
    expect(page.locator(".live-number strong")).to_have_text(str(before + 2))
    expect(panel(page, "Pages").get_by_role("rowheader", name="/third")).to_be_visible()
    expect(panel(page, "Countries").get_by_role("rowheader")).to_contain_text(["Germany"])
    expect(panel(page, "Where from").get_by_text("Not on the map: Singapore 1")).to_be_visible()
    link = feed.filter(has_text="/second").get_by_role("link")
    assert re.fullmatch(r"/dashboard/default/sessions/[0-9a-f]+-\d+", link.get_attribute("href") or "")


def test_robots_stand_apart(page: Page, live_server: Server) -> None:
    visit(live_server, "/crawled", 4, agent=CRAWLER)
    opened(page, live_server)
    robot = panel(page, "Robots").get_by_role("listitem").filter(has_text="/crawled")
    expect(robot).to_contain_text("because of its own name")
    expect(panel(page, "What happens").get_by_text("/crawled")).to_have_count(0)


def test_the_feed_waits_while_somebody_reads(page: Page, live_server: Server) -> None:
    visit(live_server, "/read", 5)
    opened(page, live_server)
    box = panel(page, "What happens")
    expect(box.get_by_text("/read")).to_be_visible()
    box.get_by_role("button", name="Pause").press("Enter")
    visit(live_server, "/while-paused", 6)
    expect(box).to_contain_text("1 newer event waits")
    expect(box.get_by_text("/while-paused")).to_have_count(0)
    box.get_by_role("button", name="Go on").press("Enter")
    expect(box.get_by_text("/while-paused")).to_be_visible()
    box.get_by_text("/while-paused").hover()
    visit(live_server, "/while-pointed-at", 7)
    expect(box).to_contain_text("1 newer event waits")
    page.mouse.move(0, 0)
    expect(box.get_by_text("/while-pointed-at")).to_be_visible()


def test_map_and_minutes_by_keyboard(page: Page, live_server: Server) -> None:
    visit(live_server, "/map", 8, "DE")
    visit(live_server, "/map", 9, "DE")
    visit(live_server, "/map", 10, "BR")
    opened(page, live_server)
    slider = page.get_by_role("slider", name="Views per minute")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("0 views$"))
    rows = panel(page, "Where from").get_by_role("button")
    expect(rows.first).to_have_text("Germany")
    rows.first.focus()
    expect(page.locator(".map-tip")).to_contain_text("Germany")
    expect(page.locator(".land.active")).to_have_attribute("data-code", "DE")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".land.active")).not_to_have_attribute("data-code", "DE")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/dashboard/default\?f=is%2Ccountry%2CDE$"))


def test_without_a_stream_it_asks(page: Page, live_server: Server) -> None:
    page.route(STREAM, lambda route: route.fulfill(status=503, body="no"))
    opened(page, live_server, "Asking every 5 seconds")
    visit(live_server, "/asked-for", 11)
    expect(panel(page, "What happens").get_by_text("/asked-for")).to_be_visible()


def test_it_says_that_the_server_is_away_and_comes_back(page: Page, own_server: Server) -> None:
    opened(page, own_server)
    own_server.stop()
    expect(page.locator(".live-state")).to_contain_text("The connection is lost")
    own_server.start()
    expect(page.locator(".live-state")).to_have_text("Live")


def test_a_hidden_page_follows_nothing(page: Page, live_server: Server) -> None:
    opened(page, live_server)
    assert live_server.metric("streams_open") == 1
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    until(lambda: live_server.metric("streams_open") == 0)
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    until(lambda: live_server.metric("streams_open") == 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(chromium: Browser, live_server: Server, scheme: str) -> None:
    visit(live_server, "/" + "a-long-path-" * 15, 12)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    try:
        page = opened(context.new_page(), live_server)
        expect(page.locator(".map svg")).to_be_visible()
        assert page.evaluate("document.querySelector('main').scrollWidth") <= 390
        assert page.evaluate(LOW_CONTRAST.replace("'body *'", "'main *'")) == []
    finally:
        context.close()
