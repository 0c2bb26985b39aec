"""The conversation of a loop's connections: bytes in, requests to the application, answers out.

    recv ─▶ parser ─▶ fast? ─yes─▶ app on the loop ─▶ Response ─▶ send
                        │                └─▶ Deferred ─┐ (any thread)        Stream ─▶ `Streams`
                        └─no─▶ queue ─▶ pool thread ───┴─▶ mailbox ─▶ send

Everything here runs on the loop thread. One request of a connection is answered at a time; what the client
pipelines behind it stays in the parser, and beyond connection.PIPELINE_BYTES in the kernel.
"""

import logging
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT

from visitor_tracker.config import HttpConfig
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import ABANDONED, Deferred, Request, Response, Stream, error_response
from visitor_tracker.http.parser import Limits, RequestParser
from visitor_tracker.http.plain import whole_request
from visitor_tracker.http.wire import CONTINUE, encode
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.net import lingering
from visitor_tracker.net.answers import INTERNAL_ERROR, OUT_OF_BUDGET, OVERLOADED, TOO_SLOW
from visitor_tracker.net.connection import (
    BODY,
    BUSY,
    CLOSED,
    HEAD,
    IDLE,
    LINGER,
    NEVER,
    SEND,
    STREAM,
    Connection,
    ConnectionTable,
)
from visitor_tracker.net.pool import Handling, failed
from visitor_tracker.net.streams import Streams
from visitor_tracker.net.tally import Tally

log = logging.getLogger(__name__)

HEAD_READ_BYTES = 8 * 1024
BODY_READ_BYTES = 64 * 1024
PIPELINE_TURN = 64  # requests of one connection before others get their turn


