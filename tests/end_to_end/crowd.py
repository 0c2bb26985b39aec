"""Many clients at once, each on a connection of its own, who write down what they were told."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

TIMEOUT_SECONDS = 30.0
RETRY_SECONDS = 0.02


@dataclass
class Told:
    """What the clients heard; `numbers`, `pending` (accepted, without a number) and `unanswered` are by page."""

    numbers: dict[str, list[int]] = field(default_factory=dict)
    pending: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def accepted(self, page: str) -> int:
        return len(self.numbers.get(page, [])) + self.pending[page]


class Crowd:
    """`clients` threads send `visits` visits each to random pages, or without a number visits until `finish`.

    `told` is theirs to fill, `join` to read.
    """

    def __init__(self, port: int, pages: Sequence[str], *, clients: int, visits: int = 0, seed: int = 1) -> None:
        self.told = Told()
        self._port = port
        self._pages = pages
        self._visits = visits
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._threads = [
            threading.Thread(target=self._visit, args=(number, random.Random(seed * 1000 + number)), daemon=True)
            for number in range(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def answered(self) -> int:
        with self._lock:
            return sum(map(len, self.told.numbers.values())) + self.told.pending.total()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def finish(self) -> Told:
        """Let everybody hear the answer to the last visit, then read as `join`."""
        self._finished.set()
        return self.join()

    def join(self) -> Told:
        for thread in self._threads:
            thread.join(120)
        assert self.is_done
        return self.told

    def _visit(self, number: int, chance: random.Random) -> None:
        source = (f"127.0.{1 + number // 200}.{1 + number % 200}", 0)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, TIMEOUT_SECONDS, source)
        for _ in range(self._visits) if self._visits else iter(lambda: not self._finished.is_set(), False):
            page = chance.choice(self._pages)
            self._connect(connection)
            try:
                connection.request("GET", f"/update?url={quote(page, safe='')}")
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                with self._lock:
                    self.told.unanswered[page] += 1
                continue
            self._note(page, answer, body)
        connection.close()

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        """Connect, and wait for a server that is just being started again: nothing is sent meanwhile."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while connection.sock is None:
            try:
                connection.connect()
            except OSError:
                assert time.monotonic() < deadline, "the server did not come back"
                time.sleep(RETRY_SECONDS)

    def _note(self, page: str, answer: http.client.HTTPResponse, body: bytes) -> None:
        with self._lock:
            if answer.status == 503 and answer.getheader("Retry-After"):
                self.told.refused += 1
            elif answer.status in (200, 202) and answer.getheader("X-Tracker") == "accepted":
                row = json.loads(body)
                if row["page_url"] != page:
                    self.told.wrong.append(f"{row['page_url']} for {page}")
                if answer.status == 200:
                    self.told.numbers.setdefault(page, []).append(row["visit_count"])
                elif row["pending"] and row["visit_count"] is None:
                    self.told.pending[page] += 1
                else:
                    self.told.wrong.append(f"202 {body!r}")
            else:
                self.told.wrong.append(f"{answer.status} {body!r}")
        if answer.status == 503:
            time.sleep(RETRY_SECONDS)
