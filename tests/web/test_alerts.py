"""Channels and alerts by REST: what is wrong is named, secrets stay inside, tests say what the other side said."""

import json
from typing import Any

import msgspec
import pytest

from tests.outgoing.mail_server import mail_server
from tests.outgoing.receiver import receiver
from tests.web.conftest import Build, Site
from visitor_tracker.config import AlertsConfig, MailConfig
from visitor_tracker.outgoing.channels import signature

OF_SITE, OF_SERVER = "/api/v1/sites/default", "/api/v1/server"
TOKEN = "123456:" + "B" * 35
SLACK = "https://hooks.slack.com/services/T0/B0/verysecret"


@pytest.fixture
def site(build: Build) -> Site:
    return build(alerts=AlertsConfig(allow_private=("127.0.0.1",)))


def ask(site: Site, method: str, path: str, body: object = None) -> tuple[int, Any]:
    sent = b"" if body is None else msgspec.json.encode(body)
    answer = site.ask(path, method=method, body=sent, headers=site.admin)
    return answer.status, json.loads(answer.body) if answer.body else None


def channel(site: Site, base: str = OF_SITE, **more: object) -> dict[str, Any]:
    asked = {"name": "phone", "kind": "ntfy", "url": "https://ntfy.example/topic", **more}
    status, made = ask(site, "POST", f"{base}/channels", asked)
    assert status == 201, made
    found: dict[str, Any] = made
    return found


def test_secrets_go_in_and_never_come_back(site: Site) -> None:
    hook = channel(site, name="program", kind="webhook", url="https://hook.example/verysecret/x?key=verysecret")
    channel(site, name="chat", kind="slack", url=SLACK)
    channel(site, name="bot", kind="telegram", url="", token=TOKEN, chat="-100123")
    channel(site, name="phone", token="tk_verysecret")
    assert hook["secret"].startswith("whsec_")
    status, found = ask(site, "GET", f"{OF_SITE}/channels")
    assert status == 200
    text = json.dumps(found)
    assert "verysecret" not in text
    assert TOKEN not in text
    assert hook["secret"] not in text
    assert [(each["name"], each["place"], each["has_token"]) for each in found["channels"]] == [
        ("program", "https://hook.example/…", False),
        ("chat", "https://hooks.slack.com/…", False),
        ("bot", "-100123", True),
        ("phone", "https://ntfy.example/topic", True),
    ]
    stored = str(site.app.store.execute("select body, sealed from alert_channels"))
    assert "verysecret" not in stored
    assert TOKEN not in stored
    renewed = ask(site, "POST", f"{OF_SITE}/channels/{hook['id']}/secret")[1]["secret"]
    assert renewed.startswith("whsec_")
    assert renewed != hook["secret"]
    assert ask(site, "GET", f"{OF_SITE}/channels")[1]["channels"][0]["place"] == "https://hook.example/…"
    audit = str(site.app.store.execute("select action, target, detail from audit"))
    assert "channel.added" in audit
    assert "channel.secret_renewed" in audit
    assert "verysecret" not in audit


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "", "kind": "email", "to": ["a@b.example"]}, "invalid_name"),
        ({"name": "x", "kind": "pager"}, "invalid_kind"),
        ({"name": "x", "kind": "email"}, "invalid_to"),
        ({"name": "x", "kind": "email", "to": ["a@b.example\r\nBcc: c@d.example"]}, "invalid_to"),
        ({"name": "x", "kind": "email", "to": ["a@b.example"] + [f"a{n}@b.example" for n in range(20)]}, "invalid_to"),
        ({"name": "x", "kind": "email", "to": ["a@b.example"], "url": "https://x.example/"}, "invalid_url"),
        ({"name": "x", "kind": "webhook", "url": "file:///etc/passwd"}, "invalid_url"),
        ({"name": "x", "kind": "webhook", "url": "https://a:b@hook.example/"}, "invalid_url"),
        ({"name": "x", "kind": "ntfy", "url": "https://ntfy.example/"}, "invalid_url"),
        ({"name": "x", "kind": "ntfy", "url": "https://ntfy.example/t", "token": "a\r\nb"}, "invalid_token"),
        ({"name": "x", "kind": "telegram", "token": "../../x", "chat": "1"}, "invalid_token"),
        ({"name": "x", "kind": "telegram", "token": TOKEN, "chat": "a b"}, "invalid_chat"),
        ({"name": "x", "kind": "telegram", "token": TOKEN, "chat": "1", "base": "ftp://x.example"}, "invalid_base"),
        ({"name": "x", "kind": "email", "to": ["a@b.example"], "secret": "mine"}, "invalid_body"),
    ],
)
def test_what_is_wrong_with_a_channel_is_named(site: Site, body: object, code: str) -> None:
    status, said = ask(site, "POST", f"{OF_SITE}/channels", body)
    assert (status, said["error"]["code"]) == (400, code), said
    assert said["error"]["hint"]


