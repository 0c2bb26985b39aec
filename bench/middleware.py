"""What the middleware costs a program: the time of a request with it and without it, in turn.

    .venv/bin/python bench/middleware.py [--rounds 10] [--requests 1000] [--pace 100]

Hosts are processes of their own on 127.0.0.1: FastAPI under uvicorn and Flask under werkzeug, each without the
middleware (twice: the second, `control`, shows what chance does), with it and a server, with it and an embedded
tracker. One connection after the other asks each of them in turn, as fast as it is answered; with --pace so often a
second, one request to each in an order of chance, so that what else the machine does meets them alike. Beside that,
the CPU time of the host's process for a request, and what of it the request's thread takes for the middleware.
"""

import argparse
import asyncio
import logging
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from visitor_tracker import embedded
from visitor_tracker.middleware import (
    Delivered,
    Tracker,
    VisitorTrackingMiddleware,
    WSGIVisitorTrackingMiddleware,
    counts,
)

PAGE = b"<!doctype html><title>A page</title>" * 30
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de,en-US;q=0.7,en;q=0.3",
    "Accept-Encoding": "gzip, deflate, br",
    "Referer": "https://news.example/today",
    "Sec-Fetch-Dest": "document",
    "Cookie": "session=0123456789abcdef",
}
HOSTS, WAYS = ("fastapi", "flask"), ("without", "control", "server", "embedded")  # control: without it, too
WARM_UP = 300
CALLS = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=1000, help="of a round")
    parser.add_argument("--pace", type=float, default=0.0, help="requests a second; 0: as fast as they are answered")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(*options.serve)
    logging.disable()  # what is held on purpose cannot be sent
    print("| host | middleware | p50 | p99 | ÷ without: p50 | p99 | CPU time |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for host in HOSTS:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            server = stack.enter_context(tracker_server(Path(folder) / "server"))
            ports = {way: stack.enter_context(running(host, way, Path(folder) / way, *server)) for way in WAYS}
            found, cpu = measured(ports, options.rounds, options.requests, options.pace)
            report(host, found, cpu)
    for name, own in (("ASGI", own_asgi), ("WSGI", own_wsgi)):
        told = (
            f"{own(Held()):.1f} µs in the request's thread, {own(Nowhere()):.1f} µs with the sender's at work beside it"
        )
        print(f"\n{name}, the middleware's own time for a request: {told}")
    return None


def measured(
    ports: dict[str, int], rounds: int, requests: int, pace: float
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the seconds of every request, and the CPU seconds of a request, by way."""
    for port in ports.values():
        timed(port, WARM_UP)
    before = {way: cpu_of(port) for way, port in ports.items()}
    found = measure(ports, rounds, requests, pace)
    return found, {way: (cpu_of(port) - before[way]) / len(found[way]) for way, port in ports.items()}


def measure(ports: dict[str, int], rounds: int, requests: int, pace: float) -> dict[str, list[float]]:
    """Ask each host in turn and return the seconds of every request by way."""
    found: dict[str, list[float]] = {way: [] for way in ports}
    if pace:
        return mixed(ports, rounds * requests, pace)
    for turn in range(rounds):
        for way in sorted(ports, reverse=turn % 2 == 1):
            found[way] += timed(ports[way], requests)
    return found


def mixed(ports: dict[str, int], requests: int, pace: float) -> dict[str, list[float]]:
    """Ask all hosts so often a second, one after the other in an order of chance."""
    found: dict[str, list[float]] = {way: [] for way in ports}
    connections = {way: HTTPConnection("127.0.0.1", port) for way, port in ports.items()}
    for connection in connections.values():
        one(connection)
    order = list(ports)
    chance = random.Random(1)
    due = time.perf_counter()
    for _ in range(requests):
        due = max(due + 1 / pace, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
        chance.shuffle(order)
        for way in order:
            found[way].append(one(connections[way]))
    for connection in connections.values():
        connection.close()
    return found


def timed(port: int, requests: int) -> list[float]:
    """Send so many requests on one connection and return the seconds of each but the first."""
    connection = HTTPConnection("127.0.0.1", port)
    seconds = [one(connection) for _ in range(requests + 1)]
    connection.close()
    return seconds[1:]


def one(connection: HTTPConnection) -> float:
    """Send a request; the seconds that it took."""
    begin = time.perf_counter()
    connection.request("GET", "/", headers=HEADERS)
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - begin
    if answer.status != 200:
        raise SystemExit(f"answered {answer.status}")
    return seconds


def report(host: str, found: dict[str, list[float]], cpu: dict[str, float]) -> None:
    points = {way: percentiles(seconds) for way, seconds in found.items()}
    base = points["without"]
    for way in WAYS:
        p50, p99 = points[way]
        ratio = "| |" if way == "without" else f"| {p50 / base[0]:.2f}x | {p99 / base[1]:.2f}x"
        print(
            f"| {host} | {way} | {p50 * 1e3:.3f} ms | {p99 * 1e3:.3f} ms {ratio} | {cpu[way] * 1e6:.0f} µs |",
            flush=True,
        )


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    points = statistics.quantiles(seconds, n=100)
    return points[49], points[98]


class Nowhere:
    """Takes everything and keeps nothing."""

    def send(self, events: bytes) -> Delivered:
        return Delivered(events.count(b'"id":'))


class Held(Nowhere):
    """Takes nothing, so that only the request's thread works."""

    def send(self, events: bytes) -> Delivered:
        threading.Event().wait()
        raise AssertionError


def own_asgi(tracker: Tracker) -> float:
    """Return the µs that the ASGI middleware adds to a program that does nothing."""
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}

    async def send(message: object) -> None:
        pass

    async def program(scope: object, receive: object, send: Any) -> None:  # noqa: ANN401
        await send(start)

    async def calls(app: Any) -> float:  # noqa: ANN401
        begin = time.thread_time()
        for _ in range(CALLS):
            await app(scope, None, send)
        return (time.thread_time() - begin) / CALLS * 1e6

    with_it = VisitorTrackingMiddleware(program, False, tracker=tracker, queue_size=10 * CALLS, exit_seconds=0)
    return median_difference(lambda app: asyncio.run(calls(app)), with_it, program)


def own_wsgi(tracker: Tracker) -> float:
    """Return the µs that the WSGI middleware adds to a program that does nothing."""
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()}
    environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "203.0.113.7"}

    def program(environ: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", [("Content-Type", "text/html")])
        return []

    def calls(app: Any) -> float:  # noqa: ANN401
        begin = time.thread_time()
        for _ in range(CALLS):
            app(environ, lambda *_: None)
        return (time.thread_time() - begin) / CALLS * 1e6

    with_it = WSGIVisitorTrackingMiddleware(program, False, tracker=tracker, queue_size=10 * CALLS, exit_seconds=0)
    return median_difference(calls, with_it, program)


def median_difference(calls: Callable[[Any], float], one: Any, other: Any) -> float:  # noqa: ANN401
    return statistics.median(calls(one) - calls(other) for _ in range(5))


@contextmanager
def tracker_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Run a Visitor Tracker server; its URL and a send key."""
    program, data = [sys.executable, "-m", "visitor_tracker"], ["--data-dir", str(folder)]
    key = subprocess.check_output([*program, "key", "add", "bench", *data], text=True, stderr=subprocess.DEVNULL)
    with started([*program, "serve", "--port", "0", *data]) as port:
        yield f"http://127.0.0.1:{port}", key.strip()


@contextmanager
def running(host: str, way: str, folder: Path, server: str, key: str) -> Iterator[int]:
    """Run a host; its port. In the end every request of it must have arrived."""
    with started([sys.executable, __file__, "--serve", host, way, str(folder), server, key]) as port:
        yield port
        if way in ("server", "embedded"):
            wait_until_sent(way, port)


def wait_until_sent(way: str, port: int) -> None:
    for _ in range(600):
        told = told_by(port)
        if " 0 lost, 0 waiting" in told:
            return
        time.sleep(0.1)
    raise SystemExit(f"{way}: not everything arrived: {told}")


def told_by(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/counts", headers={"Connection": "close"})
    return connection.getresponse().read().decode()


def cpu_of(port: int) -> float:
    """Return the seconds of CPU time that the host's own process has had, without its children."""
    return float(told_by(port).split()[-4])


@contextmanager
def started(command: list[str]) -> Iterator[int]:
    """Run a server that prints the address it listens on; its port."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with process:
        try:
            assert process.stdout is not None
            found = re.search(r":(\d+)", process.stdout.readline())
            if found is None:
                raise SystemExit(f"{command} did not start")
            yield int(found[1])
        finally:
            process.terminate()


def serve(host: str, way: str, folder: str, server: str, key: str) -> None:
    """Be a host."""
    options: dict[str, Any] = {"server": server, "key": key}
    if way == "embedded":
        options = {"tracker": embedded({"server.data_dir": folder})}
    {"fastapi": serve_fastapi, "flask": serve_flask}[host](options if way in ("server", "embedded") else None)


def told() -> str:
    found = counts()
    lost = found.refused + found.dropped + found.failed
    return f"{found.sent} sent, {lost} lost, {found.waiting} waiting, {time.process_time():.6f} s of CPU"


def serve_fastapi(options: dict[str, Any] | None) -> None:
    app = FastAPI()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE)

    @app.get("/counts")
    async def sent() -> PlainTextResponse:
        return PlainTextResponse(told())

    if options is not None:
        app.add_middleware(VisitorTrackingMiddleware, track_all_paths=False, **options)
    config = uvicorn.Config(app, log_level="critical", ws="none")
    listening = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # asyncio sets no TCP_NODELAY else
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(f"127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run([listening])


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Print nothing."""


def serve_flask(options: dict[str, Any] | None) -> None:
    app = Flask(__name__)
    app.get("/")(lambda: PAGE)
    app.get("/counts")(told)
    if options is not None:
        app.wsgi_app = WSGIVisitorTrackingMiddleware(  # type: ignore[method-assign]
            app.wsgi_app, track_all_paths=False, **options
        )
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    print(f"127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
