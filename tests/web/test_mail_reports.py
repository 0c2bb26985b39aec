"""Reports by mail over HTTP: who gets them, what they look like, and how somebody who gets them ends that."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.outgoing.mail_server import MailServer, mail_server
from tests.reports.traffic import GERMANY, GOOGLE, event, fold
from tests.web.conftest import LOCAL, REMOTE, Build, Site, header
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.unsubscribing import Recipient, UnsubscribeTokens
from visitor_tracker.config import MailConfig, RateLimitConfig
from visitor_tracker.days import DAY_MS
from visitor_tracker.http.message import Request, Response
from visitor_tracker.reports.digest.schedules import digest_of
from visitor_tracker.sites import Site as SiteValue
from visitor_tracker.store.audit import AuditTable

NO_URL = "set server.public_url: links in the mails, also to unsubscribe, lead to a guess of the server's address"
PATH = "/api/v1/sites/default/reports"
ANNA, BEN = "anna@reader.example", "ben@reader.example"
SITE = SiteValue(1, "default")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def site(build: Build, server: MailServer) -> Site:
    made: Site = build(mail=MailConfig(**server.settings()))  # type: ignore[arg-type]
    return made


def ask(site: Site, method: str, path: str = PATH, body: object = None) -> tuple[int, Any]:
    sent = b"" if body is None else msgspec.json.encode(body)
    answer = site.ask(path, method=method, body=sent, headers=site.admin)
    return answer.status, json.loads(answer.body) if answer.body else None


def added(site: Site, **more: object) -> dict[str, Any]:
    status, found = ask(site, "POST", body={"recipients": [ANNA, BEN], **more})
    assert status == 201, found
    return dict(found)


def actions(site: Site) -> list[str]:
    rows = AuditTable(site.app.store.database).latest(100)
    return [row.action for row in reversed(rows) if row.action.startswith("report.")]


def test_reports_are_made_changed_and_removed(site: Site) -> None:
    made = added(site, every="weekly", hour=7, weekday="friday", language="fr")
    assert made | {"next_at": "", "id": ""} == {
        "id": "",
        "recipients": [{"address": ANNA, "unsubscribed_at": None}, {"address": BEN, "unsubscribed_at": None}],
        "every": "weekly",
        "hour": 7,
        "weekday": "friday",
        "language": "fr",
        "is_on": True,
        "timezone": "UTC",
        "next_at": "",
        "hint": NO_URL,
    }
    assert made["next_at"][11:16] == "07:00"
    assert ask(site, "GET") == (200, {"reports": [made], "mail_is_set_up": True})
    one = f"{PATH}/{made['id']}"
    status, changed = ask(site, "PATCH", one, {"recipients": [BEN.upper(), BEN], "is_on": False})
    assert status == 200
    assert changed["recipients"] == [{"address": BEN, "unsubscribed_at": None}]
    assert (changed["is_on"], changed["next_at"], changed["weekday"]) == (False, None, "friday")
    assert ask(site, "PATCH", one, {"weekday": "sunday", "is_on": True})[1]["weekday"] == "sunday"
    assert ask(site, "GET", f"{one}/deliveries") == (200, {"deliveries": []})
    assert ask(site, "DELETE", one) == (204, None)
    assert ask(site, "GET")[1]["reports"] == []
    for method, path in (("PATCH", one), ("DELETE", one), ("GET", f"{one}/preview"), ("DELETE", f"{PATH}/x")):
        status, found = ask(site, method, path, {} if method == "PATCH" else None)
        assert (status, found["error"]["code"]) == (404, "unknown_report")
    assert actions(site) == ["report.added", "report.changed", "report.changed", "report.removed"]


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({}, "invalid_body", "recipients"),
        ({"recipients": []}, "invalid_recipients", "there are 0"),
        ({"recipients": [f"a{n}@b.example" for n in range(51)]}, "invalid_recipients", "there are 51"),
        ({"recipients": ["anna"]}, "invalid_recipients", "'anna' is no e-mail address"),
        ({"recipients": ["a@b.example\r\nBcc: c@d.example"]}, "invalid_recipients", "no e-mail address"),
        ({"recipients": [ANNA], "every": "hourly"}, "invalid_every", "hourly"),
        ({"recipients": [ANNA], "hour": 24}, "invalid_hour", "<= 23"),
        ({"recipients": [ANNA], "weekday": "someday"}, "invalid_weekday", "someday"),
        ({"recipients": [ANNA], "language": "it"}, "invalid_language", "it"),
        ({"recipients": [ANNA], "hours": 8}, "invalid_body", "hours"),
    ],
)
def test_what_is_wrong_is_named(site: Site, body: dict[str, object], code: str, told: str) -> None:
    status, found = ask(site, "POST", body=body)
    assert (status, found["error"]["code"]) == (400, code)
    assert told in found["error"]["message"]
    assert found["error"]["hint"]


def test_a_site_has_fifty_at_most(site: Site) -> None:
    for _ in range(50):
        added(site)
    status, found = ask(site, "POST", body={"recipients": [ANNA]})
    assert (status, found["error"]["code"]) == (409, "too_many")


def test_a_server_without_mail_says_so(build: Build) -> None:
    site = build()
    made = added(site)
    assert made["hint"].startswith("the server sends no mail: name a mail server")
    status, found = ask(site, "POST", f"{PATH}/{made['id']}/send", {"to": ANNA})
    assert (status, found["error"]["code"]) == (409, "mail_not_set_up")
    assert ask(site, "GET")[1]["mail_is_set_up"] is False


def test_a_report_can_be_looked_at(site: Site) -> None:
    now = time.time_ns() // 1_000_000
    evil = "/<script>alert(1)</script>"
    events = [event(SITE, now - days * DAY_MS, f"v{days}", evil, source=GOOGLE, place=GERMANY) for days in range(1, 15)]
    fold(site.app.store, SITE, events)
    made = added(site, every="weekly", language="de")
    for path in (f"{PATH}/{made['id']}/preview", f"{PATH}/preview?language=de"):
        page = site.ask(path, headers=site.admin)
        assert page.status == 200
        assert header(page, "Content-Type") == "text/html; charset=utf-8"
        policy = header(page, "Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script" not in policy
        text = page.body.decode()
        assert "Wochenbericht" in text
        assert "/&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "Google" in text
        assert "Deutschland" in text
    plain = site.ask(f"{PATH}/preview?format=text&every=daily", headers=site.admin)
    assert header(plain, "Content-Type") == "text/plain; charset=utf-8"
    assert plain.body.decode().startswith("default: Daily report\n")
    assert ask(site, "GET", f"{PATH}/preview?every=yearly")[0] == 400


def test_a_trial_goes_to_recipients_and_to_who_asks_alone(site: Site, server: MailServer) -> None:
    accounts = Accounts(site.app.store)
    root = accounts.create("root", email="root@reader.example", is_admin=True, password_hash="x")
    logins = Logins(site.app.store, site.app.shared.keys.token, site.app.config.auth)
    tokens = logins.start_tokens(root, Request("POST", "/", "", {}, b"", True, REMOTE))
    mine = {"authorization": f"Bearer {tokens.access_token}"}
    made = added(site)
    path = f"{PATH}/{made['id']}/send"

    def send(body: object, headers: dict[str, str]) -> tuple[int, Any]:
        answer = site.ask(path, method="POST", body=msgspec.json.encode(body), headers=headers)
        return answer.status, json.loads(answer.body)

    assert send({}, mine) == (200, {"to": "root@reader.example", "said": "250 Taken as number 1"})
    assert send({"to": ANNA.upper()}, mine)[1]["to"] == ANNA
    for part in server.mails[-1].walk():
        if part.get_content_maintype() == "text":
            assert "nsubscribe" not in str(part.get_content()), "a trial has no such link, nor an empty one"
    status, found = send({"to": "stranger@reader.example"}, mine)
    assert (status, found["error"]["code"]) == (400, "invalid_to")
    assert send({}, site.admin)[1]["error"]["message"] == "your account has no mail address"
    assert server.recipients == ["root@reader.example", ANNA]
    ask(site, "PATCH", f"{PATH}/{made['id']}", {"recipients": ["x@refused.example"]})
    status, found = send({"to": "x@refused.example"}, mine)
    assert (status, found["error"]["code"]) == (502, "mail_refused")
    assert "No such user here" in found["error"]["message"]
    statuses = [send({"to": "x@refused.example"}, mine)[0] for _ in range(10)]
    assert statuses[-1] == 429
    assert actions(site)[1:3] == ["report.tried", "report.tried"]


def token_of(site: Site, report: dict[str, Any], address: str) -> str:
    who = Recipient(SITE.id, bytes.fromhex(report["id"]), digest_of(address))
    return UnsubscribeTokens(site.app.shared.keys.token).make(who)


def visit(site: Site, token: str, method: str = "GET", body: bytes = b"") -> Response:
    headers = {"host": "stats.example.com", "content-type": "application/x-www-form-urlencoded"}
    return site.ask(f"/unsubscribe?token={token}", method=method, body=body, peer=REMOTE, headers=headers)


def since(site: Site) -> list[bool]:
    [report] = ask(site, "GET")[1]["reports"]
    return [each["unsubscribed_at"] is not None for each in report["recipients"]]


def test_the_link_of_a_mail_ends_it_by_a_button(site: Site) -> None:
    token = token_of(site, added(site), ANNA)
    page = visit(site, token)
    assert page.status == 200
    assert "Unsubscribe?" in page.body.decode()
    assert "a…@reader.example" in page.body.decode()
    assert ANNA not in page.body.decode(), "mails are passed on"
    assert header(page, "Referrer-Policy") == "no-referrer"
    assert header(page, "Cache-Control") == "no-store"
    assert visit(site, token, "HEAD").status == 200
    assert since(site) == [False, False], "looking changes nothing"
    for _ in range(2):
        page = visit(site, token, "POST", b"")
        assert (page.status, since(site)) == (200, [True, False])
        assert "is not sent to" in page.body.decode()
    assert "Undo" in visit(site, token).body.decode()
    page = visit(site, token, "POST", b"undo=1")
    assert (page.status, since(site)) == (200, [False, False])
    assert "again" in page.body.decode()
    assert actions(site) == ["report.added", "report.unsubscribed", "report.unsubscribed", "report.subscribed"]


@pytest.mark.parametrize(
    "body",
    [
        b"List-Unsubscribe=One-Click",
        b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
    ],
)
def test_a_mail_reader_ends_it_with_one_click(site: Site, body: bytes) -> None:
    assert visit(site, token_of(site, added(site), BEN), "POST", body).status == 200
    assert since(site) == [False, True]


def test_no_trial_goes_to_who_has_unsubscribed(site: Site, server: MailServer) -> None:
    made = added(site)
    assert visit(site, token_of(site, made, ANNA), "POST").status == 200
    body = msgspec.json.encode({"to": ANNA})
    answer = site.ask(f"{PATH}/{made['id']}/send", method="POST", body=body, headers=site.admin)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "unsubscribed")
    assert server.recipients == []


def test_somebody_who_is_logged_in_can_press_the_button_too(site: Site) -> None:
    token = token_of(site, added(site), ANNA)
    headers = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin", "cookie": "vt_login=x"}
    answer = site.ask(f"/unsubscribe?token={token}", method="POST", peer=LOCAL, headers=headers)
    assert answer.status == 200
    assert since(site) == [True, False]


def test_other_tokens_end_nothing(site: Site) -> None:
    report = added(site)
    token = token_of(site, report, ANNA)
    other_key = UnsubscribeTokens(b"another secret").make(
        Recipient(SITE.id, bytes.fromhex(report["id"]), digest_of(ANNA))
    )
    swapped = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
    for wrong in ("", "x", token[:-1], token + "A", swapped, other_key, token_of(site, report, "eve@reader.example")):
        for method in ("GET", "POST"):
            page = visit(site, wrong, method)
            assert (page.status, since(site)) == (404, [False, False]), wrong
    ask(site, "DELETE", f"{PATH}/{report['id']}")
    assert "nothing to unsubscribe from" in visit(site, token).body.decode()
    assert re.search("<form", visit(site, token).body.decode()) is None


def test_who_tries_tokens_is_slowed_down(build: Build) -> None:
    site = build(rate_limit=RateLimitConfig(per_second=1000, burst=100_000))
    statuses = [visit(site, "x").status for _ in range(30)]
    assert (statuses[0], statuses[-1]) == (404, 429)
