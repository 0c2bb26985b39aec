"""One server per data folder or SQLite file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visitor_tracker.errors import AlreadyRunning, StoreError

_held: set[int] = set()  # descriptors of the locks that this process has


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold `path` for this process; the lock file is `path` + ".lock".

    The processes it forks have no part in it: when a server is killed, its workers still finish what they received,
    and the next server need not wait for them. Raises AlreadyRunning when another server has the lock.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{lock}: {error.strerror}: run as the user who owns the folder, or give it another server.data_dir"
        ) from error
    _held.add(descriptor)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(_in_use(path, descriptor)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        if descriptor in _held:  # not in a child, where the number may be another file's
            _held.remove(descriptor)
            os.close(descriptor)  # the file stays: deleting it would let two processes lock two files of one name


def _let_go() -> None:
    """Close the parent's locks in a forked child, or it would hold them too."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


def _in_use(path: Path, descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
    return (
        f"{path} is used by another server (process {pid}): stop that one, "
        "or give this one its own server.data_dir and store.url"
    )
