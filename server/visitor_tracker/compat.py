"""The Python surfaces of the raw-socket counter and of the tracking middleware that this server replaces.

    server = VisitorTrackingServer(host="localhost", port=8000, db_config={...})
    server.start_server()

Its methods work on the same store as the running server, and return what the HTTP routes return. Without
db_config the store is a SQLite file below ./data.

    app.add_middleware(VisitorTrackingMiddleware)
    get_visitor_stats()

The functions of the middleware tell of the tracker that it has inside the program when it is told of no other.
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from visitor_tracker.app import App, Shared, background_of
from visitor_tracker.config import TlsConfig, load
from visitor_tracker.embedding import default_tracker
from visitor_tracker.embedding.inside import opened_snapshot
from visitor_tracker.errors import AlreadyRunning, ConfigError, HttpError, OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import PageCount
from visitor_tracker.http.message import Peer, Request, Response, Stream, error_response
from visitor_tracker.http.parser import Limits, RequestParser
from visitor_tracker.http.wire import CONTINUE, encode, http_date
from visitor_tracker.ingest.counter import Outcome, Unnumbered
from visitor_tracker.jobs.background import Background
from visitor_tracker.jobs.own_stores import Backgrounds
from visitor_tracker.middleware import VisitorTrackingMiddleware, get_client_ip
from visitor_tracker.net.tls import server_context
from visitor_tracker.serve import LoopServer, migrate_store, run_here
from visitor_tracker.web.counter import iso
from visitor_tracker.web.pages import Page

__all__ = [
    "VisitorTrackingMiddleware",
    "VisitorTrackingServer",
    "get_all_visitors",
    "get_client_ip",
    "get_visitor_stats",
]

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 30.0
_RECEIVE_BYTES = 64 * 1024
Row = dict[str, Any]
_NEVER: Row = {"page_url": "", "visit_count": 0, "last_visited": None, "created_at": None}
_AWAY = "the store is away; nothing was counted"
_UNKNOWN = "the store did not say whether the visit was stored"


class VisitorTrackingServer:
    """A counter inside another program: one process, its threads end with `stop_server`."""

    def __init__(
        self,
        host: str = "localhost",
        port: int = 8000,
        db_config: Mapping[str, Any] | None = None,
        secret_key: str | None = None,
    ) -> None:
        """`db_config` has host, user, password, database and may have port, pool_size, unix_socket.

        Raises ConfigError for values that cannot work, such as a secret_key below 32 characters.
        """
        overrides: Row = {"server.host": host, "server.port": port, "server.workers": 0}
        if db_config is not None:
            overrides["store.url"] = store_url(db_config)
        if secret_key is not None:
            overrides["server.secret_key"] = secret_key
        self._config = load(None, {}, overrides)
        self._lock = threading.Lock()
        self._serving = threading.Lock()
        self._made: App | None = None
        self._background: Background | Backgrounds | None = None
        self._server: LoopServer | None = None
        self.started = threading.Event()

    @property
    def address(self) -> str:
        """Where the running server listens, such as http://127.0.0.1:8000; "" before `started` is set.

        `localhost` may have two addresses; this is the first.
        """
        return "" if self._server is None else self._server.where.partition(" ")[0]

    def create_database_table(self) -> list[str]:
        """Bring the tables up to date; return the names of the migrations applied."""
        return migrate_store(self._config)

    def execute_query(
        self, query: str, params: Sequence[Any] = (), fetch_one: bool = False, fetch_all: bool = False
    ) -> Any:  # noqa: ANN401  # a row, rows or nothing, as the caller's SQL has it
        """Run SQL of the caller's own, values as %s; return a row or None, a list of rows, or nothing."""
        rows = self._app().store.execute(query, params)
        if fetch_one:
            return rows[0] if rows else None
        return rows if fetch_all else None

    def validate_request(self, page_url: str) -> bool:
        """Say whether visits of that page can be counted."""
        try:
            self._app().pages.from_url(page_url)
        except ValueError:
            return False
        return True

    def generate_token(self, page_url: str) -> str:
        """Return a security token for the page's present count; raises ValueError for an invalid URL."""
        app = self._app()
        page = app.pages.from_url(page_url)
        found = app.store.page(page.hash)
        return app.signer.sign(page.hash, found.visit_count if found else 0, time.time_ns() // 1_000_000)

    def update_visitor_count(self, page_url: str) -> Row:
        """Count a visit, durably; return the page's row, without a number (`pending`) while the store is away.

        Raises ValueError, StoreUnavailable (not counted) or OutcomeUnknown. The rate limit is for clients only.
        """
        app = self._app()
        page = _page(app, page_url)
        got: list[Outcome] = []
        done = threading.Event()

        def deliver(outcome: Outcome) -> None:
            got.append(outcome)
            done.set()

        if not app.counter.add(page.visit, deliver):
            raise StoreUnavailable(_AWAY)
        app.flush()
        done.wait(_ANSWER_SECONDS)
        counted = got[0] if got else Unnumbered.UNKNOWN
        if counted is Unnumbered.PENDING:
            return _NEVER | {"page_url": page.url, "visit_count": None, "security_token": None, "pending": True}
        if isinstance(counted, Unnumbered):
            raise StoreUnavailable(_AWAY) if counted is Unnumbered.REFUSED else OutcomeUnknown(_UNKNOWN)
        token = app.signer.sign(page.hash, counted.visit_count, counted.last_visited)
        row = PageCount(page.url, counted.visit_count, counted.last_visited, counted.created_at)
        return page_row(row) | {"security_token": token}

    def get_visitor_count(self, page_url: str | None = None) -> Row | list[Row]:
        """Return one page's row, or the rows of all pages."""
        app = self._app()
        if page_url is not None:
            page = _page(app, page_url)
            row = app.store.page(page.hash)
            return page_row(row) if row else _NEVER | {"page_url": page.url}
        store = app.store
        rows: list[Row] = []
        cursor = None
        while True:
            found = store.pages(limit=1000, cursor=cursor)
            rows += [page_row(page) for page in found.pages]
            cursor = found.cursor
            if cursor is None:
                return rows

    def setup_ssl(self, certificate: str = "server.crt", key: str = "server.key") -> ssl.SSLContext:
        """Serve over TLS with these files; raises ListenError when they cannot be used."""
        tls = TlsConfig(certificate=certificate, key=key)
        context = server_context(tls)
        self._config = replace(self._config, tls=tls)
        return context

    def handle_request(self, client_socket: socket.socket) -> None:
        """Serve one accepted connection in the calling thread, then close it."""
        http = self._config.http
        limits = Limits(http.max_target, http.max_field, http.max_head, http.max_fields, http.max_body)
        with client_socket:
            client_socket.settimeout(http.header_seconds)
            name = client_socket.getpeername() if client_socket.family != socket.AF_UNIX else ""
            peer = Peer(name[0]) if name else Peer("", unix=True)
            parser = RequestParser(limits, peer, lambda *what: self._app().router.body_limit(*what) or http.max_body)
            with suppress(OSError, OutcomeUnknown):  # no answer is the answer then
                self._converse(client_socket, parser)

    def start_server(self) -> None:
        """Serve in the calling thread until `stop_server` or Ctrl-C; raises AlreadyRunning in a second thread."""

        def started(server: LoopServer) -> None:
            self._server = server
            log.info("listening on %s", server.where)
            self.started.set()

        if not self._serving.acquire(blocking=False):
            raise AlreadyRunning(f"this server runs already, on {self.address}")
        try:
            with suppress(KeyboardInterrupt):
                run_here(self._config, self._app(), started)
        finally:
            self.close()
            self._serving.release()

    def stop_server(self) -> None:
        """End `start_server`, from another thread or a signal handler."""
        if self._server is not None:
            self._server.stop()

    def close(self) -> None:
        """Let go of the store; the methods open it again when they need it."""
        with self._lock:
            app, self._made, self._server = self._made, None, None
            background, self._background = self._background, None
        self.started.clear()
        if app is not None:
            app.stop_taking()
            if background is not None:
                background.stop()
            app.close()

    def _app(self) -> App:
        with self._lock:
            if self._made is None:
                self._made = App(self._config, Shared(self._config, 1, opened_snapshot(self._config)))
                self._background = background_of(
                    self._config, self._made.store, self._made.counters, own_counters=self._made.shared.own_counters
                )
                self._background.start()
            return self._made

    def _converse(self, client: socket.socket, parser: RequestParser) -> None:
        keep = True
        while keep:
            piece = client.recv(_RECEIVE_BYTES)
            if not piece:
                return
            parser.feed(piece)
            try:
                while keep and (request := parser.next_request()) is not None:
                    response = answer_of(self._app(), request)
                    keep = request.keep_alive and not response.close
                    client.sendall(_bytes(response, keep=keep, head=request.method == "HEAD"))
            except HttpError as error:
                client.sendall(_bytes(error_response(error, close=True), keep=False, head=False))
                return
            if parser.take_expect():
                client.sendall(CONTINUE)


def get_all_visitors() -> list[Row]:
    """Return the record of each visitor, the newest first."""
    return default_tracker().get_all_visitors()


def get_visitor_stats() -> Row:
    """Return {total_visitors, total_visits, countries, top_ips}."""
    return default_tracker().get_visitor_stats()


def store_url(db_config: Mapping[str, Any]) -> str:
    """Return the store URL of the dictionary that the earlier counter took; raises ConfigError."""
    known = {"host", "port", "user", "password", "database", "pool_size", "unix_socket", "pool_name"}
    unknown = sorted(set(db_config) - known)
    missing = sorted({"user", "database"} - set(db_config))
    if unknown or missing:
        raise ConfigError(f"db_config: unknown keys {unknown}, missing keys {missing}; it takes {sorted(known)}")
    user, password = quote(str(db_config["user"]), safe=""), quote(str(db_config.get("password", "")), safe="")
    host = str(db_config.get("host", "localhost"))
    place = f"{f'[{host}]' if ':' in host else host}:{db_config.get('port', 3306)}"
    options = "&".join(
        f"{name}={quote(str(db_config[name]), safe='')}" for name in ("pool_size", "unix_socket") if name in db_config
    )
    return f"mysql://{user}:{password}@{place}/{quote(str(db_config['database']), safe='')}?{options}".rstrip("?")


def answer_of(app: App, request: Request) -> Response:
    """Handle a request in the calling thread and wait until its answer is there."""
    answer = app.router(request)
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Stream):  # of no request that is made here
        answer.close()
        raise OutcomeUnknown(_UNKNOWN)
    got: list[Response | None] = []
    done = threading.Event()

    def deliver(response: Response | None) -> None:
        got.append(response)
        done.set()

    answer.attach(deliver)
    app.router.flush()
    done.wait(_ANSWER_SECONDS)
    if not got or got[0] is None:
        raise OutcomeUnknown(_UNKNOWN)
    return got[0]


def _page(app: App, page_url: str) -> Page:
    try:
        return app.pages.from_url(page_url)
    except ValueError as error:
        raise ValueError("Invalid URL") from error


def page_row(page: PageCount) -> Row:
    """Return a page as the HTTP routes show it."""
    return {
        "page_url": page.page_url,
        "visit_count": page.visit_count,
        "last_visited": iso(page.last_visited),
        "created_at": iso(page.created_at),
    }


def _bytes(response: Response, *, keep: bool, head: bool) -> bytes:
    return encode(response, keep_alive=keep, head=head, date=http_date(int(time.time())))
