"""The program's end of an embedded tracker whose work a child process does."""

import logging
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from visitor_tracker.config import Config
from visitor_tracker.embedding.channel import Answer, Call, Name
from visitor_tracker.errors import TrackerError
from visitor_tracker.middleware.tracker import Unavailable

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 30.0
_END_SECONDS = 15.0  # the child's own work ends within 6
# Nothing is imported before the path is the program's: with -c, Python looks in the working directory first.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; from visitor_tracker.embedding.child import main; main(int(sys.argv[1]))"
)


class Gone(TrackerError):
    """The child has ended; another one may do what it was asked."""


class Beside:
    """A child process with a tracker. Any thread; one question at a time."""

    def __init__(self, config: Config) -> None:
        """Start it; raises OSError where that is not possible."""
        program = interpreter()
        if not program:
            raise OSError("the program that runs Python is not known")
        self._lock = threading.Lock()
        self._number = 0  # of the last question
        self._answered = 0  # the last that was
        ours, its = socket.socketpair()
        with ours, its:
            command = [program, "-c", _PROGRAM, str(its.fileno()), *map(str, sys.path)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,  # Ctrl-C is for the program
            )
            self._connection: Connection[Any, Answer] = Connection(ours.detach())
        with suppress(OSError):  # one that has ended already is Gone for who asks
            self._connection.send(config)

    @property
    def pid(self) -> int:
        """Return the child's."""
        return self._process.pid

    @property
    def has_worked(self) -> bool:
        """Say whether it has answered anything."""
        return self._answered > 0

    def ask(self, name: Name, *given: object) -> Any:  # noqa: ANN401 - what the tracker's function returns
        """Let the child do it; raises what it raises, Gone, and Unavailable where it takes too long."""
        with self._lock:
            call: Call = (self._number + 1, name, given)
            said = ForkingPickler.dumps(call)  # as `send` does: nothing is said of what cannot be
            try:
                self._wait()  # for what an earlier question was too impatient for
                self._number += 1
                self._connection.send_bytes(said)
                value, error = self._wait()
            except (EOFError, OSError) as problem:
                raise Gone("the tracker's process has ended") from problem
            except Unavailable:
                raise
            except BaseException:  # an interruption, or what cannot be read: what was said in part is said no more
                self.abandon()
                raise
        if error is not None:
            raise error
        return value

    def _wait(self) -> tuple[Any, TrackerError | None]:
        """Return the answer to the last question, where it has none yet."""
        value, error = None, None
        while self._answered < self._number:
            if not self._connection.poll(_ANSWER_SECONDS):
                raise Unavailable("the tracker's process does not answer")
            self._answered, value, error = self._connection.recv()
        return value, error

    def close(self) -> None:
        """Let the child store what it has, and wait for that."""
        self.abandon()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the tracker's process %d is still at work", self._process.pid)

    def abandon(self) -> None:
        """Close this process's end: the child belongs to another process, or has ended."""
        self._connection.close()


def interpreter() -> str:
    """Return the Python program that runs this one, "" where it cannot be told: other programs have Python in them."""
    for path in (Path(sys.executable or "."), Path(sys.prefix) / "bin" / "python3"):
        if path.name.startswith(("python", "pypy")) and path.is_file():
            return str(path)
    return ""
