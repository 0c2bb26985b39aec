"""The front page: for browsers the dashboard, for programs what there is; and the page of the page counter."""

from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Annotated

import msgspec
from msgspec import Meta

from visitor_tracker import __version__
from visitor_tracker.errors import HttpError, StoreUnavailable
from visitor_tracker.event import PageCount
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.store.base import Store
from visitor_tracker.web.assets import PAGE_HEADERS, AssetRoutes
from visitor_tracker.web.counter import iso
from visitor_tracker.web.dashboard import DashboardRoutes
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.router import HTML, Route

_MESSAGE = "Privacy Visitor Tracker API is running"  # what clients of the earlier API look for
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Vary", "Accept"))
_HTML: Headers = (*PAGE_HEADERS, ("Cache-Control", "no-store"), ("Vary", "Accept"))
_PAGES_SHOWN = 20
_URL_SHOWN = 80  # characters
_CLIENT = frozenset({"/client/visitor-tracker.js", "/client/visitor-tracker.iife.js"})  # listed of all client files
# What a person looks for first, and last; clients of other trackers know their routes.
_FIRST = (
    "GET /demo", "GET /client/visitor-tracker.iife.js", "GET /client/visitor-tracker.js", "GET /update",
    "POST /api/v1/visits", "GET /api/v1/visits", "GET /count", "GET /pixel.gif", "GET /badge.svg", "GET /badge.json",
    "GET /verify", "POST /api/v1/events",
)  # fmt: skip
_LAST = ("GET /", "GET /healthz", "GET /readyz", "GET /metrics")
_NO_VISIT = (
    '<p>Open <a href="/demo">the demo</a>, or put <a href="/demo#yours-title">its snippet</a> on a page of yours: '
    "this list fills by itself.</p>"
)
_OF_SCRIPT = (
    "<p>These are the counts of the page counter. What the tracker script <code>/script.js</code> tells is in "
    '<code>visitor-tracker stats</code> and at <a href="/stats?period=30d">/stats</a>, recordings are at '
    '<a href="/replay">/replay</a>; <a href="/what-we-send">/what-we-send</a> says what is known of visitors.</p>'
)
_API = (
    '<p>Each request in full: to try out at <a href="/docs">/docs</a>, to read at <a href="/redoc">/redoc</a>, for '
    'programs in <a href="/openapi.json">/openapi.json</a>.</p>'
)
_AWAY = (
    "<p>Visits are taken all the same: they wait in the journal, and are counted when it is back. "
    "<code>visitor-tracker check</code> says more.</p>"
)
_PRIVATE = (
    "<p>There is no account yet: <code>visitor-tracker user setup-link</code> prints a link to make the first one.</p>"
    "<p>Until then the list is for readers on the server's own machine: open this page there as "
    "<code>localhost</code>, or run <code>visitor-tracker pages</code>.</p>"
    "<p>From elsewhere, send the token that <code>visitor-tracker token</code> prints there:</p>"
    '<pre tabindex="0"><code>curl -H "Authorization: Bearer TOKEN" https://THIS-SERVER/count</code></pre>'
)


class Welcome(msgspec.Struct, frozen=True):
    """What there is; GET /openapi.json describes it."""

    message: str
    version: str
    endpoints: Annotated[dict[str, str], Meta(description="What each request is for")]


_FOR_PEOPLE = (
    '<p>The list is for people with an account: <a href="/login">log in</a>.</p><p>Programs send a key:</p>'
    '<pre tabindex="0"><code>curl -H "Authorization: Bearer KEY" https://THIS-SERVER/count</code></pre>'
)


