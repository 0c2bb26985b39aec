"""The short way through a head: it gives what the parser gives, and remembers nothing of a single client."""

import pytest

from visitor_tracker.http import plain
from visitor_tracker.http.grammar import Limits
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.http.parser import RequestParser
from visitor_tracker.http.plain import whole_request

LIMITS, PEER = Limits(), Peer("192.0.2.1")
SHARED = b"Host: example.com\r\nAccept: */*\r\nAccept-Language: de\r\nSec-Fetch-Mode: cors\r\n"


def whole(piece: bytes) -> Request | None:
    return whole_request(piece, LIMITS, PEER)


def parsed(piece: bytes) -> Request | None:
    parser = RequestParser(LIMITS, PEER)
    parser.feed(piece)
    return parser.next_request()


def get(target: bytes = b"/update?url=a", lines: bytes = SHARED) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + lines + b"\r\n"


def post(body: bytes, lines: bytes = b"") -> bytes:
    length = str(len(body)).encode()
    return b"POST /events HTTP/1.1\r\n" + SHARED + lines + b"Content-Length: " + length + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "piece",
    [
        get(),
        get(b"/"),
        get(b"/a?b?c"),
        get(lines=SHARED + b"Connection: close\r\n"),
        get(lines=SHARED + b"X-Forwarded-For: 203.0.113.9\r\n"),
        get(lines=SHARED + b"X-Name: \t caf\xe9 \tat nine \r\n"),
        get(lines=SHARED + b"Content-Length: 0\r\n"),
        post(b"{}"),
        post(b'{"text": "\n\r"}'),
    ],
)
def test_a_usual_request_is_what_the_parser_makes_of_it_also_when_it_comes_again(piece: bytes) -> None:
    expected = parsed(piece)
    assert [whole(piece), whole(piece), parsed(piece)] == [expected] * 3
    assert expected is not None


@pytest.mark.parametrize(
    "piece",
    [
        get() + get(),
        get()[:-1],
        post(b"a\r\n\r\nb"),
        post(b"{}")[:-1],
        post(b"{}") + b"G",
        get(b"/a#b"),
        get(b"/\x7f"),
        get(b"a"),
        get(b"/\xe9"),
        get(lines=b"Accept: */*\r\n"),
        get(lines=b"Host: a b\r\n"),
        get(lines=SHARED + b"Host: example.com\r\n"),
        get(lines=SHARED + b"X-Name: a\x00b\r\n"),
        get(lines=SHARED + b"X-Name: a\rb\r\n"),
        get(lines=SHARED + b"X-Name: a\n"),
        get(lines=SHARED + b"X Name: a\r\n"),
        get(lines=SHARED + b"Expect: 100-continue\r\n"),
        get(lines=SHARED + b"Transfer-Encoding: chunked\r\n"),
        get(lines=SHARED + b"Content-Length: 01\r\n"),
    ],
)
def test_everything_else_is_left_to_the_parser(piece: bytes) -> None:
    assert [whole(piece), whole(piece)] == [None, None]


def test_a_head_that_comes_again_has_headers_of_its_own() -> None:
    requests = [request for request in (whole(get()), whole(get()), whole(get())) if request is not None]
    assert len({id(request.headers) for request in requests}) == 3
    requests[1].headers["host"] = "changed.example"
    assert whole(get()) == requests[0]


@pytest.mark.parametrize(
    "line", [b"Cookie: id=secret-1", b"X-Forwarded-For: 198.51.100.77", b"Authorization: Bearer x"]
)
def test_what_belongs_to_a_single_client_is_not_remembered(line: bytes) -> None:
    piece = get(b"/update?url=secret-page", SHARED + line + b"\r\n")
    assert [whole(piece), whole(piece)] == [parsed(piece)] * 2
    remembered = [*plain._lines, *plain._heads, *plain._uncut_heads, *plain._request_lines]
    assert not [text for text in remembered if line.decode() in text or "secret" in text]


def test_a_head_is_remembered_whatever_its_length_and_its_clients_address() -> None:
    plain._heads.clear()
    for number in range(1, 12):
        forwarded = f"X-Forwarded-For: 198.51.100.{number}, 203.0.113.9 \r\n".encode()
        piece = post(b"a" * number, forwarded)
        request = whole(piece)
        assert request == parsed(piece)
        assert request is not None
        assert request.headers["x-forwarded-for"] == f"198.51.100.{number}, 203.0.113.9"
        assert request.headers["content-length"] == str(number)
    assert len(plain._heads) == 1


FORWARDED = b"X-Forwarded-For: 198.51.100.1\r\n"


@pytest.mark.parametrize(
    ("replaced", "by"),
    [
        (b"Content-Length: 2", b"Content-Length: \n"),
        (b"Content-Length: 2", b"Content-Length: "),
        (b"Content-Length: 2", b"Content-Length: 02"),
        (b"Content-Length: 2", b"Content-Length: +2"),
        (b"Content-Length: 2", b"Content-Length: 2\rX"),
        (b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        (b"Content-Length: 2", b"Content-Length: 2\r\ncontent-length: 2"),
        (b"Content-Length: 2", b"Content-Length : 2"),
        (b"198.51.100.1", b"198.51.100.1\x00"),
        (b"198.51.100.1", b"198.51.100.1\nX: y"),
        (b"198.51.100.1", b"198.51.100.1\r\nX-Forwarded-For: 198.51.100.2"),
        (b"198.51.100.1", b"198.51.100.1\r\nx-forwarded-for: 198.51.100.2"),
    ],
)
def test_what_is_cut_out_of_a_head_that_is_remembered_is_held_to_the_rules(replaced: bytes, by: bytes) -> None:
    piece = post(b"{}", FORWARDED)
    assert whole(piece) == whole(piece) == parsed(piece)
    changed = piece.replace(replaced, by)
    assert changed != piece
    assert whole(changed) is None


def test_no_head_is_taken_for_one_from_which_something_was_cut() -> None:
    piece = post(b"{}", FORWARDED)
    assert whole(piece) == whole(piece) == parsed(piece)
    cut = piece.replace(b"POST", b"GET").replace(b": 2\r", b": ").replace(b": 198.51.100.1\r", b": ")[:-2]
    assert cut.partition(b"\r\n")[2][:-4].decode() + "\r" not in plain._uncut_heads
    assert whole(cut) is None
    assert whole(cut.replace(b"Content-Length: ", b"")) is None


def test_a_remembered_head_without_one_of_the_two_fields_is_another_one() -> None:
    pieces = [post(b"{}", FORWARDED), post(b"{}"), get(lines=SHARED + FORWARDED), get()]
    assert [whole(piece) for piece in pieces * 2] == [parsed(piece) for piece in pieces * 2]


def test_limits_hold_for_a_head_that_is_remembered() -> None:
    assert whole(get()) == whole(get())
    assert whole_request(get(), Limits(fields=3), PEER) is None
    piece = post(b"{}", FORWARDED)
    assert whole(piece) == whole(piece)
    assert whole_request(piece, Limits(fields=6), PEER) == parsed(piece)
    assert whole_request(piece, Limits(fields=5), PEER) is None
    assert whole_request(get(), Limits(head=20), PEER) is None
