"""Start tests.net.child and look at it from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.net.serving import PATIENCE_SECONDS, Answered, Reader, connect, get, wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    """A running child and the first port it listens on."""

    popen: subprocess.Popen[bytes]
    where: list[Any]

    @property
    def port(self) -> int:
        return int(self.where[0][1])

    @property
    def pid(self) -> int:
        return self.popen.pid

    def ask(self, path: str, source: str = "127.0.0.1") -> Answered:
        with connect(self.port, source) as sock:
            sock.sendall(get(path, "Connection: close"))
            return Reader(sock).answer()

    def answers(self, path: str = "/ping") -> bool:
        """Say whether the server answers at all."""
        with contextlib.suppress(OSError, EOFError):
            return self.ask(path).status == 200
        return False

    def about(self) -> dict[str, int]:
        about: dict[str, int] = json.loads(self.ask("/process").body)
        return about

    def children(self) -> list[int]:
        """Return the process ids of its children."""
        return children(self.pid)

    def rss(self) -> int:
        """Return the bytes of memory that the process itself holds."""
        return rss(self.pid)

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self) -> int:
        return self.popen.wait(PATIENCE_SECONDS)


@contextmanager
def started(
    settings: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, stderr: int | None = None
) -> Iterator[Process]:
    """Run tests.net.child; it and its children are gone when the block ends."""
    command = [sys.executable, "-m", "tests.net.child", json.dumps(settings)]
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'server'}:{ROOT}", **(environment or {})}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=stderr) as popen:
        try:
            assert popen.stdout is not None
            where = json.loads(popen.stdout.readline())["where"]
            process = Process(popen, where)
            if isinstance(where[0], list) and not settings.get("tls"):
                wait_until(process.answers, "the server does not answer")
            yield process
        finally:
            left = children(popen.pid)
            if popen.poll() is None:
                popen.kill()
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_running(pid: int) -> bool:
    """Say whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def rss(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