class HomeRoutes:
    def __init__(self, store: Store, guards: Guards, assets: AssetRoutes, dashboard: DashboardRoutes) -> None:
        self._store = store
        self._guards = guards
        self._dashboard = dashboard
        self._style = assets.immutable_path("demo.css")
        self._icon = assets.immutable_path("icon.svg")
        self._api = _API if assets.immutable_path("api-docs.js") else ""
        self._listed: list[Route] = []

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.home, "this list; in a browser the dashboard", "own", answer=Welcome),
            Route(
                "GET", "/counters", self.counters, "the counted pages, and what there is, as a page", "own", media=HTML
            ),
        ]

    def list_routes(self, routes: Iterable[Route]) -> None:
        """Say what the front page lists; called once, when all routes are known."""
        listed = [route for route in routes if not route.path.startswith("/client/") or route.path in _CLIENT]
        self._listed = sorted(listed, key=_place)

    def home(self, request: Request) -> Answer:
        if "text/html" in request.headers.get("accept", ""):
            return (self._dashboard.page if self._dashboard.is_there else self.counters)(request)
        endpoints = {f"{route.method} {route.path}": route.summary for route in self._listed}
        return Response(200, msgspec.json.encode(Welcome(_MESSAGE, __version__, endpoints)), _JSON)

    def counters(self, request: Request) -> Answer:
        """Show the counts of the page counter, and what the server answers."""
        return Response(200, self._page(request).encode(), _HTML)

    def _page(self, request: Request) -> str:
        links = f'<link rel="stylesheet" href="{self._style}">' if self._style else ""
        links += f'<link rel="icon" href="{self._icon}" type="image/svg+xml">' if self._icon else ""
        icon = f'<img src="{self._icon}" alt="" width="28" height="28">' if self._icon else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Visitor Tracker</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}</head><body>'
            f'<header class="bar">{icon}<strong>Visitor Tracker</strong>'
            '<nav aria-label="Server"><a href="/">Dashboard</a> <a href="/replay">Recordings</a>'
            ' <a href="/demo">Demo</a> <a href="/login">Log in</a></nav></header>'
            f'<main class="home">{self._numbers(request)}{_routes(self._listed, self._api)}</main>'
            f"<footer><p>Version {escape(__version__)}. Free software, Apache License 2.0.</p></footer></body></html>"
        )

    def _numbers(self, request: Request) -> str:
        try:
            self._guards.read(request)
        except HttpError:
            return _card("Counted pages", _FOR_PEOPLE if self._guards.has_accounts else _PRIVATE)
        try:
            pages, visits = self._store.totals()
            shown = self._store.pages(limit=_PAGES_SHOWN).pages
        except StoreUnavailable:
            return _card("The database is away", _AWAY)
        if not pages:
            return _card("No visit yet", _NO_VISIT + _OF_SCRIPT)
        rows = "".join(map(_table_row, shown))
        more = f"<p>The {_PAGES_SHOWN} most visited; <code>visitor-tracker pages</code> lists more.</p>"
        return _card(
            f"{visits:,} {'visit' if visits == 1 else 'visits'} to {pages:,} {'page' if pages == 1 else 'pages'}",
            '<table><thead><tr><th scope="col">Page</th><th scope="col" class="number">Visits</th>'
            f'<th scope="col">Last visit (UTC)</th></tr></thead><tbody>{rows}</tbody></table>'
            f"{more if pages > _PAGES_SHOWN else ''}{_OF_SCRIPT}",
        )


def _place(route: Route) -> int:
    """Return where a route stands in the list; those between the first and the last keep their order."""
    name = f"{route.method} {route.path}"
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + (1 + _LAST.index(name) if name in _LAST else 0)


def _card(title: str, content: str) -> str:
    return f'<section class="card"><h1>{title}</h1>{content}</section>'


def _routes(listed: Iterable[Route], about: str) -> str:
    rows = "".join(
        f'<tr><td class="request">{"<br>".join(f"{route.method} {escape(route.path)}" for route in same)}</td>'
        f"<td>{escape(summary)}</td></tr>"
        for summary, same in groupby(listed, key=lambda route: route.summary)
    )
    return (
        f'<details class="card"><summary>What this server answers</summary>{about}<table><thead><tr>'
        f'<th scope="col">Request</th><th scope="col">Answer</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )


def _table_row(page: PageCount) -> str:
    last = iso(page.last_visited)
    return (
        f'<tr><td>{_link(page.page_url)}</td><td class="number">{page.visit_count:,}</td>'
        f'<td><time datetime="{last}"><span>{last[:10]}</span> <span>{last[11:16]}</span></time></td></tr>'
    )


def _link(url: str) -> str:
    """Return the page as a link; a stored URL is always http or https, and https goes without saying."""
    shown = url.removeprefix("https://")
    if len(shown) > _URL_SHOWN:
        shown = shown[: _URL_SHOWN - 1] + "…"
    return f'<a href="{escape(url)}" rel="noopener noreferrer" title="{escape(url)}">{escape(shown)}</a>'
