"""Ways to reach people and programs: where each kind leads, and how a message looks there.

webhook   JSON, signed as the Standard Webhooks say: id, time and body under HMAC-SHA256
slack     an incoming webhook of Slack, or of what understands the same, such as Mattermost
discord   a webhook of Discord
telegram  a bot that writes into a chat
ntfy      a topic of ntfy.sh, or of a server of one's own
email     one mail to each address
"""

import base64
import hmac
import html
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec

from visitor_tracker.outgoing.places import read_place

ChannelKind = Literal["email", "webhook", "slack", "discord", "telegram", "ntfy"]
Severity = Literal["info", "warning", "critical"]
Phase = Literal["on", "over", "test"]

TELEGRAM = "https://api.telegram.org"
SECRET_PREFIX = "whsec_"

_COLOURS: dict[Severity, int] = {"info": 0x2563EB, "warning": 0xD97706, "critical": 0xDC2626}
_OVER = 0x16A34A
_PRIORITIES: dict[Severity, int] = {"info": 3, "warning": 4, "critical": 5}
_TITLE_MOST, _TEXT_MOST = 200, 1_500  # characters: what fits into the narrowest of them


class Channel(msgspec.Struct, frozen=True):
    """Where messages go; which fields matter depends on the kind.

    `to` are e-mail addresses, `chat` is Telegram's id of one, `secret` signs webhooks, `token` proves who writes to a
    bot or to a topic. `base` is the address of another Telegram server.
    """

    name: str
    kind: ChannelKind
    to: tuple[str, ...] = ()
    url: str = ""
    chat: str = ""
    base: str = ""
    token: str = ""
    secret: str = ""
    id: bytes = b""
    at: int = 0  # when it was made


class Message(msgspec.Struct, frozen=True):
    """What is told. `id` is the same however often it is sent; `at` is epoch ms; `numbers` are for programs."""

    id: str
    title: str
    text: str
    at: int
    severity: Severity = "warning"
    phase: Phase = "on"
    site: str = ""  # "": the server itself
    rule: str = ""
    kind: str = ""
    event: str = ""  # what "on" and "over" of the same event have in common
    link: str = ""
    numbers: dict[str, str | int | float | None] = {}


class Sent(msgspec.Struct, frozen=True):
    """A request to make."""

    url: str
    body: bytes
    headers: Mapping[str, str] = {}


def request_of(channel: Channel, message: Message, now_seconds: int) -> Sent:
    """Return the request that brings a message to a channel; e-mail has none."""
    sent = _FORMS[channel.kind](channel, _cut(message), now_seconds)
    return Sent(sent.url, sent.body, {"Content-Type": "application/json", **sent.headers})


