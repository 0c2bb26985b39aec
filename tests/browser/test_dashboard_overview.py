"""The overview of the dashboard: numbers, lists, filters, days, exports, as a person with a real browser sees them."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.running import SECONDS, Server, until

from .conftest import StartServer
from .test_demo import LOW_CONTRAST

PASSWORD = "a horse, a battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
DAY_MS = 86_400_000
NOON = f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"  # the zone in which it is noon: no midnight between these tests
SEARCH = "https://www.google.com/"


def send(server: Server, site: str, number: int, country: str, *events: Mapping[str, object]) -> None:
    """Be a visitor of that number."""
    who = {
        "user-agent": AGENT,
        "accept-language": "de",
        "x-forwarded-for": f"203.0.113.{number}",
        "cf-ipcountry": country,
    }
    said = server.session.post(
        f"{server.url}/api/v1/events", json=[{"site": site, **each} for each in events], headers=who, timeout=SECONDS
    )
    assert said.json()["accepted"] == len(events), said.text


def view(path: str, age_ms: int = 0, **more: object) -> dict[str, object]:
    return {"type": "pageview", "url": f"https://shop.test{path}", "age_ms": age_ms, **more}


def fill(server: Server) -> None:
    buy = {"type": "custom", "name": "Buy", "properties": {"plan": "pro"}, "url": "https://shop.test/pricing"}
    send(server, "shop", 1, "DE", view("/", 9_000, referrer=SEARCH), view("/pricing", 5_000), buy)
    send(server, "shop", 2, "FR", view("/"))
    send(server, "shop", 3, "DE", *[view(f"/page-{number}") for number in range(10)])
    send(server, "shop", 4, "DE", view("/", DAY_MS, referrer=SEARCH))
    send(server, "shop", 5, "FR", view("/", 2 * DAY_MS))
    outbound = {"type": "outbound", "target": "javascript:alert(3)", "url": "https://hostile.test/"}
    named = {"type": "custom", "name": HOSTILE, "properties": {HOSTILE: HOSTILE}, "url": "https://hostile.test/"}
    hostile = {
        "type": "pageview", "url": f"https://hostile.test/{HOSTILE}?utm_source={HOSTILE}&utm_campaign={HOSTILE}",
        "title": HOSTILE, "referrer": f"https://evil.test/{HOSTILE}",
    }  # fmt: skip
    send(server, "hostile", 6, "DE", hostile, named)
    server.session.post(
        f"{server.url}/api/v1/events",
        json=[{"site": "hostile", **outbound}],
        headers={"user-agent": AGENT, "x-forwarded-for": "203.0.113.6"},
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def shop(start_server: StartServer) -> Server:
    """A server with an admin and three sites: one with visits, one with evil ones, one that nobody has visited."""
    server = start_server(VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")
    server.set_up("ada", PASSWORD)
    for name in ("shop", "hostile", "new"):
        # A day's key is made before it begins: on a new server only this policy knows visitors of the days before.
        made = {"name": name, "hostnames": [f"{name}.test"], "timezone": NOON, "policy": {"visitor": "persistent"}}
        answer = server.session.post(f"{server.url}/api/v1/sites", json=made, headers=server.admin, timeout=SECONDS)
        assert answer.status_code == 201, answer.text
    until(lambda: _is_known(server))
    fill(server)
    until(
        lambda: _visits(server, "shop") == 5 and _visits(server, "hostile") == 1,
        lambda: f"{_visits(server, 'shop')} and {_visits(server, 'hostile')} visits",
    )
    return server


def _is_known(server: Server) -> bool:
    """Whether the worker has heard of the sites."""
    return all(_visits(server, site) == 0 for site in ("shop", "hostile", "new"))


def _visits(server: Server, site: str) -> int:
    asked = {"site": site, "metrics": "visits", "date_range": "7d"}
    said = server.session.get(f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin, timeout=SECONDS)
    return int(said.json()["totals"]["metrics"]["visits"]) if said.status_code == 200 else -1


@pytest.fixture(scope="module")
def state(chromium: Browser, shop: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of somebody who has logged in."""
    path = tmp_path_factory.mktemp("state") / "cookies.json"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{shop.url}/login?next=/dashboard/shop")
    page.get_by_label("Username or e-mail address").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{shop.url}/dashboard/shop")
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def ada(chromium: Browser, shop: Server, state: Path) -> Iterator[Page]:
    """A tab of the admin in which nothing complains, nothing evil runs, and nothing is asked elsewhere."""
    context = chromium.new_context(storage_state=state, viewport=ViewportSize(width=1440, height=2400))
    page = context.new_page()
    trouble: list[str] = []
    context.on("weberror", lambda event: trouble.append(str(event.error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on(
        "request",
        lambda request: None if request.url.startswith((shop.url, "blob:", "data:")) else trouble.append(request.url),
    )
    yield page
    context.close()
    assert trouble == []


def opened(page: Page, server: Server, where: str = "shop?period=7d") -> Page:
    page.goto(f"{server.url}/dashboard/{where}")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Numbers of these days").get_by_role("button", name=re.compile(f"^{name}"))


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def shown(page: Page, visitors: int) -> None:
    """Wait for the tile of visitors."""
    expect(tile(page, "Visitors").locator(".tile-value")).to_have_text(str(visitors))


def test_tiles_lists_and_a_click_that_filters(ada: Page, shop: Server) -> None:
    page = opened(ada, shop)
    shown(page, 5)
    expect(tile(page, "Bounce rate").locator(".tile-value")).to_have_text("60%")
    tile(page, "Views").first.click()
    expect(page).to_have_url(re.compile("metric=views"))
    expect(page.get_by_role("slider", name=re.compile("^Views over time"))).to_have_attribute(
        "aria-valuetext", re.compile(r"Views: 13$")
    )
    pages = panel(page, "Pages").get_by_role("row")
    expect(pages.nth(1)).to_contain_text("/ ")
    expect(pages.nth(1).get_by_role("cell")).to_have_text(["4", "4"])
    out = panel(page, "Pages").get_by_role("link").first
    expect(out).to_have_attribute("href", "https://shop.test/")
    expect(out).to_have_attribute("rel", "noopener noreferrer")
    places = panel(page, "Places")
    places.get_by_role("button", name="Countries").click()
    places.get_by_role("button", name="Germany").click()
    expect(page).to_have_url(re.compile("f=is%2Ccountry%2CDE"))
    shown(page, 3)
    expect(panel(page, "Sources").get_by_role("row").filter(has_text="Google")).to_contain_text("66.7%")
    page.get_by_role("button", name="Remove the filter Country").click()
    shown(page, 5)
    events = panel(page, "Goals and events")
    expect(events).to_contain_text("No goals yet")
    events.get_by_role("button", name="Properties").click()
    expect(events.get_by_label("Name of the property")).to_have_value("plan")
    expect(events.get_by_role("button", name="pro", exact=True)).to_be_visible()


def test_the_whole_list_is_searched_sorted_and_saved(ada: Page, shop: Server) -> None:
    page = opened(ada, shop)
    pages = panel(page, "Pages")
    pages.get_by_role("button", name="All 12").click()
    dialog = page.get_by_role("dialog", name="Page")
    expect(dialog.get_by_role("row")).to_have_count(13)
    dialog.get_by_role("button", name="Views").click()
    expect(dialog.get_by_role("columnheader", name="Views")).to_have_attribute("aria-sort", "descending")
    dialog.get_by_role("searchbox").fill("page-7")
    expect(dialog.get_by_role("rowheader")).to_have_text(["/page-7"])
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export").click()
        dialog.get_by_role("button", name="Table (CSV)").click()
    assert download.value.suggested_filename == "shop-page-7d.csv"
    lines = download.value.path().read_text().split()
    assert lines[0].startswith("page,visitors,visits,views")
    assert lines[1].startswith("/page-7,1,1,1")
    page.keyboard.press("Escape")
    pages.get_by_role("button", name="Export").click()
    with page.expect_download() as picture:
        pages.get_by_role("button", name="Picture (PNG)").click()
    assert picture.value.path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_filters_and_segments_by_keyboard(ada: Page, shop: Server) -> None:
    page = opened(ada, shop)
    shown(page, 5)
    page.keyboard.press("f")
    page.get_by_label("What").select_option("country")
    page.get_by_label("Values of Country").focus()
    page.keyboard.type("ger")
    expect(page.get_by_role("option")).to_contain_text(["Germany"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Apply").press("Enter")
    shown(page, 3)
    expect(page.get_by_role("group", name="Filters")).to_contain_text("Country is Germany")
    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("button", name="Save these filters").click()
    page.get_by_label("Name").fill("Germans")
    page.get_by_role("button", name="Save as segment").click()
    expect(page).to_have_url(re.compile("segment=Germans$"))
    shown(page, 3)
    page.get_by_role("button", name="Saved filters").click()
    page.get_by_role("button", name="Change segments").click()
    page.get_by_label("Name").fill("From Germany")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"segment=From\+Germany$"))
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page).not_to_have_url(re.compile("segment"))
    shown(page, 5)


def test_days_comparison_and_zone(ada: Page, shop: Server) -> None:
    page = opened(ada, shop)
    shown(page, 5)
    page.keyboard.press("d")
    shown(page, 3)
    expect(page.get_by_role("group", name="A point stands for").get_by_role("button")).to_have_text(["Hour"])
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("period=yesterday"))
    shown(page, 1)
    page.keyboard.press("]")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("compare=previous"))
    expect(tile(page, "Visitors")).to_contain_text("↑ +200%")
    expect(tile(page, "Bounce rate").locator(".good")).to_be_visible()
    page.get_by_role("button", name="Days: Today").click()
    page.get_by_label("From").first.fill("2025-01-02")
    page.get_by_label("To", exact=True).first.fill("2025-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_have_text("The first day is after the last one.")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(tile(page, "Visitors")).to_contain_text("not told")
    page.get_by_role("button", name="About these numbers").click()
    expect(page.get_by_text("Visitors: left out")).to_be_visible()


def test_the_chart_by_keyboard_and_what_happened(ada: Page, shop: Server) -> None:
    page = opened(ada, shop)
    chart = page.get_by_role("slider", name=re.compile("^Visitors over time"))
    chart.press("ArrowLeft")
    chart.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"Visitors: 1$"))
    expect(page.locator(".chart-tip")).to_contain_text("Visitors 1")
    page.get_by_role("button", name="Add a note").click()
    page.get_by_role("textbox", name="What happened").fill("Release 2.4")
    page.get_by_label("Link", exact=True).fill("https://example.com/2.4")
    page.get_by_role("button", name="Save").click()
    mark = page.get_by_role("button", name="Noted: Release 2.4")
    mark.press("Enter")
    page.get_by_role("textbox", name="What happened").fill("Release 2.5")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Noted: Release 2.5").press("Enter")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name=re.compile("^Noted"))).to_have_count(0)
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"period=\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d"))
    shown(page, 4)


