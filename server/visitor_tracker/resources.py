"""Read files that ship inside the package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
# A wheel carries client/ and sql/ inside the package; a checkout keeps them at the top.
_WHEEL = (_PACKAGE / "sql").is_dir()
SQL = _PACKAGE / "sql" if _WHEEL else _PACKAGE.parents[1] / "sql"
CLIENT = _PACKAGE / "client" if _WHEEL else _PACKAGE.parents[1] / "client" / "dist"


def client_files() -> dict[str, bytes]:
    """Return every built client file by its name; empty when the client was not built."""
    if not CLIENT.is_dir():
        return {}
    return {
        path.name: path.read_bytes() for path in sorted(CLIENT.iterdir()) if path.is_file() and path.suffix != ".py"
    }


def sql(name: str) -> str:
    """Return the text of a file below sql/, e.g. "0001_counter.sql"."""
    return (SQL / name).read_text("utf-8")


def migrations() -> list[str]:
    """Return the names of the numbered migration files, in order."""
    return sorted(path.name for path in SQL.glob("[0-9][0-9][0-9][0-9]_*.sql"))
