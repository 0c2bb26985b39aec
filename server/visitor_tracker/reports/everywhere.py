"""What is asked of several sites at once, some of which may have a database of their own."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from visitor_tracker.reports.latest_sessions import ListedSession, Status, latest_sessions
from visitor_tracker.reports.recordings import HashSession, find_recording
from visitor_tracker.reports.timeline import Timeline, timeline
from visitor_tracker.reports.visitors import (
    LIMIT_MOST,
    CountryName,
    Person,
    Scope,
    Visitor,
    VisitorStats,
    listed,
    named,
    newest,
    shown,
    summed,
    totals_of,
)
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import by_database
from visitor_tracker.store.replay import RecordedSession
from visitor_tracker.store.session import Database, Session, T

S = TypeVar("S")


def all_visitors(
    database: Database, scopes: Sequence[Scope], now: int, country_name: CountryName, limit: int
) -> list[Visitor]:
    """Return the visitors of these sites, the newest first; an address that several sites saw is one visitor."""
    found = _of_scopes(database, scopes, partial(_newest, now=now, limit=limit, with_paths=True))
    return listed([person for people in found for person in people], country_name, limit)


def any_visitor(
    database: Database, scopes: Sequence[Scope], now: int, country_name: CountryName, ip: str
) -> Visitor | None:
    """Return the visitor with that address, or with a hash that begins so; None where there is none."""
    found = _of_scopes(database, scopes, lambda session, own: named(session, own, now, ip))
    return shown([person for people in found for person in people], country_name)


def all_stats(database: Database, scopes: Sequence[Scope], now: int, country_name: CountryName) -> VisitorStats:
    """Return how many visitors these sites have, and who of the newest came from where and most often."""
    totals = _of_scopes(database, scopes, lambda session, own: [totals_of(session, each, now) for each in own])
    people = _of_scopes(database, scopes, partial(_newest, now=now, limit=LIMIT_MOST, with_paths=False))
    return summed([each for own in totals for each in own], [one for own in people for one in own], country_name)


def all_sessions(
    database: Database, scopes: Sequence[Scope], now: int, limit: int, status: Status | None
) -> list[ListedSession]:
    """Return sessions of the last 30 days, the newest first, of one status or of both."""
    found = _of_scopes(database, scopes, lambda session, own: latest_sessions(session, own, now, limit, status))
    every = [each for own in found for each in own]
    return sorted(every, key=lambda each: each.last_activity, reverse=True)[:limit]  # stable, and as they came


def any_timeline(
    database: Database, sites: Sequence[Site], session_id: str, hash_session: HashSession, robots: int
) -> Timeline | None:
    """Return the session of that id, of the first of these sites that has it; None where there is none."""

    def work(session: Session, own: Sequence[Site]) -> Timeline | None:
        return timeline(session, own, session_id, hash_session, robots)

    return _first(database, sites, work)


def any_recording(
    database: Database, sites: Sequence[Site], session_id: str, hash_session: HashSession
) -> tuple[Site, RecordedSession] | None:
    """Return the recording of a session, of the first of these sites that has it; None where there is none."""
    return _first(database, sites, lambda session, own: find_recording(session, own, session_id, hash_session))


def _newest(session: Session, scopes: Sequence[Scope], *, now: int, limit: int, with_paths: bool) -> list[Person]:
    return newest(session, scopes, now, limit, with_paths=with_paths)


def _of_scopes(database: Database, scopes: Sequence[Scope], work: Callable[[Session, Sequence[Scope]], T]) -> list[T]:
    """Return what each database says of its sites."""
    by_id = {scope.site.id: scope for scope in scopes}
    groups = by_database(database, by_id)
    return [found.read(_of(work, [by_id[site_id] for site_id in ids])) for found, ids in groups]


def _first(database: Database, sites: Sequence[Site], work: Callable[[Session, Sequence[Site]], T | None]) -> T | None:
    by_id = {site.id: site for site in sites}
    for found, ids in by_database(database, by_id):
        answer = found.read(_of(work, [by_id[site_id] for site_id in ids]))
        if answer is not None:
            return answer
    return None


def _of(work: Callable[[Session, Sequence[S]], T], some: Sequence[S]) -> Callable[[Session], T]:
    return lambda session: work(session, some)
