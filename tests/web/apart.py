"""What every way in sends of a site, for a site with a database of its own and for one without."""

from urllib.parse import quote

import msgspec

from tests.web.conftest import REMOTE, Site
from tests.web.counting_site import BROWSER, settle
from tests.web.test_replay import EVENTS, TAB
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.ingest.drain import Drainer
from visitor_tracker.jobs.rules import folder_by_sites
from visitor_tracker.store.of_settings import own_store

ERROR = {"message": "x is not a function", "stack": "at f (https://blog.example/a.js:1:2)", "group": "g"}


def hits_of(name: str) -> list[tuple[str, str, object]]:
    """Return method, target and body of a hit on each way in; all of them are counted."""
    page = f"https://{name}.example/"
    viewed = {"type": "pageview", "site": name, "url": f"{page}own", "title": "Own", "referrer": "https://a.example/"}
    told = [
        viewed,
        {"type": "click", "site": name, "url": f"{page}own", "name": "Buy", "properties": {"tag": "a", "x": 1, "y": 2}},
        {"type": "custom", "site": name, "url": f"{page}own", "name": "Bought", "value": 5, "currency": "EUR"},
        {"type": "outbound", "site": name, "url": f"{page}own", "target": "https://b.example/"},
        {"type": "error", "site": name, "url": f"{page}own", "name": "TypeError", "properties": ERROR},
        {"type": "vital", "site": name, "url": f"{page}own", "name": "LCP", "value": 1200},
        {"type": "search", "site": name, "url": f"{page}own", "name": "shoes"},
    ]
    umami = {"website": name, "url": "/u", "hostname": f"{name}.example"}
    session = {"sessionId": TAB, "url": f"{page}old", "screen": {"width": 800, "height": 600}, "timestamp": 1}
    return [
        ("GET", f"/update?url={page}counter", None),
        ("POST", "/api/v1/visits", {"url": f"{page}counter", "id": name.encode().hex() * 4}),
        ("GET", f"/pixel.gif?url={page}image", None),
        ("POST", "/api/v1/events", told),
        ("POST", "/track", {"path": "/track", "site_id": name}),
        ("POST", "/click", {"url": "https://c.example/", "site_id": name}),
        ("POST", "/collect", {"type": "pageview", "websiteId": name, "domain": f"{name}.example", "href": f"{page}c"}),
        ("POST", "/api/events", {"metadata": session, "analytics": [{"type": "click", "tag": "A", "id": "i"}]}),
        ("POST", "/api/event", {"name": "pageview", "url": f"{page}p", "domain": name}),
        ("POST", "/api/send", {"type": "event", "payload": umami}),
        ("GET", f"/e?e={quote(msgspec.json.encode(viewed | {'url': f'{page}e'}))}", None),
        ("POST", "/matomo.php", f"idsite={name}&rec=1&url={page}m".encode()),
    ]


def send(site: Site, name: str) -> None:
    """Send all of them, a recording and a heatmap."""
    for method, target, body in hits_of(name):
        path, _, query = target.partition("?")
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        answer = site.ask(f"{path}?{query}" if query else path, method=method, body=data, peer=REMOTE, headers=BROWSER)
        assert answer.status in (200, 202), (target, answer.status, answer.body)
        assert dict(answer.headers).get("X-Tracker", "accepted") == "accepted", (target, answer.headers)
    page = f"https://{name}.example/own"
    heat = {"id": "cd" * 16, "site": name, "url": page, "viewport": "1280x720", "cells": {"click": [[5, 6, 2]]}}
    recording = {"site": name, "session": TAB, "sequence": 1, "url": page, "viewport": "1280x720", "events": EVENTS}
    for path, sent in (("/api/v1/replay", recording), ("/api/v1/heat", heat)):
        answer = site.ask(path, method="POST", body=msgspec.json.encode(sent), peer=REMOTE, headers=BROWSER)
        assert dict(answer.headers)["X-Tracker"] == "accepted", (path, answer)


def settle_all(site: Site) -> None:
    """Do what the jobs process does, for the main database and for those of single sites."""
    settle(site)
    config = site.app.config
    for each in config.site_stores:
        store = own_store(config, each)
        try:
            counters = site.shared.metrics.counters()
            drainer = Drainer(place_of(config, each).journal, store, counters)
            while drainer.step():
                pass
            folder = folder_by_sites(config, store, counters)
            while folder.step():
                pass
            folder.let_go()
        finally:
            store.close()
