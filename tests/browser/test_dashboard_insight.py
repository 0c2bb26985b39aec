"""What the dashboard tells without being asked: what is expected, what was unusual and why, and who is a robot."""

import re
import time
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.running import SECONDS, Server, until
from visitor_tracker.reports.insight.anomalies import Anomaly

from .conftest import StartServer
from .test_dashboard_live import AGENT
from .views import Watched, log_in, watched

NAME, PASSWORD = "ada", "many horses on a bridge"
NOON = f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"  # the zone in which it is noon: yesterday is over, tonight is far
DAYS, VISITS = 75, 50
HOUR_MS = 3_600_000
YESTERDAY_MS = 20 * HOUR_MS


def crawl(server: Server) -> None:
    """Be a robot that says nothing of itself: a hundred pages of yesterday, one every five seconds."""
    events = [
        {"type": "pageview", "site": "demo", "url": f"https://demo.example/docs/p-{page:03}", "age_ms": age}
        for page, age in enumerate(range(YESTERDAY_MS, YESTERDAY_MS - 500_000, -5_000))
    ]
    who = {"user-agent": AGENT, "accept-language": "de", "x-forwarded-for": "203.0.113.77"}
    answer = server.session.post(f"{server.url}/api/v1/events", json=events, headers=who, timeout=SECONDS)
    assert answer.json()["accepted"] == len(events), answer.text


def _views(server: Server, day: str, filters: str = "") -> int:
    """Return the views of a day, -1 where the server does not know the site yet."""
    asked = {"site": "demo", "date_range": day, "metrics": "views", "filters": filters}
    answer = server.session.get(f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin, timeout=SECONDS)
    return int(answer.json()["totals"]["metrics"]["views"]) if answer.status_code == 200 else -1


@pytest.fixture(scope="module")
def demo(start_server: StartServer) -> Server:
    """A server with some months of invented visits, a robot among them, and a site that nobody has visited."""
    server = start_server(VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]", VISITOR_TRACKER_RATE_LIMIT_BURST="10000")
    server.run("demo", "--days", str(DAYS), "--visits", str(VISITS), "--timezone", NOON)
    until(lambda: _views(server, "yesterday") > 0)
    crawl(server)
    until(lambda: _views(server, "yesterday", "page contains /docs/p-") == 100)
    server.run("robots", "--site", "demo", "--judge", "--period", "yesterday")
    server.set_up(NAME, PASSWORD)
    made = server.session.post(f"{server.url}/api/v1/sites", json={"name": "new"}, headers=server.admin)
    assert made.status_code == 201, made.text
    return server


@pytest.fixture
def seen(chromium: Browser, demo: Server) -> Iterator[Watched]:
    """A tab of the admin in which nothing goes wrong."""
    with watched(chromium, demo.url) as seen:
        log_in(seen.page, demo.url, NAME, PASSWORD)
        yield seen


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_the_forecast_is_drawn_unless_it_cannot_be_read(seen: Watched) -> None:
    page = seen.page
    legend, switch = page.locator(".legend-band"), page.get_by_role("button", name="Forecast")
    chart = page.get_by_role("slider", name=re.compile("over time"))
    seen.open("/dashboard/demo?period=30d&metric=visits")
    expect(page.get_by_text("expected, 90% band")).to_be_visible()
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"Visits: \d+\. Expected: \d+ \(\d+ to \d+\)$"))
    expect(chart).to_have_attribute("aria-valuenow", "29")  # today; the days to come are behind it
    expect(chart).to_have_attribute("aria-valuemax", "36")
    chart.press("End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"20\d\d\. Expected: \d+ \(\d+ to \d+\)$"))
    expect(page.locator(".chart-tip")).not_to_contain_text("Visits")
    page.get_by_role("button", name="Hour").click()
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"Visits: \d+\. Expected: "))
    switch.click()
    expect(legend).to_have_count(0)
    page.goto(f"{seen.url}/dashboard/demo?metric=visits")
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(chart).to_have_attribute("aria-valuemax", "29")
    switch.click()
    expect(legend).to_be_visible()
    for more in ("f=is,country,DE", "compare=previous", "interval=week", "period=last_month", "metric=bounce_rate"):
        page.goto(f"{seen.url}/dashboard/demo?{more}")
        expect(chart).to_be_visible()
        expect(switch).to_have_count(0)


