"""Mutates the corpus and holds the parser to its contract.

Whatever the bytes, they come to requests and at most one HttpError, the same whole, by bytes and cut anywhere;
and where h11 accepts a request that we accept, both read the same out of it.

    python tests/http/fuzz.py --seconds 60 [--seed N]
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import h11

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parent.parent.parent
    sys.path[:0] = [str(ROOT), str(ROOT / "server")]

from tests.http import cases
from visitor_tracker.http.message import Request
from visitor_tracker.http.parser import Limits

SMALL = Limits(target=24, field=48, head=128, fields=6, body=16)
LENGTH_MAX = 4000  # bytes of a mutated stream; byte by byte is slow

WORDS = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b":",
    b",",
    b";",
    b"0",
    b"1",
    b"+",
    b"-",
    b"_",
    b"0x",
    b"ffffffff",
    b"9999999999",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 0\r\n",
    b"X-Forwarded-For: 192.0.2.1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Cookie: a=b\r\n",
    b"0\r\n\r\n",
    b"3\r\nabc\r\n",
    b"http://a",
    b"*",
)

Mutation = Callable[[random.Random, bytes], bytes]


def insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(WORDS) + data[at:]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    word = rng.choice(WORDS)
    return data[:at] + word + data[at + len(word) :]


def flip(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :]


def cut(rng: random.Random, data: bytes) -> bytes:
    at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:at] + data[min(end, at + 12) :]


def repeat(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    piece = data[at : at + rng.randint(1, 40)]
    return data[:at] + piece * rng.randint(1, 8) + data[at:]


def shuffle_lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


MUTATIONS: tuple[Mutation, ...] = (insert, insert, overwrite, flip, flip, cut, repeat, shuffle_lines)


def mutate(rng: random.Random, corpus: list[bytes]) -> bytes:
    """Return one or two cases of the corpus with up to five changes."""
    data = b"".join(rng.choice(corpus) for _ in range(rng.choice((1, 1, 2))))
    for _ in range(rng.randint(0, 5)):
        data = rng.choice(MUTATIONS)(rng, data)
    return data[:LENGTH_MAX]


def check(data: bytes, rng: random.Random) -> None:
    """Raise AssertionError where the contract does not hold for `data`."""
    limits = rng.choice((Limits(), Limits(), SMALL))
    outcome = cases.parse([data], limits)
    assert cases.parse(cases.by_bytes(data), limits) == outcome, "byte by byte differs"
    marks = sorted(rng.randint(0, len(data)) for _ in range(4))
    pieces = [data[a:b] for a, b in pairwise([0, *marks, len(data)])]
    assert cases.parse(pieces, limits) == outcome, f"cut at {marks} differs"
    for ours, theirs in zip(outcome.requests, h11_requests(data, len(outcome.requests)), strict=False):
        assert comparable(ours) == theirs, "h11 reads it differently"


Comparable = tuple[str, str, dict[str, list[str]], bytes]


def comparable(request: Request) -> Comparable:
    """Return method, target in origin-form, fields split at their joints, and body."""
    fields = {name: split(name, value) for name, value in request.headers.items()}
    target = f"{request.path}?{request.query}" if request.query else request.path
    return request.method, target, fields, request.body


def split(name: str, value: str) -> list[str]:
    """Return the parts of a field value, in the order in which several lines of it were joined."""
    if name == "transfer-encoding":
        value = value.lower()  # as h11 gives it
    return [part.strip(" \t") for part in value.split(";" if name == "cookie" else ",")]


def h11_requests(data: bytes, most: int) -> list[Comparable]:
    """Return what h11 reads, up to its first objection."""
    found: list[Comparable] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    try:
        while len(found) < most:
            request = connection.next_event()
            if not isinstance(request, h11.Request):
                break
            body = b""
            while isinstance(event := connection.next_event(), h11.Data):
                body += bytes(event.data)
            if not isinstance(event, h11.EndOfMessage):
                break
            found.append(_comparable(request, body))
            connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        pass  # h11 objects, or ends the connection: nothing more to compare
    return found


def _comparable(request: h11.Request, body: bytes) -> Comparable:
    joined: dict[str, list[str]] = {}
    for raw_name, value in request.headers:
        name = raw_name.decode("latin-1")
        joined.setdefault(name, []).extend(split(name, value.decode("latin-1")))
    method = request.method.decode("latin-1")
    target = request.target.decode("latin-1")
    if "://" in target and not target.startswith("/"):
        target, joined["host"] = without_authority(method, target)
    return method, target.removesuffix("?") if target.count("?") == 1 else target, joined, body


def without_authority(method: str, target: str) -> tuple[str, list[str]]:
    """Return the origin-form of an absolute-form and its authority."""
    rest = target.partition("://")[2]
    end = min(at for at in (rest.find("/"), rest.find("?"), len(rest)) if at >= 0)
    authority, path = rest[:end], rest[end:]
    if not path:
        path = "*" if method == "OPTIONS" else "/"
    return path if path[0] in "/*" else f"/{path}", [authority]


def run(seconds: float, seed: int | None) -> int:
    """Fuzz for `seconds` and return the number of streams tried; raises AssertionError that names the stream."""
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    rng = random.Random(seed)
    corpus = [case.raw for case in cases.load()]
    deadline = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < deadline:
        data = mutate(rng, corpus)
        try:
            check(data, rng)
        except Exception as error:
            raise AssertionError(f"seed {seed}, stream {tried}: {error!r}\n{data!r}") from error
        tried += 1
    return tried


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60, help="how long to search")
    arguments.add_argument("--seed", type=int, help="repeat a search")
    given = arguments.parse_args()
    print(f"{run(given.seconds, given.seed)} streams, nothing found")


if __name__ == "__main__":
    main()
