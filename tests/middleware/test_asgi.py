"""The ASGI middleware changes nothing of what it stands before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware

from tests.middleware.conftest import settled
from tests.middleware.hosts import HostError, fastapi, serving
from tests.middleware.trackers import Hanging, Remembering
from visitor_tracker.middleware import Counts, VisitorTrackingMiddleware, sender

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "scheme": "https",
    "path": "/a",
    "query_string": b"q=1",
    "headers": [(b"host", b"example.com"), (b"user-agent", b"Firefox"), (b"cookie", b"secret=1")],
    "client": ("203.0.113.7", 4711),
    "server": ("127.0.0.1", 8000),
}
START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/html")]}
PART: Message = {"type": "http.response.body", "body": b"x", "more_body": True}


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: where a browser was driven, this one has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def asked(app: Any, scope: dict[str, Any] | None = None) -> list[Message]:  # noqa: ANN401
    """Send a request to an ASGI app and return what it sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    run(app(dict(SCOPE if scope is None else scope), receive, send))
    return sent


def test_each_part_of_an_answer_passes_when_it_is_sent() -> None:
    steps: list[str] = []

    async def app(scope: object, receive: object, send: Send) -> None:
        for message in (
            START,
            *({"type": "http.response.body", "body": b"x", "more_body": more} for more in (1, 1, 0)),
        ):
            steps.append("sends")
            await send(message)

    async def send(message: Message) -> None:
        steps.append(message["type"])

    middleware = VisitorTrackingMiddleware(app, tracker=Remembering())
    run(middleware(dict(SCOPE), None, send))  # type: ignore[arg-type]
    assert steps == ["sends", "http.response.start"] + ["sends", "http.response.body"] * 3
    assert settled(lambda: middleware.counts) == Counts(sent=1)


def test_an_event_has_what_the_request_told_and_no_more() -> None:
    tracker = Remembering()

    async def app(scope: dict[str, Any], receive: object, send: Send) -> None:
        scope["path"] = "/changed"
        await send(START)

    middleware = VisitorTrackingMiddleware(app, tracker=tracker, site="shop")  # type: ignore[arg-type]
    asked(middleware)
    settled(lambda: middleware.counts)
    [[event]] = tracker.batches
    assert len(event.pop("id")) == 32
    assert event.pop("age_ms") >= 0
    assert event == {
        "type": "pageview",
        "url": "https://example.com/a?q=1",
        "ip": "203.0.113.7",
        "user_agent": "Firefox",
        "referrer": "",
        "language": "",
        "site": "shop",
        "properties": {"method": "GET", "status": 200},
    }


@pytest.mark.parametrize(("every", "sent"), [(True, 1), (False, 0)])
def test_what_the_program_raises_passes_unchanged(every: bool, sent: int) -> None:
    problem = HostError("mine")

    async def app(*_: object) -> None:
        raise problem

    middleware = VisitorTrackingMiddleware(app, track_all_paths=every, tracker=Remembering())
    with pytest.raises(HostError) as raised:
        asked(middleware)
    assert raised.value is problem
    assert settled(lambda: middleware.counts) == Counts(sent=sent)


def test_an_error_after_the_answer_began_counts_once() -> None:
    async def app(scope: object, receive: object, send: Send) -> None:
        await send(START)
        raise HostError

    middleware = VisitorTrackingMiddleware(app, tracker=Remembering())
    with pytest.raises(HostError):
        asked(middleware)
    assert settled(lambda: middleware.counts) == Counts(sent=1)


@pytest.mark.parametrize(
    "wrong",
    [{"path": None}, {"client": 7}, {"headers": None}, {"headers": [(b"host", "text")]}, {"query_string": None}],
)
def test_what_goes_wrong_in_the_middleware_does_not_reach_the_program(wrong: dict[str, Any]) -> None:
    async def app(scope: object, receive: object, send: Send) -> None:
        await send(START)

    middleware = VisitorTrackingMiddleware(app, tracker=Remembering())
    assert asked(middleware, SCOPE | wrong) == [START]
    assert settled(lambda: middleware.counts) == Counts(failed=1)


def test_websockets_pass_untouched() -> None:
    """The program gets the very objects of the server."""
    seen: list[object] = []

    async def app(*given: object) -> None:
        seen.extend(given)

    async def told(*_: object) -> None:
        raise AssertionError("is not called")

    middleware = VisitorTrackingMiddleware(app, tracker=Remembering())
    scope = SCOPE | {"type": "websocket"}
    run(middleware(scope, told, told))  # type: ignore[arg-type]
    assert [id(one) for one in seen] == [id(scope), id(told), id(told)]
    assert middleware.counts == Counts()


def test_the_program_s_own_start_and_end_are_its_own_and_what_waits_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "GATHER_SECONDS", 3600.0)
    steps: list[str] = []
    tracker = Remembering()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        steps.append("starts")
        yield
        steps.append("ends")

    with serving(fastapi(lifespan, tracker=tracker)) as url:
        assert requests.get(url, timeout=20).status_code == 200
        assert (steps, tracker.urls) == (["starts"], [])
    assert (steps, tracker.urls) == (["starts", "ends"], [f"{url}/"])


def test_a_tracker_that_hangs_does_not_slow_the_program() -> None:
    """It takes nothing before everything is answered, so nothing that is answered waits for it."""
    tracker = Hanging()
    app = fastapi(tracker=tracker, queue_size=50)
    with serving(app) as url:
        with requests.Session() as session:
            assert {session.get(url, timeout=20).status_code for _ in range(100)} == {200}
        assert tracker.urls == []
        tracker.release.set()
    assert len(tracker.urls) == 50


def test_as_dispatch_of_starlette_s_own_middleware() -> None:
    tracker = Remembering()

    async def nothing(*_: object) -> None:
        raise AssertionError("is not served through this")

    tracking = VisitorTrackingMiddleware(nothing, track_all_paths=False, tracker=tracker)
    app = FastAPI()
    app.get("/api")(lambda: {"items": 1})
    app.add_middleware(BaseHTTPMiddleware, dispatch=tracking.dispatch)
    with serving(app) as url:
        assert requests.get(f"{url}/api", timeout=20).json() == {"items": 1}
        assert requests.get(f"{url}/docs", timeout=20).status_code == 200
    settled(lambda: tracking.counts)
    assert tracker.urls == [f"{url}/docs"]


def test_visitors_who_opt_out_can_be_left_alone() -> None:
    async def app(scope: object, receive: object, send: Send) -> None:
        await send(START)

    middleware = VisitorTrackingMiddleware(app, tracker=Remembering(), honour_opt_out=True)
    for field in ((b"dnt", b"1"), (b"sec-gpc", b"1"), (b"dnt", b"0")):
        asked(middleware, SCOPE | {"headers": [*SCOPE["headers"], field]})
    assert settled(lambda: middleware.counts) == Counts(sent=1)
