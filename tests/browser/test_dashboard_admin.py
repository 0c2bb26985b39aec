"""Setting up, administering and sharing in the dashboard, as a person does it in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyotp
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.running import Server, until

from .conftest import StartServer
from .origins import Site, served
from .test_accounts import PASSWORD, set_up_link, type_in
from .test_demo import LOW_CONTRAST
from .views import log_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
VIEWS = ("sites", "users", "keys", "account", "audit", "checks", "welcome")
TABS = ("general", "install", "privacy", "collect", "members", "sharing", "widgets", "signing", "remove")


@contextmanager
def tab(chromium: Browser, server: Server) -> Iterator[Page]:
    """A tab in which nothing may fail, and from which nothing leaves the server."""
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    troubles: list[str] = []
    context.on("weberror", lambda event: troubles.append(str(event.error)))

    def look(request: Request) -> None:
        if not request.url.startswith((server.url, "blob:", "data:")):
            troubles.append(f"left: {request.url}")

    context.on("request", look)
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text) if "Security Policy" in message.text else None)
    yield page
    context.close()
    assert troubles == []


@pytest.fixture(scope="module")
def office(start_server: StartServer) -> Iterator[Server]:
    """A server with an admin, and a site that somebody has visited."""
    server = start_server()
    site = {"name": "blog", "hostnames": ["blog.example"]}
    assert server.session.post(f"{server.url}/api/v1/sites", json=site, headers=server.admin).status_code == 201
    server.set_up("ada", PASSWORD)
    visit(server, "blog", "https://blog.example/hello")
    until(lambda: _views(server) == 1)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def desk(chromium: Browser, office: Server) -> Iterator[Page]:
    """The tab of who administers it."""
    with tab(chromium, office) as page:
        log_in(page, office.url, "ada", PASSWORD)
        yield page


def _views(server: Server) -> int:
    asked = {"site": "blog", "metrics": "views", "date_range": "today"}
    answer = server.session.get(f"{server.url}/api/v1/stats/query", params=asked, headers=server.admin, timeout=20)
    return int(answer.json()["totals"]["metrics"]["views"])


def visit(server: Server, site: str, url: str) -> None:
    """Be somebody who sees a page."""
    answer = server.session.post(
        f"{server.url}/api/v1/events",
        json=[{"type": "pageview", "site": site, "url": url, "title": "Hello <b>you</b>"}],
        headers={"User-Agent": FIREFOX, "Accept-Language": "de", "Accept": "*/*"},
        timeout=20,
    )
    assert answer.headers["X-Tracker"] == "accepted"


def test_one_sets_up_a_site_and_sees_its_first_visit(chromium: Browser, own_server: Server) -> None:
    with tab(chromium, own_server) as page:
        _begin(page, own_server)


def _begin(page: Page, server: Server) -> None:
    page.goto(set_up_link(server))
    expect(page.get_by_label("Username")).to_be_focused()
    type_in(page, "ada", "ada@example.com", PASSWORD)
    page.get_by_role("link", name="Set up the first site").click()
    page.wait_for_url(f"{server.url}/admin/welcome")
    page.get_by_label("Host names of its pages").fill("https://blog.example/start")
    expect(page.get_by_label("Name", exact=True)).to_have_value("blog.example")
    page.get_by_label("Name", exact=True).fill("blog")
    page.get_by_role("button", name="Add it and go on").click()
    page.wait_for_url(f"{server.url}/admin/welcome?site=blog")
    snippet = f'<script defer src="{server.url}/script.js?site=blog"></script>'
    expect(page.get_by_label("Snippet", exact=True)).to_have_text(snippet)
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == snippet
    expect(page.get_by_text("Waiting for the first visit")).to_be_visible()
    visit(server, "blog", "https://blog.example/hello")
    expect(page.get_by_text("The first visit is there: /hello")).to_be_visible()
    page.get_by_role("link", name="Open the overview").click()
    page.wait_for_url(f"{server.url}/dashboard/blog")


def test_settings_of_a_site_are_saved_and_noted(desk: Page, office: Server) -> None:
    desk.goto(f"{office.url}/dashboard/blog/settings?tab=privacy")
    desk.get_by_text("Its own", exact=True).click()
    desk.get_by_text("By a cookie").click()
    expect(desk.get_by_text("With these rules personal data is kept.")).to_be_visible()
    desk.get_by_text("Are not counted").click()
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved. All parts")).to_be_visible()
    desk.get_by_role("link", name="Modules and retention").click()
    desk.get_by_label("Errors").check()
    expect(desk.get_by_label("As the server's settings say")).not_to_be_checked()
    desk.get_by_role("button", name="Save").first.click()
    expect(desk.get_by_label("As the server's settings say")).not_to_be_checked()
    site = desk.request.get(f"{office.url}/api/v1/sites/blog").json()
    assert (site["policy"]["visitor"], site["policy"]["opt_out"], site["modules"]) == ("cookie", "drop", ["errors"])
    desk.goto(f"{office.url}/admin/audit")
    desk.get_by_label("What").select_option("Sites and members")
    rows = desk.get_by_role("row")
    expect(rows.filter(has_text="Site changed")).to_have_count(2)
    expect(rows.filter(has_text="User added")).to_have_count(0)
    assert "action=site." in desk.url


def test_an_invited_user_chooses_a_password_and_sees_one_site(desk: Page, office: Server, page: Page) -> None:
    desk.goto(f"{office.url}/admin/users")
    desk.get_by_role("button", name="Add a user").click()
    box = desk.get_by_role("dialog")
    box.get_by_label("Username").fill("bob")
    box.get_by_label("blog").select_option("viewer")
    box.get_by_role("button", name="Add a user").click()
    link = desk.get_by_role("dialog", name="Invitation of bob").locator("code").inner_text()
    desk.get_by_role("button", name="I have kept it").click()
    expect(desk.get_by_role("row").filter(has_text="bob")).to_contain_text("blog (viewer)")
    page.goto(link)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    type_in(page, "another horse entirely")
    expect(page.get_by_role("heading", name="Your password is set")).to_be_visible()
    page.goto(f"{office.url}/dashboard/blog")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    navigation = page.get_by_role("navigation", name="Views")
    expect(navigation.get_by_role("link", name="My account")).to_be_visible()
    for name in ("Site settings", "Users"):
        expect(navigation.get_by_role("link", name=name)).to_have_count(0)


def test_keys_are_shown_once_and_revoked(desk: Page, office: Server) -> None:
    desk.goto(f"{office.url}/admin/keys")
    desk.get_by_role("button", name="Make a key").click()
    desk.get_by_role("dialog").get_by_label("Name").fill("reports")
    desk.get_by_role("dialog").get_by_role("button", name="Make a key").click()
    key = desk.get_by_role("dialog", name="The key reports").locator("code").inner_text()
    bearer = {"Authorization": f"Bearer {key}"}
    assert office.session.get(f"{office.url}/api/v1/sites", headers=bearer, timeout=20).status_code == 200
    desk.keyboard.press("Escape")
    assert key not in desk.content()
    desk.get_by_role("button", name="Revoke reports").click()
    desk.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(desk.get_by_role("button", name="Revoke reports")).to_have_count(0)
    assert office.session.get(f"{office.url}/api/v1/sites", headers=bearer, timeout=20).status_code == 401


def test_a_second_factor_is_turned_on_with_the_code_of_an_app(desk: Page, office: Server) -> None:
    desk.goto(f"{office.url}/admin/account")
    desk.get_by_role("button", name="Turn it on").click()
    box = desk.get_by_role("dialog")
    box.get_by_label("Present password").fill(PASSWORD)
    box.get_by_role("button", name="Go on").click()
    expect(box.get_by_role("img", name="QR code")).to_be_visible()
    box.get_by_text("Type it by hand instead").click()
    secret = box.get_by_label("Secret").inner_text().strip()
    box.get_by_label("Code of the app").fill(pyotp.TOTP(secret).now())
    box.get_by_role("button", name="Turn it on").click()
    codes = desk.get_by_role("dialog", name="Recovery codes").locator("code").inner_text().split()
    assert len(codes) == 10
    desk.get_by_role("button", name="I have kept it").click()
    expect(desk.get_by_text("10 recovery codes are left.")).to_be_visible()


def make_link(desk: Page, office: Server, *, origin: str) -> tuple[str, str]:
    """Return the link, and the frame that goes into a page of that origin."""
    desk.goto(f"{office.url}/dashboard/blog/settings?tab=sharing")
    desk.get_by_role("button", name="Make a link").click()
    box = desk.get_by_role("dialog")
    box.get_by_label("Pages of other web sites").check()
    box.get_by_label("Which web sites").fill(origin)
    box.get_by_role("button", name="Make a link").click()
    shown = desk.get_by_role("dialog", name="The link is made").locator("code")
    link, frame, _ = shown.all_inner_texts()
    desk.get_by_role("button", name="I have kept it").click()
    return link, frame


def test_a_shared_site_opens_to_look_at_alone_and_in_a_frame(desk: Page, office: Server, page: Page) -> None:
    with served(Site()) as blog:
        link, frame = make_link(desk, office, origin=blog.url)
        page.goto(link)
        page.wait_for_url(f"{office.url}/dashboard/blog")
        links = page.get_by_role("navigation", name="Views").get_by_role("link")
        expect(links.filter(has_text="Overview")).to_be_visible()
        for name in ("Live", "Site settings", "Users", "API keys"):
            expect(links.filter(has_text=name)).to_have_count(0)
        page.context.clear_cookies()
        address = re.findall('src="([^"]*)"', frame)[0]
        page.goto(blog.put("numbers", frame))
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("heading", level=1)).to_be_attached()
        expect(inside.get_by_role("navigation", name="Views")).to_have_count(0)
        assert page.context.cookies() == []
        inner = next(each for each in page.frames if each.url.startswith(address))
        assert inner.url.startswith(f"{address}/blog")
        for path in ("/dashboard/blog", "/admin/users", "/login"):
            page.goto(blog.put("other", f'<iframe src="{office.url}{path}"></iframe>'))
            page.wait_for_load_state("networkidle")
            assert not any(each.url.startswith(office.url) for each in page.frames), path


def test_what_is_removed_is_asked_for_by_its_name(desk: Page, office: Server) -> None:
    desk.goto(f"{office.url}/admin/sites")
    desk.get_by_role("button", name="Add a site").click()
    desk.get_by_role("dialog").get_by_label("Name", exact=True).fill("old")
    desk.get_by_role("dialog").get_by_role("button", name="Add a site").click()
    desk.wait_for_url(f"{office.url}/admin/welcome?site=old")
    desk.goto(f"{office.url}/dashboard/old/settings?tab=remove")
    desk.get_by_role("button", name="Remove the site").click()
    box = desk.get_by_role("dialog")
    box.get_by_label("Type old to go on").fill("blog")
    box.get_by_role("button", name="Remove the site").click()
    expect(box.get_by_role("alert")).to_contain_text("Type old to go on")
    box.get_by_label("Type old to go on").fill("old")
    box.get_by_role("button", name="Remove the site").click()
    desk.wait_for_url(f"{office.url}/admin/sites")
    expect(desk.get_by_role("heading", name="old")).to_have_count(0)
    expect(desk.get_by_role("heading", name="blog")).to_be_visible()


def test_the_self_test_tells_what_it_found(desk: Page, office: Server) -> None:
    desk.goto(f"{office.url}/admin/checks")
    expect(desk.get_by_text("/script.js is there")).to_be_visible()
    expect(desk.get_by_text("The clocks of server and browser agree.")).to_be_visible()
    expect(desk.get_by_role("row").filter(has_text="blog")).to_contain_text("ago")
    desk.get_by_label("Its policy").fill("default-src 'self'; script-src 'self' http:; connect-src *")
    said = desk.locator("section", has=desk.get_by_role("heading", name="Content-Security-Policy")).get_by_role(
        "listitem"
    )
    expect(said).to_contain_text(["Allowed by script-src", "Allowed by connect-src", "Held back by default-src"])


def test_every_page_fits_a_phone_and_can_be_read(desk: Page, office: Server) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.emulate_media(color_scheme="dark")
    pages = [f"/admin/{name}" for name in VIEWS] + [f"/dashboard/blog/settings?tab={name}" for name in TABS]
    for path in pages:
        desk.goto(office.url + path)
        expect(desk.get_by_role("heading", level=1)).to_be_visible()
        expect(desk.locator(".skeleton")).to_have_count(0)
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert desk.evaluate(LOW_CONTRAST) == [], path
        unnamed = "[...document.querySelectorAll('main input, main select, main textarea')]"
        assert desk.evaluate(f"{unnamed}.filter((field) => !field.hidden && !field.labels?.length && !field.ariaLabel)"
                             ".map((field) => field.outerHTML)") == [], path  # fmt: skip
