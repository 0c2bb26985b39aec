"""A session that goes on: what `cutting` makes of it and of events after it, told from the new events alone.

Most events are one more of a visit that is there, and to cut a session of them, to unite it with the other one and to
look for what has changed takes three times as long.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from visitor_tracker.sessions.actions import listed_under
from visitor_tracker.sessions.cutting import PLACES_MOST
from visitor_tracker.sessions.fact import PAGEVIEW, Fact, Flag
from visitor_tracker.sessions.growth import Changed, acted_at, looked_at
from visitor_tracker.sessions.session import GAP_MS, Acted, Looked, Mark, VisitorSession

_BY_ITSELF = int(Flag.BY_ITSELF)
_NOT_SEEN = (0, 0)
_Place = tuple[int, int, int, int]

_moment = attrgetter("ts", "id")


class GoneOn(msgspec.Struct, frozen=True, gc=False):
    """The session with the new events, and which of its parts are new or more than they were."""

    session: VisitorSession
    looked: Changed[Looked]
    acted: Changed[Acted]


def gone_on(session: VisitorSession, facts: Sequence[Fact]) -> GoneOn | None:
    """Return what a session becomes by more facts of its visitor; None where that is not plainly the same and more.

    So it is None where facts come before the session's end or after a pause, or where the session is no visit yet.
    """
    if len(facts) > 1:
        facts = sorted(facts, key=_moment)
    last_ts = facts[-1].ts
    if facts[0].ts <= session.last_ts or session.head.passive or not _is_without_pause(session.last_ts, facts):
        return None
    if max(len(session.looked), len(session.acted)) + len(facts) > PLACES_MOST:
        return None
    entry, exit_ = session.entry, session.exit
    interactions = session.interactions
    looked: dict[_Place, tuple[int, int]] = {}
    acted: dict[_Place, int] = {}
    for fact in facts:
        views = 1 if fact.kind == PAGEVIEW else 0
        if views:
            exit_ = Mark(fact.ts, fact.id, fact.page)
            entry = entry or exit_
        elif (listed := listed_under(fact)) is not None:
            interactions += not fact.flags & _BY_ITSELF
            done = (fact.day, fact.hour, *listed)
            acted[done] = acted.get(done, 0) + 1
        if views or fact.engaged_ms:
            seen = (fact.day, fact.hour, fact.host, fact.page)
            before = looked.get(seen, _NOT_SEEN)
            looked[seen] = (before[0] + views, before[1] + fact.engaged_ms)
    first_day, last_day = _days(session, facts)
    now_looked, more_looked = _looked_more(session.looked, looked)
    now_acted, more_acted = _acted_more(session.acted, acted)
    now = VisitorSession(
        session.first_ts, last_ts, first_day, last_day, session.head, entry, exit_, interactions, now_looked, now_acted
    )
    return GoneOn(now, more_looked, more_acted)


def _days(session: VisitorSession, facts: Sequence[Fact]) -> tuple[int, int]:
    days = [fact.day for fact in facts]
    return min(session.first_day, *days), max(session.last_day, *days)


def _is_without_pause(last_ts: int, facts: Sequence[Fact]) -> bool:
    for fact in facts:
        if fact.ts - last_ts > GAP_MS:
            return False
        last_ts = fact.ts
    return True


def _looked_more(
    parts: tuple[Looked, ...], added: dict[_Place, tuple[int, int]]
) -> tuple[tuple[Looked, ...], Changed[Looked]]:
    if not added:
        return parts, []
    now, changed = list(parts), []
    for place in sorted(added) if len(added) > 1 else added:
        views, engaged_ms = added[place]
        at = bisect_left(now, place, key=looked_at)
        was = now[at] if at < len(now) and looked_at(now[at]) == place else None
        if was is None:
            part = Looked(*place, views, engaged_ms)
            now.insert(at, part)
        else:
            now[at] = part = Looked(*place, was.views + views, was.engaged_ms + engaged_ms)
        changed.append((part, was))
    return tuple(now), changed


def _acted_more(parts: tuple[Acted, ...], added: dict[_Place, int]) -> tuple[tuple[Acted, ...], Changed[Acted]]:
    if not added:
        return parts, []
    now, changed = list(parts), []
    for place in sorted(added) if len(added) > 1 else added:
        at = bisect_left(now, place, key=acted_at)
        was = now[at] if at < len(now) and acted_at(now[at]) == place else None
        if was is None:
            part = Acted(*place, added[place])
            now.insert(at, part)
        else:
            now[at] = part = Acted(*place, was.times + added[place])
        changed.append((part, was))
    return tuple(now), changed
