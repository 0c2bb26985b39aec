"""Threads for requests that may wait: a bounded queue in, each connection's `deliver` out."""

import logging
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue

from visitor_tracker.http.message import Application, Request, Response, Stream
from visitor_tracker.net.answers import INTERNAL_ERROR
from visitor_tracker.net.connection import Connection
from visitor_tracker.net.throttle import Throttle

log = logging.getLogger(__name__)

_throttle = Throttle(1.0)


def failed(request: Request, error: Exception) -> Response:
    """Return the 500 for what a handler raised, and log at most one of them a second."""
    if (left_out := _throttle.passes()) is not None:
        what = request.method, request.path[:200]
        log.error("%s %s failed (and %d others since)", *what, left_out, exc_info=error)
    return INTERNAL_ERROR


class Pool:
    """`threads` workers; one that dies is replaced by the next `repair`."""

    def __init__(self, app: Application, *, threads: int, max_queue: int) -> None:
        self._app = app
        self._queue: SimpleQueue[tuple[Connection, Request] | None] = SimpleQueue()
        self._max_queue = max_queue
        self._workers = [self._start() for _ in range(threads)]

    def submit(self, conn: Connection, request: Request) -> bool:
        """Queue a request; False: the queue is full. Called by the loop only."""
        if self._queue.qsize() >= self._max_queue:
            return False
        self._queue.put((conn, request))
        return True

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def repair(self) -> int:
        """Replace dead threads; return how many there were."""
        dead = [number for number, worker in enumerate(self._workers) if not worker.is_alive()]
        for number in dead:
            self._workers[number] = self._start()
        return len(dead)

    def stop(self, timeout_seconds: float) -> None:
        """Let the threads finish what is queued; wait so long for all of them."""
        for _ in self._workers:
            self._queue.put(None)
        until = time.monotonic() + timeout_seconds
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _start(self) -> threading.Thread:
        worker = threading.Thread(target=self._work, name="pool", daemon=True)
        worker.start()
        return worker

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            conn, request = job
            try:
                self._handle(conn, request)
            except BaseException:  # a handler that ends its thread: the request is still answered
                log.exception("a pool thread ends")
                conn.deliver(INTERNAL_ERROR)
                return
            del job, conn, request  # an idle thread holds no request

    def _handle(self, conn: Connection, request: Request) -> None:
        try:
            answer = self._app(request)
        except Exception as error:  # noqa: BLE001  # is in the log
            answer = failed(request, error)
        if isinstance(answer, Response):
            conn.deliver(answer)
            return
        if isinstance(answer, Stream):
            answer.attach(conn.deliver, chunked=request.version != "HTTP/1.0")
            return
        answer.attach(conn.deliver)
        try:
            self._app.flush()
        except Exception:
            log.exception("a batch failed")
            answer.complete(INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class Handling:
    """Who handles requests; without `fast`, all of them go through the pool."""

    app: Application
    pool: Pool
    fast: bool
