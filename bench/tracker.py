"""What the tracker script costs a page: main-thread time, at load and later, and bytes, beside trackers from npm.

    tracker.py [--loads N] [--slow N]

Each load is a tab of a new browser context, one tracker after the other. The time is what Chromium's own tracing puts
down for the script's file; where one event contains another it counts once. At load: compiling and running the file,
while the page waits. Later: its timers, listeners, answers and idle work of the first two seconds, while nobody
waits. The server answers what the trackers send with 202 and keeps nothing. `--slow 4` is a slow phone's processor.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

CLIENT = Path(__file__).resolve().parent.parent / "client"
TARGET_MS = 5.0  # of the core, at load
LOADS = 15
SETTLED_MS = 2000
_CATEGORIES = ["devtools.timeline", "v8", "disabled-by-default-v8.compile"]
_AT_LOAD = frozenset({"EvaluateScript", "v8.compile", "v8.evaluateModule", "v8.compileModule"})
_OURS, _REST = "script.js", "script.js and more.js"

# What a page does with each tracker, as its README says; bundled as a site would bundle it.
_PEERS = {
    "@plausible-analytics/tracker": """
        import {init} from '@plausible-analytics/tracker';
        init({domain: 'example.com', endpoint: '/sent', captureOnLocalhost: true, outboundLinks: true,
              fileDownloads: true, formSubmissions: true});""",
    "plausible-tracker": """
        import Plausible from 'plausible-tracker';
        const tracker = Plausible({domain: 'example.com', apiHost: '', trackLocalhost: true});
        tracker.enableAutoPageviews(); tracker.enableAutoOutboundTracking();""",
    "ackee-tracker": """
        import * as ackee from 'ackee-tracker';
        ackee.create('/sent', {ignoreLocalhost: false, ignoreOwnVisits: false}).record('b59e9c65-ae32-47f1');""",
}


def bundled(source: str) -> bytes:
    """Return a tracker, and what starts it, as one minified script."""
    command = ["node_modules/.bin/esbuild", "--bundle", "--minify", "--format=iife", "--target=es2021"]
    return subprocess.run(command, input=source.encode(), cwd=CLIENT, check=True, capture_output=True).stdout


def scripts() -> dict[str, bytes]:
    """Return the files of the server by path."""
    own = {f"/client/{path.name}": path.read_bytes() for path in (CLIENT / "dist").glob("*.js")}
    own["/script.js"] = own["/client/script.js"]
    return own | {f"/{number}.js": bundled(source) for number, source in enumerate(_PEERS.values())}


@contextmanager
def served(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve the files, and a page for each script at its path with .html behind it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = files.get(self.path, b"")
            kind = "text/javascript"
            if self.path.endswith(".html"):
                kind, source = "text/html", self.path.removesuffix(".html")
                tag = f'<script defer src="{source}" data-allow-localhost></script>'
                body = f"<!doctype html><title>A page</title>{tag}<p>{'word ' * 5000}</p>".encode()
            self._answer(200 if body else 404, kind, body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._answer(202, "application/json", b"{}")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response_only(status)
            for name, value in (("Content-Type", kind), ("Content-Length", len(body)), ("X-Tracker", "accepted")):
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


Span = tuple[float, float, float, bool]  # first moment, last one, CPU time, whether at load


def spans(trace: bytes, paths: Iterable[str]) -> tuple[float, float]:
    """Return the CPU ms of the main thread that belong to these files, at load and later, each moment once."""
    found: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for event in json.loads(trace)["traceEvents"]:
        if event.get("ph") == "X" and any(_url(event).endswith(path) for path in paths):
            wall = event.get("dur", 0)
            span = (event["ts"], event["ts"] + wall, event.get("tdur", wall), event["name"] in _AT_LOAD)
            found[event["pid"], event["tid"]].append(span)
    outermost = [span for each in found.values() for span in _outermost(sorted(each))]
    early, late = (sum(cpu for *_, cpu, at_load in outermost if at_load is when) / 1000 for when in (True, False))
    return early, late


def _url(event: Mapping[str, Any]) -> str:
    told = event.get("args", {}).get("data") or {}
    return str(told.get("url") or told.get("scriptName") or event.get("args", {}).get("fileName") or "")


def _outermost(ordered: list[Span]) -> Iterator[Span]:
    end = 0.0
    for span in ordered:
        if span[0] >= end:
            end = span[1]
            yield span


def load(browser: Browser, page_url: str, slow: float) -> bytes:
    """Load a page in a new context, let it settle; return the trace."""
    context = browser.new_context()
    page = context.new_page()
    if slow > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slow})
    browser.start_tracing(page=page, categories=_CATEGORIES)
    page.goto(page_url)
    page.wait_for_timeout(SETTLED_MS)
    trace = browser.stop_tracing()
    context.close()
    return trace


def _told(times: Sequence[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=LOADS, help=f"of each tracker; default: {LOADS}")
    parser.add_argument("--slow", type=float, default=1, help="times that the processor is slowed down; default: 1")
    options = parser.parse_args()
    files = scripts()
    measured = {
        _OURS: ("/script.js", ["/script.js"]),
        _REST: ("/script.js", ["/script.js", "/client/more.js"]),
        **{name: (f"/{number}.js", [f"/{number}.js"]) for number, name in enumerate(_PEERS)},
    }
    took: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with served(files) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(options.loads):
            traces: dict[str, bytes] = {}
            for name, (path, parts) in measured.items():
                trace = traces.setdefault(path, b"") or load(browser, f"{base}{path}.html", options.slow)
                traces[path] = trace
                took[name].append(spans(trace, parts))
        browser.close()
    print("| script | gzip, bytes | at load, CPU ms (median) | later, CPU ms (median) |\n| --- | ---: | ---: | ---: |")
    for name, (_, parts) in measured.items():
        size = sum(len(gzip.compress(files[part], 9)) for part in parts)
        early, late = (_told(each) for each in zip(*took[name], strict=True))
        print(f"| {name} | {size:,} | {early} | {late} |")
    own = median(early for early, _ in took[_OURS])
    print(f"\n{_OURS} at load: {own:.2f} ms of {TARGET_MS:.0f}: {'met' if own <= TARGET_MS else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
