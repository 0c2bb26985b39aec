"""Public counter images and their JSON: /badge.svg and /badge.json."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from html import escape

import msgspec

from visitor_tracker.errors import HttpError
from visitor_tracker.event import PageCount
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.store.base import Store
from visitor_tracker.web.counted import LABEL_MOST, Badge, BadgeSays
from visitor_tracker.web.guards import Guards
from visitor_tracker.web.pages import Page, PageReader
from visitor_tracker.web.router import Route
from visitor_tracker.web.typed import question_of

_CACHED = 4096
_COLOR = re.compile(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}")
_NAMED = frozenset({"blue", "green", "red", "orange", "gray", "grey", "black", "purple", "teal", "brown"})
# Widths in px at Verdana 11, by kind of character; textLength makes what other fonts do fit.
_WIDTHS = dict.fromkeys("ijl.,:;|!'`", 3.6) | dict.fromkeys("frtI()[]/ -", 4.6) | dict.fromkeys("mwMW@%<>+=", 9.6)
_UPPER, _OTHER = 7.8, 6.8


class BadgeCache:
    """The latest counts by page, so that a badge on a busy page costs one read per `seconds`."""

    def __init__(self, read: Callable[[bytes], PageCount | None], now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def count(self, page_hash: bytes, seconds: int) -> int:
        """Return the page's count, at most `seconds` old."""
        now = self._now()
        with self._lock:
            kept = self._kept.get(page_hash)
        if kept is not None and now - kept[0] < seconds:
            return kept[1]
        found = self._read(page_hash)
        count = 0 if found is None else found.visit_count
        with self._lock:
            self._kept[page_hash] = (now, count)
            self._kept.move_to_end(page_hash)
            while len(self._kept) > _CACHED:
                self._kept.popitem(last=False)
        return count


class BadgeRoutes:
    """`floor` hides small counts; `update` changes both settings on reload."""

    def __init__(self, store: Store, guards: Guards, pages: PageReader, *, floor: int, seconds: int) -> None:
        self._cache = BadgeCache(store.page)
        self._guards = guards
        self._pages = pages
        self.update(floor=floor, seconds=seconds)

    def update(self, *, floor: int, seconds: int) -> None:
        self._floor = floor
        self._seconds = seconds

    def routes(self) -> list[Route]:
        svg = "the count of ?url= as an image; label=, color="
        says = "the count of ?url= in the form badge services read; label=, color="
        return [
            Route("GET", "/badge.svg", self.svg, svg, query=Badge, media="image/svg+xml"),
            Route("GET", "/badge.json", self.json, says, query=Badge, answer=BadgeSays),
        ]

    def svg(self, request: Request) -> Answer:
        label, color, page = self._asked(request)
        text, _ = self._text(page)
        return self._answer(request, _draw(label, text, color).encode(), "image/svg+xml; charset=utf-8")

    def json(self, request: Request) -> Answer:
        label, color, page = self._asked(request)
        text, count = self._text(page)
        says = BadgeSays(1, label, text, color.removeprefix("#"), page.url, count)
        return self._answer(request, msgspec.json.encode(says), "application/json")

    def _asked(self, request: Request) -> tuple[str, str, Page]:
        asked = question_of(request, Badge, keep_empty=True)
        try:
            page = self._pages.from_url(asked.url or request.headers.get("referer", ""))
        except ValueError as error:
            raise HttpError(400, "invalid_url", "Invalid URL", str(error)) from error
        label, color = asked.label, asked.color.removeprefix("#")
        if not label.isprintable():
            raise HttpError(400, "invalid_label", "this label cannot be shown", f"use at most {LABEL_MOST} characters")
        if _COLOR.fullmatch(color):
            return label, f"#{color}", page
        if color in _NAMED:
            return label, color, page
        raise HttpError(
            400, "invalid_color", "there is no such color", f"use 3 or 6 hex digits, or {', '.join(sorted(_NAMED))}"
        )

    def _text(self, page: Page) -> tuple[str, int | None]:
        """Return what the badge says, and the count unless it is hidden."""
        count = self._cache.count(page.hash, self._seconds)
        if count < self._floor:
            return f"< {self._floor:,}", None
        return f"{count:,}", count

    def _answer(self, request: Request, body: bytes, kind: str) -> Response:
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        keep = f"public, max-age={self._seconds}" if self._seconds else "no-cache"
        headers: Headers = (
            ("Content-Type", kind),
            ("Cache-Control", keep),
            ("ETag", tag),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            *self._guards.cors.headers(request),
        )
        if tag in request.headers.get("if-none-match", ""):
            return Response(304, headers=headers)
        return Response(200, body, headers)


def _width(text: str) -> int:
    return round(sum(_WIDTHS.get(character, _UPPER if character.isupper() else _OTHER) for character in text))


def _draw(label: str, text: str, color: str) -> str:
    """Return a small SVG: the label on dark, the text on `color` (already checked)."""
    left, right = _width(label) + 12, _width(text) + 12
    name, number = escape(label), escape(text)

    def written(words: str, at: float, width: int) -> str:
        return (
            f'<text x="{at}" y="15" fill="#010101" fill-opacity=".3" textLength="{width}">{words}</text>'
            f'<text x="{at}" y="14" fill="#fff" textLength="{width}">{words}</text>'
        )

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{name}: {number}"><title>{name}: {number}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f"{written(name, left / 2, left - 12) if label else ''}"
        f"{written(number, left + right / 2, right - 12)}</g></svg>"
    )
