"""Send one HTTP request to a place that the guard allows: to an address it has looked at, no redirect, no proxy."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from visitor_tracker import __version__
from visitor_tracker.errors import TrackerError
from visitor_tracker.outgoing.places import Guard, Place, read_place

ANSWER_MOST: Final = 16 * 1024  # bytes that are read

_PIECE = 4 * 1024
_TEXT_MOST = 300  # characters of an answer that are shown


class PostError(TrackerError):
    """Nothing came back; whether the request arrived is not known."""


class Posted(msgspec.Struct, frozen=True):
    """What came back: the beginning of the body, and for how many seconds not to come again, 0 where it is not said."""

    status: int
    body: bytes = b""
    retry_after: int = 0

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """Return status and body in short, for people."""
        words = " ".join(self.body.decode("utf-8", "replace").split())
        return f"{self.status} {''.join(each for each in words if each.isprintable())[:_TEXT_MOST]}".strip()


class Poster:
    """Any thread."""

    def __init__(self, guard: Guard, seconds: float = 10.0) -> None:
        """`seconds` is for all of a request: connecting, sending, and the answer."""
        self._guard = guard
        self._seconds = seconds

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Send a POST; raises PlaceRefused, and PostError where no answer comes."""
        place = read_place(url)
        addresses = self._guard.addresses(place)
        until = time.monotonic() + self._seconds
        try:
            with self._connected(place, addresses, until) as connection:
                sent = {"User-Agent": f"Visitor-Tracker/{__version__}", "Connection": "close", **headers}
                connection.request("POST", place.path, body, sent)
                answer = connection.getresponse()
                posted = Posted(answer.status, _beginning(answer), _seconds_of(answer.getheader("Retry-After", "")))
                if time.monotonic() >= until:  # cut off, which looks like an end to who reads
                    raise TimeoutError
                return posted
        except ssl.SSLError as error:
            raise PostError(f"{place.origin}: no encryption: {error.reason or error}") from error
        except (http.client.HTTPException, OSError, ValueError) as error:
            late = time.monotonic() >= until or isinstance(error, TimeoutError)
            why = "it does not answer in time" if late else str(error) or type(error).__name__
            raise PostError(f"{place.origin}: {why}") from error

    @contextmanager
    def _connected(self, place: Place, addresses: Sequence[str], until: float) -> Iterator[http.client.HTTPConnection]:
        """Connect to the first address that takes it; at the end of the time the line is cut, whatever is going on."""
        sock = _connect(addresses, place.port, until)
        line = sock.dup()  # that stays one of plain TCP
        cut = threading.Timer(max(0.0, until - time.monotonic()), _cut, (line,))
        cut.start()
        connection = http.client.HTTPConnection(_in_header(place.host), place.port)
        if place.scheme == "https":
            connection.default_port = 443  # so that Host has none
        try:
            connection.sock = _encrypted(sock, place.host) if place.scheme == "https" else sock
            yield connection
        finally:
            cut.cancel()
            connection.close()
            sock.close()
            cut.join()
            line.close()


def _connect(addresses: Sequence[str], port: int, until: float) -> socket.socket:
    problem: OSError = TimeoutError()
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), left)
        except OSError as error:
            problem = error
    raise problem


def _encrypted(sock: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(sock, server_hostname=host)


def _in_header(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _cut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other end has done it


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    body = b""
    while len(body) < ANSWER_MOST and (piece := answer.read1(_PIECE)):
        body += piece
    return body[:ANSWER_MOST]


def _seconds_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
