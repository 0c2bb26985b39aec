"""What reports read: rollups, visitors of days, sessions, events without a visitor, and the texts of ids.

Each statement on a rollup is one range of its primary key for every table it reads.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import msgspec

from visitor_tracker.days import days_between, hour_of
from visitor_tracker.measures import NAMES, Dimension, Grain
from visitor_tracker.sessions.fact import NOBODY, Fact
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import Site
from visitor_tracker.store import vocabulary
from visitor_tracker.store.apart import by_database, of_site
from visitor_tracker.store.raw_events import RawEvents
from visitor_tracker.store.session import Database, Rows, Session, Value, ask_rows
from visitor_tracker.store.visits import Link, links_of, sessions_in

RowOrder = Literal["visitors", "visits", "views", "events"]
Ratio = tuple[str, str]  # two of measures.NAMES
Bodies = dict[int, bytes]
Measured = tuple[int, ...]  # the eight measures, in the order of `measures.NAMES`

_COLUMNS = ", ".join(NAMES)
# Else it only was, before late events changed a visit. Mostly the first comparison says it: nothing is added up.
_IS_USED = "(visitors > 0 or visits > 0 or views > 0 or events > 0)"
_LOOKUPS_MOST = 20_000
_SUMS = ", ".join(f"sum({name}) as {name}" for name in NAMES)
_DOUBLES = ", ".join(f"sum({name} + 0e0) as {name}" for name in NAMES)  # see `_ranking`; exact up to 2^53

_RANGE = {
    grain: f"from rollup_{grain} where site_id = ? and dimension = ? and period >= ? and period <= ?"
    for grain in ("hour", "day", "month")
}

PERIODS = {
    grain: f"/* ReportTable.periods */ select period, {_COLUMNS} {clause} and value = ? order by period"
    for grain, clause in _RANGE.items()
}

_SUMS_OF = f"""/* ReportTable.breakdown */
select value, {_SUMS}
from TABLE
where site_id = ? and dimension = ? and WITHIN and value in ([?])
group by value"""
SUMS_OF = {grain: _SUMS_OF.replace("TABLE", f"rollup_{grain}") for grain in _RANGE}

_VALUES = f"""/* ReportTable.values */
select value, {_DOUBLES}
from (PIECES) as pieces
group by value
having sum(visitors + visits + views + events + 0e0) > 0
limit ?"""

VALUES_BY_PERIOD = {
    grain: f"/* ReportTable.by_period */ select period, value, {_COLUMNS} {clause} limit ?"
    for grain, clause in _RANGE.items()
}

LATEST = f"""/* ReportTable.latest */
select period, {_COLUMNS}
from rollup_day
where site_id = ? and dimension = ? and value = 0 and views > 0
order by period desc
limit ?"""

# Two look-ups: asked for together, SQLite would read all days.
KNOWN = """/* ReportTable.known */
select
    (select min(period) from rollup_day where site_id = ? and dimension = ?),
    (select max(period) from rollup_day where site_id = ? and dimension = ?)"""

EVENTS_OF_SITES = """/* ReportTable.events_of_sites */
select value, sum(events), sum(visits)
from rollup_month
where dimension = ? and site_id in ([?])
group by value"""

DISTINCT = """/* ReportTable.distinct_visitors */
select count(distinct visitor)
from daily_visitors
where site_id = ? and day >= ? and day <= ?"""

KEPT = """/* ReportTable.kept_visitors */
select day, count(*)
from daily_visitors
where site_id = ? and day >= ? and day <= ?
group by day"""

_SESSIONS = """/* ReportTable.sessions */
select visitor, first_ts, body
from sessions
where site_id = ? and bucket = ?"""

SESSIONS_OF_VISITOR = f"{_SESSIONS} and visitor = ? and first_ts > ? order by first_ts limit ?"
SESSIONS_AFTER = f"{_SESSIONS} and visitor > ? order by visitor, first_ts limit ?"

# The key finds the time; nothing finds a visitor.
_EVENTS = """/* ReportTable.events */
select ts, id, day, kind, page, host, source, context, name, target, engaged_ms
from events
where site_id = ?"""

EVENTS_OF_MOMENT = f"{_EVENTS} and ts = ? and id > ? and visitor = ? and (signals & ?) = 0 order by id limit ?"
EVENTS_AFTER = f"{_EVENTS} and ts > ? and ts < ? and visitor = ? and (signals & ?) = 0 order by ts, id limit ?"


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one rollup table, from a period to another, both included."""

    grain: Grain
    first: int
    last: int


