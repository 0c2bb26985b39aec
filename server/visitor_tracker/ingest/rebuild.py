"""Make the reports of one day of a site again, out of its events.

    raw events ─▶ judged again ─▶ sessions cut again ─▶ the day's numbers, and what its visits change on other days
                                                          └──one transaction──▶ in the place of what was there

The numbers are made beside the live tables. Meanwhile the site's lease is held, so that nothing is folded; what comes
in waits in the inbox. Who finds at the end that another has had the lease starts again. Only days whose events are all
still there, and are of the site's time zone of today, can be made again.
"""

import os
import time
from collections.abc import Iterable

import msgspec

from visitor_tracker.days import DAY_MS, bounds, day_after, days_between, month_of
from visitor_tracker.errors import StoreError
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.deltas import settle
from visitor_tracker.ingest.erased import facts_that_stay
from visitor_tracker.ingest.judging import DayJudged, judge_day, store_judged, tallies_of, whom_to_judge, words_of
from visitor_tracker.ingest.people import BySession, People, Rule, part
from visitor_tracker.measures import VISITORS, unpacked
from visitor_tracker.sessions.counts import Counts, Mark
from visitor_tracker.sessions.cutting import cut, merge
from visitor_tracker.sessions.fact import ACTIONS, Fact, decode_context
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sessions.sums import Key
from visitor_tracker.store import erasing, rebuilding, verdicts, vocabulary
from visitor_tracker.store import folding as tables
from visitor_tracker.store.extracts import forget_extracts
from visitor_tracker.store.facts import facts_between
from visitor_tracker.store.rollups import add_rollups, see
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visits import add_client_sessions, add_daily_visitors, mark_joined

_LEASE_SECONDS = 300.0  # while a day's numbers are made; after a kill the site is not folded for so long
_READ = 10_000  # events at once


class Rebuilt(msgspec.Struct, frozen=True):
    """A day that was made again: its events, those of robots among them, and how many rows of it changed."""

    day: int
    events: int
    robots: int
    changed: int


class RawGone(StoreError):
    """Events of the day have expired: its numbers stay as they are."""


class ZoneChanged(StoreError):
    """The site's time zone was another one on that day, so its hours are of two days now: its numbers stay."""


class LeaseLost(StoreError):
    """Somebody else has had the site meanwhile: what was made may lack what was folded, and is not stored."""


class _Made(msgspec.Struct, frozen=True):
    """What is to be stored: the day's own numbers whole, those of other days as changes."""

    hours: dict[Key, int]
    days: dict[Key, int]
    other_hours: dict[Key, int]
    other_days: dict[Key, int]
    marks: dict[Mark, int]
    before: dict[bytes, list[VisitorSession]]
    after: dict[bytes, list[VisitorSession]]
    came: set[tuple[int, bytes]]
    clients: list[tuple[bytes, bytes, int, int]]
    joined: set[tuple[bytes, bytes]]
    events: int
    robots: int
    judged: DayJudged
    signals: dict[tuple[int, bytes], int]  # by ts and id of an event, where they are to be others


