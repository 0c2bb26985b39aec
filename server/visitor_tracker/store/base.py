"""What a store must do: one promise per method.

Every method may raise StoreUnavailable (nothing was stored, try again) or StoreError (trying again is
useless). All are safe to call from any thread.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from visitor_tracker.event import DEFAULT_SITE, Counted, InboxRow, PageCount, Visit

PageOrder = Literal["visits", "recent", "url"]
Seen = tuple[int, bytes, int, int]  # site_id, visitor, day as yyyymmdd, when first on it (epoch ms)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `check` wants the operator to know; `hint` says what to change."""

    level: Literal["ok", "warning", "error"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class PagePage:
    """A slice of the page list; `cursor` continues it, None at the end."""

    pages: tuple[PageCount, ...]
    cursor: str | None


class Store(Protocol):
    """A database with the tables of sql/; made by `store.open_store`, migrated before use."""

    def count(  # noqa: PLR0913 - the rest by keyword
        self,
        batch_id: bytes,
        visits: Sequence[Visit],
        at: int,
        *,
        retry: bool = False,
        events: Sequence[InboxRow] = (),
        seen: Sequence[Seen] = (),
    ) -> list[Counted]:
        """Count all visits in one durable transaction and return each one's own number, in their order.

        k visits of one page get T-k+1 … T. `at` is epoch ms. The same transaction adds `events` to the inbox and
        `seen` to the days of visitors. With `retry`, a batch that is already in the ledger changes nothing and its
        stored results are returned; without it, the 16-byte id must be new. Raises OutcomeUnknown when the
        connection broke during COMMIT.
        """

    def count_at_once(
        self,
        batch_id: bytes,
        visits: Sequence[Visit],
        at: int,
        *,
        events: Sequence[InboxRow] = (),
        seen: Sequence[Seen] = (),
    ) -> list[Counted] | None:
        """Count as `count` does, if that needs no more than the disk; None: nothing was done, call `count`.

        Where it had to wait for another writer or for a network it would return None.
        """

    def page(self, page_hash: bytes, site_id: int = DEFAULT_SITE) -> PageCount | None:
        """Return one page's count, or None when it was never counted."""

    def pages(
        self, *, order: PageOrder = "visits", limit: int = 100, cursor: str | None = None, site_id: int = DEFAULT_SITE
    ) -> PagePage:
        """Return a slice of the pages; raises ValueError for a cursor that this store did not make for this order."""

    def totals(self, site_id: int = DEFAULT_SITE) -> tuple[int, int]:
        """Return (pages, visits)."""

    def secret(self, name: str) -> bytes:
        """Return the 32 random bytes of that name, made once and the same for every process and node."""

    def purge(
        self,
        *,
        ledger_before: int,
        ids_before: int,
        cursors_before: int = 0,
        links_before: int = 0,
        most: int = 10_000,
    ) -> int:
        """Delete up to `most` ledger rows, event ids, journal cursors and links of visitors from before these epoch ms.

        Links that a visit went on by stay. Returns how many were deleted.

        A segment whose cursor is gone would be drained again: cursors must be older than any segment that is kept.
        """

    def ping(self) -> None:
        """Return when the store answers."""

    def probe(self) -> None:
        """Return when the store takes a transaction; one that holds nothing, so a full disk may go unnoticed."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold the turn to write: fair among all threads and processes on SQLite, nothing to wait for elsewhere."""

    def describe(self) -> str:
        """Return one line for the operator: product, version, place without password, driver implementation."""

    def check(self) -> list[Finding]:
        """Look for what makes this store slower or less durable than configured."""

    def close(self) -> None:
        """Release every connection and file."""
