"""How facts become sessions, and how sessions that were cut from parts of a visitor's facts become whole again."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from visitor_tracker.sessions.actions import listed_under
from visitor_tracker.sessions.fact import PAGEVIEW, Fact, Flag
from visitor_tracker.sessions.session import GAP_MS, Acted, Head, Looked, Mark, VisitorSession

PLACES_MOST = 2_000  # of one session: pages in different hours, or actions
_BY_ITSELF = int(Flag.BY_ITSELF)
_Part = TypeVar("_Part", Looked, Acted)

_moment = attrgetter("ts", "id")
_began = attrgetter("first_ts", "last_ts")
_looked_at = attrgetter("day", "hour", "host", "page")
_acted_at = attrgetter("day", "hour", "dimension", "value")


def cut(facts: Sequence[Fact]) -> list[VisitorSession]:
    """Return the sessions of one visitor's facts in the order of time. Robots' facts must not be among them."""
    if len(facts) == 1:
        return [_session(facts)]
    ordered = sorted(facts, key=_moment)
    sessions = []
    start = 0
    for position in range(1, len(ordered)):
        if ordered[position].ts - ordered[position - 1].ts > GAP_MS:
            sessions.append(_session(ordered[start:position]))
            start = position
    if ordered:
        sessions.append(_session(ordered[start:]))
    return sessions


def merge(sessions: Iterable[VisitorSession]) -> list[VisitorSession]:
    """Unite those sessions of one visitor that no pause of more than `GAP_MS` divides.

    What comes out is in the order of time, and the same as if all their facts had been cut together. A session that
    meets no other one stays the same object.
    """
    merged: list[VisitorSession] = []
    for session in sorted(sessions, key=_began):
        if merged and session.first_ts - merged[-1].last_ts <= GAP_MS:
            merged[-1] = _united(merged[-1], session)
        else:
            merged.append(session)
    return merged


def continues(later: VisitorSession, earlier: VisitorSession, earlier_day_start: int) -> bool:
    """Say whether a session goes on with the one under the visitor's hash of before, so that both are one visit.

    `later` is the first session of the hash, `earlier` the last one of the hash before it; `earlier_day_start` is the
    epoch ms at which `earlier.first_day` begins. A session of a day's first half hour may go on with one of the day
    before, and none goes on with it: two are joined, never three.
    """
    return 0 <= later.first_ts - earlier.last_ts <= GAP_MS and earlier.first_ts - earlier_day_start >= GAP_MS


def _session(facts: Sequence[Fact]) -> VisitorSession:
    """Return the session of these facts, which are in order and have no pause in them."""
    head: Fact | None = None
    entry: Fact | None = None
    exit_: Fact | None = None
    interactions = 0
    looked: dict[tuple[int, int, int, int], tuple[int, int]] = {}
    acted: dict[tuple[int, int, int, int], int] = {}
    for fact in facts:
        views = 1 if fact.kind == PAGEVIEW else 0
        if views:
            head, entry, exit_ = head or fact, entry or fact, fact
        elif (listed := listed_under(fact)) is not None:
            head = head or fact
            interactions += not fact.flags & _BY_ITSELF
            done = (fact.day, fact.hour, *listed)
            acted[done] = acted.get(done, 0) + 1
        if views or fact.engaged_ms:
            seen = (fact.day, fact.hour, fact.host, fact.page)
            views_so_far, engaged_so_far = looked.get(seen, (0, 0))
            looked[seen] = (views_so_far + views, engaged_so_far + fact.engaged_ms)
    first_day = last_day = facts[0].day
    if len(facts) > 1:
        days = [fact.day for fact in facts]
        first_day, last_day = min(days), max(days)
    return VisitorSession(
        facts[0].ts,
        facts[-1].ts,
        first_day,
        last_day,
        _head(facts[0], passive=True) if head is None else _head(head, passive=False),
        None if entry is None else Mark(entry.ts, entry.id, entry.page),
        None if exit_ is None else Mark(exit_.ts, exit_.id, exit_.page),
        interactions,
        bounded_looked(tuple([Looked(*seen, *looked[seen]) for seen in sorted(looked)])),
        bounded_acted(tuple([Acted(*place, acted[place]) for place in sorted(acted)]) if acted else ()),
    )


def _head(fact: Fact, *, passive: bool) -> Head:
    return Head(passive, fact.ts, fact.id, fact.day, fact.hour, fact.source, fact.context)


def _united(one: VisitorSession, other: VisitorSession) -> VisitorSession:
    entries = [mark for mark in (one.entry, other.entry) if mark is not None]
    exits = [mark for mark in (one.exit, other.exit) if mark is not None]
    return VisitorSession(
        min(one.first_ts, other.first_ts),
        max(one.last_ts, other.last_ts),
        min(one.first_day, other.first_day),
        max(one.last_day, other.last_day),
        min(one.head, other.head),
        min(entries, default=None),
        max(exits, default=None),
        one.interactions + other.interactions,
        bounded_looked(_combined(one.looked, other.looked, _looked_at, _looked_both)),
        bounded_acted(_combined(one.acted, other.acted, _acted_at, _acted_both)),
    )


# A session without an end, of a program that visits a page each minute, would grow without one, and is written anew
# whenever it goes on. So the first places in their order keep their names, and what happened at others is kept by hour.
# Which are the first does not depend on the order in which parts were united.


def bounded_looked(parts: tuple[Looked, ...]) -> tuple[Looked, ...]:
    """Keep the names of the first `PLACES_MOST` pages."""
    if len(parts) <= PLACES_MOST:
        return parts
    named = [part for part in parts if part.page or part.host]
    if len(named) <= PLACES_MOST:
        return parts
    kept = tuple(part for part in parts if not (part.page or part.host)), tuple(named[:PLACES_MOST])
    bounded = _combined(*kept, _looked_at, _looked_both)
    for part in named[PLACES_MOST:]:
        nameless = Looked(part.day, part.hour, 0, 0, part.views, part.engaged_ms)
        bounded = _combined(bounded, (nameless,), _looked_at, _looked_both)
    return bounded


def bounded_acted(parts: tuple[Acted, ...]) -> tuple[Acted, ...]:
    """Keep the names of the first `PLACES_MOST` things that were done."""
    if len(parts) <= PLACES_MOST:
        return parts
    named = [part for part in parts if part.value]
    if len(named) <= PLACES_MOST:
        return parts
    kept = tuple(part for part in parts if not part.value), tuple(named[:PLACES_MOST])
    bounded = _combined(*kept, _acted_at, _acted_both)
    for part in named[PLACES_MOST:]:
        nameless = Acted(part.day, part.hour, part.dimension, 0, part.times)
        bounded = _combined(bounded, (nameless,), _acted_at, _acted_both)
    return bounded


def _combined(
    one: tuple[_Part, ...],
    other: tuple[_Part, ...],
    place: Callable[[_Part], tuple[int, ...]],
    total: Callable[[_Part, _Part], _Part],
) -> tuple[_Part, ...]:
    """Put the shorter one's parts into the longer one's: what comes to a long session is mostly little."""
    parts, shorter = (list(one), other) if len(one) >= len(other) else (list(other), one)
    for part in shorter:
        key = place(part)
        at = bisect_left(parts, key, key=place)
        if at < len(parts) and place(parts[at]) == key:
            parts[at] = total(parts[at], part)
        else:
            parts.insert(at, part)
    return tuple(parts)


def _looked_both(one: Looked, other: Looked) -> Looked:
    views, engaged_ms = one.views + other.views, one.engaged_ms + other.engaged_ms
    return Looked(one.day, one.hour, one.host, one.page, views, engaged_ms)


def _acted_both(one: Acted, other: Acted) -> Acted:
    return Acted(one.day, one.hour, one.dimension, one.value, one.times + other.times)
