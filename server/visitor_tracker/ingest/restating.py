"""Take some visitors of a day out of its numbers, or back into them, without making the whole day again.

    events of those to judge ─▶ verdicts ─▶ events whose signals change
        what these were counted as ─┐
        what they are to be now    ─┴▶ the difference ─▶ rollups, sessions, signals, verdicts: one transaction

Meanwhile the site's lease is held, as in a rebuild, but for moments: a busy site goes on being folded. Only for sites
whose visitors live for a day; of others `rebuild` knows what a day before or after has to do with it.
"""

import os
import time
from collections.abc import Iterable

import msgspec

from visitor_tracker.days import bounds, month_of
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.ingest.deltas import settle
from visitor_tracker.ingest.erased import facts_that_stay
from visitor_tracker.ingest.judging import store_judged
from visitor_tracker.ingest.judging_facts import JudgedFacts, judge_facts, state_of
from visitor_tracker.ingest.people import BySession, People, Rule, part
from visitor_tracker.ingest.rebuild import LeaseLost, RawGone, Rebuilt, ZoneChanged
from visitor_tracker.sessions.counts import Counts
from visitor_tracker.sessions.cutting import cut
from visitor_tracker.sessions.fact import Fact, decode_context
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sessions.sums import Key
from visitor_tracker.sites import Site
from visitor_tracker.store import erasing, rebuilding, verdicts, vocabulary
from visitor_tracker.store import folding as tables
from visitor_tracker.store.extracts import forget_extracts
from visitor_tracker.store.rollups import add_rollups
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.verdicts import JudgedDay
from visitor_tracker.store.visits import add_client_sessions, mark_joined

_LEASE_SECONDS = 120.0  # after a kill the site is not folded for so long

Pairs = tuple[tuple[Fact, Fact], ...]  # an event as it was counted, and as it is to be


class _Change(msgspec.Struct, frozen=True):
    """What is to be stored, as differences."""

    hours: dict[Key, int]
    days: dict[Key, int]
    before: dict[bytes, list[VisitorSession]]
    after: dict[bytes, list[VisitorSession]]
    joined: set[tuple[bytes, bytes]]


class Restater:
    """Belongs to one thread."""

    def __init__(self, store: SqlStore, site: Site, rule: Rule) -> None:
        self._store = store = store.of_site(site.id)
        self._tables = tables.FoldTables(store.database)
        self._site = site
        self._rule = rule
        self._holder = f"restate-{os.urandom(8).hex()}"

    def restate(self, judged: JudgedFacts, note: JudgedDay) -> Rebuilt:
        """Count a day by its verdicts; raises RawGone or ZoneChanged where it cannot, LeaseLost, and more.

        It is judged again where anything has come meanwhile. `note` is stored with the events that it has by then.
        """
        day = judged.day
        site_id = self._site.id
        complete = self._tables.read(lambda session: rebuilding.raw_days(session, site_id))
        if not complete.get(day, False):
            raise RawGone(f"the events of {day} are not there, or not all of them any more")
        self._tables.write(lambda session: rebuilding.take_lease(session, site_id, self._holder, _until()))
        try:
            now = self._now(judged, note.at)
            profiles = Profiles()
            making = _Making(self._site, self._rule, day, profiles)
            pairs, change = self._tables.read(lambda session: making.make(session, now))
            self._tables.write(lambda session: self._apply(session, now, pairs, change, profiles, note))
        finally:
            self._tables.write(lambda session: tables.release_lease(session, site_id, self._holder))
        robots = sum(judge(now.signals) for _, now in pairs)
        return Rebuilt(day, len(now.facts), robots, len(pairs))

    def _now(self, judged: JudgedFacts, now_ms: int) -> JudgedFacts:
        """Return what was judged, or that of now where something has come; with the lease in hand nothing more does."""
        database = self._store.database
        state = database.read(lambda session: state_of(session, self._site, self._rule, judged.day))
        if state == (judged.events, judged.verdicts.words):
            return judged
        found = judge_facts(database, self._site, self._rule, judged.day, now_ms)
        assert found is not None  # nobody said to stop
        return found

    def _apply(  # noqa: PLR0913 - what to store
        self,
        session: Session,
        judged: JudgedFacts,
        pairs: Pairs,
        change: _Change,
        profiles: Profiles,
        note: JudgedDay,
    ) -> None:
        site_id, day = self._site.id, judged.day
        if not rebuilding.keep_lease(session, site_id, self._holder, _until()):
            raise LeaseLost("the site is being rebuilt, or somebody was erased: it is tried again")
        vocabulary.add_texts(session, profiles.fresh_texts)
        settle(session, site_id, profiles)
        add_rollups(session, "hour", site_id, change.hours)
        add_rollups(session, "day", site_id, change.days)
        months: dict[Key, int] = {}
        for (dimension, value, period), number in change.days.items():
            key = (dimension, value, month_of(period))
            months[key] = months.get(key, 0) + number
        add_rollups(session, "month", site_id, {key: number for key, number in months.items() if number})
        People(session, site_id, self._rule, profiles).replace(change.after, change.before, change.after)
        people = [now for _, now in pairs if not judge(now.signals) and now.client]
        add_client_sessions(session, site_id, [(fact.client, fact.visitor, day, fact.ts) for fact in people])
        mark_joined(session, site_id, change.joined)
        verdicts.put_signals(session, site_id, {(now.ts, now.id): now.signals for _, now in pairs})
        forget_extracts(session, site_id, [day])
        events = verdicts.events_of(session, site_id, day, day).get(day, 0)
        verdicts.put_judged(session, site_id, day, note._replace(events=events))
        store_judged(session, site_id, day, self._rule, judged.verdicts)


