"""Events of a site as a person writes them in a test, and what a fold makes of all of them at once."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from visitor_tracker.days import bounds, day_of
from visitor_tracker.event import Agent, Event, Kind, Place, Source
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.measures import VISITORS
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import continues, cut
from visitor_tracker.sessions.fact import ACTIONS, Fact
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import Site
from visitor_tracker.store import vocabulary
from visitor_tracker.store.facts import add_facts
from visitor_tracker.store.folding import note_days
from visitor_tracker.store.rollups import add_rollups, see
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visits import Link, add_daily_visitors, add_links, put_sessions

MINUTE = 60_000
GERMANY = Place("DE", "Bavaria", "Munich", "Example Net")
FRANCE = Place("FR", "Brittany", "Rennes")
FIREFOX = Agent("Firefox", "128", "Linux", "", "desktop")
SAFARI = Agent("Safari", "18", "iOS", "18", "mobile")
GOOGLE = Source("search", "Google", "google.com/")
NEWS = Source("email", "news", utm_source="news", utm_medium="email", utm_campaign="may")
INSIDE = Source("internal")

_PLAIN = Event(
    id=bytes(16), kind="pageview", site_id=1, ts=0, at=0, day=0, visitor=b"", previous=b"", session=b"", person=b"",
    url="", source=Source(), place=Place(), agent=Agent(),
)  # fmt: skip


def who(name: str) -> bytes:
    """Return a visitor's hash; nobody's for ""."""
    return blake2b(name.encode(), digest_size=16).digest() if name else b""


def event(  # noqa: PLR0913 - the rest by keyword
    site: Site,
    ts: int,
    visitor: str = "",
    page: str = "/",
    kind: Kind = "pageview",
    *,
    host: str = "a.test",
    **more: object,
) -> Event:
    """Return an event; its id is made from what it is."""
    made = msgspec.structs.replace(
        _PLAIN,
        kind=kind,
        site_id=site.id,
        ts=ts,
        at=ts,
        day=day_of(site.timezone, ts),
        visitor=who(visitor),
        url=f"https://{host}{page}",
        **more,
    )
    return msgspec.structs.replace(made, id=blake2b(msgspec.msgpack.encode(made), digest_size=16).digest())


def fold(store: SqlStore, site: Site, events: Iterable[Event], *, daily: bool = True) -> None:
    """Write what these events, all that the site has, come to."""
    profiles = Profiles()
    facts = [fact_of(each, site.timezone, profiles) for each in {each.id: each for each in events}.values()]
    counts = Counts(with_marks=not daily)
    by_visitor: dict[bytes, list[Fact]] = {}
    for fact in facts:
        if judge(fact.signals):
            counts.robot(fact, [profiles.text(reason) for reason in reasons(fact.signals)], profiles.text("Examplebot"))
            continue
        counts.kind(fact)
        if fact.visitor:
            by_visitor.setdefault(fact.visitor, []).append(fact)
        else:
            counts.alone(fact, profiles)
    sessions = {visitor: cut(own) for visitor, own in by_visitor.items()}
    joined = dict(_joined(site, facts, sessions))
    followed = {previous: visitor for visitor, previous in joined.items()}
    for visitor, own in sessions.items():
        before = sessions[joined[visitor]][-1] if visitor in joined else None
        after = sessions[followed[visitor]][0] if visitor in followed else None
        counts.change(None, Part(visitor, tuple(own), before, after), profiles)

    def work(session: Session) -> None:
        add_facts(session, site.id, facts)
        note_days(session, site.id, {fact.day for fact in facts})
        put_sessions(session, site.id, [(visitor, each) for visitor, own in sessions.items() for each in own])
        add_links(session, site.id, [Link(*pair, 0, True) for pair in joined.items()])
        if not daily:
            came = {(fact.day, fact.visitor) for own in by_visitor.values() for fact in own if fact.kind in ACTIONS}
            add_daily_visitors(session, site.id, came)
        _write(session, site, counts, profiles, daily=daily)

    store.database.write(work)


def _joined(
    site: Site, facts: Iterable[Fact], sessions: dict[bytes, list[VisitorSession]]
) -> Iterable[tuple[bytes, bytes]]:
    for visitor, previous in sorted({(fact.visitor, fact.previous) for fact in facts if fact.previous}):
        if visitor in sessions and previous in sessions:
            earlier = sessions[previous][-1]
            if continues(sessions[visitor][0], earlier, bounds(site.timezone, earlier.first_day)[0]):
                yield visitor, previous


def _write(session: Session, site: Site, counts: Counts, profiles: Profiles, *, daily: bool) -> None:
    add_rollups(session, "hour", site.id, counts.hours)
    add_rollups(session, "day", site.id, counts.days)
    months = counts.months(daily)
    for key, change in see(session, site.id, counts.marks).items():
        months[key] = months.get(key, 0) + change * VISITORS
    add_rollups(session, "month", site.id, months)
    vocabulary.add_texts(session, profiles.fresh_texts)
    vocabulary.add_sources(session, profiles.fresh_sources)
    vocabulary.add_contexts(session, profiles.fresh_contexts)
