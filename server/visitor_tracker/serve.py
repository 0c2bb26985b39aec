"""Run the server: in one process, or as a supervisor with workers.

supervisor ── fork ──▶ worker 0..W-1   Loop ▸ Router ▸ Counter ▸ Store
           └─ fork ──▶ jobs            housekeeping
"""

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

from visitor_tracker import __version__, logs, resources
from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.access.snapshot import FILE as SNAPSHOT
from visitor_tracker.access.snapshot import read_snapshot
from visitor_tracker.app import App, Shared, background_of, first_snapshot, store_of, worker_count
from visitor_tracker.config import Config, reloaded
from visitor_tracker.config.contradictions import LOOPBACK
from visitor_tracker.errors import ConfigError, ListenError, OutcomeUnknown, StoreUnavailable, TrackerError
from visitor_tracker.ingest.own_stores import check_own, own_files, prepare_all
from visitor_tracker.net.listen import Listener, close_listeners, open_listeners
from visitor_tracker.net.loop import Loop, LoopOptions
from visitor_tracker.net.notify import Notifier
from visitor_tracker.net.supervisor import Plan, Supervisor
from visitor_tracker.net.tls import TlsAcceptor, server_context
from visitor_tracker.store.base import Finding
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.lock import hold
from visitor_tracker.store.migrate import migrate, pending
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

_STORE_PATIENCE_SECONDS = 60.0  # a database that starts beside the server is waited for
_STORE_PAUSE_SECONDS = 0.5
_JOBS_NICENESS = 10  # where cores are few, visitors come before what nobody waits for

Load = Callable[[], Config]


