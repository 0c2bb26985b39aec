"""Setting a server up, and logging in: by keyboard, in a real browser."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.running import Server

from .conftest import StartServer
from .test_demo import LOW_CONTRAST

PASSWORD = "a horse, a battery"
PHONE: ViewportSize = {"width": 360, "height": 640}


@pytest.fixture
def fresh(start_server: StartServer) -> Iterator[Server]:
    """A server without accounts, which believes what a proxy on this machine says."""
    server = start_server(VISITOR_TRACKER_TRUSTED_PROXIES="[127.0.0.1]")
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _no_complaints(page: Page) -> Iterator[None]:
    """Nothing breaks the policy of the pages, which lets only their own files run."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    yield
    assert [text for text in found if "Content Security Policy" in text] == []


def set_up_link(server: Server) -> str:
    found = re.search(r"make the first one at  (\S+)", server.log)
    assert found
    return found[1]


def type_in(page: Page, *texts: str) -> None:
    """Type into one field after another, as with the keyboard only, and send the form."""
    for number, text in enumerate(texts):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")


def set_up(page: Page, server: Server) -> None:
    page.goto(set_up_link(server))
    expect(page.get_by_label("Username")).to_be_focused()
    type_in(page, "ada", "ada@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="Your account is made")).to_be_focused()


def log_in(page: Page, username: str, password: str) -> None:
    expect(page.get_by_label("Username or e-mail address")).to_be_focused()
    type_in(page, username, password)


def test_a_server_is_set_up_and_one_logs_in_by_keyboard_alone(page: Page, fresh: Server) -> None:
    set_up(page, fresh)
    expect(page.locator("#snippet")).to_have_text(f'<script defer src="{fresh.url}/script.js"></script>')
    assert page.url == f"{fresh.url}/setup", "the token must not stay in the history"
    page.goto(f"{fresh.url}/login?next=/replay")
    expect(page.get_by_text("You are logged in as ada")).to_be_visible()
    expect(page.get_by_role("link", name="Go on")).to_have_attribute("href", "/replay")
    page.get_by_role("button", name="Log out").press("Enter")
    log_in(page, "ADA", "a horse, a batterz")
    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{fresh.url}/replay")


def test_the_link_is_good_once(page: Page, fresh: Server) -> None:
    link = set_up_link(fresh)
    set_up(page, fresh)
    page.goto(f"{fresh.url}/login")
    page.goto(link)
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    page.goto(f"{fresh.url}/login")
    page.goto(f"{fresh.url}/setup")
    expect(page.get_by_role("heading", name="This server is set up")).to_be_visible()


def test_without_its_link_the_page_says_where_that_is(page: Page, fresh: Server) -> None:
    page.goto(f"{fresh.url}/setup")
    expect(page.get_by_role("heading", name="This server has no account yet")).to_be_visible()
    expect(page.get_by_text("visitor-tracker user setup-link")).to_be_visible()
    expect(page.locator("#example")).to_have_text(f"{fresh.url}/setup#…")
    expect(page.get_by_label("Username")).to_be_hidden()


def test_a_password_that_is_too_easy_is_refused_in_words(page: Page, fresh: Server) -> None:
    page.goto(set_up_link(fresh))
    page.get_by_label("Username").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Username is missing.")
    type_in(page, "ada", "", "short")
    expect(page.get_by_role("alert")).to_have_text("The password is too short. Use at least 10 characters.")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")


def test_the_second_factor_is_asked_for_after_the_password(page: Page, fresh: Server) -> None:
    set_up(page, fresh)
    csrf = page.evaluate("() => fetch('/api/v1/me').then((answer) => answer.json()).then((me) => me.csrf)")
    send = """([path, body, csrf]) => fetch(path, {method: 'POST', body: JSON.stringify(body),
        headers: {'X-CSRF-Token': csrf}}).then((answer) => answer.json())"""
    secret = page.evaluate(send, ["/api/v1/me/totp", {"password": PASSWORD}, csrf])["secret"]
    code = pyotp.TOTP(secret).now()
    codes = page.evaluate(send, ["/api/v1/me/totp/confirm", {"code": code}, csrf])["recovery_codes"]
    page.context.clear_cookies()
    page.goto(f"{fresh.url}/login")
    log_in(page, "ada@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    type_in(page, code)
    expect(page.get_by_role("alert")).to_have_text("The code is wrong, or was used before. Wait for the next one.")
    page.get_by_role("button", name="Use a recovery code").press("Enter")
    page.keyboard.press("Control+A")
    type_in(page, codes[0].upper())
    page.wait_for_url(f"{fresh.url}/")


ELSEWHERE = (
    "https://example.com/",
    "//example.com/",
    "/\\example.com",
    "/%5cexample.com",
    "/\t/example.com",
    "/./\\example.com",
    "/..//example.com",
    "javascript:alert(1)",
)


def test_next_leads_nowhere_else(page: Page, fresh: Server) -> None:
    set_up(page, fresh)
    for next_path in ELSEWHERE:
        page.evaluate("(next) => location.assign(`/login?${new URLSearchParams({next})}`)", next_path)
        page.wait_for_url(re.compile("/login"))
        expect(page.get_by_text("You are logged in as ada")).to_be_visible()
        link = page.get_by_role("link", name="Go on").evaluate("(element) => element.href")
        assert link.startswith(f"{fresh.url}/"), next_path
        page.goto(f"{fresh.url}/setup")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_in_light_and_dark(chromium: Browser, fresh: Server, scheme: str) -> None:
    context = chromium.new_context(viewport=PHONE, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    page.goto(f"{fresh.url}/login")
    page.get_by_label("Password", exact=True).wait_for()
    check_looks(page)
    page.goto(f"{fresh.url}/setup")
    expect(page.get_by_role("heading", name="This server has no account yet")).to_be_visible()
    check_looks(page)
    page.goto("about:blank")  # else only what stands behind # would change
    page.goto(set_up_link(fresh))
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    check_looks(page)
    type_in(page, "ada", "no address", PASSWORD)
    page.get_by_role("alert").wait_for()
    check_looks(page)
    page.get_by_label("E-mail address").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account is made")).to_be_visible()
    check_looks(page)
    context.close()


def test_a_failed_single_sign_on_is_told(page: Page, fresh: Server) -> None:
    for code, words in (
        ("sign_on_unknown", "You have no account here. Ask an admin for one."),
        ("<b>odd</b>", "The log-in did not work. Try again."),
        ("constructor", "The log-in did not work. Try again."),
    ):
        page.goto(f"{fresh.url}/login?error={code}")
        expect(page.get_by_role("alert")).to_have_text(words)
    expect(page.get_by_role("link", name="How to make the first one")).to_be_visible()


def check_looks(page: Page) -> None:
    """Nothing is wider than the screen or its card, and every text can be read."""
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "() => document.querySelector('.card').scrollWidth <= document.querySelector('.card').clientWidth"
    )
    assert page.evaluate(LOW_CONTRAST) == []