class Rebuilder:
    """Makes days again; belongs to one thread."""

    def __init__(self, store: SqlStore, site_id: int, rule: Rule) -> None:
        self._store = store = store.of_site(site_id)
        self._tables = tables.FoldTables(store.database)
        self._site_id = site_id
        self._rule = rule
        self._holder = f"rebuild-{os.urandom(8).hex()}"

    def days(self) -> dict[int, bool]:
        """Return the site's days, and whether each can be made again."""
        return self._tables.read(lambda session: rebuilding.raw_days(session, self._site_id))

    def rebuild(self, day: int) -> Rebuilt:
        """Make a day again; raises RawGone or ZoneChanged where it cannot, LeaseLost, and what the store raises."""
        if not self.days().get(day, False):
            raise RawGone(f"the events of {day} are not there, or not all of them any more")
        until = int((time.time() + _LEASE_SECONDS) * 1000)
        self._tables.write(lambda session: rebuilding.take_lease(session, self._site_id, self._holder, until))
        profiles = Profiles()
        made = self._tables.read(lambda session: _Making(session, self._site_id, self._rule, profiles).make(day))
        return self._tables.write(lambda session: self._swap(session, day, made, profiles))

    def let_go(self) -> None:
        """Let the site be folded again."""
        self._tables.write(lambda session: tables.release_lease(session, self._site_id, self._holder))

    def _swap(self, session: Session, day: int, made: _Made, profiles: Profiles) -> Rebuilt:
        until = int((time.time() + _LEASE_SECONDS) * 1000)
        if not rebuilding.keep_lease(session, self._site_id, self._holder, until):
            raise LeaseLost(
                f"another rebuild of this site is under way, somebody was erased, or {day} took longer than"
                f" {_LEASE_SECONDS:.0f} s: try it again where nothing else runs"
            )
        vocabulary.add_texts(session, profiles.fresh_texts)
        site_id, hours = self._site_id, bounds(self._rule.timezone, day)
        settle(session, site_id, profiles)
        old = rebuilding.day_rows(session, site_id, day)
        rebuilding.clear_day(session, site_id, day, hours)
        add_rollups(session, "hour", site_id, made.hours)
        add_rollups(session, "hour", site_id, made.other_hours)
        add_rollups(session, "day", site_id, made.days)
        add_rollups(session, "day", site_id, made.other_days)
        changed = {key: made.days.get(key, 0) - old.get(key, 0) for key in old.keys() | made.days.keys()}
        self._change_months(session, changed | made.other_days, made.marks)
        People(session, site_id, self._rule, profiles).replace(made.after, made.before, made.after)
        if not self._rule.daily:
            add_daily_visitors(session, site_id, made.came)
        add_client_sessions(session, site_id, made.clients)
        mark_joined(session, site_id, made.joined)
        store_judged(session, site_id, day, self._rule, made.judged)
        if made.signals:
            verdicts.put_signals(session, site_id, made.signals)
            forget_extracts(session, site_id, [day])
        return Rebuilt(day, made.events, made.robots, sum(change != 0 for change in changed.values()))

    def _change_months(self, session: Session, days: dict[Key, int], marks: dict[Mark, int]) -> None:
        months: dict[Key, int] = {}
        for (dimension, value, day), number in days.items():
            key = (dimension, value, month_of(day))
            added = number if self._rule.daily else number - unpacked(number)[0] * VISITORS
            months[key] = months.get(key, 0) + added
        for key, change in see(session, self._site_id, marks).items() if marks else ():
            months[key] = months.get(key, 0) + change * VISITORS
        add_rollups(session, "month", self._site_id, months)


