"""Each kind of channel end to end: what real receivers on this machine get, checked as they would check it."""

import base64
import hmac
import html
from collections.abc import Mapping
from hashlib import sha256

import msgspec
import pytest

from tests.outgoing.mail_server import mail_server
from tests.outgoing.receiver import receiver
from visitor_tracker.access.alert_channels import new_secret
from visitor_tracker.config import MailConfig
from visitor_tracker.outgoing.channels import Channel, ChannelKind, Message
from visitor_tracker.outgoing.courier import Courier, Outcome, parts_of
from visitor_tracker.outgoing.mail import Mailer
from visitor_tracker.outgoing.places import Guard
from visitor_tracker.outgoing.posting import Poster

NOW = 1_790_000_000
EVIL = "<!channel> @everyone *_x_* [a](http://evil.example) <b>&"
MESSAGE = Message(
    "0123456789abcdef",
    "More visits than usual",
    f"Visits rose to 812 on {EVIL}",
    NOW * 1000,
    site="blog",
    rule="Something odd",
    kind="anomaly",
    event="ab12",
    link="https://stats.example.com/dashboard/blog?period=2026-10-14&f=is,source,x",
    numbers={"value": 812, "expected": 230.5},
)


def courier(**mail: object) -> Courier:
    guard = Guard(("127.0.0.1",))
    return Courier(Mailer(MailConfig(**mail)), Poster(guard), lambda: float(NOW))  # type: ignore[arg-type]


