"""The front page: for browsers a short overview, for programs what there is."""

from collections.abc import Iterable
from html import escape

import msgspec

from visitor_tracker import __version__
from visitor_tracker.errors import HttpError
from visitor_tracker.event import PageCount
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.store.base import Store
from visitor_tracker.web.assets import PAGE_HEADERS, AssetRoutes
from visitor_tracker.web.counter import iso
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.router import Route

_MESSAGE = "Privacy Visitor Tracker API is running"  # what clients of the earlier API look for
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Vary", "Accept"))
_HTML: Headers = (*PAGE_HEADERS, ("Cache-Control", "no-store"), ("Vary", "Accept"))
_PAGES_SHOWN = 20
_CLIENT = frozenset({"/client/visitor-tracker.js", "/client/visitor-tracker.iife.js"})  # listed of all client files


class HomeRoutes:
    def __init__(self, store: Store, guards: Guards, assets: AssetRoutes) -> None:
        self._store = store
        self._guards = guards
        self._style = assets.immutable_path("demo.css")
        self._icon = assets.immutable_path("icon.svg")
        self._listed: list[Route] = []

    def routes(self) -> list[Route]:
        return [Route("GET", "/", self.home, "this list; in a browser the overview", "own")]

    def list_routes(self, routes: Iterable[Route]) -> None:
        """Say what the front page lists; called once, when all routes are known."""
        self._listed = [
            route for route in routes if not route.path.startswith("/client/") or route.path.count(".") == 1
        ]

    def home(self, request: Request) -> Answer:
        if "text/html" in request.headers.get("accept", ""):
            return Response(200, self._page(request).encode(), _HTML)
        endpoints = {f"{route.method} {route.path}": route.summary for route in self._listed}
        return Response(
            200, msgspec.json.encode({"message": _MESSAGE, "version": __version__, "endpoints": endpoints}), _JSON
        )

    def _page(self, request: Request) -> str:
        links = f'<link rel="stylesheet" href="{self._style}">' if self._style else ""
        links += f'<link rel="icon" href="{self._icon}">' if self._icon else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Visitor Tracker</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}</head>'
            '<body><main class="home">'
            f"<header><h1>Visitor Tracker</h1><p>Version {escape(__version__)}. See "
            '<a href="/demo">the demo</a> count its own visits.</p></header>'
            f"{self._numbers(request)}</main></body></html>"
        )

    def _numbers(self, request: Request) -> str:
        try:
            self._guards.read(request)
        except HttpError as error:
            return _card("Pages", f"<p>{escape(error.message)}.</p><p>{escape(error.hint)}.</p>")
        pages, visits = self._store.totals()
        if not pages:
            return _card(
                "No visit yet",
                '<p>Open <a href="/demo">the demo</a>, or put its snippet on a page of yours: '
                "this list fills by itself.</p>",
            )
        rows = "".join(map(_table_row, self._store.pages(limit=_PAGES_SHOWN).pages))
        more = f"<p>The {_PAGES_SHOWN} most visited; <code>visitor-tracker pages</code> lists all.</p>"
        return _card(
            f"{visits:,} {'visit' if visits == 1 else 'visits'} to {pages:,} {'page' if pages == 1 else 'pages'}",
            '<table><thead><tr><th scope="col">Page</th><th scope="col" class="number">Visits</th>'
            f'<th scope="col">Last visit</th></tr></thead><tbody>{rows}</tbody></table>'
            f"{more if pages > _PAGES_SHOWN else ''}",
        )


def _card(title: str, content: str) -> str:
    return f'<section class="card"><h2>{title}</h2>{content}</section>'


def _table_row(page: PageCount) -> str:
    last = iso(page.last_visited)
    return (
        f'<tr><td>{_link(page.page_url)}</td><td class="number">{page.visit_count:,}</td>'
        f'<td><time datetime="{last}">{last[:16].replace("T", " ")} UTC</time></td></tr>'
    )


def _link(url: str) -> str:
    """Return the page as a link; a stored URL is always http or https."""
    shown = url if len(url) <= 80 else url[:79] + "…"
    return f'<a href="{escape(url)}" rel="noopener noreferrer" title="{escape(url)}">{escape(shown)}</a>'
