"""One server per data folder or SQLite file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visitor_tracker.errors import AlreadyRunning, StoreError


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold `path` for this process and the ones it forks; the lock file is `path` + ".lock".

    Raises AlreadyRunning when another server has it.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{lock}: {error.strerror}: run as the user who owns the folder, or give it another server.data_dir"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(_in_use(path, descriptor)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # the file stays: deleting it would let two processes lock two files of one name


def _in_use(path: Path, descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
    return (
        f"{path} is used by another server (process {pid}): stop that one, "
        "or give this one its own server.data_dir and store.url"
    )
