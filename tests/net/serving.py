"""A small application, a loop that serves it, and a client that reads answers exactly."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from visitor_tracker.config import HttpConfig, ServerConfig, TlsConfig
from visitor_tracker.http.message import Answer, Deferred, Headers, Request, Response, Stream
from visitor_tracker.metrics import Cell, Counters, Metrics
from visitor_tracker.net.listen import Listener, close_listeners, open_listeners
from visitor_tracker.net.loop import Loop, LoopOptions
from visitor_tracker.net.tls import TlsAcceptor

PATIENCE_SECONDS = 15.0
STREAMS = ("/stream", "/stream-pool", "/stream-bad")
POOL_PATHS = ("/stream-pool", "/slow", "/nap", "/pool", "/exit", "/raise-pool", "/echo", "/join")
ANSWERED_EARLY = ("/done", "/gone")
BIG = b"0123456789abcdef" * (256 * 1024)  # 4 MiB: more than the socket buffers of both sides take


def _burn(seconds: float) -> None:
    """Have a core for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class TinyApp:
    """One path for every way a handler can behave."""

    def __init__(self) -> None:
        self.gate = threading.Event()  # /slow waits for it
        self.handled: list[str] = []
        self.held: list[Deferred] = []  # of /held; completed by the test
        self.streams: list[Stream] = []  # of /stream; the test pushes
        self.closed = 0  # of those
        self.batches: list[int] = []
        self._batch: list[Deferred] = []

    def body_limit(self, method: str, path: str) -> int:
        return 1 << 20 if path == "/large" else 0

    def at_once(self, request: Request) -> Answer | None:
        return None if request.path in POOL_PATHS else self(request)

    def __call__(self, request: Request) -> Answer:
        self.handled.append(request.path)
        if request.path in ANSWERED_EARLY:
            return self._answered_early(request)
        match request.path:
            case "/held":
                self.held.append(Deferred())
                return self.held[-1]
            case "/batch" | "/join":
                self._batch.append(Deferred())
                return self._batch[-1]
            case "/raise" | "/raise-pool":
                raise ValueError("as asked for")
            case "/exit" | "/exit-fast":
                raise SystemExit(3)
            case "/nap":
                time.sleep(0.7)  # a request that runs while the server is asked to stop
            case "/slow":
                self.gate.wait(PATIENCE_SECONDS)
        return self._stream(request.path) if request.path in STREAMS else self._plain(request)

    def flush(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            self.batches.append(len(batch))
        for deferred in batch:
            deferred.complete(Response(200, b"stored"))

    def _stream(self, path: str) -> Stream:
        headers: Headers = (("Content-Type", "text/plain\r\n" if path == "/stream-bad" else "text/plain"),)

        def close() -> None:
            self.closed += 1

        self.streams.append(Stream(headers, b"first ", close))
        return self.streams[-1]

    def _answered_early(self, request: Request) -> Deferred:
        """Answer as another thread does that is quicker than the batch."""
        answered = Deferred()
        answered.complete(Response(200, b"done") if request.path == "/done" else None)
        return answered

    def _plain(self, request: Request) -> Response:
        match request.path:
            case "/burn":
                _burn(0.3)
            case "/big":
                return Response(200, BIG)
            case "/echo" | "/echo-fast":
                return Response(200, request.body)
            case "/peer":
                return Response(200, f"{request.peer.address} {request.peer.unix} {request.peer.secure}".encode())
            case "/close":
                return Response(200, b"bye", close=True)
            case "/split":
                return Response(200, b"", (("X-Page", "a\r\nSet-Cookie: stolen=1"),))
        return Response(200, b"pong")


@dataclass
class Serving:
    """A loop in a thread of this process."""

    listeners: list[Listener]
    app: TinyApp
    loop: Loop
    counters: Counters
    thread: threading.Thread = field(default_factory=threading.Thread)

    @property
    def port(self) -> int:
        return int(self.listeners[0].sock.getsockname()[1])

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return connect(self.port, source)

    def ask(self, request: bytes) -> "Answered":
        """Send one request over a connection of its own."""
        with self.connect() as sock:
            sock.sendall(request)
            return Reader(sock).answer()

    def count(self, cell: Cell) -> int:
        return self.counters.get(cell)


@contextmanager
def serving(
    http: HttpConfig | None = None,
    *,
    server: ServerConfig | None = None,
    tls: TlsConfig | None = None,
    options: LoopOptions | None = None,
) -> Iterator[Serving]:
    """Serve a TinyApp until the block ends, which the loop must survive."""
    options = options or LoopOptions(http or HttpConfig(threads=2), grace_seconds=2.0)
    acceptor = TlsAcceptor(tls) if tls is not None else None
    listeners = open_listeners(server or ServerConfig(port=0), backlog=1024, secure=tls is not None, environment={})
    port = listeners[0].sock.getsockname()[1:2]
    counters = Metrics().counters()
    app = TinyApp()
    served = Serving(listeners, app, Loop(listeners, app, options, counters, acceptor), counters)
    assert port or server is not None
    served.thread = threading.Thread(target=served.loop.run)
    served.thread.start()
    try:
        yield served
    finally:
        app.gate.set()
        alive = served.thread.is_alive()
        served.loop.stop_now()
        served.thread.join(PATIENCE_SECONDS)
        close_listeners(listeners, remove_files=True)
    assert not served.thread.is_alive(), "the loop does not stop"
    assert alive or served.loop.stopped.is_set(), "the loop died"


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS, (source, 0))


