"""The middleware for ASGI programs: Starlette, FastAPI, Django's asgi.py, Quart, …"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Unpack

from visitor_tracker.middleware.address import peer_of
from visitor_tracker.middleware.recorder import Options, Recorder
from visitor_tracker.middleware.seen import WANTED, Asked, asked_for
from visitor_tracker.middleware.sender import Counts

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = Iterable[tuple[bytes, bytes]]

_WANTED = {name.encode(): (name, most) for name, most in WANTED.items()}
_ENDED = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})


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
        if kind == "lifespan":
            return await self.app(scope, receive, self._flushing(send))
        asked = self._asked(scope) if kind == "http" else None
        if asked is None:
            return await self.app(scope, receive, send)
        return await self._serve(scope, receive, send, asked)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, asked: Asked) -> None:
        """Serve a request that may count."""
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

    async def dispatch(self, request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Count as the `dispatch` of Starlette's BaseHTTPMiddleware does."""
        asked = self._asked(request.scope)
        response = await call_next(request)
        if asked is not None:
            self._record(request.scope, asked, response.status_code, response.raw_headers)
        return response

    def _asked(self, scope: Scope) -> Asked | None:
        """Return what was asked for, None for what does not count whatever the answer is."""
        try:
            method, path = scope["method"], scope["path"]
            if not self._recorder.may_count(method, path):
                return None
            name, port = scope.get("server") or ("localhost", None)
            host = f"{name}:{port}" if port else name
            query = scope.get("query_string", b"").decode("latin-1")
            return asked_for(method, scope.get("scheme", "http"), host, path, query, peer_of(scope))
        except Exception as error:  # noqa: BLE001  # is counted and logged
            self._recorder.failed(error)
            return None

    def _record(self, scope: Scope, asked: Asked, status: int, answered: RawHeaders) -> None:
        try:
            content_type = next((value for name, value in answered if name.lower() == b"content-type"), b"")
            self._recorder.record(asked, _wanted(scope["headers"]), status, content_type.decode("latin-1"))
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


def _wanted(headers: RawHeaders) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in headers:
        wanted = _WANTED.get(raw)
        if wanted is None:
            continue
        name, most = wanted
        text = value.decode("latin-1")
        if name in found:
            text = f"{found[name]},{text}"
        found[name] = text[-most:] if name == "x-forwarded-for" else text[:most]
    return found
