"""The dashboard: one page of the built client for all its addresses; the rest of it are files and the API."""

from collections.abc import Mapping

from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.router import HTML, Route

PAGE = "dashboard.html"
PATHS = (
    "/dashboard",
    "/dashboard/{site}",
    "/dashboard/{site}/{view}",
    "/dashboard/{site}/{view}/{id}",
    "/admin",
    "/admin/{view}",
    "/admin/{view}/{id}",
)
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
CONTENT_POLICY = f"{_POLICY}; frame-ancestors 'none'"
_HEADERS: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
    ("Vary", "Accept"),
)


class DashboardRoutes:
    """Without the built client there are no routes. Who may see what, the API decides."""

    def __init__(self, files: Mapping[str, bytes], assets: AssetRoutes) -> None:
        self._body = assets.versioned(files[PAGE]) if PAGE in files else b""

    def routes(self) -> list[Route]:
        if not self._body:
            return []
        return [Route("GET", path, self.page, "the dashboard", "own", media=HTML) for path in PATHS]

    @property
    def is_there(self) -> bool:
        """Whether the client is built."""
        return bool(self._body)

    def page(self, _: Request) -> Answer:
        return Response(200, self._body, _HEADERS)

    def framed(self, ancestors: str) -> Response:
        """Return the page for a frame in pages of those origins (a list of hosts of Content-Security-Policy).

        Its address may be secret, and nothing of a log-in is to be at work in it: it is no page to click on unseen.
        """
        headers: Headers = (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", f"{_POLICY}; frame-ancestors {ancestors}"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        )
        return Response(200, self._body, headers)
