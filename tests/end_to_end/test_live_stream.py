"""Following a site over server-sent events, from a server with two workers, as programs and browsers do."""

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.running import SECONDS, Server, until

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Following:
    """A stream, read event by event."""

    def __init__(self, server: Server, query: str = "", **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        self._connection.request("GET", f"/api/v1/live/stream{query}", headers={"Host": "localhost", **headers})
        self.answer = self._connection.getresponse()
        self.status = self.answer.status

    def event(self) -> dict[str, str]:
        """Return the fields of the next event, "" of a comment; none when the stream has ended."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().rstrip(b"\n"):
            name, _, value = line.decode().partition(":")
            fields[name] = value.strip()
        return fields

    def live(self) -> dict[str, Any]:
        """Return the next state of the site."""
        while (event := self.event()).get("event") != "live":
            assert event, "the stream ended"
        live: dict[str, Any] = json.loads(event["data"])
        assert event["id"] == live["time"]
        return live

    def close(self) -> None:
        self.answer.close()
        self._connection.close()

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(
        tmp_path,
        settings={"VISITOR_TRACKER_SERVER_WORKERS": "2", "VISITOR_TRACKER_HTTP_MAX_STREAMS": "1"},
    )
    running.start()
    try:
        yield running
    finally:
        running.kill9()


def visit(server: Server, page: str) -> None:
    event = {"type": "pageview", "site": "default", "url": f"https://example.com{page}"}
    answer = server.session.post(f"{server.url}/api/v1/events", json=[event], headers={"user-agent": AGENT})
    assert answer.json()["accepted"] == 1


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Hold a process: what connects meanwhile is the other worker's."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def of_both_workers(server: Server, stack: ExitStack) -> list[Following]:
    """Follow at each of the two workers."""
    found = []
    for worker in server.children()[:2]:
        with stopped(worker):
            found.append(stack.enter_context(Following(server)))
    return found


def test_what_one_worker_is_sent_is_seen_at_all_and_the_end_of_the_server_is_theirs(server: Server) -> None:
    with ExitStack() as stack:
        streams = of_both_workers(server, stack)
        assert [stream.answer.headers["content-type"] for stream in streams] == ["text/event-stream"] * 2
        assert [stream.live()["visitors"] for stream in streams] == [0, 0]
        visit(server, "/a")
        assert [stream.live()["feed"][0]["page"] for stream in streams] == ["/a", "/a"]
        assert (server.metric("streams_open"), server.metric("streams_total")) == (2, 2)
        assert server.stop() == 0
        assert [stream.event() for stream in streams] == [{}, {}]


def test_a_worker_takes_so_many_and_one_who_leaves_makes_room(server: Server) -> None:
    with ExitStack() as stack:
        one, two = of_both_workers(server, stack)
        assert (one.status, two.status) == (200, 200)
        with Following(server) as refused:
            assert (refused.status, refused.answer.headers["retry-after"]) == (503, "5")
            assert json.loads(refused.answer.read())["error"]["code"] == "too_many_streams"
        one.close()
        until(lambda: server.metric("streams_open") == 1)
        with stopped(server.children()[0]), Following(server) as again:
            assert again.status == 200
        assert server.metric("streams_refused_total") == 1
