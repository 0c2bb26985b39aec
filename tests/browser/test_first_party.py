"""The tracker under the web site's own address: a real nginx with the lines that `site snippet` prints."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from tests.mariadb import free_port
from tests.running import SECONDS, Server, until

from .stored import stored

NGINX = "127.0.0.9"  # from where nginx asks the server; browsers come from 127.0.0.1
MODULES = ("clicks", "errors", "heatmap", "replay", "vitals")
PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1>
<button onclick="this.textContent = 'Bought'">Buy</button><button onclick="missing()">Break</button>
<script defer src="/stats/script.js" data-allow-localhost></script>"""
CONFIG = """{user}daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    log_format seen '$status $request_method $request_uri';
    access_log {folder}/access.log seen;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ text/html html; }}
    server {{
        listen 127.0.0.1:{port};
        root {folder}/pages;
        proxy_bind {nginx};
{lines}
    }}
}}
"""


@dataclass
class WebSite:
    """nginx with one page and, under /stats/, the server."""

    folder: Path
    server: Server
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> subprocess.Popen[bytes]:
        folder = self.folder
        (folder / "pages").mkdir()
        (folder / "pages" / "shop.html").write_text(PAGE, "utf-8")
        for each in (folder, folder / "pages"):
            each.chmod(0o755)
        user = "user root; " if os.getuid() == 0 else ""
        config = CONFIG.format(user=user, folder=folder, port=self.port, nginx=NGINX, lines=snippet(self.server))
        (folder / "nginx.conf").write_text(config, "utf-8")
        process = subprocess.Popen(
            ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
        )
        until(self._answers, lambda: (folder / "error.log").read_text("utf-8", "replace"))
        return process

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError):
            return self.status("/shop.html") == 200
        return False

    def status(self, path: str) -> int:
        return requests.get(self.url + path, timeout=SECONDS).status_code

    def seen(self) -> set[str]:
        """Return what was asked for so far, such as "202 POST /stats/e"; client files by their names alone."""
        lines = (self.folder / "access.log").read_text("utf-8").splitlines()
        return {line.split(".")[0] if "/client/" in line else line for line in lines}


def snippet(server: Server) -> str:
    """Return the lines for nginx, as the command prints them."""
    command = [sys.executable, "-m", "visitor_tracker", "site", "snippet", "default", "--for", "nginx"]
    done = subprocess.run(
        [*command, "--data-dir", str(server.folder / "data"), "--store", server.store_url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        cwd=server.folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "VISITOR_TRACKER_SERVER_PUBLIC_URL": server.url},
    )
    return done.stdout


@pytest.fixture
def web_site(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Callable[[str], WebSite]]:
    """Starts a server that trusts the proxies it is told, and a web site before it."""
    with ExitStack() as running:

        def start(trusted_proxies: str) -> WebSite:
            server = start_server(
                VISITOR_TRACKER_TRUSTED_PROXIES=trusted_proxies,
                VISITOR_TRACKER_IDENTITY_IP="full",
                VISITOR_TRACKER_TRACKER_MODULES=f"[{', '.join(MODULES)}]",
            )
            running.callback(server.stop)
            site = WebSite(tmp_path, server)
            process = site.start()
            running.callback(process.wait, SECONDS)
            running.callback(process.terminate)
            return site

        yield start


def addresses(server: Server) -> list[str]:
    """Return the addresses of all visitors."""
    answer = server.session.get(f"{server.url}/v1/monitoring/visitors", timeout=SECONDS)
    return [visitor["ip"] for visitor in answer.json()["visitors"]]


def test_everything_goes_through_the_web_site(person: Page, web_site: Callable[[str], WebSite]) -> None:
    site = web_site(NGINX)
    asked: list[str] = []
    person.on("request", lambda request: asked.append(request.url))
    person.goto(f"{site.url}/shop.html")
    until(lambda: {f"200 GET /stats/client/{name}" for name in ("more", *MODULES)} <= site.seen())
    until(lambda: "202 POST /stats/api/v1/replay" in site.seen())
    person.get_by_role("button", name="Buy").click()
    person.get_by_role("button", name="Break").click()
    person.goto("about:blank")
    sent = {"pageview", "click", "error", "vital", "engagement"}
    until(lambda: sent <= {event.kind for event in stored(site.server, "/shop.html")})
    until(lambda: "202 POST /stats/api/v1/heat" in site.seen())
    assert {line.split()[0] for line in site.seen()} <= {"200", "202", "404"}
    assert {line for line in site.seen() if line.startswith("404")} <= {"404 GET /favicon.ico"}
    assert [url for url in asked if not url.startswith(f"{site.url}/")] == []
    assert addresses(site.server) == ["127.0.0.1"]


def test_a_web_server_that_is_not_trusted_is_every_visitor(person: Page, web_site: Callable[[str], WebSite]) -> None:
    site = web_site("[]")
    person.goto(f"{site.url}/shop.html")
    until(lambda: addresses(site.server))
    assert addresses(site.server) == [NGINX]


def test_only_what_pages_need_is_reached_through_it(web_site: Callable[[str], WebSite]) -> None:
    site = web_site(NGINX)
    wanted = {
        "/stats/script.js": 200,
        "/stats/api/v1/visits": 401,  # the list of pages: this machine may read it, but not through a proxy
        **dict.fromkeys(("/stats/", "/stats/stats", "/stats/replay", "/stats/metrics", "/stats/x/script.js"), 404),
        "/stats/api/v1/replays": 404,
        "/stats/api/v1/replay/0": 404,
    }
    assert {path: site.status(path) for path in wanted} == wanted
