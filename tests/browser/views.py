"""Every view of the dashboard, and what must hold in all of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, ViewportSize, expect

from visitor_tracker.resources import CLIENT

OF_A_SITE = (
    "overview", "live", "anomalies", "trends", "sessions", "visitors", "goals", "funnels", "journeys", "retention",
    "attribution", "heatmaps", "vitals", "errors", "quality", "alerts", "reports", "settings",
)  # fmt: skip
OF_THE_SERVER = ("sites", "welcome", "users", "keys", "account", "audit", "alerts", "checks")
AXE = CLIENT.parent / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_SECONDS = 90  # filtered lists are read one after the other
_RUN_AXE = """async () => {
  const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']});
  return violations.filter(({impact}) => ['serious', 'critical'].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map(({html}) => html.slice(0, 160)).join(' | ')}`);
}"""
_SHOW_PENDING = """() => {
  const pending = document.querySelector('main .skeleton, main [aria-busy=true]');
  pending?.scrollIntoView({block: 'center'});
  return Boolean(pending);
}"""

_SAY_PENDING = """() => [...document.querySelectorAll('main .skeleton, main [aria-busy=true]')]
  .map((one) => `${one.className} of ${one.closest('section')?.getAttribute('aria-label')}`)"""


@dataclass
class Watched:
    """A page, and all that went wrong in it."""

    page: Page
    url: str  # of the server
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a view and wait until it has all that it asked for."""
        self.page.goto(self.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing loads any more; lists below the edge are asked for when they come into view."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.page.evaluate(_SHOW_PENDING):
            assert time.monotonic() < deadline, f"{self.page.url} loads for ever: {self.page.evaluate(_SAY_PENDING)}"
            self.page.wait_for_timeout(100)  # asking without a pause would take the time that it waits for
        self.page.evaluate("() => scrollTo(0, 0)")

    def is_too_wide(self) -> bool:
        """Say whether the page itself scrolls sideways."""
        return bool(self.page.evaluate("() => document.documentElement.scrollWidth > innerWidth"))

    def barriers(self) -> list[str]:
        """Return what axe finds that keeps people out."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        return list(self.page.evaluate(_RUN_AXE))

    def note_request(self, request: Request) -> None:
        wanted = urlsplit(request.url)
        if wanted.scheme in ("http", "https") and f"{wanted.scheme}://{wanted.netloc}" != self.url:
            self.troubles.append(f"asked {request.url}")


@contextmanager
def watched(chromium: Browser, url: str, *, width: int = 1440, dark: bool = False) -> Iterator[Watched]:
    """A page of its own, logged out; when it is left nothing may have gone wrong in it."""
    context = chromium.new_context(
        viewport=ViewportSize(width=width, height=900), color_scheme="dark" if dark else "light", locale="en-GB"
    )
    page = context.new_page()
    seen = Watched(page, url)
    page.on("console", lambda told: seen.troubles.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.troubles.append(f"thrown: {error}"))
    page.on("dialog", lambda dialog: seen.troubles.append(f"dialog: {dialog.message}"))
    page.on("request", seen.note_request)
    try:
        yield seen
    finally:
        context.close()
    assert seen.troubles == []


def log_in(page: Page, url: str, username: str, password: str) -> None:
    """Log in as people do."""
    page.goto(f"{url}/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/dashboard/**")


def addresses(site: str) -> list[str]:
    """Return the address of every view."""
    own = [f"/dashboard/{site}" + (f"/{name}" if name != "overview" else "") for name in OF_A_SITE]
    return [*own, *(f"/admin/{name}" for name in OF_THE_SERVER)]


def picture(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
