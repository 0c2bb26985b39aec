"""A fold into dictionaries: what the real one does with its tables, for tests of the mathematics."""

from collections.abc import Iterable, Mapping

import msgspec

from tests.sessions.recount import Recount
from visitor_tracker.days import bounds, day_after
from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.measures import VISITORS, unpacked
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import continues, cut, merge
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import VisitorSession, decode_session, encode_session
from visitor_tracker.sessions.sums import Key

Sessions = dict[bytes, list[VisitorSession]]


class MemoryFold:
    """The tables of one site."""

    def __init__(self, timezone: str, *, daily: bool) -> None:
        self.timezone = timezone
        self.daily = daily
        self.sessions: dict[tuple[int, bytes, int], bytes] = {}
        self.links: set[tuple[bytes, bytes]] = set()
        self.texts: dict[int, str] = {}
        self.hours: dict[Key, int] = {}
        self.days: dict[Key, int] = {}
        self.months: dict[Key, int] = {}
        self._sources: dict[int, bytes] = {}
        self._contexts: dict[int, bytes] = {}
        self._seen: dict[tuple[int, bytes, int, int], int] = {}
        self._loaded: set[tuple[int, bytes]] = set()
        self._profiles = Profiles()

    def restart(self) -> None:
        """Forget what only a process knows."""
        self._profiles = Profiles()

    def fold(self, events: Iterable[Event]) -> None:
        profiles = self._profiles
        counts = Counts(with_marks=not self.daily)
        people: dict[bytes, list[Fact]] = {}
        for event in events:
            fact = fact_of(event, self.timezone, profiles)
            if judge(event.signals):
                texts = map(profiles.text, reasons(event.signals))
                counts.robot(fact, list(texts), profiles.text(event.agent.bot))
                continue
            counts.kind(fact)
            if fact.visitor:
                people.setdefault(fact.visitor, []).append(fact)
                self.links |= {(fact.visitor, fact.previous)} if fact.previous else set()
            else:
                counts.alone(fact, profiles)
        self._store_texts()
        self._change_visits(people, counts)
        self._add(counts)

    def rows(self) -> Recount:
        seen = {mark: days for mark, days in self._seen.items() if days}
        return Recount(_rows(self.hours), _rows(self.days), _rows(self.months), seen)

    def _change_visits(self, people: Mapping[bytes, list[Fact]], counts: Counts) -> None:
        self._loaded = set()
        before: Sessions = {}
        after: Sessions = {}
        for visitor, facts in people.items():
            found = self._load(visitor, {fact.day for fact in facts})
            after[visitor] = merge([*found, *cut(facts)])
            before[visitor] = merge(found)
            further = self._load(visitor, set(), after[visitor])
            before[visitor], after[visitor] = merge(before[visitor] + further), merge(after[visitor] + further)
        everybody = self._linked(set(people)) | self._linked(self._linked(set(people)))
        for visitor in everybody - before.keys():
            days = {day for other in self._linked({visitor}) for day in self._days(after.get(other, []))}
            before[visitor] = after[visitor] = merge(self._load(visitor, days))
        self._learn([*before.values(), *after.values()])
        parts_before, parts_after = self._parts(before), self._parts(after)
        for visitor in before:
            if parts_before.get(visitor) != parts_after.get(visitor):
                counts.change(parts_before.get(visitor), parts_after.get(visitor), self._profiles)
        for visitor in people:
            self._replace(visitor, before[visitor], after[visitor])

    def _replace(self, visitor: bytes, before: list[VisitorSession], after: list[VisitorSession]) -> None:
        for session in before:
            del self.sessions[session.bucket, visitor, session.first_ts]
        for session in after:
            self.sessions[session.bucket, visitor, session.first_ts] = encode_session(session)

    def _load(
        self, visitor: bytes, days: Iterable[int], reaching: Iterable[VisitorSession] = ()
    ) -> list[VisitorSession]:
        """Return the sessions that may touch the days, and those of the days that long ones touch."""
        wanted: set[int] = set()
        for day in days:
            wanted |= {day} if self.daily else {0, *(day_after(day, step) for step in (-2, -1, 0, 1))}
        found: list[VisitorSession] = []
        while True:
            for session in (*found, *reaching):
                if not session.bucket:
                    wanted |= {day_after(session.first_day, -1), session.first_day, session.last_day}
            new = {bucket for bucket in wanted if (bucket, visitor) not in self._loaded}
            if not new:
                return found
            self._loaded |= {(bucket, visitor) for bucket in new}
            for (bucket, owner, _), body in self.sessions.items():
                if owner == visitor and bucket in new:
                    found.append(decode_session(body))

    def _linked(self, visitors: set[bytes]) -> set[bytes]:
        return {one for link in self.links if visitors & {*link} for one in link}

    def _days(self, sessions: Iterable[VisitorSession]) -> set[int]:
        return {
            day_after(day, step)
            for session in sessions
            for day in (session.first_day, session.last_day)
            for step in (-1, 0, 1)
        }

    def _learn(self, known: Iterable[list[VisitorSession]]) -> None:
        heads = [session.head for sessions in known for session in sessions]
        sources, contexts = self._profiles.unknown((head.source for head in heads), (head.context for head in heads))
        self._profiles.learn(
            {number: self._sources[number] for number in sources},
            {number: self._contexts[number] for number in contexts},
        )

    def _parts(self, sessions: Sessions) -> dict[bytes, Part]:
        parts = {visitor: Part(visitor, tuple(own)) for visitor, own in sessions.items() if own}
        for visitor, previous in sorted(self.links):
            if visitor not in parts or previous not in parts:
                continue
            later, earlier = parts[visitor].sessions[0], parts[previous].sessions[-1]
            if continues(later, earlier, bounds(self.timezone, earlier.first_day)[0]):
                parts[visitor] = msgspec.structs.replace(parts[visitor], before=earlier)
                parts[previous] = msgspec.structs.replace(parts[previous], after=later)
        return parts

    def _store_texts(self) -> None:
        profiles = self._profiles
        self.texts |= profiles.fresh_texts
        self._sources |= profiles.fresh_sources
        self._contexts |= profiles.fresh_contexts
        profiles.stored()

    def _add(self, counts: Counts) -> None:
        months = counts.months(self.daily)
        for mark, change in counts.marks.items():
            was = self._seen.get(mark, 0)
            self._seen[mark] = was + change
            month, _, dimension, value = mark
            key = (dimension, value, month)
            months[key] = months.get(key, 0) + (bool(was + change) - bool(was)) * VISITORS
        for table, added in ((self.hours, counts.hours), (self.days, counts.days), (self.months, months)):
            for key, number in added.items():
                table[key] = table.get(key, 0) + number


def _rows(table: Mapping[Key, int]) -> dict[Key, tuple[int, ...]]:
    return {key: unpacked(number) for key, number in table.items() if number}
