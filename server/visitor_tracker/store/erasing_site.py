"""Delete all that is stored of a site, a few rows of a table at a time.

Tables are found by their column site_id, so that none is forgotten. Where the rest of a table's key is named here, its
rows go in the order of the key; the others are small, and go at once.
"""

from collections.abc import Callable, Sequence

from visitor_tracker.errors import StoreError
from visitor_tracker.store.session import Database, Session, T, Value
from visitor_tracker.store.sqlite import SqliteSession

ROWS_AT_ONCE = 1_000
CHUNKS_AT_ONCE = 20  # pieces of recordings, which may have some hundred kilobytes each

TABLES = "{tables_of_sites}"

_FIRST = """/* SiteTables.clear */
select KEYS
from TABLE
where site_id = ?
order by KEYS
limit ?"""

_FORGET = """/* SiteTables.clear */
delete from TABLE
where site_id = ? and (UP_TO)"""

_FORGET_ALL = """/* SiteTables.clear */
delete from TABLE
where site_id = ?"""

# By table: what follows site_id in its key.
KEYS: dict[str, tuple[str, ...]] = {
    "alert_deliveries": ("id",),
    "alert_states": ("rule_id", "event"),
    "arrivals": ("hour",),
    "client_sessions": ("client", "visitor", "day"),
    "daily_visitors": ("day", "visitor"),
    "day_extracts": ("part", "day"),
    "event_ids": ("scope", "id"),
    "events": ("ts", "id"),
    "heat": ("page", "viewport", "kind", "month", "y", "x"),
    "heat_pages": ("page",),
    "inbox": ("id",),
    "ip_records": ("ip",),
    "judged_days": ("day",),
    "page_snapshots": ("page", "viewport"),
    "quality_hour": ("hour",),
    "replay_chunks": ("session", "sequence"),
    "replays": ("session",),
    "report_deliveries": ("schedule_id", "due_at", "recipient"),
    "rollup_day": ("dimension", "period", "value"),
    "rollup_deltas": ("id",),
    "rollup_hour": ("dimension", "period", "value"),
    "rollup_month": ("dimension", "period", "value"),
    "seen": ("month", "visitor", "dimension", "value"),
    "sessions": ("bucket", "visitor", "first_ts"),
    "tabs": ("hour", "tab"),
    "verdicts": ("day", "visitor"),
    "visitor_days": ("visitor", "day"),
    "visitor_links": ("visitor", "previous"),
    "visitor_profiles": ("visitor",),
    "visitors": ("page_hash",),
}
# What tells of the people who run the site, and of what was erased; letters are looked into one by one.
STAY = frozenset({"audit", "dead_letters", "erasures", "site_lease"})
_LARGE_ROWS = frozenset({"replay_chunks", "page_snapshots", "inbox", "day_extracts"})


_WORDS = ("strings", "sources", "contexts", "sites")

FORGET_WORDS = """/* forget_words */
delete from TABLE"""

HAS_WORDS = """/* forget_words */
select
    exists (select 1 from strings),
    exists (select 1 from sources),
    exists (select 1 from contexts),
    exists (select 1 from sites)"""


def forget_words(session: Session) -> bool:
    """Empty the tables of what the rows of a site are told with, when these are gone; False: they were empty."""
    [found] = session.ask(HAS_WORDS)
    if not any(found):
        return False
    for table in _WORDS:
        session.send(_of(FORGET_WORDS, table))
    return True


class SiteTables:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database, *, overwrites: bool = False) -> None:
        """`overwrites`: nothing of what is deleted stays in the file, which takes longer."""
        self._database = database
        self._overwrites = overwrites

    def tables(self) -> list[str]:
        """Return the tables that have rows of sites."""
        return [str(row[0]) for row in self._database.read(lambda session: session.ask(TABLES))]

    def clear(self, site_id: int, is_over: Callable[[], bool]) -> int:
        """Delete everything of a site, until `is_over`; return how many events that were."""
        events = 0
        for table in self.tables():
            if table in STAY:
                continue
            gone = self._clear(table, site_id, is_over)
            events += gone if table == "events" else 0
        return events

    def _clear(self, table: str, site_id: int, is_over: Callable[[], bool]) -> int:
        keys = KEYS.get(table)
        if keys is None:
            if not table.replace("_", "").isalnum():
                raise StoreError(f"the table {table} is none of this program's: take it out of this database")
            self._write(lambda session: session.send(_of(_FORGET_ALL, table), (site_id,)))
            return 0
        gone = 0
        while not is_over():
            step = self._write(lambda session: clear_some(session, table, keys, site_id))
            gone += step
            if not step:
                break
        return gone

    def _write(self, work: Callable[[Session], T]) -> T:
        def overwriting(session: Session) -> T:
            if self._overwrites and isinstance(session, SqliteSession):
                session.erase()
            return work(session)

        return self._database.write(overwriting)


def clear_some(session: Session, table: str, keys: Sequence[str], site_id: int) -> int:
    """Delete the first rows of a site by their key; return how many."""
    most = CHUNKS_AT_ONCE if table in _LARGE_ROWS else ROWS_AT_ONCE
    rows = session.ask(_of(_FIRST, table).replace("KEYS", ", ".join(keys)), (site_id, most))
    if rows:
        forget_up_to(session, table, keys, site_id, rows[-1])
    return len(rows)


def forget_up_to(session: Session, table: str, keys: Sequence[str], site_id: int, last: Sequence[Value]) -> None:
    """Delete the rows of a site up to that key, included; a range, which no list of keys is as fast as."""
    parts: list[str] = []
    values: list[Value] = [site_id]
    for number, key in enumerate(keys):
        is_last = number == len(keys) - 1
        same = [f"{before} = ?" for before in keys[:number]]
        parts.append(" and ".join([*same, f"{key} <= ?" if is_last else f"{key} < ?"]))
        values += last[: number + 1]
    session.send(_of(_FORGET, table).replace("UP_TO", " or ".join(f"({part})" for part in parts)), values)


def _of(template: str, table: str) -> str:
    return template.replace("TABLE", table)
