"""Following a site: what is shown, to whom, how many may, and when it ends."""

import json
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.web.conftest import LOCAL, REMOTE, Build, Site, header_of
from tests.web.counting_site import Visitor, settle
from tests.web.people import Browser, add, program, set_up
from tests.web.signers import HOST, registered
from visitor_tracker.config import HttpConfig
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.http.message import Peer, Request, Response, Stream
from visitor_tracker.metrics import Cell
from visitor_tracker.reports.live import LiveView
from visitor_tracker.web import feeder

STREAM = "/api/v1/live/stream"
SECONDS = 20


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody is looked after many times a second."""
    monkeypatch.setattr(feeder, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(feeder, "HEARTBEAT_SECONDS", 0.05)


def ask(site: Site, query: str, headers: Mapping[str, str], peer: Peer, method: str = "GET") -> Response | Stream:
    answer = site.app.router(Request(method, STREAM, query, {"host": "localhost:8000", **headers}, b"", True, peer))
    assert isinstance(answer, Response | Stream)
    return answer


class Following:
    """A client of a stream that reads at once."""

    def __init__(
        self, site: Site, headers: Mapping[str, str] | None = None, *, peer: Peer = LOCAL, query: str = ""
    ) -> None:
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        answer = ask(site, query, headers or {}, peer)
        assert isinstance(answer, Stream), answer
        self.stream = answer
        self.first = answer.first
        answer.attach(self._deliver, chunked=True)

    def _deliver(self, stream: Stream) -> None:
        piece, is_last = stream.take()
        if piece:
            self._pieces.put(piece)
        if is_last:
            stream.close()
            self._pieces.put(None)

    def piece(self) -> bytes | None:
        """Return what is sent next, None at the end."""
        return self._pieces.get(timeout=SECONDS)

    def event(self) -> bytes | None:
        """Return the next event."""
        until = time.monotonic() + SECONDS
        while (piece := self.piece()) == b":\n\n":
            assert time.monotonic() < until, "nothing but signs of life"
        return piece


def live_of(event: bytes | None) -> dict[str, object]:
    assert event is not None
    fields = dict(line.split(": ", 1) for line in event.decode().strip().splitlines())
    live: dict[str, object] = json.loads(fields["data"])
    assert (fields["event"], fields["id"]) == ("live", live["time"])
    return live


def test_it_begins_with_the_site_as_it_is_and_says_what_changes(site: Site) -> None:
    one, short = Following(site), Following(site, query="feed=0")
    assert one.first.startswith(b"retry: ")
    assert live_of(one.first.partition(b"\n")[2])["visitors"] == 0
    assert header_of(one.stream.headers, "Content-Type") == "text/event-stream"
    assert header_of(one.stream.headers, "Cache-Control") == "no-store"
    assert header_of(one.stream.headers, "X-Accel-Buffering") == "no"
    assert [one.piece(), short.piece()] == [b":\n\n", b":\n\n"]  # nothing changes, but somebody is there
    Visitor(site).view("https://example.com/seen")
    settle(site)
    (long, shorter) = (live_of(one.event()), live_of(short.event()))
    assert (long["visitors"], shorter["visitors"], shorter["feed"]) == (1, 1, [])
    assert [event["page"] for event in long["feed"]] == ["/seen"]  # type: ignore[attr-defined]
    one.stream.close()
    short.stream.close()
    assert (site.counted(Cell.STREAMS), site.counted(Cell.STREAMS_OPEN)) == (2, 0)


# Who may.


@dataclass
class Proof:
    """How somebody proves who they are, and how that ends."""

    headers: dict[str, str]
    end: Callable[[], object]
    peer: Peer = REMOTE


def log_in(site: Site) -> Proof:
    browser = add(set_up(site), "vera", roles={"default": "viewer"})
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return Proof({"cookie": cookie}, lambda: browser.ask("POST", "/api/v1/logout"))


def access_token(site: Site) -> Proof:
    admin = set_up(site)
    tokens = program(add(admin, "otto", is_admin=True), "otto").tokens
    return Proof(
        {"authorization": f"Bearer {tokens['access_token']}"},
        lambda: admin.ask("PATCH", "/api/v1/users/otto", {"disabled": True}),
    )


def signature(site: Site) -> Proof:
    signer = registered(site)
    path = f"/api/v1/sites/default/signing-keys/{signer.key_id}"
    headers = {**HOST, **signer.second(STREAM)}
    return Proof(headers, lambda: site.ask(path, method="DELETE", headers=site.admin))


def own_machine(site: Site) -> Proof:
    return Proof({}, lambda: set_up(site), LOCAL)


@pytest.mark.parametrize("make", [log_in, access_token, signature, own_machine])
def test_it_ends_with_the_right_to_see_it(site: Site, make: Callable[[Site], Proof]) -> None:
    proof = make(site)
    one = Following(site, proof.headers, peer=proof.peer)
    assert [one.piece(), one.piece()] == [b":\n\n", b":\n\n"]  # asked again, and again allowed
    proof.end()
    Visitor(site).view("https://example.com/secret")
    settle(site)
    seen = []
    while piece := one.event():
        seen.append(piece)
    assert [event for event in seen if b"/secret" in event] == []
    assert (site.counted(Cell.STREAMS_REVOKED), site.counted(Cell.STREAMS_OPEN)) == (1, 0)


def test_strangers_and_share_links_follow_nothing(site: Site) -> None:
    admin = set_up(site)
    for browser, status in ((Browser(site), 401), (add(admin, "nobody"), 403)):
        assert browser.get(STREAM).status == status
    shared = site.ask("/api/v1/sites/default/shares", method="POST", body=b'{"name": "all"}', headers=site.admin)
    token = json.loads(shared.body)["token"]
    assert site.ask(STREAM, peer=REMOTE, headers={"x-share-token": token}).status == 403
    assert site.ask(f"{STREAM}?site=none", headers=site.admin).status == 404
    assert site.ask(f"{STREAM}?feed=101", headers=site.admin).status == 400


# How many may, and when the store is away.


def test_there_are_so_many_seats_for_an_address_and_in_all(build: Build) -> None:
    site = build(http=HttpConfig(max_streams=4, max_streams_per_address=2), trusted_proxies=("198.51.100.1",))

    def sit(address: str, forwarded: str = "") -> Stream:
        answer = answered(address, forwarded)
        assert isinstance(answer, Stream), answer
        return answer

    def answered(address: str, forwarded: str = "") -> Response | Stream:
        headers = site.admin | ({"x-forwarded-for": forwarded} if forwarded else {})
        return ask(site, "", headers, Peer(address))

    def refused(address: str) -> tuple[int, str]:
        answer = answered(address)
        assert isinstance(answer, Response), answer
        assert header_of(answer.headers, "Retry-After") == "5"
        return answer.status, json.loads(answer.body)["error"]["code"]

    first, second = sit("2001:db8::1"), sit("2001:db8::2")
    assert refused("2001:db8::3") == (429, "too_many_streams")
    others = [sit("198.51.100.1", "203.0.113.1"), sit("198.51.100.1")]
    assert refused("203.0.113.9") == (503, "too_many_streams")
    first.close()
    others += [second, sit("2001:db8::3")]
    head = ask(site, "", site.admin, REMOTE, "HEAD")
    assert isinstance(head, Stream)  # takes no seat
    assert (site.counted(Cell.STREAMS_OPEN), site.counted(Cell.STREAMS_REFUSED)) == (4, 2)
    for stream in (*others, head):
        stream.close()
    assert site.counted(Cell.STREAMS_OPEN) == 0


def test_it_says_that_the_store_is_away_and_goes_on_when_it_is_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Following(site)

    def away(*_: object) -> None:
        raise StoreUnavailable("as asked for")

    with monkeypatch.context() as patched:
        patched.setattr(LiveView, "read", away)
        assert one.event() == b"event: away\ndata: {}\n\n"
        assert one.piece() == b":\n\n"  # said once
        refused = ask(site, "", {}, LOCAL)
        assert isinstance(refused, Response)
        assert refused.status == 503
    assert live_of(one.event())["visitors"] == 0
    one.stream.close()
    assert site.counted(Cell.STREAMS_OPEN) == 0
