"""What tests of recordings share: a receiver of what pages send, and pages that record themselves."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import FrameLocator, Page, expect

from visitor_tracker.http.message import Headers, Peer, Request, Response
from visitor_tracker.resources import client_files
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.player import PlayerRoutes

from .origins import Seen, Site, _Handler

Json = dict[str, Any]

TAB = "0192" + "ab" * 14
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
STORY: Json = {
    "country": "DE",
    "browser": "Chrome 140",
    "os": "Windows 11",
    "device": "desktop",
    "events": [
        {"type": "pageview", "timestamp": "2026-11-22T10:00:00.000Z", "href": "https://example.com/prices"},
        {"type": "click", "timestamp": "2026-11-22T10:00:01.000Z", "text": "More", "target": "button"},
        {"type": "custom", "timestamp": "2026-11-22T10:00:02.000Z", "name": "<img src=x onerror=alert(1)>"},
    ],
}
ANY_ORIGIN = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "X-Tracker, Retry-After"))


def unpacked(body: bytes) -> Json:
    """Return what was sent, packed or not."""
    found: Json = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    return found


@dataclass
class Receiver(Site):
    """Takes recordings and heat as the server does, and shows them on the server's own pages.

    `away` answers are 503, `refuses` all the others with that reason.
    """

    files: Path = Path()
    away: int = 0
    refuses: str = ""
    sent: list[Json] = field(default_factory=list)
    stored: dict[int, Json] = field(default_factory=dict)
    heat: dict[str, Json] = field(default_factory=dict)
    story: Json | None = None

    @property
    def events(self) -> list[Json]:
        """All stored events in order."""
        return [event for _, chunk in sorted(self.stored.items()) for event in chunk["events"]]

    def text(self) -> str:
        """Return all that was sent, for a search."""
        return json.dumps(self.sent, ensure_ascii=False)

    def answer(self, handler: _Handler) -> None:
        seen = handler.seen()
        self.seen.append(seen)
        status, body, headers = self._answer(seen)
        handler.send_response_only(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, seen: Seen) -> tuple[int, bytes, Headers]:
        if seen.method == "POST":
            return self._take(seen)
        path = seen.path.partition("?")[0]
        if path.startswith("/api/v1/replay/") or path == "/api/v1/replays":
            return _told(self._recording() if path.startswith("/api/v1/replay/") else self._recordings())
        if path.startswith("/sessions/"):
            return _told(self.story)
        return _served(path)

    def _take(self, seen: Seen) -> tuple[int, bytes, Headers]:
        if self.away:
            self.away -= 1
            return 503, b"{}", (*ANY_ORIGIN, ("Retry-After", "0"))
        if self.refuses:
            return 202, b"{}", (*ANY_ORIGIN, ("X-Tracker", f"dropped: {self.refuses}"))
        sent = unpacked(seen.body)
        self.sent.append(sent)
        if seen.path == "/api/v1/replay":
            self.stored[sent["sequence"]] = sent
        else:
            self.heat[sent["id"]] = sent
        return 202, b'{"accepted":1}', (*ANY_ORIGIN, ("X-Tracker", "accepted"))

    def _recording(self) -> Json | None:
        if not self.stored:
            return None
        first = self.stored[min(self.stored)]
        return {
            "session": TAB,
            "site": "default",
            "url": first["url"],
            "started_at": "2026-11-22T10:00:00.000Z",
            "events": self.events,
        }

    def _recordings(self) -> Json:
        recording = self._recording()
        shown = [] if recording is None else [recording | {"page": recording["url"], "seconds": 7.4, "events": 3}]
        return {"replays": shown, "before": 1_774_000_800_000 if shown else None}


def _told(value: Json | None) -> tuple[int, bytes, Headers]:
    return 404 if value is None else 200, json.dumps(value or {}).encode(), (("Content-Type", "application/json"),)


def _served(path: str) -> tuple[int, bytes, Headers]:
    """Answer as the server's own routes do."""
    files = client_files()
    assets = AssetRoutes(files)
    request = Request("GET", path, "", {}, b"", True, Peer("127.0.0.1"))
    for route in (*assets.routes(), *PlayerRoutes(files, assets).routes()):
        if route.path == path or (route.path.startswith("/replay/{") and path.startswith("/replay/")):
            answer = route.handler(request)
            assert isinstance(answer, Response)
            return answer.status, answer.body, answer.headers
    return 404, b"", ()


def tracker(receiver: str, *, tab: str = TAB, module: str = "replay", **replay: object) -> str:
    """Return a script that starts a module as the tracker script would."""
    settings = {"modules": [module], "replay": {"sample": 1, "text": "mask", "minutes": 30} | replay}
    return f"""<script type="module">
      import {{start}} from '{receiver}/client/{module}.js';
      const page = () => location.href.split('#')[0];
      const newId = () => crypto.randomUUID().replaceAll('-', '');
      window.tracker = {{base: '{receiver}/', site: '', tab: '{tab}', page, newId, onPage: [],
        settings: {json.dumps(settings)}}};
      start(window.tracker);
      document.documentElement.dataset.started = '';
    </script>"""


def nodes(tree: Json) -> Iterator[Json]:
    """Walk through a recorded node and all below it."""
    yield tree
    for child in tree.get("childNodes", ()):
        yield from nodes(child)


def replayed(page: Page, receiver: Receiver) -> FrameLocator:
    """Open the recording, go to its end and return the frame that shows it."""
    page.goto(f"{receiver.url}/replay/{TAB}")
    expect(page.locator("#screen")).to_be_visible()
    page.keyboard.press("End")
    return page.frame_locator("#player iframe")
