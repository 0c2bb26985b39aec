"""What a line of an access log says, whatever its format, and how its texts and times are read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import msgspec

from visitor_tracker.errors import TrackerError

_CACHED = 4096  # times
_NCSA_LENGTH = len("10/Oct/2000:13:55:36 -0700")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NCSA_TIME = re.compile(
    r"(\d{1,2})/([A-Za-z]{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?([+-])(\d\d):?(\d\d)"
).fullmatch
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,9})?(?:[eE]\+?\d{1,2})?").fullmatch
_ESCAPES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+|\\.", re.DOTALL).sub
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "b": "\b", "f": "\f"}


class BrokenLine(TrackerError):
    """A line that is not what its format says; the message tells why."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One request; "" for what the line does not say. `ts` is epoch ms, `target` as in the request line."""

    ts: int
    ip: str
    method: str
    target: str
    status: int
    host: str = ""  # a port may follow
    referrer: str = ""
    user_agent: str = ""
    language: str = ""
    content_type: str = ""


Format = Callable[[str], LogLine | None]  # None: a line about something else; raises BrokenLine


def moment(text: str) -> int:
    """Return the epoch ms of a time as servers write it; one without a zone is UTC. Raises BrokenLine."""
    if len(text) == _NCSA_LENGTH and text[17] == ":" and (second := text[18:20]).isdecimal():
        # Only the minute is looked up: it has the same text in many lines. 60 is a leap second.
        return _moment(f"{text[:18]}00{text[20:]}") + 1000 * min(int(second), 59)
    return _moment(text)


@lru_cache(_CACHED)
def _moment(text: str) -> int:
    text = text.strip(" []")
    try:
        if (found := _NCSA_TIME(text)) is not None:
            return _whole_ms(_ncsa_time(found))
        if _NUMBER(text):
            return _epoch_ms(float(text))
        said = datetime.fromisoformat(text.replace("/", "-").replace(",", "."))
        return _whole_ms(said if said.tzinfo is not None else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise BrokenLine(f"{text[:40]!r} is no time") from None


def unescaped(text: str) -> str:
    r"""Return a text as it was sent: \xE4, \" and \n are how Apache and nginx write what may not stand there."""
    return _ESCAPES(_unescaped, text) if "\\" in text else text


def given(text: str) -> str:
    """Return the text, or "" for the "-" that stands for none."""
    return "" if text == "-" else unescaped(text)


def request_line(text: str) -> tuple[str, str]:
    """Return method and target; both empty where the client sent no request."""
    method, _, rest = text.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not version.startswith("HTTP/"):
        target = rest  # HTTP/0.9, or cut off
    return (method, target) if target else ("", "")


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if len(escape) > 2:
        return bytes.fromhex(escape.replace("\\x", "")).decode("utf-8", "replace")
    return _LETTERS.get(escape[1], escape[1])


def _ncsa_time(found: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return datetime(
        int(year),
        _MONTHS.index(month.lower()) + 1,
        int(day),
        int(hour),
        int(minute),
        min(int(second), 59),
        int((fraction or "0").ljust(6, "0")[:6]),
        timezone(-ahead if sign == "-" else ahead),
    )


def _epoch_ms(number: float) -> int:
    """Return ms of an epoch time in seconds, ms, µs or ns: what is no second of the next thousand years is smaller."""
    while number >= 1e11:
        number /= 1000
    return round(number * 1000)


def _whole_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
