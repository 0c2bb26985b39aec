"""The corpus under tests/corpus/http, and the ways to feed it to a parser.

A case is a file: its first line says as JSON what must come of the bytes behind it. `requests` are the requests
given out, `refused` is the status and code that end the stream, `incomplete` says that more bytes are awaited
at the end, `limits` are limits that differ from the default. A request without `version` is HTTP/1.1.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import asdict

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Peer, Request
from visitor_tracker.http.parser import Limits, RequestParser

CORPUS = Path(__file__).parent.parent / "corpus" / "http"
PEER = Peer("192.0.2.1")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a parser made of a stream; `clean`: its end would cut nothing."""

    requests: tuple[Request, ...]
    refused: tuple[int, str] | None
    clean: bool


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    raw: bytes
    limits: Limits
    outcome: Outcome


def parse(pieces: Iterable[bytes], limits: Limits) -> Outcome:
    """Feed the pieces to a new parser, checking what must hold after each."""
    parser = RequestParser(limits, PEER)
    requests = []
    fed = 0
    for piece in pieces:
        parser.feed(piece)
        fed += len(piece)
        try:
            while (request := parser.next_request()) is not None:
                requests.append(request)
        except HttpError as error:
            check_given_up(parser)
            return Outcome(tuple(requests), (error.status, error.code), True)
        check_state(parser, fed)
    return Outcome(tuple(requests), None, parser.eof_is_clean)


def check_state(parser: RequestParser, fed: int) -> None:
    """Exactly one of the three states holds, and no more is held than came."""
    assert [parser.idle, parser.in_head, parser.in_body].count(True) == 1
    assert 0 <= parser.body_bytes <= parser.buffered <= fed
    assert parser.eof_is_clean == parser.idle


def check_given_up(parser: RequestParser) -> None:
    """A stream that was refused leaves nothing behind and takes nothing more."""
    parser.feed(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert parser.next_request() is None
    assert (parser.buffered, parser.body_bytes, parser.take_expect(), parser.idle) == (0, 0, False, True)


def whole(raw: bytes) -> Iterator[bytes]:
    yield raw


def by_lines(raw: bytes) -> Iterator[bytes]:
    yield from raw.splitlines(keepends=True)


def by_bytes(raw: bytes) -> Iterator[bytes]:
    for at in range(len(raw)):
        yield raw[at : at + 1]


def in_halves(raw: bytes) -> Iterator[bytes]:
    yield raw[: len(raw) // 2]
    yield raw[len(raw) // 2 :]


def first_byte_alone(raw: bytes) -> Iterator[bytes]:
    yield raw[:1]
    yield raw[1:]


WAYS: tuple[Callable[[bytes], Iterator[bytes]], ...] = (whole, by_lines, by_bytes, in_halves, first_byte_alone)


def load() -> list[Case]:
    """Return every case of the corpus, by name."""
    return [_read(path) for path in sorted(CORPUS.glob("*.http"))]


def _read(path: Path) -> Case:
    first, _, raw = path.read_bytes().partition(b"\n")
    expected = json.loads(first)
    requests = tuple(_request(fields) for fields in expected["requests"])
    refused = (expected["refused"][0], expected["refused"][1]) if "refused" in expected else None
    outcome = Outcome(requests, refused, not expected.get("incomplete", False))
    return Case(path.stem, raw, Limits(**expected.get("limits", {})), outcome)


def _request(fields: dict[str, object]) -> Request:
    body = str(fields["body"]).encode("latin-1")
    request = Request(**{**fields, "body": body, "peer": PEER})  # type: ignore[arg-type]  # JSON, checked below
    assert asdict(request).keys() == {*fields, "peer", "version"}
    return request