class _Making:
    """Makes the numbers of a day from events, in a transaction that reads."""

    def __init__(self, session: Session, site_id: int, rule: Rule, profiles: Profiles) -> None:
        self._session = session
        self._site_id = site_id
        self._rule = rule
        self._profiles = profiles
        self._people = People(session, site_id, rule, profiles)
        self._complete = {day for day, complete in rebuilding.raw_days(session, site_id).items() if complete}
        self._crawlers: dict[int, int] = {}  # context: id of the name
        self._erased = erasing.all_marks(session, site_id)
        self._signals: dict[tuple[int, bytes], int] = {}

    def make(self, day: int) -> _Made:
        facts, judged = self._judged(day, self._of_day(day))
        counts = Counts(with_marks=False)
        self._count_apart(facts, counts)
        visitors = {fact.visitor for fact in facts if fact.visitor}
        self._people.load({(day, visitor) for visitor in visitors})
        before = {visitor: self._people.sessions_of(visitor) for visitor in visitors}
        after = self._cut_again(day, facts, before)
        links = self._people.link((), before, after)
        for visitor in links.visitors() - visitors:
            before[visitor] = after[visitor] = self._people.sessions_of(visitor)
        self._people.learn(session for sessions in (*before.values(), *after.values()) for session in sessions)
        joined_before, joined_after = links.joined(before), links.joined(after)
        others = Counts(with_marks=not self._rule.daily)
        for visitor in before:
            was, now = part(visitor, before, joined_before), part(visitor, after, joined_after)
            counts.change(None, now, self._profiles)
            if was != now:
                others.change(was, now, self._profiles)
        hours = range(*bounds(self._rule.timezone, day))
        people = [fact for fact in facts if fact.visitor and not judge(fact.signals)]
        return _Made(
            {key: number for key, number in counts.hours.items() if key[2] in hours},
            {key: number for key, number in counts.days.items() if key[2] == day},
            {key: number for key, number in others.hours.items() if key[2] not in hours},
            {key: number for key, number in others.days.items() if key[2] != day},
            others.marks,
            before,
            after,
            {(day, fact.visitor) for fact in people if fact.kind in ACTIONS},
            [(fact.client, fact.visitor, day, fact.ts) for fact in people if fact.client],
            joined_after.earlier.items() - joined_before.earlier.items(),
            len(facts),
            sum(judge(fact.signals) for fact in facts),
            judged,
            self._signals,
        )

    def _judged(self, day: int, facts: list[Fact]) -> tuple[list[Fact], DayJudged]:
        """Judge the visitors of the day by what they did; return the events with the signals that follow."""
        words = words_of(self._session, self._site_id, day, self._rule)
        whom = whom_to_judge(tallies_of(facts)) | words.keys()
        of_them = [fact for fact in facts if fact.visitor in whom]
        now_ms = time.time_ns() // 1_000_000
        judged = judge_day(self._session, self._site_id, day, self._rule, of_them, words, now_ms)
        for fact in facts:
            if fact.visitor and (signals := judged.signals(fact)) != fact.signals:
                self._signals[fact.ts, fact.id] = signals
        return [self._with_signals(fact) for fact in facts], judged

    def _with_signals(self, fact: Fact) -> Fact:
        signals = self._signals.get((fact.ts, fact.id)) if self._signals else None
        return fact if signals is None else msgspec.structs.replace(fact, signals=signals)

    def _of_day(self, day: int) -> list[Fact]:
        """Read the events of a day; raises ZoneChanged."""
        timezone = self._rule.timezone
        start, end = bounds(timezone, day)
        found: list[Fact] = []
        for fact in self._around(day, day):
            if (fact.day == day or start <= fact.ts < end) and fact.day != local_day(timezone, fact.ts).number:
                raise ZoneChanged("the site had another time zone then, the numbers of that day stay as they are")
            if fact.day == day:
                found.append(fact)
        return found

    def _facts(self, first_day: int, last_day: int) -> Iterable[Fact]:
        """Read the events of some days."""
        return (fact for fact in self._around(first_day, last_day) if first_day <= fact.day <= last_day)

    def _around(self, first_day: int, last_day: int) -> Iterable[Fact]:
        """Read the events of some days, and of those beside them."""
        start = bounds(self._rule.timezone, first_day)[0] - DAY_MS  # the zone may have been another one then
        end = bounds(self._rule.timezone, last_day)[1] + DAY_MS
        after = b""
        while True:
            found = facts_between(self._session, self._site_id, start, end, _READ, after, timezone=self._rule.timezone)
            yield from map(self._with_signals, facts_that_stay(self._erased, self._site_id, found))
            if len(found) < _READ:
                return
            start, after = found[-1].ts, found[-1].id

    def _count_apart(self, facts: Iterable[Fact], counts: Counts) -> None:
        robots = [fact for fact in facts if judge(fact.signals)]
        self._learn_crawlers({fact.context for fact in robots})
        text = self._profiles.text
        alone = [fact for fact in facts if not fact.visitor and not judge(fact.signals)]
        self._learn(alone)
        for fact in facts:
            if judge(fact.signals):
                counts.robot(fact, tuple(map(text, reasons(fact.signals))), self._crawlers[fact.context])
            else:
                counts.kind(fact)
        for fact in alone:
            counts.alone(fact, self._profiles)

    def _learn(self, facts: Iterable[Fact]) -> None:
        sources, contexts = self._profiles.unknown({f.source for f in facts}, {f.context for f in facts})
        self._profiles.learn(
            vocabulary.source_bodies(self._session, sources), vocabulary.context_bodies(self._session, contexts)
        )

    def _learn_crawlers(self, contexts: Iterable[int]) -> None:
        for context, body in vocabulary.context_bodies(self._session, list(contexts)).items():
            self._crawlers[context] = self._profiles.text(decode_context(body).agent.bot)

    def _cut_again(self, day: int, facts: Iterable[Fact], before: BySession) -> dict[bytes, list[VisitorSession]]:
        """Return each visitor's sessions with those that touch the day cut again."""
        by_visitor: dict[bytes, list[Fact]] = {visitor: [] for visitor in before}
        first, last = self._window(day, before)
        around = facts if (first, last) == (day, day) else self._facts(first, last)
        for fact in around:
            if fact.visitor in by_visitor and not judge(fact.signals):
                by_visitor[fact.visitor].append(fact)
        return {visitor: self._again(day, own, before[visitor]) for visitor, own in by_visitor.items()}

    def _window(self, day: int, before: BySession) -> tuple[int, int]:
        """Return the days that visits of this day may touch."""
        if self._rule.daily:
            return day, day
        touching = [session for sessions in before.values() for session in sessions if _touches(session, day)]
        first = min([day_after(day, -1), *(session.first_day for session in touching)])
        last = max([day_after(day), *(session.last_day for session in touching)])
        return first, last

    def _again(self, day: int, facts: list[Fact], stored: Iterable[VisitorSession]) -> list[VisitorSession]:
        stay = [session for session in stored if not _touches(session, day) or not self._is_complete(session)]
        left = [fact for fact in facts if not any(_holds(session, fact) for session in stay)]
        return merge([*stay, *(session for session in cut(left) if _touches(session, day))])

    def _is_complete(self, session: VisitorSession) -> bool:
        """Say whether all events of a session are still there."""
        return self._complete.issuperset(days_between(session.first_day, session.last_day))


def _touches(session: VisitorSession, day: int) -> bool:
    return session.first_day <= day <= session.last_day


def _holds(session: VisitorSession, fact: Fact) -> bool:
    return session.first_ts <= fact.ts <= session.last_ts
