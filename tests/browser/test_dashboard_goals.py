"""Goals, funnels, journeys, retention, attribution and traffic quality, as a person with a real browser uses them."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.running import SECONDS, Server, until

from .conftest import StartServer
from .views import Watched, log_in, watched

NAME, PASSWORD = "ada", "a horse, a battery"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CRAWLER = "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"
SEARCH = "https://www.google.com/"
HOSTILE = "<img src=x onerror=alert(1)>"
DAY_MS = 86_400_000
NOON = f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"  # the zone in which it is noon: no midnight between these tests


def send(server: Server, site: str, number: int, *events: dict[str, object], agent: str = AGENT) -> None:
    """Be somebody of that number."""
    said = server.session.post(
        f"{server.url}/api/v1/events",
        json=[{"site": site, **each} for each in events],
        headers={"user-agent": agent, "accept-language": "de", "x-forwarded-for": f"203.0.113.{number}"},
        timeout=SECONDS,
    )
    assert said.json()["accepted"] == len(events), said.text


def view(path: str, age_ms: int = 0, **more: object) -> dict[str, object]:
    return {"type": "pageview", "url": f"https://shop.test{path}", "age_ms": age_ms, **more}


def bought(value: float) -> dict[str, object]:
    return {"type": "custom", "name": "buy", "url": "https://shop.test/cart", "value": value, "currency": "EUR"}


def fill(server: Server) -> None:
    """Three go to /cart, two of them buy, one of these from a search; a crawler comes, and one event twice."""
    send(server, "shop", 1, view("/", 60_000, referrer=SEARCH), view("/cart", 40_000), bought(20.5))
    send(server, "shop", 2, view("/", 50_000), view("/cart", 30_000), bought(10))
    send(server, "shop", 3, view("/", 50_000), view("/cart", 20_000), view("/help", 10_000))
    send(server, "shop", 4, view(f"/{HOSTILE}", id="4" * 32))
    send(server, "shop", 4, view(f"/{HOSTILE}", id="4" * 32))
    tab = f"{time.time_ns() // 1_000_000:012x}{'9' * 20}"
    send(server, "shop", 5, view("/", tab=tab, seq=1), view("/help", tab=tab, seq=3))
    send(server, "shop", 9, view("/help"), view("/"), agent=CRAWLER)
    for number, ages in ((6, (3, 2, 0)), (7, (3,)), (8, (1, 0))):
        for days in ages:
            send(server, "again", number, view("/", days * DAY_MS))


@pytest.fixture(scope="module")
def shop(start_server: StartServer) -> Server:
    """A server with the sites shop (daily) and again (persistent), and an admin."""
    server = start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000", VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")
    server.run("site", "add", "shop", "--timezone", NOON)
    server.run("site", "add", "again", "--timezone", NOON, "--visitor", "persistent")
    path = f"{server.url}/api/v1/sites/again"
    until(lambda: server.session.get(path, headers=server.admin).status_code == 200)
    fill(server)
    until(lambda: accepted(server, "shop") == 15)
    until(lambda: accepted(server, "again") == 6)
    server.set_up(NAME, PASSWORD)
    return server


def accepted(server: Server, site: str) -> int:
    path = f"{server.url}/api/v1/quality/arrivals?site={site}"
    found: dict[str, int] = server.session.get(path, headers=server.admin, timeout=SECONDS).json()
    return found["accepted"]


@pytest.fixture
def seen(chromium: Browser, shop: Server) -> Iterator[Watched]:
    """A page of the admin, in which nothing may go wrong."""
    with watched(chromium, shop.url) as found:
        log_in(found.page, shop.url, NAME, PASSWORD)
        yield found


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def test_a_goal_is_checked_made_changed_and_removed(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/shop/goals")
    expect(page.get_by_text("There is no goal yet")).to_be_visible()
    page.get_by_role("button", name="New goal").first.click()
    page.get_by_label("What counts").select_option("revenue")
    page.get_by_label("Event", exact=True).fill("buy")
    check = page.get_by_role("dialog").get_by_role("status")
    expect(check).to_contain_text("Reached 2 times, by 2 visitors. That is 40% of 5 visitors. €30.50")
    page.get_by_label("Only where (optional)").fill("value >")
    expect(check).to_contain_text(re.compile("where|number|value"))
    expect(check.locator(".trouble")).to_be_visible()
    assert all("400 (Bad Request)" in told for told in seen.troubles), seen.troubles  # which the browser itself tells
    seen.troubles.clear()
    page.get_by_label("Only where (optional)").fill("value > 15")
    expect(check).to_contain_text("Reached once, by 1 visitor")
    page.get_by_label("Name", exact=True).fill(f"Sales {HOSTILE}")
    page.keyboard.press("Enter")
    expect(row(page, "Sales")).to_contain_text("€20.50")
    expect(row(page, "Sales")).to_contain_text("20%")
    page.get_by_role("button", name="Edit the goal Sales").click()
    page.get_by_label("Only where (optional)").fill("")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Sales")).to_contain_text("€30.50")
    page.get_by_role("link", name="Sales").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Sales {HOSTILE}")
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(row(page, "Google")).to_contain_text("€20.50")
    page.get_by_label("Broken down by").select_option("entry")
    expect(row(page, "€30.50")).to_contain_text("2")
    page.get_by_role("link", name="What brought them").click()
    expect(row(page, "Search")).to_contain_text("50%")
    expect(page.get_by_text("Under the policy daily a visitor is known for one day")).to_be_visible()
    page.get_by_label("Credit by").select_option("source")
    expect(row(page, "Google")).to_contain_text("€20.50")
    expect(row(page, "Without Source")).to_contain_text("€10.00")
    page.get_by_role("button", name="First touch").click()
    page.wait_for_url("**model=first**")
    expect(row(page, "Google")).to_contain_text("50%")
    assert seen.barriers() == []
    seen.open("/dashboard/shop/goals")
    page.get_by_role("button", name="Remove the goal Sales").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("There is no goal yet")).to_be_visible()


def test_a_funnel_is_built_by_keyboard_tried_and_saved(seen: Watched) -> None:
    page, keys = seen.page, seen.page.keyboard
    seen.open("/dashboard/shop/funnels")
    page.get_by_role("button", name="New funnel").first.click()
    dialog = page.get_by_role("dialog")
    page.get_by_label("Page of step 1").fill("/cart")
    page.get_by_label("Page of step 2").fill("/")
    page.get_by_label("Page of step 2").press("Alt+ArrowUp")
    expect(page.get_by_role("button", name="Move step 1 up")).to_be_focused()
    expect(page.get_by_label("Page of step 1")).to_have_value("/")
    page.get_by_role("button", name="Add a step").press("Enter")
    expect(page.get_by_label("Step 3 is")).to_be_focused()
    page.get_by_label("Step 3 is").select_option("event")
    page.get_by_label("Event of step 3").fill("buy")
    page.get_by_role("button", name="Try it").press("Enter")
    tried = dialog.get_by_role("region", name="In the days chosen")
    expect(tried.get_by_role("listitem")).to_contain_text(["4 Visits", "3 Visits", "2 Visits"])
    page.get_by_role("button", name="Move step 3 up").press("Enter")
    expect(page.get_by_label("Event of step 2")).to_have_value("buy")
    keys.press("Alt+ArrowDown")
    page.get_by_label("All steps").select_option("minutes")
    page.get_by_label("Minutes", exact=True).fill("30")
    page.get_by_label("Name", exact=True).fill("Checkout")
    page.get_by_role("button", name="Make the funnel").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Checkout")
    steps = panel(page, "Steps").get_by_role("listitem")
    expect(steps).to_contain_text(["100% of the first step", "75% of the step before", "50% of the first step"])
    expect(steps.nth(1)).to_contain_text("1 visit left here (33.3%) · the largest loss")
    link = steps.nth(1).get_by_role("link", name="See 1 session that left here")
    assert re.fullmatch(r"/dashboard/shop/sessions\?ids=[0-9a-f]+-\d+", link.get_attribute("href") or "")
    page.get_by_label("Broken down by").select_option("source")
    expect(row(page, "Google")).to_contain_text("100%")
    assert seen.barriers() == []
    seen.open("/dashboard/shop/funnels")
    expect(panel(page, "Checkout")).to_contain_text("made it to the end: 2 of 4 visits")
    page.get_by_role("link", name="Open the funnel Checkout").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("There is no funnel yet")).to_be_visible()


def test_journeys_are_drawn_and_followed(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/shop/journeys")
    drawing = page.get_by_role("region", name="Journeys, as a drawing")
    expect(drawing.get_by_role("link", name="/: 4 visits, 80%")).to_be_visible()
    expect(drawing.get_by_text("onerror=alert(1)")).to_be_visible()
    assert drawing.locator("svg path").count() == 7
    drawing.get_by_role("link", name="/cart: 3 visits").press("Enter")
    expect(page.get_by_label("Starting at")).to_have_value("/cart")
    expect(page.get_by_text("3 visits saw /cart.")).to_be_visible()
    page.get_by_role("button", name="Previous pages").click()
    page.get_by_role("button", name="Table").click()
    expect(row(page, "/cart").filter(has_text="/").first).to_contain_text("100%")
    expect(row(page, "Visit began")).to_contain_text("3")
    assert seen.barriers() == []


def test_retention_needs_a_policy_that_knows_who_comes_again(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/shop/retention")
    expect(page.get_by_text("Under the policy daily nobody can tell who comes again")).to_be_visible()
    expect(page.get_by_text("visitor-tracker site set shop --visitor monthly")).to_be_visible()
    seen.open("/dashboard/again/retention?period=7d&by=day")
    table = panel(page, "Visitors by their first visit, and how many came again")
    everybody = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="All", exact=True))
    cells = everybody.get_by_role("cell").all_inner_texts()
    assert [re.sub(r"\s+", " ", cell) for cell in cells[:5]] == ["3", "100% 3", "66.7% 2", "0% 0", "50% 1"]
    expect(page.get_by_role("img", name=re.compile("who came again"))).to_be_visible()
    assert seen.barriers() == []
    page.get_by_role("button", name="Week").click()
    expect(table.get_by_role("columnheader", name="Week 0")).to_be_visible()


def test_traffic_quality_tells_robots_and_losses(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/shop/quality?period=today")
    who = panel(page, "People and robots")
    expect(who).to_contain_text("12 events")
    expect(who).to_contain_text("2 events")
    arrived = panel(page, "What arrived, and what was lost")
    for name, number in {"Accepted": "15", "Stored": "14", "Sent twice": "1", "Late": "0", "Set aside": "0"}.items():
        expect(arrived.locator("dl > div").filter(has_text=name)).to_have_text(f"{name}{number}")
    expect(arrived.locator("dl > div").filter(has_text="Lost")).to_have_text("Lost1 (33.33%)")
    arrived.locator("summary", has_text="Hour by hour").click()
    expect(arrived.get_by_role("row").filter(has_text="(33.33%)")).to_have_count(1)
    expect(row(page, "Says so itself")).to_contain_text("100%")
    page.get_by_role("button", name="AI only").click()
    page.get_by_role("button", name="GPTBot").click()
    expect(panel(page, "Pages of GPTBot").first.get_by_role("row").filter(has_text="/help")).to_contain_text("1")
    assert seen.barriers() == []


def test_viewers_see_and_change_nothing(seen: Watched, shop: Server, chromium: Browser) -> None:
    goal = {"name": "Cart", "kind": "page", "page": "/cart"}
    shop.session.post(f"{shop.url}/api/v1/sites/shop/goals", json=goal, headers=shop.admin, timeout=SECONDS)
    link = shop.session.post(
        f"{shop.url}/api/v1/sites/shop/shares", json={"name": "all"}, headers=shop.admin, timeout=SECONDS
    )
    assert link.status_code == 201, link.text
    with watched(chromium, shop.url, width=390, dark=True) as stranger:
        stranger.page.goto(link.json()["url"])
        for name in ("goals", "funnels", "journeys", "retention", "attribution", "quality"):
            stranger.open(f"/dashboard/shop/{name}")
            assert not stranger.is_too_wide(), name
            expect(stranger.page.get_by_role("button", name=re.compile("New|Edit|Remove"))).to_have_count(0)
        stranger.open("/dashboard/shop/goals")
        expect(row(stranger.page, "Cart")).to_contain_text("60%")
