"""A real MariaDB server in a folder of its own, on a free port of 127.0.0.1, for one test run."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mysql.connector

USER = "tracker"
PASSWORD = "s3cret/@:ü"  # everything that a URL must escape
START_SECONDS = 60
_INSTALL = "MariaDB is missing, tests need it: apt-get install mariadb-server"
# The server's own default character set must not matter, so it is one that cannot hold our text.
_OPTIONS = """
[mariadbd]
bind-address = 127.0.0.1
skip-name-resolve
innodb_buffer_pool_size = 64M
innodb_log_file_size = 32M
innodb_flush_log_at_trx_commit = 1
performance_schema = off
character-set-server = latin1
max_connections = 151
"""


class MariaDB:
    """One server; its data outlives `kill9` and `restart` and goes with its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.socket = folder / "s"  # a socket's path has at most 107 bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def install(self) -> None:
        """Make the system tables, start and make the user."""
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        # A folder of its own: a server that starts deletes the temporary tables it finds there, another's too.
        (self.folder / "my.cnf").write_text(f"{_OPTIONS}tmpdir = {temporary}\n")
        install = [_tool("mariadb-install-db", "mysql_install_db"), *self._arguments(), "--skip-test-db"]
        made = subprocess.run(
            [*install, "--auth-root-authentication-method=normal"], capture_output=True, check=False, text=True
        )
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db failed: {made.stdout}{made.stderr}")
        self.start()
        self.execute("create user %s@'%' identified by %s", (USER, PASSWORD), user="root", password="")
        self.execute("grant all on *.* to %s@'%'", (USER,), user="root", password="")

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [_tool("mariadbd", "mysqld"), *self._arguments(), f"--port={self.port}", f"--socket={self.socket}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mariadbd did not start: {log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut down cleanly."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """End as a power cut of the database host would, but for what the kernel holds."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill and start again: the server recovers from its log."""
        self.kill9()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server hold its connections and answer nothing, like a host behind a dead link."""
        self._signal(signal.SIGSTOP)
        while not self._stands_still():  # a signal takes its time to reach every thread
            time.sleep(0.001)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @contextmanager
    def setting(self, name: str, value: int) -> Iterator[None]:
        """Change a global variable for a while."""
        [(_, before)] = self.execute(f"show global variables like '{name}'")
        self.execute(f"set global {name} = {value}", user="root", password="")
        try:
            yield
        finally:
            self.execute(f"set global {name} = {before}", user="root", password="")

    def url(self, database: str, *, port: int | None = None, **options: str | int) -> str:
        """Return the store URL of a database, through another port when a proxy stands before the server."""
        tail = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in options.items())
        place = f"{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port or self.port}/{database}"
        return f"mysql://{place}{'?' if tail else ''}{tail}"

    def fresh_database(self) -> str:
        """Make an empty database and return its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"create database {name}")
        return name

    def execute(self, sql: str, values: Sequence[Any] = (), **who: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own and return its rows."""
        with self.connection(**who) as db:
            cursor = db.cursor()
            cursor.execute(sql, tuple(values))
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def connection(self, user: str = USER, password: str = PASSWORD, database: str = "") -> Iterator[Any]:
        """Connect by the socket file, in autocommit."""
        db = mysql.connector.connect(
            unix_socket=str(self.socket),
            user=user,
            password=password,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            autocommit=True,
            database=database or None,
            connection_timeout=10,
        )
        try:
            yield db
        finally:
            db.close()

    def _arguments(self) -> list[str]:
        # mariadbd refuses to run as root unless told so.
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [f"--defaults-file={self.folder / 'my.cnf'}", *user, f"--datadir={self.folder / 'data'}"]

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                probe.settimeout(1)
                return bool(probe.recv(1))
        except OSError:
            return False

    def _stands_still(self) -> bool:
        if self._process is None:
            raise RuntimeError("MariaDB is not running")
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/stat")
        return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("MariaDB is not running")
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool(*names: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"])
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise RuntimeError(_INSTALL)
