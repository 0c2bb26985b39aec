"""What happened on a page: the values that travel from a request to a store."""

from typing import Literal

import msgspec

DropReason = Literal[
    "duplicate", "prefetch", "invalid_url", "invalid_event", "rate_limit", "origin", "unavailable"
]  # closed: each has a counter, and X-Tracker shows no other

DEFAULT_SITE = 1  # site_id of the site that takes every page no other site claims


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One visit to be counted for one page.

    `page_hash` is BLAKE2b-128 of the normalised URL, `id` the client's 16-byte id that makes a
    repetition harmless, or None.
    """

    page_hash: bytes
    page_url: str
    id: bytes | None = None
    site_id: int = DEFAULT_SITE


class PageCount(msgspec.Struct, frozen=True, gc=False):
    """One row of `visitors`; times are epoch milliseconds, UTC."""

    page_url: str
    visit_count: int
    last_visited: int
    created_at: int


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What one visit of a batch came to: its own number, unique per page unless `duplicate`.

    A duplicate (its id was counted before) has the page's number at that moment and added nothing.
    """

    visit_count: int
    last_visited: int
    created_at: int
    duplicate: bool = False
