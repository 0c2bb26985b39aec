"""One thread that owns all sockets of a worker: accepts, waits, and lets `Exchange` do the rest.

Between two waits it looks at everything that is ready. While requests join the application's batch it asks
again without waiting, so that the batch holds all that is ready right now, up to GATHER_MOST, and is started once.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from select import EPOLLET, EPOLLIN

from visitor_tracker.config import HttpConfig
from visitor_tracker.http.message import Application
from visitor_tracker.http.wire import http_date
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.net.acceptor import Acceptor, Room
from visitor_tracker.net.connection import BUSY, CLOSED, IDLE, AddressBook, ConnectionTable, Delivery
from visitor_tracker.net.effort import Effort
from visitor_tracker.net.exchange import Exchange
from visitor_tracker.net.listen import Listener
from visitor_tracker.net.mailbox import Mailbox
from visitor_tracker.net.pool import Handling, Pool
from visitor_tracker.net.tls import TlsAcceptor

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5  # how late a deadline may be noticed
DRAIN_TICK_SECONDS = 0.05
GATHER_MOST = 512
GATHER_SECONDS = 0.01  # the longest a request waits for others to join its batch
PARSER_KEPT_SECONDS = 1.0  # an idle connection gives its parser up after this time
LAST_REQUEST_SECONDS = 0.25  # when stopping, a kept-alive connection may send one more request for so long
POOL_STOP_SECONDS = 1.0


def _nobody(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What a reload may change, and the limits and deadlines of the settings."""

    http: HttpConfig = field(default_factory=HttpConfig)
    grace_seconds: float = 10.0
    is_trusted: Callable[[str], bool] = _nobody  # whether an address is a trusted proxy, which has no cap
    on_tick: Callable[[], None] | None = None  # called at least every TICK_SECONDS: the loop is alive


