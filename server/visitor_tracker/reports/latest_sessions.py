"""The newest sessions of sites, and where one of them clicked: what a website-analytics server of old lists."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from visitor_tracker.http.url import normalise
from visitor_tracker.reports.timeline import Timeline, TimelineEvent, visit_id
from visitor_tracker.reports.visitors import Scope, newest_hashes, since_of
from visitor_tracker.reports.words import Words, agent_name, iso
from visitor_tracker.sessions.session import GAP_MS, VisitorSession
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import sessions_in

Status = Literal["active", "ended"]

GRID_PX = 10
_CELLS_MOST = 10_000


class ListedSession(msgspec.Struct, frozen=True):
    """A session; `active`: it may go on yet. `GET /sessions/{session_id}` has its events."""

    session_id: str
    site_id: str  # the site's name
    visitor_id: str
    status: Status
    started_at: str
    last_activity: str
    ended_at: str | None
    duration_seconds: float
    engaged_seconds: float
    pageviews: int
    events: int
    entry_page: str
    exit_page: str
    country: str
    browser: str
    os: str
    device: str


class Cell(msgspec.Struct, frozen=True):
    """A square of the page; x and y are its upper left corner, in pixels."""

    x: int
    y: int
    count: int


class SessionHeat(msgspec.Struct, frozen=True):
    session_id: str
    page_url: str
    grid_size: int
    total: int
    points: tuple[Cell, ...]


_Found = tuple[Scope, bytes, VisitorSession]


def latest_sessions(
    session: Session, scopes: Iterable[Scope], now: int, limit: int, status: Status | None
) -> list[ListedSession]:
    """Return sessions of the last 30 days, the newest first, of one status or of both."""
    found = [each for scope in scopes for each in _newest(session, scope, now, limit, status)]
    found.sort(key=lambda each: (-each[2].last_ts, each[1]))
    found = found[:limit]
    words = Words(session)
    words.learn(
        texts=[mark.page for _, _, visit in found for mark in (visit.entry, visit.exit) if mark is not None],
        contexts=[visit.head.context for _, _, visit in found],
    )
    return [_listed(*each, now, words) for each in found]


def _newest(session: Session, scope: Scope, now: int, limit: int, status: Status | None) -> list[_Found]:
    """Return at least the `limit` newest sessions of that status: they are among those of as many newest visitors.

    Of those that have ended whoever is still here may hide some: then more visitors are looked at.
    """
    since, most = since_of(scope, now), limit
    while True:
        wanted = newest_hashes(session, scope, now, most)
        keys = [(bucket, visitor) for bucket, visitors in wanted.items() for visitor in visitors]
        found = [
            (scope, visitor, visit)
            for _, visitor, visit in sessions_in(session, scope.site.id, keys)
            if visit.is_visit and visit.last_ts >= since and status in (None, status_of(visit, now))
        ]
        if status != "ended" or len(found) >= limit or len({visitor for _, visitor in keys}) < most:
            return found
        most *= 4


def status_of(visit: VisitorSession, now: int) -> Status:
    return "active" if now - visit.last_ts <= GAP_MS else "ended"


def heat_of(found: Timeline, page_url: str) -> SessionHeat:
    """Return the clicks of a session in squares, the warmest first; of one page where `page_url` names one."""
    page = _page(page_url)
    clicks = [event for event in found.events if event.type == "click"]
    places = [_square(event) for event in clicks if not page or _page(event.href) == page]
    cells = Counter(place for place in places if place is not None)
    warmest = sorted(cells.items(), key=lambda item: (-item[1], item[0]))[:_CELLS_MOST]
    points = tuple(Cell(x, y, count) for (x, y), count in warmest)
    return SessionHeat(found.session_id, page_url, GRID_PX, cells.total(), points)


def _square(click: TimelineEvent) -> tuple[int, int] | None:
    """Return the corner of the square in which a click was, None where it does not say."""
    x, y = (click.element.get(name) for name in ("x", "y"))
    if not isinstance(x, int | float) or not isinstance(y, int | float) or isinstance(x, bool) or isinstance(y, bool):
        return None
    return int(x // GRID_PX) * GRID_PX, int(y // GRID_PX) * GRID_PX


def _page(url: str) -> str:
    """Return an address as events have it, without query and fragment."""
    try:
        return normalise(url).partition("?")[0]
    except ValueError:
        return url


def _listed(scope: Scope, visitor: bytes, visit: VisitorSession, now: int, words: Words) -> ListedSession:
    context, status = words.context(visit.head.context), status_of(visit, now)
    return ListedSession(
        session_id=visit_id(visitor, visit),
        site_id=scope.site.name,
        visitor_id=visitor.hex(),
        status=status,
        started_at=iso(visit.first_ts),
        last_activity=iso(visit.last_ts),
        ended_at=iso(visit.last_ts) if status == "ended" else None,
        duration_seconds=(visit.last_ts - visit.first_ts) / 1000,
        engaged_seconds=visit.engaged_ms / 1000,
        pageviews=visit.views,
        events=sum(part.times for part in visit.acted),
        entry_page=words.text(visit.entry.page) if visit.entry else "",
        exit_page=words.text(visit.exit.page) if visit.exit else "",
        country=context.place.country,
        browser=agent_name(msgspec.structs.replace(context.agent, os="")),
        os=f"{context.agent.os} {context.agent.os_version}".strip(),
        device=context.agent.device,
    )
