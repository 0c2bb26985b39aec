"""The sessions of some visitors as the tables have them, and who of them was another visitor before midnight."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Literal

import msgspec

from visitor_tracker.days import bounds, day_after
from visitor_tracker.sessions.counts import Part
from visitor_tracker.sessions.cutting import continues, cut, merge
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sessions.going_on import GoneOn, gone_on
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import GAP_MS, VisitorSession
from visitor_tracker.store import vocabulary
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import Link, add_links, links_of, put_sessions, remove_sessions, sessions_in

_HOPS = 2  # from a visitor to whom it was before or after, and from there to whose visit that one may continue

BySession = Mapping[bytes, Sequence[VisitorSession]]

_first_ts = attrgetter("first_ts")


Behaviour = Literal["exclude", "mark", "off"]


class Rule(msgspec.Struct, frozen=True):
    """How a site counts: its time zone, whether a visitor's hash is one of a day only, and robots by behaviour."""

    timezone: str = "UTC"
    daily: bool = True
    behaviour: Behaviour = "off"


class People:
    """Belongs to one transaction on one site."""

    def __init__(self, session: Session, site_id: int, rule: Rule, profiles: Profiles) -> None:
        self._session = session
        self._site_id = site_id
        self._rule = rule
        self._profiles = profiles
        self._found: dict[bytes, dict[tuple[int, int], VisitorSession]] = {}  # by visitor, as (bucket, first_ts)
        self._asked: set[tuple[int, bytes]] = set()

    def load(self, days: Iterable[tuple[int, bytes]]) -> None:
        """Read all sessions that may touch these days of these visitors, and the days that those touch in turn."""
        self._read({(bucket, visitor) for day, visitor in days for bucket in self._buckets(day)})

    def reach(self, sessions: BySession) -> bool:
        """Read the other sessions of the days that long ones of these touch; say whether there was anything to read.

        One may have become long just now, from parts that were not.
        """
        if self._rule.daily:
            return False
        return self._read(
            {end for visitor, own in sessions.items() for session in own for end in _ends(visitor, session)}
        )

    def _read(self, places: Iterable[tuple[int, bytes]]) -> bool:
        """Read the sessions of (bucket, visitor), and of the ends of long ones among them."""
        wanted = set(places) - self._asked
        has_read = bool(wanted)
        while wanted:
            self._asked |= wanted
            further: set[tuple[int, bytes]] = set()
            for bucket, visitor, found in sessions_in(self._session, self._site_id, wanted):
                self._found.setdefault(visitor, {})[bucket, found.first_ts] = found
                further |= _ends(visitor, found)
            wanted = further - self._asked
        return has_read

    def _buckets(self, day: int) -> tuple[int, ...]:
        if self._rule.daily:
            return (day,)
        return (0, day_after(day, -2), day_after(day, -1), day, day_after(day))

    def sessions_of(self, visitor: bytes) -> list[VisitorSession]:
        found = self._found.get(visitor)
        if not found:
            return []
        return sorted(found.values(), key=_first_ts) if len(found) > 1 else list(found.values())

    def with_new(self, facts: Mapping[bytes, Sequence[Fact]]) -> "Grown":
        """Return the sessions of these visitors as they are, and as they become with the new facts."""
        grown = Grown({}, {}, {})
        others: dict[bytes, list[VisitorSession]] = {}
        for visitor, own in facts.items():
            was = self.sessions_of(visitor)
            more = gone_on(was[0], own) if len(was) == 1 else None
            if more is None or not (self._rule.daily or more.session.bucket):
                others[visitor] = cut(own)
                continue
            grown.before[visitor], grown.after[visitor] = was, [more.session]
            grown.gone_on[visitor] = more
        while True:
            before = {visitor: self.sessions_of(visitor) for visitor in others}
            after = {
                visitor: merge([*was, *others[visitor]]) if was else others[visitor] for visitor, was in before.items()
            }
            if not self.reach(after):
                break
        grown.before.update(before)
        grown.after.update(after)
        return grown

    def link(
        self,
        facts: Iterable[Fact],
        before: BySession,
        after: BySession,
    ) -> "Links":
        """Find out who of the visitors was another one before, or is one after; only around midnight anybody may."""
        links = Links(self._rule.timezone)
        new = {fact.visitor: Link(fact.visitor, fact.previous, fact.ts, False) for fact in facts if fact.previous}
        if new:
            add_links(self._session, self._site_id, new.values())
        is_at_edge = links.is_at_edge
        edge = {
            visitor
            for version in (before, after)
            for visitor, sessions in version.items()
            if any(map(is_at_edge, sessions))
        }
        for _ in range(_HOPS):
            if not edge:
                break
            found = links_of(self._session, self._site_id, edge)
            self._load_neighbours(found, before, after)
            edge = links.add(found) - edge
        return links

    def _load_neighbours(
        self,
        found: Iterable[Link],
        before: BySession,
        after: BySession,
    ) -> None:
        """Read the sessions of the visitors that are linked with those whose sessions are known."""
        wanted: set[tuple[int, bytes]] = set()
        for link in found:
            for known, other in ((link.visitor, link.previous), (link.previous, link.visitor)):
                for session in (*self.sessions_of(known), *before.get(known, ()), *after.get(known, ())):
                    wanted |= {(day_after(day, step), other) for day in _days(session) for step in (-1, 0, 1)}
        self.load(wanted)

    def learn(self, sessions: Iterable[VisitorSession]) -> None:
        """Read what stored sessions name and this process has not met."""
        heads = [session.head for session in sessions]
        sources, contexts = self._profiles.unknown({head.source for head in heads}, {head.context for head in heads})
        if sources or contexts:
            self._profiles.learn(
                vocabulary.source_bodies(self._session, sources), vocabulary.context_bodies(self._session, contexts)
            )

    def replace(
        self,
        visitors: Iterable[bytes],
        before: BySession,
        after: BySession,
    ) -> None:
        gone: list[tuple[int, bytes, int]] = []
        new: list[tuple[bytes, VisitorSession]] = []
        for visitor in visitors:
            if not before[visitor]:
                new += [(visitor, session) for session in after[visitor]]
                continue
            if len(before[visitor]) == len(after[visitor]) == 1:
                old, session = before[visitor][0], after[visitor][0]
                if (old.bucket, old.first_ts) != (session.bucket, session.first_ts):
                    gone.append((old.bucket, visitor, old.first_ts))
                if old != session:
                    new.append((visitor, session))
                continue
            was = {(session.bucket, session.first_ts): session for session in before[visitor]}
            now = {(session.bucket, session.first_ts): session for session in after[visitor]}
            gone += [(bucket, visitor, first_ts) for bucket, first_ts in was.keys() - now.keys()]
            new += [(visitor, session) for key, session in now.items() if was.get(key) != session]
        if gone:
            remove_sessions(self._session, self._site_id, gone)
        put_sessions(self._session, self._site_id, new)


