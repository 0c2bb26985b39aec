"""The pages /login and /setup: static files of the built client, under a policy that lets nothing else run."""

from collections.abc import Callable, Mapping

from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.router import HTML, Route

_LOGIN = "account-login.html"
_SETUP = "account-setup.html"
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class AccountPages:
    """Without the built client there are no routes."""

    def __init__(self, files: Mapping[str, bytes], assets: AssetRoutes) -> None:
        self._files = files
        self._assets = assets

    def routes(self) -> list[Route]:
        if not (_LOGIN in self._files and _SETUP in self._files):
            return []
        return [
            Route("GET", "/login", self._page(_LOGIN), "a page to log in on", "own", media=HTML),
            Route(
                "GET",
                "/setup",
                self._page(_SETUP),
                "a page for the first account, or a new password",
                "own",
                media=HTML,
            ),
        ]

    def _page(self, name: str) -> Callable[[Request], Answer]:
        body = self._assets.versioned(self._files[name])
        return lambda _: Response(200, body, _HEADERS)
