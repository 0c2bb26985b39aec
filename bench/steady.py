"""From the socket to the reports: how many events a second can go on for ever, and how soon one is counted.

    steady.py [--only sqlite,mariadb] [--seconds N] [--ask sustained,fresh]

sustained   the highest rate at which neither journal nor inbox grows: wrk sends at a rate, faster each time until less
            is folded than comes, then in between
fresh       1,000 events a second: how long after its answer an event is in the totals that reports read

Server, database and load share the machine. Every event is a visit of its own, which is the dearest kind to fold.
"""

import argparse
import os
import socket
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from database import Database, free_port
from fold import SUMS
from load import CheckFailed, Load, wrk
from running import Running
from servers import SERVERS, Place
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.measures import Dimension
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

STORES = {"sqlite": "ours-events", "mariadb": "ours-events-mariadb"}
CONNECTIONS = 32
FIRST_RATE, NEAR = 500, 1.15  # where the search begins, and how near its two ends are when it ends
BEHIND_SECONDS, GROWN_SECONDS = 2.0, 1.0  # what may wait at the end, and that more than in the middle of a run
SETTLE_SECONDS = 300
POLL_SECONDS = 0.01
FRESH_RATE, FRESH_THREADS, FRESH_TARGET_SECONDS = 1_000, 8, 2.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
REQUEST = (
    "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {agent}\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"
    "Accept-Language: en-US\r\nOrigin: https://example.com\r\nReferer: https://example.com/\r\nSec-Fetch-Mode: cors\r\n"
    "Content-Type: text/plain\r\nX-Forwarded-For: {ip}\r\nContent-Length: {length}\r\n\r\n{body}"
)
BODY = '{{"type":"pageview","url":"https://example.com/blog/post-{page}","title":"Post","timezone":"Europe/Berlin"}}'


@dataclass(frozen=True, slots=True)
class Fresh:
    """Seconds from answers to totals."""

    p50: float
    p99: float
    most: float
    rate: float  # that was sent


