"""Read a store URL: sqlite:///path or mysql://user:password@host:port/database?pool_size=8."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from visitor_tracker.errors import StoreError

Durability = Literal["full", "relaxed"]

MEMORY = "/:memory:"
DEFAULT_PORT = 3306
DEFAULT_POOL_SIZE = 8
MOST_POOL_SIZE = 512
OPTIONS = ("pool_size", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket")

_SHAPE = "a mysql URL looks like mysql://user:password@host:port/database?pool_size=8; write @ : / ? # in names as %XX"


@dataclass(frozen=True, slots=True)
class SqliteLocation:
    """A file, or None for a database in memory."""

    path: Path | None


@dataclass(frozen=True, slots=True)
class MysqlLocation:
    """Where a MySQL or MariaDB server is; paths are empty when not given."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    pool_size: int = DEFAULT_POOL_SIZE
    unix_socket: str = ""
    ssl_ca: str = ""
    ssl_cert: str = ""
    ssl_key: str = ""

    @property
    def place(self) -> str:
        """The server and database without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.unix_socket or f'{host}:{self.port}'}/{self.database}"


def locate(url: str) -> SqliteLocation | MysqlLocation:
    """Read the URL; `sqlite:///path` is absolute and `sqlite:path` relative.

    Raises StoreError, which never shows the password.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme == "mysql":
        return _mysql(url)
    raise StoreError("a store URL begins with sqlite:/// or mysql://")


def _sqlite(rest: str) -> SqliteLocation:
    path, question, _ = rest.partition("?")
    if question:
        raise StoreError("a sqlite URL takes no options: write a ? in the path as %3F")
    if path.startswith("//"):
        if not path.startswith("///"):
            raise StoreError("a sqlite URL has three slashes: sqlite:///path, or sqlite:path")
        path = "/" + path.lstrip("/")
    if path == MEMORY:
        return SqliteLocation(None)
    path = unquote(path)
    if not path.strip("/") or "\0" in path:
        raise StoreError("a sqlite URL names a file: sqlite:///path/visitors.db")
    return SqliteLocation(Path(path).expanduser().absolute())


def _mysql(url: str) -> MysqlLocation:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise StoreError(_SHAPE) from None  # its message may quote a piece of the password
    database = unquote(parts.path[1:])
    if not database or "/" in database or parts.fragment or not parts.netloc:
        raise StoreError(_SHAPE)
    options = _options(parts)
    return MysqlLocation(
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=database,
        pool_size=_pool_size(options.pop("pool_size", str(DEFAULT_POOL_SIZE))),
        **options,
    )


def _options(parts: SplitResult) -> dict[str, str]:
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = ", ".join(sorted(found.keys() - set(OPTIONS)))
    if unknown:
        # A password with an unescaped ? ends up here: only what looks like a name is shown.
        named = f": {unknown}" if all(name.isidentifier() for name in found) else ""
        raise StoreError(f"unknown option in the store URL{named}; known ones are {', '.join(OPTIONS)}")
    return found


def _pool_size(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_POOL_SIZE:
        return int(text[:9])
    raise StoreError(f"pool_size in the store URL must be a number from 1 to {MOST_POOL_SIZE}")
