"""Bring a message to a channel, once, and say what the other side said to it."""

import time
from collections.abc import Callable

import msgspec

from visitor_tracker.config import Config
from visitor_tracker.outgoing.channels import Channel, Message, mail_texts, request_of
from visitor_tracker.outgoing.mail import Mail, Mailer, MailError
from visitor_tracker.outgoing.places import Guard, PlaceRefused, read_place
from visitor_tracker.outgoing.posting import Poster, PostError


class Outcome(msgspec.Struct, frozen=True):
    """`answer` is what the other side said, or why nothing reached it; `retry_after` seconds it wants to be spared.

    Where it `is_final`, another try makes no difference.
    """

    is_sent: bool
    answer: str
    retry_after: int = 0
    is_final: bool = False


class Courier:
    """Any thread."""

    def __init__(self, mailer: Mailer, poster: Poster, seconds: Callable[[], float] = time.time) -> None:
        """`seconds` is the clock that signatures tell."""
        self._mailer = mailer
        self._poster = poster
        self._seconds = seconds

    def deliver(self, channel: Channel, message: Message) -> Outcome:
        """Send the message there; for e-mail to the first of its addresses (`parts_of` makes one channel of each)."""
        try:
            if channel.kind == "email":
                return Outcome(is_sent=True, answer=self._mail(channel, message))
            sent = request_of(channel, message, int(self._seconds()))
            posted = self._poster.post(sent.url, sent.body, sent.headers)
        except MailError as error:
            return Outcome(is_sent=False, answer=str(error), is_final=error.is_final)
        except (PlaceRefused, PostError) as error:
            return Outcome(is_sent=False, answer=hidden(channel, str(error)))
        return Outcome(posted.is_taken, hidden(channel, posted.text), posted.retry_after)

    def _mail(self, channel: Channel, message: Message) -> str:
        text, page = mail_texts(message)
        [address] = channel.to
        subject = f"{message.title} ({message.site})" if message.site else message.title
        subject = "".join(sign if sign.isprintable() else " " for sign in subject)  # pages name themselves as they like
        return self._mailer.send(Mail(address, subject, text, page, id=message.id))


def parts_of(channel: Channel) -> tuple[Channel, ...]:
    """Return the channels that get a delivery of their own: of e-mail each address is one."""
    if channel.kind != "email":
        return (channel,)
    return tuple(msgspec.structs.replace(channel, to=(address,)) for address in channel.to)


def courier_of(config: Config) -> Courier:
    """Return the courier of the settings."""
    guard = Guard(config.alerts.allow_private)
    return Courier(Mailer(config.mail), Poster(guard, config.alerts.timeout_seconds))


def hidden(channel: Channel, text: str) -> str:
    """Return a text without the channel's secrets: errors quote addresses, and answers what was sent."""
    url = channel.url if channel.kind in ("webhook", "slack", "discord") else ""
    path = read_place(url).path if url else ""
    for secret in (channel.token, channel.secret, url, path, path.partition("?")[0]):
        text = text.replace(secret, "…") if len(secret) > 1 else text
    return text
