"""The plain <script>: counts by itself."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.running import Server, until

from .origins import Relay, Site

PLACES = "<p>Visits: <b data-visitor-count>…</b> <i data-visitor-count></i></p>"


def tag(server: str, attributes: str = "") -> str:
    return f'<script src="{server}/client/visitor-tracker.iife.js" {attributes}></script>'


def test_it_counts_each_load_and_shows_the_number(page: Page, site: Site, server_of_each_store: Server) -> None:
    url = site.put("page", tag(server_of_each_store.url) + PLACES)
    for count in ("1", "2", "3"):
        page.goto(url)
        for place in page.locator("[data-visitor-count]").all():
            expect(place).to_have_text(count)


@pytest.mark.parametrize("attributes", ["", "async", "defer", 'data-auto="true"', "data-auto"])
def test_it_counts_once_wherever_it_stands(page: Page, site: Site, relay: Relay, attributes: str) -> None:
    url = site.put("page", PLACES + tag(relay.url, attributes))
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    assert relay.routes() == ["POST /api/v1/visits"]


def test_a_script_that_inserts_it_is_fine(page: Page, site: Site, server: Server) -> None:
    insert = f"""<script>
        const script = document.createElement('script');
        script.src = '{server.url}/client/visitor-tracker.iife.js';
        document.head.append(script);
    </script>"""
    page.goto(site.put("page", PLACES + insert))
    expect(page.locator("b")).to_have_text("1")


def test_two_copies_count_once(page: Page, site: Site, relay: Relay) -> None:
    url = site.put("page", tag(relay.url) + PLACES + tag(relay.url, "async") + tag(relay.url))
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    page.wait_for_load_state("networkidle")
    assert relay.routes() == ["POST /api/v1/visits"]


def test_it_can_be_told_not_to_count(page: Page, site: Site, relay: Relay) -> None:
    page.goto(site.put("page", tag(relay.url, 'data-auto="false"') + PLACES))
    visit = page.evaluate("() => new VisitorTracker().updateVisitorCount()")
    assert visit["visit_count"] == 1
    assert relay.routes() == ["POST /api/v1/visits"]
    expect(page.locator("b")).to_have_text("…")


def test_it_can_be_told_which_server_counts(page: Page, site: Site, server: Server, relay: Relay) -> None:
    url = site.put("page", tag(relay.url, f'data-api-url="{server.url}"') + PLACES)
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    assert relay.routes() == []


def test_what_a_page_shows_stays_while_the_number_is_not_known(
    page: Page, site: Site, server_without_database: Server
) -> None:
    with page.expect_response("**/api/v1/visits") as answered:
        page.goto(site.put("page", tag(server_without_database.url) + "<p>Visits: <b data-visitor-count>-</b></p>"))
    assert answered.value.status == 202
    page.wait_for_load_state("networkidle")
    assert page.locator("p").inner_text() == "Visits: -"


def test_a_page_goes_on_when_the_server_is_away(page: Page, site: Site, own_server: Server) -> None:
    url = site.put("page", tag(own_server.url) + PLACES + "<script>document.title = 'went on'</script>")
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    own_server.stop()
    page.reload()
    expect(page).to_have_title("went on")
    expect(page.locator("b")).to_have_text("…")


def test_a_page_shown_again_from_the_browsers_memory_is_no_visit(page: Page, site: Site, relay: Relay) -> None:
    listen = "<script>addEventListener('pageshow', (event) => { document.title = `kept ${event.persisted}`; })</script>"
    url = site.put("page", tag(relay.url) + PLACES + listen)
    site.put("other", "other")
    page.goto(url)
    expect(page.locator("b")).to_have_text("1")
    page.evaluate("() => location.assign('other')")
    page.wait_for_url("**/other")
    page.evaluate("() => history.back()")
    expect(page).to_have_title("kept true")
    expect(page.locator("b")).to_have_text("1")
    assert relay.routes() == ["POST /api/v1/visits"]


# A tab that is watched through the debugging protocol never prerenders: this one looks after itself, and opens
# the page as soon as there is a page named "go".
OPENER = """
<script type="speculationrules">{"prerender": [{"urls": ["target"], "eagerness": "immediate"}]}</script>
<script>
  const timer = setInterval(async () => {
    if (!(await fetch('go')).ok) return;
    clearInterval(timer);
    location.assign('target');
  }, 50);
</script>"""
TELL = """<script type="module">
  fetch(document.prerendering ? 'prerendering' : 'opened at once');
  document.addEventListener('prerenderingchange', () => fetch('opened'));
</script>"""


def test_a_prerendered_page_is_counted_when_it_is_opened(
    chromium_command: list[str], site: Site, relay: Relay, server: Server, tmp_path: Path
) -> None:
    target = site.put("target", tag(relay.url) + TELL)
    opener = site.put("page", OPENER)
    with subprocess.Popen(
        [*chromium_command, "--headless", f"--user-data-dir={tmp_path / 'profile'}", opener], stderr=subprocess.DEVNULL
    ) as browser:
        try:
            until(lambda: site.saw("prerendering"))
            assert (server.count(target), relay.routes()) == (0, [])
            site.put("go", "now")
            until(lambda: site.saw("opened"))
            until(lambda: server.count(target) == 1)
        finally:
            browser.terminate()
    assert relay.routes() == ["POST /api/v1/visits"]
