"""Programs that are started, stopped and killed as their users' are: python programs.py NAME FOLDER SERVER KEY.

Without SERVER they keep the events themselves, in FOLDER.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from visitor_tracker import embedded
from visitor_tracker.middleware import Counts, VisitorTrackingMiddleware, WSGIVisitorTrackingMiddleware, counts

UNTIL_SECONDS = 20.0


def options() -> dict[str, Any]:
    folder, *server = sys.argv[2:]
    if server:
        return {"server": server[0], "key": server[1], "exit_seconds": UNTIL_SECONDS}
    kept = {"server.data_dir": folder, "identity.ip": "full"}
    return {"tracker": embedded(kept), "exit_seconds": UNTIL_SECONDS}


def page(environ: dict[str, Any], start_response: Any) -> list[bytes]:  # noqa: ANN401
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<html>"]


def ask(app: WSGIVisitorTrackingMiddleware, path: str) -> None:
    environ: dict[str, Any] = {"PATH_INFO": path, "REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "Firefox"}
    setup_testing_defaults(environ)
    list(app(environ, lambda *_: None))


def ends() -> None:
    """Answer a request and end at once."""
    ask(WSGIVisitorTrackingMiddleware(page, **options()), "/ends")


def serves() -> None:
    """Serve until a signal; print the port."""
    import uvicorn  # here, for the other programs start in half the time without
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    app = FastAPI()
    app.get("/", response_class=HTMLResponse)(lambda: "<html>")
    app.add_middleware(VisitorTrackingMiddleware, track_all_paths=False, **options())
    config = uvicorn.Config(app, port=0, log_level="critical", ws="none")
    socket = config.bind_socket()
    print(socket.getsockname()[1], flush=True)
    uvicorn.Server(config).run([socket])


def forks() -> None:
    """Answer requests before a fork, and in each of three children; they end as workers of a server do."""
    app = WSGIVisitorTrackingMiddleware(page, **options())
    ask(app, "/parent")
    children = []
    for number in range(3):
        child = os.fork()
        if not child:
            if counts() != Counts():
                os.abort()
            ask(app, f"/child/{number}")
            sys.exit(0)  # runs what is registered for the end
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def stays() -> None:
    """Answer a request, say that it is stored, and stay until the standard input ends."""
    app = WSGIVisitorTrackingMiddleware(page, **options())
    for line in sys.stdin:
        ask(app, line.strip())
        app.flush()
        print(app.counts.sent, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    {"ends": ends, "serves": serves, "forks": forks, "stays": stays}[sys.argv[1]]()