def signature(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """Return the signature of a webhook (standardwebhooks.com): its secret is `whsec_` and the key in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{seconds}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"


def webhook_body(message: Message) -> bytes:
    """Return what a webhook gets: everything that is known of the message."""
    return msgspec.json.encode(msgspec.structs.asdict(message))


def _webhook(channel: Channel, message: Message, now_seconds: int) -> Sent:
    body = webhook_body(message)
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": str(now_seconds),
        "webhook-signature": signature(channel.secret, message.id, now_seconds, body),
    }
    return Sent(channel.url, body, headers)


def _slack(channel: Channel, message: Message, _: int) -> Sent:
    title, text = _slack_text(message.title, 300), _slack_text(message.text)
    more = f"\n<{_slack_text(message.link)}|{_slack_text(_LOOK)}>" if message.link else ""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{title}*\n{text}{more}"}}]
    return _json(channel.url, {"text": f"{title}\n{text}", "blocks": blocks})


def _discord(channel: Channel, message: Message, _: int) -> Sent:
    embed: dict[str, object] = {
        "title": _discord_text(message.title, 250),
        "description": _discord_text(message.text),
        "color": _OVER if message.phase == "over" else _COLOURS[message.severity],
    }
    if message.link:
        embed["url"] = message.link
    return _json(channel.url, {"embeds": [embed], "allowed_mentions": {"parse": []}})


def _telegram(channel: Channel, message: Message, _: int) -> Sent:
    link = f'\n<a href="{html.escape(message.link)}">{_LOOK}</a>' if message.link else ""
    text = f"<b>{html.escape(message.title)}</b>\n{html.escape(message.text)}{link}"
    said: dict[str, object] = {
        "chat_id": channel.chat,
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    return _json(f"{(channel.base or TELEGRAM).rstrip('/')}/bot{channel.token}/sendMessage", said)


def _ntfy(channel: Channel, message: Message, _: int) -> Sent:
    place = read_place(channel.url)
    folder, topic = place.path.rstrip("/").rsplit("/", 1)
    said: dict[str, object] = {
        "topic": topic,
        "title": message.title,
        "message": message.text,
        "priority": 3 if message.phase == "over" else _PRIORITIES[message.severity],
        "tags": ["white_check_mark" if message.phase == "over" else "bar_chart"],
    }
    if message.link:
        said["click"] = message.link
    headers = {"Authorization": f"Bearer {channel.token}"} if channel.token else {}
    sent = _json(f"{place.origin}{folder}/", said)
    return Sent(sent.url, sent.body, headers)


_LOOK = "Look at the numbers"
_FORMS: dict[ChannelKind, Callable[[Channel, Message, int], Sent]] = {
    "webhook": _webhook,
    "slack": _slack,
    "discord": _discord,
    "telegram": _telegram,
    "ntfy": _ntfy,
}


def mail_texts(message: Message) -> tuple[str, str]:
    """Return the text of a mail, and the same as a page."""
    about = f"Site: {message.site}" if message.site else "About the server itself"
    last = f"{about}. You get this by the alert “{message.rule}”." if message.rule else f"{about}."
    link = f"\n{message.link}\n" if message.link else ""
    plain = f"{message.title}\n\n{message.text}\n{link}\n-- \n{last}\n"
    button = (
        f'<p style="margin:24px 0"><a href="{html.escape(message.link)}" style="background:#2563eb;color:#ffffff;'
        f'padding:10px 16px;border-radius:6px;text-decoration:none">{_LOOK}</a></p>'
        if message.link
        else ""
    )
    colour = _OVER if message.phase == "over" else _COLOURS[message.severity]
    paragraphs = "".join(f"<p>{html.escape(each)}</p>" for each in message.text.splitlines() if each.strip())
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(message.title)}</title></head>"
        '<body style="font-family:system-ui,sans-serif;line-height:1.5;max-width:600px;margin:0 auto;padding:16px">'
        f'<h1 style="font-size:20px;border-left:4px solid #{colour:06x};padding-left:12px">'
        f"{html.escape(message.title)}</h1>{paragraphs}{button}"
        f'<p style="font-size:13px;opacity:.7">{html.escape(last)}</p></body></html>'
    )
    return plain, page


def _json(url: str, value: object) -> Sent:
    return Sent(url, msgspec.json.encode(value))


def _slack_text(text: str, most: int = 2_000) -> str:
    """Escape what Slack takes for links and mentions; a block has 3,000 characters at most."""
    return _escaped(text, _OF_SLACK, most)


def _discord_text(text: str, most: int = 4_000) -> str:
    """Escape what Discord takes for markup: names of pages have underscores and stars."""
    return _escaped(text, _OF_DISCORD, most)


_OF_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_OF_DISCORD = {sign: f"\\{sign}" for sign in "\\*_~`|>[]()#"}


def _escaped(text: str, signs: Mapping[str, str], most: int) -> str:
    """Return the text with these signs escaped, cut where it would be longer than `most` by that."""
    found: list[str] = []
    length = 0
    for sign in text:
        escaped = signs.get(sign, sign)
        length += len(escaped)
        if length > most:
            return "".join([*found, "…"])
        found.append(escaped)
    return "".join(found)


def _cut(message: Message) -> Message:
    title, text = _shortened(message.title, _TITLE_MOST), _shortened(message.text, _TEXT_MOST)
    return msgspec.structs.replace(message, title=title, text=text)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
