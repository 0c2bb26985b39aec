"""Visitors whom a site recognises: what visits do not tell of them, and who of them came last. Times are epoch ms."""

from collections.abc import Collection, Iterable

import msgspec

from visitor_tracker.days import day_after
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.store.erasing import days_of
from visitor_tracker.store.session import Session, ask_rows
from visitor_tracker.store.visits import sessions_in

LAST_SEEN = """/* profiles.last_seen */
select visitor, max(last_ts)
from sessions
where site_id = ? and bucket = ? and last_ts >= ? and last_ts < ?
group by visitor
having max(last_ts) < ? or (max(last_ts) = ? and visitor > ?)
order by max(last_ts) desc, visitor
limit ?"""

DAYS = """/* profiles.days */
select day
from raw_days
where site_id = ? and day <= ?
order by day desc
limit ?"""

PROFILES = """/* profiles.read */
select visitor, first_at, last_at, visits, note
from visitor_profiles
where site_id = ? and visitor in ([?])"""

OLDER = """/* profiles.older */
select visitor, first_at, last_at, visits, note
from visitor_profiles
where site_id = ? and (last_at < ? or (last_at = ? and visitor > ?))
order by last_at desc, visitor
limit ?"""

PUT_NOTE = """/* profiles.put_note */
insert into visitor_profiles (site_id, visitor, first_at, last_at, visits, note)
values (?, ?, 0, ?, 0, ?)
{replace_note}"""


class Profile(msgspec.Struct, frozen=True, gc=False):
    """What is stored of a visitor beside visits: of those that retention has deleted how many, and a note."""

    visitor: bytes
    first_at: int = 0  # 0: no visit was deleted
    last_at: int = 0
    visits: int = 0
    note: str = ""


class Cursor(msgspec.Struct, frozen=True, gc=False):
    """Where a list goes on: behind a visitor who was last seen at `ts`."""

    ts: int
    visitor: bytes


def days_with_events(session: Session, site_id: int, last: int, most: int) -> list[int]:
    """Return days of which events were folded, up to `last`, the latest first."""
    return [row[0] for row in session.ask(DAYS, (site_id, last, most))]


def last_seen(  # noqa: PLR0913 - where and how many
    session: Session, site_id: int, buckets: Iterable[int], start: int, end: int, after: Cursor, most: int
) -> dict[bytes, int]:
    """Return visitors with visits of these buckets that ended from `start` to before `end`: when the last one did."""
    found: dict[bytes, int] = {}
    for bucket in buckets:
        values = (site_id, bucket, start, end, after.ts, after.ts, after.visitor, most)
        for visitor, last_ts in session.ask(LAST_SEEN, values):
            found[bytes(visitor)] = max(found.get(bytes(visitor), 0), int(last_ts))
    return found


def sessions_of(session: Session, site_id: int, visitors: Iterable[bytes]) -> dict[bytes, list[VisitorSession]]:
    """Return all sessions of these visitors in the order of time."""
    wanted = list(visitors)
    days = {visitor: days_of(session, site_id, visitor) for visitor in wanted}
    # The day before each, for a visit over midnight of which retention has taken the first day's events.
    keys = {
        (bucket, visitor) for visitor, own in days.items() for bucket in (0, *own, *(day_after(day, -1) for day in own))
    }
    found: dict[bytes, list[VisitorSession]] = {visitor: [] for visitor in wanted}
    for _, visitor, own in sessions_in(session, site_id, keys):
        found[visitor].append(own)
    for own_sessions in found.values():
        own_sessions.sort(key=lambda own: own.first_ts)
    return found


def profiles(session: Session, site_id: int, visitors: Collection[bytes]) -> dict[bytes, Profile]:
    """Return the profiles that are stored of these visitors."""
    rows = ask_rows(session, PROFILES, (site_id,), sorted(visitors)) if visitors else []
    return {found.visitor: found for found in (_profile(*row) for row in rows)}


def older(session: Session, site_id: int, after: Cursor, most: int) -> list[Profile]:
    """Return stored profiles, the latest first."""
    return [_profile(*row) for row in session.ask(OLDER, (site_id, after.ts, after.ts, after.visitor, most))]


def put_note(session: Session, site_id: int, visitor: bytes, last_at: int, note: str) -> None:
    """Keep a note of a visitor who was last seen then."""
    session.send(PUT_NOTE, (site_id, visitor, last_at, note))


def _profile(visitor: bytes, first_at: int, last_at: int, visits: int, note: str) -> Profile:
    return Profile(bytes(visitor), int(first_at), int(last_at), int(visits), str(note))
