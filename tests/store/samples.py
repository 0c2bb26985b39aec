"""Visits and batches for the tests of stores."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence

from visitor_tracker.event import DEFAULT_SITE, Counted, InboxRow, Visit
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sql import SqlStore

NOW = 1_790_000_000_000  # epoch ms
HOME = "https://example.com/"
DAY = 20_260_921


def page_key(url: str) -> bytes:
    return hashlib.blake2b(url.encode(), digest_size=16).digest()


def visit(url: str = HOME, id: bytes | None = None, site_id: int = DEFAULT_SITE) -> Visit:
    """Make a visit; the id is padded to 16 bytes."""
    return Visit(page_key(url), url, None if id is None else id.ljust(16, b"\0"), site_id)


def visits(*urls: str) -> list[Visit]:
    return [visit(url) for url in urls]


def key(number: int) -> bytes:
    """Return a 16-byte id or hash, in the order of the numbers."""
    return number.to_bytes(16, "big")


def row(number: int, *, site_id: int = DEFAULT_SITE, body: bytes = b"events", events: int = 3) -> InboxRow:
    return InboxRow(site_id, key(number), NOW, events, body)


def drain_whole(inbox: Inbox, segment: int) -> bool:
    """Drain a segment of two rows and two days as one piece; what it holds is made from its number."""
    rows = [row(2 * segment), row(2 * segment + 1, site_id=2)]
    seen = [(1, key(segment), DAY, NOW), (2, key(segment), DAY, NOW + 5)]
    return inbox.drain(rows, seen, segment_id=key(segment), old=0, new=100, at=NOW)


def new_batch() -> bytes:
    return os.urandom(16)


def numbers(counted: Iterable[Counted]) -> list[int]:
    return [one.visit_count for one in counted]


def stored_count(store: SqlStore, url: str = HOME, site_id: int = DEFAULT_SITE) -> int:
    page = store.page(page_key(url), site_id)
    return page.visit_count if page else 0


class Tally:
    """What the answers said, to compare with what is stored. Belongs to one thread; `+` joins two."""

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, int]] = Counter()  # (url, number) and how often it was given
        self.accepted: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    def accept(self, batch: Sequence[Visit], results: Sequence[Counted]) -> None:
        for one, result in zip(batch, results, strict=True):
            self.numbers[one.page_url, result.visit_count] += 1
            self.accepted[one.page_url] += 1

    def lose(self, batch: Sequence[Visit]) -> None:
        """Note a batch whose outcome nobody learned."""
        self.unknown.update(one.page_url for one in batch)

    def check(self, store: SqlStore) -> None:
        """Every accepted visit is counted, none twice and none that nobody sent; every number was given once."""
        assert not [given for given, times in self.numbers.items() if times > 1]
        for url in self.accepted.keys() | self.unknown.keys():
            counted = stored_count(store, url)
            assert self.accepted[url] <= counted <= self.accepted[url] + self.unknown[url], url

    def __add__(self, other: "Tally") -> "Tally":
        total = Tally()
        total.numbers = self.numbers + other.numbers
        total.accepted = self.accepted + other.accepted
        total.unknown = self.unknown + other.unknown
        return total
