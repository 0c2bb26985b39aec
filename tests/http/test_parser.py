import gc
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http import cases, fuzz
from tests.http.cases import PEER, Case, Outcome, parse
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request
from visitor_tracker.http.parser import Limits, RequestParser

CASES = cases.load()
COMPLETE = [case for case in CASES if case.outcome.clean]
NEXT = b"GET /next HTTP/1.1\r\nHost: example.com\r\n\r\n"
NEXT_REQUEST = Request("GET", "/next", "", {"host": "example.com"}, b"", True, PEER)
POST = b"POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n"


def outcomes(data: bytes, limits: Limits) -> dict[str, Outcome]:
    """Return what comes of the bytes in every way of feeding them."""
    return {way.__name__: parse(way(data), limits) for way in cases.WAYS}


def ids(case: Case) -> str:
    return case.name


def test_the_corpus_is_there() -> None:
    assert len(CASES) >= 240


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_pieces_do_not_matter(case: Case) -> None:
    assert outcomes(case.raw, case.limits) == {way.__name__: case.outcome for way in cases.WAYS}


@pytest.mark.parametrize("case", COMPLETE, ids=ids)
def test_a_request_behind_changes_nothing_before_it(case: Case) -> None:
    found = outcomes(case.raw + NEXT, case.limits)
    expected = case.outcome
    if expected.refused is None:
        expected = Outcome((*expected.requests, NEXT_REQUEST), None, True)
    assert found == {way.__name__: expected for way in cases.WAYS}


@pytest.mark.parametrize("case", COMPLETE, ids=ids)
def test_garbage_behind_changes_nothing_before_it(case: Case) -> None:
    found = outcomes(case.raw + b"\x00\xff\r\n\r\n", case.limits)
    expected = case.outcome
    if expected.refused is None:
        expected = Outcome(expected.requests, (400, "bad_request_line"), True)
    assert found == {way.__name__: expected for way in cases.WAYS}


def test_every_refusal_says_what_to_change() -> None:
    for case in CASES:
        if case.outcome.refused is not None:
            with pytest.raises(HttpError) as refusal:
                exhaust(parser_with(case.raw, case.limits))
            assert refusal.value.message
            assert refusal.value.hint


def parser_with(data: bytes, limits: Limits | None = None) -> RequestParser:
    parser = RequestParser(limits or Limits(), PEER)
    parser.feed(data)
    return parser


def exhaust(parser: RequestParser) -> list[Request]:
    found = []
    while (request := parser.next_request()) is not None:
        found.append(request)
    return found


def test_a_new_parser_is_idle() -> None:
    parser = RequestParser(Limits(), PEER)
    assert parser.next_request() is None
    assert (parser.idle, parser.in_head, parser.in_body, parser.eof_is_clean) == (True, False, False, True)


@pytest.mark.parametrize(
    ("data", "in_head", "in_body", "buffered", "body_bytes"),
    [
        (b"", False, False, 0, 0),
        (b"\r\n", False, False, 2, 0),  # an empty line between requests begins none
        (b"G", True, False, 1, 0),
        (NEXT[:-2], True, False, len(NEXT) - 2, 0),
        (NEXT, False, False, 0, 0),
        (NEXT + b"GET", True, False, 3, 0),
        (POST, False, True, 0, 0),
        (POST + b"abc", False, True, 3, 3),
        (POST + b"abcd", False, False, 0, 0),
    ],
)
def test_the_state_says_which_deadline_applies(
    data: bytes, in_head: bool, in_body: bool, buffered: int, body_bytes: int
) -> None:
    parser = parser_with(data)
    exhaust(parser)
    assert (parser.in_head, parser.in_body, parser.idle) == (in_head, in_body, not (in_head or in_body))
    assert (parser.buffered, parser.body_bytes) == (buffered, body_bytes)


