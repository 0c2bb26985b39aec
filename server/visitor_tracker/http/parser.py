"""Bytes of one connection in, whole requests out; strict HTTP/1.1 (RFC 9110, RFC 9112), no I/O.

```
            plain head ─────────────┐
idle ─bytes─▶ Head, line by line ───▶ body: by length | chunked ──▶ Request ──▶ idle
                    └── HttpError ──▶ over: nothing more is read, the connection must be closed
```
"""

from collections.abc import Callable

from msgspec.structs import replace

from visitor_tracker.errors import HttpError
from visitor_tracker.http.buffer import Buffer
from visitor_tracker.http.chunked import ChunkedBody, too_large
from visitor_tracker.http.grammar import Limits
from visitor_tracker.http.head import CHUNKED, Head
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.http.plain import HEAD_END, read_plain

__all__ = ["BodyLimit", "Limits", "RequestParser"]

BodyLimit = Callable[[str, str], int]  # (method, path) -> bytes that the body may have


class LengthBody:
    """Collects a body whose length is known."""

    __slots__ = ("_body", "_left")

    def __init__(self, length: int) -> None:
        self._body = bytearray()  # grows with what arrives: an announced length reserves nothing
        self._left = length

    @property
    def held(self) -> int:
        """Bytes of the body held so far."""
        return len(self._body)

    def read(self, buffer: Buffer) -> bytes | None:
        """Take what is there; the whole body when it is complete, else None."""
        self._left -= buffer.move(self._body, self._left)
        return None if self._left else bytes(self._body)


class RequestParser:
    """Parses one connection's requests; owned by the thread that owns the connection.

    A request is given out when its last byte is there, never before. After an HttpError the stream cannot
    be understood any more: the parser holds nothing, takes nothing, and gives no further request.
    """

    __slots__ = ("_body", "_body_limit", "_buffer", "_expects", "_head", "_limits", "_opened", "_over", "_peer")

    def __init__(self, limits: Limits, peer: Peer, body_limit: BodyLimit | None = None) -> None:
        self._limits = limits
        self._peer = peer
        self._body_limit = body_limit
        self._buffer = Buffer()
        self._head: Head | None = None
        self._opened: Request | None = None  # its head is read, its body is not
        self._body: LengthBody | ChunkedBody | None = None
        self._expects = False
        self._over = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; call `next_request` until it gives None afterwards."""
        if not self._over:
            self._buffer.feed(data)

    def next_request(self) -> Request | None:
        """Return the next whole request, None until more bytes arrive. Raises HttpError."""
        if self._head is None and self._body is None:
            buffer = self._buffer
            data, at = buffer.data, buffer.at
            if at == len(data):
                return None
            request = self._whole_request(data, at) if isinstance(data, bytes) else None
            if request is not None:
                return request
            if self._body is None:
                self._head = Head(self._limits)
        try:
            return self._read_on()
        except HttpError:
            self._give_up()
            raise

    def _whole_request(self, data: bytes, at: int) -> Request | None:
        """Take a plain request that is there to its end; None leaves the rest to `_read_on`."""
        end = len(data) - len(HEAD_END) if at == 0 and data.endswith(HEAD_END) else -1
        plain = read_plain(data, at, end, self._limits, self._peer)  # the usual case, a head alone, needs no search
        if plain is None:
            guessed, end = end, data.find(HEAD_END, at)
            plain = None if end == guessed else read_plain(data, at, end, self._limits, self._peer)
            if plain is None:
                return None
        request, length = plain
        end += len(HEAD_END)
        if length:
            if length > self._most(request):
                return None
            if not request.body:
                self._opened = request
                self._body = LengthBody(length)
                self._buffer.skip(end)
                return None
        self._buffer.skip(end + length)
        return request

    def _read_on(self) -> Request | None:
        """Continue with the head or body that is being received."""
        buffer = self._buffer
        if self._head is not None:
            if not self._head.read(buffer):
                buffer.trim()
                return None
            self._open(self._head)
        if self._opened is None or self._body is None:
            return None
        body = self._body.read(buffer)
        buffer.trim()
        if body is None:
            return None
        request = replace(self._opened, body=body)
        self._opened = self._body = None
        self._expects = False
        return request

    def _open(self, head: Head) -> None:
        """Turn a complete head into the request whose body comes next."""
        request = head.request(self._peer)
        length = head.body_length()
        most = self._most(request)
        if length > most:
            raise too_large(most)
        self._expects = head.expects_continue()
        self._opened = request
        self._body = ChunkedBody(self._limits, most) if length == CHUNKED else LengthBody(length)
        self._head = None

    def _most(self, request: Request) -> int:
        return self._limits.body if self._body_limit is None else self._body_limit(request.method, request.path)

    def _give_up(self) -> None:
        self._over = True
        self._buffer = Buffer()
        self._head = self._opened = self._body = None
        self._expects = False

    def take_expect(self) -> bool:
        """Say once whether the client of the request being received waits for "100 Continue"."""
        expects, self._expects = self._expects, False
        return expects

    @property
    def buffered(self) -> int:
        """Bytes held, of head and body."""
        return len(self._buffer) + (self._head.size if self._head is not None else 0) + self.body_bytes

    @property
    def body_bytes(self) -> int:
        """Bytes held of the body of the request being received, 0 while its head is incomplete."""
        return self._body.held if self._body is not None else 0

    @property
    def in_head(self) -> bool:
        """Whether a head has begun and is not complete."""
        return self._body is None and (len(self._buffer) > 0 or (self._head is not None and self._head.begun))

    @property
    def in_body(self) -> bool:
        """Whether a head is complete and its body is not."""
        return self._body is not None

    @property
    def idle(self) -> bool:
        """Whether the connection is between requests with nothing received of the next one."""
        return not self.in_head and not self.in_body

    @property
    def eof_is_clean(self) -> bool:
        """Whether the end of the stream now would cut nothing."""
        return self.idle
