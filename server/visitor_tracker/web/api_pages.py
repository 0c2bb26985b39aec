"""The pages that show the description of the API: Swagger UI at /docs, ReDoc at /redoc; nothing leaves the origin."""

from base64 import b64encode
from secrets import token_bytes

from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import HTML, Route

_DOCS, _REDOC = "api-docs.html", "api-redoc.html"
_NONCE = b"NONCE"  # in the page, where its own goes
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_KEPT_OUT: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)


class ApiPages:
    """Both pages, out of the built client's files; without these there are no routes."""

    def __init__(self, parts: Parts) -> None:
        self._pages = {
            name: parts.assets.versioned(parts.files[name]) for name in (_DOCS, _REDOC) if name in parts.files
        }

    def routes(self) -> list[Route]:
        shown = (
            ("/docs", _DOCS, self._docs, "the description of the API as a page that tries it out"),
            ("/redoc", _REDOC, self._redoc, "the description of the API as a page to read"),
        )
        return [
            Route("GET", path, handler, summary, "own", media=HTML)
            for path, name, handler, summary in shown
            if name in self._pages
        ]

    def _docs(self, request: Request) -> Answer:
        return _page(self._pages[_DOCS], "style-src 'self'")

    def _redoc(self, request: Request) -> Answer:
        """Its library writes its styles into the page, under a nonce, and searches in a worker made of its own code."""
        nonce = b64encode(token_bytes(18))
        page = self._pages[_REDOC].replace(_NONCE, nonce)
        return _page(page, f"style-src 'self' 'nonce-{nonce.decode()}'", "worker-src blob:")


def _page(body: bytes, *more: str) -> Response:
    policy = "; ".join((*_POLICY, *more))
    return Response(
        200, body, (("Content-Type", f"{HTML}; charset=utf-8"), ("Content-Security-Policy", policy), *_KEPT_OUT)
    )
