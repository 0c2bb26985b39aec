"""What was found of visitors' days, what people said to that, and which days were judged."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from visitor_tracker.event import KIND_CODES
from visitor_tracker.event import ROBOT as EVERY_ROBOT
from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.fact import NOBODY
from visitor_tracker.store.bulk import send_bodies, send_each
from visitor_tracker.store.erasing_site import forget_up_to
from visitor_tracker.store.session import Rows, Session, Value, ask_rows

HUMAN, DOUBTFUL, ROBOT = 0, 1, 2  # as the database has them
NOT_OVERRULED = -1

_COLUMNS = "day, visitor, verdict, score, views, events, at, overruled, overruled_by, overruled_at, reasons"

OF_DAY = f"""/* verdicts.of_day */
select {_COLUMNS}
from verdicts
where site_id = ? and day = ?"""

OF_VISITORS = f"{OF_DAY} and visitor in ([?])"

# The largest scores of each day first; a person's word before all.
LIST = f"""/* verdicts.listed */
select {_COLUMNS}
from verdicts
where site_id = ? and day >= ? and day <= ? and (verdict >= ? or overruled >= 0)
order by day desc, score desc, visitor
limit ? offset ?"""

COUNTS = """/* verdicts.counts */
select case when overruled >= 0 then overruled else verdict end, overruled >= 0, count(*), sum(views)
from verdicts
where site_id = ? and day >= ? and day <= ?
group by case when overruled >= 0 then overruled else verdict end, overruled >= 0"""

# What a person said of a visitor whom more than one day knows holds until a person says something else.
OVERRULED = """/* verdicts.overruled */
select visitor, day, overruled, overruled_by, overruled_at
from verdicts
where site_id = ? and day >= ? and day <= ? and overruled >= 0
order by overruled_at, day"""

FORGET_JUDGED = """/* verdicts.replace_day */
delete from verdicts
where site_id = ? and day = ? and overruled < 0"""

PUT = """/* verdicts.replace_day */
insert into verdicts (
    site_id, day, visitor, verdict, score, views, events, at, overruled, overruled_by, overruled_at, reasons
)
values [(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]
{replace_verdict}"""

OVERRULE = """/* verdicts.overrule */
update verdicts
set overruled = ?, overruled_by = ?, overruled_at = ?
where site_id = ? and day = ? and visitor = ?"""

JUDGED = """/* verdicts.judged_days */
select day, rules, events, is_over, at
from judged_days
where site_id = ? and day >= ? and day <= ?"""

PUT_JUDGED = """/* verdicts.put_judged */
insert into judged_days (site_id, day, rules, events, is_over, at)
values (?, ?, ?, ?, ?, ?)
{replace_judged}"""

JUDGE_AGAIN = """/* verdicts.judge_again */
update judged_days
set rules = 0
where site_id = ? and day >= ? and day <= ?"""

EVENTS = """/* verdicts.events_of */
select period, sum(events)
from rollup_day
where site_id = ? and dimension in (?, ?) and period >= ? and period <= ?
group by period"""

TALLIES = """/* verdicts.tallies */
select visitor, count(*), min(signals), max(signals)
from events
where site_id = ? and ts >= ? and ts < ? and visitor <> ?
group by visitor"""

PUT_SIGNALS = """/* verdicts.put_signals */
update events
set signals = ?
where site_id = ? and ts = ? and id = ?"""

COUNT = """/* verdicts.count_events */
select count(*)
from events
where site_id = ? and ts >= ? and ts < ?"""

HAS_VISITOR = """/* verdicts.has_visitor */
select count(*), coalesce(sum(case when kind = ? then 1 else 0 end), 0)
from events
where site_id = ? and ts >= ? and ts < ? and visitor = ?"""

VISITORS = """/* verdicts.visitors */
select distinct visitor
from visitor_days
where site_id = ?
limit ?"""

BY_SIGNALS = """/* verdicts.by_signals */
select visitor, day, signals, count(*)
from events
where site_id = ? and ts >= ? and ts < ? and (signals & ?) <> 0 and visitor <> ?
group by visitor, day, signals
order by count(*) desc
limit ?"""

OLD = """/* verdicts.purge */
select day, visitor
from verdicts
where site_id = ? and day < ?
order by day, visitor
limit ?"""

OLD_DAYS = """/* verdicts.purge */
delete from judged_days
where site_id = ? and day < ?"""

_FIRST, _LAST = 0, 99_991_231
_ROWS = 1_000


class Found(NamedTuple):
    """A row of `verdicts`; reasons are JSON."""

    day: int
    visitor: bytes
    verdict: int
    score: int
    views: int
    events: int
    at: int
    overruled: int
    overruled_by: str
    overruled_at: int
    reasons: bytes

    @property
    def standing(self) -> int:
        """What holds: a person's word, else what the rules say."""
        return self.verdict if self.overruled == NOT_OVERRULED else self.overruled


class JudgedDay(NamedTuple):
    """By which rules a day was judged, with how many events, whether it was over, and when."""

    rules: int
    events: int
    is_over: bool
    at: int


class Overruled(NamedTuple):
    """What a person said of a visitor; `day` is the latest it was said of."""

    day: int
    verdict: int
    by: str
    at: int


class Count(NamedTuple):
    """How many visitors' days have a verdict, and their views."""

    verdict: int
    is_overruled: bool
    visitors: int
    views: int


def of_day(session: Session, site_id: int, day: int) -> list[Found]:
    return _found(session.ask(OF_DAY, (site_id, day)))


def of_visitors(session: Session, site_id: int, day: int, visitors: Collection[bytes]) -> list[Found]:
    """Return what was found of these visitors on that day."""
    return _found(ask_rows(session, OF_VISITORS, (site_id, day), sorted(visitors)))


def listed(  # noqa: PLR0913 - the rest by keyword
    session: Session, site_id: int, first_day: int, last_day: int, *, least: int, limit: int, offset: int = 0
) -> list[Found]:
    """Return what was found, the latest day first, with a verdict of `least` or more or a person's word."""
    return _found(session.ask(LIST, (site_id, first_day, last_day, least, limit, offset)))


def counts(session: Session, site_id: int, first_day: int, last_day: int) -> list[Count]:
    rows = session.ask(COUNTS, (site_id, first_day, last_day))
    return [Count(int(row[0]), bool(row[1]), int(row[2]), int(row[3])) for row in rows]


def overruled(session: Session, site_id: int, first_day: int, last_day: int) -> dict[bytes, Overruled]:
    """Return what people said last of visitors on those days."""
    rows = session.ask(OVERRULED, (site_id, first_day, last_day))
    return {bytes(visitor): Overruled(day, verdict, by, at) for visitor, day, verdict, by, at in rows}


def replace_day(session: Session, site_id: int, day: int, rows: Iterable[Found]) -> None:
    """Store what was found of a day in the place of what was; of whom a person said something stays known."""
    session.send(FORGET_JUDGED, (site_id, day))
    values: list[tuple[Value, ...]] = [(site_id, *row) for row in sorted(rows, key=lambda row: row.visitor)]
    send_bodies(session, PUT, values)


def put(session: Session, site_id: int, row: Found) -> None:
    """Store one row in the place of the one that is there."""
    send_bodies(session, PUT, [(site_id, *row)])


def judged_days(session: Session, site_id: int, first_day: int = _FIRST, last_day: int = _LAST) -> dict[int, JudgedDay]:
    rows = session.ask(JUDGED, (site_id, first_day, last_day))
    return {day: JudgedDay(rules, events, bool(is_over), at) for day, rules, events, is_over, at in rows}


def put_judged(session: Session, site_id: int, day: int, judged: JudgedDay) -> None:
    session.send(PUT_JUDGED, (site_id, day, judged.rules, judged.events, int(judged.is_over), judged.at))


def judge_again(session: Session, site_id: int, day: int, *, and_later: bool) -> None:
    """Have a day judged again, also one of long ago, and made again where that changes its numbers."""
    put_judged(session, site_id, day, JudgedDay(0, 0, False, 0))
    if and_later:
        session.send(JUDGE_AGAIN, (site_id, day, _LAST))


def events_of(session: Session, site_id: int, first_day: int = _FIRST, last_day: int = _LAST) -> dict[int, int]:
    """Return by day a number that changes when events come to it."""
    values = (site_id, int(Dimension.KIND), int(Dimension.BOT), first_day, last_day)
    return {int(day): int(events) for day, events in session.ask(EVENTS, values)}


def tallies(session: Session, site_id: int, start: int, end: int) -> dict[bytes, tuple[int, int, int]]:
    """Return how many events visitors have from `start` to before `end`, and their smallest and largest signals."""
    rows = session.ask(TALLIES, (site_id, start, end, NOBODY))
    return {bytes(visitor): (int(number), int(low), int(high)) for visitor, number, low, high in rows}


def count_events(session: Session, site_id: int, span: tuple[int, int]) -> int:
    """Return how many events there are from the first to before the other of those epoch ms."""
    return int(session.ask(COUNT, (site_id, *span))[0][0])


def has_visitor(session: Session, site_id: int, span: tuple[int, int], visitor: bytes) -> tuple[int, int]:
    """Return how many events and views a visitor has there."""
    [(events, views)] = session.ask(HAS_VISITOR, (KIND_CODES["pageview"], site_id, *span, visitor))
    return int(events), int(views)


def visitors(session: Session, site_id: int, most: int) -> int:
    """Return how many visitors a site has had, robots too, up to so many."""
    return len(session.ask(VISITORS, (site_id, most)))


def by_signals(session: Session, site_id: int, start: int, end: int, most: int) -> list[tuple[bytes, int, int, int]]:
    """Return visitor, day, signals and number of robots' events, from `start` to before `end`, the most first."""
    rows = session.ask(BY_SIGNALS, (site_id, start, end, EVERY_ROBOT, NOBODY, most))
    return [(bytes(visitor), day, signals, events) for visitor, day, signals, events in rows]


def put_signals(session: Session, site_id: int, changed: Mapping[tuple[int, bytes], int]) -> None:
    """Give events, by ts and id, other signals."""
    send_each(session, PUT_SIGNALS, [(signals, site_id, *key) for key, signals in sorted(changed.items())])


def purge(session: Session, site_id: int, day: int) -> int:
    """Delete some of what was found of days before that one; return how many rows."""
    rows = session.ask(OLD, (site_id, day, _ROWS))
    if rows:
        forget_up_to(session, "verdicts", ("day", "visitor"), site_id, rows[-1])
    session.send(OLD_DAYS, (site_id, day))
    return len(rows)


def _found(rows: Rows | Sequence[Sequence[object]]) -> list[Found]:
    return [Found._make(bytes(part) if isinstance(part, bytearray) else part for part in row) for row in rows]
