"""The head of a request, line by line; the reading that is held to every rule, however the bytes arrive.

Each refusal depends on the bytes up to it alone, so it is the same whole, in pieces, and with bytes behind.
"""

from visitor_tracker.errors import HttpError
from visitor_tracker.http.buffer import Buffer
from visitor_tracker.http.grammar import (
    REQUEST_LINE_EXTRA,
    SINGLETONS,
    Limits,
    bad_request,
    is_host,
    is_length,
    keeps_alive,
    parse_field,
    parse_request_line,
    parse_target,
)
from visitor_tracker.http.message import Peer, Request

CHUNKED = -1  # instead of a length: the body says itself where it ends


class FieldLines:
    """Takes field lines one at a time and keeps count of them: of a head, or of a chunked body's trailers."""

    __slots__ = ("_limits", "_lines", "size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lines = 0
        self.size = 0  # bytes, line ends included

    def take(self, buffer: Buffer) -> str | None:
        """Take the next line, "" for the empty one that ends the section; None until it is complete."""
        limits = self._limits
        room = max(0, limits.head - self.size)
        limit = min(limits.field, room)
        line = buffer.line(limit)
        if not line:
            return line
        if len(line) > limit:
            raise _too_large(limits, whole=room <= limits.field)
        self._lines += 1
        if self._lines > limits.fields:
            raise HttpError(
                431, "too_many_fields", "the request has too many header fields", f"send at most {limits.fields}"
            )
        self.size += len(line) + 2
        return line


def _too_large(limits: Limits, *, whole: bool) -> HttpError:
    if whole:
        return HttpError(
            431, "head_too_large", "the header fields are too large", f"keep all within {limits.head} bytes"
        )
    return HttpError(431, "field_too_large", "a header field is too large", f"keep each within {limits.field} bytes")


class Head:
    """A request's head being read."""

    __slots__ = ("_after_empty_line", "_fields", "_headers", "_limits", "_method", "_size", "_target", "_version")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._after_empty_line = False
        self._fields = FieldLines(limits)
        self._headers: dict[str, str] = {}
        self._size = 0
        self._method = self._target = self._version = ""

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._size + self._fields.size

    @property
    def begun(self) -> bool:
        """Whether more than an empty line has been taken."""
        return self._method != ""

    def read(self, buffer: Buffer) -> bool:
        """Take the lines that are there; True when the head is complete. Raises HttpError."""
        if not self._method and not self._read_request_line(buffer):
            return False
        while line := self._fields.take(buffer):
            self._add(*parse_field(line))
        return line is not None

    def _read_request_line(self, buffer: Buffer) -> bool:
        line = buffer.line(self._limits.target + REQUEST_LINE_EXTRA)
        if line == "" and not self._after_empty_line:
            self._after_empty_line = True  # RFC 9112, 2.2: one empty line before a request is forgiven
            self._size += 2
            line = buffer.line(self._limits.target + REQUEST_LINE_EXTRA)
        if line is None:
            return False
        self._method, self._target, self._version = parse_request_line(line, self._limits.target)
        self._size += len(line) + 2
        return True

    def _add(self, name: str, value: str) -> None:
        headers = self._headers
        if name not in headers:
            headers[name] = value
        elif name in SINGLETONS:
            raise bad_request("duplicate_field", f"{name} is given twice", "send it once")
        else:
            headers[name] += ("; " if name == "cookie" else ", ") + value

    def request(self, peer: Peer) -> Request:
        """Return what the complete head asks for, its body still empty. Raises HttpError."""
        headers = self._headers
        host = headers.get("host")
        if host is None and self._version == "HTTP/1.1":
            raise bad_request("host_required", "the Host field is missing", "HTTP/1.1 needs one: Host: example.com")
        if host is not None and not is_host(host):
            raise bad_request("bad_host", "the Host field is not host[:port]", "send one host, without user or path")
        authority, path, query = parse_target(self._method, self._target)
        if authority is not None:
            headers["host"] = authority
        alive = keeps_alive(self._version, headers.get("connection", ""))
        return Request(self._method, path, query, headers, b"", alive, peer, self._version)

    def body_length(self) -> int:
        """Return the length of the complete head's body in bytes, or CHUNKED (RFC 9112, 6.3). Raises HttpError."""
        length = self._headers.get("content-length")
        coding = self._headers.get("transfer-encoding")
        if coding is not None:
            if length is not None:
                raise bad_request(
                    "ambiguous_length", "Content-Length and Transfer-Encoding contradict each other", "send one of them"
                )
            if coding.lower() != "chunked" or self._version != "HTTP/1.1":
                raise HttpError(
                    501,
                    "coding_not_implemented",
                    "this transfer coding is not spoken here",
                    "send chunked, on HTTP/1.1",
                )
            return CHUNKED
        if length is None:
            if self._version == "HTTP/1.0" and self._method in ("POST", "PUT", "PATCH"):
                raise HttpError(411, "length_required", "the length of the body is missing", "send Content-Length")
            return 0
        if not is_length(length):
            raise bad_request("bad_content_length", "Content-Length is not a number", "send digits only, such as 120")
        return int(length)

    def expects_continue(self) -> bool:
        """Say whether the client waits for 100 Continue (RFC 9110, 10.1.1). Raises HttpError."""
        expect = self._headers.get("expect")
        if expect is None:
            return False
        if expect.lower() != "100-continue":
            raise HttpError(417, "expectation_failed", "the Expect field asks for something unknown", "leave it out")
        return self._version == "HTTP/1.1"
