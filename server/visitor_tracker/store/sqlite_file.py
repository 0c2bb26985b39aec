"""The file of an embedded database, before anybody opens it."""

import errno
import os
import stat
from pathlib import Path

from visitor_tracker.errors import StoreError


def create(path: Path) -> None:
    """Make folder and file, readable by their owner only.

    Nothing is opened here: closing it would drop the POSIX locks that other connections of this process have on
    the file, and another process would take the write-ahead log for one that nobody uses, and delete it.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder: the store's URL must name a file, such as sqlite:///{path}/visitors.db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.mknod(path, stat.S_IFREG | 0o600)
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise StoreError(_not_writable(path, os.strerror(errno.EACCES))) from None
    except OSError as error:
        raise StoreError(_not_writable(path, error.strerror)) from error


def _not_writable(path: Path, problem: str | None) -> str:
    return f"{path}: {problem}: the server's user must be able to write this file and its folder"
