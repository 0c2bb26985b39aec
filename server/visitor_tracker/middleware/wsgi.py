"""The middleware for WSGI programs: Flask, Django's wsgi.py, Bottle, Pyramid, …"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Unpack

from visitor_tracker.middleware.recorder import Options, Recorder
from visitor_tracker.middleware.seen import WANTED, Asked, Seen, asked_for
from visitor_tracker.middleware.sender import Counts

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

_WANTED = [  # of the list of addresses the end is what counts
    (f"HTTP_{name.upper().replace('-', '_')}", name, slice(-most, None) if name == "x-forwarded-for" else slice(most))
    for name, most in WANTED.items()
]


class WSGIVisitorTrackingMiddleware:
    """Counts the requests of a WSGI program; `track_all_paths=False`: only its pages."""

    def __init__(self, app: WsgiApp, track_all_paths: bool = True, **options: Unpack[Options]) -> None:
        self.app = app
        self._recorder = Recorder(every_request=track_all_paths, **options)

    @property
    def counts(self) -> Counts:
        """What became of the requests so far, in this process."""
        return self._recorder.counts()

    def flush(self) -> bool:
        """Send what waits, for `exit_seconds` at most; False: some of it still waits."""
        return self._recorder.flush()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request as the program does; the very iterable it returns, and what it raises, pass unchanged."""
        asked = self._asked(environ)
        if asked is None:
            return self.app(environ, start_response)
        is_open = True

        def starting(status: str, headers: Sequence[tuple[str, str]], *exc_info: object) -> object:
            nonlocal is_open
            write = start_response(status, headers, *exc_info)
            if is_open:
                is_open = False
                self._record(environ, asked, status, headers)
            return write

        try:
            return self.app(environ, starting)
        except Exception:
            if is_open:
                self._record(environ, asked, "500", ())
            raise

    def _asked(self, environ: Environ) -> Asked | None:
        """Return what was asked for, None for what does not count whatever the answer is."""
        try:
            method = environ["REQUEST_METHOD"]
            path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
            path = path.encode("latin-1", "replace").decode("utf-8", "replace")
            if not self._recorder.may_count(method, path):
                return None
            scheme, query = environ.get("wsgi.url_scheme", "http"), environ.get("QUERY_STRING", "")
            host = f"{environ.get('SERVER_NAME', 'localhost')}:{environ.get('SERVER_PORT', '80')}"
            return asked_for(method, scheme, host, path, query, environ.get("REMOTE_ADDR", ""))
        except Exception as error:  # noqa: BLE001  # is counted and logged
            self._recorder.failed(error)
            return None

    def _record(self, environ: Environ, asked: Asked, status: str, answered: Sequence[tuple[str, str]]) -> None:
        try:
            at, code, recorder = time.monotonic(), int(status[:3]), self._recorder
            if not recorder.takes_all:
                content_type = next((value for name, value in answered if name.lower() == "content-type"), "")
                if not recorder.takes(code, content_type, lambda: _kept(environ)):
                    return
            recorder.put(Seen(asked, _kept(environ), code, at))
        except Exception as error:  # noqa: BLE001
            self._recorder.failed(error)


def _kept(environ: Environ) -> dict[str, str]:
    """Return what is kept of a request's fields: those that are WANTED, within their bounds."""
    return {name: environ[key][kept] for key, name, kept in _WANTED if key in environ}
