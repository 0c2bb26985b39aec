"""One started server: whose socket it is, whether its counts are exact, what a load on it costs."""

import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType

import process
from load import Answers, CheckFailed, Load, wrk
from servers import Launch, Place, Server, environment

START_SECONDS = 60
STOP_SECONDS = 20
JOBS_CHILD = 2  # after the one worker
EXACT_THREADS = 8
EXACT_VISITS = 25
EXACT_TARGET = "/update?url=https%3A%2F%2Fexample.com%2Fexact"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured run; CPU is µs per answer, of the server's process tree and of MariaDB's."""

    rate: float
    cpu_micros: float
    database_micros: float
    p50_micros: float
    p99_micros: float
    resident_bytes: int


class Running:
    """Owns the server's process tree and keeps account of the visits it answered."""

    def __init__(self, server: Server, place: Place) -> None:
        self._server = server
        self._place = place
        self._launch: Launch = server.launch(place)
        self._answered = 0  # visits the server said it counted
        self._doubtful = 0  # visits that wrk may have sent without waiting for their answers
        self._process: subprocess.Popen[bytes] | None = None
        self._held = 0  # a process that must not work during the load

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def port(self) -> int:
        return self._place.port

    def __enter__(self) -> "Running":
        with (self._place.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self._launch.command,
                env=environment(self._launch),
                cwd=self._place.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
            if self._launch.stored is not None and "events" not in self._server.loads:
                self._check_exact()
            if not self._launch.drains:
                self._hold_jobs()
        except CheckFailed as error:
            self._stop()
            raise self._explained(error) from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if isinstance(error, CheckFailed):
            raise self._explained(error) from error

    def warm_up(self, load: Load, seconds: float) -> None:
        """Put the load on the server and forget how it did."""
        self._checked(load, seconds)

    def measure(self, load: Load, seconds: float) -> Sample:
        """Put the load on the server and check that every answer was a stored visit."""
        cpu, database = self._cpu()
        answers = self._checked(load, seconds)
        cpu_after, database_after = self._cpu()
        if not answers.number:
            raise CheckFailed(f"no answer in {seconds:g} s")
        return Sample(
            answers.number / answers.seconds,
            (cpu_after - cpu) / (answers.number + answers.beside) * 1e6,
            (database_after - database) / (answers.number + answers.beside) * 1e6,
            answers.p50_micros,
            answers.p99_micros,
            process.resident_bytes(self.pid),
        )

    def _checked(self, load: Load, seconds: float) -> Answers:
        self._check_owner()
        answers = wrk(self.port, load, seconds)
        self._check_owner()
        self.answered(answers.number + answers.beside, load.connections * (2 if load.beside else 1))
        self._check_stored()
        return answers

    def answered(self, number: int, doubtful: int = 0) -> None:
        """Take note of visits answered, and of those that may have been sent without an answer."""
        self._answered += number
        self._doubtful += doubtful

    def _cpu(self) -> tuple[float, float]:
        database = process.cpu_seconds(self._place.database.pid) if self._server.mariadb else 0.0
        return process.cpu_seconds(self.pid), database

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise CheckFailed("ended while starting")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
                continue
            return self._check_owner()
        raise CheckFailed(f"not listening after {START_SECONDS} s")

    def _hold_jobs(self) -> None:
        """Stop the process that drains the journal, which is started last."""
        deadline = time.monotonic() + START_SECONDS
        while len(children := process.children(self.pid)) < JOBS_CHILD:
            if time.monotonic() > deadline:
                raise CheckFailed("the jobs process did not start")
            time.sleep(0.02)
        self._held = children[-1]
        os.kill(self._held, signal.SIGSTOP)

    def _check_owner(self) -> None:
        if not process.owns_listener(self.pid, self.port):
            raise CheckFailed(f"port {self.port} is not listened on by the process that was started")

    def _check_exact(self) -> None:
        """Count one page from several connections at once: the answers must be 1 … n, each once."""
        with ThreadPoolExecutor(EXACT_THREADS) as threads:
            counts = [count for part in threads.map(self._visit, range(EXACT_THREADS)) for count in part]
        if sorted(counts) != list(range(1, EXACT_THREADS * EXACT_VISITS + 1)):
            raise CheckFailed(f"counts are not exact: {sorted(counts)[:20]} … {max(counts)} of {len(counts)}")
        self.answered(len(counts))
        self._check_stored()

    def _visit(self, _thread: int) -> list[int]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        counts = []
        try:
            for _ in range(EXACT_VISITS):
                connection.request("GET", EXACT_TARGET)
                answer = connection.getresponse()
                counts.append(int(json.loads(answer.read())["visit_count"]))
        except (OSError, HTTPException, ValueError, KeyError) as error:
            raise CheckFailed(f"a visit was not answered with its count: {error!r}") from error
        finally:
            connection.close()
        return counts

    def _check_stored(self) -> None:
        if self._launch.stored is None:
            return
        stored = self._launch.stored()
        if not self._answered <= stored <= self._answered + self._doubtful:
            raise CheckFailed(f"{self._answered} (+ at most {self._doubtful}) visits answered, {stored} stored")

    def _explained(self, error: CheckFailed) -> CheckFailed:
        log = (self._place.folder / "log").read_text(errors="replace")[-2000:]
        return CheckFailed(f"{self._server.name}: {error}\n{log}".rstrip())

    def _stop(self) -> None:
        if self._process is None:
            return
        if self._held:
            os.kill(self._held, signal.SIGCONT)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in process.members_of_session(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
