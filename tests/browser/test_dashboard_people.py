"""Sessions, visitors, heatmaps, web vitals and errors of the dashboard, in a real browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.running import Server

from .behaviour import MODULES, SECRET_TITLE, SITE, fill
from .conftest import StartServer
from .test_demo import LOW_CONTRAST

PHONE: ViewportSize = {"width": 390, "height": 800}
PASSWORD = "a horse, a battery"
WIDER = "() => document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth"


@pytest.fixture(scope="module")
def shop(start_server: StartServer) -> Server:
    """A shop with two visits, one of which went wrong; its owner is ada."""
    server = start_server(**MODULES)
    fill(server.url, server.session)
    server.set_up("ada", PASSWORD)
    return server


@pytest.fixture
def owner(page: Page, shop: Server) -> Iterator[Page]:
    """A page of ada's, which must not complain, run anything foreign, or ask any other origin."""
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    login = {"username": "ada", "password": PASSWORD}
    assert page.request.post(f"{shop.url}/api/v1/login", data=login).ok
    yield page
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"{shop.url}/", "data:", "blob:", "about:"))] == []


def opened(page: Page, shop: Server, view: str) -> None:
    page.goto(f"{shop.url}/dashboard/{SITE}/{view}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def open_angry_session(page: Page, shop: Server) -> None:
    opened(page, shop, "sessions?with=recording")
    table = page.get_by_role("table", name="Visits, newest first")
    row = table.get_by_role("row").nth(1)
    expect(row).to_contain_text(re.compile(r"Recording.*1 error.*1 rage click.*Google.*Chrome.*/.*→ /cart"))
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=re.compile("Session of"))).to_be_visible()


def test_sessions_are_listed_and_chosen_by_what_they_have(owner: Page, shop: Server) -> None:
    opened(owner, shop, "sessions")
    rows = owner.get_by_role("table", name="Visits, newest first").get_by_role("row")
    expect(rows).to_have_count(3)
    owner.get_by_role("button", name="With errors").click()
    expect(rows).to_have_count(2)
    assert "with=error" in owner.url
    owner.get_by_role("button", name="With dead clicks").click()
    expect(rows).to_have_count(2)
    opened(owner, shop, "sessions?period=2020-01-01&with=rage")
    expect(owner.get_by_text("No such session in these days")).to_be_visible()
    expect(owner.get_by_text("module clicks")).to_be_visible()


def test_a_session_is_told_beside_its_recording(owner: Page, shop: Server) -> None:
    open_angry_session(owner, shop)
    story = owner.locator(".timeline > li")
    expect(story).to_have_count(6)  # what was measured and read is told with its page
    expect(story.first).to_contain_text(SECRET_TITLE)
    expect(story.first).to_contain_text(re.compile(r"Read for 18s\. Scrolled to 70%\. LCP 5\.2 s, .*CLS 0\.3"))
    expect(story.nth(3)).to_contain_text(re.compile(r"Buy now.*button#buy\.large\.round.*Rage click"))
    expect(story.nth(5)).to_contain_text(re.compile(r"\+0:40.*Event.*signup.*plan.*pro"))
    story.nth(4).get_by_text("Stack").click()
    expect(story.nth(4)).to_contain_text("pay (/app.js:7:3)")
    player = owner.frame_locator(".recording iframe")
    time = player.locator(".rr-timeline__time").first
    expect(time).to_have_text("00:00")
    story.nth(3).get_by_role("button", name="Go there in the recording").click()
    expect(time).to_have_text(re.compile("00:3[01]"))
    expect(story.nth(3)).to_have_class(re.compile("playing"))
    owner.keyboard.press("k")
    expect(time).to_have_text(re.compile("00:(29|30)"))
    expect(player.frame_locator("#player iframe").locator("h1")).to_have_text("****")
    assert player.locator("#player iframe").get_attribute("sandbox") == "allow-same-origin"


def test_a_visitor_is_noted_exported_and_erased_after_a_look_and_a_word(
    owner: Page, shop: Server, tmp_path: Path
) -> None:
    opened(owner, shop, "visitors")
    expect(owner.get_by_text("policy is persistent")).to_be_visible()
    rows = owner.get_by_role("table", name="Visitors, latest first").get_by_role("row")
    expect(rows).to_have_count(3)
    rows.nth(2).get_by_role("link").click()  # the calm one
    expect(owner.get_by_role("table", name="Visits").get_by_role("row")).to_have_count(2)
    owner.get_by_label("Note").fill("asked by letter")
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_text("The note is kept.")).to_be_visible()
    with owner.expect_download() as download:
        owner.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "visitor.json")
    assert "asked by letter" in json.dumps(json.loads((tmp_path / "visitor.json").read_text()))
    visitor = owner.url.rpartition("/")[2]
    owner.get_by_role("button", name="Erase …").click()
    dialog = owner.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile("would go.*Visitors1.*Visits1.*Events2", re.DOTALL))
    dialog.get_by_label("Type erase to confirm").fill("no")
    dialog.get_by_role("button", name="Erase for ever").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Type the word erase")
    dialog.get_by_label("Type erase to confirm").fill("erase")
    dialog.get_by_role("button", name="Erase for ever").click()
    expect(owner.get_by_role("heading", name="Visitors", level=1)).to_be_visible()
    expect(rows).to_have_count(2)
    owner.get_by_label("Known by").select_option("visitor")
    owner.get_by_label("Which").fill(visitor)
    owner.get_by_role("button", name="Find somebody").click()
    expect(owner.get_by_text("Nothing is stored of them")).to_be_visible()


