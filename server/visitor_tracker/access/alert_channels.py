"""The channels of sites: checked when they are made, their secrets sealed, and read back by the server only."""

import base64
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from visitor_tracker.access.sealing import SealBroken, Sealer
from visitor_tracker.errors import HttpError, StoreError
from visitor_tracker.outgoing.channels import SECRET_PREFIX, TELEGRAM, Channel
from visitor_tracker.outgoing.mail import MailError, checked_address
from visitor_tracker.outgoing.places import PlaceRefused, read_place
from visitor_tracker.store.alerts import ChannelTable, Row, new_id
from visitor_tracker.store.session import Database

NAME_MOST: Final = 80
ADDRESSES_MOST: Final = 20
_LABEL = b"alert-channels"
_TOKEN_MOST = 500

_token = re.compile(r"[\x21-\x7e]+").fullmatch
_telegram_token = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}").fullmatch
_chat = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64}").fullmatch
_topic = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch


class _Sealed(msgspec.Struct, frozen=True):
    """Of Slack and Discord the address itself is what lets people in; of webhooks it may have a key in its path."""

    url: str = ""
    token: str = ""
    secret: str = ""


class Channels:
    """Methods raise what stores raise; any thread."""

    def __init__(self, database: Database, secret: bytes) -> None:
        """`secret` is the server's."""
        self._table = ChannelTable(database)
        self._sealer = Sealer(secret, _LABEL)

    def all(self, site_id: int) -> list[Channel]:
        """Return a site's channels; one whose secrets cannot be read any more has none."""
        return [self._channel(site_id, row) for row in self._table.all(site_id)]

    def find(self, site_id: int, channel_id: bytes) -> Channel | None:
        return next((each for each in self.all(site_id) if each.id == channel_id), None)

    def add(self, site_id: int, channel: Channel) -> Channel:
        """Add a checked channel and return it with its id; a webhook gets its secret. Raises NameTaken, TooMany."""
        made = msgspec.structs.replace(channel, id=new_id(channel.at))
        if made.kind == "webhook":
            made = msgspec.structs.replace(made, secret=new_secret())
        self._table.add(site_id, self._row(site_id, made), made.name)
        return made

    def change(self, site_id: int, channel: Channel) -> None:
        """Replace the one that has its id; raises NameTaken."""
        self._table.change(site_id, self._row(site_id, channel), channel.name)

    def remove(self, site_id: int, channel_id: bytes) -> None:
        self._table.remove(site_id, channel_id)

    def _row(self, site_id: int, channel: Channel) -> Row:
        body = msgspec.structs.asdict(channel)
        sealed = _Sealed(body.pop("url"), body.pop("token"), body.pop("secret"))
        del body["id"], body["at"]
        hidden = self._sealer.seal(msgspec.json.encode(sealed), _place(site_id, channel.id))
        return Row(channel.id, channel.at, msgspec.json.encode(body).decode(), hidden)

    def _channel(self, site_id: int, row: Row) -> Channel:
        try:
            found = msgspec.json.decode(row.body, type=Channel)
        except msgspec.DecodeError as error:
            raise StoreError(f"a row of the table alert_channels cannot be read ({error}): remove it") from error
        try:
            sealed = msgspec.json.decode(self._sealer.open(row.sealed, _place(site_id, row.id)), type=_Sealed)
        except SealBroken:
            sealed = _Sealed()
        return msgspec.structs.replace(found, id=row.id, at=row.at, **msgspec.structs.asdict(sealed))


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_readable(channel: Channel) -> bool:
    """Say whether the server can still use it: not where its secrets were sealed under another server.secret_key."""
    return channel.kind == "email" or bool(channel.url or channel.token)


def shown_place(channel: Channel) -> str:
    """Return where it leads, as far as that is no secret."""
    if channel.kind == "email":
        return ", ".join(channel.to)
    if channel.kind == "telegram":
        return channel.chat
    if not channel.url:
        return ""
    place = read_place(channel.url)
    if channel.kind == "ntfy":
        return f"{place.origin}{place.path}"
    return f"{place.origin}/…"


def checked_channel(channel: Channel) -> Channel:
    """Return the channel as it is stored; raises HttpError that names the part."""
    name = " ".join(channel.name.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        raise _wrong("name", f"a channel needs a name of 1 to {NAME_MOST} characters")
    needed = _NEEDS[channel.kind]
    for part in ("to", "url", "chat", "base", "token"):
        if getattr(channel, part) and part not in needed:
            raise _wrong(part, f"a channel of the kind {channel.kind} has no {part}: use {', '.join(needed)}")
    return _CHECKS[channel.kind](msgspec.structs.replace(channel, name=name))


def check_move(before: Channel, after: Channel, *, has_new_token: bool) -> None:
    """Raise HttpError where a token would go to another server: who changes a channel need not know its token."""
    if before.token and not has_new_token and _server(before) != _server(after):
        raise _wrong("token", "give the token again: the one that is stored goes to no other server")


def _server(channel: Channel) -> str:
    address = channel.base or TELEGRAM if channel.kind == "telegram" else channel.url
    return read_place(address).origin if address else ""


def _email(channel: Channel) -> Channel:
    try:
        to = tuple(dict.fromkeys(checked_address(each) for each in channel.to))
    except MailError as error:
        raise _wrong("to", str(error)) from error
    if not 0 < len(to) <= ADDRESSES_MOST:
        raise _wrong("to", f"name 1 to {ADDRESSES_MOST} e-mail addresses")
    return msgspec.structs.replace(channel, to=to)


def _hook(channel: Channel) -> Channel:
    _check_url("url", channel.url)
    return channel


def _telegram(channel: Channel) -> Channel:
    if not _telegram_token(channel.token):
        raise _wrong("token", "that is no token of a bot such as 123456:ABC-DEF…: BotFather of Telegram makes them")
    if not _chat(channel.chat):
        raise _wrong("chat", "chat must be the number of a chat, or the @name of a public channel")
    if channel.base:
        _check_url("base", channel.base)
    return channel


def _ntfy(channel: Channel) -> Channel:
    _check_url("url", channel.url)
    topic = read_place(channel.url).path.rstrip("/").rpartition("/")[2]
    if not _topic(topic):
        raise _wrong("url", "url must end with the topic, as in https://ntfy.sh/my-topic")
    if channel.token and (len(channel.token) > _TOKEN_MOST or not _token(channel.token)):
        raise _wrong("token", "a token has no spaces and nothing but ASCII characters")
    return channel


_NEEDS: dict[str, Sequence[str]] = {
    "email": ("to",),
    "webhook": ("url",),
    "slack": ("url",),
    "discord": ("url",),
    "telegram": ("token", "chat", "base"),
    "ntfy": ("url", "token"),
}
_CHECKS: dict[str, Callable[[Channel], Channel]] = {
    "email": _email,
    "webhook": _hook,
    "slack": _hook,
    "discord": _hook,
    "telegram": _telegram,
    "ntfy": _ntfy,
}


def _check_url(part: str, url: str) -> None:
    try:
        read_place(url)
    except PlaceRefused as error:
        raise _wrong(part, str(error)) from error


def _wrong(part: str, message: str) -> HttpError:
    return HttpError(400, f"invalid_{part}", message, "docs/alerts.md says what each kind of channel needs")


def _place(site_id: int, channel_id: bytes) -> bytes:
    return site_id.to_bytes(8, "big", signed=True) + channel_id
