"""What an import needs to be continued: the file data_dir/imports/open, there only while one is unfinished.

A date that is long over has no visitor key in the store any more. So an import makes keys of its own, from one secret
that lies in this file and nowhere else: a date has the same key in all files of an import, also after it was
interrupted. With the file the secret goes, and nobody can tell any more whose hash is whose. Who uses the file has it
locked: one import at a time.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec

from visitor_tracker.errors import TrackerError

FOLDER = "imports"  # in server.data_dir

_FILE = "open"
_SECRET_BYTES = 32
_MOST_BYTES = 1 << 20
_KEEP_SECONDS = 7 * 86_400  # that an interrupted import keeps its secret

KeyOf = Callable[[str], bytes]


class ResumeError(TrackerError):
    """The folder cannot be used, or another import is running."""


class _State(msgspec.Struct):
    secret: bytes
    made_at: int  # epoch seconds
    files: dict[str, str]  # by hexadecimal id


class Resume:
    """What is open; made by `resuming`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._state = _read(descriptor)
        self.key_of = keys_from(self._state.secret)

    @property
    def files(self) -> dict[str, str]:
        """Files that were begun and not finished: their names by hexadecimal id."""
        return dict(self._state.files)

    def begin(self, file_id: bytes, name: str) -> None:
        """Note, durably, that a file is being imported."""
        self._state.files[file_id.hex()] = name
        _write(self._descriptor, msgspec.msgpack.encode(self._state))

    def finish(self, file_id: bytes) -> None:
        """Note that a file is done; it is found so by `resuming`."""
        self._state.files.pop(file_id.hex(), None)


@contextmanager
def resuming(data_dir: Path) -> Iterator[Resume]:
    """Open the file; afterwards it is gone, unless a file is unfinished. Raises ResumeError."""
    path = data_dir / FOLDER / _FILE
    try:
        descriptor = _open_locked(path)
    except OSError as error:
        raise ResumeError(f"{path}: {error.strerror}: run as the user who owns the data folder") from error
    resume = Resume(descriptor)
    try:
        yield resume
    finally:
        try:
            if resume.files:
                _write(descriptor, msgspec.msgpack.encode(resume._state))
            else:
                _write(descriptor, b"")
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def keys_from(secret: bytes) -> KeyOf:
    """Return what gives each period its key, made from one secret."""
    return lambda period: blake2b(period.encode(), digest_size=32, key=secret, person=b"import key").digest()


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def _open_locked(path: Path) -> int:
    """Open and lock the file, and not one that the import before is just deleting."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ResumeError("another import is running: wait for its end, or stop it; it can be continued") from None
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _read(descriptor: int) -> _State:
    """Return what the file says; a new state where it says nothing of use, or is too old."""
    fresh = _State(new_secret(), int(time.time()), {})
    try:
        found = msgspec.msgpack.decode(os.pread(descriptor, _MOST_BYTES, 0), type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return fresh
    too_old = found.made_at + _KEEP_SECONDS < fresh.made_at
    return fresh if too_old or len(found.secret) != _SECRET_BYTES else found


def _write(descriptor: int, content: bytes) -> None:
    """Replace what is in the file, durably; nothing of it is left on the disk.

    What a power cut leaves half written is of no use, and read as nothing: the import goes on with other keys.
    """
    size = os.fstat(descriptor).st_size
    os.pwrite(descriptor, content.ljust(size, b"\0"), 0)
    os.fsync(descriptor)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)
