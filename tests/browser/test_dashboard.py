"""The whole dashboard over a year of visits: wide and narrow, light and dark, by keyboard, and under attack."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.running import Server, until

from .conftest import StartServer
from .test_dashboard_live import AGENT
from .views import OF_A_SITE, OF_THE_SERVER, Watched, addresses, log_in, picture, watched

NAME, PASSWORD = "ada", "many horses on a bridge"
VISITS = 12  # of a day of the year
ATTACKS = (
    "<img src=x onerror=ran()>",
    '"><script>ran()</script>',
    "javascript:ran()//",
    "{{constructor.constructor('ran()')()}}",
    "</title><svg onload=ran()>",
    "' onmouseover='ran()' x='",
)


@pytest.fixture(scope="module")
def year(start_server: StartServer) -> Server:
    """A server with a year of visits, an admin, and one of everything that an owner makes."""
    server = start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000")
    server.run("demo", "--visits", str(VISITS))
    bodies = {
        "goals": {"name": "Sign-up", "kind": "event", "event": "signup"},
        "funnels": {"name": "Way in", "steps": [{"page": "/"}, {"page": "/*"}]},
        "segments": {"name": "Germans", "filter": "country is DE", "shared": True},
        "annotations": {"text": "Release 2.4"},
    }
    until(lambda: server.session.get(f"{server.url}/api/v1/sites/demo", headers=server.admin).status_code == 200)
    for kind, body in bodies.items():
        answer = server.session.post(f"{server.url}/api/v1/sites/demo/{kind}", json=body, headers=server.admin)
        assert answer.status_code == 201, (kind, answer.text)
    server.set_up(NAME, PASSWORD)
    return server


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (768, False), (390, True)])
def test_every_view(chromium: Browser, year: Server, tmp_path: Path, width: int, dark: bool) -> None:
    with watched(chromium, year.url, width=width, dark=dark) as seen:
        log_in(seen.page, year.url, NAME, PASSWORD)
        for path in addresses("demo"):
            seen.open(path)
            picture(seen.page, tmp_path, f"{path.strip('/').replace('/', '-')}-{width}")
            assert not seen.is_too_wide(), path
            if width != 768:
                assert seen.barriers() == [], path


def test_one_visit_is_reached_from_the_list(chromium: Browser, year: Server) -> None:
    with watched(chromium, year.url) as seen:
        log_in(seen.page, year.url, NAME, PASSWORD)
        for view in ("sessions", "visitors", "goals", "funnels"):
            seen.open(f"/dashboard/demo/{view}")
            seen.page.locator(f"main a[href*='/dashboard/demo/{view}/']").first.click()
            seen.page.wait_for_url(re.compile(f"/dashboard/demo/{view}/[^/]+$|/dashboard/demo/{view}/[^/]+\\?"))
            expect(seen.page.get_by_role("heading", level=1)).to_be_visible()
            seen.settle()
            assert seen.barriers() == [], view
            seen.page.go_back()


def test_it_is_used_by_keyboard_alone(chromium: Browser, year: Server) -> None:
    with watched(chromium, year.url) as seen:
        page, keys = seen.page, seen.page.keyboard
        log_in(page, year.url, NAME, PASSWORD)
        seen.open("/dashboard/demo")
        keys.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the numbers")
        keys.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        for name, key in (("goals", "g"), ("quality", "q"), ("overview", "o")):
            keys.press("g")
            keys.press(key)
            page.wait_for_url(re.compile("/dashboard/demo(\\?.*)?$" if name == "overview" else f"/demo/{name}"))
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        seen.settle()
        assert _reach(seen, lambda text: "Berlin" in text or "Google" in text), "no row can be reached"
        keys.press("Enter")
        page.wait_for_url(re.compile("[?&]f=is"))
        seen.settle()
        assert _reach(seen, lambda text: text.startswith("Remove")), "no filter can be removed"
        keys.press("Enter")
        page.wait_for_url(re.compile("^[^=]*(?!f=is)$"))


def _reach(seen: Watched, is_meant: Callable[[str], bool]) -> bool:
    """Press Tab until what has the focus is meant."""
    for _ in range(250):
        seen.page.keyboard.press("Tab")
        name = seen.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? ''"
        )
        if is_meant(str(name)):
            return True
    return False


def test_nothing_that_visitors_send_runs(chromium: Browser, start_server: StartServer) -> None:
    """Every text that strangers choose, in every view."""
    server = start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000", VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")
    for number, attack in enumerate(ATTACKS):
        _send_attack(server, attack, f"203.0.113.{number + 1}")
    server.set_up(NAME, PASSWORD)
    until(lambda: _views(server) >= len(ATTACKS), lambda: f"{_views(server)} views")
    with watched(chromium, server.url) as seen:
        seen.page.add_init_script("window.ran = () => { document.documentElement.dataset.ran = location.pathname }")
        log_in(seen.page, server.url, NAME, PASSWORD)
        for path in addresses("default"):
            seen.open(path)
            assert seen.page.evaluate("() => document.documentElement.dataset.ran") is None, path
            bad = "() => [...document.querySelectorAll('[href], [src], [action]')].map((one) => one.href || one.src)"
            links = [str(link) for link in seen.page.evaluate(bad) if isinstance(link, str)]
            assert [
                link for link in links if not link.startswith(("http://", "https://", "data:image/", "blob:"))
            ] == []


def _send_attack(server: Server, attack: str, address: str) -> None:
    url = f"https://example.com/{attack}?utm_source={quote(attack)}&utm_campaign={quote(attack)}"
    common = {"site": "default", "url": url, "title": attack, "referrer": f"https://evil.example/{attack}"}
    events: list[dict[str, object]] = [
        {"type": "pageview", **common, "screen": attack[:20], "language": attack[:20]},
        {"type": "custom", "name": attack, "properties": {attack: attack}, **common},
        {"type": "outbound", "target": f"https://evil.example/{attack}", **common},
        {"type": "error", "name": attack, "properties": {"message": attack, "stack": attack}, **common},
    ]
    for event in events:
        for agent in (AGENT, f"{AGENT} {attack}"):  # a visitor, and what is a robot by such a name
            headers = {"user-agent": agent, "accept-language": "de", "x-forwarded-for": address}
            answer = server.session.post(f"{server.url}/api/v1/events", json=[event], headers=headers)
            assert answer.json()["accepted"] == 1, (event, answer.text)


def _views(server: Server) -> int:
    asked = {"site": "default", "metrics": "views", "date_range": "today"}
    answer = server.session.get(f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin)
    return int(answer.json()["totals"]["metrics"]["views"])


def test_all_views_are_known(year: Server) -> None:
    """The lists of this test are those of the dashboard."""
    source = (Path(__file__).parents[2] / "client" / "dashboard" / "app" / "views.js").read_text("utf-8")
    assert re.findall(r"name: '(\w+)'", source) == [*OF_A_SITE, *OF_THE_SERVER]
