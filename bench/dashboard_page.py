"""How long people wait for the dashboard: its first load, and a click that filters, in Chromium over a year of a site.

    dashboard_page.py [--events N] [--database FILE] [--rounds N]

The site is that of queries.py, with the extracts of its days, made where it is missing; the server gets a copy. First
loads are those of a browser without a cache, until tiles and chart are drawn. A click is one on a row of the sources,
until tiles, chart and the panels that can be seen show what it selects; every click is on another row.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from dashboard import EVENTS, make_site
from load import CheckFailed
from queries import YEAR, prepared

MONTH = "2025-12-02..2025-12-31"
SIZE = ViewportSize(width=1440, height=900)
LOAD_SECONDS, CLICK_SECONDS, LOAD_BYTES = 1.0, 0.3, 120 * 1024
START_SECONDS = 30
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

# Notes the moment, since the navigation began, at which tiles and chart were there and had been drawn.
_WATCH = """
const look = () => {
  const isThere = document.querySelector('.tile-value') && document.querySelector('.chart-box canvas');
  if (isThere) requestAnimationFrame(() => { window.shownAt = performance.now(); });
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# What was there by then: the map comes afterwards, where it can be seen.
_BYTES = """() => performance.getEntriesByType('resource')
  .filter(({name, responseEnd}) => name.includes('/client/') && responseEnd <= window.shownAt)
  .concat(performance.getEntriesByType('navigation'))
  .reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)
"""
# Clicks a row and resolves to the milliseconds until nothing that can be seen waits for numbers any more.
_CLICK = """(row) => new Promise((done) => {
  const isSeen = (one) => one.getBoundingClientRect().top < innerHeight;
  const begun = performance.now();
  row.click();
  const look = () => {
    const waits = [...document.querySelectorAll('main [aria-busy=true], main .skeleton')].some(isSeen);
    if (waits || !document.querySelector('.chip')) requestAnimationFrame(look);
    else requestAnimationFrame(() => done(performance.now() - begun));
  };
  requestAnimationFrame(look);
})"""


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds of first loads and of clicks, and what a first load brings over the network."""

    loads: list[float]
    clicks: list[float]
    received_bytes: int


@contextmanager
def serving(database: Path, folder: Path) -> Iterator[str]:
    """Serve a copy of the database; yields the address."""
    copy = folder / "visitors.db"
    shutil.copyfile(database, copy)
    port = _free_port()
    command = [sys.executable, "-m", "visitor_tracker", "serve", "--port", str(port), "--store", f"sqlite:///{copy}"]
    root = Path(__file__).resolve().parent.parent
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data")],
            env={**os.environ, "PYTHONPATH": str(root / "server")},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            with urlopen(f"{url}/readyz", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise CheckFailed("the server did not start")


def first_loads(browser: Browser, address: str, rounds: int) -> tuple[list[float], int]:
    """Open the page in a browser without a cache, once to warm the server up and then so many times."""
    seconds: list[float] = []
    received = 0
    for number in range(rounds + 1):
        context = browser.new_context(viewport=SIZE)
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(address)
        page.wait_for_function("() => window.shownAt")
        if number:
            seconds.append(page.evaluate("() => window.shownAt") / 1000)
        received = int(page.evaluate(_BYTES))
        context.close()
    return seconds, received


def clicks(browser: Browser, address: str, rounds: int) -> list[float]:
    """Filter by one source after the other; between them the filter is taken away again."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(address)
    seconds = [_clicked(page, address, number) for number in range(rounds)]
    context.close()
    return seconds


def _clicked(page: Page, address: str, number: int) -> float:
    page.goto(address)
    page.wait_for_selector(".panel-sources .bars")
    page.wait_for_load_state("networkidle")
    rows = page.locator(".panel-sources button.bar-pick")
    row = rows.nth(number % rows.count()).element_handle()
    if row is None:
        raise CheckFailed("there are no sources to click")
    waited = float(page.evaluate(_CLICK, row))
    if page.locator(".error-box").count():
        raise CheckFailed(f"the dashboard says: {page.locator('.error-box').first.inner_text()}")
    return waited / 1000


def measure(database: Path, period: str, rounds: int) -> Waited:
    program = shutil.which("chromium")
    if program is None:
        raise CheckFailed("Chromium is missing: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(prefix="visitor-bench-") as folder,
        serving(database, Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        address = f"{url}/dashboard/default?period={period}"
        loads, received = first_loads(browser, address, rounds)
        found = Waited(loads, clicks(browser, address, min(rounds, 8)), received)
        browser.close()
        return found


def _row(name: str, value: float, target: float, unit: str) -> str:
    verdict = "met" if value <= target else "**missed**"
    return f"| {name} | {value:,.0f} {unit} | ≤ {target:,.0f} {unit} | {target / value:.2f}x | {verdict} |"


def table(found: Waited, events: int, period: str) -> str:
    head = f"| {events:,} events a year, {period} | median | target | target ÷ median | |"
    return "\n".join(
        [
            head,
            "| --- | ---: | ---: | ---: | --- |",
            _row("first load, to tiles and chart", median(found.loads) * 1000, LOAD_SECONDS * 1000, "ms"),
            _row("filter click, to tiles and panels", median(found.clicks) * 1000, CLICK_SECONDS * 1000, "ms"),
            _row("first load, gzip", found.received_bytes, LOAD_BYTES, "bytes"),
        ]
    )


def main() -> int:
    options = _options()
    path = options.database or Path(tempfile.gettempdir()) / f"visitor-bench-year-{options.events}.db"
    try:
        if not path.is_file():
            make_site(path, options.events)
        ready = prepared(path)
        print(f"load average {os.getloadavg()[0]:.2f}", file=sys.stderr)
        for period in (MONTH, YEAR):
            print(table(measure(ready, period, options.rounds), options.events, period), end="\n\n")
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how long people wait for the dashboard.")
    parser.add_argument("--events", type=int, default=EVENTS, help="of the year (default 10000000)")
    parser.add_argument("--database", type=Path, help="SQLite file of the site, made where it is missing")
    parser.add_argument("--rounds", type=int, default=10, help="first loads (default 10); at most 8 clicks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
