"""The files of an import: packed or not, read as lines, and known again when they have grown.

    path ─▶ unpacked by its first bytes ─▶ head (64 KiB: what format, which file) ─▶ lines, with where each ends

A file is who its first 4 KiB are, unpacked. So access.log is the same file when it has grown, and when it has become
access.log.3.gz. A shorter one is all that it holds; when it has grown, its old content is how the new one begins.
"""

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from io import BufferedIOBase, BufferedReader
from stat import S_ISREG

from visitor_tracker.errors import TrackerError

LINE_MOST = 64 * 1024  # bytes
STANDARD_INPUT = "-"

_HEAD_BYTES = 64 * 1024
_IDENTITY_BYTES = 4096
_CHUNK_BYTES = 1 << 20
_HEAD_LINES = 100  # are looked at to find the format
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError)


class SourceError(TrackerError):
    """A file cannot be read, or not to its end."""


class Source:
    """One file, or standard input, which can be read once. Belongs to one thread.

    `packed_size` is its size as it lies on the disk, 0 where that is not known.
    """

    def __init__(self, path: str) -> None:
        """Read the head; raises SourceError."""
        self.path = path
        self.name = "standard input" if path == STANDARD_INPUT else path
        self._raw, self._stream = self._opened()
        status = os.fstat(self._raw.fileno())
        self.packed_size = status.st_size if S_ISREG(status.st_mode) else 0
        # A log that is still written may end within a line; a packed one ends where it ends.
        self._is_final = path == STANDARD_INPUT or self._stream is not self._raw
        self._head, self._damage = _read(self._stream, _HEAD_BYTES)
        if path != STANDARD_INPUT:
            self._close()
        if self._damage is not None and not self._head:
            raise SourceError(f"{self.name} cannot be read: {_reason(self._damage)}") from self._damage

    @property
    def first_lines(self) -> list[str]:
        """Its first lines that are not empty; the last one may be cut off."""
        return [text_of(line) for line in self._head.split(b"\n") if line.strip()][:_HEAD_LINES]

    @property
    def packed_position(self) -> int:
        """How far it is read, as it lies on the disk; 0 where that is not known."""
        return self._raw.tell() if self.packed_size and not self._raw.closed else 0

    def identities(self, site_id: int) -> list[tuple[bytes, int]]:
        """Return its id, last, after those that it had when it was shorter; each with the bytes that it stands for.

        Ids have 16 bytes, and are others for another site. None where there is no whole line yet.
        """
        begin = self._head[:_IDENTITY_BYTES]
        if len(begin) < _IDENTITY_BYTES and not self._is_final:
            begin = begin[: begin.rfind(b"\n") + 1]
        ends = {position for position, byte in enumerate(begin) if byte == 0x0A}
        # A packed file, or standard input, may have ended without the end of its last line.
        lengths = sorted({*ends, *(end + 1 for end in ends), len(begin)} - {0})
        hashed = blake2b(site_id.to_bytes(8, "big", signed=True), digest_size=16, person=b"access log")
        found, last = [], 0
        for length in lengths:
            hashed.update(begin[last:length])
            found.append((hashed.copy().digest(), length))
            last = length
        return found

    def lines(self, start: int) -> Iterator[tuple[bytes | None, int]]:
        """Yield every line from byte `start` on, and where the next one begins; None for one that is too long.

        The last line of a file that is no more than cut off waits until it is whole. Raises SourceError where the
        file is damaged, or is no longer the one whose head was read; what it has yielded before is sound.
        """
        if self.path != STANDARD_INPUT:
            self._raw, self._stream = self._opened()
        try:
            yield from self._lines(start)
        except _UNREADABLE as error:
            raise SourceError(f"{self.name} cannot be read to its end: {_reason(error)}") from error
        finally:
            self._close()

    def lines_before(self, position: int) -> int | None:
        """Return how many lines end before that byte, None where that cannot be known any more."""
        if self.path == STANDARD_INPUT:
            return None if position else 0
        number = 0
        try:
            raw, stream = self._opened()
            with raw, stream:
                while position > 0 and (chunk := stream.read1(min(position, _CHUNK_BYTES))):
                    number += chunk.count(b"\n")
                    position -= len(chunk)
        except (*_UNREADABLE, SourceError):
            return None
        return number

    def _lines(self, start: int) -> Iterator[tuple[bytes | None, int]]:
        chunk = self._begin(start)
        end = start
        rest, dropped = b"", 0  # of the line at hand; `dropped` bytes of it were let go: it is too long
        while chunk or (chunk := self._more()):
            *whole, rest = (rest + chunk).split(b"\n")
            chunk = b""
            for line in whole:
                end += dropped + len(line) + 1
                yield (line if dropped + len(line) <= LINE_MOST else None), end
                dropped = 0
            if len(rest) > LINE_MOST:
                rest, dropped = b"", dropped + len(rest)
        if self._is_final and (rest or dropped):
            yield (rest if not dropped else None), end + dropped + len(rest)

    def _begin(self, start: int) -> bytes:
        """Go to byte `start`; return what is in hand from there on."""
        if self.path != STANDARD_INPUT and _read(self._stream, len(self._head))[0] != self._head:
            raise SourceError(f"{self.name} has become another file meanwhile: run the same command again")
        if start <= len(self._head):
            return self._head[start:]
        if self._stream is self._raw:
            self._stream.seek(start)
            return b""
        left = start - len(self._head)
        while left and (chunk := self._stream.read1(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
        return b""

    def _more(self) -> bytes:
        """Return what follows, nothing at the end."""
        if self._damage is not None:
            raise self._damage
        return self._stream.read1(_CHUNK_BYTES)

    def _close(self) -> None:
        self._stream.close()
        self._raw.close()

    def _opened(self) -> tuple[BufferedReader, BufferedIOBase]:
        """Open the file; return it as it is, and unpacked."""
        try:
            raw = open(0 if self.path == STANDARD_INPUT else self.path, "rb", closefd=self.path != STANDARD_INPUT)  # noqa: SIM115
            return raw, _unpacked(raw, self.name)
        except _UNREADABLE as error:
            raise SourceError(f"{self.name} cannot be read: {_reason(error)}") from error


def text_of(line: bytes) -> str:
    """Return a line as text, without its end; what is no UTF-8 is replaced."""
    return line.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r").decode("utf-8", "replace")


def _unpacked(raw: BufferedReader, name: str) -> BufferedIOBase:
    begin = raw.peek(6)
    if begin.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)
    if begin.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if begin.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(raw)
    if begin.startswith(b"\x28\xb5\x2f\xfd"):
        raw.close()
        raise SourceError(f"{name} is packed with zstd: unpack it, as in  zstdcat {name} | visitor-tracker import -")
    return raw


def _read(stream: BufferedIOBase, most: int) -> tuple[bytes, Exception | None]:
    """Read so many bytes, fewer at the end and where the file is damaged; return them and what is wrong then."""
    parts: list[bytes] = []
    try:
        while most and (part := stream.read1(most)):
            parts.append(part)
            most -= len(part)
    except _UNREADABLE as error:
        return b"".join(parts), error
    return b"".join(parts), None


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
