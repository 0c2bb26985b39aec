"""A receiver that is slow, long-winded, rude or not there keeps nobody."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net.test_tls import make_certificate
from tests.outgoing.mail_server import free_port
from tests.outgoing.receiver import receiver
from visitor_tracker.outgoing.places import Guard
from visitor_tracker.outgoing.posting import ANSWER_MOST, Poster, PostError

GUARD = Guard(("127.0.0.1",))


def test_a_request_says_who_sends_it_and_the_answer_comes_back() -> None:
    with receiver() as hook:
        hook.answers = [(429, b"slow \x07down\n please", {"Retry-After": "120"})]
        answer = Poster(GUARD).post(f"{hook.url}/a?b=c", b"[1]", {"X-More": "yes"})
        [got] = hook.got
    assert (answer.status, answer.retry_after, answer.is_taken) == (429, 120, False)
    assert answer.text == "429 slow down please"
    assert (got.path, got.body, got.headers["x-more"]) == ("/a?b=c", b"[1]", "yes")
    assert got.headers["user-agent"].startswith("Visitor-Tracker/")


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with receiver() as hook:
        hook.answers = [(200, b"x" * 5_000_000, {})]
        answer = Poster(GUARD).post(hook.url, b"", {})
    assert (answer.status, len(answer.body), len(answer.text)) == (200, ANSWER_MOST, 304)


@contextmanager
def speaking(*pieces: bytes) -> Iterator[int]:
    """Run a server that says these without end, the last one again and again."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                    while pieces and not over.wait(0.02):
                        connection.sendall(pieces[-1])
                except OSError:
                    return
                over.wait()

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"H",),
    ],
)
def test_one_that_never_ends_is_left(pieces: tuple[bytes, ...]) -> None:
    with speaking(*pieces) as port, pytest.raises(PostError, match=f"127.0.0.1:{port}"):
        Poster(GUARD, 0.5).post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_one_that_is_not_there_is_told() -> None:
    port = free_port()
    with pytest.raises(PostError, match="refused"):
        Poster(GUARD).post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_no_header_can_be_added() -> None:
    with receiver() as hook, pytest.raises(PostError, match="Invalid header"):
        Poster(GUARD).post(hook.url, b"", {"Authorization": "Bearer x\r\nX-Evil: y"})
    assert hook.got == []


def test_https_is_for_the_name_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_certificate(tmp_path, "hook")  # for the address 127.0.0.1
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hook.crt"))
    with _secure(tmp_path) as port:
        assert Poster(GUARD).post(f"https://127.0.0.1:{port}/", b"{}", {}).text == "200 ok"
    elsewhere = Guard(("127.0.0.1",), lambda host, port: ["127.0.0.1"])
    with _secure(tmp_path) as port, pytest.raises(PostError, match="no encryption"):
        Poster(elsewhere).post(f"https://other.example:{port}/", b"{}", {})
    monkeypatch.delenv("SSL_CERT_FILE")
    with _secure(tmp_path) as port, pytest.raises(PostError, match="no encryption"):
        Poster(GUARD).post(f"https://127.0.0.1:{port}/", b"{}", {})


@contextmanager
def _secure(folder: Path) -> Iterator[int]:
    """Answer one connection by TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "hook.crt", folder / "hook.key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            plain, _ = server.accept()
            with plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        got = b""
                        while not got.endswith(b"{}"):  # the body; what is left unread resets the connection
                            got += connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except OSError:
                    return  # the client has left

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join()
