"""The pages that list recordings, play one, and show a recorded page; nothing of them runs or leaves the origin.

The player and the recorded page may stand in a frame of the dashboard, which is of the same origin.
"""

from collections.abc import Callable, Mapping

from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.router import HTML, Route

_LIST = "replay-list.html"
_PLAYER = "replay-player.html"
_SNAPSHOT = "replay-snapshot.html"
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
_FRAMED_POLICY = CONTENT_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")


def _headers(policy: str, framing: str) -> Headers:
    return (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", framing),
        ("X-DNS-Prefetch-Control", "off"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    )


_ALONE, _FRAMED = _headers(CONTENT_POLICY, "DENY"), _headers(_FRAMED_POLICY, "SAMEORIGIN")


class PlayerRoutes:
    """`/replay`, `/replay/{session}` and `/snapshot`, out of the built client's files; without these no routes."""

    def __init__(self, files: Mapping[str, bytes], assets: AssetRoutes) -> None:
        self._files = files
        self._assets = assets

    def routes(self) -> list[Route]:
        if not {_LIST, _PLAYER, _SNAPSHOT} <= self._files.keys():
            return []
        return [
            Route("GET", "/replay", self._page(_LIST, _ALONE), "list of the recorded sessions", "visitors", media=HTML),
            Route(
                "GET",
                "/replay/{session}",
                self._page(_PLAYER, _FRAMED),
                "a page that plays a recorded session",
                "visitors",
                media=HTML,
            ),
            Route(
                "GET",
                "/snapshot",
                self._page(_SNAPSHOT, _FRAMED),
                "a page that shows a page as it was recorded: ?url=&viewport=",
                "visitors",
                media=HTML,
            ),
        ]

    def _page(self, name: str, headers: Headers) -> Callable[[Request], Answer]:
        body = self._assets.versioned(self._files[name])
        return lambda _: Response(200, body, headers)
