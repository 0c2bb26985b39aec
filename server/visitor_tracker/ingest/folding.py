"""One transaction of the fold: what the events of some inbox rows change in the tables.

    facts ─▶ new ids only ─▶ events
               ├ robots            ─▶ counted apart, by reason
               ├ without a visitor ─▶ counted alone
               └ by visitor        ─▶ sessions as they were ─┐
                                      sessions with them    ─┴▶ contribution(after) - contribution(before) ─▶ rollups

Everything that depends on a visitor's other events is read here, inside the transaction, where no other folder
writes for the site.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from visitor_tracker.event import RawEvent, decode_agent, decode_place
from visitor_tracker.ingest.deltas import add_counts, put_off, take_deltas
from visitor_tracker.ingest.people import BySession, Grown, Links, People, Rule, part
from visitor_tracker.ingest.tabs import tabs_of
from visitor_tracker.measures import VISITORS
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.fact import ACTIONS, Fact
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.sums import Sums
from visitor_tracker.store.facts import add_facts
from visitor_tracker.store.folding import note_days
from visitor_tracker.store.inbox import add_days
from visitor_tracker.store.ip_records import IpRecord, merge_ip_records
from visitor_tracker.store.quality import add_tabs
from visitor_tracker.store.rollups import see
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import add_client_sessions, add_daily_visitors, mark_joined


class Robot(msgspec.Struct, frozen=True, gc=False):
    """Why an event is a robot's, as ids of texts, and which robot's, 0 where that is not known."""

    reasons: tuple[int, ...]
    crawler: int


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """An event of the inbox, its fact, and what makes it a robot's."""

    event: RawEvent
    fact: Fact
    robot: Robot | None


