"""Fixtures that several folders of tests share."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.mariadb import MariaDB
from visitor_tracker.resources import CLIENT

_FLAGS = [
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright switches this off, which visitors' browsers do not.
_WANTED = ["--disable-back-forward-cache"]

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30  # bytes, of which a run takes a tenth


def _has_memory() -> bool:
    try:
        return shutil.disk_usage(_MEMORY).free >= _ENOUGH <= os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return False


# Thousands of small databases are synced to disk otherwise, and tests wait for little else. What is killed in tests is
# processes, not machines, so that files in memory are as good.
if _has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server of this test process."""
    # Not below tmp_path: a socket file's whole path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mariadb-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
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


@pytest.fixture(scope="session")
def chromium_command() -> list[str]:
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is missing, tests need it: apt-get install chromium")
    return [program, *_FLAGS]


@pytest.fixture(scope="session")
def chromium(chromium_command: list[str]) -> Iterator[Browser]:
    """The browser of this test process: there is room for one Playwright in it."""
    program, *flags = chromium_command
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags, ignore_default_args=_WANTED)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def client_files() -> Path:
    """The folder of the built client."""
    if not (CLIENT / "manifest.json").is_file():
        raise RuntimeError("the client is not built, tests need it: make client")
    return CLIENT
