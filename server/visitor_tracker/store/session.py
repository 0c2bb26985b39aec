"""What SQLite and MySQL look like to the code that speaks SQL: a session inside a transaction."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from visitor_tracker.errors import StoreError
from visitor_tracker.store.base import Finding
from visitor_tracker.store.statements import Dialect, pieces

Value = int | str | bytes
Rows = list[tuple[Any, ...]]
T = TypeVar("T")


class DuplicateKey(StoreError):
    """A plain insert met a row with its key; the transaction is rolled back."""


class ValueRefused(StoreError):
    """The store cannot hold one of the values, or their sum, however often they are sent; rolled back."""


class Session(Protocol):
    """A connection that one thread has for a while. SQL is a template of `statements`."""

    dialect: Dialect

    def send(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> None:
        """Run for its effect; may travel with the next `ask` or COMMIT, so an error may come as late as that."""

    def send_each(self, template: str, rows: Iterable[Sequence[Value]]) -> None:
        """Send a statement of one row for each of them."""

    def ask(self, template: str, values: Sequence[Value] = (), rows: int = 1) -> Rows:
        """Run and return the rows."""

    def run(self, sql: str, values: Sequence[Value | float | None]) -> Rows:
        """Run SQL that is no template, with %s for values; return its rows."""


class Database(Protocol):
    """Connections of one kind, and what becomes of their errors."""

    dialect: Dialect

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what `work` reads."""

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one durable transaction; it may run again after a deadlock.

        Raises DuplicateKey, ValueRefused, StoreUnavailable (rolled back), OutcomeUnknown (broke in COMMIT) or
        StoreError.
        """

    def write_at_once(self, work: Callable[[Session], T]) -> T | None:
        """Do as `write` where that need not wait for another writer or a network; None: it did nothing."""

    def alone(self) -> AbstractContextManager[Session]:
        """Hold off other migrations; each statement of the session commits by itself."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold the turn to write."""

    def is_wanted(self) -> bool:
        """Ask with the turn to write in hand: does somebody wait for it? On MySQL there is no turn."""

    def ping(self) -> None:
        """Return when the database answers."""

    def probe(self) -> None:
        """Return when the database takes a transaction that changes nothing."""

    def describe(self) -> str:
        """Return product, version, place without password and driver."""

    def check(self) -> list[Finding]:
        """Look for settings that make it slower or less durable than configured."""

    def close(self) -> None:
        """Release every connection and file."""


def send_rows(session: Session, template: str, width: int, values: list[Value]) -> None:
    """Send a multi-row statement for a flat list of values, `width` of them per row."""
    start = 0
    for rows in pieces(session.dialect, len(values) // width):
        end = start + rows * width
        session.send(template, values[start:end], rows)
        start = end


def ask_rows(session: Session, template: str, before: Sequence[Value], keys: Sequence[Value]) -> Rows:
    """Ask a statement whose last values are a list of keys, in as many pieces as it takes."""
    sizes = pieces(session.dialect, len(keys))
    if len(sizes) == 1:
        return session.ask(template, [*before, *keys], len(keys))
    found: Rows = []
    start = 0
    for rows in sizes:
        found += session.ask(template, [*before, *keys[start : start + rows]], rows)
        start += rows
    return found
