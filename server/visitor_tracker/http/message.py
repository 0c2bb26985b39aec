"""The values that cross between the socket side and the visitor side.

`net/` turns bytes into a Request and hands it to an Application; what comes back is a Response,
or a Deferred whose Response another thread completes after the batch it joined is durable.
"""

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from visitor_tracker.errors import HttpError

Headers = tuple[tuple[str, str], ...]


class Peer(msgspec.Struct, frozen=True, gc=False):
    """The other end of a connection: its address without brackets or zone, "" on a unix socket."""

    address: str
    unix: bool = False
    secure: bool = False


class Request(msgspec.Struct, frozen=True, gc=False):
    """A whole request. `path` and `query` are as sent (percent-encoded); header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    peer: Peer
    version: str = "HTTP/1.1"


class Response(msgspec.Struct, frozen=True, gc=False):
    """An answer; Date, Content-Length and Connection are added when it is written.

    On HEAD the body is left out and its length kept. `close` ends the connection after it.
    """

    status: int
    body: bytes = b""
    headers: Headers = ()
    close: bool = False


class Deferred:
    """An answer that comes later, from any thread, exactly once."""

    __slots__ = ("_answer", "_deliver")

    _lock = threading.Lock()  # one for all: held for a few instructions, and a lock each costs more

    def __init__(self) -> None:
        self._answer: Response | None = None
        self._deliver: Callable[[Response | None], None] | None = None

    def complete(self, response: Response) -> None:
        """Give the answer; only the first call counts."""
        self._finish(response)

    def abandon(self) -> None:
        """Give no answer: the connection is closed, because nobody knows whether the work was done."""
        self._finish(None)

    def attach(self, deliver: Callable[[Response | None], None]) -> None:
        """Call `deliver` with the answer (None: abandoned) as soon as there is one, in the completing thread."""
        with self._lock:
            self._deliver = deliver
            ready = self._answer
        if ready is not None:
            deliver(None if ready is _ABANDONED else ready)

    def _finish(self, response: Response | None) -> None:
        with self._lock:
            if self._answer is not None:
                return
            self._answer = _ABANDONED if response is None else response
            deliver = self._deliver
        if deliver is not None:
            deliver(response)


_ABANDONED = Response(0)

Answer = Response | Deferred


class Application(Protocol):
    """What a server serves. Never raises: errors become responses inside."""

    def is_fast(self, request: Request) -> bool:
        """Say whether the loop itself may call this request's handler: it never blocks and costs microseconds."""

    def body_limit(self, method: str, path: str) -> int:
        """Return how many bytes the body of such a request may have, 0: as many as `http.max_body` says."""

    def __call__(self, request: Request) -> Answer:
        """Handle one request, on the loop when it is fast, on a pool thread otherwise."""

    def flush(self) -> None:
        """Start the work of the batch: called when the caller has nothing more to add to it right now."""


def error_body(code: str, message: str, hint: str = "") -> bytes:
    """Return the one JSON shape of every error."""
    return msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})


def error_response(error: HttpError, headers: Headers = (), *, close: bool = False) -> Response:
    """Return the answer that tells a client what `error` says."""
    extra: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), *headers)
    if error.retry_after:
        extra += (("Retry-After", str(error.retry_after)),)
    return Response(error.status, error_body(error.code, error.message, error.hint), extra, close)
