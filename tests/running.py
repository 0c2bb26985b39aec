"""The server as its users start it: processes of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import requests

SECONDS = 60.0
_SET_UP = re.compile(r"make the first one at  \S+/setup#(\S+)")
_ADDRESS = re.compile(r"listening on https?://[^ ]*?:(\d+)\s")


class Server:
    """`visitor-tracker serve` with its data in `folder`; settings are named as in the environment."""

    def __init__(
        self,
        folder: Path,
        store_url: str = "",
        settings: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        *,
        certificate: Path | None = None,
    ) -> None:
        self.folder = folder
        self.store_url = store_url
        self.port = 0
        self._store = ["--store", store_url] if store_url else []
        self._settings = dict(settings or {})
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no certificates but the test's own
        self._scheme = "https" if certificate else "http"
        if certificate:
            self.session.verify = str(certificate)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The supervisor, or the only process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the last start has printed so far."""
        return (self.folder / f"server-{self._starts}.log").read_text(errors="replace")

    def start(self) -> None:
        """Start on the port it had before, any free one the first time, and wait until it takes visits."""
        self._starts += 1
        command = [sys.executable, "-m", "visitor_tracker", "serve", "--port", str(self.port), *self._arguments]
        with (self.folder / f"server-{self._starts}.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self.folder / "data"), *self._store],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
            )
        until(self._is_ready, lambda: f"the server did not start: {self.log}")

    def stop(self) -> int:
        """End it as systemd would; return its exit code, 0 when it is not running."""
        if self._process is None:
            return 0
        self.send(signal.SIGTERM)
        code = self._process.wait(SECONDS)
        self._process = None
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait until it has ended by itself; return its exit code."""
        assert self._process is not None
        return self._process.wait(SECONDS)

    def kill9(self) -> None:
        """End all of its processes at once, as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(SECONDS)
            self._process = None

    def children(self) -> list[int]:
        """Return the process ids of workers and jobs, oldest first."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return sorted(int(pid) for pid in path.read_text().split())

    def count(self, page_url: str) -> int:
        """Return a page's visits."""
        answer = self.session.get(f"{self.url}/count", params={"url": page_url}, timeout=SECONDS)
        return int(answer.json()["visit_count"])

    def set_up(self, username: str, password: str, **more: str) -> None:
        """Make the first account with the link of the log, and wait until everybody needs a proof."""
        found = _SET_UP.search(self.log)
        assert found, self.log
        asked = {"username": username, "password": password, "token": found[1], **more}
        made = self.session.post(f"{self.url}/api/v1/setup", json=asked, timeout=SECONDS)
        assert made.status_code == 201, made.text
        self.session.cookies.clear()
        until(lambda: self.session.get(f"{self.url}/api/v1/sites", timeout=SECONDS).status_code == 401)

    @cached_property
    def admin(self) -> dict[str, str]:
        """Headers with an admin's key, made on the command line."""
        return {"Authorization": f"Bearer {self.run('key', 'add', 'operator', '--scope', 'admin').strip()}"}

    def run(self, *arguments: str) -> str:
        """Run a command on the server's data, which must succeed; return what it prints."""
        command = [sys.executable, "-m", "visitor_tracker", *arguments, "--data-dir", str(self.folder / "data")]
        made = subprocess.run(
            [*command, *self._store],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS * 10,
            cwd=self.folder,
            env=self._environment(),
        )
        assert made.returncode == 0, made.stderr
        return made.stdout

    def metric(self, name: str) -> int:
        """Return a counter of /metrics."""
        text = self.session.get(f"{self.url}/metrics", timeout=SECONDS).text
        found = re.search(rf"^visitor_tracker_{name} (\d+)$", text, re.MULTILINE)
        assert found, f"no metric {name} in {text}"
        return int(found[1])

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
        return {**own, "PYTHONPATH": os.pathsep.join(sys.path), **self._settings}

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log}")
        printed = _ADDRESS.search(self.log)
        if printed is None:
            return False
        self.port = int(printed[1])
        try:
            return self.session.get(f"{self.url}/readyz", timeout=SECONDS).status_code == 200
        except requests.ConnectionError:
            return False


def until(condition: Callable[[], object], problem: Callable[[], str] = lambda: "it did not happen") -> None:
    """Wait until the condition holds; fail with `problem` when it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(problem())
        time.sleep(0.02)
