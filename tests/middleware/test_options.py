"""What the middleware is told, and what it does when it is told nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.middleware.hosts import FIREFOX, fastapi, serving
from tests.middleware.trackers import Remembering
from tests.running import Server, until
from visitor_tracker import embedding
from visitor_tracker.compat import get_all_visitors, get_visitor_stats
from visitor_tracker.errors import ConfigError
from visitor_tracker.middleware import VisitorTrackingMiddleware, recorder


async def nothing(*_: object) -> None:
    raise AssertionError("is not asked")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"servr": "http://127.0.0.1"}, TypeError, "unknown options ['servr']"),
        ({"server": "http://127.0.0.1", "tracker": Remembering()}, ConfigError, "not both"),
        ({"server": "http://127.0.0.1"}, ConfigError, "visitor-tracker key add"),
        ({"tracker": Remembering(), "queue_size": 0}, ConfigError, "queue_size"),
        ({"tracker": Remembering(), "keep_seconds": 0}, ConfigError, "keep_seconds"),
        ({"tracker": Remembering(), "exit_seconds": -1}, ConfigError, "exit_seconds"),
    ],
)
def test_what_cannot_work_is_told_at_once(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        VisitorTrackingMiddleware(nothing, **options)
    assert words in str(raised.value)


def test_the_environment_says_where_to_send(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(recorder.SERVER_VARIABLE, server.url)
    monkeypatch.setenv(recorder.KEY_VARIABLE, f"vt_{'x' * 43}")
    app = VisitorTrackingMiddleware(fastapi(tracker=Remembering()), exit_seconds=0.2)
    with serving(app) as url:
        assert requests.get(url, timeout=20).status_code == 200
    until(lambda: any("401 this send key is not known" in text for text in caplog.messages))


def test_as_the_middleware_of_old_it_keeps_visitors_without_being_told_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISITOR_DATA_DIR", str(tmp_path / "visitors"))
    monkeypatch.setenv("VISITOR_TRACKER_IDENTITY_IP", "full")
    embedding.default_tracker.cache_clear()
    try:
        with serving(fastapi(track_all_paths=True)) as url:
            for _ in range(3):
                requests.get(f"{url}/prices", headers={"User-Agent": FIREFOX}, timeout=20)
            requests.post(f"{url}/api/items", headers={"User-Agent": FIREFOX}, timeout=20)
            until(lambda: get_visitor_stats()["total_visits"] == 4)
            [record] = get_all_visitors()
            found = embedding.default_tracker().get_visitor("127.0.0.1")
    finally:
        embedding.default_tracker().close()
        embedding.default_tracker.cache_clear()
    assert found == record
    assert {name: record[name] for name in ("ip", "visit_count", "paths_visited")} == {
        "ip": "127.0.0.1",
        "visit_count": 4,
        "paths_visited": ["GET /api/items", "GET /prices"],
    }
    assert (tmp_path / "visitors" / "visitors.db").is_file()


def test_programs_that_send_elsewhere_load_nothing_of_the_server() -> None:
    code = (
        "import sys, visitor_tracker.middleware as m\n"
        "m.VisitorTrackingMiddleware(print, server='http://127.0.0.1:1', key='vt_1')\n"
        "m.WSGIVisitorTrackingMiddleware(print, server='http://127.0.0.1:1', key='vt_1')\n"
        "ours = {name for name in sys.modules if name.startswith('visitor_tracker')}\n"
        "print(sorted(name for name in ours if not name.startswith('visitor_tracker.middleware')))\n"
        "print(sorted({'msgspec', 'yaml', 'asyncio', 'starlette', 'flask', 'django'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['visitor_tracker', 'visitor_tracker.errors']\n[]\n"
