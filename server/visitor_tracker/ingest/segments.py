"""The files of the journal: written by one process, read by any, whatever became of them.

    ID.segment   "VTSG", version, id, CRC-32 of these; then records: mark, length, CRC-32 of the payload, payload
    ID.synced    how many bytes of the segment are on the disk; numbers are little endian

An id is 16 bytes, time-ordered. Its random end is the mark of the segment's records, so that neither what a client
sends nor an old block of the disk looks like a record. A writer holds a lock on its segment while it lives: who can
take that lock knows that the segment grows no more.
"""

import fcntl
import logging
import os
import re
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from weakref import WeakSet

log = logging.getLogger(__name__)

RECORD_MOST = 16 << 20  # bytes of a payload; a longer length is damage
READ_BYTES = 1 << 20

NEW = ".new"  # ends the name of a file that is nothing yet

_SEGMENT, _SYNCED = ".segment", ".synced"
_MAGIC, _VERSION = b"VTSG", 1
_FILE_HEAD = struct.Struct("<4sI16sI")
_RECORD_HEAD = struct.Struct("<4sII")
_LENGTH = struct.Struct("<Q")
_MARK_BYTES = 4
_NAME = re.compile(r"[0-9a-f]{32}")
_READ_AHEAD = 256 << 10
_PAGE = 4096  # the least that is given up where the disk cannot be read
_LEFT_OVER_SECONDS = 3600.0


