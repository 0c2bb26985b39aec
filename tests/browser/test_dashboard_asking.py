"""What a reader asks the dashboard with: own weeks, groups of conditions, tabs in links; and what is printed."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.running import SECONDS, Server, until

from .conftest import StartServer
from .views import Watched, log_in, watched

NAME, PASSWORD = "ada", "many horses on a bridge"
WEEKDAYS = {"monday": 0, "saturday": 5, "sunday": 6}
WHITE = "rgb(255, 255, 255)"
WIDTH_OF_PAPER = 703  # of A4 between margins of 12 mm, in CSS pixels


@pytest.fixture(scope="module")
def demo(start_server: StartServer) -> Server:
    """A server with ten weeks of invented visits and a funnel."""
    server = start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000")
    server.run("demo", "--days", "70", "--visits", "20")
    until(lambda: _visits(server, "") > 0)
    funnel = {"name": "Way in", "steps": [{"page": "/"}, {"page": "/pricing"}]}
    answer = server.session.post(f"{server.url}/api/v1/sites/demo/funnels", json=funnel, headers=server.admin)
    assert answer.status_code == 201, answer.text
    server.set_up(NAME, PASSWORD)
    return server


@pytest.fixture
def seen(chromium: Browser, demo: Server) -> Iterator[Watched]:
    """A tab of the admin in which nothing goes wrong."""
    with watched(chromium, demo.url) as seen:
        log_in(seen.page, demo.url, NAME, PASSWORD)
        yield seen


def _visits(server: Server, filters: str) -> int:
    """Return how many visits of 30 days a filter selects, -1 as long as the server does not know the site."""
    asked = {"site": "demo", "metrics": "visits", "filters": filters}
    answer = server.session.get(f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin, timeout=SECONDS)
    return int(answer.json()["totals"]["metrics"]["visits"]) if answer.status_code == 200 else -1


def shown_visits(page: Page, count: int) -> None:
    """Expect the tile of visits to show a number."""
    expect(page.locator(".tile-visits .tile-value")).to_have_text(f"{count:,}")


def parameters(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def last_week(week_start: str) -> str:
    """Return the days of the week before this one as the dashboard writes them."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=(today.weekday() - WEEKDAYS[week_start]) % 7 + 7)
    last = first + timedelta(days=6)
    return f"{_day(first, with_year=first.year != last.year)} – {_day(last, with_year=True)}"


def _day(day: date, *, with_year: bool) -> str:
    return f"{day:%b} {day.day}" + (f", {day.year}" if with_year else "")


def open_period(page: Page) -> Locator:
    page.get_by_role("button", name=re.compile("^Days: ")).click()
    return page.get_by_role("group", name="Days", exact=True).locator(".popover")


