"""One session: who, from where, with what, and everything that happened in it, in order.

A session is named in one of two ways:

    the page's own session id ──hash──▶ client_sessions ──▶ the visits that have it ──▶ their events
    our id, VISITOR-MOMENT ─────────────────────────────▶ the visit of that moment ──▶ its events

The page's own id, or its hash in hex, may name a recording too. One without events is a session like any other: its
pages may have been counted by another tracker.

A visit is found by its moment, not by its first one alone: an event that arrives late may begin it earlier.
"""

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from visitor_tracker.days import day_after, day_of
from visitor_tracker.event import KINDS, Property, Source
from visitor_tracker.reports.recordings import InTimeline, hashes_of, in_timeline
from visitor_tracker.reports.words import Words, agent_name, iso
from visitor_tracker.sessions.fact import Rest, decode_rest
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import Site
from visitor_tracker.store import people
from visitor_tracker.store.people import EventRow
from visitor_tracker.store.replay import RecordedSession, recorded
from visitor_tracker.store.session import Session
from visitor_tracker.store.visits import sessions_in

EVENTS_MOST = 10_000
_VISITS_MOST = 20  # that one id of a page's can name
_SPAN_MOST_MS = 86_400_000  # all of a site's events in the span are read: the rest of a longer visit is not shown
_STEP_MS = 900_000  # of the span in one statement
_OWN_ID = re.compile(r"([0-9a-f]{32})-([0-9]{1,14})").fullmatch
_CLICKED = ("tag", "id", "class", "x", "y")  # what clients of old tell of a click

HashSession = Callable[[Site, str], bytes]


class Viewport(msgspec.Struct, frozen=True):
    width: int
    height: int


class TimelineEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event, by the names under which the analytics script of old sends it; what it did not tell is left out."""

    type: str
    timestamp: str
    id: str
    href: str = ""
    referrer: str = ""
    title: str = ""
    name: str = ""
    target: str = ""
    viewport: Viewport | None = None
    text: str = ""
    element: dict[str, Property] = {}  # of a click
    data: dict[str, Property] = {}
    person: str = ""  # hash of the id that identify gave
    engaged_ms: int = 0
    scroll: int = 0
    value: float | None = None
    currency: str = ""


class Timeline(msgspec.Struct, frozen=True):
    """A session with its events; `truncated` says that there are more than are shown."""

    session_id: str  # as it was asked for
    site: str
    visits: list[str]  # our own ids
    visitor: str
    started_at: str
    ended_at: str
    duration_seconds: float
    engaged_seconds: float
    country: str
    region: str
    city: str
    browser: str
    os: str
    device: str
    language: str
    screen: str
    source: dict[str, str]
    pageviews: int
    identify_events: int
    custom_events: int
    click_events: int
    rrweb_events: int
    total_events: int
    truncated: bool
    events: list[TimelineEvent]
    replay: InTimeline | None = None


class _Found(msgspec.Struct, frozen=True):
    """The visits that an id names, in time order, and the hash that their events must have, if any."""

    visits: list[tuple[bytes, VisitorSession]]
    client: bytes = b""


def timeline(
    session: Session, sites: Iterable[Site], session_id: str, hash_session: HashSession, robots: int
) -> Timeline | None:
    """Return the session of that id, of the first of these sites that has it; None where there is none."""
    own = _OWN_ID(session_id)
    for site in sites:
        found = None
        if own:
            found = _by_own_id(session, site, bytes.fromhex(own[1]), int(own[2]))
        clients = [] if found else hashes_of(site, session_id, hash_session)
        for client in clients:
            found = found or _by_client(session, site, client)
        made = found and _told(session, site, session_id, found, robots)
        if made:
            return made
        recording = _recording(session, site, clients)
        if recording is not None:
            return _recorded_only(site, session_id, recording)
    return None


def _recording(session: Session, site: Site, clients: Iterable[bytes]) -> RecordedSession | None:
    """Return the recording of the first of these sessions that has one."""
    return next((found for client in clients if (found := recorded(session, site.id, client))), None)


def _by_own_id(session: Session, site: Site, visitor: bytes, ts: int) -> _Found | None:
    day = day_of(site.timezone, ts)
    visits = [
        (visitor, visit)
        for _, _, visit in sessions_in(session, site.id, _places(day, visitor))
        if visit.first_ts <= ts <= visit.last_ts
    ]
    return _Found(visits[:1]) if visits else None


def _by_client(session: Session, site: Site, client: bytes) -> _Found | None:
    """Return the visits that may have events of that client session: those from when it was heard of on a day."""
    visits: dict[tuple[int, bytes], VisitorSession] = {}
    for visitor, day, ts in people.client(session, site.id, client, _VISITS_MOST):
        for _, _, visit in sessions_in(session, site.id, _places(day, visitor)):
            if visit.last_ts >= ts and visit.first_day <= day:
                visits[visit.first_ts, visitor] = visit
    found = [(visitor, visits[first_ts, visitor]) for first_ts, visitor in sorted(visits)]
    return _Found(found[:_VISITS_MOST], client) if found else None


def _places(day: int, visitor: bytes) -> list[tuple[int, bytes]]:
    """Return where visits are that may touch a day; with a day to spare, for zones that were changed."""
    return [(bucket, visitor) for bucket in (0, *(day_after(day, days) for days in (-2, -1, 0, 1)))]


def _told(session: Session, site: Site, session_id: str, found: _Found, robots: int) -> Timeline | None:
    visits: list[tuple[bytes, VisitorSession]] = []
    rows: list[tuple[EventRow, Rest]] = []
    truncated = False
    for visitor, visit in found.visits:
        last_ts = min(visit.last_ts, visit.first_ts + _SPAN_MOST_MS)
        room = EVENTS_MOST + 1 - len(rows)
        its_own = _events(session, site, visitor, range(visit.first_ts, last_ts + 1, _STEP_MS), robots, room)
        if found.client:
            its_own = _of_client(its_own, found.client)
        if its_own:
            visits.append((visitor, visit))
            rows += its_own
            truncated |= last_ts < visit.last_ts
    truncated |= len(rows) > EVENTS_MOST
    return _made(session, site, session_id, visits, rows[:EVENTS_MOST], truncated=truncated) if rows else None


def _events(  # noqa: PLR0913
    session: Session, site: Site, visitor: bytes, steps: range, robots: int, most: int
) -> list[tuple[EventRow, Rest]]:
    """Return a visitor's events in short steps: what others did meanwhile is read too, and each read must end soon."""
    found: list[EventRow] = []
    for first_ts in steps:
        last_ts = min(first_ts + steps.step, steps.stop) - 1
        if most > len(found):
            found += people.events_of(
                session, site.id, visitor, first_ts, last_ts, robots=robots, limit=most - len(found)
            )
    return [(row, decode_rest(row.body) if row.body else Rest()) for row in found]


def _of_client(rows: Sequence[tuple[EventRow, Rest]], client: bytes) -> list[tuple[EventRow, Rest]]:
    """Return the events that are not another client session's; none where none is surely this one's.

    Behind one address two people with the same browser are one visitor, but their pages know better.
    """
    if not any(rest.client == client for _, rest in rows):
        return []
    return [(row, rest) for row, rest in rows if rest.client in (client, b"")]


