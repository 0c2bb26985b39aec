"""How long does a request take to be parsed, against h11 and httptools?

Every parser gives method, target, headers as a dict of strings, and body; connections are made before the
clock starts. The parsers alternate within one run, and each figure is the median of all rounds.

    python bench/parser.py [--rounds N]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import h11
import httptools

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from visitor_tracker.http.message import Peer
from visitor_tracker.http.parser import Limits, RequestParser

PAGES = 64  # different requests of each kind, so that nothing is remembered whole
REPEAT = 8  # times each of them is parsed in one round

Parsed = tuple[str, str, dict[str, str], bytes]
Parse = Callable[[bytes], Parsed]

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
)


def browser_get(page: int) -> bytes:
    """Return the request with which a browser counts a visit: 9 fields."""
    return (
        f"GET /update?url=https%3A%2F%2Fexample.com%2Fblog%2Fpost-{page:04d} HTTP/1.1\r\n"
        "Host: stats.example.com\r\n"
        "Connection: keep-alive\r\n"
        'sec-ch-ua-platform: "Linux"\r\n'
        f"User-Agent: {AGENTS[page % len(AGENTS)]}\r\n"
        "Accept: */*\r\n"
        "Origin: https://example.com\r\n"
        "Referer: https://example.com/\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        "Accept-Language: en-GB,en;q=0.9\r\n"
        "\r\n"
    ).encode()


def json_post(page: int) -> bytes:
    """Return the same visit as a POST: 9 fields and a JSON body."""
    body = f'{{"url":"https://example.com/blog/post-{page:04d}","id":"0190a5f8c0de7000{page:016x}"}}'
    return (
        "POST /api/v1/visits HTTP/1.1\r\n"
        "Host: stats.example.com\r\n"
        "Connection: keep-alive\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"User-Agent: {AGENTS[page % len(AGENTS)]}\r\n"
        "Content-Type: application/json\r\n"
        "Accept: */*\r\n"
        "Origin: https://example.com\r\n"
        "Referer: https://example.com/\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        "\r\n"
        f"{body}"
    ).encode()


def ours(count: int) -> Sequence[Parse]:
    parser = RequestParser(Limits(), Peer("127.0.0.1"))

    def parse(data: bytes) -> Parsed:
        parser.feed(data)
        request = parser.next_request()
        assert request is not None
        target = f"{request.path}?{request.query}" if request.query else request.path
        return request.method, target, request.headers, request.body

    return [parse] * count


class HttptoolsRequest:
    """Collects what httptools calls back with."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.target = ""
        self.headers: dict[str, str] = {}
        self.body = b""

    def on_message_begin(self) -> None:
        self.headers = {}
        self.body = b""

    def on_url(self, url: bytes) -> None:
        self.target = url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def parse(self, data: bytes) -> Parsed:
        self.parser.feed_data(data)
        return self.parser.get_method().decode("latin-1"), self.target, self.headers, self.body


def with_httptools(count: int) -> Sequence[Parse]:
    return [HttptoolsRequest().parse] * count


def with_h11(count: int) -> Sequence[Parse]:
    return [_h11_parse(h11.Connection(h11.SERVER)) for _ in range(count)]


def _h11_parse(connection: h11.Connection) -> Parse:
    def parse(data: bytes) -> Parsed:
        connection.receive_data(data)
        request = connection.next_event()
        assert isinstance(request, h11.Request)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        body = b""
        while isinstance(event := connection.next_event(), h11.Data):
            body += bytes(event.data)
        assert isinstance(event, h11.EndOfMessage)
        return request.method.decode("latin-1"), request.target.decode("latin-1"), headers, body

    return parse


PARSERS = {"ours": ours, "httptools": with_httptools, "h11": with_h11}


def seconds(prepare: Callable[[int], Sequence[Parse]], requests: Sequence[bytes]) -> float:
    """Return the processor time of parsing all requests once; what else the machine does is left out."""
    work = list(zip(prepare(len(requests)), requests, strict=True))
    begin = time.thread_time()
    for parse, data in work:
        parse(data)
    return time.thread_time() - begin


def measure(requests: Sequence[bytes], rounds: int) -> dict[str, float]:
    """Return the median µs per request of each parser."""
    times: dict[str, list[float]] = {name: [] for name in PARSERS}
    for _ in range(rounds):
        for name, prepare in PARSERS.items():
            times[name].append(seconds(prepare, requests) / len(requests) * 1e6)
    return {name: statistics.median(found) for name, found in times.items()}


def check(requests: Sequence[bytes]) -> None:
    """Stop unless all parsers read every request alike."""
    for data in requests:
        first, *others = [prepare(1)[0](data) for prepare in PARSERS.values()]
        assert all(other == first for other in others), data


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=60, help="times that every parser has its turn")
    rounds: int = arguments.parse_args().rounds
    print(f"{'request':<12}{'parser':<12}{'µs':>8}{'times ours':>12}")
    for kind, build in (("GET", browser_get), ("POST", json_post)):
        requests = [build(page) for page in range(PAGES)] * REPEAT
        check(requests[:PAGES])
        found = measure(requests, rounds)
        for name, figure in found.items():
            print(f"{kind:<12}{name:<12}{figure:>8.2f}{figure / found['ours']:>12.1f}")


if __name__ == "__main__":
    main()
