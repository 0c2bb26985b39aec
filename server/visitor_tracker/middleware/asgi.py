"""The middleware for ASGI programs: Starlette, FastAPI, Django's asgi.py, Quart, …"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple, Unpack

from visitor_tracker.middleware.recorder import Options, Recorder
from visitor_tracker.middleware.seen import ASKED_MOST, WANTED, Seen, asked_for
from visitor_tracker.middleware.sender import Counts

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = Iterable[tuple[bytes, bytes]]
Address = tuple[str, int | None]

_NAMES = {name.encode(): name for name in WANTED}
_KEPT = {  # of the list of addresses the end is what counts
    name.encode(): slice(-most, None) if name == "x-forwarded-for" else slice(most) for name, most in WANTED.items()
}
_ENDED = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})


class _Asked(NamedTuple):
    """What a request told when it came: a program may change its scope."""

    method: str
    scheme: str
    server: Address | None
    path: str
    query: bytes
    client: Address | None


class _Answered(NamedTuple):
    """A request that was answered; what is kept has a bound, and is read by who sends it."""

    asked: _Asked
    headers: Mapping[bytes, bytes]
    status: int
    at: float

    def read(self) -> Seen:
        asked = self.asked
        name, port = asked.server or ("localhost", None)
        host = f"{name}:{port}" if port else name
        peer = str(asked.client[0] or "") if asked.client else ""
        told = asked_for(asked.method, asked.scheme, host, asked.path, asked.query.decode("latin-1"), peer)
        return Seen(told, _decoded(self.headers), self.status, self.at)


class VisitorTrackingMiddleware:
    """Counts the requests of an ASGI program; `track_all_paths=False`: only its pages."""

    def __init__(self, app: AsgiApp, track_all_paths: bool = True, **options: Unpack[Options]) -> None:
        self.app = app
        self._recorder = Recorder(every_request=track_all_paths, **options)

    @property
    def counts(self) -> Counts:
        """What became of the requests so far, in this process."""
        return self._recorder.counts()

    def flush(self) -> bool:
        """Send what waits, for `exit_seconds` at most; False: some of it still waits."""
        return self._recorder.flush()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request as the program does; its answer, and what it raises, pass unchanged."""
        kind = scope["type"]
        asked = self._asked(scope) if kind == "http" else None
        if asked is None:
            return await self.app(scope, receive, self._flushing(send) if kind == "lifespan" else send)
        begun: tuple[int, RawHeaders] | None = None
        is_open = True

        async def passing(message: Message) -> None:
            nonlocal begun, is_open
            await send(message)
            if not is_open:
                return
            if message["type"] == "http.response.start":
                begun = message["status"], message.get("headers", ())
            elif begun is not None:  # the client has its answer, or its first part: nobody waits for what comes now
                is_open = False
                self._record(scope, asked, *begun)

        try:
            await self.app(scope, receive, passing)
        except Exception:
            begun = begun or (500, ())
            raise
        finally:
            if is_open and begun is not None:
                self._record(scope, asked, *begun)
        return None

    async def dispatch(self, request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Count as the `dispatch` of Starlette's BaseHTTPMiddleware does."""
        asked = self._asked(request.scope)
        response = await call_next(request)
        if asked is not None:
            self._record(request.scope, asked, response.status_code, response.raw_headers)
        return response

    def _asked(self, scope: Scope) -> _Asked | None:
        """Return what was asked for, None for what does not count whatever the answer is."""
        try:
            method, path, known = scope["method"], scope["path"], scope.get
            if not self._recorder.may_count(method, path):
                return None
            query = known("query_string", b"")[:ASKED_MOST]
            return _Asked(method, known("scheme", "http"), known("server"), path[:ASKED_MOST], query, known("client"))
        except Exception as error:  # noqa: BLE001  # is counted and logged
            self._recorder.failed(error)
            return None

    def _record(self, scope: Scope, asked: _Asked, status: int, answered: RawHeaders) -> None:
        try:
            at, recorder = time.monotonic(), self._recorder
            if not recorder.takes_all:
                content_type = next((value for name, value in answered if name.lower() == b"content-type"), b"")
                if not recorder.takes(status, content_type.decode("latin-1"), lambda: _decoded(_kept(scope))):
                    return
            recorder.put(_Answered(asked, _kept(scope), status, at))
        except Exception as error:  # noqa: BLE001
            self._recorder.failed(error)

    def _flushing(self, send: Send) -> Send:
        """Send what waits before the server is told that the program has ended: it may end by a signal then."""

        async def passing(message: Message) -> None:
            if message["type"] in _ENDED:
                await self._flush()
            await send(message)

        return passing

    async def _flush(self) -> None:
        import asyncio  # here, because it takes longer than all else and WSGI programs do without

        try:
            try:
                await asyncio.to_thread(self._recorder.flush)
            except RuntimeError:  # another event loop than asyncio's; nothing is served any more
                self._recorder.flush()
        except Exception as error:  # noqa: BLE001
            self._recorder.failed(error)


def _kept(scope: Scope) -> dict[bytes, bytes]:
    """Return what is kept of a request's fields: those that are WANTED, within their bounds."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _KEPT:
            found[name] = (b"%b,%b" % (found[name], value) if name in found else value)[_KEPT[name]]
    return found


def _decoded(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {_NAMES[name]: value.decode("latin-1") for name, value in headers.items()}
