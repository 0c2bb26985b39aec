"""The parent process: forks the workers, restarts the dead, passes signals on, talks to systemd.

    supervisor ──fork──▶ worker 0 … W-1    each one loop on the shared listening sockets
               └─fork──▶ jobs              work nobody waits for

SIGTERM and SIGINT drain (a second one kills), SIGHUP reloads, SIGCHLD restarts. A child ends with its parent:
the kernel sends it SIGTERM, and a pipe that the parent held open tells it besides.
"""

import ctypes
import logging
import mmap
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from visitor_tracker.metrics import Metrics
from visitor_tracker.net.notify import Notifier

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
HEALTHY_SECONDS = 1.0  # a child that lived shorter is started again only after a pause
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
STALE_SECONDS = 5.0  # a loop without a sign of life for so long does not count as alive
KILL_MARGIN_SECONDS = 1.0  # children keep to grace_seconds themselves; then they are killed
EXIT_CONFIG = 78  # sysexits.h: starting again would not help

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_PR_SET_PDEATHSIG = 1

Work = Callable[[int, Callable[[], None]], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `worker` and `jobs` run in a child and return its exit code.

    `worker` gets its number and the function its loop calls on every tick as its sign of life;
    `reload` reads the settings again and says whether the children shall; `stop_listening` closes
    the parent's copies of the listening sockets. `process` of the metrics: worker n is row n, jobs row `workers`.
    """

    workers: int
    worker: Work
    jobs: Callable[[], int] | None = None
    reload: Callable[[], bool] = bool
    stop_listening: Callable[[], object] = bool
    grace_seconds: float = 10.0


@dataclass(slots=True)
class _Child:
    number: int
    pid: int = 0  # 0: not running
    started: float = 0.0
    start_at: float = 0.0
    pause_seconds: float = 0.0


class Heartbeats:
    """One monotonic time per worker in memory that all processes share."""

    def __init__(self, workers: int) -> None:
        self._beats = memoryview(mmap.mmap(-1, max(1, workers) * 8)).cast("d")

    def beat(self, worker: int) -> None:
        self._beats[worker] = time.monotonic()  # one clock for all processes of a machine

    def clear(self, worker: int) -> None:
        self._beats[worker] = 0.0

    def last(self, worker: int) -> float:
        """Return when the worker's loop was last seen, 0.0 before the first time."""
        return float(self._beats[worker])


class Supervisor:
    """Runs a plan until a signal ends it; only in the main thread of a process that may fork."""

    def __init__(self, plan: Plan, metrics: Metrics, notifier: Notifier | None = None) -> None:
        self._plan = plan
        self._metrics = metrics
        self._notifier = notifier or Notifier()
        self._beats = Heartbeats(plan.workers)
        self._workers = [_Child(number) for number in range(plan.workers)]
        self._jobs = [_Child(plan.workers)] if plan.jobs is not None else []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._life_read, self._life_write = os.pipe2(os.O_CLOEXEC)  # never written; EOF means the parent is gone
        self._ready = False
        self._next_alive = 0.0
        self._kill_at: float | None = None  # set while stopping
        self._exit_code = 0

    def run(self) -> int:
        """Return the exit code when all children have ended."""
        before = {number: signal.signal(number, _take_note) for number in _SIGNALS}
        before_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            self._supervise()
        finally:
            self._kill_all()
            signal.set_wakeup_fd(before_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            for fd in (self._wake_read, self._wake_write, self._life_read, self._life_write):
                os.close(fd)
        return self._exit_code

    def _supervise(self) -> None:
        while True:
            self._start_due()
            for number in self._wait():
                self._on_signal(number)
            self._reap()
            self._report()
            if self._kill_at is not None and self._is_stopped():
                return

    @property
    def _children(self) -> list[_Child]:
        return self._workers + self._jobs

    def _wait(self) -> bytes:
        """Sleep until a signal, or until something is due; return the numbers of the signals."""
        now = time.monotonic()
        due = [child.start_at for child in self._children if not child.pid and self._kill_at is None]
        if self._notifier.watchdog_seconds is not None:
            due.append(self._next_alive)
        if self._kill_at is not None:
            due.append(self._kill_at)
        if not self._ready:
            due.append(now + 0.05)
        seconds = max(0.0, min([POLL_SECONDS, *(moment - now for moment in due)]))
        if not select.select([self._wake_read], [], [], seconds)[0]:
            return b""
        return os.read(self._wake_read, 1024)

    def _on_signal(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            if self._kill_at is None:
                self._begin_to_stop(f"stopping on {signal.Signals(number).name}")
            else:
                log.warning("a second signal: the workers are killed")
                self._kill_all()
        elif number == signal.SIGHUP and self._kill_at is None:
            self._reload()

    def _reload(self) -> None:
        self._notifier.reloading()
        if self._plan.reload():
            self._send(signal.SIGHUP, self._children)
            log.info("reloaded")
        self._notifier.ready()

    # Children.

    def _start_due(self) -> None:
        if self._kill_at is not None:
            return
        for child in self._children:
            if not child.pid and time.monotonic() >= child.start_at:
                self._start(child)

    def _start(self, child: _Child) -> None:
        self._metrics.clear_gauges(child.number)
        is_worker = child.number < self._plan.workers
        if is_worker:
            self._beats.clear(child.number)
        child.started = time.monotonic()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        # Until the child has its own handlers, a signal would reach the parent's wake-up descriptor from there.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child.pid = os.fork()
        if child.pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 70  # sysexits.h: internal software error
        try:
            self._become_child(parent)
            code = self._work(child.number, is_worker)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            log.exception("process %d failed", child.number)
        finally:
            logging.shutdown()
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)  # nothing of the parent's clean-up runs here

    def _work(self, number: int, is_worker: bool) -> int:
        if is_worker:
            return self._plan.worker(number, lambda: self._beats.beat(number))
        return 0 if self._plan.jobs is None else self._plan.jobs()

    def _become_child(self, parent: int) -> None:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says what to do
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for fd in (self._wake_read, self._wake_write, self._life_write):
            os.close(fd)
        told = ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) == 0
        threading.Thread(target=self._end_with_parent, args=(told,), name="parent", daemon=True).start()
        if os.getppid() != parent:
            os._exit(1)

    def _end_with_parent(self, told: bool) -> None:
        """Leave time to drain, then end whatever the process is doing; `told`: the kernel sends the SIGTERM."""
        os.read(self._life_read, 1)
        if not told:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._plan.grace_seconds + KILL_MARGIN_SECONDS)
        os._exit(1)

    def _reap(self) -> None:
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.pid = 0
                self._metrics.clear_gauges(child.number)
                self._plan_restart(child, os.waitstatus_to_exitcode(status))

    def _plan_restart(self, child: _Child, code: int) -> None:
        if self._kill_at is not None:
            return
        name = f"worker {child.number}" if child.number < self._plan.workers else "the jobs process"
        if code == EXIT_CONFIG:
            self._exit_code = code
            self._begin_to_stop(f"{name} cannot work with these settings; stopping")
            return
        now = time.monotonic()
        if now - child.started >= HEALTHY_SECONDS:
            child.pause_seconds = 0.0
        else:
            child.pause_seconds = min(LONGEST_PAUSE_SECONDS, child.pause_seconds * 2 or FIRST_PAUSE_SECONDS)
        child.start_at = now + child.pause_seconds
        reason = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        log.error("%s %s and is started again in %.2f s", name, reason, child.pause_seconds)

    # Stopping.

    def _begin_to_stop(self, reason: str) -> None:
        log.info(reason)
        self._notifier.stopping()
        self._kill_at = time.monotonic() + self._plan.grace_seconds + KILL_MARGIN_SECONDS
        self._send(signal.SIGTERM, self._workers)
        self._plan.stop_listening()

    def _is_stopped(self) -> bool:
        """Go one step on: the jobs process ends after the workers, which may still leave work for it."""
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            log.warning("the grace time is over: what still runs is killed")
            self._kill_all()
            return True
        if not any(child.pid for child in self._workers):
            self._send(signal.SIGTERM, self._jobs)
        return not any(child.pid for child in self._children)

    def _send(self, number: int, children: list[_Child]) -> None:
        for child in children:
            if child.pid:
                os.kill(child.pid, number)

    def _kill_all(self) -> None:
        self._send(signal.SIGKILL, self._children)
        for child in self._children:
            if child.pid:
                os.waitpid(child.pid, 0)
                child.pid = 0

    # systemd.

    def _report(self) -> None:
        now = time.monotonic()
        if not self._ready and all(self._beats.last(child.number) for child in self._workers):
            self._ready = True
            self._notifier.ready()
        period = self._notifier.watchdog_seconds
        if period is not None and now >= self._next_alive:
            self._next_alive = now + period / 4
            if self._all_alive(now, max(STALE_SECONDS, period / 2)):
                self._notifier.alive()

    def _all_alive(self, now: float, longest: float) -> bool:
        """Say whether every running worker's loop turns; one that starts just now counts from its start."""
        return all(
            now - max(child.started, self._beats.last(child.number)) < longest for child in self._workers if child.pid
        )


def _take_note(_number: int, _frame: object) -> None:
    """Do nothing here: the signal's number arrives through the wake-up descriptor."""
