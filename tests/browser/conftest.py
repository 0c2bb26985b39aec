"""A browser, the server, the relay between them, and a web site of another origin."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.mariadb import MariaDB
from tests.running import Server

from .origins import Relay, Site, served
from .recordings import PERSON

StartServer = Callable[..., Server]


@pytest.fixture(scope="package")
def start_server(tmp_path_factory: pytest.TempPathFactory, client_files: Path) -> Iterator[StartServer]:
    """Starts servers: (store_url=…, VISITOR_TRACKER_…=…); without a store_url on SQLite."""
    with ExitStack() as running:

        def start(store_url: str = "", **settings: str) -> Server:
            folder = tmp_path_factory.mktemp("server")
            server = Server(folder, store_url or f"sqlite:///{folder / 'visits.db'}", settings)
            running.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture(scope="package")
def server(start_server: StartServer) -> Server:
    """The server of all tests that neither stop it nor care for what others count."""
    return start_server(VISITOR_TRACKER_RATE_LIMIT_BURST="10000")


@pytest.fixture(scope="package")
def module_server(start_server: StartServer) -> Server:
    """A server whose sites use a module."""
    return start_server(VISITOR_TRACKER_TRACKER_MODULES="[errors]", VISITOR_TRACKER_RATE_LIMIT_BURST="10000")


@pytest.fixture
def own_server(start_server: StartServer) -> Iterator[Server]:
    """A server that the test may stop."""
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def strict_server(start_server: StartServer) -> Iterator[Server]:
    """A server that takes one visit and then none for 100 seconds."""
    limits = {"VISITOR_TRACKER_RATE_LIMIT_PER_SECOND": "0.01", "VISITOR_TRACKER_RATE_LIMIT_BURST": "1"}
    server = start_server(**limits)
    yield server
    server.stop()


@pytest.fixture
def server_of_each_store(start_server: StartServer, store_url: str) -> Iterator[Server]:
    server = start_server(store_url)
    yield server
    server.stop()


@pytest.fixture
def server_without_database(start_server: StartServer, mariadb: MariaDB) -> Iterator[Server]:
    """A server whose database went away after it had started."""
    server = start_server(mariadb.url(mariadb.fresh_database()))
    mariadb.stop()
    try:
        yield server
    finally:
        mariadb.start()
        server.stop()


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


@pytest.fixture(scope="module")
def browser_of_a_person(chromium: Browser, chromium_command: list[str]) -> Iterator[Browser]:
    """A browser that does not say that a program drives it, also not in requests that outlive their page."""
    program, *flags = chromium_command
    looks = [f"--user-agent={PERSON}", "--disable-blink-features=AutomationControlled"]
    browser = chromium.browser_type.launch(executable_path=program, args=[*flags, *looks])
    yield browser
    browser.close()


@pytest.fixture
def person(browser_of_a_person: Browser) -> Iterator[Page]:
    """A tab of that browser."""
    context = browser_of_a_person.new_context()
    yield context.new_page()
    context.close()