def test_a_channel_is_changed_and_removed_when_no_alert_uses_it(site: Site) -> None:
    made = channel(site)
    assert ask(site, "POST", f"{OF_SITE}/channels", {"name": "phone", "kind": "slack", "url": SLACK})[0] == 409
    status, changed = ask(site, "PATCH", f"{OF_SITE}/channels/{made['id']}", {"name": "other", "token": "tk_1"})
    assert (status, changed["name"], changed["has_token"]) == (200, "other", True)
    for sent, has_token in (({"name": "third"}, True), ({"token": None}, False)):
        status, changed = ask(site, "PATCH", f"{OF_SITE}/channels/{made['id']}", sent)
        assert (status, changed["has_token"]) == (200, has_token)
    alert = {"name": "Odd", "kind": "anomaly", "channels": [made["id"]]}
    rule = ask(site, "POST", f"{OF_SITE}/alerts", alert)[1]
    status, said = ask(site, "DELETE", f"{OF_SITE}/channels/{made['id']}")
    assert (status, said["error"]["code"], "Odd" in said["error"]["message"]) == (409, "channel_used", True)
    assert ask(site, "DELETE", f"{OF_SITE}/alerts/{rule['id']}")[0] == 204
    assert ask(site, "DELETE", f"{OF_SITE}/channels/{made['id']}")[0] == 204
    assert ask(site, "DELETE", f"{OF_SITE}/channels/{made['id']}")[0] == 404
    assert ask(site, "GET", f"{OF_SITE}/channels")[1]["channels"] == []


def test_one_site_cannot_use_the_channels_of_another(site: Site) -> None:
    made = channel(site, OF_SERVER)
    alert = {"name": "Odd", "kind": "anomaly", "channels": [made["id"]]}
    assert ask(site, "POST", f"{OF_SITE}/alerts", alert)[1]["error"]["code"] == "invalid_channels"
    assert ask(site, "POST", f"{OF_SITE}/channels/{made['id']}/test")[0] == 404
    assert ask(site, "GET", f"{OF_SITE}/channels")[1]["channels"] == []