class Loop:
    """Serves the listeners in the thread that calls `run`."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        app: Application,
        options: LoopOptions,
        counters: Counters,
        tls: TlsAcceptor | None = None,
    ) -> None:
        self._options = options
        self._counters = counters
        self._tls = tls
        self._mailbox: Mailbox[Delivery] = Mailbox()
        addresses = AddressBook(options.http.max_per_address, options.is_trusted)
        self._table = ConnectionTable(counters, addresses)
        self._pool = Pool(app, threads=options.http.threads, max_queue=options.http.max_queue)
        handling = Handling(app, self._pool, fast=options.http.dispatch == "lanes")
        self._exchange = Exchange(self._table, counters, options.http, handling)
        self._acceptor = Acceptor(
            listeners, Room(self._table, self._mailbox, counters), self._exchange, options.http, tls
        )
        self._stop_requested = False
        self._give_up_at: float | None = None
        self._pending_update: LoopOptions | None = None
        self._next_tick = 0.0
        self._gather_until = 0.0
        self._dated = 0
        self._effort = Effort()
        self._waited = 0.0  # seconds, for something to do
        self.stopped = threading.Event()

    def run(self) -> None:
        """Serve until `stop` was called and what had been received is answered, or grace_seconds are over."""
        epoll = self._table.epoll
        epoll.register(self._mailbox.fd, EPOLLIN | EPOLLET)
        self._acceptor.listen()
        if self._tls is not None:
            self._tls.start(self._mailbox.wake)
        try:
            self._tick(time.monotonic())
            self._serve()
        finally:
            self._shut_down()

    def stop(self) -> None:
        """Accept no more, answer what was received, end; from any thread or a signal handler."""
        self._stop_requested = True
        self._mailbox.wake()

    def stop_now(self) -> None:
        """End without waiting for anybody; from any thread or a signal handler."""
        self._give_up_at = 0.0
        self.stop()

    def update(self, options: LoopOptions) -> None:
        """Use other options from the next tick on; from any thread or a signal handler."""
        self._pending_update = options
        self._mailbox.wake()

    # The loop thread.

    def _serve(self) -> None:
        exchange, mailbox, poll = self._exchange, self._mailbox, self._table.epoll.poll
        while True:
            if exchange.gathered or exchange.again:
                events = poll(0)
            else:
                before = time.monotonic()
                events = poll(self._wait_seconds() if mailbox.about_to_wait() else 0)
                mailbox.awake()
                self._waited += time.monotonic() - before
            now = time.monotonic()
            exchange.tick(now)
            gathered = len(exchange.gathered)
            self._look_at(events)
            if exchange.again:
                exchange.take_turns()
            if (exchange.gathered or exchange.taken) and self._is_batch_full(gathered, now):
                exchange.flush()
            while delivery := mailbox.take():
                exchange.complete(*delivery)
            exchange.tally.publish()
            if now >= self._next_tick and self._tick(now):
                return

    def _is_batch_full(self, before: int, now: float) -> bool:
        """Say whether more waiting would bring nothing: nothing joined just now, enough did, or it took too long."""
        number = len(self._exchange.gathered)
        if before == 0:
            self._gather_until = now + GATHER_SECONDS
        return number == before or number >= GATHER_MOST or now >= self._gather_until

    def _look_at(self, events: list[tuple[int, int]]) -> None:
        exchange, find = self._exchange, self._table.open.get
        receive = exchange.receive
        for fd, event in events:
            conn = find(fd)
            try:
                if conn is None:
                    self._look_elsewhere(fd)
                elif event == EPOLLIN and conn.phase < BUSY:
                    receive(conn)
                else:
                    exchange.handle(conn, event)
            except Exception:
                log.exception("a connection failed and is closed")
                if conn is not None:
                    self._table.close(conn)

    def _look_elsewhere(self, fd: int) -> None:
        if fd != self._mailbox.fd:
            self._acceptor.accept(fd)
            return
        self._collect_handshakes()
        if self._pending_update is not None or (self._stop_requested and not self._exchange.stopping):
            self._next_tick = 0.0

    def _collect_handshakes(self) -> None:
        while self._tls is not None and (done := self._tls.take()):
            self._acceptor.after_handshake(*done)

    def _wait_seconds(self) -> float:
        return DRAIN_TICK_SECONDS if self._exchange.stopping else TICK_SECONDS

    def _tick(self, now: float) -> bool:
        """Do what is due now and then; True: the loop is done."""
        self._next_tick = now + self._wait_seconds()
        if self._pending_update is not None:
            self._apply(self._pending_update)
        if (second := int(time.time())) != self._dated:
            self._dated = second
            self._exchange.dated(http_date(second))
        if self._stop_requested and not self._exchange.stopping:
            self._begin_to_stop(now)
        self._acceptor.recover()
        self._sweep(now)
        self._keep_house()
        return self._exchange.stopping and self._is_drained(now)

    def _apply(self, options: LoopOptions) -> None:
        self._pending_update = None
        self._options = options
        self._exchange.update(options.http)
        self._table.addresses.update(options.http.max_per_address, options.is_trusted)

    def _sweep(self, now: float) -> None:
        unused = now + self._options.http.idle_seconds - PARSER_KEPT_SECONDS
        expired = []
        for conn in self._table.open.values():
            if conn.deadline < now:
                expired.append(conn)
            elif conn.phase == IDLE and conn.parser is not None and conn.deadline < unused and conn.parser.idle:
                conn.parser = None
        for conn in expired:
            self._exchange.expire(conn)

    def _keep_house(self) -> None:
        if replaced := self._pool.repair():
            self._counters.add(Cell.THREADS_REPLACED, replaced)
        self._counters.set(Cell.BODY_BYTES_HELD, self._table.held)
        self._counters.set(Cell.QUEUED, self._pool.waiting)
        self._counters.set(Cell.LOOP_BUSY_MILLISECONDS, self._effort.milliseconds(self._waited))
        if self._options.on_tick is not None:
            self._options.on_tick()

    # Stopping.

    def _begin_to_stop(self, now: float) -> None:
        self._exchange.begin_to_stop()
        self._acceptor.close()
        if self._give_up_at is None:
            self._give_up_at = now + self._options.grace_seconds
        self._next_tick = now + DRAIN_TICK_SECONDS
        if self._tls is not None:
            self._tls.stop()
            self._collect_handshakes()
        self._exchange.streams.end(now)
        for conn in self._table.open.values():
            if conn.phase == IDLE:
                conn.deadline = min(conn.deadline, now + LAST_REQUEST_SECONDS)

    def _is_drained(self, now: float) -> bool:
        if self._table.open and self._give_up_at is not None and now < self._give_up_at:
            return False
        if self._table.open:
            log.warning("stopped with %d connections still open", len(self._table.open))
        return True

    def _shut_down(self) -> None:
        self._acceptor.close()
        for conn in list(self._table.open.values()):
            if conn.phase != CLOSED:
                self._table.abort(conn)
        self._pool.stop(POOL_STOP_SECONDS)
        self._table.epoll.close()
        self._counters.set(Cell.QUEUED, 0)
        self._counters.set(Cell.BODY_BYTES_HELD, 0)
        self.stopped.set()
