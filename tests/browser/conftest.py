"""A browser, the server, the relay between them, and a web site of another origin."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .origins import Relay, Site, served
from .server import Server

_REPOSITORY = Path(__file__).parents[2]
_FLAGS = [
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright switches these off, and visits must not be counted twice by either.
_WANTED = ["--disable-back-forward-cache"]

StartServer = Callable[..., Server]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))  # one browser, not one per test process


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is missing, tests need it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS, ignore_default_args=_WANTED)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def client_files() -> Path:
    """The folder of the built client, fresh from the sources."""
    subprocess.run(["npm", "run", "--silent", "build"], cwd=_REPOSITORY / "client", check=True)
    return _REPOSITORY / "client" / "dist"


@pytest.fixture
def start_server(tmp_path: Path, client_files: Path) -> Iterator[StartServer]:
    """Starts servers: (store_url=…, VISITOR_TRACKER_…=…); without a store_url on SQLite."""
    with ExitStack() as running:

        def start(store_url: str = "", **settings: str) -> Server:
            server = Server(tmp_path, store_url or f"sqlite:///{tmp_path / 'visits.db'}", settings)
            running.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()


@pytest.fixture
def server_of_each_store(start_server: StartServer, store_url: str) -> Server:
    return start_server(store_url)


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as site:
        yield site


@pytest.fixture
def relay_to() -> Iterator[Callable[[Server], Relay]]:
    """Puts a relay before a server."""
    with ExitStack() as open_relays:
        yield lambda server: open_relays.enter_context(served(Relay(lambda: server.port)))


@pytest.fixture
def relay(server: Server, relay_to: Callable[[Server], Relay]) -> Relay:
    return relay_to(server)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser tab in which no script may throw, whatever the test does."""
    context = chromium.new_context()
    thrown: list[str] = []
    context.on("weberror", lambda event: thrown.append(str(event.error)))
    yield context.new_page()
    context.close()
    assert thrown == []