def serve(config: Config, load_again: Load, file: Path | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code. Raises TrackerError when it cannot begin."""
    writer = logs.configure(config.log.level, config.log.file)
    for finding in check_file(config, file):
        log.warning("%s; %s", finding.message, finding.hint)
    workers = worker_count(config)
    with ExitStack() as stack:
        hold_locks(config, stack)
        listeners = open_listeners(config.server, backlog=config.http.backlog, secure=bool(config.tls.certificate))
        stack.callback(close_listeners, listeners, remove_files=True)
        if config.tls.certificate:
            server_context(config.tls)  # a bad certificate is told now, not by each worker
        is_there = _prepare_store(config)
        shared = Shared(config, workers + 1, first_snapshot(config, ask=is_there))
        _announce(config, listeners, workers, ask=is_there)
        worker = Worker(config, load_again, shared, listeners, writer)
        if workers == 0:
            return worker.run_alone()
        plan = Plan(
            workers=workers,
            worker=worker.run,
            jobs=worker.run_jobs,
            reload=worker.reload_settings,
            stop_listening=lambda: close_listeners(listeners, remove_files=False),
            grace_seconds=config.server.grace_seconds,
        )
        return Supervisor(plan, shared.metrics).run()


class Worker:
    """What a process of the server does after the fork; made before it."""

    def __init__(
        self, config: Config, load_again: Load, shared: Shared, listeners: Sequence[Listener], writer: logs.Writer
    ) -> None:
        self._config = config
        self._load_again = load_again
        self._shared = shared
        self._listeners = listeners
        self._writer = writer

    def run(self, number: int, beat: Callable[[], None]) -> int:
        """Serve as worker `number` until SIGTERM."""
        app = App(self._config, self._shared, number)
        try:
            server = LoopServer(self._config, app, self._listeners, beat)
            signal.signal(signal.SIGTERM, lambda *_: server.stop())
            signal.signal(signal.SIGHUP, lambda *_: self._reload(server, warn=False))  # the parent does
            spare_the_collector()
            server.run()
        finally:
            app.close()
        return 0

    def run_jobs(self) -> int:
        """Do the work nobody waits for until SIGTERM."""
        os.nice(_JOBS_NICENESS)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGHUP, lambda *_: self._writer.reopen())
        close_listeners(list(self._listeners), remove_files=False)
        store = store_of(self._config)
        row = worker_count(self._config)
        metrics = self._shared.metrics
        background = background_of(self._config, store, metrics.counters(row), metrics, self._shared.own_counters)
        spare_the_collector()
        try:
            background.start()
            stop.wait()
            background.stop()
        finally:
            store.close()
        return 0

    def run_alone(self) -> int:
        """Do everything in this process."""
        notifier = Notifier()
        app = App(self._config, self._shared)
        background = background_of(self._config, app.store, app.counters, own_counters=app.shared.own_counters)
        server = LoopServer(self._config, app, self._listeners, notifier.alive)

        def stop(*_: object) -> None:
            notifier.stopping()
            server.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, lambda *_: self._reload(server, warn=True))
        try:
            background.start()
            notifier.ready()
            server.run()
        finally:
            app.stop_taking()
            background.stop()
            app.close()
        return 0

    def reload_settings(self, *, warn: bool = True) -> bool:
        """Read the live settings again; broken ones are reported and change nothing. `warn` of what needs a restart."""
        self._writer.reopen()
        try:
            config, waiting = reloaded(self._config, self._load_again())
            if config.tls.certificate:
                server_context(config.tls)
        except (ConfigError, ListenError) as error:
            log.error("reload refused, the settings in use stay: %s", "; ".join(str(error).splitlines()))  # noqa: TRY400
            return False
        logging.getLogger().setLevel(config.log.level.upper())
        self._config = config
        if waiting and warn:
            log.warning("these changes need a restart: %s", ", ".join(waiting))
        return True

    def _reload(self, server: "LoopServer", *, warn: bool) -> None:
        if self.reload_settings(warn=warn):
            server.reload(self._config)


class LoopServer:
    """The loop of one process over one App, and what a reload changes in both."""

    def __init__(
        self, config: Config, app: App, listeners: Sequence[Listener], on_tick: Callable[[], None] | None = None
    ) -> None:
        self.where = " ".join(listener.where for listener in listeners)
        self._app = app
        self._on_tick = on_tick
        self._tls = TlsAcceptor(config.tls) if config.tls.certificate else None
        self._stops = 0
        self._loop = Loop(listeners, app.router, self._options(config), app.counters, self._tls)

    def run(self) -> None:
        """Serve in this thread until `stop`."""
        self._loop.run()

    def stop(self) -> None:
        """Answer what was received and end; called again: end at once."""
        self._stops += 1
        if self._stops == 1:
            self._loop.stop()
        else:
            self._loop.stop_now()

    def reload(self, config: Config) -> None:
        """Use what can change of the new settings."""
        self._app.reload(config)
        self._loop.update(self._options(config))
        if self._tls is not None and config.tls.certificate:
            self._tls.reload(config.tls)

    def _options(self, config: Config) -> LoopOptions:
        return LoopOptions(
            http=config.http,
            grace_seconds=config.server.grace_seconds,
            is_trusted=self._app.is_trusted,
            on_tick=self._tick,
        )

    def _tick(self) -> None:
        self._app.tick()
        if self._on_tick is not None:
            self._on_tick()


def run_here(config: Config, app: App, started: Callable[[LoopServer], None]) -> None:
    """Serve in the calling thread, inside another program; `started` gets what can stop it."""
    listeners = open_listeners(config.server, backlog=config.http.backlog, secure=bool(config.tls.certificate))
    try:
        server = LoopServer(config, app, listeners)
        started(server)
        server.run()
    finally:
        close_listeners(listeners, remove_files=True)


def migrate_store(config: Config) -> list[str]:
    """Bring the store's tables up to date; return what was done."""
    store = store_of(config)
    try:
        return [*migrate(store, config.counter.drop_parameters), *prepare_all(config, store, is_start=True)]
    finally:
        store.close()


def spare_the_collector() -> None:
    """Let collections look at less, and come less often: requests leave no cycles behind, and the caches are large.

    It is a twentieth of the CPU time of an event.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def check_all(config: Config, file: Path | None = None) -> list[Finding]:
    """Look at everything `serve` needs and return what the operator should know."""
    findings = [Finding("ok", "settings are valid"), *check_file(config, file), _check_client(), *_check_tls(config)]
    findings += check_own(config)
    try:
        location = locate(config.store_url)
        if isinstance(location, SqliteLocation) and location.path is not None and not location.path.exists():
            return [*findings, Finding("ok", f"store: {location.path} is not there yet; the first start makes it")]
        store = store_of(config)
        try:
            waiting = pending(store)
            findings.append(Finding("ok", f"store: {store.describe()}"))
            if waiting:
                hint = "run  visitor-tracker migrate, or start the server, which does it"
                findings.append(Finding("warning", f"the store's tables need {', '.join(waiting)}", hint))
            findings += store.check()
            findings += [] if waiting else _check_address(config, store)
        finally:
            store.close()
    except StoreUnavailable as error:
        findings.append(Finding("error", f"store: {error}", "start the database, or correct store.url"))
    except TrackerError as error:  # says itself what to change
        findings.append(Finding("error", f"store: {error}"))
    return findings


def _check_address(config: Config, store: SqlStore) -> list[Finding]:
    """Warn where people log in at a server that does not know its own address."""
    if config.server.public_url or config.server.host in LOOPBACK or not Accounts(store).any():
        return []
    return [
        Finding(
            "warning",
            "there are accounts, but server.public_url is not set: links that people get may not lead here",
            "set server.public_url to the address that they use, e.g. https://stats.example.com",
        )
    ]


def check_file(config: Config, file: Path | None) -> list[Finding]:
    """Warn of a settings file with a secret in it that every user of the machine can read."""
    if file is None or not file.stat().st_mode & 0o004:
        return []
    urls = [config.store_url, *(site.store.url for site in config.site_stores)]
    if not (config.server.secret_key or config.mail.password or any(urlsplit(url).password for url in urls)):
        return []
    return [Finding("warning", f"{file} holds a secret and every user can read it", f"run  chmod 600 {file}")]


def _check_client() -> Finding:
    if "visitor-tracker.js" in resources.client_files():
        return Finding("ok", "the browser client is built")
    return Finding("error", f"the browser client is missing in {resources.CLIENT}", "run  make client")


def _check_tls(config: Config) -> list[Finding]:
    if not config.tls.certificate:
        return []
    try:
        server_context(config.tls)
    except ListenError as error:
        return [Finding("error", str(error))]
    return [Finding("ok", f"certificate {config.tls.certificate} and its key fit")]


def hold_locks(config: Config, stack: ExitStack) -> None:
    """Make sure that no second server uses the data folder or a SQLite file, and that these have what they should."""
    places = [config.data_dir / "server"]
    location = locate(config.store_url)
    if isinstance(location, SqliteLocation) and location.path is not None:
        places.append(location.path)
    for place in (*places, *own_files(config)):
        stack.enter_context(hold(place))


def _prepare_store(config: Config) -> bool:
    """Migrate the store; False: it is away, and visits can be taken without it. Else one that starts is waited for."""
    snapshot = read_snapshot(config.data_dir / SNAPSHOT)
    patience = 0.0 if snapshot is not None and snapshot.secrets else _STORE_PATIENCE_SECONDS
    until = time.monotonic() + patience
    told = False
    while True:
        try:
            _migrate_and_tell(config)
        except (StoreUnavailable, OutcomeUnknown) as error:
            if not patience:  # the jobs process migrates it when it is back
                log.warning("the store is away, visits wait in the journal: %s", error)
                return False
            if time.monotonic() > until:
                raise
            if not told:
                log.warning("waiting for the store: %s", error)
                told = True
            time.sleep(_STORE_PAUSE_SECONDS)
        else:
            return True


def _migrate_and_tell(config: Config) -> None:
    for name in migrate_store(config):
        log.info("applied %s", name)


def _announce(config: Config, listeners: Sequence[Listener], workers: int, *, ask: bool) -> None:
    """Tell who started the server where it is, what it uses, and what to open; `ask` the store what it is."""
    described, token = "away at the moment", ""
    if ask:
        store = store_of(config)
        with suppress(TrackerError):  # it was there a moment ago; who needs it next says what is wrong
            described = store.describe()
            token = set_up_token(store)
        store.close()
    places = [listener.where for listener in listeners]
    processes = f"{workers} worker process{'es' if workers > 1 else ''}" if workers else "one process"
    log.info("Visitor Tracker %s on %s, %s, store: %s", __version__, ", ".join(places), processes, described)
    base = own_address(config, places[0])
    if token:
        log.info("there is no account yet: make the first one at  %s/setup#%s", base, token)
    if not sys.stdout.isatty():
        _print(f"listening on {' '.join(places)}\n")
        return
    people = f"account    make the first one at  {base}/setup#{token}" if token else f"log in     {base}/login"
    _print(
        f"\n  Visitor Tracker {__version__}\n"
        f"  address    {', '.join(places)}\n"
        f"  store      {described}\n"
        f"  open       {base}/demo  to see it count\n"
        f"  overview   {base}/\n"
        f"  {people}\n"
        "  stop       Ctrl-C\n\n"
    )


def own_address(config: Config, place: str = "") -> str:
    """Return the server's address without a slash at its end; `place` is where it listens, by default as configured."""
    if config.server.public_url:
        return config.server.public_url.rstrip("/")
    if not place.startswith("http"):
        host = f"[{config.server.host}]" if ":" in config.server.host else config.server.host or "localhost"
        place = f"http{'s' if config.tls.certificate else ''}://{host}:{config.server.port}"
    return place.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")


def set_up_token(store: SqlStore) -> str:
    """Return a new token with which the first account can be made; "" where there is one."""
    return "" if Accounts(store).any() else Invitations(store).for_set_up()


def _print(text: str) -> None:
    """Write to standard output in one piece, log lines may stand around it; a full one is no reason not to serve."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        log.warning("standard output cannot be written: %s", error.strerror)
        with open(os.devnull, "wb") as nowhere:  # else what is left in its buffer makes the end of the program fail
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
