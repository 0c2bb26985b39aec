"""The server as its users start it: a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

import visitor_tracker

SECONDS = 30
_SOURCES = Path(visitor_tracker.__file__).parents[1]
_ADDRESS = re.compile(r"^listening on http://127\.0\.0\.1:(\d+)\n", re.MULTILINE)


class Server:
    """`visitor-tracker serve` with its data in `folder`; `settings` are named as in the environment."""

    def __init__(self, folder: Path, store_url: str, settings: dict[str, str]) -> None:
        self.port = 0
        self._folder = folder
        self._store_url = store_url
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start on the port it had before, any free one the first time, and wait until it takes visits."""
        self._starts += 1
        printed, log = (self._folder / f"server-{self._starts}.{kind}" for kind in ("out", "log"))
        command = [sys.executable, "-m", "visitor_tracker", "serve", "--port", str(self.port)]
        own = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
        with printed.open("wb") as output, log.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self._folder / "data"), "--store", self._store_url],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=self._folder,
                env={**own, **self._settings, "PYTHONPATH": str(_SOURCES)},
            )
        until(lambda: self._is_ready(printed, log), lambda: f"the server is not ready: {log.read_text('utf-8')}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(SECONDS)
            self._process = None

    def count(self, page_url: str) -> int:
        """Return a page's visits, read without the browser."""
        answer = requests.get(f"{self.url}/count", params={"url": page_url}, timeout=SECONDS)
        return int(answer.json()["visit_count"])

    def _is_ready(self, printed: Path, log: Path) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text('utf-8')}")
        address = _ADDRESS.search(printed.read_text("utf-8"))
        if address is None:
            return False
        self.port = int(address[1])
        try:
            return requests.get(f"{self.url}/readyz", timeout=SECONDS).status_code == 200
        except requests.ConnectionError:
            return False


def until(condition: Callable[[], bool], problem: Callable[[], str] = lambda: "it did not happen") -> None:
    """Wait until the condition holds; fail with `problem` when it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(problem())
        time.sleep(0.02)