def get(path: str, *fields: str, version: str = "1.1", method: str = "GET") -> bytes:
    """Return the bytes of a request without a body."""
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(path: str, body: bytes, *fields: str) -> bytes:
    return get(path, f"Content-Length: {len(body)}", *fields, method="POST") + body


@dataclass(frozen=True)
class Answered:
    """What a client read; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Reader:
    """Reads the answers of one connection, by their lengths."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""

    def answer(self, *, head: bool = False) -> Answered:
        """Read one answer; raise EOFError if the connection ends before."""
        while b"\r\n\r\n" not in self._rest:
            self._more()
        raw, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        if not head and headers.get("transfer-encoding") == "chunked":
            return Answered(int(first.split(" ")[1]), headers, b"")  # `chunk` reads on
        length = 0 if head else int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._more()
        body, self._rest = self._rest[:length], self._rest[length:]
        return Answered(int(first.split(" ")[1]), headers, body)

    def chunk(self) -> bytes:
        """Read one chunk (RFC 9112, 7.1); nothing is the last."""
        size = int(self._until(b"\r\n"), 16)
        while len(self._rest) < size + 2:
            self._more()
        piece, end, self._rest = self._rest[:size], self._rest[size : size + 2], self._rest[size + 2 :]
        assert end == b"\r\n", piece + end
        return piece

    def to_end(self) -> bytes:
        """Read until the connection ends."""
        try:
            while True:
                self._more()
        except EOFError:
            return self._rest

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(end)
        return found

    def line(self) -> bytes:
        """Read to the end of an interim answer."""
        while b"\r\n\r\n" not in self._rest:
            self._more()
        raw, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return raw

    def ends(self) -> bool:
        """Wait for the end of the connection; False if bytes come first."""
        if self._rest:
            return False
        try:
            return self._sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def _more(self) -> None:
        piece = self._sock.recv(65536)
        if not piece:
            raise EOFError(f"the connection ended after {self._rest!r}")
        self._rest += piece


def wait_until(holds: Callable[[], object], what: str = "") -> None:
    """Poll until something holds; fail after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what or "waited too long"
        time.sleep(0.005)


def assert_not_delayed(sock: socket.socket) -> None:
    """Ask 500 times: the slow and the many beside this client must not hold it up.

    Whoever blocks a thread does so for the seconds of a deadline; the bound leaves room for a busy machine.
    """
    reader = Reader(sock)
    times = []
    for _ in range(500):
        began = time.monotonic()
        sock.sendall(get("/ping"))
        assert reader.answer().status == 200
        times.append(time.monotonic() - began)
    assert sorted(times)[-5] < 0.5  # p99
