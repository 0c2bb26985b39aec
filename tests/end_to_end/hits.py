"""A crowd of clients that send one request after another and write down what became of each.

One thread serves all of their connections, so that what it measures is the server and not its own lock.
"""

import os
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

ANSWER_SECONDS = 30.0
_AGAIN_SECONDS = 0.02  # after a refused connection or event
_SOON_SECONDS = 0.005  # how exactly a pause is kept
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

Make = Callable[[bytes], bytes]  # the request that brings the event or visit of this id


@dataclass
class Told:
    """What the clients heard of each id; `seconds` has when an answer came and how long it took."""

    accepted: set[bytes] = field(default_factory=set)
    pending: set[bytes] = field(default_factory=set)  # of those accepted: stored, but without a number yet
    refused: set[bytes] = field(default_factory=set)
    unanswered: set[bytes] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    seconds: list[tuple[float, float]] = field(default_factory=list)


def event(event_id: bytes) -> bytes:
    """A page view of a visitor who was never here before."""
    body = b'{"type":"pageview","id":"%s","url":"https://example.com/%d"}' % (event_id.hex().encode(), event_id[0])
    return _request("POST /api/v1/events", event_id, body)


def page_of(visit_id: bytes) -> str:
    """The page that `visit` counts."""
    return f"https://example.com/page/{visit_id[0] % 8}"


def visit(visit_id: bytes) -> bytes:
    """A visit of the per-page counter."""
    return _request(f"GET /update?url={page_of(visit_id)}", visit_id, b"")


class Senders:
    """Sends from `start` to the end of the block, on `connections` connections; `told` is whole after the block.

    Each connection rests for about `rest_seconds` after an answer.
    """

    def __init__(self, port: int, make: Make, *, connections: int = 64, rest_seconds: float = 0.0) -> None:
        self.told = Told()
        self._port = port
        self._make = make
        self._rest_seconds = rest_seconds
        self._selector = selectors.DefaultSelector()
        self._clients = [_Client(source=f"127.0.2.{number + 1}") for number in range(connections)]
        self._finishing = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="senders", daemon=True)

    def __enter__(self) -> "Senders":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finishing.set()
        self._thread.join(4 * ANSWER_SECONDS)
        assert not self._thread.is_alive()
        if self._problem is not None and problem is None:
            raise self._problem

    def __repr__(self) -> str:
        told = self.told
        waiting = sum(client.id is not None for client in self._clients)
        return (
            f"{len(told.accepted)} accepted, {len(told.pending)} of them pending, {len(told.refused)} refused, "
            f"{len(told.unanswered)} unanswered, {waiting} wait, wrong: {told.wrong[:3]}"
        )

    @property
    def accepted(self) -> int:
        """How many were accepted so far; fails at once where an answer was wrong."""
        assert self._problem is None, self._problem
        assert self.told.wrong == []
        return len(self.told.accepted)

    @property
    def pending(self) -> int:
        return len(self.told.pending)

    def _run(self) -> None:
        try:
            while self._go_on(time.monotonic()):
                for key, _ in self._selector.select(_SOON_SECONDS):
                    self._receive(key.data)
        except BaseException as problem:  # noqa: BLE001  # raised again where the block ends
            self._problem = problem
        for client in self._clients:
            self._disconnect(client)
        self._selector.close()

    def _go_on(self, now: float) -> bool:
        """Let all who have rested send; False: everybody has the answer to the last request."""
        finishing = self._finishing.is_set()
        for client in self._clients:
            if client.id is None:
                if not finishing and now >= client.next_at:
                    self._send(client, now)
            elif now - client.sent_at > ANSWER_SECONDS:
                self._lost(client)
        return not finishing or any(client.id is not None for client in self._clients)

    def _send(self, client: "_Client", now: float) -> None:
        try:
            if client.link is None:
                client.link = socket.create_connection(("127.0.0.1", self._port), 1.0, (client.source, 0))
                self._selector.register(client.link, selectors.EVENT_READ, client)
        except OSError:  # the server is just being started again: nothing was sent
            client.next_at = now + _AGAIN_SECONDS
            return
        client.id = os.urandom(16)
        client.sent_at = time.monotonic()
        client.received = b""
        try:
            client.link.sendall(self._make(client.id))
        except OSError:
            self._lost(client)

    def _receive(self, client: "_Client") -> None:
        assert client.link is not None
        try:
            part = client.link.recv(65_536)
        except OSError:
            part = b""
        if not part:
            self._lost(client)
            return
        client.received += part
        head, end, body = client.received.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._note(client, head.decode("latin-1"), body)

    def _note(self, client: "_Client", head: str, body: bytes) -> None:
        told = self.told
        assert client.id is not None
        now = time.monotonic()
        status = int(head.split(" ", 2)[1])
        if status in (200, 202) and "X-Tracker: accepted" in head:
            if b'"pending":true' in body.replace(b" ", b""):
                told.pending.add(client.id)
            told.accepted.add(client.id)
        elif status == 503 and "Retry-After:" in head:
            told.refused.add(client.id)
        else:
            told.wrong.append(f"{head} {body!r}")
        told.seconds.append((now, now - client.sent_at))
        client.id = None
        client.next_at = now + (_AGAIN_SECONDS if status == 503 else random.uniform(0.5, 1.5) * self._rest_seconds)
        if "Connection: close" in head:
            self._disconnect(client)

    def _lost(self, client: "_Client") -> None:
        if client.id is not None:  # else the server has closed a connection that rested
            self.told.unanswered.add(client.id)
        client.id = None
        client.next_at = time.monotonic() + _AGAIN_SECONDS
        self._disconnect(client)

    def _disconnect(self, client: "_Client") -> None:
        if client.link is not None:
            self._selector.unregister(client.link)
            client.link.close()
            client.link = None


@dataclass
class _Client:
    source: str
    link: socket.socket | None = None
    id: bytes | None = None  # of the request that has no answer yet
    sent_at: float = 0.0
    next_at: float = 0.0
    received: bytes = b""


def slowest_of_each_second(told: Told, since: float, until: float) -> Iterator[float]:
    """The 99th percentile of the answers of each whole second between two times, in seconds."""
    by_second: dict[int, list[float]] = {}
    for at, taken in told.seconds:
        if since <= at < until:
            by_second.setdefault(int(at - since), []).append(taken)
    for second in range(int(until - since)):
        answers = sorted(by_second.get(second, [ANSWER_SECONDS]))
        yield answers[int(len(answers) * 0.99)]


def _request(line: str, event_id: bytes, body: bytes) -> bytes:
    digits = event_id[1:7].hex()  # of the first half of an address, which is what tells visitors apart
    fields = {
        "Host": "example.com",
        "User-Agent": _BROWSER,
        "Accept": "*/*",
        "Accept-Language": "en",
        "X-Forwarded-For": f"2a00:{digits[:4]}:{digits[4:8]}:{digits[8:]}::1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + body


def _length(head: bytes) -> int:
    for field_line in head.lower().split(b"\r\n"):
        if field_line.startswith(b"content-length:"):
            return int(field_line.split(b":")[1])
    return 0