def _front_page(server: Server) -> Anomaly:
    """Return the anomaly of the day on a front page, which every demo has; hours of today may have one, too."""
    answer = server.session.get(
        f"{server.url}/api/v1/anomalies", params={"site": "demo", "days": "366"}, headers=server.admin, timeout=SECONDS
    )
    found = msgspec.convert(answer.json()["anomalies"], list[Anomaly])
    days = [each for each in found if (each.kind, each.metric, each.step) == ("spike", "visits", "day")]
    return max(days, key=lambda each: each.value / each.expected)


def _days_around(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day - timedelta(9)}..{day + timedelta(3)}"


def test_what_was_unusual_is_told_with_its_reason(seen: Watched, demo: Server) -> None:
    page, anomaly = seen.page, _front_page(demo)
    seen.open(f"/dashboard/demo?period={_days_around(anomaly.peak)}")
    line = page.get_by_role("complementary", name="unlike what is usual")
    expect(line).to_contain_text(re.compile(r"Visits were \d(\.\d)?× the usual .*Hacker News"))
    expect(page.get_by_role("button", name=re.compile("^Unusual: Visits were"))).to_have_count(1)
    line.get_by_role("link", name="Why").click()
    page.wait_for_url(re.compile(f"/dashboard/demo/anomalies/{anomaly.id}"))
    told = page.get_by_role("article", name=re.compile("^Visits were"))
    row = told.get_by_role("row", name=re.compile("Source Hacker News"))
    expect(row.get_by_role("cell").nth(2)).to_have_text(re.compile(r"^\d{2,}$"))
    expect(told).to_contain_text(f"{anomaly.value:.0f}")
    expect(told.get_by_role("img")).to_have_attribute("aria-label", re.compile("^Visits from .*at most"))
    seen.settle()
    assert seen.barriers() == []
    alert = told.get_by_role("link", name="Tell me of such")
    expect(alert).to_have_attribute(
        "href", re.compile(rf"/alerts\?.*new=anomaly&severity={anomaly.severity}&metric=visits")
    )
    told.get_by_role("button", name="Add a note").click()
    expect(page.get_by_role("textbox", name="What happened")).to_have_value(re.compile("the usual: Hacker News$"))
    page.get_by_role("textbox", name="What happened").fill("We are on the front page")
    page.get_by_role("button", name="Save").click()
    expect(told.get_by_role("listitem")).to_contain_text("We are on the front page")
    row.get_by_role("link", name="Hacker News").click()
    days = f"{anomaly.peak}[^&]*"  # it may have been told by more days than one
    page.wait_for_url(re.compile(f"/dashboard/demo\\?period={days}&f=is%2Csource%2CHacker\\+News&metric=visits$"))
    expect(page.locator(".question .chips")).to_contain_text("Hacker News")
    seen.open(f"/dashboard/demo?period={_days_around(anomaly.peak)}")
    mark = page.get_by_role("button", name=re.compile("^Noted: We are on the front page; Unusual: Visits were"))
    mark.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="Why")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name=re.compile("^Noted"))).to_have_count(0)


def test_the_line_is_put_away_by_who_has_seen_it(seen: Watched, demo: Server) -> None:
    page, around = seen.page, _days_around(_front_page(demo).peak)
    page.goto(f"{seen.url}/dashboard/demo?period={around}")
    line = page.get_by_role("complementary", name="unlike what is usual")
    line.get_by_role("button", name="I have seen it").click()
    expect(line).to_have_count(0)
    page.goto(f"{seen.url}/dashboard/demo?period={around}")
    mark = page.get_by_role("button", name=re.compile("^Unusual: Visits were"))
    expect(mark).to_be_visible()
    expect(line).to_have_count(0)
    mark.press("Enter")
    expect(page.get_by_role("heading", name="Anomalies", level=1)).to_be_visible()


