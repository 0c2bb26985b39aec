"""A real web server on this machine that takes what is posted to it, and answers as it is told."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass(frozen=True)
class Got:
    """A request; the names of its headers are lower case."""

    path: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:  # noqa: ANN401
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """`answers` are used up one by one (status, body, headers); then it says 200 and "ok"."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, bytes, Mapping[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            kept.got.append(Got(self.path, body, {name.lower(): value for name, value in self.headers.items()}))
            status, said, headers = kept.answers.pop(0) if kept.answers else (200, b"ok", {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
