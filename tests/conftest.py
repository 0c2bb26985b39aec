"""Fixtures that several folders of tests share."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, expect, sync_playwright

from tests.mariadb import MariaDB
from visitor_tracker.resources import CLIENT
from visitor_tracker.store import migrate, open_store

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

_PATIENCE_MS = 30_000  # for what a page is to show: several browsers and servers share a small machine
_FULL_HASHES = PasswordHasher.__init__.__defaults__
_QUICK_HASHES = (1, 8, 1)  # passes, KiB and threads, of which the library's take a fifth of a second
_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30  # bytes, of which a run takes a tenth

# Files in the order of their time: a process that begins a long one last is waited for. Others follow as they are.
_LONGEST_FIRST = (Path(__file__).parent / "longest_first.txt").read_text("utf-8").split()
_FILE_URL = "sqlite:///"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    root = Path(__file__).parent
    items.sort(key=lambda item: places.get(item.path.relative_to(root).as_posix(), len(places)))


def _has_memory() -> bool:
    try:
        return shutil.disk_usage(_MEMORY).free >= _ENOUGH <= os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return False


# Thousands of small databases are synced to disk otherwise, and tests wait for little else. What is killed in tests is
# processes, not machines, so that files in memory are as good.
if _has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash passwords with little work in this process; servers of their own do all of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            PasswordHasher.__init__, "__defaults__", _QUICK_HASHES + (_FULL_HASHES or ())[len(_QUICK_HASHES) :]
        )
        yield


@pytest.fixture(scope="module")
def full_hashes(quick_hashes: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher.__init__, "__defaults__", _FULL_HASHES)
        yield


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


@pytest.fixture(scope="session")
def prepare_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Put an empty, migrated database where a SQLite URL says and no file is yet: a copy takes a tenth of the time."""
    path = tmp_path_factory.mktemp("migrated") / "visitors.db"
    store = open_store(f"{_FILE_URL}{path}")
    migrate(store)
    store.close()

    def prepare(url: str) -> None:
        wanted = Path(url.removeprefix(_FILE_URL))
        if url.startswith(_FILE_URL) and wanted.is_absolute() and not wanted.exists():
            shutil.copy(path, wanted)  # its mode, too

    return prepare


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
    expect.set_options(timeout=_PATIENCE_MS)
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