@pytest.mark.parametrize(
    ("base", "change", "code"),
    [
        (OF_SITE, {"name": " "}, "invalid_name"),
        (OF_SITE, {"kind": "lag"}, "invalid_kind"),
        (OF_SERVER, {"kind": "anomaly"}, "invalid_kind"),
        (OF_SITE, {"kind": "earthquake"}, "invalid_kind"),
        (OF_SITE, {"channels": []}, "invalid_channels"),
        (OF_SITE, {"channels": ["0" * 32]}, "invalid_channels"),
        (OF_SITE, {"kind": "threshold", "metric": "love"}, "invalid_metric"),
        (OF_SITE, {"kind": "threshold", "metric": "views", "value": -1}, "invalid_value"),
        (OF_SITE, {"kind": "threshold", "metric": "views", "direction": "below"}, "invalid_value"),
        (OF_SITE, {"kind": "threshold", "metric": "bounce_rate", "value": 80}, "invalid_value"),
        (OF_SITE, {"kind": "threshold", "metric": "views", "period": "year"}, "invalid_period"),
        (OF_SITE, {"kind": "goal", "goal": "0" * 32}, "invalid_goal"),
        (OF_SITE, {"kind": "silent", "minutes": 1}, "invalid_minutes"),
        (OF_SERVER, {"kind": "lag", "minutes": 0}, "invalid_minutes"),
        (OF_SERVER, {"kind": "certificate", "days": 0}, "invalid_days"),
        (OF_SITE, {"severity": "terrible"}, "invalid_severity"),
        (OF_SITE, {"quiet_from": "22:00"}, "invalid_quiet_from"),
        (OF_SITE, {"quiet_from": "22:00", "quiet_to": "24:00"}, "invalid_quiet_to"),
        (OF_SITE, {"cooldown_minutes": -1}, "invalid_cooldown_minutes"),
        (OF_SITE, {"problem": ""}, "invalid_body"),
    ],
)
def test_what_is_wrong_with_an_alert_is_named(site: Site, base: str, change: dict[str, object], code: str) -> None:
    made = channel(site, base)
    body = {"name": "Odd", "kind": "anomaly", "channels": [made["id"]], **change}
    status, said = ask(site, "POST", f"{base}/alerts", body)
    assert (status, said["error"]["code"]) == (400, code), said


def test_an_alert_is_made_changed_and_removed(site: Site) -> None:
    made = channel(site)
    body = {"name": "Busy", "kind": "threshold", "channels": [made["id"]], "metric": "views", "value": 100}
    status, rule = ask(site, "POST", f"{OF_SITE}/alerts", body)
    assert (status, rule["direction"], rule["is_on"], rule["problem"]) == (201, "above", True, "")
    change = {"direction": "below", "quiet_from": "22:00", "quiet_to": "07:00", "is_on": False, "cooldown_minutes": 5}
    status, changed = ask(site, "PATCH", f"{OF_SITE}/alerts/{rule['id']}", change)
    assert (status, changed) == (200, {**rule, **change})
    assert ask(site, "GET", f"{OF_SITE}/alerts")[1] == {"alerts": [changed]}
    assert ask(site, "PATCH", f"{OF_SITE}/alerts/{rule['id']}", {"value": 0})[0] == 400
    assert ask(site, "PATCH", f"{OF_SITE}/alerts/{rule['id']}", {"kind": "goal"})[0] == 400
    assert ask(site, "DELETE", f"{OF_SITE}/alerts/{rule['id']}")[0] == 204
    assert ask(site, "GET", f"{OF_SITE}/alerts/history")[1] == {"deliveries": [], "before": None}
    actions = [row[0] for row in site.app.store.execute("select action from audit where action like 'alert.%%'")]
    assert sorted(actions) == ["alert.added", "alert.changed", "alert.removed"]


def test_a_test_says_what_the_other_side_said(build: Build) -> None:
    with receiver() as there, mail_server() as post:
        mail = MailConfig(**post.settings())  # type: ignore[arg-type]
        site = build(alerts=AlertsConfig(allow_private=("127.0.0.1",)), mail=mail)
        hook = channel(site, name="program", kind="webhook", url=f"{there.url}/x")
        people = channel(site, name="team", kind="email", url="", to=["anna@reader.example", "no@refused.example"])
        body = {"name": "Odd", "kind": "anomaly", "channels": [hook["id"], people["id"]]}
        rule = ask(site, "POST", f"{OF_SITE}/alerts", body)[1]
        assert ask(site, "POST", f"{OF_SITE}/channels/{hook['id']}/test")[1] == {
            "sent": True,
            "receivers": [{"channel": "program", "to": "", "sent": True, "answer": "200 ok"}],
        }
        [got] = there.got
        headers = got.headers
        seconds = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(hook["secret"], headers["webhook-id"], seconds, got.body)
        there.answers = [(302, b"", {"Location": f"{there.url}/elsewhere"})]
        tested = ask(site, "POST", f"{OF_SITE}/alerts/{rule['id']}/test")[1]
    assert tested["sent"] is False
    assert [(each["channel"], each["to"], each["sent"]) for each in tested["receivers"]] == [
        ("program", "", False),
        ("team", "anna@reader.example", True),
        ("team", "no@refused.example", False),
    ]
    assert [each["answer"][:3] for each in tested["receivers"]] == ["302", "250", "127"]
    assert post.mails[0]["Subject"] == "Test (default)"


