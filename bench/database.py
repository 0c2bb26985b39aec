"""The MariaDB server of the tests, durable at every commit, as the bench uses it."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tests.mariadb import PASSWORD, USER, MariaDB, free_port

__all__ = ["PASSWORD", "USER", "Database", "free_port"]

COUNTED = "select coalesce(sum(visit_count), 0) from visitors"


class Database:
    """Owns one MariaDB process that lives as long as the `with` block."""

    def __init__(self, folder: Path) -> None:
        self._server = MariaDB(folder)
        self.pid = 0

    def __enter__(self) -> "Database":
        self._server.install()
        [(durable, pid_file)] = self._server.execute("select @@innodb_flush_log_at_trx_commit, @@pid_file")
        if durable != 1:
            raise RuntimeError("MariaDB does not sync at every commit; nothing durable can be compared on it")
        self.pid = int(Path(pid_file).read_text())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        return self._server.port

    def version(self) -> str:
        [(version,)] = self._server.execute("select version()")
        return str(version)

    def fresh(self) -> str:
        """Make an empty database and return its name."""
        return self._server.fresh_database()

    def url(self, name: str) -> str:
        return self._server.url(name)

    def connection(self, name: str) -> AbstractContextManager[Any]:
        """Connect to a database with the driver's own connection, in autocommit."""
        return self._server.connection(database=name)

    def visits(self, name: str) -> int:
        """Return the sum of all counts stored in `visitors`."""
        [(total,)] = self._server.execute(COUNTED, database=name)
        return int(total)


def peer_environment(database: Database, name: str) -> dict[str, str]:
    """Return what a peer needs to connect."""
    return {
        "MYSQL_PORT": str(database.port),
        "MYSQL_USER": USER,
        "MYSQL_PASSWORD": PASSWORD,
        "MYSQL_DATABASE": name,
    }
