"""The pages that list recordings and play one; nothing of a recording runs or leaves the server's origin."""

from collections.abc import Callable, Mapping

from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.router import HTML, Route

_LIST = "replay-list.html"
_PLAYER = "replay-player.html"
# The frame that a recording is rebuilt in has no scripts (sandbox) and inherits this: it can fetch nothing either.
# 'unsafe-inline' is for the styles of recorded pages.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src data:",
        "font-src data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-DNS-Prefetch-Control", "off"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class PlayerRoutes:
    """`/replay` and `/replay/{session}`, out of the built client's files; without these there are no routes."""

    def __init__(self, files: Mapping[str, bytes], assets: AssetRoutes) -> None:
        self._files = files
        self._assets = assets

    def routes(self) -> list[Route]:
        if not (_LIST in self._files and _PLAYER in self._files):
            return []
        return [
            Route("GET", "/replay", self._page(_LIST), "list of the recorded sessions", "visitors", media=HTML),
            Route(
                "GET",
                "/replay/{session}",
                self._page(_PLAYER),
                "a page that plays a recorded session",
                "visitors",
                media=HTML,
            ),
        ]

    def _page(self, name: str) -> Callable[[Request], Answer]:
        body = self._assets.versioned(self._files[name])
        return lambda _: Response(200, body, _HEADERS)
