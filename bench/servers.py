"""The servers that are compared: how each is started, and where its counts are stored."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from database import COUNTED, Database, peer_environment

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).with_name("peers")
PEER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
BUDGET = 1_000_000  # visits a second from one address: above any load, so that the limiter works and refuses nothing

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ return 204; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: an empty folder of its own, a free port, the name of an empty MariaDB database."""

    folder: Path
    port: int
    database: Database
    name: str

    @property
    def sqlite(self) -> Path:
        return self.folder / "visitors.db"


@dataclass(frozen=True, slots=True)
class Launch:
    """A command to run; `stored` returns the visits in its database and is None for a server that keeps nothing."""

    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stored: Callable[[], int] | None = None
    drains: bool = True  # False: the jobs process is held while the load runs


@dataclass(frozen=True, slots=True)
class Server:
    """A row of the tables; `loads` names what it is measured under."""

    name: str
    title: str
    kind: Literal["ours", "peer", "reference"]
    launch: Callable[[Place], Launch]
    loads: tuple[str, ...] = ("visits",)
    mariadb: bool = False


def ours(place: Place, url: str, workers: int | str, more: Mapping[str, object] | None = None) -> Launch:
    """Our server as it ships; only what would stop one address from sending everything is set out of the way."""
    settings = {
        "server": {"host": "127.0.0.1", "port": place.port, "workers": workers, "data_dir": str(place.folder)},
        "store": {"url": url, "durability": "full"},
        "http": {"max_per_address": 0, "idle_seconds": 600},
        "rate_limit": {"enabled": True, "per_second": BUDGET, "burst": BUDGET},
        **(more or {}),
    }
    file = place.folder / "config.yaml"
    file.write_text(json.dumps(settings))  # JSON is YAML
    command = [sys.executable, "-m", "visitor_tracker", "serve", "--config", str(file)]
    return Launch(command, {"PYTHONPATH": str(ROOT / "server")})


def ours_sqlite(place: Place) -> Launch:
    launch = ours(place, f"sqlite:///{place.sqlite}", 1)
    return Launch(launch.command, launch.environment, lambda: sqlite_visits(place.sqlite))


def ours_events(place: Place, *, drains: bool, mariadb: bool = False, commit: str = "auto") -> Launch:
    """Ours behind a proxy that names the visitors, which here is the load itself."""
    url = place.database.url(place.name) if mariadb else f"sqlite:///{place.sqlite}"
    launch = ours(place, url, 1, {"trusted_proxies": ["127.0.0.0/8"], "journal": {"commit": commit}})
    return Launch(launch.command, launch.environment, lambda: events_of(place, url if drains else ""), drains)


