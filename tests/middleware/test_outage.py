"""The server is killed while programs run: every request arrives, once."""

from collections import Counter
from urllib.parse import urlsplit

import pytest
import requests

from tests.middleware.conftest import Target
from tests.middleware.hosts import HOSTS, serving
from tests.running import Server, until
from visitor_tracker.middleware import Counts, sender


@pytest.mark.parametrize("host", ["django-asgi", "django-wsgi"])
def test_a_server_that_is_killed_again_and_again(
    server: Server, server_target: Target, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(sender, "PAUSE_MOST_SECONDS", 0.2)
    app = HOSTS[host](**server_target.options)
    asked = 0
    with serving(app) as url, requests.Session() as session:
        for _ in range(3):
            for number in range(60):
                asked += 1
                assert session.get(f"{url}/prices?n={asked}", timeout=20).status_code == 200
                if number == 20:
                    server.kill9()
            assert app.counts.waiting
            server.start()
        until(lambda: not app.counts.waiting)
    assert app.counts == Counts(sent=asked)
    events = server_target.events(asked)
    found = Counter(urlsplit(event.url).query for event in events)
    assert found == Counter(f"n={number}" for number in range(1, asked + 1))