class Changes:
    """What the events of one transaction change; made for one site, used once."""

    def __init__(self, session: Session, site_id: int, rule: Rule, profiles: Profiles) -> None:
        self._session = session
        self._site_id = site_id
        self._rule = rule
        self._profiles = profiles
        self._counts = Counts(with_marks=not rule.daily)
        self._people = People(session, site_id, rule, profiles)

    def add(self, events: Sequence[Prepared]) -> None:
        """Bring the events, all of them new, into every table."""
        if not events:
            return
        add_facts(self._session, self._site_id, [event.fact for event in events])
        self._count_apart(events)
        people = [event.fact for event in events if event.robot is None and event.fact.visitor]
        if people:
            self._count_visits(people)
            self._note_visitors(people)
        self._note_days(events)
        self._note_tabs(events)

    def put_off(self, delta_id: bytes) -> Sums | None:
        """Leave the rollups to a later transaction, if that may be, and return what they are to become more by."""
        sums = self._counts.sums
        if self._rule.daily and put_off(self._session, self._site_id, delta_id, sums):
            return sums
        return None

    def write(self, deltas: Mapping[bytes, Sums]) -> None:
        """Change the rollups, also by what was put off; of that `deltas` is what need not be read again."""
        session, site_id, counts = self._session, self._site_id, self._counts
        before = take_deltas(session, site_id, deltas, self._profiles)
        if before is not None and self._rule.daily:
            counts.add(before.sums, self._profiles)
        elif before is not None:  # the site's policy has been changed since
            add_counts(session, site_id, before, {}, daily=True)
        seen = see(session, site_id, counts.marks) if counts.marks else {}
        months = {key: change * VISITORS for key, change in seen.items()}
        add_counts(session, site_id, counts, months, daily=self._rule.daily)

    def _count_apart(self, events: Iterable[Prepared]) -> None:
        """Count what needs to know no other event."""
        counts, profiles = self._counts, self._profiles
        for event in events:
            if event.robot is not None:
                counts.robot(event.fact, event.robot.reasons, event.robot.crawler)
                continue
            counts.kind(event.fact)
            if not event.fact.visitor:
                counts.alone(event.fact, profiles)

    def _count_visits(self, facts: Sequence[Fact]) -> None:
        by_visitor: dict[bytes, list[Fact]] = {}
        for fact in facts:
            by_visitor.setdefault(fact.visitor, []).append(fact)
        people = self._people
        people.load({(fact.day, fact.visitor) for fact in facts})
        grown = people.with_new(by_visitor)
        before, after = grown.before, grown.after
        links = people.link(facts, before, after)
        linked = links.visitors()
        for visitor in linked - by_visitor.keys():
            before[visitor] = after[visitor] = people.sessions_of(visitor)
        people.learn(session for sessions in before.values() for session in sessions)
        self._count_alone([visitor for visitor in by_visitor if visitor not in linked], grown)
        if linked:
            self._count_linked(by_visitor.keys(), links, before, after)
        people.replace(by_visitor, before, after)

    def _count_alone(self, visitors: Iterable[bytes], grown: Grown) -> None:
        """Count visitors of whom no visit can be joined with another hash's."""
        counts, profiles = self._counts, self._profiles
        for visitor in visitors:
            was, now = grown.before[visitor], grown.after[visitor]
            if (more := grown.gone_on.get(visitor)) is not None:
                counts.go_on(visitor, was[0], more, profiles)
            elif not was and len(now) == 1:
                counts.begin(visitor, now[0], profiles)
            else:
                counts.change(Part(visitor, tuple(was)) if was else None, Part(visitor, tuple(now)), profiles)

    def _count_linked(self, new: Collection[bytes], links: Links, before: BySession, after: BySession) -> None:
        joined_before, joined_after = links.joined(before), links.joined(after)
        for visitor in links.visitors():
            was, now = part(visitor, before, joined_before), part(visitor, after, joined_after)
            if visitor in new or was != now:  # of the others, only whom a visit is shared with
                self._counts.change(was, now, self._profiles)
        if joined := joined_after.earlier.items() - joined_before.earlier.items():
            mark_joined(self._session, self._site_id, joined)

    # Notes.

    def _note_visitors(self, facts: Sequence[Fact]) -> None:
        clients: dict[tuple[bytes, bytes, int], int] = {}
        for fact in facts:
            if fact.client:
                key = (fact.client, fact.visitor, fact.day)
                clients[key] = min(clients.get(key, fact.ts), fact.ts)
        if clients:
            add_client_sessions(self._session, self._site_id, [(*key, ts) for key, ts in clients.items()])
        if not self._rule.daily:
            came = {(fact.day, fact.visitor) for fact in facts if fact.kind in ACTIONS}
            add_daily_visitors(self._session, self._site_id, came)

    def _note_days(self, events: Sequence[Prepared]) -> None:
        note_days(self._session, self._site_id, {event.fact.day for event in events})
        # The drainer has noted all but those that the page counter counted at once.
        counted = [event.fact for event in events if event.event.counted and event.fact.visitor]
        if counted:
            add_days(self._session, [(self._site_id, fact.visitor, fact.day, fact.ts) for fact in counted])
        records = [record for event in events if (record := _ip_record(event)) is not None]
        if records:
            merge_ip_records(self._session, self._site_id, records)

    def _note_tabs(self, events: Iterable[Prepared]) -> None:
        told = [event.event for event in events if event.event.tab]
        if told:
            add_tabs(self._session, self._site_id, tabs_of(told, time.time_ns() // 1_000_000))


def _ip_record(event: Prepared) -> IpRecord | None:
    """Return what an event says of its address, where the site's policy has kept it."""
    sent = event.event
    if not sent.ip:
        return None
    place, is_view = decode_place(sent.place), sent.kind == "pageview"
    what = decode_agent(sent.agent)
    agent = sent.user_agent or " ".join(filter(None, (what.browser, what.browser_version, what.os)))
    return IpRecord(
        sent.ip,
        sent.ts,
        sent.ts,
        int(is_view),
        place.country,
        place.region,
        place.city,
        place.organisation,
        (f"GET {urlsplit(sent.url).path or '/'}",) if is_view else (),
        (agent,) if agent else (),
    )