class ValueRow(msgspec.Struct, frozen=True, gc=False):
    """A value of a dimension and its sums; `text` is None where the text is not in the table."""

    value: int
    text: str | None
    measured: Measured


class SessionRow(msgspec.Struct, frozen=True, gc=False):
    """A session as it is stored; `body` is what `encode_session` made."""

    visitor: bytes
    first_ts: int
    body: bytes


class ReportTable:
    """The tables that reports read. Methods raise what `Database.read` does; any thread."""

    def __init__(self, database: Database) -> None:
        self.database = self._database = database
        self.raw = RawEvents(database)

    def periods(self, site_id: int, dimension: Dimension, piece: Piece, value: int = 0) -> list[tuple[int, Measured]]:
        """Return the rows of one value, by period."""
        values = (site_id, dimension, piece.first, piece.last, value)
        return [(row[0], row[1:]) for row in self._ask(PERIODS[piece.grain], values)]

    def latest(self, site_id: int, days: int) -> list[tuple[int, Measured]]:
        """Return the site's last days with views, the newest first."""
        return [(row[0], row[1:]) for row in self._ask(LATEST, (site_id, Dimension.TOTAL, days))]

    def known(self, site_id: int) -> tuple[int, int] | None:
        """Return the first and the last day that have numbers."""
        [(first, last)] = self._ask(KNOWN, 2 * (site_id, Dimension.TOTAL))
        return None if first is None else (int(first), int(last))

    def events_of_sites(self, dimension: Dimension, site_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Return (events, visits) of all time by value, of these sites together."""
        found: dict[int, tuple[int, int]] = {}
        for database, ids in by_database(self._database, site_ids):
            for value, events, visits in database.read(partial(_events_of_sites, dimension=dimension, site_ids=ids)):
                before = found.get(value, (0, 0))
                found[value] = before[0] + int(events), before[1] + int(visits)
        return found

    def distinct_visitors(self, site_id: int, first_day: int, last_day: int) -> int:
        """Return how many different visitors came on these days, of those who may come again."""
        [(number,)] = self._ask(DISTINCT, (site_id, first_day, last_day))
        return int(number)

    def kept_visitors(self, site_id: int, first_day: int, last_day: int) -> dict[int, int]:
        """Return by day how many visitors came who may come again."""
        return {row[0]: int(row[1]) for row in self._ask(KEPT, (site_id, first_day, last_day))}

    def breakdown(  # noqa: PLR0913 - the rest by keyword
        self,
        site_id: int,
        dimension: Dimension,
        pieces: Sequence[Piece],
        *,
        order: RowOrder | Ratio,
        limit: int,
        offset: int = 0,
    ) -> tuple[list[ValueRow], int]:
        """Return rows by the order's measure, or ratio, the largest first, and how many there are in all."""
        keys: list[Value] = []
        for piece in pieces:
            keys += [site_id, dimension, piece.first, piece.last]
        template = _ranking(tuple(piece.grain for piece in pieces), order)

        def work(session: Session) -> tuple[list[ValueRow], int]:
            ranked = session.ask(template, [*keys, limit, offset])
            if not ranked:  # behind the end no row says how many there are
                first = session.ask(template, [*keys, 1, 0]) if offset else []
                return [], first[0][2] if first else 0
            values = [row[0] for row in ranked]
            sums = _sums(session, site_id, dimension, pieces, values)
            texts = vocabulary.texts(session, values)
            return [ValueRow(value, texts.get(value), sums[value]) for value in values], ranked[0][2]

        return of_site(self._database, site_id).read(work)

    def values(self, site_id: int, dimension: Dimension, pieces: Sequence[Piece], most: int) -> dict[int, Measured]:
        """Return the sums of every value, of so many at most: in no order."""
        keys: list[Value] = []
        for piece in pieces:
            keys += [site_id, dimension, piece.first, piece.last]
        rows = self._ask(_values(tuple(piece.grain for piece in pieces)), [*keys, most])
        return {row[0]: tuple(map(int, row[1:])) for row in rows}

    def by_period(self, site_id: int, dimension: Dimension, piece: Piece, most: int) -> list[tuple[int, int, Measured]]:
        """Return (period, value, sums) of every row, of so many at most: in no order."""
        rows = self._ask(VALUES_BY_PERIOD[piece.grain], (site_id, dimension, piece.first, piece.last, most))
        return [(row[0], row[1], row[2:]) for row in rows]

    def sums_of(
        self, site_id: int, dimension: Dimension, pieces: Sequence[Piece], values: Sequence[int]
    ) -> dict[int, Measured]:
        """Return the sums of these values, zeros for one without numbers."""
        return of_site(self._database, site_id).read(lambda session: _sums(session, site_id, dimension, pieces, values))

    def sessions(self, site_id: int, bucket: int, most: int) -> Iterator[list[SessionRow]]:
        """Yield the sessions of a bucket by (visitor, first_ts), `most` at a time; what comes meanwhile may miss."""
        rows = self._sessions(SESSIONS_AFTER, (site_id, bucket, b"", most))
        while rows:
            yield rows
            if len(rows) < most:
                return
            last = rows[-1]
            rows = self._sessions(SESSIONS_OF_VISITOR, (site_id, bucket, last.visitor, last.first_ts, most))
            if len(rows) < most:
                rows += self._sessions(SESSIONS_AFTER, (site_id, bucket, last.visitor, most - len(rows)))

    def loose_events(self, site: Site, start_ms: int, end_ms: int, *, signals: int, most: int) -> Iterator[list[Fact]]:
        """Yield the events without a visitor from `start_ms` to before `end_ms` that have none of these signals."""
        site_id = site.id
        rows = self._ask(EVENTS_AFTER, (site_id, start_ms - 1, end_ms, NOBODY, signals, most))
        while rows:
            yield [_fact(row, site.timezone) for row in rows]
            if len(rows) < most:
                return
            ts, event_id = rows[-1][:2]
            rows = self._ask(EVENTS_OF_MOMENT, (site_id, ts, event_id, NOBODY, signals, most))
            if len(rows) < most:
                rows += self._ask(EVENTS_AFTER, (site_id, ts, end_ms, NOBODY, signals, most - len(rows)))

    def texts(self, site_id: int, ids: Collection[int], known: Mapping[int, str] = {}) -> dict[int, str]:
        """Return the texts of those ids that have one; those that are known already are not asked for."""
        found = {each: known[each] for each in ids if each in known}
        missing = [each for each in ids if each not in known]
        database = of_site(self._database, site_id)
        return found | database.read(lambda session: vocabulary.texts(session, missing)) if missing else found

    def profiles(self, site_id: int, sources: Collection[int], contexts: Collection[int]) -> tuple[Bodies, Bodies]:
        """Return encoded sources and contexts by id."""
        return of_site(self._database, site_id).read(
            lambda session: (vocabulary.source_bodies(session, sources), vocabulary.context_bodies(session, contexts))
        )

    def joined(self, site_id: int, visitors: Collection[bytes]) -> list[Link]:
        """Return the links, with one of these visitors as either end, that made one visit of two sessions."""
        return [
            link
            for link in of_site(self._database, site_id).read(lambda session: links_of(session, site_id, visitors))
            if link.joined
        ]

    def sessions_in(self, site_id: int, keys: Collection[tuple[int, bytes]]) -> list[tuple[int, bytes, VisitorSession]]:
        """Return (bucket, visitor, session) of every session in these buckets of these visitors."""
        return of_site(self._database, site_id).read(lambda session: sessions_in(session, site_id, keys))

    def _sessions(self, template: str, values: Sequence[Value]) -> list[SessionRow]:
        return [SessionRow(*row) for row in self._ask(template, values)]

    def _ask(self, template: str, values: Sequence[Value]) -> Rows:
        """Ask about a site, whose id is the first value."""
        return of_site(self._database, int(values[0])).read(lambda session: session.ask(template, values))


def _events_of_sites(session: Session, *, dimension: Dimension, site_ids: Sequence[int]) -> Rows:
    return ask_rows(session, EVENTS_OF_SITES, (dimension,), site_ids) if site_ids else []


def _fact(row: Sequence[Any], timezone: str) -> Fact:
    """Return the event of a row of `_EVENTS`; who looks for what nobody did needs no more of it."""
    ts, event_id, day, kind, page, host, source, context, name, target, engaged_ms = row
    what = (page, host, source, context, name, target, engaged_ms)
    return Fact(event_id, ts, day, hour_of(timezone, ts), kind, 0, 0, b"", b"", *what)


def _ranking(grains: tuple[Grain, ...], order: RowOrder | Ratio) -> str:
    """Return the statement that finds the values to show; all are words of ours, never a user's text.

    It adds as few measures as it can, as doubles: MySQL's sums of integers are decimals and take three times as long.
    What has no ratio comes last.
    """
    head = "/* ReportTable.breakdown */ select value, AMOUNT as amount, count(*) over () as found from"
    tail = "order by amount desc, value limit ? offset ?"
    if isinstance(order, str):
        ranges = [f"select value, {order} as amount {_RANGE[grain]} and {_IS_USED}" for grain in grains]
        whole = f"({' union all '.join(ranges)}) as pieces group by value"
        return f"{head.replace('AMOUNT', 'sum(amount + 0e0)')} {whole} {tail}"
    part, per = order
    columns = f"{part} as part, {per} as per, visitors + visits + views + events as used"
    ranges = [f"select value, {columns} {_RANGE[grain]}" for grain in grains]
    whole = f"({' union all '.join(ranges)}) as pieces group by value having sum(used + 0e0) > 0"
    return f"{head.replace('AMOUNT', 'sum(part + 0e0) / nullif(sum(per + 0e0), 0)')} {whole} {tail}"


def _values(grains: tuple[Grain, ...]) -> str:
    """Return the statement that adds up every value; words of ours, as above."""
    ranges = [f"select value, {_COLUMNS} {_RANGE[grain]}" for grain in grains]
    return _VALUES.replace("PIECES", " union all ".join(ranges))


def _sums(
    session: Session, site_id: int, dimension: Dimension, pieces: Sequence[Piece], values: Sequence[int]
) -> dict[int, Measured]:
    """Return the sums of a few values: row by row where that is less than reading the whole range once more."""
    found = dict.fromkeys(values, (0,) * len(NAMES))
    for piece in pieces:
        periods = _periods(piece)
        if 0 < len(periods) * len(values) <= _LOOKUPS_MOST:
            within, keys = f"period in ({', '.join('?' * len(periods))})", periods
        else:
            within, keys = "period >= ? and period <= ?", [piece.first, piece.last]
        template = SUMS_OF[piece.grain].replace("WITHIN", within)
        for row in ask_rows(session, template, (site_id, dimension, *keys), values):
            found[row[0]] = tuple(before + int(more) for before, more in zip(found[row[0]], row[1:], strict=True))
    return found


def _periods(piece: Piece) -> list[int]:
    """Return every period of a piece; hours are not told by their numbers, so none of those."""
    if piece.grain == "day":
        return days_between(piece.first, piece.last)
    if piece.grain == "month":
        first, last = (month // 100 * 12 + month % 100 - 1 for month in (piece.first, piece.last))
        return [number // 12 * 100 + number % 12 + 1 for number in range(first, last + 1)]
    return []
