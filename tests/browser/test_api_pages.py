"""The pages that show the API: nothing of others is asked, nothing is refused by their policy, requests work."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.running import SECONDS, Server
from visitor_tracker.client_api import Client

from .conftest import StartServer

PASSWORD = "correct horse battery"
WAIT_MS = 60_000  # the pages are made of a megabyte of script each
WATCH = """
window.refused = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watched:
    """A tab, and what it asked and complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(WATCH)

    def foreign(self, server: Server) -> list[str]:
        """Return the addresses that are not the server's; what the page makes of its own code stays in the browser."""
        own = urlsplit(server.url).netloc
        return [url for url in self.asked if urlsplit(url.removeprefix("blob:")).netloc not in (own, "")]

    def refused(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.refused")
        return found


@pytest.fixture
def watched(page: Page) -> Watched:
    return Watched(page)


@pytest.fixture(scope="module")
def account_server(start_server: StartServer) -> Server:
    """A server with an admin; its own machine needs proof, too."""
    server = start_server()
    server.set_up("anna", PASSWORD)
    return server


@pytest.fixture(params=["light", "dark"])
def tab(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1300, "height": 900})
    yield context.new_page()
    context.close()


def test_swagger_ui_shows_the_api(server: Server, tab: Page) -> None:
    watched = Watched(tab)
    tab.goto(f"{server.url}/docs")
    expect(tab.locator(".info .title")).to_contain_text("Visitor Tracker", timeout=WAIT_MS)
    tab.locator("#operations-Query-get_stats .opblock-summary").click()
    expect(tab.locator("#operations-Query-get_stats .parameters").first).to_contain_text("period", timeout=WAIT_MS)
    expect(tab.locator("#operations-Query-get_stats .responses-wrapper")).to_contain_text(
        "total_visits", timeout=WAIT_MS
    )
    assert tab.locator("img[src*='validator'], .swagger-ui .version-stamp + a img").count() == 0
    dark = tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert tab.evaluate("document.documentElement.classList.contains('dark-mode')") == dark
    assert (watched.refused(), watched.complaints, watched.foreign(server)) == ([], [], [])


def test_addresses_lead_to_an_operation(server: Server, watched: Watched) -> None:
    watched.page.goto(f"{server.url}/docs#/Server/get_readyz")
    expect(watched.page.locator("#operations-Server-get_readyz .responses-wrapper")).to_contain_text(
        "journal", timeout=WAIT_MS
    )


def test_redoc_shows_the_api_and_searches_it(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{server.url}/redoc")
    expect(page.locator("h1").first).to_contain_text("Visitor Tracker", timeout=WAIT_MS)
    expect(page.locator("[data-section-id='tag/Query']").first).to_be_attached(timeout=WAIT_MS)
    operation = page.locator("[id='tag/Query/operation/get_stats']")
    expect(operation).to_contain_text("total_visits", timeout=WAIT_MS)  # far below: it is there when all is
    page.locator("input[type=text]").first.fill("heatmap")
    expect(page.locator("[role=menuitem]", has_text="Heat of a page").first).to_be_visible(timeout=WAIT_MS)
    shown = page.locator("h2, h1").evaluate_all("all => all.map((each) => getComputedStyle(each).fontFamily)")
    assert set(shown) == {'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'}
    assert (watched.refused(), watched.complaints, watched.foreign(server)) == ([], [], [])


def test_their_policy_is_strict(server: Server) -> None:
    for path in ("/docs", "/redoc"):
        answer = requests.get(server.url + path, timeout=SECONDS)
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == ("'none'", "'self'", "'self'")
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert (policy["frame-ancestors"], answer.headers["X-Content-Type-Options"]) == ("'none'", "nosniff")
    nonces = {requests.get(f"{server.url}/redoc", timeout=SECONDS).headers["Content-Security-Policy"] for _ in range(3)}
    assert len(nonces) == 3


def tried(page: Page, operation: str, body: dict[str, object] | None = None) -> tuple[str, str]:
    """Try an operation on sites out; return the status and the body of the answer."""
    page.locator(".operation-filter-input").fill("Sites")  # of a long list only what is on the screen is there
    block = page.locator(f"#operations-Sites-{operation}")
    block.locator(".opblock-summary").click()
    block.locator(".try-out__btn").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.locator(".execute").click()
    live = block.locator(".live-responses-table")
    status = live.locator("tbody .response-col_status").first
    expect(status).not_to_be_empty(timeout=WAIT_MS)
    return status.inner_text().split()[0], live.locator("tbody .response-col_description").first.inner_text()


def test_trying_out_works_for_who_is_logged_in(account_server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{account_server.url}/docs")
    expect(page.locator(".info .title")).to_be_visible(timeout=WAIT_MS)
    status, said = tried(page, "get_sites")
    assert (status, "login_needed" in said) == ("401", True)
    logged_in = page.evaluate(
        "async (proof) => (await fetch('/api/v1/login', {method: 'POST', body: JSON.stringify(proof)})).status",
        {"username": "anna", "password": PASSWORD},
    )
    assert logged_in == 200
    status, said = tried(page, "post_sites", {"name": "docs", "timezone": "Europe/Berlin"})
    assert (status, "Europe/Berlin" in said) == ("201", True), said
    assert (watched.refused(), watched.foreign(account_server)) == ([], [])


def test_trying_out_works_with_a_key(account_server: Server, watched: Watched) -> None:
    with Client.log_in(account_server.url, "anna", PASSWORD) as client:
        key = client.create_key("docs", ["admin", "read"]).key
    page = watched.page
    page.goto(f"{account_server.url}/docs")
    page.locator(".auth-wrapper .authorize").first.click()
    form = page.locator(".auth-container", has_text="bearer").first
    form.locator("input").fill(key)
    form.locator("button.authorize").click()
    page.locator(".btn-done").first.click()
    status, said = tried(page, "post_sites", {"name": "by-key"})
    assert (status, "by-key" in said) == ("201", True), said
    assert (watched.refused(), watched.foreign(account_server)) == ([], [])
