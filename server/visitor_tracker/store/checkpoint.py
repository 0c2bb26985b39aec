"""Keep the write-ahead log of a SQLite file small, and under `relaxed` durability synced.

    writer   ──commit──▶  visitors.db-wal  ──PASSIVE checkpoint──▶  visitors.db
                               ▲                    │
                    fdatasync, once a second        └─ this thread does the bulk beside the writer and then
                    (relaxed only)                     asks for a small one by the writer, which finishes:
                                                       the log starts again from its beginning

(With SQLite's automatic checkpoints the writer does all of it: p99 of a commit 24 ms instead of 4.7.)
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.25
SYNC_ROUNDS = 2  # a sync every half second, twice as often as promised
WAL_BYTES = 4 << 20  # a longer log is checkpointed


class Checkpointer:
    """A thread with a connection of its own; the writer tells it of commits and asks it what to do."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection], *, sync: bool) -> None:
        self._wal = path.with_name(path.name + "-wal")
        self._connect = connect
        self._sync = sync
        self._stop = threading.Event()
        self._commits = 0  # written by the writer only
        self._synced = 0  # commits that the last sync covered
        self._checkpointed = 0
        self._small_one_due = False
        self.failed = False  # a sync failed: what the log holds may never reach the disk
        self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
        self._thread.start()

    def committed(self) -> bool:
        """Note a commit; True asks the writer for a small checkpoint while it still has the turn."""
        self._commits += 1
        if not self._small_one_due:
            return False
        self._small_one_due = False
        return True

    def checkpoint(self, db: sqlite3.Connection) -> None:
        """Copy what can be copied without waiting; an error is no concern of the batch, which is stored."""
        try:
            db.execute("pragma wal_checkpoint(passive)").fetchall()
        except sqlite3.Error as error:
            # It is done again from its start, and the writer meets the same trouble and reports it. But a log
            # that is synced only here may have lost pages, and no later sync would say so again.
            log.debug("checkpoint failed: %s", error)
            if self._sync and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR:
                self.failed = True

    def take_failure(self) -> bool:
        """Return `failed`, once."""
        failed, self.failed = self.failed, False
        return failed

    def close(self) -> None:
        """Sync the rest and end the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        rounds = 0
        while not self._stop.wait(CHECK_SECONDS):
            rounds += 1
            if self._sync and rounds % SYNC_ROUNDS == 0:
                self._sync_log()
            try:
                if self._commits != self._checkpointed and self._wal.stat().st_size > WAL_BYTES:
                    db = db or self._connect()
                    self._checkpointed = self._commits
                    self.checkpoint(db)
                    self._small_one_due = True
            except (OSError, sqlite3.Error) as error:  # the writer meets it too; until then the log only grows
                log.debug("no checkpoint: %s", error)
        if self._sync:
            self._sync_log()
        if db:
            db.close()

    def _sync_log(self) -> None:
        commits = self._commits
        if commits == self._synced:
            return
        try:
            # Safe to open and close: SQLite keeps its POSIX locks on the other two files.
            descriptor = os.open(self._wal, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            # A second sync would report success for pages that the kernel has given up.
            log.exception("%s could not be synced; the last second of visits may be lost in a power cut", self._wal)
            self.failed = True
        self._synced = commits
