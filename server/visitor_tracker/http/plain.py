"""The short way through a head that has nothing unusual about it, about four times as fast as line by line.

It never refuses: what it does not recognise at once is left to `head.Head`, and what it accepts is what
`head.Head` would have accepted, with the same result.
"""

import re

from visitor_tracker.errors import HttpError
from visitor_tracker.http.grammar import METHODS, Limits, is_host, is_length, keeps_alive, parse_field
from visitor_tracker.http.message import Peer, Request

HEAD_END = b"\r\n\r\n"
LINES_MAX = 1024  # remembered field lines
LINE_MAX = 256  # bytes of a line worth remembering

# Fields whose lines many clients share. Nothing that tells a person apart belongs here.
_SHARED = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-type",
        "dnt",
        "host",
        "origin",
        "pragma",
        "priority",
        "purpose",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "x-forwarded-proto",
    )
)
_UNUSUAL = frozenset(("expect", "transfer-encoding"))
_PLAIN_TARGET = re.compile(r'/[!"$-~]*').fullmatch


class _NotPlain(Exception):
    """The head needs the careful reading."""


class _FieldLines(dict[str, tuple[str, str]]):
    """Name and value of a field line that still has its CR; the common ones are remembered.

    A line means the same for ever, so threads may race here. Strangers can only make it forget.
    """

    def __missing__(self, line: str) -> tuple[str, str]:
        if line[-1:] != "\r":
            raise _NotPlain
        name, value = parse_field(line[:-1])
        if name in _UNUSUAL:
            raise _NotPlain
        if len(line) <= LINE_MAX and (name in _SHARED or name.startswith("sec-")):
            if len(self) >= LINES_MAX:
                self.clear()
            self[line] = name, value
        return name, value


_lookup = _FieldLines().__getitem__


def read_plain(data: bytes, at: int, limits: Limits, peer: Peer) -> tuple[Request, int, int] | None:
    """Read the head that begins at `at`: the request (body empty), where its head ends, the body's length.

    None: the head is incomplete or not plain.
    """
    end = data.find(HEAD_END, at)
    if not 0 < end - at <= limits.small:
        return None
    lines = data[at : end + 1].decode("latin-1").split("\n")
    try:
        method, target, version = lines[0].split(" ")
        del lines[0]
        headers = dict(map(_lookup, lines))
    except (ValueError, _NotPlain, HttpError):
        return None
    if (
        len(headers) != len(lines)
        or len(lines) > limits.fields
        or version != "HTTP/1.1\r"
        or method not in METHODS
        or not is_host(headers.get("host", ""))
        or not _PLAIN_TARGET(target)
    ):
        return None
    length = headers.get("content-length", "0")
    if not is_length(length):
        return None
    connection = headers.get("connection", "")
    path, _, query = target.partition("?")
    request = Request(method, path, query, headers, b"", connection == "" or keeps_alive("HTTP/1.1", connection), peer)
    return request, end + 4, int(length)
