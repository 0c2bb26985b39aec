"""The pages about recordings, without a browser."""

import re

import pytest

from tests.web.conftest import LOCAL, REMOTE, Site, header
from visitor_tracker.http.message import Peer, Request, Response
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.player import PlayerRoutes
from visitor_tracker.web.router import Router

FILES = {
    "replay-list.html": b'<script src="/client/replay-list.js"></script><a href="/replay">',
    "replay-player.html": b'<script src="/client/replay-player.js"></script><link href="/client/missing.css">',
    "replay-snapshot.html": b'<script src="/client/replay-snapshot.js"></script><link href="/client/missing.css">',
    "replay-list.js": b"list()",
    "replay-snapshot.js": b"show()",
    "replay-player.js": b"play()",
}
FRAMED = ["/replay/0192abababababababababababababab", "/snapshot"]  # by the dashboard
PATHS = ["/replay", *FRAMED]


def ask(site: Site, path: str, peer: Peer = LOCAL, files: dict[str, bytes] | None = None) -> Response:
    found = FILES if files is None else files
    routes = PlayerRoutes(found, AssetRoutes(found)).routes()
    router = Router(routes, guards=site.app.guards, counters=site.app.counters, flush=lambda: None)
    answer = router(Request("GET", path, "", {"host": "localhost"}, b"", True, peer))
    assert isinstance(answer, Response)
    return answer


@pytest.mark.parametrize("path", PATHS)
def test_nothing_of_a_recording_may_run_or_leave(site: Site, path: str) -> None:
    answer = ask(site, path)
    policy = dict(rule.split(" ", 1) for rule in header(answer, "Content-Security-Policy").split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "data:",
        "font-src": "data:",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'" if path in FRAMED else "'none'",
    }
    assert header(answer, "X-Frame-Options") == ("SAMEORIGIN" if path in FRAMED else "DENY")
    assert header(answer, "X-Content-Type-Options") == "nosniff"
    assert header(answer, "Cache-Control") == "no-store"
    assert header(answer, "Referrer-Policy") == "no-referrer"


@pytest.mark.parametrize("path", PATHS)
def test_files_are_those_of_one_version(site: Site, path: str) -> None:
    body = ask(site, path).body.decode()
    assert re.search(r'src="/client/replay-(list|player|snapshot)\.[0-9a-f]{12}\.js"', body)
    assert 'href="/client/missing.css"' in body or 'href="/replay"' in body


@pytest.mark.parametrize("path", PATHS)
def test_the_pages_are_for_readers(site: Site, path: str) -> None:
    assert ask(site, path).status == 200
    assert ask(site, path, REMOTE).status in (401, 403)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_built_client_there_are_no_pages(site: Site, path: str) -> None:
    assert ask(site, path, files={}).status == 404
