"""Files served from a table made at start: the client library and the demo page; never from a path."""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.web.router import HTML, Route, argument

_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ts": "text/plain; charset=utf-8",
}
_FRESH_SECONDS = 3600
_VERSION = re.compile(r"([a-z-]{1,40})\.[0-9a-f]{12}\.(js|css|svg|d\.ts|iife\.js)").fullmatch
_NAMED = re.compile(rb"(?<=\")/client/([\w.-]+)(?=\")")
_YEAR_SECONDS = 31_536_000
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS: Headers = (
    ("Content-Type", _KINDS[".html"]),
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
)


@dataclass(frozen=True)
class Asset:
    """A file in memory."""

    body: bytes
    kind: str
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """The file with gzip, "" where that does not help; made when first wanted, because large ones take 0.1 s."""
        packed = gzip.compress(self.body, 9, mtime=0)
        return packed if len(packed) < 0.95 * len(self.body) else b""

    def answer(self, request: Request, cache: str, extra: Headers) -> Response:
        """Answer with the file, or with 304 where the client has it."""
        tag = f'"{self.digest}"'
        headers: Headers = (
            ("Content-Type", self.kind),
            ("Cache-Control", cache),
            ("ETag", tag),
            ("Vary", "Accept-Encoding"),
            *extra,
        )
        if _matches(tag, request.headers.get("if-none-match", "")):
            return Response(304, headers=headers)
        if _takes_gzip(request.headers.get("accept-encoding", "")) and self.packed:
            return Response(200, self.packed, (*headers, ("Content-Encoding", "gzip")))
        return Response(200, self.body, headers)


class AssetRoutes:
    """`/client/NAME` (an hour), `/client/NAME.HASH.EXT` (for ever; of another version the present one), and `/demo`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._assets = {name: asset_of(name, body) for name, body in files.items() if _suffix(name) in _KINDS}

    def routes(self) -> list[Route]:
        found = []
        for name, asset in self._assets.items():
            if name.endswith(".html"):
                continue
            found.append(
                Route("GET", f"/client/{name}", self._fresh(asset), "a file of the browser client", access="public")
            )
            found.append(
                Route(
                    "GET",
                    f"/client/{hashed_name(name, asset.digest)}",
                    self._immutable(asset),
                    "the same, cached for ever",
                )
            )
        found.append(
            Route(
                "GET",
                "/client/{file}",
                self._outdated,
                "the present version of a file of an older one",
                media="text/javascript",
            )
        )
        if "demo.html" in self._assets:
            found.append(
                Route(
                    "GET",
                    "/demo",
                    self._page(self._assets["demo.html"]),
                    "a page that shows the client at work",
                    "own",
                    media=HTML,
                )
            )
        return found

    def immutable_path(self, name: str) -> str | None:
        """Return the URL path of a file's present version, None when the client is not built."""
        asset = self._assets.get(name)
        return None if asset is None else f"/client/{hashed_name(name, asset.digest)}"

    def versioned(self, page: bytes) -> bytes:
        """Return a page that asks for its files under the names that browsers may keep: no mix of two versions."""
        return _NAMED.sub(lambda found: (self.immutable_path(found[1].decode()) or found[0].decode()).encode(), page)

    def _outdated(self, request: Request) -> Answer:
        """Answer for a version that is gone: pages may have a script of before an upgrade, and ask for its parts."""
        found = _VERSION(argument(request))
        asset = self._assets.get(f"{found[1]}.{found[2]}") if found else None
        if asset is None:
            raise HttpError(404, "not_found", "there is no such file", "GET / lists what there is")
        return asset.answer(request, "no-cache", ANY_ORIGIN)

    def _fresh(self, asset: Asset) -> "_Serve":
        return _Serve(asset, f"public, max-age={_FRESH_SECONDS}", ANY_ORIGIN)

    def _immutable(self, asset: Asset) -> "_Serve":
        return _Serve(asset, f"public, max-age={_YEAR_SECONDS}, immutable", ANY_ORIGIN)

    def _page(self, asset: Asset) -> "_Serve":
        return _Serve(asset, "no-cache", PAGE_HEADERS[1:])


ANY_ORIGIN: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class _Serve:
    asset: Asset
    cache: str
    extra: Headers

    def __call__(self, request: Request) -> Answer:
        return self.asset.answer(request, self.cache, self.extra)


def hashed_name(name: str, digest: str) -> str:
    """Return `visitor-tracker.0123abcd.js` for `visitor-tracker.js`."""
    stem, dot, end = name.partition(".")
    return f"{stem}.{digest[:12]}{dot}{end}"


def asset_of(name: str, body: bytes) -> Asset:
    """Return a file of that name; its ending says what it is."""
    return Asset(body, _KINDS[_suffix(name)], sha256(body).hexdigest())


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _matches(tag: str, condition: str) -> bool:
    """Compare weakly, as If-None-Match wants (RFC 9110, 13.1.2)."""
    return condition.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in condition.split(",")]


_GZIP_REFUSED = re.compile(r"gzip\s*;\s*q=0(\.0{0,3})?\s*(,|$)")


def _takes_gzip(accepted: str) -> bool:
    return "gzip" in accepted and not _GZIP_REFUSED.search(accepted)