def test_heat_lies_over_the_recorded_page_and_leads_to_sessions(owner: Page, shop: Server) -> None:
    opened(owner, shop, "heatmaps")
    recorded = owner.frame_locator(".heat-page iframe").frame_locator("#page iframe")
    expect(recorded.locator("h1")).to_have_text("****")
    expect(owner.get_by_role("table", name="Hottest places").get_by_role("row").nth(1)).to_contain_text("300 px51%9")
    drawn = "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    assert owner.locator("canvas").evaluate(drawn)
    height = "(frame) => Math.round(frame.getBoundingClientRect().height * 1280 / frame.getBoundingClientRect().width)"
    assert 2000 <= owner.locator(".heat-page iframe").evaluate(height) <= 2040, "the whole page, and in its proportions"
    owner.get_by_role("button", name="Scroll depth").click()
    reach = owner.get_by_role("table", name="How far views came").get_by_role("row")
    expect(reach.nth(1)).to_contain_text("100%")
    expect(owner.locator(".heat-bands span").first).to_have_text("100%")
    spots = owner.get_by_role("table", name="What was clicked on this page")
    expect(spots.get_by_role("row").nth(1)).to_contain_text("button#buy.large.roundBuy now2111")
    spots.get_by_role("link", name="1 session").click()
    expect(owner.get_by_text("1 chosen session")).to_be_visible()
    expect(owner.get_by_role("table", name="Visits, newest first").get_by_role("row")).to_have_count(2)


def test_a_spot_of_the_picture_leads_to_who_clicked_there(owner: Page, shop: Server) -> None:
    opened(owner, shop, "heatmaps")
    owner.get_by_role("button", name="Sessions that clicked 51% from the left, 300 px from the top").press("Enter")
    spot = owner.locator(".heat-spot")
    expect(spot).to_contain_text("2 clicks around this spot 1 in rage, 1 dead")
    expect(owner.locator(".heat-mark")).to_be_visible()
    assert "near=50%2C15" in owner.url
    picture = owner.locator(".heat-page")
    width = picture.evaluate("(page) => page.clientWidth")
    picture.click(position={"x": width * 0.1, "y": 10})
    expect(spot).to_contain_text("No click of these days is known around this spot")
    picture.click(position={"x": width * 0.5 + 3, "y": 310 * width / 1280})
    expect(spot).to_contain_text("2 clicks around this spot")
    spot.get_by_role("link", name="Their recordings").click()
    expect(owner.get_by_role("table", name="Visits, newest first")).to_contain_text("1 rage click")
    owner.get_by_role("table", name="Visits, newest first").get_by_role("link").first.click()
    expect(owner.get_by_role("heading", name=re.compile("Session of"))).to_be_visible()


def test_errors_lead_to_the_sessions_that_met_them(owner: Page, shop: Server) -> None:
    opened(owner, shop, "errors")
    expect(owner.get_by_role("heading", name="1 error in 1 group")).to_be_visible()
    owner.get_by_role("link", name="TypeError: cart is undefined").click()
    expect(owner.locator("pre")).to_have_text("pay (/app.js:7:3)\nclick (/app.js:1:1)")
    expect(owner.get_by_role("table", name="Releases")).to_contain_text("shop-7")
    expect(owner.get_by_role("table", name="Browsers")).to_contain_text("Chrome 140")
    owner.get_by_role("link", name="See 1 session with it").click()
    expect(owner.get_by_role("table", name="Visits, newest first")).to_contain_text("1 error")


def test_vitals_are_rated_in_words_and_by_page(owner: Page, shop: Server) -> None:
    opened(owner, shop, "vitals")
    tile = owner.locator(".vital-tile").filter(has_text="LCP")
    expect(tile).to_contain_text(re.compile(r"5\.2 s.*Poor.*poor above 4 s"))
    expect(owner.locator(".vital-tile").filter(has_text="TTFB")).to_contain_text(re.compile("300 ms.*Good"))
    owner.get_by_role("button", name="Device").click()
    expect(owner.get_by_role("table", name="Device")).to_contain_text("desktop")
    owner.get_by_role("button", name="Page", exact=True).click()
    owner.get_by_role("link", name="/", exact=True).click()
    expect(owner.get_by_role("button", name="All pages")).to_be_visible()
    assert "page=%2F" in owner.url
    opened(owner, shop, "vitals?period=2020-01-01")
    expect(owner.get_by_text(f"visitor-tracker site set {SITE} --module vitals")).to_be_visible()


def test_every_view_is_readable_on_a_phone_in_the_dark(chromium: Browser, shop: Server) -> None:
    context = chromium.new_context(viewport=PHONE, color_scheme="dark", is_mobile=True)
    page = context.new_page()
    assert page.request.post(f"{shop.url}/api/v1/login", data={"username": "ada", "password": PASSWORD}).ok
    for view in ("sessions", "visitors", "heatmaps", "vitals", "errors"):
        opened(page, shop, view)
        expect(page.locator("main .skeleton")).to_have_count(0)
        expect(page.locator("main table").first).to_be_visible()
        assert page.evaluate(WIDER) <= 0, view
        assert page.evaluate(LOW_CONTRAST) == [], view
    open_angry_session(page, shop)
    expect(page.locator(".timeline > li").first).to_be_visible()
    assert page.evaluate(WIDER) <= 0
    context.close()
