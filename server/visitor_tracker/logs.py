"""Log lines: one line each, safe for a terminal, never waited for.

    any thread ─▶ bounded deque ─▶ writer thread ─▶ standard error or file

A full pipe or disk stops the writer only; lines beyond MOST_LINES are dropped and counted in the next one written.
"""

import logging
import os
import re
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from visitor_tracker.errors import ConfigError

MOST_LINES = 2000
FLUSH_SECONDS = 1.0

# C0 and C1 controls, line separators, and the characters that turn the direction of text around.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(text: str) -> str:
    """Return the text as it may stand in one line of a log."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class LineFormatter(logging.Formatter):
    """Time, level, logger, message, and an exception's trace in the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return escape(super().format(record))


class Writer(logging.Handler):
    """Takes lines from any thread, writes them in one of its own."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._path = path
        self._fd = _open(path)
        self._reopen = False
        self._restart()
        os.register_at_fork(after_in_child=self._restart)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  # logging's own way to say so
            self.handleError(record)
            return
        with self._bell:
            if len(self._lines) >= MOST_LINES:
                self._left_out += 1
                return
            self._lines.append(line)
            self._bell.notify()

    def reopen(self) -> None:
        """Open the file again before the next line, after a rotation moved it away; safe in a signal handler."""
        self._reopen = True

    def flush(self) -> None:
        """Wait a moment until what is queued is written; a blocked pipe is not waited for."""
        with self._bell:
            self._bell.wait_for(lambda: not self._lines and not self._writing, FLUSH_SECONDS)

    def _restart(self) -> None:
        """Begin with an empty queue; a forked child has no threads and must not write the parent's lines again."""
        self._bell = threading.Condition()
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._writing = False
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def _write_all(self) -> None:
        bell = self._bell
        while True:
            with bell:
                self._writing = False
                bell.notify_all()
                bell.wait_for(lambda: self._lines)
                lines, self._lines = self._lines, deque()
                left_out, self._left_out = self._left_out, 0
                self._writing = True
            if left_out:
                lines.append(f"({left_out} log lines were dropped: writing them takes too long)")
            self._write("".join(f"{line}\n" for line in lines).encode())

    def _write(self, text: bytes) -> None:
        if self._reopen and self._path is not None:
            self._reopen = False
            with suppress(ConfigError):  # then the old file goes on
                fd = _open(self._path)
                os.close(self._fd)
                self._fd = fd
        try:
            while text:
                text = text[os.write(self._fd, text) :]
        except OSError:
            return  # a closed pipe or a full disk; there is no better place to say so


def configure(level: str, path: str = "") -> Writer:
    """Send every logger's lines to the file, or to standard error; raise ConfigError if it cannot be opened."""
    writer = Writer(Path(path) if path else None)
    writer.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [writer]
    root.setLevel(level.upper())
    return writer


def _open(path: Path | None) -> int:
    if path is None:
        return sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise ConfigError(f"log.file {path} cannot be opened: {error.strerror}") from error
