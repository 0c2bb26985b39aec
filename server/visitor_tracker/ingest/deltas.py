"""Rollups of several transactions, written at once.

    more events wait ─▶ what the transaction came to, encoded ─▶ rollup_deltas
    no more wait     ─▶ what it came to, and all deltas        ─▶ rollups; the deltas are deleted

Of a backlog most rows of rollups change in every transaction, so that writing them is most of the work. A delta is
written with the events that it is of: after a kill, whoever folds the site next adds it. Reports lack no more than what
is known to be behind anyway.
"""

from collections.abc import Mapping

import msgspec

from visitor_tracker.errors import StoreError
from visitor_tracker.measures import is_small
from visitor_tracker.sessions.counts import Counts, months_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.sums import Key, Sums, decode_sums, encode_sums
from visitor_tracker.store import vocabulary
from visitor_tracker.store.deltas import add_delta, clear_deltas, delta_bodies, delta_ids
from visitor_tracker.store.rollups import add_rollups
from visitor_tracker.store.session import Session


def put_off(session: Session, site_id: int, delta_id: bytes, sums: Sums) -> bool:
    """Leave sums to a later transaction; only of daily visitors.

    False: they are so large that the rollups may refuse them, which must not happen when their events are gone.
    """
    if not all(map(is_small, sums.numbers())):
        return False
    add_delta(session, site_id, delta_id, encode_sums(sums))
    return True


def take_deltas(session: Session, site_id: int, known: Mapping[bytes, Sums], profiles: Profiles) -> Counts | None:
    """Return what was put off and delete it; `known` are sums that need not be read again. None: there is nothing.

    Raises StoreError where a delta cannot be read, which is no fault of the events that come with it.
    """
    ids = delta_ids(session, site_id)
    if not ids:
        return None
    found = [known[delta_id] for delta_id in ids if delta_id in known]
    unknown = [delta_id for delta_id in ids if delta_id not in known]
    counts = Counts()
    try:
        if unknown:
            found += map(decode_sums, delta_bodies(session, site_id, unknown))
        for sums in found:
            _learn(session, sums, profiles)
            counts.add(sums, profiles)
    except (msgspec.DecodeError, KeyError) as error:
        raise StoreError(f"rollup_deltas of site {site_id} cannot be read: {error!r}") from error
    clear_deltas(session, site_id)
    return counts


def settle(session: Session, site_id: int, profiles: Profiles) -> bool:
    """Bring what was put off into the rollups; False: there was nothing."""
    counts = take_deltas(session, site_id, {}, profiles)
    if counts is not None:
        add_counts(session, site_id, counts, {}, daily=True)
    return counts is not None


def add_counts(session: Session, site_id: int, counts: Counts, months: Mapping[Key, int], *, daily: bool) -> None:
    """Add to the rollups of hours and days, and of months what the days come to and `months`."""
    days = counts.days
    sums = months_of(days, daily)
    for key, number in months.items():
        sums[key] = sums.get(key, 0) + number
    add_rollups(session, "hour", site_id, counts.hours)
    add_rollups(session, "day", site_id, days)
    add_rollups(session, "month", site_id, sums)


def _learn(session: Session, sums: Sums, profiles: Profiles) -> None:
    named = sums.profiles()
    sources, contexts = profiles.unknown({source for source, _ in named}, {context for _, context in named})
    if sources or contexts:
        profiles.learn(vocabulary.source_bodies(session, sources), vocabulary.context_bodies(session, contexts))