def test_a_new_site_shows_its_snippet_until_the_first_visit(ada: Page, shop: Server) -> None:
    page = opened(ada, shop, "new")
    expect(page.locator("pre")).to_contain_text(f'<script defer src="{shop.url}/script.js')
    send(shop, "new", 7, "DE", {"type": "pageview", "url": "https://new.test/"})
    shown(page, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_evil_texts_stay_texts_and_it_looks_right(ada: Page, shop: Server, width: int, scheme: str) -> None:
    ada.set_viewport_size({"width": width, "height": 2400})
    ada.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page = opened(ada, shop, "hostile?compare=previous&f=is,country,DE")
    shown(page, 1)
    for name, tab in (("Sources", "Campaigns"), ("Goals and events", "Events"), ("Goals and events", "Properties")):
        panel(page, name).get_by_role("button", name=tab).click()
        expect(panel(page, name).get_by_role("button").filter(has_text="onerror")).to_have_count(1)
    expect(panel(page, "Pages").get_by_role("button").filter(has_text="onerror")).to_have_count(1)
    links = page.locator("main a").evaluate_all("(all) => all.map((one) => one.href)")
    assert {urlsplit(link).scheme for link in links} <= {"http", "https"}
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []


def test_embedded_it_only_shows(ada: Page, shop: Server) -> None:
    page = opened(ada, shop, "shop?period=7d&embed=1")
    shown(page, 5)
    expect(page.get_by_role("banner")).to_have_count(0)
    expect(page.get_by_role("button", name="Add a filter")).to_have_count(0)
    expect(page.get_by_role("button", name="Add a note")).to_have_count(0)
    expect(panel(page, "Pages").get_by_role("rowheader").first).to_have_text("/")
    expect(panel(page, "Pages").get_by_role("rowheader").get_by_role("button")).to_have_count(0)