class Exchange:
    """Moves every connection of one loop from phase to phase."""

    def __init__(self, table: ConnectionTable, counters: Counters, http: HttpConfig, handling: Handling) -> None:
        self._table = table
        self._counters = counters
        self._app = handling.app
        self._at_once = handling.app.at_once if handling.fast else lambda _: None
        self._pool = handling.pool
        self.streams = Streams(table, counters, self._answered)
        self.again: dict[Connection, None] = {}  # have had their turn and hold more whole requests
        self.gathered: list[tuple[Connection, Deferred]] = []  # taken since the last flush
        self.taken = self.stopping = False
        self.tally = Tally(counters)
        self._statuses = self.tally.statuses
        self._usual: Response | None = None  # last answer that kept its connection, and its bytes: many are the same
        self._usual_out = b""
        self.dated(b"")
        self.update(http)
        self.tick(0.0)

    def update(self, http: HttpConfig) -> None:
        self._http = http
        self.streams.send_seconds = http.send_seconds
        self._limits = Limits(http.max_target, http.max_field, http.max_head, http.max_fields, http.max_body)

    def dated(self, date: bytes) -> None:
        """Let answers have this date from now on."""
        self.date = date
        self._usual = None

    def begin_to_stop(self) -> None:
        """Keep no connection any more whose requests are answered."""
        self.stopping = True
        self._usual = None

    def _body_limit(self, method: str, path: str) -> int:
        return self._app.body_limit(method, path) or self._limits.body

    def tick(self, now: float) -> None:
        """Note the (monotonic) time, once for all that one wait of the loop brought."""
        self.now = now
        self.idle_deadline = now + self._http.idle_seconds

    # Reading.

    def receive(self, conn: Connection) -> None:
        """Read once and go as far as that leads."""
        try:
            piece = conn.recv(HEAD_READ_BYTES if conn.phase != BODY else BODY_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._table.close(conn)
            return
        if not piece:
            self._half_closed(conn)
            return
        parser = conn.parser
        if parser is None:
            if conn.phase == IDLE and (request := whole_request(piece, self._limits, conn.peer)) is not None:
                self._dispatch(conn, request)
                return
            parser = conn.parser = RequestParser(self._limits, conn.peer, self._body_limit)
        parser.feed(piece)
        if conn.phase < BUSY:
            self.advance(conn)
        if conn.holds_enough:
            self._table.watch(conn, 0)

    def handle(self, conn: Connection, event: int) -> None:
        """Act on what epoll says of a connection that is not simply readable between two answers."""
        if event & EPOLLOUT and conn.phase == SEND:
            self._send_rest(conn)
        elif conn.phase == STREAM:
            self.streams.look(conn, event, self.now)
        elif event & EPOLLIN and conn.phase == LINGER:
            lingering.read(self._table, conn)
        elif event & EPOLLIN and conn.phase <= BUSY:
            self.receive(conn)
        elif event & (EPOLLHUP | EPOLLERR):
            self._table.close(conn)

    def advance(self, conn: Connection) -> None:
        """Take whole requests out of the parser until one must wait, or nothing whole is left."""
        parser = conn.parser
        if parser is None:
            return
        for _ in range(PIPELINE_TURN):
            try:
                request = parser.next_request()
            except HttpError as error:
                self._counters.add(Cell.BAD_REQUESTS)
                self._refuse(conn, error)
                return
            if request is None:
                self._wait_for_more(conn, parser)
                return
            self._dispatch(conn, request)
            if not parser.buffered:
                conn.parser = None
                return
            if conn.phase != IDLE:
                return
        self.again[conn] = None

    def _wait_for_more(self, conn: Connection, parser: RequestParser) -> None:
        if parser.in_body:
            self._table.charge(conn, parser.buffered)
            if self._table.held > self._http.body_budget:
                self._counters.add(Cell.OVERLOADED)
                self._refuse(conn, OUT_OF_BUDGET)
            elif conn.phase != BODY:
                conn.phase = BODY
                conn.started = self.now
                conn.deadline = self.now + self._http.body_seconds
                self._invite_body(conn, parser)
        elif parser.in_head and conn.phase != HEAD:
            conn.phase = HEAD
            conn.deadline = self.now + self._http.header_seconds

    def _invite_body(self, conn: Connection, parser: RequestParser) -> None:
        if parser.take_expect():
            try:
                conn.send(CONTINUE)  # few bytes into an empty socket buffer: all or nothing
            except OSError:
                self._table.close(conn)

    def _half_closed(self, conn: Connection) -> None:
        """The client sends no more: an unfinished request is dropped, a whole one is still answered."""
        if conn.phase < BUSY and conn not in self.again:
            self._table.close(conn)
        else:
            conn.eof = True
            self._table.watch(conn, 0)

    # Handling.

    def _dispatch(self, conn: Connection, request: Request) -> None:
        conn.keep = request.keep_alive
        conn.head = request.method == "HEAD"
        try:
            answer = self._at_once(request)
        except Exception as error:  # noqa: BLE001  # is in the log
            answer = failed(request, error)
        except SystemExit:  # ends a thread, but the loop is none of the handler's
            log.exception("a handler tried to end the loop")
            answer = INTERNAL_ERROR
        if isinstance(answer, Deferred):  # as nearly always; counted by `flush`
            conn.phase = BUSY
            conn.deadline = NEVER
            self.gathered.append((conn, answer))
            return
        self.tally.requests += 1
        if answer is None:
            self._enqueue(conn, request)
            return
        self.taken = True
        if isinstance(answer, Response):
            self.answer(conn, answer)
            return
        conn.phase = BUSY
        conn.deadline = NEVER
        answer.attach(conn.deliver, chunked=request.version != "HTTP/1.0")

    def _enqueue(self, conn: Connection, request: Request) -> None:
        conn.phase = BUSY
        conn.deadline = NEVER
        self._table.charge(conn, len(request.body))
        if self._table.held > self._http.body_budget or not self._pool.submit(conn, request):
            self._counters.add(Cell.OVERLOADED)
            self.answer(conn, OVERLOADED)

    def flush(self) -> None:
        """Let the application start the work of everything taken since the last flush, and send what is answered."""
        gathered, self.gathered, self.taken = self.gathered, [], False
        self.tally.requests += len(gathered)
        try:
            self._app.flush()
        except (Exception, SystemExit):  # nobody knows what became of the batch
            log.exception("a batch failed")
            for _, deferred in gathered:
                deferred.abandon()
        for conn, deferred in gathered:
            answer = deferred.answer
            if answer is None:
                deferred.attach(conn.deliver)
            elif answer is self._usual and self._sent_usual(conn):
                self._statuses.append(answer.status)
            else:
                self.complete(conn, None if answer is ABANDONED else answer)

    def complete(self, conn: Connection, response: Response | Stream | None) -> None:
        """Take the answer that came from another thread, or from the batch."""
        if conn.phase != BUSY:  # closed meanwhile, or a stream goes on
            if isinstance(response, Stream):
                self.streams.go_on(conn, response, self.now)
            return
        if response is None:
            self._counters.add(Cell.ABANDONED)
            self._table.close(conn)
            return
        if isinstance(response, Stream):
            if self.streams.begin(conn, response, self.date, self.now, is_last=self.stopping):
                return
            response = INTERNAL_ERROR
        self.answer(conn, response)
        if conn.phase == IDLE and (conn.parser is not None or conn.eof or conn.interest != EPOLLIN):
            self._resume(conn)

    def take_turns(self) -> None:
        """Go on with the connections that had more whole requests than fit in one turn."""
        turns, self.again = self.again, {}
        for conn in turns:
            if conn.phase == IDLE:
                self._resume(conn)

    # Answering.

    def answer(self, conn: Connection, response: Response) -> None:
        """Write an answer; the connection is then idle, closed, lingering, or waits for its client to read."""
        if response is self._usual and conn.keep and not conn.head:
            keep, out = True, self._usual_out
        else:
            response, keep, out = self._encoded(conn, response)
        self._statuses.append(response.status)
        if conn.held:
            self._table.charge(conn, 0)
        try:
            sent = conn.send(out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._table.close(conn)
            return
        conn.keep = keep
        if sent < len(out):
            self._send_later(conn, out, sent)
        elif keep:
            conn.phase = IDLE
            conn.deadline = self.idle_deadline
        else:
            self._answered(conn)

    def _sent_usual(self, conn: Connection) -> bool:
        """Send the last answer once more where nothing about the connection is unusual either; False: `answer` must."""
        if conn.phase != BUSY or not conn.keep or conn.head or conn.held or conn.parser is not None:
            return False
        if conn.eof or conn.interest != EPOLLIN:
            return False
        out = self._usual_out
        try:
            sent = conn.send(out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._table.close(conn)
            return True
        if sent < len(out):
            self._send_later(conn, out, sent)
        else:
            conn.phase = IDLE
            conn.deadline = self.idle_deadline
        return True

    def _send_later(self, conn: Connection, out: bytes, sent: int) -> None:
        conn.out = memoryview(out)[sent:]
        conn.phase = SEND
        conn.deadline = self.now + self._http.send_seconds
        self._table.watch(conn, EPOLLOUT)

    def _encoded(self, conn: Connection, response: Response) -> tuple[Response, bool, bytes]:
        """Return what is to be answered, whether that keeps the connection, and its bytes."""
        keep = conn.keep and not response.close
        if self.stopping and keep:  # until what was received is answered
            keep = conn.parser is not None and conn.parser.buffered > 0
        try:
            out = encode(response, keep_alive=keep, head=conn.head, date=self.date)
        except Exception:  # no answer of the application's may end the loop, such as one with a header of two lines
            log.exception("an answer cannot be written")
            out = encode(INTERNAL_ERROR, keep_alive=False, head=conn.head, date=self.date)
            return INTERNAL_ERROR, False, out
        if keep and not conn.head and not self.stopping:
            self._usual, self._usual_out = response, out
        return response, keep, out

    def _answered(self, conn: Connection) -> None:
        if conn.keep:
            conn.phase = IDLE
            conn.deadline = self.idle_deadline
        elif conn.linger or (conn.parser is not None and conn.parser.buffered):
            lingering.begin(self._table, conn, self.now)
        else:
            self._table.close(conn)

    def _send_rest(self, conn: Connection) -> None:
        if conn.out is None:
            return
        try:
            conn.out = conn.out[conn.send(conn.out) :]
        except BlockingIOError:
            return
        except OSError:
            self._table.close(conn)
            return
        if not conn.out:
            conn.out = None
            self._answered(conn)
            if conn.phase == IDLE:
                self._resume(conn)

    def _resume(self, conn: Connection) -> None:
        """Go on after an answer that came late: with what was pipelined, else with reading."""
        if conn.parser is not None and conn.parser.buffered:
            self.advance(conn)
        if conn.eof and conn.phase < BUSY and conn not in self.again:
            self._table.close(conn)
        elif conn.phase <= BUSY and not conn.eof:
            self._table.watch(conn, 0 if conn.holds_enough else EPOLLIN)

    def _refuse(self, conn: Connection, error: HttpError) -> None:
        """Answer, and read no more requests from this connection."""
        conn.keep = conn.head = False
        conn.linger = True
        conn.parser = None
        self.answer(conn, error_response(error, close=True))

    # Ending.

    def expire(self, conn: Connection) -> None:
        """Act on a deadline that has passed."""
        if conn.phase == HEAD:
            self._counters.add(Cell.CLOSED_HEADER_DEADLINE)
            self._refuse(conn, TOO_SLOW)
        elif conn.phase == BODY:
            self._judge_body(conn)
        elif conn.phase in (SEND, STREAM):
            self._counters.add(Cell.CLOSED_SEND_DEADLINE)
            self._table.abort(conn)
        elif conn.phase != CLOSED:
            if conn.phase == IDLE:
                self._counters.add(Cell.CLOSED_IDLE)
            self._table.close(conn)

    def _judge_body(self, conn: Connection) -> None:
        received = 0 if conn.parser is None else conn.parser.body_bytes
        allowed = conn.started + max(self._http.body_seconds, received / self._http.body_rate)
        if allowed > self.now:
            conn.deadline = allowed
        else:
            self._counters.add(Cell.CLOSED_BODY_DEADLINE)
            self._refuse(conn, TOO_SLOW)
