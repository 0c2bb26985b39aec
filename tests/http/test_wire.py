from email.utils import formatdate

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitor_tracker.http.message import Headers, Response
from visitor_tracker.http.wire import CONTINUE, encode, http_date

DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def written(response: Response, *, keep_alive: bool = True, head: bool = False) -> bytes:
    return encode(response, keep_alive=keep_alive, head=head, date=DATE)


def test_a_response_is_written_whole() -> None:
    assert written(Response(200, b"{}", JSON)) == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: application/json\r\n"
        b"Cache-Control: no-store\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 2\r\n"
        b"\r\n"
        b"{}"
    )


BIG = bytes(range(256)) * 300


@pytest.mark.parametrize(
    ("response", "keep_alive", "head", "expected"),
    [
        (Response(200, b"abc"), True, False, ("3", None, b"abc")),
        (Response(200, b"abc"), True, True, ("3", None, b"")),
        (Response(200, b"abc"), False, False, ("3", "close", b"abc")),
        (Response(200, b"abc", close=True), True, False, ("3", "close", b"abc")),
        (Response(404), True, False, ("0", None, b"")),
        (Response(204), True, False, (None, None, b"")),
        (Response(204, b"abc"), True, False, (None, None, b"")),
        (Response(204), False, False, (None, "close", b"")),
        (Response(304, b"abc"), True, False, (None, None, b"")),
        (Response(200, BIG), True, False, ("76800", None, BIG)),
    ],
)
def test_length_connection_and_body(
    response: Response, keep_alive: bool, head: bool, expected: tuple[str | None, str | None, bytes]
) -> None:
    start, _, body = written(response, keep_alive=keep_alive, head=head).partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in start.decode().split("\r\n")[1:])
    assert (fields.get("Content-Length"), fields.get("Connection"), body) == expected


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK"),
        (413, b"HTTP/1.1 413 Content Too Large"),
        (414, b"HTTP/1.1 414 URI Too Long"),
        (431, b"HTTP/1.1 431 Request Header Fields Too Large"),
        (505, b"HTTP/1.1 505 HTTP Version Not Supported"),
        (599, b"HTTP/1.1 599 "),
    ],
)
def test_the_status_line(status: int, line: bytes) -> None:
    assert written(Response(status)).partition(b"\r\n")[0] == line


@pytest.mark.parametrize(
    "header",
    [
        ("X", "a\r\nSet-Cookie: b"),
        ("X", "a\n"),
        ("X", "a\rb"),
        ("X", "a\0b"),
        ("X", "a\x7f"),
        ("X", "\u0100"),
        ("X", "a\u2028b"),
        ("X\r\nY", "a"),
        ("X Y", "a"),
        ("X:", "a"),
        ("", "a"),
        ("X\u00e9", "a"),
        ("Content-Length", "7"),
        ("transfer-encoding", "chunked"),
        ("Connection", "keep-alive"),
        ("Date", "today"),
    ],
)
def test_a_header_that_could_split_or_frame_the_response_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        written(Response(200, b"", (*JSON, header)))


@pytest.mark.parametrize("status", [0, 99, 600, -1])
def test_a_number_that_is_no_status_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="no status"):
        written(Response(status))


def test_latin_1_passes_through() -> None:
    assert b"\r\nX: caf\xe9\tb\r\n" in written(Response(200, b"", (("X", "caf\u00e9\tb"),)))


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=4), st.binary(max_size=30))
def test_what_is_written_is_one_response_to_another_parser(headers: list[tuple[str, str]], body: bytes) -> None:
    response = Response(200, body, tuple(headers))
    try:
        data = written(response)
    except ValueError:
        return
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    answer = client.next_event()
    assert isinstance(answer, h11.Response)
    assert len(answer.headers) == len(headers) + 2
    read = b""
    while isinstance(event := client.next_event(), h11.Data):
        read += bytes(event.data)
    assert (read, client.trailing_data) == (body, (b"", False))


@given(st.integers(0, 253_402_300_799))
def test_dates_are_imf_fixdates(epoch_seconds: int) -> None:
    assert http_date(epoch_seconds) == formatdate(epoch_seconds, usegmt=True).encode()


def test_continue_is_a_whole_interim_response() -> None:
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"
