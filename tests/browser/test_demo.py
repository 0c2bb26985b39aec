"""/demo, what a newcomer sees first, and the front page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.running import SECONDS, Server

from .origins import Site


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the console complains of; violations of the content policy come there too."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    return found


def open_demo(page: Page, server: Server) -> int:
    """Open the demo and return its count, the visit just counted included."""
    page.goto(f"{server.url}/demo")
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d+$"))
    expect(page.locator("#badge")).to_have_attribute("src", re.compile("badge"))
    expect(page.locator("#badge")).to_have_js_property("complete", True)
    return int(page.locator("#count").inner_text())


def count_a_long_address(page: Page, server: Server) -> None:
    """Open the demo and let it count a page whose address is wider than a phone."""
    open_demo(page, server)
    page.get_by_label("Page address").fill("https://example.com/" + "longname" * 25)
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#lookup-result strong")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 320])
def test_it_looks_right(chromium: Browser, server: Server, tmp_path: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=900), color_scheme="dark" if scheme == "dark" else "light"
    )
    try:
        page = context.new_page()
        count_a_long_address(page, server)
        page.screenshot(path=tmp_path / f"demo-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate("() => document.getElementById('badge').naturalWidth") > 0
        assert page.evaluate(LOW_CONTRAST) == []
    finally:
        context.close()


# Texts whose contrast with the color behind them is below 4.5 (WCAG 2.2, 1.4.3).
LOW_CONTRAST = """() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (rgb) => rgb.slice(0, 3)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push([element.textContent.trim(), contrast]);
  }
  return found;
}"""


def test_it_counts_itself_and_loads_nothing_from_elsewhere(page: Page, server: Server, complaints: list[str]) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    before = open_demo(page, server)
    assert open_demo(page, server) == before + 1 == server.count(f"{server.url}/demo")
    expect(page.locator("#first-visit time")).to_have_text(re.compile("ago|just now"))
    expect(page.locator("#latest-visit time")).to_have_text("just now")
    expect(page.locator("#verdict")).to_have_text("accepted")
    expect(page.locator("#wire tr")).to_have_count(1)
    assert [url for url in loaded if not url.startswith(server.url + "/")] == []
    assert complaints == []


def test_its_button_counts_another_visit(page: Page, server: Server, complaints: list[str]) -> None:
    before = open_demo(page, server)
    for count in (before + 1, before + 2):
        page.get_by_role("button", name="Count another visit").click()
        expect(page.locator("#count")).to_have_text(str(count))
    expect(page.locator("#wire tr")).to_have_count(3)
    assert complaints == []


def test_the_keyboard_is_enough(page: Page, server: Server, complaints: list[str]) -> None:
    before = open_demo(page, server)
    focused = "() => document.activeElement.textContent.trim() || document.activeElement.id"
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focused))
        match reached[-1]:
            case "Count another visit":
                page.keyboard.press("Enter")
                expect(page.locator("#count")).to_have_text(str(before + 1))
            case "page-url":
                page.keyboard.type("https://example.com/by-keyboard")
            case "Count a visit":
                page.keyboard.press("Space")
                expect(page.locator("#lookup-result")).to_contain_text("1 visit to https://example.com/by-keyboard")
    assert reached[:5] == ["All counted pages", "Count another visit", "page-url", "Show its count", "Count a visit"]
    page.locator("#page-url").press("Enter")  # the first button: it reads
    expect(page.locator("#lookup-result")).to_contain_text("1 visit to https://example.com/by-keyboard")
    assert complaints == []


@pytest.mark.parametrize("typed", ["", "example.com", "javascript:alert(1)", "https://"])
def test_an_address_that_is_none_is_explained_without_a_request(page: Page, server: Server, typed: str) -> None:
    open_demo(page, server)
    page.get_by_label("Page address").fill(typed)
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#lookup-result")).to_contain_text("Write the whole address")
    expect(page.locator("#page-url")).to_be_focused()
    expect(page.locator("#wire tr")).to_have_count(1)


def test_a_page_never_counted_has_no_visits(page: Page, server: Server) -> None:
    open_demo(page, server)
    page.get_by_label("Page address").fill("https://example.com/never")
    page.get_by_role("button", name="Show its count").click()
    expect(page.locator("#lookup-result")).to_have_text("0 visits to https://example.com/never")


def test_what_is_typed_is_never_markup(page: Page, server: Server) -> None:
    open_demo(page, server)
    page.get_by_label("Page address").fill("https://example.com/?<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#lookup-result strong")).to_have_text("1 visit")
    assert page.locator("#lookup-result img").count() == 0


def test_the_snippets_work_as_they_stand(page: Page, site: Site, server: Server) -> None:
    open_demo(page, server)
    snippet = page.locator("#script-code").text_content() or ""
    module = page.locator("#module-code").text_content() or ""
    badge = page.locator("#badge-code").text_content() or ""
    page.goto(site.put("page", snippet + badge))
    expect(page.locator("[data-visitor-count]")).to_have_text("1")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => document.querySelector('img').naturalWidth") > 0
    with page.expect_console_message() as logged:
        page.goto(site.put("module", module))
    assert logged.value.text == "1"


def test_copy_copies(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    try:
        page = context.new_page()
        open_demo(page, server)
        page.locator("[data-copy=script-code]").click()
        expect(page.locator("[data-copy=script-code]")).to_have_text("Copied")
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied == page.locator("#script-code").text_content()
    finally:
        context.close()


def test_a_server_that_went_away_is_explained_and_tried_again(page: Page, own_server: Server) -> None:
    open_demo(page, own_server)
    own_server.stop()
    page.get_by_role("button", name="Count another visit").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer", timeout=SECONDS * 1000)
    own_server.start()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#count")).to_have_text("2")


def test_a_visit_whose_number_follows_is_no_trouble(page: Page, server_without_database: Server) -> None:
    page.goto(f"{server_without_database.url}/demo")
    expect(page.locator("#verdict")).to_have_text("counted; the number follows when the database is back")
    expect(page.locator("#count")).to_have_text("…")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("Page address").fill("https://example.com/")
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#lookup-result")).to_have_text(
        "Counted a visit to https://example.com/; its number follows when the database is back"
    )


def test_the_front_page_says_that_the_database_is_away(page: Page, server_without_database: Server) -> None:
    page.goto(f"{server_without_database.url}/counters")
    expect(page.get_by_role("heading", name="The database is away")).to_be_visible()
    page.get_by_text("What this server answers").click()
    expect(page.get_by_role("row").filter(has_text="GET /update")).to_be_visible()


def test_a_rate_limit_is_explained(page: Page, strict_server: Server) -> None:
    page.goto(f"{strict_server.url}/demo")
    expect(page.locator("#count")).to_have_text("1")
    page.get_by_role("button", name="Count another visit").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Too many visits from your address")
    expect(alert).to_contain_text(re.compile(r"more in \d+ seconds"))
    expect(page.locator("#wire tr").first).to_contain_text("dropped: rate_limit")
    expect(page.locator("#count")).to_have_text("1")


def test_the_front_page_lists_what_was_counted(page: Page, own_server: Server, complaints: list[str]) -> None:
    page.goto(f"{own_server.url}/counters")
    expect(page.get_by_role("heading", name="No visit yet")).to_be_visible()
    page.get_by_role("link", name="the demo").first.click()
    expect(page.locator("#count")).to_have_text("1")
    page.get_by_role("link", name="All counted pages").click()
    expect(page.get_by_role("row").filter(has_text=f"{own_server.url}/demo")).to_contain_text("1")
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 320])
def test_the_front_page_looks_right(chromium: Browser, server: Server, tmp_path: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=900), color_scheme="dark" if scheme == "dark" else "light"
    )
    try:
        page = context.new_page()
        count_a_long_address(page, server)
        page.goto(f"{server.url}/counters")
        page.get_by_text("What this server answers").click()
        expect(page.get_by_role("row").filter(has_text="GET /update")).to_be_visible()
        page.screenshot(path=tmp_path / f"home-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert page.evaluate(LOW_CONTRAST) == []
    finally:
        context.close()
