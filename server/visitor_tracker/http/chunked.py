"""A chunked body (RFC 9112, 7.1), decoded as its bytes arrive.

```
size ──"0"──▶ trailers ──empty line──▶ done
 │  ▲
 ▼  └───CRLF── data
data
```
"""

import re

from visitor_tracker.errors import HttpError
from visitor_tracker.http.buffer import Buffer
from visitor_tracker.http.grammar import Limits, bad_request, parse_field
from visitor_tracker.http.head import FieldLines

SIZE_DIGITS = 8
EXTENSIONS_MAX = 256  # bytes of extensions on one chunk

# Fields that would change how the message is read or where it goes (RFC 9110, 6.5.1).
NOT_IN_TRAILERS = frozenset(
    (
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)

_SIZE = re.compile(rf"[0-9A-Fa-f]{{1,{SIZE_DIGITS}}}").match
_EXTENSION = re.compile(
    r';[ \t]*[!#$%&\'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&\'*+.^_`|~0-9A-Za-z-]+|"[\t !#-\[\]-~\x80-\xff]*"))?'
).match


class ChunkedBody:
    """Reads one body; trailers are checked and dropped."""

    __slots__ = ("_body", "_left", "_limit", "_limits", "_trailers", "_within")

    def __init__(self, limits: Limits, limit: int) -> None:
        self._limits = limits
        self._limit = limit
        self._body = bytearray()
        self._left = 0  # bytes of the current chunk still to come
        self._within = False  # between a chunk's size line and the CRLF behind its data
        self._trailers: FieldLines | None = None

    @property
    def held(self) -> int:
        """Bytes of the body held so far."""
        return len(self._body)

    def read(self, buffer: Buffer) -> bytes | None:
        """Take what is there; the whole body when it is complete, else None. Raises HttpError."""
        while self._trailers is None:
            progress = self._read_data(buffer) if self._within else self._read_size(buffer)
            if not progress:
                return None
        while line := self._trailers.take(buffer):
            if parse_field(line)[0] in NOT_IN_TRAILERS:
                raise bad_request("bad_trailer", "a trailer names how the message is framed", "send it in the head")
        return None if line is None else bytes(self._body)

    def _read_size(self, buffer: Buffer) -> bool:
        line = buffer.line(SIZE_DIGITS + EXTENSIONS_MAX)
        if line is None:
            return False
        size = chunk_size(line)
        if len(self._body) + size > self._limit:
            raise too_large(self._limit)
        if size:
            self._left = size
            self._within = True
        else:
            self._trailers = FieldLines(self._limits)
        return True

    def _read_data(self, buffer: Buffer) -> bool:
        if self._left:
            self._left -= buffer.move(self._body, self._left)
            if self._left:
                return False
        line = buffer.line(0)
        if line:
            raise bad_request("bad_chunk", "a chunk is longer than its size says", "count the bytes of each chunk")
        self._within = line is None
        return line is not None


def chunk_size(line: str) -> int:
    """Return the size that a chunk's first line says; its extensions are checked and ignored. Raises HttpError."""
    digits = _SIZE(line)
    if digits is None:
        raise bad_request("bad_chunk", "a chunk does not begin with its size", "send 1 to 8 hexadecimal digits")
    at = digits.end()
    if len(line) - at > EXTENSIONS_MAX:
        raise bad_request("bad_chunk", "a chunk's extensions are too long", f"keep them within {EXTENSIONS_MAX} bytes")
    while at < len(line):
        extension = _EXTENSION(line, at)
        if extension is None:
            raise bad_request("bad_chunk", "a chunk's size line is malformed", "send the size alone")
        at = extension.end()
    return int(digits[0], 16)


def too_large(limit: int) -> HttpError:
    """Return the refusal of a body longer than `limit` bytes."""
    return HttpError(413, "body_too_large", "the request body is too large", f"keep it within {limit} bytes")