def test_trends_lead_to_what_they_are_made_of(seen: Watched) -> None:
    page = seen.page
    seen.open("/dashboard/demo/trends?days=90")
    expect(page.get_by_text("Pages cannot be compared")).to_be_visible()
    page.get_by_role("button", name="28 days").click()
    expect(page.get_by_text("Pages cannot be compared")).to_have_count(0)
    growth = panel(page, "The last seven days")
    expect(growth).to_contain_text(re.compile(r"[+-]?\d+(\.\d)?%.* visits, [\d,]+ in the seven days before"))
    expect(growth).to_contain_text(re.compile("weeks usually differ here: nine of ten change by"))
    hours = panel(page, "Busy days and hours").get_by_role("table").get_by_role("row")
    expect(hours).to_have_count(8)
    expect(hours.nth(1).get_by_role("cell")).to_have_count(24)
    expect(page.get_by_role("list", name="Visits by weekday").get_by_role("listitem")).to_have_count(7)
    new = panel(page, "New pages").get_by_role("link")
    expect(new.first).to_be_visible()
    path = new.first.inner_text()
    new.first.click()
    page.wait_for_url(re.compile("/dashboard/demo\\?period=.*&f=is%2Cpage%2C"))
    expect(page.locator(".question .chips")).to_contain_text(path)


def test_a_robot_by_behaviour_is_shown_with_its_reasons_and_overruled(seen: Watched, demo: Server) -> None:
    page = seen.page
    seen.open("/dashboard/demo/quality?period=7d")
    robots = panel(page, "Robots by behaviour")
    row = robots.get_by_role("row").filter(has_text="As regular as a clock")
    expect(row).to_contain_text("Robot")
    row.get_by_text("As regular as a clock").first.click()
    expect(row).to_contain_text("100 pages, one every 5.0 s ± 0.0")
    assert seen.barriers() == []
    row.get_by_role("button", name=re.compile("^Is a person")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("will count as a person")
    expect(dialog).to_contain_text("its numbers change within some minutes")
    dialog.get_by_role("button", name="Is a person").click()
    expect(row).to_contain_text("said by ada; by the rules: Robot")
    expect(row).to_contain_text("Person")
    demo.run("robots", "--site", "demo", "--judge", "--period", "yesterday")
    seen.open("/dashboard/demo?period=yesterday&f=contains,page,/docs/p-&metric=views")
    expect(page.locator(".tile-views .tile-value")).to_have_text("100")
    seen.open("/dashboard/demo/quality?period=7d&verdict=robot")
    row.get_by_role("button", name=re.compile("^As the rules say")).click()
    dialog.get_by_role("button", name="As the rules say").click()
    expect(row.get_by_role("button")).to_have_count(1)
    expect(row).not_to_contain_text("said by")


def test_a_young_site_says_what_it_waits_for_and_links_show_no_visitors(
    seen: Watched, chromium: Browser, demo: Server
) -> None:
    page = seen.page
    seen.open("/dashboard/new/anomalies")
    expect(page.get_by_text("Too early to say what is unusual")).to_be_visible()
    expect(page.get_by_text("needs 14 complete days")).to_be_visible()
    seen.open("/dashboard/new/trends")
    expect(page.get_by_text("No complete day yet")).to_be_visible()
    made = demo.session.post(f"{demo.url}/api/v1/sites/demo/shares", json={"name": "all"}, headers=demo.admin)
    assert made.status_code == 201, made.text
    with watched(chromium, demo.url, width=390, dark=True) as guest:
        guest.page.goto(f"{demo.url}/share/{made.json()['token']}")
        guest.open("/dashboard/demo/quality")
        expect(guest.page.get_by_role("heading", name="Why events are robots’")).to_be_visible()
        expect(panel(guest.page, "Robots by behaviour")).to_have_count(0)
        guest.open("/dashboard/demo/anomalies?days=90")
        guest.page.get_by_role("button", name="Why").last.click()
        guest.settle()
        expect(guest.page.get_by_role("button", name="Add a note")).to_have_count(0)
        assert not guest.is_too_wide()