class Grown(msgspec.Struct, frozen=True):
    """The sessions of some visitors before and after, and of those of whom the only one has gone on, how."""

    before: dict[bytes, list[VisitorSession]]
    after: dict[bytes, list[VisitorSession]]
    gone_on: dict[bytes, GoneOn]


class Joined(msgspec.Struct, frozen=True):
    """Whose last session is continued by whose first one: `earlier` by the later visitor, and the other way round."""

    earlier: dict[bytes, bytes]
    later: dict[bytes, bytes]


class Links:
    """Who was whom before the key changed; for visitors of one site."""

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._previous: dict[bytes, set[bytes]] = {}
        self._inner: dict[int, tuple[int, int]] = {}  # of a day: half an hour after its beginning, and before its end

    def add(self, links: Iterable[Link]) -> set[bytes]:
        """Remember the links; return everybody in them."""
        people: set[bytes] = set()
        for link in links:
            self._previous.setdefault(link.visitor, set()).add(link.previous)
            people |= {link.visitor, link.previous}
        return people

    def visitors(self) -> set[bytes]:
        """Return everybody who is linked with somebody."""
        return {*self._previous, *(before for found in self._previous.values() for before in found)}

    def is_at_edge(self, session: VisitorSession) -> bool:
        """Say whether the session is near enough to a midnight to continue another, or to be continued."""
        first, last = session.first_day, session.last_day
        inner = self._inner.get(first) or self._inner_of(first)
        if session.first_ts <= inner[0]:
            return True
        if last != first:
            inner = self._inner.get(last) or self._inner_of(last)
        return session.last_ts >= inner[1]

    def _inner_of(self, day: int) -> tuple[int, int]:
        start, end = bounds(self._timezone, day)
        self._inner[day] = found = start + GAP_MS, end - GAP_MS
        return found

    def joined(self, sessions: BySession) -> Joined:
        """Return whose last session is continued by whose first one."""
        found: dict[bytes, bytes] = {}  # by the earlier one: a visit goes on once
        for visitor in sorted(self._previous):
            own = sessions.get(visitor)
            for previous in sorted(self._previous[visitor]):
                before = sessions.get(previous)
                if previous not in found and own and before and self._continues(own[0], before[-1]):
                    found[previous] = visitor
                    break
        return Joined({visitor: previous for previous, visitor in found.items()}, found)

    def _continues(self, later: VisitorSession, earlier: VisitorSession) -> bool:
        return continues(later, earlier, bounds(self._timezone, earlier.first_day)[0])


def _ends(visitor: bytes, session: VisitorSession) -> set[tuple[int, bytes]]:
    """Return where others are that share the first or the last day of a long session; of another none."""
    if session.bucket:
        return set()
    return {(day, visitor) for day in (day_after(session.first_day, -1), session.first_day, session.last_day)}


def _days(session: VisitorSession) -> tuple[int, int]:
    return session.first_day, session.last_day


def part(visitor: bytes, sessions: BySession, joined: Joined) -> Part | None:
    """Return a visitor's sessions with those that they continue, or that continue them; None where it has none."""
    own = sessions.get(visitor)
    if not own:
        return None
    previous, following = joined.earlier.get(visitor), joined.later.get(visitor)
    return Part(
        visitor,
        tuple(own),
        sessions[previous][-1] if previous is not None else None,
        sessions[following][0] if following is not None else None,
    )
