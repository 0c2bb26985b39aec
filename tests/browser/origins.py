"""Web servers of the tests: somebody's site, and a relay that sees what passes between browser and server."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def route(self) -> str:
        """Method and path without the query, as in "GET /count"."""
        return f"{self.method} {urlsplit(self.path).path}"


@dataclass
class Site:
    """A web site that knows nothing of the server; its pages are in a folder that no other test has."""

    url: str = ""
    folder: str = field(default_factory=lambda: f"/{token_hex(8)}/")
    seen: list[Seen] = field(default_factory=list)
    _pages: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def put(self, name: str, html: str, **headers: str) -> str:
        """Serve the page and return its URL; header names are written with _ for -."""
        path = self.folder + name
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._pages[path] = (f"<!doctype html><title>A page</title>{html}".encode(), named)
        return self.url + path

    def saw(self, name: str) -> bool:
        """Say whether a page, there or not, was asked for."""
        return any(seen.path == self.folder + name for seen in self.seen)

    def answer(self, handler: "_Handler") -> None:
        self.seen.append(handler.seen())
        body, headers = self._pages.get(handler.path.partition("?")[0], (b"", {}))
        handler.send_response_only(200 if body else 404)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@dataclass
class Relay:
    """Stands before the server; `lose` answers are cut off after the server has given them."""

    port: Callable[[], int]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    lose: int = 0

    def routes(self) -> list[str]:
        """Return what was asked for, without the client's own files."""
        return [seen.route for seen in self.seen if "/client/" not in seen.route]

    def answer(self, handler: "_Handler") -> None:
        request = handler.seen()
        self.seen.append(request)
        connection = HTTPConnection("127.0.0.1", self.port())
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            response = connection.getresponse()
            body = response.read()
        except ConnectionError:
            handler.close_connection = True
            return
        finally:
            connection.close()
        if self.lose and request.method == "POST":
            self.lose -= 1
            handler.close_connection = True
        else:
            _pass_on(handler, response, body)


def _pass_on(handler: "_Handler", response: HTTPResponse, body: bytes) -> None:
    handler.send_response_only(response.status)
    for name, value in response.getheaders():
        if name.lower() != "connection":
            handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


_Owner = TypeVar("_Owner", Site, Relay)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Site | Relay

    def seen(self) -> Seen:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return Seen(self.command, self.path, dict(self.headers.items()), body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Be silent."""

    def _answer(self) -> None:
        self.owner.answer(self)

    do_GET = do_HEAD = do_POST = do_OPTIONS = _answer


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers hang up whenever they like."""


@contextmanager
def served(owner: _Owner) -> Iterator[_Owner]:
    """Serve on a free port of 127.0.0.1, an origin of its own."""
    handler = type("Handler", (_Handler,), {"owner": owner})
    with _Quiet(("127.0.0.1", 0), handler) as server:
        owner.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield owner
        server.shutdown()
        thread.join()
