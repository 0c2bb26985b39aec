"""The table of events, as the fold writes it and a rebuild reads it."""

from collections.abc import Sequence

from visitor_tracker.days import hour_of
from visitor_tracker.sessions.fact import NOBODY, Fact, decode_rest
from visitor_tracker.store.bulk import send_bodies
from visitor_tracker.store.session import Session

ADD = """/* add_facts */
insert into events (
    site_id, ts, id, day, visitor, kind, flags, signals, page, host, source, context, name, target, engaged_ms, body
)
values [(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]
{keep_old_row}"""

# "ts >=" once more, so that every planner begins there.
BETWEEN = """/* facts_between */
select id, ts, day, kind, flags, signals, visitor, page, host, source, context, name, target, engaged_ms, body
from events
where site_id = ? and ts >= ? and (ts > ? or id > ?) and ts <= ?
order by ts, id
limit ?"""


def add_facts(session: Session, site_id: int, facts: Sequence[Fact]) -> None:
    """Insert events; one that is there already stays as it is."""
    rows = [
        (
            site_id,
            fact.ts,
            fact.id,
            fact.day,
            fact.visitor or NOBODY,
            fact.kind,
            fact.flags,
            fact.signals,
            fact.page,
            fact.host,
            fact.source,
            fact.context,
            fact.name,
            fact.target,
            fact.engaged_ms,
            fact.rest,
        )
        for fact in facts
    ]
    rows.sort()
    send_bodies(session, ADD, rows)


def facts_between(  # noqa: PLR0913 - what and where to go on
    session: Session,
    site_id: int,
    first_ts: int,
    last_ts: int,
    limit: int,
    after: bytes = b"",
    *,
    timezone: str = "UTC",
) -> list[Fact]:
    """Return events by (ts, id), from `first_ts` to `last_ts`, both included; of `first_ts` itself ids above `after`.

    So the next slice begins at the last one's `ts` and id. `previous` is not stored and empty; `hour` is one of
    `timezone`.
    """
    rows = session.ask(BETWEEN, (site_id, first_ts, first_ts, after, last_ts, limit))
    return [_fact(timezone, *row) for row in rows]


def _fact(  # noqa: PLR0913 - a row
    timezone: str,
    id: bytes,
    ts: int,
    day: int,
    kind: int,
    flags: int,
    signals: int,
    visitor: bytes,
    page: int,
    host: int,
    source: int,
    context: int,
    name: int,
    target: int,
    engaged_ms: int,
    body: bytes,
) -> Fact:
    who, rest = bytes(visitor), bytes(body)
    return Fact(
        bytes(id),
        ts,
        day,
        hour_of(timezone, ts),
        kind,
        flags,
        signals,
        b"" if who == NOBODY else who,
        b"",
        page,
        host,
        source,
        context,
        name,
        target,
        engaged_ms,
        decode_rest(rest).client if rest else b"",
        rest,
    )
