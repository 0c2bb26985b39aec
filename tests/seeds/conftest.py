"""Servers for the tests that go through the description of each earlier tracker from top to bottom."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from tests.running import SECONDS, Server, until

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1"
    " Mobile/15E148 Safari/604.1"
)
# What else a browser sends, without which it looks like a program.
BROWSER = {"Accept-Language": "en-US,en;q=0.9", "Accept": "*/*", "Accept-Encoding": "gzip", "Sec-Fetch-Mode": "cors"}

Start = Callable[..., Server]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts servers on SQLite: (setting=value, …), named without VISITOR_TRACKER_."""
    with ExitStack() as running:

        def begin(store_url: str = "", arguments: Sequence[str] = (), **settings: str) -> Server:
            folder = tmp_path_factory.mktemp("seed")
            named = {f"VISITOR_TRACKER_{name}": value for name, value in settings.items()}
            limits = {"VISITOR_TRACKER_RATE_LIMIT_BURST": "100000", "VISITOR_TRACKER_TRUSTED_PROXIES": "127.0.0.1"}
            server = Server(folder, store_url, limits | named, arguments)
            running.callback(server.stop)
            server.start()
            return server

        yield begin


@pytest.fixture(scope="session")
def geolite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like GeoLite2-City.mmdb that knows a few addresses."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City", languages=["en"])
    for network, code, region, city in (
        ("203.0.113.0/24", "US", "California", "San Francisco"),
        ("198.51.100.0/24", "CA", "Ontario", "Toronto"),
    ):
        place = {
            "country": {"iso_code": code},
            "subdivisions": [{"names": {"en": region}}],
            "city": {"names": {"en": city}},
        }
        writer.insert_network(IPSet([network]), place)
    path = tmp_path_factory.mktemp("geo") / "GeoLite2-City.mmdb"
    writer.to_db_file(str(path))
    return path


def visit(
    server: Server,
    method: str,
    path: str,
    ip: str = "203.0.113.42",
    agent: str = FIREFOX,
    **more: Any,  # noqa: ANN401
) -> requests.Response:
    """Ask as a visitor's browser does, through a proxy that is trusted."""
    headers = {"User-Agent": agent, "X-Forwarded-For": ip} | BROWSER | more.pop("headers", {})
    return server.session.request(method, f"{server.url}{path}", headers=headers, timeout=SECONDS, **more)


def read(server: Server, path: str, key: str = "", **more: Any) -> requests.Response:  # noqa: ANN401
    """Ask as a reader does: on the server's own machine, or with a key."""
    headers = {"Authorization": f"Bearer {key}"} if key else more.pop("headers", {})
    return server.session.get(f"{server.url}{path}", headers=headers, timeout=SECONDS, **more)


def eventually(server: Server, path: str, wanted: Callable[[Any], object]) -> Any:  # noqa: ANN401
    """Return the answer as soon as it is as wanted: what is acknowledged is in the numbers about a second later."""
    found: list[Any] = []

    def is_there() -> object:
        found[:] = [read(server, path).json()]
        return wanted(found[0])

    until(is_there, lambda: f"{path} stays {found}")
    return found[0]


def served(server: Server) -> set[str]:
    """Return what the server says that it serves, such as "GET /stats"."""
    return set(read(server, "/").json()["endpoints"])
