"""The snapshot file: sites and keys as the store last gave them, for every process of a node.

    keeper (jobs process) ──write_snapshot──▶ data_dir/snapshot ──SnapshotReader.refresh──▶ .now in each worker

The file is replaced whole and never changed, so who reads it sees one state or the next. It begins with a magic
that names the version and a checksum; the rest is the Snapshot in msgpack.
"""

import hmac
import logging
import os
import threading
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

from visitor_tracker.errors import TrackerError
from visitor_tracker.sites import Snapshot

log = logging.getLogger(__name__)

FILE = "snapshot"  # in server.data_dir

_MAGIC = b"VTSNAP1\n"
_SUM_BYTES = 16
_HEAD_BYTES = len(_MAGIC) + _SUM_BYTES
_TRIES = 3

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


Stamp = tuple[int, int, int]  # changes whenever a file does: mtime_ns, inode, size


class SnapshotError(TrackerError):
    """The snapshot file cannot be written."""


class SnapshotReader:
    """The snapshot of one process; `now` is replaced by assignment, so read it once per request."""

    def __init__(self, path: Path, first: Snapshot) -> None:
        self.now = first
        self._path = path
        self._seen: Stamp | None = None
        self._turn = threading.Lock()

    def refresh(self) -> bool:
        """Read the file if it has changed, and say whether `now` was replaced; one stat otherwise. Any thread.

        Where there is no file, or a damaged one, `now` stays as it is.
        """
        if not self._turn.acquire(blocking=False):  # who has it reads the same file just now
            return False
        try:
            return self._refresh()
        finally:
            self._turn.release()

    def _refresh(self) -> bool:
        seen = stamp_of(self._path)
        if seen is None or seen == self._seen:
            return False
        self._seen = seen
        found = read_snapshot(self._path)
        if found is None or found == self.now:
            return False
        self.now = found
        return True


def stamp_of(path: Path) -> Stamp | None:
    """Return the file's stamp, None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def read_snapshot(path: Path) -> Snapshot | None:
    """Return what the file says, or None; one that is damaged is reported to the log, and the keeper replaces it."""
    try:
        content = _content(path)
        return None if content is None else _decode(_payload(content))
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        log.error("%s is of no use and ignored: %s", path, error)  # noqa: TRY400 - a traceback says no more
        return None


def _content(path: Path) -> bytes | None:
    """Return the file's bytes; one that was replaced and wiped while it was read is read again."""
    content = b""
    for _ in range(_TRIES):
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(file, "rb") as opened:
            content = opened.read()
            if os.fstat(file).st_nlink:
                break
    return content


def _payload(content: bytes) -> bytes:
    """Return what lies behind the head; raises ValueError."""
    if not content.startswith(_MAGIC):
        raise ValueError("it is no snapshot, or one of another version")
    payload = content[_HEAD_BYTES:]
    if not hmac.compare_digest(content[len(_MAGIC) : _HEAD_BYTES], _checksum(payload)):
        raise ValueError("its checksum is wrong")
    return payload


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Replace the file, durably; the bytes of the old one are overwritten, for they may hold a destroyed key.

    One process at a time may call it. Raises SnapshotError, and then the old file is what it was.
    """
    payload = _encode(snapshot)
    new = _new_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(new, _MAGIC + _checksum(payload) + payload)
        old = _open_old(path)
        try:
            new.replace(path)
            sync_folder(path.parent)
            if old is not None:
                _wipe(old)
        finally:
            if old is not None:
                os.close(old)
    except OSError as error:
        raise SnapshotError(
            f"{path}: {error.strerror}: the server's user must be able to write it, and the disk must have room"
        ) from error


def remove_leftover(path: Path) -> None:
    """Remove what a writer that was killed half-way left; raises SnapshotError."""
    try:
        _new_name(path).unlink(missing_ok=True)
    except OSError as error:
        raise SnapshotError(f"{_new_name(path)}: {error.strerror}: remove this file") from error


def _new_name(path: Path) -> Path:
    """Return the one name that half-written files have, so that no more than one can be left behind."""
    return path.with_name(f"{path.name}.new")


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(file)


def _open_old(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    return None


def _wipe(file: int) -> None:
    """Overwrite a file that has no name any more."""
    os.pwrite(file, bytes(os.fstat(file).st_size), 0)
    os.fsync(file)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _checksum(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=_SUM_BYTES, person=b"snapshot").digest()