class _Making:
    """Makes the differences of one day."""

    def __init__(self, site: Site, rule: Rule, day: int, profiles: Profiles) -> None:
        self._site = site
        self._rule = rule
        self._day = day
        self._profiles = profiles

    def make(self, session: Session, judged: JudgedFacts) -> tuple[Pairs, _Change]:
        site_id = self._site.id
        facts = list(facts_that_stay(erasing.all_marks(session, site_id), site_id, judged.facts))
        pairs = tuple(
            (fact, msgspec.structs.replace(fact, signals=signals))
            for fact in facts
            if (signals := judged.verdicts.signals(fact)) != fact.signals
        )
        return pairs, self._change(session, facts, pairs)

    def _change(self, session: Session, facts: list[Fact], pairs: Pairs) -> _Change:
        visitors = {fact.visitor for fact, _ in pairs}
        becomes = {(was.ts, was.id): now for was, now in pairs}
        people = People(session, self._site.id, self._rule, self._profiles)
        people.load({(self._day, visitor) for visitor in visitors})
        before = {visitor: people.sessions_of(visitor) for visitor in visitors}
        self._check_zone(before)
        now = [becomes.get((fact.ts, fact.id), fact) for fact in facts if fact.visitor in visitors]
        after = _sessions(now, visitors)
        links = people.link((), before, after)
        for visitor in links.visitors() - visitors:
            before[visitor] = after[visitor] = people.sessions_of(visitor)
        people.learn(each for sessions in (*before.values(), *after.values()) for each in sessions)
        joined_before, joined_after = links.joined(before), links.joined(after)
        counts = Counts(with_marks=False)
        for visitor in before:
            counts.change(part(visitor, before, joined_before), part(visitor, after, joined_after), self._profiles)
        apart = [self._apart(session, [pair[which] for pair in pairs]) for which in (0, 1)]
        return _Change(
            _sum(counts.hours, apart[1].hours, apart[0].hours),
            _sum(counts.days, apart[1].days, apart[0].days),
            before,
            after,
            joined_after.earlier.items() - joined_before.earlier.items(),
        )

    def _check_zone(self, before: BySession) -> None:
        """Raise ZoneChanged where a visit of the day lies beside what is the day by the site's time zone of today."""
        start, end = bounds(self._rule.timezone, self._day)
        for sessions in before.values():
            if any(each.first_ts < start or each.last_ts >= end for each in sessions):
                raise ZoneChanged("the site had another time zone then, the numbers of that day stay as they are")

    def _apart(self, session: Session, facts: list[Fact]) -> Counts:
        """Return what events count for by themselves: their kinds, or why they are robots'."""
        counts, text = Counts(with_marks=False), self._profiles.text
        contexts = vocabulary.context_bodies(session, {fact.context for fact in facts if judge(fact.signals)})
        crawlers = {number: text(decode_context(body).agent.bot) for number, body in contexts.items()}
        for fact in facts:
            if judge(fact.signals):
                counts.robot(fact, tuple(map(text, reasons(fact.signals))), crawlers[fact.context])
            else:
                counts.kind(fact)
        return counts


def _sessions(facts: Iterable[Fact], visitors: Iterable[bytes]) -> dict[bytes, list[VisitorSession]]:
    by_visitor: dict[bytes, list[Fact]] = {visitor: [] for visitor in visitors}
    for fact in facts:
        if not judge(fact.signals):
            by_visitor[fact.visitor].append(fact)
    return {visitor: cut(own) for visitor, own in by_visitor.items()}


def _sum(changed: dict[Key, int], now: dict[Key, int], was: dict[Key, int]) -> dict[Key, int]:
    """Return what comes to the rollups: what visits changed, and what events count as now, less that of before."""
    found = dict(changed)
    for numbers, sign in ((now, 1), (was, -1)):
        for key, number in numbers.items():
            found[key] = found.get(key, 0) + sign * number
    return {key: number for key, number in found.items() if number}


def _until() -> int:
    return int((time.time() + _LEASE_SECONDS) * 1000)
