"""The turn to write: fair among all threads and processes that write one SQLite file.

SQLite's own lock is polled with sleeps of up to 100 ms, and who takes it again at once starves the others.
Here everyone locks the gate, then the main lock, then unlocks the gate: who has just written queues at the
gate behind the one that waits inside it.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from visitor_tracker.errors import StoreUnavailable


class Lock(Protocol):
    """What one thread locks with."""

    def acquire(self, blocking: bool = True) -> bool: ...

    def release(self) -> None: ...


class Turn:
    """Hands out the turn; `hold` may be nested within a thread.

    Raises StoreUnavailable where the lock files cannot be opened, as in a process out of descriptors.
    """

    def __init__(self, path: Path | None) -> None:
        """Lock two files beside `path`, or without one inside this process only."""
        self._path = path
        self._mine = threading.local()
        self._shared = (threading.Lock(), threading.Lock())

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the turn and have it inside the block."""
        mine = self._mine
        depth = getattr(mine, "depth", 0)
        if depth == 0:
            self._take()
        mine.depth = depth + 1
        try:
            yield
        finally:
            mine.depth = depth
            if depth == 0:
                mine.locks[1].release()

    @contextmanager
    def hold_at_once(self) -> Iterator[bool]:
        """Have the turn inside the block if it is free and nobody waits for it; False: it is not."""
        mine = self._mine
        if getattr(mine, "depth", 0) or not self._take_at_once():
            yield False
            return
        mine.depth = 1
        try:
            yield True
        finally:
            mine.depth = 0
            mine.locks[1].release()

    def is_wanted(self) -> bool:
        """Ask with the turn in hand: does somebody stand in the gate? Two system calls."""
        gate, _ = self._locks()
        if not gate.acquire(blocking=False):
            return True
        gate.release()
        return False

    def _take(self) -> None:
        gate, main = self._locks()
        gate.acquire()
        try:
            main.acquire()
        finally:
            gate.release()

    def _take_at_once(self) -> bool:
        gate, main = self._locks()
        if not gate.acquire(blocking=False):
            return False
        try:
            return main.acquire(blocking=False)
        finally:
            gate.release()

    def _locks(self) -> tuple[Lock, Lock]:
        mine = self._mine
        if not hasattr(mine, "locks"):
            mine.locks = self._shared if self._path is None else _files(self._path)
        locks: tuple[Lock, Lock] = mine.locks
        return locks


class FileLock:
    """flock on a file opened for one thread.

    Not fcntl's lock: that belongs to the process, so two threads would both have it.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{path}: {error.strerror}: it cannot be locked") from error

    def acquire(self, blocking: bool = True) -> bool:
        assert self._descriptor is not None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # such as no room for another lock
            raise StoreUnavailable(f"the turn to write: {error.strerror}") from error
        return True

    def release(self) -> None:
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def __del__(self) -> None:  # the thread has ended
        if self._descriptor is not None:
            os.close(self._descriptor)


def _files(path: Path) -> tuple[FileLock, FileLock]:
    return FileLock(path.with_name(path.name + ".gate")), FileLock(path.with_name(path.name + ".write"))