class Totals:
    """The pageviews in the reports of a server's store, looked at all the time by a thread of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self.seen: list[tuple[int, float]] = []  # (pageviews, monotonic time), when they had become more

    def __enter__(self) -> "Totals":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def now(self) -> int:
        [(views, _)] = self._store.database.read(
            lambda session: session.ask(SUMS, (DEFAULT_SITE, int(Dimension.TOTAL)))
        )
        return int(views)

    def at(self, moment: float) -> int:
        """Return how many there were at a monotonic time."""
        return max((views for views, when in self.seen if when <= moment), default=0)

    def wait_for(self, views: int) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while (found := self.now()) < views:
            if time.monotonic() > until:
                raise CheckFailed(f"{views} events answered, {found} folded after {SETTLE_SECONDS} s")
            time.sleep(0.1)

    def _look_on(self) -> None:
        while not self._stop.is_set():
            views = self.now()
            if not self.seen or views > self.seen[-1][0]:
                self.seen.append((views, time.monotonic()))
            self._stop.wait(POLL_SECONDS)


class Trial:
    """One server under loads one after the other; knows what it has answered."""

    def __init__(self, port: int, store: SqlStore, seconds: float) -> None:
        self._port = port
        self._store = store
        self._seconds = seconds

    def is_steady(self, rate: int) -> bool:
        """Send at the rate and say whether the fold keeps up; return when everything is folded."""
        load = Load("steady", "", CONNECTIONS, script="event.lua", agents="warm", rate=rate)
        with Totals(self._store) as totals:
            before, start = totals.now(), time.monotonic()
            answers = wrk(self._port, load, self._seconds)
            end = time.monotonic()
            middle = start + (end - start) / 2
            half = answers.number / 2 - (totals.at(middle) - before)
            whole = answers.number - (totals.at(end) - before)
            totals.wait_for(before + answers.number)
            time.sleep(1)  # what was sent last and not waited for
            found = totals.now() - before
        if found > answers.number + CONNECTIONS:
            raise CheckFailed(f"{answers.number} events answered, {found} folded")
        sent = answers.number / answers.seconds
        steady = sent > 0.97 * rate and whole < BEHIND_SECONDS * rate and whole - half < GROWN_SECONDS * rate
        _tell(
            f"  {rate:,}/s: sent {sent:,.0f}/s, {max(0, whole):,.0f} waited at the end: {'steady' if steady else 'no'}"
        )
        return steady

    def sustained(self) -> int:
        """Return the highest rate that was steady; 0 where not even the first was."""
        low, high = 0, FIRST_RATE
        while self.is_steady(high):
            low, high = high, 2 * high
        while low and high / low > NEAR:
            between = round((low * high) ** 0.5)
            low, high = (between, high) if self.is_steady(between) else (low, between)
        return low

    def fresh(self) -> Fresh:
        """Send at a fixed rate; return how long after their answers events are in the totals."""
        answered: list[float] = []
        with Totals(self._store) as totals:
            before = totals.now()
            start = time.monotonic()
            threads = [
                threading.Thread(target=self._send, args=(number, start + number / FRESH_RATE, answered))
                for number in range(FRESH_THREADS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.monotonic() - start
            totals.wait_for(before + len(answered))
            time.sleep(2 * POLL_SECONDS)
            seen = [(views - before, when) for views, when in totals.seen]
        # The nth answer and the nth event in the totals are taken for one event: they come in this order.
        waits = [
            seen[bisect_left(seen, (number, 0.0))][1] - moment for number, moment in enumerate(sorted(answered), 1)
        ]
        return Fresh(median(waits), quantiles(waits, n=100)[-1], max(waits), len(answered) / took)

    def _send(self, thread: int, first: float, answered: list[float]) -> None:
        step = FRESH_THREADS / FRESH_RATE
        with socket.create_connection(("127.0.0.1", self._port), 10) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(int(self._seconds / step)):
                time.sleep(max(0.0, first + number * step - time.monotonic()))
                body = BODY.format(page=number % 100)
                ip = f"{111 + thread}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
                client.sendall(REQUEST.format(agent=AGENT, ip=ip, length=len(body), body=body).encode())
                answer = client.recv(4096)
                if not answer.startswith(b"HTTP/1.1 2"):
                    raise CheckFailed(f"an event was not taken: {answer!r}")
                answered.append(time.monotonic())


@contextmanager
def trial(folder: Path, database: Database, name: str, seconds: float) -> Iterator[Trial]:
    """Put up an empty server on a store."""
    server = next(server for server in SERVERS if server.name == STORES[name])
    place = Place(Path(tempfile.mkdtemp(dir=folder)), free_port(), database, database.fresh() if server.mariadb else "")
    with Running(server, place) as running:
        with urlopen(f"http://127.0.0.1:{running.port}/readyz", timeout=60):
            pass  # it listens before its tables are made
        store = open_store(database.url(place.name) if server.mariadb else f"sqlite:///{place.sqlite}")
        try:
            yield Trial(running.port, store, seconds)
        finally:
            store.close()


def main() -> int:
    options = _options()
    asked = options.ask.split(",")
    lines: list[str] = []
    _tell(f"load average at the start {os.getloadavg()[0]:.2f}")
    try:
        with tempfile.TemporaryDirectory(prefix="visitor-bench-") as name, Database(Path(name) / "m") as database:
            for store in options.only.split(","):
                _tell(store)
                with trial(Path(name), database, store, options.seconds) as at:
                    fresh = _fresh_cells(at.fresh()) if "fresh" in asked else [""] * 6
                    sustained = f"{at.sustained():,}" if "sustained" in asked else ""
                lines.append(f"| {' | '.join([store, sustained, *fresh])} |")
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    print("| store | events/s for ever | at events/s | counted after: p50 | p99 | at most | target |  |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    print("\n".join(lines))
    return 0


def _fresh_cells(fresh: Fresh) -> list[str]:
    verdict = "met" if fresh.most <= FRESH_TARGET_SECONDS else "**missed**"
    times = [f"{seconds:.2f} s" for seconds in (fresh.p50, fresh.p99, fresh.most)]
    return [f"{fresh.rate:,.0f}", *times, f"≤ {FRESH_TARGET_SECONDS:g} s", verdict]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the way of events from the socket to the reports.")
    parser.add_argument("--only", default=",".join(STORES), metavar="STORE,…", help="sqlite, mariadb")
    parser.add_argument("--ask", default="sustained,fresh", metavar="QUESTION,…", help="sustained, fresh")
    parser.add_argument("--seconds", type=float, default=20, help="length of each run (default 20)")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