def time_ordered_id() -> bytes:
    """Return a new id: 6 bytes of epoch ms, 2 of its parts, so that they follow each other, and 8 of chance."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return milliseconds.to_bytes(6, "big") + (rest * 65_536 // 1_000_000).to_bytes(2, "big") + os.urandom(8)


def make_folder(folder: Path) -> None:
    """Make the folder for its owner only, durably, and remove what a crash left half made."""
    for missing in [path for path in (*reversed(folder.parents), folder) if not path.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(missing.parent)
    oldest = time.time() - _LEFT_OVER_SECONDS
    for path in folder.iterdir():
        if path.suffix == NEW or (path.suffix == _SYNCED and not path.with_suffix(_SEGMENT).exists()):
            with suppress(FileNotFoundError):  # another worker starts too
                if path.stat().st_mtime < oldest:
                    path.unlink()


class SegmentWriter:
    """A new segment of this process, locked until it is closed. One thread appends, and the same or one other syncs."""

    def __init__(self, folder: Path) -> None:
        self.id = time_ordered_id()
        self.path = folder / (self.id.hex() + _SEGMENT)
        self.made_at = time.monotonic()
        self.size = _FILE_HEAD.size  # bytes wholly written
        self.synced = 0
        self._mark = self.id[-_MARK_BYTES:]
        self._descriptor, self._side = _create(self.path, self.id)
        _writers.add(self)

    @property
    def is_open(self) -> bool:
        """False once it is closed, also by a fork."""
        return self._descriptor >= 0

    def append(self, payloads: Sequence[bytes]) -> None:
        """Write a record for each payload of at most RECORD_MOST bytes; raises OSError, see `take_back`."""
        parts = []
        for payload in payloads:
            length = len(payload)
            parts.append(_RECORD_HEAD.pack(self._mark, length, zlib.crc32(payload, length)))
            parts.append(payload)
        written = b"".join(parts)
        _write_all(self._descriptor, written, self.size)
        self.size += len(written)

    def sync(self) -> None:
        """Bring what is written to the disk and publish that; raises OSError, after which no sync may be believed."""
        size = self.size
        if size == self.synced:
            return
        os.fdatasync(self._descriptor)
        self.synced = size
        with suppress(OSError):  # the next sync publishes more; without one, readers wait until the segment is closed
            os.pwrite(self._side, _LENGTH.pack(size), 0)

    def take_back(self) -> None:
        """Remove what an append that failed has written."""
        self._truncate(self.size)

    def cut(self) -> None:
        """Remove all that is not synced, and close."""
        self.size = max(self.synced, _FILE_HEAD.size)
        if self._truncate(self.size):
            self.close()

    def close(self) -> None:
        """Let readers have all of it; a segment without a record is deleted."""
        if self._descriptor < 0:
            return
        if self.size <= _FILE_HEAD.size:
            with suppress(OSError):  # an empty segment harms nobody
                _delete(self.path)
        self.let_go()

    def let_go(self) -> None:
        """Close the files, as a forked process does that has no part in them."""
        for descriptor in (self._descriptor, self._side):
            if descriptor >= 0:
                with suppress(OSError):  # it is closed all the same
                    os.close(descriptor)
        self._descriptor = self._side = -1

    def _truncate(self, length: int) -> bool:
        try:
            os.ftruncate(self._descriptor, length)
        except OSError:
            # Left open, so that readers go only to the synced length as long as this process lives.
            log.exception("%s: what was refused cannot be removed", self.path)
            return False
        with suppress(OSError):  # so that the end lasts; where even this fails, nothing more can be done
            os.fdatasync(self._descriptor)
        return True


_writers: WeakSet[SegmentWriter] = WeakSet()


def _let_go() -> None:
    """No segment has two processes: a forked one begins its own."""
    for writer in list(_writers):
        writer.let_go()


os.register_at_fork(after_in_child=_let_go)


def _create(path: Path, segment_id: bytes) -> tuple[int, int]:
    """Make both files; return their descriptors. What has the name of a segment is locked and has a whole head."""
    new, side_path = path.with_suffix(NEW), path.with_suffix(_SYNCED)
    with ExitStack() as undo:
        segment = _open_new(new, undo)
        fcntl.flock(segment, fcntl.LOCK_EX | fcntl.LOCK_NB)
        head = _FILE_HEAD.pack(_MAGIC, _VERSION, segment_id, 0)[:-4]
        _write_all(segment, head + zlib.crc32(head).to_bytes(4, "little"))
        side = _open_new(side_path, undo)
        _write_all(side, bytes(_LENGTH.size))
        new.rename(path)
        undo.callback(path.unlink)
        _sync_folder(path.parent)
        undo.pop_all()
    return segment, side


def _open_new(path: Path, undo: ExitStack) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    undo.callback(path.unlink, missing_ok=True)
    undo.callback(os.close, descriptor)
    return descriptor


def _write_all(descriptor: int, content: bytes, at: int = 0) -> None:
    written = os.pwrite(descriptor, content, at)
    while written < len(content):  # a disk that is nearly full takes a part
        written += os.pwrite(descriptor, content[written:], at + written)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(_SYNCED).unlink(missing_ok=True)


class Record(NamedTuple):
    """A payload and where its record ends in the segment."""

    payload: bytes
    end: int


class Piece(NamedTuple):
    """What a reading found: go on at `position`, where the last of the records ends.

    `damaged` counts the stretches before these records that hold no valid one. `torn`: what follows them holds none
    either. At the end of a segment that nobody writes that is a record that was never finished.
    """

    batches: list[Record]
    position: int
    damaged: int
    torn: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of any process; `size` and `written_at` (epoch seconds) are of the moment it was listed."""

    path: Path
    id: bytes
    size: int = 0
    written_at: float = 0.0

    def is_live(self) -> bool:
        """Say whether its writer may still append; raises FileNotFoundError."""
        with _reading(self.path) as descriptor:
            return _is_locked(descriptor)

    def synced_length(self) -> int:
        """Return how many of its bytes the writer has synced, 0 where that cannot be known."""
        try:
            with _reading(self.path.with_suffix(_SYNCED)) as descriptor:
                while (found := os.pread(descriptor, 16, 0)) != os.pread(descriptor, 16, 0):
                    pass  # the writer was in the middle of it
            [length] = _LENGTH.unpack(found)
            return int(length) if length <= self.path.stat().st_size else 0
        except (OSError, struct.error):
            return 0

    def read(self, position: int = 0, limit_bytes: int = READ_BYTES) -> Piece:
        """Read on from a position, one record at least and then up to `limit_bytes`; raises FileNotFoundError.

        A live segment is read to its synced length, another one to its end.
        """
        with _reading(self.path) as descriptor:
            # Asked before the length: a segment that is dead now grows no more.
            end = self.synced_length() if _is_locked(descriptor) else _sync_rest(descriptor, position, self.path)
            return _read_records(_Stretch(descriptor, end), self.id[-_MARK_BYTES:], position, limit_bytes)

    def remove(self) -> None:
        """Delete it and what belongs to it."""
        _delete(self.path)


