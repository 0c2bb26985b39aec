"""Fixtures that several folders of tests share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server of this test process."""
    # Not below tmp_path: a socket file's whole path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    server = MariaDB(folder)
    try:
        server.install()
        yield server
    finally:
        server.kill9()
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "mysql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on SQLite and on MariaDB."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'visitors.db'}"
    server: MariaDB = request.getfixturevalue("mariadb")
    return server.url(server.fresh_database())
