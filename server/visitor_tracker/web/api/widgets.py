"""The list of a site's most read pages, for the site to show to its readers: a page for a frame, and JSON.

For public sites, and by the token of a share link that was made for frames. No script, no cookie; numbers may be as
old as `_KEPT_SECONDS`, so that a busy page costs one read in that time.
"""

import base64
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from html import escape
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from visitor_tracker.access.share_links import ANYWHERE, ShareLinks
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.reports.most_read import MostRead, ReadPage
from visitor_tracker.sites import Site
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import HTML, Route
from visitor_tracker.web.typed import question_of
from visitor_tracker.web.visitors import JUDGE

_KEPT_SECONDS = 60.0
_KEPT_MOST = 512  # lists of sites
_BROWSERS_KEEP = 300  # seconds

_STYLE = (
    ":root{color-scheme:light dark}[data-theme=light]{color-scheme:light}[data-theme=dark]{color-scheme:dark}"
    "body{margin:0;font:15px/1.45 system-ui,sans-serif;color:light-dark(#14201e,#e6eceb);background:transparent}"
    "h1{margin:0 0 .4em;font-size:1em}ol{margin:0;padding:0;list-style:none}"
    "li{display:flex;gap:1em;justify-content:space-between;padding:.3em 0;border-top:1px solid "
    "light-dark(#dee5e3,#293533)}a{color:light-dark(#0f766e,#2dd4bf);text-decoration:none;overflow-wrap:anywhere}"
    "a:hover{text-decoration:underline}a:focus-visible{outline:2px solid}span{color:light-dark(#55625f,#9db0ac);"
    "white-space:nowrap}p{margin:0;color:light-dark(#55625f,#9db0ac)}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

Text = Annotated[str, Meta(max_length=60)]


class ListAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pages; without `share` the site must be public."""

    site: Annotated[str, Meta(max_length=128, description="Name or alias")] = "default"
    share: Annotated[str, Meta(max_length=64, description="Token of a share link that may be shown in frames")] = ""
    period: Literal["today", "7d", "30d", "90d", "12mo", "all"] = "7d"
    limit: Annotated[int, Meta(ge=1, le=20, description="Pages")] = 5


class WidgetAsked(ListAsked, frozen=True, forbid_unknown_fields=True):
    """Which pages, and how they look; an empty `word` leaves the numbers out."""

    title: Annotated[Text, Meta(description="Above the list")] = "Most read"
    word: Annotated[Text, Meta(description="Behind each number")] = "views"
    theme: Literal["auto", "light", "dark"] = "auto"


class MostReadPages(msgspec.Struct, frozen=True):
    """The most viewed first."""

    site: str
    period: str
    pages: list[ReadPage]


_Key = tuple[int, str, int]


class _Kept:
    """Lists that were read a moment ago; one thread reads a list, and the others take what there was."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._lists: dict[_Key, tuple[float, list[ReadPage]]] = {}

    def pages(self, key: _Key, read: Callable[[], list[ReadPage]]) -> list[ReadPage]:
        now = self._now()
        with self._lock:
            kept = self._lists.get(key)
            if kept is not None:
                if now < kept[0]:
                    return kept[1]
                self._lists[key] = (now + _KEPT_SECONDS, kept[1])
        found = read()
        with self._lock:
            self._lists[key] = (now + _KEPT_SECONDS, found)
            while len(self._lists) > _KEPT_MOST:
                del self._lists[next(iter(self._lists))]
        return found


class WidgetRoutes:
    """`/widget/most-read` and `/widget/most-read.json`."""

    def __init__(self, parts: Parts, links: ShareLinks) -> None:
        self._parts = parts
        self._links = links
        self._most_read = MostRead(parts.store.database, JUDGE.robots, parts.clock)
        self._kept = _Kept()

    def routes(self) -> list[Route]:
        path, summary = "/widget/most-read", "the most read pages of a public site"
        return [
            Route("GET", path, self._page, f"{summary}, for a frame", query=WidgetAsked, media=HTML),
            Route("GET", f"{path}.json", self._json, summary, query=ListAsked, answer=MostReadPages),
        ]

    def _page(self, request: Request) -> Answer:
        asked = question_of(request, WidgetAsked, keep_empty=True)
        site, origins = self._site(asked)
        page = _drawn(asked, self._pages(asked, site))
        ancestors = ANYWHERE if origins == ANYWHERE else f"'self' {origins}"
        policy = (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {ancestors}"
        )
        headers: Headers = (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", policy),
            ("Referrer-Policy", "no-referrer"),
            *_CACHED,
        )
        return Response(200, page.encode(), headers)

    def _json(self, request: Request) -> Answer:
        asked = question_of(request, ListAsked)
        site, _ = self._site(asked)
        body = msgspec.json.encode(MostReadPages(site.name, asked.period, self._pages(asked, site)))
        headers: Headers = (("Content-Type", "application/json"), *_CACHED, *self._parts.guards.cors.headers(request))
        return Response(200, body, headers)

    def _pages(self, asked: ListAsked, site: Site) -> list[ReadPage]:
        policy = self._parts.snapshot().policy_of(site.id).visitor
        return self._kept.pages(
            (site.id, asked.period, asked.limit),
            lambda: self._most_read.pages(site, policy, asked.period, asked.limit),
        )

    def _site(self, asked: ListAsked) -> tuple[Site, str]:
        """Return the site, and whose pages may show it; raises HttpError 404 where that is nobody's."""
        snapshot = self._parts.snapshot()
        if asked.share:
            link = self._links.find(asked.share)
            site = snapshot.by_id.get(link.site_id) if link else None
            if link is not None and site is not None and link.origins:
                return site, link.origins
            raise HttpError(
                404,
                "unknown_link",
                "this share link opens nothing in a frame",
                "make one with embed_in, and send its token",
            )
        site = snapshot.by_name.get(asked.site)
        if site is None or not site.public:
            raise HttpError(
                404,
                "unknown_site",
                "there is no such public site",
                "make the site public, or add share= with the token of a link that may be shown in frames",
            )
        return site, ANYWHERE


_CACHED: Headers = (
    ("Cache-Control", f"public, max-age={_BROWSERS_KEEP}"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)


def _drawn(asked: WidgetAsked, pages: list[ReadPage]) -> str:
    rows = "".join(_row(page, asked.word) for page in pages)
    title = f"<h1>{escape(asked.title)}</h1>" if asked.title else ""
    return (
        f'<!doctype html><html lang="en" data-theme="{asked.theme}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(asked.title) or 'Most read'}</title><style>{_STYLE}</style></head>"
        f"<body>{title}{f'<ol>{rows}</ol>' if rows else '<p>…</p>'}</body></html>"
    )


def _row(page: ReadPage, word: str) -> str:
    name = escape(page.title)
    if page.url:
        name = f'<a href="{escape(page.url)}" target="_top" rel="noopener">{name}</a>'
    number = f"<span>{page.views:,} {escape(word)}</span>" if word else ""
    return f"<li>{name}{number}</li>"
