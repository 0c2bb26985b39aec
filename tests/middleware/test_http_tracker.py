"""What is sent to a server, and what its answers mean."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.middleware.conftest import Target
from tests.running import Server
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware import Delivered, Refused, Unavailable
from visitor_tracker.middleware.http_tracker import HttpTracker

ACCEPTED = '{"accepted":1,"dropped":[]}'
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Scripted(ThreadingHTTPServer):
    """Answers what it is told, in turn, and remembers who asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.asked: list[tuple[str, str | None, bytes]] = []
        self.peers: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        self.server.peers.append(self.client_address)
        status, headers, text = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Make = Callable[[str, str], HttpTracker]


@pytest.fixture
def made() -> Iterator[Make]:
    """Make trackers that are closed in the end."""
    with ExitStack() as stack:
        yield lambda server, key: stack.enter_context(closing(HttpTracker(server, key)))


def test_a_server_takes_events_once(server_target: Target, made: Make) -> None:
    tracker = made(server_target.options["server"], server_target.options["key"])
    sent = {"url": "https://example.com/a", "ip": "203.0.113.7", "user_agent": FIREFOX}
    events = json.dumps([sent | {"id": "1" * 32}, sent | {"id": "2" * 32}, sent | {"url": "ftp://example.com/"}])
    assert [tracker.send(events.encode()) for _ in range(2)] == [Delivered(2, ("invalid_url",))] * 2
    assert {event.ip for event in server_target.events(2)} == {"203.0.113.7"}


def test_an_unknown_key_may_be_known_next_time(server: Server, made: Make) -> None:
    with pytest.raises(Unavailable, match="401 this send key is not known"):
        made(server.url, f"vt_{'x' * 43}").send(b"[{}]")


@pytest.mark.parametrize(
    ("status", "headers", "text", "error"),
    [
        (503, {"Retry-After": "7"}, '{"error":{"message":"full"}}', Unavailable("503 full", retry_after=7.0)),
        (429, {"Retry-After": "soon"}, "", Unavailable("429 Too Many Requests")),
        (500, {}, "<html>", Unavailable("500 Internal Server Error")),
        (308, {"Location": "https://127.0.0.1/"}, "", Unavailable("308 Permanent Redirect")),
        (404, {}, "{}", Unavailable("404 Not Found")),
        (200, {}, ACCEPTED, Unavailable("200 OK")),
        (202, {}, "[]", Unavailable("what answers there is no Visitor Tracker")),
        (202, {}, "<html>", Unavailable("what answers there is no Visitor Tracker")),
        (400, {}, '{"error":{"message":"odd"}}', Refused("400 odd")),
        (413, {}, '{"error":[]}', Refused("413 Request Entity Too Large")),
    ],
)
def test_answers(  # noqa: PLR0913
    scripted: Scripted,
    made: Make,
    status: int,
    headers: dict[str, str],
    text: str,
    error: Unavailable | Refused,
) -> None:
    scripted.answers = [(status, headers, text), (202, {}, ACCEPTED)]
    tracker = made(scripted.url, "vt_key")
    with pytest.raises(type(error)) as raised:
        tracker.send(b"[1]")
    assert (str(raised.value), vars(raised.value)) == (str(error), vars(error))
    assert tracker.send(b"[1]") == Delivered(1)


def test_a_path_before_the_server_s_own(scripted: Scripted, made: Make) -> None:
    scripted.answers = [(202, {}, ACCEPTED)]
    made(f"{scripted.url}/stats/", "vt_key").send(b"[1]")
    assert scripted.asked == [("/stats/api/v1/events", "Bearer vt_key", b"[1]")]


def test_a_connection_is_kept_and_one_that_ended_is_replaced(scripted: Scripted, made: Make) -> None:
    closed = {"Connection": "close"}
    scripted.answers = [(202, {}, ACCEPTED), (202, closed, ACCEPTED), (202, {}, ACCEPTED)]
    tracker = made(scripted.url, "vt_key")
    assert [tracker.send(b"[1]") for _ in range(3)] == [Delivered(1)] * 3
    first, second, third = scripted.peers
    assert first == second
    assert second != third


def test_a_server_that_is_away_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1: ConnectionRefusedError"):
        HttpTracker(f"http://127.0.0.1:{port}", "vt_key").send(b"[1]")


@pytest.mark.parametrize(
    ("server", "key"),
    [
        ("stats.example.com", "vt_key"),
        ("ftp://stats.example.com", "vt_key"),
        ("http://", "vt_key"),
        ("http://stats.example.com:port", "vt_key"),
        ("http://me:secret@stats.example.com", "vt_key"),
        ("http://stats.example.com/?a=b", "vt_key"),
        ("http://stats.example.com", ""),
        ("http://stats.example.com", "vt_key\n"),
    ],
)
def test_what_cannot_work_is_told_at_once(server: str, key: str) -> None:
    with pytest.raises(ConfigError):
        HttpTracker(server, key)


@pytest.mark.parametrize("server", ["https://ann:s3cr3t@stats.example.com", "https://ann:s3cr3t@stats.example.com:x"])
def test_a_password_in_the_address_is_told_to_nobody(server: str) -> None:
    with pytest.raises(ConfigError, match=r"stats\.example\.com") as told:
        HttpTracker(server, "key")
    assert "s3cr3t" not in str(told.value)
