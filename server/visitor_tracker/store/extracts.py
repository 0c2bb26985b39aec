"""Extracts of past days: what was made of a day's visits for questions under filters, by the stamp of its rollups."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from visitor_tracker.days import day_after
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.bulk import send_bodies, send_each
from visitor_tracker.store.session import Database, Session, Value, ask_rows

# Parts of an extract: what rows have for a dimension of visits is under the number of the dimension.
ROWS, LOOKS, ACTS, ROW_TIMES, LOOK_TIMES, WHOLES = 0, 1, 25, 40, 41, 42
PARTS = (*range(26), 40, 41, 42)
BODY_MOST = 15 << 20  # bytes of one part: a mediumblob has 16 MiB

READ = """/* ExtractTable.read */
select part, day, stamp, body
from day_extracts
where site_id = ? and day >= ? and day <= ? and part in ([?])"""

STAMPS = """/* ExtractTable.stamps */
select day, stamp
from day_extracts
where site_id = ? and day >= ? and day <= ? and part = ?"""

COUNT_SESSIONS = """/* ExtractTable.put */
select count(*)
from sessions
where site_id = ? and bucket = ?"""

# The key has the part before the day.
EVERY_PART = ", ".join(map(str, PARTS))
FORGET = f"""/* ExtractTable.forget */
delete from day_extracts
where site_id = ? and part in ({EVERY_PART}) and day = ?"""

ADD = """/* ExtractTable.put */
insert into day_extracts (site_id, part, day, stamp, body)
values [(?, ?, ?, ?, ?)]"""

# "+ 0", so that no planner reads all visits of the past by the index of first_ts: bucket 0 has only a few.
LONG_SESSIONS = """/* ExtractTable.has_long */
select 1
from sessions
where site_id = ? and bucket = 0 and first_ts + 0 < ? and last_ts + 0 >= ?
limit 1"""


class StoredExtract(msgspec.Struct, frozen=True, gc=False):
    """One part of a day's extract; `stamp` has 16 bytes."""

    part: int
    day: int
    stamp: bytes
    body: bytes


class ExtractTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, site_id: int, first_day: int, last_day: int, parts: Sequence[int]) -> list[StoredExtract]:
        """Return these parts of the extracts of these days, those that there are."""
        values = (site_id, first_day, last_day)
        rows = of_site(self._database, site_id).read(lambda session: ask_rows(session, READ, values, list(parts)))
        return [StoredExtract(part, day, bytes(stamp), bytes(body)) for part, day, stamp, body in rows]

    def stamps(self, site_id: int, first_day: int, last_day: int) -> dict[int, bytes]:
        """Return the stamps of the extracts that there are, by day."""
        values = (site_id, first_day, last_day, ROWS)
        return {
            day: bytes(stamp)
            for day, stamp in of_site(self._database, site_id).read(lambda session: session.ask(STAMPS, values))
        }

    def put(self, site_id: int, day: int, stamp: bytes, bodies: Mapping[int, bytes], sessions: int) -> bool:
        """Replace the extract of a day, bodies by part; False: there are not so many sessions any more, and it was not
        taken.

        Sessions that an erasure took away meanwhile must not come back as a part of an extract.
        """

        def work(session: Session) -> bool:
            session.send(FORGET, (site_id, day))
            if _sessions(session, site_id, day) != sessions:
                return False
            rows: list[tuple[Value, ...]] = [(site_id, part, day, stamp, body) for part, body in bodies.items()]
            send_bodies(session, ADD, rows)
            return True

        return of_site(self._database, site_id).write(work)

    def sessions(self, site_id: int, day: int) -> int:
        """Return how many sessions there are that may touch a day, but for those of three days and more."""
        return of_site(self._database, site_id).read(lambda session: _sessions(session, site_id, day))

    def has_long(self, site_id: int, start_ms: int, end_ms: int) -> bool:
        """Say whether a session of three days or more touches these moments."""
        values = (site_id, end_ms, start_ms)
        return bool(of_site(self._database, site_id).read(lambda session: session.ask(LONG_SESSIONS, values)))


def forget_extracts(session: Session, site_id: int, days: Iterable[int]) -> None:
    """Delete the extracts of days of which sessions are deleted, and those of the days beside them: visits over
    midnight are in both.
    """
    every = {each for day in days for each in ((day_after(day, -1), day, day_after(day)) if day else (day,))}
    send_each(session, FORGET, [(site_id, day) for day in sorted(every)])


def _sessions(session: Session, site_id: int, day: int) -> int:
    return sum(
        int(session.ask(COUNT_SESSIONS, (site_id, bucket))[0][0])
        for bucket in (day_after(day, -1), day, day_after(day))
    )