def is_right(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Check a webhook as its receiver does: the code of docs/alerts.md."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    return any(hmac.compare_digest(wanted, each) for each in headers["webhook-signature"].split())


def test_a_webhook_gets_everything_signed() -> None:
    secret = new_secret()
    with receiver() as hook:
        channel = Channel("program", "webhook", url=f"{hook.url}/hooks/1?key=k", secret=secret)
        assert courier().deliver(channel, MESSAGE) == Outcome(is_sent=True, answer="200 ok")
        [got] = hook.got
    assert msgspec.json.decode(got.body, type=Message) == MESSAGE
    assert got.path == "/hooks/1?key=k"
    assert got.headers["webhook-id"] == MESSAGE.id
    assert got.headers["webhook-timestamp"] == str(NOW)
    assert got.headers["content-type"] == "application/json"
    assert is_right(secret, got.headers, got.body)
    assert not is_right(new_secret(), got.headers, got.body)
    assert not is_right(secret, got.headers, got.body + b" ")
    assert not is_right(secret, {**got.headers, "webhook-timestamp": str(NOW + 1)}, got.body)


def test_slack_shows_what_pages_are_called_as_text() -> None:
    with receiver() as hook:
        assert courier().deliver(Channel("chat", "slack", url=f"{hook.url}/services/T/B/x"), MESSAGE).is_sent
        said = hook.got[0].json
    shown = said["blocks"][0]["text"]
    assert shown["type"] == "mrkdwn"
    assert "<!channel>" not in shown["text"]
    assert "&lt;!channel&gt; @everyone" in said["text"]
    assert shown["text"].startswith("*More visits than usual*\n")
    assert shown["text"].endswith("f=is,source,x|Look at the numbers>")


def test_discord_calls_nobody() -> None:
    with receiver() as hook:
        hook.answers = [(204, b"", {})]
        assert courier().deliver(Channel("chat", "discord", url=f"{hook.url}/api/webhooks/1/x"), MESSAGE).is_sent
        said = hook.got[0].json
    [embed] = said["embeds"]
    assert said["allowed_mentions"] == {"parse": []}
    assert (embed["title"], embed["url"]) == ("More visits than usual", MESSAGE.link)
    assert r"\*\_x\_\* \[a\]\(http" in embed["description"]
    assert embed["color"] == 0xD97706


def test_telegram_writes_into_the_chat_by_the_bot() -> None:
    token = "123456:" + "A" * 35
    with receiver() as hook:
        channel = Channel("bot", "telegram", chat="-100123", token=token, base=hook.url)
        assert courier().deliver(channel, MESSAGE).is_sent
        hook.answers = [(401, f'{{"ok":false,"description":"bot{token} Unauthorized"}}'.encode(), {})]
        refused = courier().deliver(channel, MESSAGE)
        got = hook.got[0]
    assert got.path == f"/bot{token}/sendMessage"
    assert got.json["chat_id"] == "-100123"
    assert got.json["parse_mode"] == "HTML"
    assert got.json["text"].startswith("<b>More visits than usual</b>\n")
    assert "&lt;b&gt;&amp;" in got.json["text"]
    assert not refused.is_sent
    assert refused.answer.startswith("401")
    assert token not in refused.answer


@pytest.mark.parametrize(("token", "path"), [("tk_secret", "/alerts"), ("", "/ntfy/alerts")])
def test_ntfy_gets_the_topic_in_its_json(token: str, path: str) -> None:
    with receiver() as hook:
        assert courier().deliver(Channel("phone", "ntfy", url=f"{hook.url}{path}", token=token), MESSAGE).is_sent
        [got] = hook.got
    assert got.path == path.removesuffix("alerts")
    assert got.json["topic"] == "alerts"
    assert got.json["title"] == MESSAGE.title
    assert got.json["message"] == MESSAGE.text
    assert got.json["priority"] == 4
    assert got.json["click"] == MESSAGE.link
    assert got.headers.get("authorization") == (f"Bearer {token}" if token else None)


def test_mail_goes_to_each_address_with_an_id_that_tells_repetitions() -> None:
    channel = Channel("team", "email", to=("anna@reader.example", "ben@reader.example"))
    evil = msgspec.structs.replace(MESSAGE, title="Fewer visits: /a\r\nBcc: x@y.example", text=f"<script>{EVIL}")
    with mail_server() as server:
        for part in parts_of(channel):
            assert courier(**server.settings()).deliver(part, evil).is_sent
    assert server.recipients == ["anna@reader.example", "ben@reader.example"]
    first = server.mails[0]
    assert first["Message-ID"] == f"<{MESSAGE.id}@tracker.example>"
    assert first["Subject"] == "Fewer visits: /a  Bcc: x@y.example (blog)"
    assert first["Bcc"] is None
    page = first.get_body(("html",))
    plain = first.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert "<script>" not in page.get_content()
    assert "&lt;script&gt;" in page.get_content()
    assert EVIL in plain.get_content()
    assert MESSAGE.link in plain.get_content()
    refused = courier(**server.settings()).deliver(parts_of(channel)[0], MESSAGE)
    assert not refused.is_sent, "the server has ended"


def test_a_long_message_is_cut_to_what_every_receiver_takes() -> None:
    long = msgspec.structs.replace(MESSAGE, title="<_" * 5_000, text="&_" * 50_000)
    kinds: tuple[ChannelKind, ...] = ("slack", "discord", "telegram", "ntfy")
    with receiver() as hook:
        for kind in kinds:
            channel = Channel("x", kind, url=f"{hook.url}/t", chat="1", token="1", base=hook.url)
            assert courier().deliver(channel, long).is_sent
        slack, discord, telegram, ntfy = (got.json for got in hook.got)
    assert len(slack["blocks"][0]["text"]["text"]) <= 3_000
    assert len(discord["embeds"][0]["description"]) <= 4_096
    assert len(discord["embeds"][0]["title"]) <= 256
    assert len(html.unescape(telegram["text"])) <= 4_096
    assert len(ntfy["message"].encode()) <= 4_096


def test_what_cannot_be_reached_is_told_without_secrets() -> None:
    strict = Courier(Mailer(MailConfig()), Poster(Guard()))
    slack = Channel("chat", "slack", url="http://127.0.0.1:9999/services/T/B/secret")
    assert "no public address" in strict.deliver(slack, MESSAGE).answer
    assert "mail is not set up" in strict.deliver(Channel("m", "email", to=("a@b.example",)), MESSAGE).answer
    with receiver() as hook:
        hook.answers = [(404, f"no_such {hook.url}/services/T/B/secret".encode(), {})]
        channel = Channel("chat", "slack", url=f"{hook.url}/services/T/B/secret")
        assert courier().deliver(channel, MESSAGE) == Outcome(is_sent=False, answer="404 no_such …")
