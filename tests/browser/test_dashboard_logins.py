"""The dashboard while logins come and go, and with addresses that somebody cut or wrote by hand."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.running import Server, until

from .conftest import StartServer
from .test_dashboard_live import visit
from .views import Watched, log_in, watched

ADA, BOB = ("ada", "many horses on a bridge"), ("bob", "many geese on a pond")


@pytest.fixture(scope="module")
def office(start_server: StartServer) -> Server:
    """A server with one visit and two accounts."""
    server = start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000", VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")
    visit(server, "/first", 1)
    server.set_up(*ADA)
    account = {"username": BOB[0], "password": BOB[1], "roles": {"default": "viewer"}}
    made = server.session.post(f"{server.url}/api/v1/users", json=account, headers=server.admin)
    assert made.status_code == 201, made.text
    asked = {"site": "default", "metrics": "views", "date_range": "today"}
    until(lambda: '"views":1' in server.session.get(
        f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin).text)  # fmt: skip
    return server


@pytest.fixture
def seen(chromium: Browser, office: Server) -> Iterator[Watched]:
    """Ada's window."""
    with watched(chromium, office.url) as found:
        log_in(found.page, office.url, *ADA)
        yield found
        found.troubles[:] = [told for told in found.troubles if not re.search("status of (400|403|404|503)", told)]


def log_in_elsewhere(page: Page, account: tuple[str, str]) -> None:
    """Log in anew as another tab of the same browser does."""
    answer = page.context.request.post(
        page.url.split("/dashboard")[0] + "/api/v1/login",
        data={"username": account[0], "password": account[1]},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.ok, answer.text()


def add_note(page: Page, text: str) -> None:
    page.get_by_role("button", name="Add a note").click()
    page.get_by_role("textbox", name="What happened").fill(text)
    page.get_by_role("button", name="Save").click()


def pick_log_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Log out").click()


def test_a_login_in_another_tab_does_not_stop_this_one(seen: Watched, office: Server) -> None:
    seen.open("/dashboard/default")
    log_in_elsewhere(seen.page, ADA)
    add_note(seen.page, "Release 3")
    expect(seen.page.get_by_role("dialog")).to_have_count(0)
    log_in_elsewhere(seen.page, ADA)
    pick_log_out(seen.page)
    seen.page.wait_for_url(f"{office.url}/login")
    assert seen.page.context.request.get(f"{office.url}/api/v1/sites").status == 401


def test_somebody_elses_login_takes_this_tab_along(seen: Watched) -> None:
    seen.open("/dashboard/default")
    log_in_elsewhere(seen.page, BOB)
    add_note(seen.page, "not Bob's to write")
    expect(seen.page.get_by_role("button", name="bob")).to_be_visible()
    expect(seen.page.get_by_role("button", name="Add a note")).to_have_count(0)


def test_a_logout_that_failed_is_told(seen: Watched, office: Server) -> None:
    seen.open("/dashboard/default")
    seen.page.route("**/api/v1/logout", lambda route: route.fulfill(status=503, body="{}"))
    pick_log_out(seen.page)
    expect(seen.page.locator(".toast.trouble")).to_be_visible()
    assert seen.page.url == f"{office.url}/dashboard/default"


@pytest.mark.parametrize("part", ["is,country", "equals,country,DE", "is", ",", "is,nothing,x"])
def test_a_filter_that_is_none_never_shows_all_numbers(seen: Watched, part: str) -> None:
    seen.open(f"/dashboard/default?f={part}")
    expect(seen.page.get_by_role("alert").first).to_be_visible()
    expect(seen.page.locator(".number-tile")).to_have_count(0)
    seen.page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(seen.page.locator(".number-tile").first).to_be_visible()


@pytest.mark.parametrize("part", ["is,prop:my plan,not", 'contains,prop:"a" or b,or', "is,event,and,x \\, y"])
def test_every_report_understands_every_filter(seen: Watched, part: str) -> None:
    for view in ("", "/journeys", "/vitals", "/errors"):
        seen.page.goto(f"{seen.url}/dashboard/default{view}")
        seen.page.evaluate("part => history.replaceState(null, '', `?${new URLSearchParams({f: part})}`)", part)
        seen.page.reload()
        seen.settle()
        expect(seen.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("path", ["/dashboard/%", "/dashboard/default/%E0", "/admin/%zz"])
def test_an_address_that_was_cut_still_says_something(seen: Watched, path: str) -> None:
    seen.page.goto(seen.url + path)
    expect(seen.page.get_by_role("alert").first).to_be_visible()


def test_a_page_of_a_proxy_is_no_answer(seen: Watched) -> None:
    def say_page(route: Route) -> None:
        route.fulfill(body="<!doctype html><title>Log in to this network</title>", content_type="text/html")

    seen.page.route("**/api/v1/stats/query*", say_page)
    seen.page.goto(f"{seen.url}/dashboard/default")
    expect(seen.page.get_by_role("alert").first).to_contain_text("The server does not answer")


def test_the_self_test_leaves_no_request_open(seen: Watched) -> None:
    seen.page.goto(f"{seen.url}/admin/checks")
    seen.page.wait_for_load_state("networkidle")