def test_chunk_data_counts_as_body_before_the_chunk_is_complete() -> None:
    parser = parser_with(NEXT[:-2] + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab")
    assert parser.next_request() is None
    assert (parser.in_body, parser.body_bytes) == (True, 2)


EXPECTING = POST[:-2] + b"Expect: 100-continue\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expects"),
    [
        (EXPECTING, True),
        (EXPECTING[:-2], False),
        (EXPECTING + b"abcd", False),
        (EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (EXPECTING.replace(b"Length: 4", b"Length: 0"), False),
        (NEXT[:-2] + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (POST, False),
    ],
)
def test_continue_is_expected_once(data: bytes, expects: bool) -> None:
    parser = parser_with(data)
    exhaust(parser)
    assert [parser.take_expect(), parser.take_expect()] == [expects, False]


def test_each_request_expects_for_itself() -> None:
    parser = parser_with(EXPECTING + b"abcd" + EXPECTING)
    assert parser.next_request() is not None
    assert not parser.take_expect()
    assert parser.next_request() is None
    assert parser.take_expect()


def by_route(method: str, path: str) -> int:
    return 10 if (method, path) == ("POST", "/p") else 2


@pytest.mark.parametrize("way", cases.WAYS)
@pytest.mark.parametrize(
    ("path", "length", "expected"),
    [
        (b"/p", 10, 10),
        (b"/p", 11, "body_too_large"),
        (b"/p?x", 10, 10),
        (b"/q", 2, 2),
        (b"/q", 3, "body_too_large"),
    ],
)
def test_a_route_has_its_own_body_limit(
    way: Callable[[bytes], Iterator[bytes]], path: bytes, length: int, expected: int | str
) -> None:
    data = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (path, length, b"x" * length)
    assert length_or_code(RequestParser(Limits(body=1), PEER, by_route), way(data)) == expected


def length_or_code(parser: RequestParser, pieces: Iterator[bytes]) -> int | str | None:
    try:
        for piece in pieces:
            parser.feed(piece)
            for request in exhaust(parser):
                return len(request.body)
    except HttpError as error:
        return error.code
    return None


def test_a_body_that_is_too_large_is_refused_before_it_comes() -> None:
    with pytest.raises(HttpError, match="too large"):
        parser_with(POST.replace(b"4", b"9999999999")).next_request()


def test_requests_share_no_headers() -> None:
    one, two = exhaust(parser_with(NEXT + NEXT))
    assert one.headers is not two.headers


def test_an_idle_parser_is_small() -> None:
    parser = RequestParser(Limits(), PEER)
    for piece in (NEXT, POST + b"ab", b"cd", NEXT[:9], NEXT[9:]):
        parser.feed(piece)
        exhaust(parser)
    assert parser.idle
    assert held_bytes(parser) < 400


def held_bytes(root: object) -> int:
    """Return the size of an object and of what only it refers to, roughly."""
    shared = {id(PEER)}
    found: dict[int, object] = {}
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if id(item) in found or id(item) in shared or isinstance(item, type | Limits | int | None):
            continue
        found[id(item)] = item
        waiting += gc.get_referents(item)
    return sum(sys.getsizeof(item) for item in found.values())


def test_a_short_rest_does_not_keep_a_long_piece() -> None:
    parser = parser_with(NEXT * 1000 + b"G")
    assert len(exhaust(parser)) == 1000
    assert held_bytes(parser) < 2000


class Counted(bytes):
    """Bytes that count how many of them were searched, so that work and not time is measured."""

    searched = 0

    def find(self, sub: object, start: object = 0, end: object = None) -> int:
        assert isinstance(sub, bytes)
        assert isinstance(start, int)
        found = super().find(sub, start)
        Counted.searched += (found if found >= 0 else len(self)) - start
        return found


@pytest.mark.parametrize(
    "data",
    [
        NEXT * 500,
        (POST + b"abcd") * 400,
        NEXT[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n",
        NEXT[:-2] + b"Accept: x\r\n" * 90 + b"\r\n",
    ],
    ids=["pipelined", "bodies", "chunks", "fields"],
)
def test_a_long_piece_is_searched_a_constant_number_of_times(data: bytes) -> None:
    Counted.searched = 0
    parser = parser_with(Counted(data))
    assert exhaust(parser)
    assert Counted.searched <= 4 * len(data)


def test_the_time_of_single_bytes_grows_in_proportion() -> None:
    """Counts the bytes that `find` has to look at: each arriving byte may cost a few, not the whole line again."""
    parser = RequestParser(Limits(), PEER)
    long_line = NEXT[:-2] + b"X: " + b"a" * 8000
    for piece in cases.by_bytes(long_line):
        parser.feed(piece)
        assert parser.next_request() is None
    assert parser._buffer._searched == len(parser._buffer.data)


PIECES = st.lists(
    st.one_of(
        st.sampled_from([case.raw for case in CASES]),
        st.sampled_from(
            [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"0\r\n\r\n"]
        ),
        st.binary(max_size=20),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(PIECES, st.data())
def test_any_bytes_end_in_requests_or_one_refusal_however_they_are_cut(
    pieces: list[bytes], draw: st.DataObject
) -> None:
    data = b"".join(pieces)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    cut = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    limits = draw.draw(st.sampled_from([Limits(), Limits(target=16, field=32, head=64, fields=3, body=8)]))
    expected = parse([data], limits)
    assert parse(cut, limits) == expected
    assert parse(cases.by_bytes(data), limits) == expected


def test_two_seconds_of_fuzzing_find_nothing() -> None:
    assert fuzz.run(seconds=2, seed=1) > 0


@pytest.mark.slow
def test_fuzzing_finds_nothing() -> None:
    assert fuzz.run(seconds=20, seed=None) > 0
