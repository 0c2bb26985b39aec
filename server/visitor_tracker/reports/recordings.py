"""Recorded sessions as readers see them.

A recording is named by the session id that its pages gave, or by that id's hash in hex, which is all that is stored.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.replay import RecordedSession, recorded
from visitor_tracker.store.session import Session

HashSession = Callable[[Site, str], bytes]

_HASH = re.compile("[0-9a-f]{32}").fullmatch


class Shown(msgspec.Struct, frozen=True):
    """A recorded session in a list; times are those of arrival."""

    session: str  # under which it is found
    site: str
    page: str  # on which it began
    started_at: str
    ended_at: str
    seconds: float
    viewport: str
    chunks: int
    events: int
    bytes: int
    url: str  # of the player


class InTimeline(msgspec.Struct, frozen=True):
    """What a session's timeline tells of its recording."""

    chunks: int
    events: int
    started_at: str
    ended_at: str
    url: str


def hashes_of(site: Site, session_id: str, hash_session: HashSession) -> list[bytes]:
    """Return what the session of that id may be stored under."""
    own = hash_session(site, session_id)
    found = [own] if own else []
    return [*found, bytes.fromhex(session_id)] if _HASH(session_id) else found


def find_recording(
    session: Session, sites: Iterable[Site], session_id: str, hash_session: HashSession
) -> tuple[Site, RecordedSession] | None:
    """Return the recording of a session, of the first of these sites that has it; None where there is none."""
    for site in sites:
        for hashed in hashes_of(site, session_id, hash_session):
            found = recorded(session, site.id, hashed)
            if found is not None:
                return site, found
    return None


def shown(site: Site, found: RecordedSession) -> Shown:
    name = found.session.hex()
    return Shown(
        session=name,
        site=site.name,
        page=found.url,
        started_at=iso(found.first_at),
        ended_at=iso(found.last_at),
        seconds=(found.last_at - found.first_at) / 1000,
        viewport=found.viewport,
        chunks=found.chunks,
        events=found.events,
        bytes=found.size,
        url=player_url(found),
    )


def in_timeline(found: RecordedSession) -> InTimeline:
    return InTimeline(found.chunks, found.events, iso(found.first_at), iso(found.last_at), player_url(found))


def player_url(found: RecordedSession) -> str:
    return f"/replay/{found.session.hex()}"