def test_weeks_begin_when_the_reader_says(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/demo?period=last_week")
    about = page.get_by_role("button", name="About these numbers")
    for label, week_start, weekday in (
        ("Monday (usual here)", "monday", "Mon"),  # the browser says en-GB
        ("Sunday", "sunday", "Sun"),
        ("Saturday", "saturday", "Sat"),
    ):
        box = open_period(page)
        box.get_by_label("Weeks begin on").select_option(label=label)
        expect(box.get_by_role("button", name=re.compile("^Last week"))).to_contain_text(last_week(week_start))
        page.keyboard.press("Escape")
        about.click()
        expect(page.locator(".about-facts")).to_contain_text(last_week(week_start))
        page.keyboard.press("Escape")
        seen.open("/dashboard/demo?period=30d&interval=week")
        rows = page.get_by_role("slider", name=re.compile("over time"))
        expect(rows).to_have_attribute("aria-valuetext", re.compile(f"^Week of {weekday}, "))
        seen.open("/dashboard/demo/trends")
        expect(page.locator(".weekdays li").first).to_contain_text(weekday)
        seen.open("/dashboard/demo?period=last_week")
    page.get_by_role("button", name="Next period").click()
    expect(page.get_by_role("button", name="Days: This week")).to_be_visible()
    assert parameters(page)["period"] == ["week"]


def type_value(box: Locator, value: str) -> None:
    field = box.get_by_role("combobox", name=re.compile("^Values of"))
    field.fill(value)
    field.press("Enter")


def test_conditions_are_grouped_by_keyboard(seen: Watched, demo: Server) -> None:
    page, keys = seen.page, seen.page.keyboard
    wanted = "(country is DE or page contains pricing)"
    seen.open("/dashboard/demo")
    keys.press("f")
    box = page.get_by_role("dialog", name="Add a filter")
    box.get_by_label("What").select_option("country")
    type_value(box, "Germany")
    box.get_by_role("button", name="Or another condition").press("Enter")
    expect(box.get_by_label("What")).to_be_focused()
    expect(box.get_by_role("button", name="Country is Germany")).to_be_visible()
    box.get_by_role("button", name="Apply").press("Enter")
    expect(box.get_by_role("alert")).to_have_text("Choose at least one value.")
    box.get_by_label("How").select_option("contains")
    type_value(box, "pricing")
    assert seen.barriers() == []
    box.get_by_role("button", name="Apply").press("Enter")
    chip = page.get_by_role("group", name="Filters").locator(".chip")
    expect(chip).to_have_text("Country is Germany or Page contains pricing")
    assert parameters(page)["f"] == ["any,is\\,country\\,DE,contains\\,page\\,pricing"]
    shown_visits(page, _visits(demo, wanted))
    page.reload()
    chip.get_by_role("button", name=re.compile("^Country is Germany")).press("Enter")
    box = page.get_by_role("dialog", name="Change the filter")
    box.get_by_label("Of these conditions").select_option("none")
    box.get_by_role("button", name="Apply").press("Enter")
    expect(chip).to_have_text("not: Country is Germany or Page contains pricing")
    shown_visits(page, _visits(demo, f"not {wanted}"))
    chip.get_by_role("button", name=re.compile("^not:")).press("Enter")
    box.get_by_role("button", name="Remove this condition").press("Enter")
    box.get_by_role("button", name="Apply").press("Enter")
    expect(chip).to_have_text("not: Page contains pricing")
    page.get_by_role("button", name="Segments").click()
    page.get_by_role("button", name="Save these filters").click()
    expect(page.locator("dialog code")).to_have_text("not (page contains pricing)")


def test_a_link_opens_the_tabs_that_were_open(seen: Watched, demo: Server, chromium: Browser) -> None:
    page = seen.page
    seen.open("/dashboard/demo")
    sources, devices = (page.get_by_role("region", name=name, exact=True) for name in ("Sources", "Devices"))
    sources.get_by_role("button", name="Campaigns").click()
    sources.get_by_label("Which list").select_option("utm_medium")
    devices.get_by_role("button", name="Browsers", exact=True).click()
    assert parameters(page) == {"sources": ["utm"], "utm": ["utm_medium"], "devices": ["browser"]}
    with watched(chromium, demo.url) as other:
        log_in(other.page, demo.url, NAME, PASSWORD)
        other.open(urlsplit(page.url).path + "?" + urlsplit(page.url).query)
        shown = other.page.get_by_role("region", name="Sources", exact=True)
        expect(shown.get_by_role("button", name="Campaigns")).to_have_attribute("aria-pressed", "true")
        expect(shown.get_by_label("Which list")).to_have_value("utm_medium")
    devices.get_by_role("button", name="Devices", exact=True).click()
    assert "devices" not in parameters(page)
    page.goto(f"{demo.url}/dashboard/demo?sources=nonsense")
    expect(sources.get_by_role("button", name="Sources")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("view", ["", "/funnels", "/anomalies", "/quality", "/trends"])
def test_what_is_printed_is_white_whole_and_says_what_it_is(chromium: Browser, demo: Server, view: str) -> None:
    with watched(chromium, demo.url, dark=True) as seen:
        page = seen.page
        log_in(page, demo.url, NAME, PASSWORD)
        page.goto(f"{demo.url}/dashboard/demo{view}?f=any,is%5C,country%5C,DE,is%5C,device%5C,mobile&compare=previous")
        if view == "/funnels":
            page.get_by_role("link", name="Way in").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.set_viewport_size({"width": WIDTH_OF_PAPER, "height": 1000})
        page.emulate_media(media="print")
        expect(page.locator("main .skeleton, main [aria-busy=true]")).to_have_count(0, timeout=60_000)
        head = page.locator(".printed")
        expect(head).to_contain_text("demo")
        if view in ("", "/funnels", "/quality"):
            expect(head).to_contain_text("Last 30 days")
            expect(head).to_contain_text("Country is Germany or Device is Phone")
        for hidden in (".top", ".side", ".question", "main button.button", "main a.button"):
            for each in page.locator(hidden).all():
                expect(each).to_be_hidden()
        for paper in ("body", "main .panel"):
            assert page.locator(paper).first.evaluate("(box) => getComputedStyle(box).backgroundColor") == WHITE
        assert not seen.is_too_wide()
        assert page.pdf(format="A4").startswith(b"%PDF")
        page.emulate_media(media="screen")
        expect(head).to_be_hidden()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_lengths_of_time_are_written_as_the_language_does(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/demo")
    tile = page.locator(".tile-engaged .tile-value")
    for code, wanted in {"EN": r"^(\d+m )?\d+s$", "DE": r"^(\d+\u202fmin )?\d+\u202fs$"}.items():
        page.get_by_role("button", name=re.compile("^(Language|Sprache): ")).click()
        page.get_by_role("button", name={"EN": "English", "DE": "Deutsch"}[code]).click()
        expect(tile).to_have_text(re.compile(wanted))
        assert tile.evaluate("(value) => value.scrollWidth <= value.parentElement.clientWidth")
