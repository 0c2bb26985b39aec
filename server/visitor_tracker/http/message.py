"""The values that cross between the socket side and the visitor side.

`net/` turns bytes into a Request and hands it to an Application; what comes back is a Response,
or a Deferred whose Response another thread completes after the batch it joined is durable, or a Stream, whose pieces
come from another thread until one of the two ends it.
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


ABANDONED = Response(0)
_lock = threading.Lock()  # one for all that is deferred: it is held for a few instructions


class Deferred(msgspec.Struct, eq=False, gc=False):
    """An answer that comes later, from any thread, exactly once.

    `answer` is None until then, and ABANDONED where there will be none. Who sees it before `attach` need not attach.
    """

    answer: Response | None = None
    _deliver: Callable[[Response | None], None] | None = None
    _delivers: bool = False  # whoever completed it has the answer on its way

    def complete(self, response: Response | None) -> None:
        """Give the answer, None for none; only the first call counts."""
        with _lock:
            if self.answer is not None:
                return
            self.answer = ABANDONED if response is None else response
            deliver = self._deliver
            self._delivers = deliver is not None
        if deliver is not None:
            deliver(response)

    def abandon(self) -> None:
        """Give no answer: the connection is closed, because nobody knows whether the work was done."""
        self.complete(None)

    def attach(self, deliver: Callable[[Response | None], None]) -> None:
        """Call `deliver` with the answer (None: abandoned) as soon as there is one, in the completing thread."""
        self._deliver = deliver
        # Usually there is no answer yet. Who gives one from here on sees `deliver`, so that no lock is needed.
        if self.answer is None:
            return
        with _lock:
            ready = None if self._delivers else self.answer
        if ready is not None:
            deliver(None if ready is ABANDONED else ready)


class Stream:
    """An answer that goes on: status 200 and headers, then pieces from any thread until `end`, or the client goes away.

    What waits to be sent is one piece at most, and a newer one takes its place: a client that reads slowly skips to the
    newest. `on_close` is called once, when nothing more can be sent, and must not wait: the thread may be the loop's.
    """

    __slots__ = (
        "_deliver",
        "_is_told",
        "_on_close",
        "_waiting",
        "chunked",
        "first",
        "headers",
        "is_closed",
        "is_ended",
    )

    def __init__(self, headers: Headers, first: bytes, on_close: Callable[[], None]) -> None:
        """`first` is sent with the headers."""
        self.headers = headers
        self.first = first
        self.chunked = True  # else the end of the connection is that of the answer
        self.is_closed = self.is_ended = False
        self._on_close = on_close
        self._waiting = b""
        self._deliver: Callable[[Stream], None] | None = None
        self._is_told = False  # whoever sends knows that there is something

    def push(self, piece: bytes, *, instead: bool = True) -> bool:
        """Send a piece in place of the one that waits, or not `instead` of it; False: nobody takes it any more."""
        with _lock:
            if self.is_closed or self.is_ended:
                return False
            if instead or not self._waiting:
                self._waiting = piece
            deliver = self._to_tell()
        if deliver is not None:
            deliver(self)
        return True

    def end(self) -> None:
        """Send what waits, and no more."""
        with _lock:
            self.is_ended = True
            deliver = self._to_tell()
        if deliver is not None:
            deliver(self)

    def attach(self, deliver: Callable[["Stream"], None], *, chunked: bool) -> None:
        """Call `deliver` now, and whenever there is something to `take` again."""
        self.chunked = chunked
        with _lock:
            self._deliver = deliver
            self._is_told = True
        deliver(self)

    def take(self) -> tuple[bytes, bool]:
        """Return what is to be sent now, and whether it is the last."""
        with _lock:
            self._is_told = False
            piece, self._waiting = self._waiting, b""
            return piece, self.is_ended

    def close(self) -> None:
        """Nothing more can be sent; only the first call counts."""
        with _lock:
            was_closed, self.is_closed = self.is_closed, True
            self._waiting = b""
        if not was_closed:
            self._on_close()

    def _to_tell(self) -> Callable[["Stream"], None] | None:
        if self._is_told or self.is_closed:
            return None
        self._is_told = self._deliver is not None
        return self._deliver


Answer = Response | Deferred | Stream


class Application(Protocol):
    """What a server serves. Never raises: errors become responses inside."""

    def at_once(self, request: Request) -> Answer | None:
        """Handle a request where that never blocks and costs microseconds; None: it is for a pool thread."""

    def body_limit(self, method: str, path: str) -> int:
        """Return how many bytes the body of such a request may have, 0: as many as `http.max_body` says."""

    def __call__(self, request: Request) -> Answer:
        """Handle any request, in a thread that may wait."""

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