def scan(folder: Path) -> list[Segment]:
    """Return the segments of a folder, oldest first; none when there is no folder."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(_SEGMENT))
    except FileNotFoundError:
        return []
    segments = []
    for name in names:
        with suppress(FileNotFoundError):  # somebody removes it just now
            segments.extend(_identify(folder / name))
    return segments


def _identify(path: Path) -> list[Segment]:
    """Learn the id from the head, or where that is damaged from the name; what has none is no segment."""
    with _reading(path) as descriptor:
        state = os.fstat(descriptor)
        head = _pread(descriptor, 0, _FILE_HEAD.size)
    segment_id = bytes.fromhex(path.stem) if _NAME.fullmatch(path.stem) else None
    if len(head) == _FILE_HEAD.size:
        magic, version, written_id, checksum = _FILE_HEAD.unpack(head)
        if magic == _MAGIC and checksum == zlib.crc32(head[:-4]):
            segment_id = written_id if version == _VERSION else None
    if segment_id is None:
        _warn_once(path)
        return []
    return [Segment(path, segment_id, state.st_size, state.st_mtime)]


@lru_cache(maxsize=64)
def _warn_once(path: Path) -> None:
    log.warning("%s is left alone: it is no segment of the journal, or one of a newer version", path)


@contextmanager
def _reading(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: readers do not take each other for a writer
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _sync_rest(descriptor: int, position: int, path: Path) -> int:
    """Bring to the disk what a dead writer has left; return the file's length."""
    length = os.fstat(descriptor).st_size
    if length > position:
        try:
            os.fdatasync(descriptor)
        except OSError as error:  # what can be read is valid all the same, and goes to a safer place now
            log.warning("%s cannot be synced: %s", path, error)
    return length


class _Stretch:
    """The bytes of a file up to `end`, read ahead. What the disk cannot read is missing: damage, not an error."""

    def __init__(self, descriptor: int, end: int) -> None:
        self.end = end
        self._descriptor = descriptor
        self._ahead = b""
        self._start = 0

    def at(self, position: int, length: int) -> bytes:
        """Return bytes, fewer at the end, and none where one of them cannot be read."""
        length = min(length, self.end - position)
        offset = position - self._start
        if offset < 0 or offset + length > len(self._ahead):
            most = min(max(length, _READ_AHEAD), self.end - position)
            self._ahead = _pread(self._descriptor, position, most) or _pread(self._descriptor, position, length)
            self._start, offset = position, 0
        return self._ahead[offset : offset + length]


def _pread(descriptor: int, position: int, length: int) -> bytes:
    try:
        return os.pread(descriptor, length, position)
    except OSError:
        return b""


def _read_records(stretch: _Stretch, mark: bytes, position: int, limit_bytes: int) -> Piece:
    batches: list[Record] = []
    at = max(position, _FILE_HEAD.size)
    size = damaged = 0
    while at < stretch.end and (not batches or size < limit_bytes):
        payload = _payload_at(stretch, mark, at)
        if payload is None:
            found = _next_record(stretch, mark, at + 1)
            if found is None:
                return Piece(batches, position, damaged, torn=True)
            damaged += 1
            at = found
            continue
        at = position = at + _RECORD_HEAD.size + len(payload)
        size += len(payload)
        batches.append(Record(payload, at))
    return Piece(batches, position, damaged, torn=False)


def _payload_at(stretch: _Stretch, mark: bytes, at: int) -> bytes | None:
    head = stretch.at(at, _RECORD_HEAD.size)
    if len(head) < _RECORD_HEAD.size or not head.startswith(mark):
        return None
    _, length, checksum = _RECORD_HEAD.unpack(head)
    if not 0 < length <= min(RECORD_MOST, stretch.end - at - _RECORD_HEAD.size):
        return None
    payload = stretch.at(at + _RECORD_HEAD.size, length)
    return payload if len(payload) == length and zlib.crc32(payload, length) == checksum else None


def _next_record(stretch: _Stretch, mark: bytes, at: int) -> int | None:
    """Find where the next valid record begins."""
    while at < stretch.end:
        page_end = at + _PAGE - at % _PAGE
        window = stretch.at(at, _READ_AHEAD) or stretch.at(at, page_end - at)
        found = window.find(mark)
        if found >= 0:
            if _payload_at(stretch, mark, at + found) is not None:
                return at + found
            at += found + 1
        elif window:
            at += max(len(window) - _MARK_BYTES + 1, 1)  # a mark may begin in this window and end in the next
        else:
            at = page_end
    return None
