"""The page a request is about, read once from its URL."""

from functools import lru_cache

import msgspec

from visitor_tracker.event import Visit
from visitor_tracker.http.url import normalise, page_hash, parse_query
from visitor_tracker.ingest.scrub import scrub_url

_CACHED = 4096  # pages; a URL is at most 2 KiB
_QUERY_CACHED = 512  # characters; longer queries are rare, and strangers could fill the memory with them


class Page(msgspec.Struct, frozen=True, gc=False):
    """A normalised page URL with what every answer about it needs; `json` begins its answer object.

    `sent` is the URL as it came, with what campaigns wrote into it.
    """

    url: str
    hash: bytes
    visit: Visit
    json: bytes
    sent: str


class PageReader:
    """Turns what clients send into Pages; remembers the latest, because most visits are to few pages."""

    def __init__(self, drop_parameters: tuple[str, ...] = ()) -> None:
        self._drop = drop_parameters
        self.from_url = lru_cache(_CACHED)(self._from_url)
        self._cached_query = lru_cache(_CACHED)(self._from_query)

    def from_query(self, query: str) -> Page | None:
        """Return the page named by url= in a query string, None when there is no url; raises ValueError."""
        return self._cached_query(query) if len(query) <= _QUERY_CACHED else self._from_query(query)

    def _from_url(self, url: str) -> Page:
        """Return the page of a URL; raises ValueError that says what is wrong with it."""
        clean = scrub_url(normalise(url, self._drop))
        key = page_hash(clean)
        return Page(clean, key, Visit(key, clean), b'{"page_url":' + msgspec.json.encode(clean), url)

    def _from_query(self, query: str) -> Page | None:
        url = parse_query(query).get("url")
        return None if url is None else self.from_url(url)
