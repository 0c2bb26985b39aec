"""Events as the fold would have stored them, written with its own functions in one go."""

from collections.abc import Iterable, Sequence
from itertools import count

import msgspec

from visitor_tracker.days import day_of
from visitor_tracker.event import Agent, Event, Kind, Place, Property, Source
from visitor_tracker.ingest.bots import judge
from visitor_tracker.sessions.counts import Counts, Part
from visitor_tracker.sessions.cutting import cut
from visitor_tracker.sessions.fact import ACTIONS, Fact
from visitor_tracker.sessions.interning import fact_of
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sites import Site
from visitor_tracker.store import folding, rollups, vocabulary
from visitor_tracker.store.session import Session
from visitor_tracker.store.sql import SqlStore

DEFAULT = Site(1, "default")
ANNA, BEN, CARA = (bytes([number]) * 16 for number in (1, 2, 3))
GERMANY = Place("DE", "Bavaria", "Munich", "Example ISP")
FRANCE = Place("FR", "Île-de-France", "Paris", "")
FIREFOX = Agent("Firefox", "128", "Windows", "11", "desktop")
CHROME = Agent("Chrome", "140", "Android", "15", "mobile")
GOOGLE = Source("search", "Google", "www.google.com/")
NEWS = Source("campaign", "", "", "newsletter", "email", "spring")
DIRECT = Source()
INSIDE = Source("internal", "", "example.com/")

_numbers = count(1)


def happened(  # noqa: PLR0913
    ts: int,
    visitor: bytes = ANNA,
    url: str = "https://example.com/",
    kind: Kind = "pageview",
    *,
    site: Site = DEFAULT,
    source: Source = DIRECT,
    place: Place = GERMANY,
    agent: Agent = FIREFOX,
    session: bytes = b"",
    properties: dict[str, Property] | None = None,
    **more: object,
) -> Event:
    """Return an event of that moment, epoch ms."""
    event = Event(
        next(_numbers).to_bytes(16, "big"), kind, site.id, ts, ts, day_of(site.timezone, ts), visitor, b"", session,
        b"", url, source, place, agent, properties=properties or {},
    )  # fmt: skip
    return msgspec.structs.replace(event, **more)


def fill(store: SqlStore, events: Iterable[Event], site: Site = DEFAULT, *, daily: bool = True) -> None:
    """Store all events of a site at once; once per site and test."""
    profiles = Profiles()
    facts = [fact_of(event, site.timezone, profiles) for event in events]
    store.database.write(lambda session: _fill(session, site, facts, profiles, daily=daily))


def _fill(session: Session, site: Site, facts: Sequence[Fact], profiles: Profiles, *, daily: bool) -> None:
    vocabulary.add_texts(session, profiles.fresh_texts)
    vocabulary.add_sources(session, profiles.fresh_sources)
    vocabulary.add_contexts(session, profiles.fresh_contexts)
    folding.add_facts(session, site.id, facts)
    of_people = [fact for fact in facts if fact.visitor and not judge(fact.signals)]
    counts = Counts(with_marks=not daily)
    for visitor in sorted({fact.visitor for fact in of_people}):
        visits = cut([fact for fact in of_people if fact.visitor == visitor])
        folding.put_sessions(session, site.id, [(visitor, visit) for visit in visits])
        counts.change(None, Part(visitor, tuple(visits)), profiles)
    folding.add_client_sessions(
        session, site.id, [(fact.client, fact.visitor, fact.day, fact.ts) for fact in of_people if fact.client]
    )
    if not daily:
        came = {(fact.day, fact.visitor) for fact in of_people if fact.kind in ACTIONS}
        folding.add_daily_visitors(session, site.id, came)
    rollups.add_rollups(session, "day", site.id, counts.days)