def test_what_the_other_side_quotes_of_an_address_is_hidden(site: Site) -> None:
    with receiver() as there:
        hook = channel(site, name="program", kind="webhook", url=f"{there.url}/verysecret/x?key=verysecret")
        there.answers = [(404, b"Cannot POST /verysecret/x", {}), (404, b"no /verysecret/x?key=verysecret", {})]
        tested = [ask(site, "POST", f"{OF_SITE}/channels/{hook['id']}/test")[1]["receivers"][0] for _ in range(2)]
    assert [each["answer"] for each in tested] == ["404 Cannot POST …", "404 no …"]


def test_nothing_inside_is_reached_unless_an_admin_allows_it(build: Build) -> None:
    site = build()
    with receiver() as there:
        hook = channel(site, name="program", kind="webhook", url=f"{there.url}/x")
        tested = ask(site, "POST", f"{OF_SITE}/channels/{hook['id']}/test")[1]
    assert there.got == []
    assert "alerts.allow_private" in tested["receivers"][0]["answer"]


def test_mail_that_cannot_be_sent_is_told(site: Site) -> None:
    made = channel(site, name="team", kind="email", url="", to=["anna@reader.example"])
    assert "mail.host" in made["problem"]
    tested = ask(site, "POST", f"{OF_SITE}/channels/{made['id']}/test")[1]
    assert "mail is not set up" in tested["receivers"][0]["answer"]


def test_nobodys_mailbox_is_filled_by_tests(site: Site) -> None:
    with receiver() as there:
        hook = channel(site, name="program", kind="webhook", url=f"{there.url}/x")
        answers = [ask(site, "POST", f"{OF_SITE}/channels/{hook['id']}/test") for _ in range(51)]
        assert [status for status, _ in answers] == [200] * 50 + [429]
        assert len(there.got) == 50
        hooks = [channel(site, OF_SERVER, name=f"{n}", kind="webhook", url=f"{there.url}/{n}")["id"] for n in range(30)]
        body = {"name": "Waits", "kind": "lag", "channels": hooks}
        rule = ask(site, "POST", f"{OF_SERVER}/alerts", body)[1]
        tested = [ask(site, "POST", f"{OF_SERVER}/alerts/{rule['id']}/test")[1] for _ in range(2)]
    assert [sum(each["sent"] for each in one["receivers"]) for one in tested] == [30, 20]
    assert tested[1]["sent"] is False
    assert "many tests" in tested[1]["receivers"][-1]["answer"]
    assert len(there.got) == 100


def test_a_token_goes_to_no_other_server_than_the_one_it_was_given_for(site: Site) -> None:
    with receiver() as there:
        phone = channel(site, url="https://ntfy.example/topic", token="tk_verysecret")
        bot = channel(site, name="bot", kind="telegram", url="", token=TOKEN, chat="-100123")
        for made, moved in ((phone, {"url": f"{there.url}/topic"}), (bot, {"base": there.url})):
            path = f"{OF_SITE}/channels/{made['id']}"
            status, said = ask(site, "PATCH", path, moved)
            assert (status, said["error"]["code"]) == (400, "invalid_token")
            if made is bot:
                status, said = ask(site, "PATCH", path, {"token": None})
                assert (status, said["error"]["code"]) == (400, "invalid_token")
            assert ask(site, "PATCH", path, {**moved, "token": TOKEN if made is bot else "tk_other"})[0] == 200
        assert ask(site, "PATCH", f"{OF_SITE}/channels/{phone['id']}", {"url": f"{there.url}/other"})[0] == 200
        assert ask(site, "POST", f"{OF_SITE}/channels/{phone['id']}/test")[1]["sent"]
    assert [got.headers["authorization"] for got in there.got] == ["Bearer tk_other"]
