"""Take over the page counts of an older visitor counter that kept them in a table of the same name.

    visitors (id, page_url, visit_count, last_visited, created_at)   ──renamed──▶  visitors_seed003
    visitors_seed003  ──one transaction──▶  visitors (our shape)

The old table stays, untouched. Several spellings of one page add up; a row whose URL or count is none stays
behind, with a warning.
"""

import logging
import time
from collections.abc import Callable, Iterator

from visitor_tracker.errors import StoreError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.url import normalise, page_hash
from visitor_tracker.store.session import Session, Value, send_rows

log = logging.getLogger(__name__)

NAME = "visitors_seed003"  # the old table's new name, and the name of this step in schema_migrations
OLD_COLUMNS = frozenset({"id", "page_url", "visit_count", "last_visited", "created_at"})
ROWS = 500  # read at once
MOST_REPORTED = 20
MOST_VISITS = 1 << 53  # of a page, the largest that JavaScript counts exactly
YEAR_10000 = 253_402_300_800_000  # epoch ms

OldRow = tuple[str, object, int, int]  # page_url, visit_count, last_visited and created_at in epoch ms

MAKE_WAY = """/* takeover */
alter table visitors rename to visitors_seed003"""

READ_OLD = """/* takeover */
select id, page_url, visit_count, {epoch_last_visited}, {epoch_created_at}
from visitors_seed003
where id > ?
order by id
limit ?"""

MERGE = """/* takeover */
insert into visitors (site_id, page_hash, page_url, visit_count, last_visited, created_at)
values [(?, ?, ?, ?, ?, ?)]
{merge_page}"""


def make_way(session: Session) -> None:
    """Rename an old table, so that ours can have its name."""
    if not _is_old(_columns(session, "visitors")):
        return
    if _columns(session, NAME):
        raise StoreError(f"both visitors and {NAME} are tables of the older counter: rename the one not to be kept")
    session.ask(MAKE_WAY)


def is_due(session: Session, applied: dict[str, str]) -> bool:
    """Say whether there is an old table whose counts were not taken yet."""
    return NAME not in applied and any(_is_old(_columns(session, table)) for table in ("visitors", NAME))


def take(session: Session, drop_parameters: tuple[str, ...], record: Callable[[], None]) -> None:
    """Add the old counts to ours and `record` it, all in one transaction."""
    session.ask("{begin}")
    refused: list[str] = []
    pages = 0
    for rows in _old_rows(session):
        values: list[Value] = []
        for url, visits, last_visited, created_at in sorted(_clean(rows, drop_parameters, refused)):
            values += (DEFAULT_SITE, page_hash(url), url, visits, last_visited, created_at)
        send_rows(session, MERGE, 6, values)
        pages += len(values) // 6
    record()
    session.ask("commit")
    log.info("took over the counts of %d pages from the table %s, which stays as it is", pages, NAME)
    if refused:
        shown = ", ".join(map(repr, refused[:MOST_REPORTED]))
        log.warning("%d rows of %s are no page URLs or no counts and were left out: %s", len(refused), NAME, shown)


def _clean(
    rows: list[OldRow], drop_parameters: tuple[str, ...], refused: list[str]
) -> Iterator[tuple[str, int, int, int]]:
    for url, visits, last_visited, created_at in rows:
        try:
            yield normalise(url, drop_parameters), _number(visits), last_visited, created_at
        except ValueError:
            refused.append(url)


def _old_rows(session: Session) -> Iterator[list[OldRow]]:
    """Read (url, visits, last visit, first visit) in slices; a time that is none, or cannot be, counts as now."""
    now = int(time.time() * 1000)
    after = -1
    while rows := session.ask(READ_OLD, (after, ROWS)):
        after = int(rows[-1][0])
        yield [
            (str(url or ""), visits or 0, _milliseconds(last, now), _milliseconds(created, now))
            for _, url, visits, last, created in rows
        ]


def _milliseconds(seconds: object, now: int) -> int:
    # A driver gives seconds as int, float or Decimal; 0 is MySQL's year 0000. A time that no date can be made of
    # would make every answer about its page fail.
    found = 0 if seconds is None else int(float(str(seconds)) * 1000)
    return found if 0 < found < YEAR_10000 else now


def _number(visits: object) -> int:
    """Return the count as one that answers can show; raises ValueError for what is no number (SQLite keeps any)."""
    try:
        return max(0, min(int(float(str(visits))), MOST_VISITS))
    except OverflowError:
        return MOST_VISITS


def _is_old(columns: set[str]) -> bool:
    return columns >= OLD_COLUMNS and "page_hash" not in columns


def _columns(session: Session, table: str) -> set[str]:
    return {str(row[0]).lower() for row in session.ask("{columns_of}", (table,))}