def events_of(place: Place, url: str) -> int:
    """Count the events of journal and inbox, each by its id; without a URL only those of the journal."""
    script = str(Path(__file__).with_name("events.py"))
    done = subprocess.run(
        [sys.executable, script, str(place.folder / "journal"), url],
        env=os.environ | {"PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def fastapi_events(place: Place) -> Launch:
    return Launch(uvicorn(place, "fastapi_events:app", "uvloop"), {"DATABASE": str(place.sqlite)}, lambda: rows(place))


def rows(place: Place) -> int:
    with closing(sqlite3.connect(f"file:{place.sqlite}?mode=ro", uri=True, timeout=30)) as db:
        [total] = db.execute("select count(*) from events").fetchone()
        return int(total)


def ours_mariadb(place: Place, workers: int | str) -> Launch:
    launch = ours(place, place.database.url(place.name), workers)
    return Launch(launch.command, launch.environment, lambda: place.database.visits(place.name))


def uvicorn(place: Place, app: str, loop: str) -> list[str]:
    options = ["--http", "httptools", "--loop", loop, "--workers", "1", "--no-access-log", "--log-level", "warning"]
    options += ["--host", "127.0.0.1", "--port", str(place.port), "--timeout-keep-alive", "600"]
    return [str(PEER_PYTHON), "-m", "uvicorn", "--app-dir", str(PEERS), *options, app]


def fastapi(place: Place, journal: str) -> Launch:
    environment = {"DATABASE": str(place.sqlite), "JOURNAL": journal}
    return Launch(uvicorn(place, "fastapi_counter:app", "uvloop"), environment, lambda: sqlite_visits(place.sqlite))


def flask(place: Place) -> Launch:
    command = [str(PEER_PYTHON), str(PEERS / "flask_counter.py"), str(place.port), str(place.sqlite)]
    return Launch(command, stored=lambda: sqlite_visits(place.sqlite))


def thread_mysql(place: Place) -> Launch:
    command = [str(PEER_PYTHON), str(PEERS / "thread_mysql.py"), str(place.port)]
    environment = peer_environment(place.database, place.name)
    return Launch(command, environment, lambda: place.database.visits(place.name))


def asgi_nothing(place: Place, loop: str) -> Launch:
    return Launch(uvicorn(place, "asgi_nothing:app", loop))


def nginx(place: Place) -> Launch:
    file = place.folder / "nginx.conf"
    file.write_text(NGINX.format(folder=place.folder, port=place.port))
    return Launch([shutil.which("nginx") or "/usr/sbin/nginx", "-e", "stderr", "-c", str(file)])


def sqlite_visits(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        [total] = db.execute(COUNTED).fetchone()
        return int(total)


def environment(launch: Launch) -> dict[str, str]:
    """Return the server's environment: this one's without settings of ours that would override the file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(launch.environment)


EVENT_LOADS = ("events", "agents", "half", "mixed")
ALL_LOADS = ("visits", "one", "close", "idle")
SERVERS = (
    Server("ours-sqlite", "ours, SQLite `full`, 1 worker", "ours", ours_sqlite, ALL_LOADS),
    Server("ours-mariadb", "ours, MariaDB, workers: auto", "ours", lambda p: ours_mariadb(p, "auto"), mariadb=True),
    Server("ours-mariadb-1", "ours, MariaDB, 1 worker", "ours", lambda p: ours_mariadb(p, 1), mariadb=True),
    Server("fastapi", "FastAPI + SQLAlchemy + SQLite defaults", "peer", lambda p: fastapi(p, "")),
    Server("fastapi-wal", "FastAPI + SQLAlchemy + SQLite WAL, `full`", "peer", lambda p: fastapi(p, "wal")),
    Server("flask", "waitress + Flask + SQLite WAL, `full`", "peer", flask),
    Server("thread-mysql", "thread per connection + pooled MariaDB", "peer", thread_mysql, mariadb=True),
    Server(
        "uvicorn-uvloop", "raw uvicorn, uvloop, stores nothing", "reference",
        lambda p: asgi_nothing(p, "uvloop"), ALL_LOADS,
    ),
    Server(
        "uvicorn-asyncio", "raw uvicorn, asyncio, stores nothing", "reference",
        lambda p: asgi_nothing(p, "asyncio"), ("visits", "one", "close"),
    ),
    Server("nginx", "nginx `return 204`, 1 worker", "reference", nginx),
    Server("ours-events", "ours, SQLite, 1 worker", "ours", lambda p: ours_events(p, drains=True), EVENT_LOADS),
    Server(
        "ours-events-stopped", "ours, the drainer stopped", "ours", lambda p: ours_events(p, drains=False), ("events",)
    ),
    Server(
        "ours-events-mariadb", "ours, MariaDB, 1 worker", "ours",
        lambda p: ours_events(p, drains=True, mariadb=True), ("events",), mariadb=True,
    ),
    Server("fastapi-events", "FastAPI + SQLAlchemy + SQLite defaults", "peer", fastapi_events, ("events", "agents")),
    Server(
        "uvicorn-json", "raw uvicorn, uvloop, parses the JSON and forgets it", "reference",
        lambda p: Launch(uvicorn(p, "asgi_json:app", "uvloop")), ("events",),
    ),
    Server("nginx-events", "nginx `return 204`, 1 worker", "reference", nginx, ("events",)),
)  # fmt: skip
