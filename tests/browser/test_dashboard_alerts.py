"""Alerts, their channels, and reports by mail, as owners set them up in a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.outgoing.mail_server import MailServer, mail_server
from tests.outgoing.receiver import Receiver, receiver
from tests.running import Server, until
from visitor_tracker.outgoing.channels import signature

from .conftest import StartServer
from .test_accounts import PASSWORD
from .test_dashboard_admin import visit
from .views import Watched, log_in, watched

ADDRESS = "ada@example.com"
SETTINGS = "host: smtp.example.com"
QUICK = (
    (
        "/dashboard/blog/alerts",
        "sites/blog",
        "Tell me when something unusual happens",
        "Something unusual",
        "anomaly",
    ),
    ("/admin/alerts", "server", "Tell me when the server needs me", "Visits wait to be counted", "lag"),
)


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def hooks() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def office(start_server: StartServer, mails: MailServer) -> Iterator[Server]:
    """A server that sends mail, with an admin who has an address, and sites that somebody has visited."""
    server = start_server(
        VISITOR_TRACKER_MAIL_HOST="127.0.0.1",
        VISITOR_TRACKER_MAIL_PORT=str(mails.port),
        VISITOR_TRACKER_MAIL_SECURITY="none",
        VISITOR_TRACKER_MAIL_SENDER="Visitor Tracker <stats@tracker.example>",
        VISITOR_TRACKER_ALERTS_ALLOW_PRIVATE="[127.0.0.1]",
        VISITOR_TRACKER_SERVER_PUBLIC_URL="https://stats.example.com",
    )
    for name in ("blog", "shop", "news"):
        site = {"name": name, "hostnames": [f"{name}.example"]}
        assert server.session.post(f"{server.url}/api/v1/sites", json=site, headers=server.admin).status_code == 201
    server.set_up("ada", PASSWORD, email=ADDRESS)
    visit(server, "shop", "https://shop.example/hello")
    asked = "stats/query?site=shop&metrics=views&date_range=today"
    until(lambda: _ask(server, asked)["totals"]["metrics"]["views"] == 1)
    yield server
    server.stop()


def _ask(server: Server, path: str) -> Any:  # noqa: ANN401
    answer = server.session.get(f"{server.url}/api/v1/{path}", headers=server.admin, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _dialog(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=name, exact=True)


def _open(seen: Watched, path: str) -> None:
    seen.open(path)
    expect(seen.page.locator("main h2").first).to_be_visible()


@contextmanager
def _refused(seen: Watched, status: int) -> Iterator[None]:
    """Browsers complain of what a server refuses, which is meant here."""
    with seen.page.expect_console_message(lambda told: f"status of {status}" in told.text):
        yield
    [complaint] = [each for each in seen.troubles if f"status of {status}" in each]
    seen.troubles.remove(complaint)


@pytest.mark.parametrize("case", QUICK, ids=["site", "server"])
def test_one_field_is_enough(chromium: Browser, office: Server, mails: MailServer, case: tuple[str, ...]) -> None:
    path, base, title, name, kind = case
    with watched(chromium, office.url) as seen:
        page, before = seen.page, len(mails.mails)
        log_in(page, office.url, "ada", PASSWORD)
        _open(seen, path)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        expect(page.get_by_label("Your e-mail address")).to_have_value(ADDRESS)
        page.get_by_role("button", name="Tell me").click()
        trial = _dialog(page, f"Send a test: {name}")
        expect(trial.get_by_text("Answer: 250 Taken as number")).to_be_visible()
        assert mails.recipients[before:] == [ADDRESS]
        trial.get_by_role("button", name="Close").last.click()
        turned = page.get_by_role("switch", name=f"{name}: on")
        expect(turned).to_be_checked()
        turned.press("Space")
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        page.reload()
        expect(turned).not_to_be_checked()
        seen.settle()
        assert seen.barriers() == []
    assert ADDRESS not in str(_ask(office, "audit")), "the audit log has no address"
    [alert] = _ask(office, f"{base}/alerts")["alerts"]
    [channel] = _ask(office, f"{base}/channels")["channels"]
    assert (alert["name"], alert["kind"], alert["channels"], alert["is_on"]) == (name, kind, [channel["id"]], False)
    assert (channel["name"], channel["to"]) == ("Mail to ada", [ADDRESS])


def test_what_happens_is_told_and_listed(chromium: Browser, office: Server, hooks: Receiver) -> None:
    """A webhook, whose secret is shown once; an alert to it; what it was told, and what did not get there."""
    with watched(chromium, office.url) as seen:
        page = seen.page
        log_in(page, office.url, "ada", PASSWORD)
        _open(seen, "/dashboard/shop/alerts")
        page.get_by_role("button", name="New alert").click()  # nobody can be told yet, so a channel comes first
        secret = _make_webhook(page, hooks)
        _make_alert(seen)
        _follow_an_anomaly(seen)
        _remove_a_token(seen, office)
        _try_webhook(seen, hooks, secret)
        _see_history(seen, office, hooks)
        _change_it(page)
        _remove_all(seen)
    assert _ask(office, "sites/shop/channels")["channels"] == []


def _make_webhook(page: Page, hooks: Receiver) -> str:
    form = _dialog(page, "New channel")
    form.get_by_label("Way").select_option("webhook")
    form.get_by_label("Name").fill("Hook")
    form.get_by_label("Address").fill(f"{hooks.url}/shop?key=hidden")
    form.get_by_role("button", name="Make the channel").click()
    shown = _dialog(page, "The secret of Hook")
    secret = shown.get_by_label("Secret", exact=True).inner_text()
    assert secret.startswith("whsec_")
    shown.get_by_role("button", name="I have kept it").click()
    return secret


def _follow_an_anomaly(seen: Watched) -> None:
    """Begin an alert where an anomaly leads to, and leave it."""
    page = seen.page
    _open(seen, "/dashboard/shop/alerts?new=anomaly&severity=extreme&metric=views&direction=above&per=day&value=255")
    form = _dialog(page, "New alert")
    expect(form.get_by_label("How unusual")).to_have_value("extreme")
    assert urlsplit(page.url).query == ""
    form.get_by_label("What about").select_option("threshold")
    for label, value in {"Number": "views", "In which time": "day", "Limit": "255"}.items():
        expect(form.get_by_label(label, exact=True)).to_have_value(value)
    page.keyboard.press("Escape")


def _remove_a_token(seen: Watched, office: Server) -> None:
    """Make a channel that has a token, and take that away."""
    page = seen.page
    phone = {"name": "Phone", "kind": "ntfy", "url": "https://ntfy.example/topic", "token": "tk_verysecret"}
    path = f"{office.url}/api/v1/sites/shop/channels"
    made = office.session.post(path, json=phone, headers=office.admin, timeout=20)
    assert made.status_code == 201, made.text
    _open(seen, "/dashboard/shop/alerts?tab=channels")
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Phone"))
    row.get_by_role("button", name="Change the channel Phone").click()
    form = page.get_by_role("dialog")
    form.get_by_role("checkbox", name="Remove the stored access token").check()
    expect(form.get_by_label("Access token (optional)")).to_be_disabled()
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    channels = _ask(office, "sites/shop/channels")["channels"]
    assert [each["has_token"] for each in channels if each["name"] == "Phone"] == [False]
    gone = office.session.delete(f"{path}/{made.json()['id']}", headers=office.admin, timeout=20)
    assert gone.status_code == 204, gone.text
    _open(seen, "/dashboard/shop/alerts")


def _make_alert(seen: Watched) -> None:
    page = seen.page
    form = _dialog(page, "New alert")
    expect(form.get_by_role("checkbox", name="Hook")).to_be_checked()  # the only one there is
    form.get_by_label("What about").select_option("goal")
    expect(form.get_by_text("The site has no goal yet.")).to_be_visible()
    form.get_by_label("What about").select_option("threshold")
    form.get_by_label("Number").select_option("bounce_rate")
    expect(form.get_by_label("Limit in percent")).to_be_visible()
    form.get_by_label("Number").select_option("visits")
    form.get_by_label("Limit").fill("0")
    form.get_by_label("In which time").select_option("month")
    form.get_by_label("Name").fill("First visit")
    form.get_by_text("Quiet hours and pauses").click()
    assert seen.barriers() == []
    form.get_by_label("Quiet from").fill("23:00")
    with _refused(seen, 400):
        form.get_by_role("button", name="Make the alert").click()
    expect(form.get_by_role("alert")).to_contain_text("Quiet hours need both quiet_from and quiet_to")
    form.get_by_label("Until").fill("06:30")
    form.get_by_label("Urgent").check()
    form.get_by_label("Pause after a message").select_option("360")
    form.get_by_role("button", name="Make the alert").click()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="First visit"))
    expect(row).to_contain_text("Visits above 0 in a month.")
    expect(row).to_contain_text("at most once in 6 hours")
    expect(row).to_contain_text("urgent: also in quiet hours")


def _try_webhook(seen: Watched, hooks: Receiver, secret: str) -> None:
    page = seen.page
    page.get_by_role("link", name="Channels").click()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Hook"))
    expect(row).to_contain_text(f"{hooks.url}/…")
    assert "key=" not in page.content()
    assert seen.barriers() == []
    hooks.answers.append((404, b"this hook was removed", {}))
    for words in ("Answer: 404 this hook was removed", "Answer: 200 ok"):
        row.get_by_role("button", name="Send a test: Hook").click()
        trial = _dialog(page, "Send a test: Hook")
        expect(trial.get_by_text(words)).to_be_visible()
        expect(trial.get_by_text("not sent")).to_have_count(1 if "404" in words else 0)
        trial.get_by_role("button", name="Close").last.click()
    got = hooks.got[-1]
    headers = got.headers
    signed = signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), got.body)
    assert headers["webhook-signature"] == signed
    row.get_by_role("button", name="Change the channel Hook").click()
    form = _dialog(page, "Change the channel Hook")
    expect(form.get_by_label("Address")).to_have_value("")
    form.get_by_label("Name").fill("Team hook")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Team hook")).to_be_visible()


def _see_history(seen: Watched, office: Server, hooks: Receiver) -> None:
    """Alerts are looked at when a server starts."""
    page, before = seen.page, len(hooks.got)
    hooks.answers.append((500, b"<b>out of order</b>", {}))
    office.stop()
    office.start()
    until(lambda: len(hooks.got) > before, lambda: office.log)
    until(lambda: _ask(office, "sites/shop/alerts/history")["deliveries"][0]["answer"] != "")
    _open(seen, "/dashboard/shop/alerts?tab=history")
    row = page.get_by_role("row").filter(has_text="First visit")
    expect(row).to_contain_text("on its way")
    expect(row).to_contain_text("500 <b>out of order</b>")
    expect(row).to_contain_text("Team hook")
    row.get_by_text("First visit: 1 visits").click()
    link = row.get_by_role("link", name="Look at the numbers")
    expect(link).to_have_attribute("href", re.compile(r"^https://stats\.example\.com/dashboard/shop\?period="))
    assert seen.barriers() == []


def _change_it(page: Page) -> None:
    """Shares are typed in percent."""
    page.get_by_role("navigation", name="Alerts").get_by_role("link", name="Alerts").click()
    expect(page.get_by_text(re.compile("last told"))).to_be_visible()
    page.get_by_role("button", name="Change the alert First visit").click()
    form = _dialog(page, "Change the alert First visit")
    expect(form.get_by_label("Quiet from")).to_have_value("23:00")
    form.get_by_label("Number").select_option("bounce_rate")
    form.get_by_label("Limit in percent").fill("82.5")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Bounce rate above 82.5% in a month.")).to_be_visible()
    page.get_by_role("button", name="Change the alert First visit").click()
    expect(form.get_by_label("Limit in percent")).to_have_value("82.5")
    page.keyboard.press("Escape")


def _remove_all(seen: Watched) -> None:
    page = seen.page
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("button", name="Remove the channel Team hook").click()
    with _refused(seen, 409):
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Alerts use it: First visit")).to_be_visible()
    page.get_by_role("navigation", name="Alerts").get_by_role("link", name="Alerts").click()
    page.get_by_role("button", name="Remove the alert First visit").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Tell me when something unusual happens")).to_be_visible()
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("button", name="Remove the channel Team hook").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("There is no channel yet")).to_be_visible()


def test_reports_come_by_mail(chromium: Browser, office: Server, mails: MailServer) -> None:
    with watched(chromium, office.url) as seen:
        page = seen.page
        log_in(page, office.url, "ada", PASSWORD)
        seen.open("/dashboard/news/reports")
        assert seen.barriers() == []
        page.get_by_role("button", name="New report").last.click()
        form = _dialog(page, "New report")
        expect(form.get_by_label("To whom")).to_have_value(ADDRESS)
        form.get_by_label("To whom").fill(f"{ADDRESS}, not an address")
        with _refused(seen, 400):
            form.get_by_role("button", name="Send it from now on").click()
        expect(form.get_by_role("alert")).to_contain_text("is no e-mail address such as anna@example.com")
        form.get_by_label("To whom").fill(f"{ADDRESS}\nben@refused.example")
        form.get_by_label("On", exact=True).select_option("friday")
        form.get_by_label("At", exact=True).select_option("17")
        form.get_by_label("Language").select_option("de")
        form.get_by_role("button", name="Send it from now on").click()
        name = "Weekly, on Friday at 17:00"
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        _look_at_it(page, name)
        _send_it(seen, mails, name)
        page.get_by_role("button", name=f"What was sent: {name}").click()
        expect(page.get_by_role("dialog").get_by_text("Nothing was due yet")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_role("switch", name=name).press("Space")
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        seen.settle()
        assert seen.barriers() == []
        [report] = _ask(office, "sites/news/reports")["reports"]
        assert (report["weekday"], report["hour"], report["language"], report["is_on"]) == ("friday", 17, "de", False)
        page.get_by_role("button", name=f"Remove the report: {name}").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("The numbers can come to you")).to_be_visible()
    assert _ask(office, "sites/news/reports")["reports"] == []


def _look_at_it(page: Page, name: str) -> None:
    """In a frame in which nothing runs, and which can do nothing to the page around it."""
    page.get_by_role("button", name=f"Preview: {name}").click()
    shown = _dialog(page, f"Preview: {name}")
    frame = shown.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame).to_be_visible()
    expect(shown.frame_locator("iframe").get_by_role("heading", name="news: Wochenbericht")).to_be_visible()
    for text in ("Open in a new tab", "As plain text"):
        expect(shown.get_by_role("link", name=text)).to_have_attribute("rel", "noopener noreferrer")
    shown.get_by_role("button", name="Close").click()


def _send_it(seen: Watched, mails: MailServer, name: str) -> None:
    page, before = seen.page, len(mails.mails)
    page.get_by_role("button", name=f"Send now: {name}").click()
    form = _dialog(page, "Send now")
    expect(form.get_by_label("To").locator("option")).to_have_text([f"{ADDRESS} (you)", "ben@refused.example"])
    form.get_by_role("button", name="Send it").click()
    expect(form.get_by_role("status")).to_contain_text("Answer: 250 Taken as number")
    assert mails.recipients[before:] == [ADDRESS]
    form.get_by_label("To").select_option("ben@refused.example")
    with _refused(seen, 502):
        form.get_by_role("button", name="Send it").click()
    expect(form.get_by_role("alert")).to_contain_text("550 No such user here")
    page.keyboard.press("Escape")


def test_without_a_mail_server_it_says_what_to_write(chromium: Browser, own_server: Server) -> None:
    own_server.set_up("ada", PASSWORD)
    with watched(chromium, own_server.url, width=390, dark=True) as seen:
        page = seen.page
        log_in(page, own_server.url, "ada", PASSWORD)
        for path in ("/dashboard/default/alerts", "/dashboard/default/reports", "/admin/alerts"):
            seen.open(path)
            expect(page.get_by_label("config.yaml")).to_contain_text(SETTINGS)
            assert not seen.is_too_wide(), path
            assert seen.barriers() == [], path
        page.get_by_role("button", name="New alert").click()
        form = _dialog(page, "New channel")
        expect(form.get_by_label("Way")).to_have_value("slack")
        form.get_by_label("Way").select_option("email")
        expect(form.get_by_text("This server sends no mail yet")).to_be_visible()
