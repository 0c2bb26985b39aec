"""The Store on a SQL database: which of its work runs in which transaction."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.event import DEFAULT_SITE, Counted, InboxRow, PageCount, Visit
from visitor_tracker.store import counting, keeping, reading
from visitor_tracker.store.apart import main_of, of_site
from visitor_tracker.store.base import Finding, PageOrder, PagePage, Seen
from visitor_tracker.store.session import Database, DuplicateKey, Rows, Session, Value


class PurgeStep(Protocol):
    def __call__(self, session: Session, *, before: int, most: int) -> int: ...


class SqlStore:
    """Fulfils `base.Store`; see there for what each method promises."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of_site(self, site_id: int) -> "SqlStore":
        """Return the store that has a site's events, and what was made of them."""
        own = of_site(self.database, site_id)
        return self if own is self.database else SqlStore(own)

    def of_main(self) -> "SqlStore":
        """Return the store that has what belongs to no site, and the sites that have none of their own."""
        main = main_of(self.database)
        return self if main is self.database else SqlStore(main)

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
        work = partial(counting.count, batch_id=batch_id, visits=visits, at=at, events=events, seen=seen)
        if not retry:
            return self._count(batch_id, work)
        try:
            results = self.database.read(lambda session: counting.stored(session, batch_id))
            return results.counted() if results else self._count(batch_id, work)
        except StoreUnavailable as error:
            # This call stored nothing, but what an earlier one did is still not known.
            raise OutcomeUnknown(str(error)) from error

    def count_at_once(
        self,
        batch_id: bytes,
        visits: Sequence[Visit],
        at: int,
        *,
        events: Sequence[InboxRow] = (),
        seen: Sequence[Seen] = (),
    ) -> list[Counted] | None:
        results = self.database.write_at_once(
            lambda session: counting.count(session, batch_id, visits, at, events=events, seen=seen)
        )
        return None if results is None else results.counted()

    def _count(self, batch_id: bytes, work: Callable[[Session], counting.Results]) -> list[Counted]:
        try:
            results = self.database.write(work)
        except DuplicateKey as error:
            stored = self.database.read(lambda session: counting.stored(session, batch_id))
            if stored is None:
                raise StoreError(f"a plain insert met a row that is not in the ledger: {error}") from error
            results = stored
        return results.counted()

    def page(self, page_hash: bytes, site_id: int = DEFAULT_SITE) -> PageCount | None:
        return self.database.read(lambda session: reading.page(session, page_hash, site_id))

    def pages(
        self, *, order: PageOrder = "visits", limit: int = 100, cursor: str | None = None, site_id: int = DEFAULT_SITE
    ) -> PagePage:
        return self.database.read(lambda session: reading.pages(session, order, limit, cursor, site_id))

    def totals(self, site_id: int = DEFAULT_SITE) -> tuple[int, int]:
        return self.database.read(lambda session: reading.totals(session, site_id))

    def secret(self, name: str) -> bytes:
        found = self.database.read(lambda session: keeping.read_secret(session, name))
        return found or self.database.write(lambda session: keeping.make_secret(session, name))

    def purge(
        self,
        *,
        ledger_before: int,
        ids_before: int,
        cursors_before: int = 0,
        links_before: int = 0,
        most: int = 10_000,
    ) -> int:
        deleted = self._purge(keeping.purge_ledger, ledger_before, most)
        deleted += self._purge(keeping.purge_ids, ids_before, most - deleted)
        if cursors_before:
            deleted += self._purge(keeping.purge_cursors, cursors_before, most - deleted)
        if links_before:
            deleted += self._purge(keeping.purge_links, links_before, most - deleted)
        return deleted

    def _purge(self, step: PurgeStep, before: int, most: int) -> int:
        """Take small steps, so that counting goes on between them."""
        deleted = 0
        while deleted < most:
            wanted = min(keeping.MOST_AT_ONCE, most - deleted)
            found = self.database.write(partial(step, before=before, most=wanted))
            deleted += found
            if found < wanted:
                break
        return deleted

    def execute(self, sql: str, values: Sequence[Value | float | None] = ()) -> Rows:
        """Run a statement of the caller's own in a transaction, values as %s; return its rows, if any."""
        return self.database.write(lambda session: session.run(sql, values))

    def ping(self) -> None:
        self.database.ping()

    def probe(self) -> None:
        self.database.probe()

    def writing(self) -> AbstractContextManager[None]:
        return self.database.writing()

    def describe(self) -> str:
        return self.database.describe()

    def check(self) -> list[Finding]:
        return self.database.check()

    def close(self) -> None:
        self.database.close()
