"""Responses as bytes (RFC 9112, 4 and 6)."""

import re
import time
from functools import lru_cache
from http import HTTPStatus

from visitor_tracker.http.message import Headers, Response

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# Phrases of RFC 9110 where the standard library has older ones.
_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
_ADDED_HERE = frozenset(("connection", "content-length", "date", "transfer-encoding"))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_VALUE = re.compile(r"[\t -~\x80-\xff]*").fullmatch


def encode(response: Response, *, keep_alive: bool, head: bool, date: bytes) -> bytes:
    """Return the bytes of a response; `head`: it answers HEAD, `date`: from `http_date`.

    Raises ValueError for a header that could end its line or frame the message.
    """
    status, body, headers, close = response.status, response.body, response.headers, response.close
    start = _start(status, headers)
    closing = b"" if keep_alive and not close else b"\r\nConnection: close"
    if status == 204 or status == 304 or status < 200:  # RFC 9110, 8.6 and 15.4.5: neither length nor body
        return b"%b%b%b\r\n\r\n" % (start, date, closing)
    return b"%b%b%b\r\nContent-Length: %d\r\n\r\n%b" % (start, date, closing, len(body), b"" if head else body)


def encode_stream(headers: Headers, *, chunked: bool, date: bytes) -> bytes:
    """Return the head of an answer whose length nobody knows; it is the last of its connection. Raises as `encode`."""
    coding = b"\r\nTransfer-Encoding: chunked" if chunked else b""
    return b"%b%b%b\r\nConnection: close\r\n\r\n" % (_start(200, headers), date, coding)


def chunk(piece: bytes) -> bytes:
    """Return a piece in the chunked transfer coding (RFC 9112, 7.1), nothing for nothing: an empty one is the last."""
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


@lru_cache(maxsize=512)
def _start(status: int, headers: Headers) -> bytes:
    """Return everything up to the date; remembered, because most answers share their headers."""
    if not 100 <= status <= 599:
        raise ValueError(f"{status} is no status")
    lines = [f"HTTP/1.1 {status} {_phrase(status)}"]
    for name, value in headers:
        if not _NAME(name) or not _VALUE(value):
            raise ValueError(f"header {name!r} has characters that a header cannot have")
        if name.lower() in _ADDED_HERE:
            raise ValueError(f"header {name!r} is added when the response is written")
        lines.append(f"{name}: {value}")
    lines.append("Date: ")
    return "\r\n".join(lines).encode("latin-1")


def _phrase(status: int) -> str:
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""  # RFC 9112, 4: the phrase may be empty


def http_date(epoch_seconds: int) -> bytes:
    """Return an IMF-fixdate, whatever the locale (RFC 9110, 5.6.7): b"Sun, 06 Nov 1994 08:49:37 GMT"."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(epoch_seconds)
    text = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
    return text.encode("ascii")
