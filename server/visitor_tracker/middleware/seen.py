"""A request as the middleware saw it, and the event that it becomes."""

import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from visitor_tracker.middleware.address import TrustedProxies

# Header fields that are read, each with the characters that are kept of it, so that what waits has a bound.
WANTED = {
    "host": 256,
    "user-agent": 1024,
    "referer": 2048,
    "accept": 256,
    "accept-language": 64,
    "x-forwarded-for": 1024,
    "x-real-ip": 64,
    "x-forwarded-proto": 16,
    "x-forwarded-host": 256,
    "dnt": 1,
    "sec-gpc": 1,
}
_URL_MOST = 2048  # of which the server takes any
ASKED_MOST = _URL_MOST + 1  # characters of path and query that are kept: one too many says that it was too long
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
_QUERY_SAFE = _PATH_SAFE + '?%[]|^`{}\\"'
_HOST = re.compile(r"[^\s/?#@\\<>]+").fullmatch


class Asked(NamedTuple):
    """What was asked for: `path` is decoded, `query` as sent (latin-1), `host` what counts where no Host field came.

    Of path and query there are ASKED_MOST characters, of the method 16.
    """

    method: str
    scheme: str
    host: str
    path: str
    query: str
    peer: str


def asked_for(method: str, scheme: str, host: str, path: str, query: str, peer: str) -> Asked:  # noqa: PLR0913
    """Return what was asked for, within the bounds of what waits."""
    return Asked(method[:16], scheme, host, path[:ASKED_MOST], query[:ASKED_MOST], peer)


class Seen(NamedTuple):
    """A request that counts; `headers` has the WANTED ones, `at` is a moment of time.monotonic."""

    asked: Asked
    headers: Mapping[str, str]
    status: int
    at: float

    def read(self) -> "Seen":
        """Return this one, which has nothing left to read."""
        return self


class Waiting(Protocol):
    """A request that waits to be sent, as it came; whoever sends it reads it, so that its answer need not wait."""

    @property
    def at(self) -> float:
        """Return when it was, of time.monotonic."""

    def read(self) -> Seen:
        """Return what it says."""


def opts_out(headers: Mapping[str, str]) -> bool:
    """Say whether the client asks not to be followed: Do Not Track, or Global Privacy Control."""
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"


class EventMaker:
    """Makes events for POST /api/v1/events; `with_request` adds method and status."""

    def __init__(self, proxies: TrustedProxies, site: str, *, with_request: bool) -> None:
        self._proxies = proxies
        self._site = site
        self._with_request = with_request

    def event(self, event_id: str, seen: Seen) -> dict[str, Any]:
        """Return the event as it is sent now."""
        headers, asked = seen.headers, seen.asked
        event: dict[str, Any] = {
            "type": "pageview",
            "id": event_id,
            "url": self._url(asked, headers),
            "ip": self._proxies.client(asked.peer, headers),
            "user_agent": headers.get("user-agent", ""),
            "referrer": headers.get("referer", ""),
            "language": headers.get("accept-language", ""),
            "age_ms": max(0, int((time.monotonic() - seen.at) * 1000)),
        }
        if self._site:
            event["site"] = self._site
        if self._with_request:
            event["properties"] = {"method": asked.method, "status": seen.status}
        return event

    def _url(self, asked: Asked, headers: Mapping[str, str]) -> str:
        scheme, host = asked.scheme, headers.get("host") or asked.host
        if self._proxies.holds(asked.peer):
            scheme = _first(headers.get("x-forwarded-proto", "")).lower() or scheme
            host = _first(headers.get("x-forwarded-host", "")) or host
        if not _HOST(host):
            host = asked.host  # what the client made up may lead nowhere else
        page = f"{'https' if scheme == 'https' else 'http'}://{host}{quote(asked.path, _PATH_SAFE, errors='replace')}"
        url = f"{page}?{quote(asked.query, _QUERY_SAFE, 'latin-1', 'replace')}" if asked.query else page
        return (url if len(url) <= _URL_MOST else page)[: _URL_MOST + 1]


def _first(text: str) -> str:
    return text.partition(",")[0].strip()