def _made(  # noqa: PLR0913
    session: Session,
    site: Site,
    session_id: str,
    visits: Sequence[tuple[bytes, VisitorSession]],
    rows: Sequence[tuple[EventRow, Rest]],
    *,
    truncated: bool,
) -> Timeline:
    words = Words(session)
    head = visits[0][1].head
    words.learn(
        texts=[text for row, _ in rows for text in (row.page, row.host, row.name, row.target)],
        contexts=[head.context],
        sources=[head.source, *(row.source for row, _ in rows)],
    )
    context = words.context(head.context)
    kinds = [KINDS[row.kind] for row, _ in rows]
    clients = dict.fromkeys(rest.client for _, rest in rows if rest.client)
    recording = _recording(session, site, list(clients)[:_VISITS_MOST])
    first, last = rows[0][0].ts, rows[-1][0].ts
    return Timeline(
        session_id=session_id,
        site=site.name,
        visits=[visit_id(visitor, visit) for visitor, visit in visits],
        visitor=visits[0][0].hex(),
        started_at=iso(first),
        ended_at=iso(last),
        duration_seconds=(last - first) / 1000,
        engaged_seconds=sum(row.engaged_ms for row, _ in rows) / 1000,
        country=context.place.country,
        region=context.place.region,
        city=context.place.city,
        browser=agent_name(msgspec.structs.replace(context.agent, os="")),
        os=f"{context.agent.os} {context.agent.os_version}".strip(),
        device=context.agent.device,
        language=context.language,
        screen=context.screen,
        source=_source(words.source(head.source)),
        pageviews=kinds.count("pageview"),
        identify_events=kinds.count("identify"),
        custom_events=kinds.count("custom"),
        click_events=kinds.count("click"),
        rrweb_events=recording.events if recording else 0,
        total_events=len(rows),
        truncated=truncated,
        events=[_event(row, rest, words) for row, rest in rows],
        replay=in_timeline(recording) if recording else None,
    )


def _recorded_only(site: Site, session_id: str, recording: RecordedSession) -> Timeline:
    """Return a session of which nothing but its recording is known."""
    shown = in_timeline(recording)
    return Timeline(
        session_id=session_id,
        site=site.name,
        visits=[],
        visitor="",
        started_at=shown.started_at,
        ended_at=shown.ended_at,
        duration_seconds=(recording.last_at - recording.first_at) / 1000,
        engaged_seconds=0.0,
        country="",
        region="",
        city="",
        browser="",
        os="",
        device="",
        language="",
        screen="",
        source={},
        pageviews=0,
        identify_events=0,
        custom_events=0,
        click_events=0,
        rrweb_events=recording.events,
        total_events=0,
        truncated=False,
        events=[],
        replay=shown,
    )


def visit_id(visitor: bytes, visit: VisitorSession) -> str:
    """Return the id under which `timeline` finds a visit."""
    return f"{visitor.hex()}-{visit.first_ts}"


def _source(source: Source) -> dict[str, str]:
    told = {name: str(text) for name, text in msgspec.structs.asdict(source).items() if text}
    return told | {"channel": "direct"} if source.channel == "internal" else told


def _event(row: EventRow, rest: Rest, words: Words) -> TimelineEvent:
    kind = KINDS[row.kind]
    is_click = kind == "click"
    host, name = words.text(row.host), words.text(row.name)
    return TimelineEvent(
        type=kind,
        timestamp=iso(row.ts),
        id=row.id.hex(),
        href=rest.url or (f"https://{host}{words.text(row.page)}" if host else words.text(row.page)),
        referrer=words.source(row.source).referrer,
        title=rest.title,
        name="" if is_click else name,
        target=words.text(row.target),
        viewport=_viewport(rest.viewport),
        text=name if is_click else "",
        element={name: rest.properties[name] for name in _CLICKED if is_click and name in rest.properties},
        data={name: told for name, told in rest.properties.items() if not is_click or name not in _CLICKED},
        person=rest.person.hex(),
        engaged_ms=row.engaged_ms,
        scroll=rest.scroll,
        value=rest.value or None,
        currency=rest.currency,
    )


def _viewport(text: str) -> Viewport | None:
    width, _, height = text.partition("x")
    return Viewport(int(width), int(height)) if width.isdigit() and height.isdigit() else None
