"""A server in a process of its own: python -m tests.net.child '{"workers": 2, …}' prints what it listens on."""

import contextlib
import json
import logging
import os
import resource
import signal
import sys
import threading
from typing import Any

import msgspec

from tests.net.serving import TinyApp
from visitor_tracker.config import HttpConfig, ServerConfig, TlsConfig
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.logs import configure
from visitor_tracker.metrics import Cell, Metrics
from visitor_tracker.net.listen import Listener, close_listeners, open_listeners
from visitor_tracker.net.loop import Loop, LoopOptions
from visitor_tracker.net.supervisor import Plan, Supervisor
from visitor_tracker.net.tls import TlsAcceptor


class Settings(msgspec.Struct, frozen=True):
    """What a test asks for."""

    workers: int = 0
    jobs: bool = False
    nofile: int = 0
    grace_seconds: float = 5.0
    reload_works: bool = True
    http: HttpConfig = HttpConfig(threads=2)
    server: ServerConfig = ServerConfig(port=0)
    tls: TlsConfig = TlsConfig()


class ChildApp(TinyApp):
    """Tells a client about the process it talks to, and lets it end or stop it."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics
        self.reloads = 0

    def __call__(self, request: Request) -> Answer:
        if request.path == "/process":
            about: dict[str, Any] = {cell.name: self._metrics.total(cell) for cell in Cell}
            about |= {"pid": os.getpid(), "reloads": self.reloads, "threads": threading.active_count()}
            return Response(200, json.dumps(about).encode())
        if request.path == "/kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if request.path == "/files":
            self._open_files(leave=int(request.query))
        if request.path == "/log":
            for number in range(int(request.query)):
                logging.getLogger("test").warning("line %d %s", number, "x" * 1000)
        return super().__call__(request)

    def _open_files(self, leave: int) -> None:
        """Use descriptors up until few are left."""
        opened = []
        with contextlib.suppress(OSError):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        for fd in opened[-leave:]:
            os.close(fd)


class Server:
    """Whatever a test asked for, over one set of listeners."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.listeners: list[Listener] = open_listeners(
            settings.server, backlog=settings.http.backlog, secure=bool(settings.tls.certificate)
        )
        self.metrics = Metrics(settings.workers + 1)

    def work(self, number: int, beat: Any) -> int:  # noqa: ANN401  # a plain function or None
        """Serve in this process until SIGTERM."""
        app = ChildApp(self.metrics)
        tls = TlsAcceptor(self.settings.tls) if self.settings.tls.certificate else None
        options = LoopOptions(self.settings.http, self.settings.grace_seconds, on_tick=beat)
        loop = Loop(self.listeners, app, options, self.metrics.counters(number), tls)

        def reload(_number: int, _frame: object) -> None:
            app.reloads += 1
            if tls is not None:
                tls.reload(self.settings.tls)

        signal.signal(signal.SIGTERM, lambda _number, _frame: loop.stop())
        signal.signal(signal.SIGHUP, reload)
        loop.run()
        return 0

    def jobs(self) -> int:
        """Wait for SIGTERM."""
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
        while True:
            signal.pause()

    def supervise(self) -> int:
        plan = Plan(
            self.settings.workers,
            self.work,
            jobs=self.jobs if self.settings.jobs else None,
            reload=lambda: self.settings.reload_works,
            stop_listening=lambda: close_listeners(self.listeners, remove_files=True),
            grace_seconds=self.settings.grace_seconds,
        )
        return Supervisor(plan, self.metrics).run()


def main() -> int:
    settings = msgspec.json.decode(sys.argv[1], type=Settings)
    configure("info")
    if settings.nofile:
        resource.setrlimit(resource.RLIMIT_NOFILE, (settings.nofile, settings.nofile))
    server = Server(settings)
    where = [listener.sock.getsockname() for listener in server.listeners]
    print(json.dumps({"where": where, "pid": os.getpid()}), flush=True)
    return server.supervise() if settings.workers else server.work(0, None)


if __name__ == "__main__":
    sys.exit(main())
