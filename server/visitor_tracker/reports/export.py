"""Everything that is stored of some visitors, as one JSON object in pieces: for the person, or who answers to them.

    {"format", "site", "exported_at", "notes",
     "visitors": […], "visits": […], "events": […], "waiting": […], "recordings": […], "ip_records": […]}

Times are ISO 8601, UTC. What is only a sum, as in reports and heatmaps, is of nobody and not in it.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import KINDS, Event, decode_events
from visitor_tracker.reports.profiles import VisitView, visit_views, visitor
from visitor_tracker.reports.words import Words, iso
from visitor_tracker.sessions.fact import Rest, decode_rest
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store import erasing, people, profiles, subjects
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.people import EventRow
from visitor_tracker.store.replay import RecordedSession, ReplayTable
from visitor_tracker.store.session import Database, Session

FORMAT = "visitor-tracker-export-1"
_EVENTS = 10_000  # read at once; nobody does so much in a millisecond
_INBOX_ROWS = 50
_FOR_EVER = 1 << 62


class Export(msgspec.Struct, frozen=True):
    """The document; `waiting` are events that are stored and not in the reports yet."""

    format: str
    site: str
    exported_at: str
    notes: list[str]
    visitors: list[dict[str, Any]]
    visits: list[VisitView]
    events: list[dict[str, Any]]
    waiting: list[dict[str, Any]]
    recordings: list[dict[str, Any]]
    ip_records: list[dict[str, Any]]


JsonPieces = Iterator[bytes]
_encode = msgspec.json.Encoder().encode


class Exporter:
    """Any thread; each read is short, so nothing waits for it."""

    def __init__(self, database: Database, clock: Callable[[], int], recordings_most: int | None = None) -> None:
        """`recordings_most`: bytes, unpacked; recordings beyond them are named without their events."""
        self._database = database
        self._clock = clock
        self._replays = ReplayTable(database)
        self._left = _FOR_EVER if recordings_most is None else recordings_most

    def pieces(
        self, site: Site, policy: Policy, visitors: Sequence[bytes], addresses: Iterable[str], notes: Iterable[str]
    ) -> JsonPieces:
        """Yield the document."""
        clients: set[bytes] = set()
        head = {"format": FORMAT, "site": site.name, "exported_at": iso(self._clock()), "notes": list(notes)}
        yield _encode(head)[:-1]
        yield from _array("visitors", self._visitors(site, visitors))
        yield from _array("visits", self._visits(site, policy, visitors))
        yield from _array("events", self._events(site, visitors, clients))
        yield from _array("waiting", self._waiting(site, set(visitors), clients))
        yield from _array("recordings", self._recordings(site, sorted(clients)))
        yield from _array("ip_records", self._records(site, addresses))
        yield b"}\n"

    def _visitors(self, site: Site, visitors: Iterable[bytes]) -> Iterator[bytes]:
        for hashed in visitors:
            found = of_site(self._database, site.id).read(partial(visitor, site=site, hashed=hashed))
            days = of_site(self._database, site.id).read(partial(erasing.days_of, site_id=site.id, visitor=hashed))
            about = msgspec.structs.asdict(found) if found else {"id": hashed.hex()}
            yield _encode(about | {"days": [f"{day // 10_000}-{day // 100 % 100:02}-{day % 100:02}" for day in days]})

    def _visits(self, site: Site, policy: Policy, visitors: Iterable[bytes]) -> Iterator[bytes]:
        for hashed in visitors:
            own = of_site(self._database, site.id).read(
                partial(profiles.sessions_of, site_id=site.id, visitors=[hashed])
            )[hashed]
            for start in range(0, len(own), 50):
                some = own[start : start + 50]
                views = of_site(self._database, site.id).read(
                    partial(visit_views, site=site, policy=policy, hashed=hashed, own=some)
                )
                yield from map(_encode, views)

    def _events(self, site: Site, visitors: Iterable[bytes], clients: set[bytes]) -> Iterator[bytes]:
        for hashed in visitors:
            days = of_site(self._database, site.id).read(partial(erasing.days_of, site_id=site.id, visitor=hashed))
            for start, end in _hours(site.timezone, days):
                first = start
                while True:
                    rows = of_site(self._database, site.id).read(
                        partial(_rows, site=site, hashed=hashed, first=first, end=end)
                    )
                    if len(rows) < _EVENTS:
                        yield from self._told(site, hashed, rows, clients)
                        break
                    first = rows[-1].ts  # of which there may be more: they are read once more
                    yield from self._told(site, hashed, [row for row in rows if row.ts < first], clients)

    def _told(self, site: Site, hashed: bytes, rows: Sequence[EventRow], clients: set[bytes]) -> Iterator[bytes]:
        told = [(row, decode_rest(row.body) if row.body else Rest()) for row in rows]
        clients |= {rest.client for _, rest in told if rest.client}
        yield from of_site(self._database, site.id).read(lambda session: _described(session, hashed, told))

    def _waiting(self, site: Site, visitors: set[bytes], clients: set[bytes]) -> Iterator[bytes]:
        """Yield events that are stored and not yet in the reports."""
        inbox, after = Inbox(self._database), b""
        while rows := inbox.rows(site.id, _INBOX_ROWS, after):
            after = rows[-1].id
            for row in rows:
                for event in decode_events(row.body):
                    if event.visitor in visitors:
                        clients |= {event.session} - {b""}
                        yield _encode(_raw(event))

    def _recordings(self, site: Site, clients: Iterable[bytes]) -> Iterator[bytes]:
        for client in clients:
            found = self._replays.one(site.id, client)
            if found is not None:
                yield from self._recording(found)

    def _recording(self, found: RecordedSession) -> Iterator[bytes]:
        about = {
            "session": found.session.hex(),
            "url": found.url,
            "viewport": found.viewport,
            "started_at": iso(found.first_at),
            "ended_at": iso(found.last_at),
            "number_of_events": found.events,
        }
        if found.size > self._left:
            yield _encode(about | {"events": None, "left_out": "too large for one answer: ask for a whole export"})
            return
        self._left -= found.size
        parts = [zlib.decompress(body)[1:-1] for body in self._replays.bodies(found.site_id, found.session)]
        yield _encode(about)[:-1] + b',"events":[' + b",".join(filter(None, parts)) + b"]}"

    def _records(self, site: Site, addresses: Iterable[str]) -> Iterator[bytes]:
        for ip in addresses:
            found = of_site(self._database, site.id).read(partial(people.ip_record, site_id=site.id, ip=ip))
            if found is not None:
                times = {"first_at": iso(found.first_at), "last_at": iso(found.last_at)}
                yield _encode(msgspec.structs.asdict(found) | times)


def addresses_of(database: Database, site: Site, visitors: Iterable[bytes]) -> set[str]:
    """Return the addresses that events of these visitors were stored with."""
    found: set[str] = set()
    for hashed in visitors:
        days = of_site(database, site.id).read(partial(erasing.days_of, site_id=site.id, visitor=hashed))
        for start, end in _hours(site.timezone, days):
            bodies = of_site(database, site.id).read(
                partial(subjects.bodies_of, site_id=site.id, visitor=hashed, start=start, end=end)
            )
            found |= {decode_rest(body).ip for body in bodies} - {""}
    return found


def _array(name: str, parts: Iterable[bytes]) -> JsonPieces:
    yield b',"' + name.encode() + b'":['
    for number, part in enumerate(parts):
        yield (b",\n" if number else b"\n") + part
    yield b"]"


def _hours(timezone: str, days: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the hours in which events of these days may be; with a day to spare, for zones that were changed."""
    done = 0
    for day in sorted(days):
        start, end = bounds(timezone, day)
        for first in range(max(start - DAY_MS, done), end + DAY_MS, HOUR_MS):
            yield first, min(first + HOUR_MS, end + DAY_MS)
        done = max(done, end + DAY_MS)


def _rows(session: Session, *, site: Site, hashed: bytes, first: int, end: int) -> list[EventRow]:
    return people.events_of(session, site.id, hashed, first, end - 1, robots=0, limit=_EVENTS)


def _described(session: Session, hashed: bytes, told: Sequence[tuple[EventRow, Rest]]) -> list[bytes]:
    words = Words(session)
    words.learn(
        texts=[text for row, _ in told for text in (row.page, row.host, row.name, row.target)],
        contexts=[row.context for row, _ in told],
        sources=[row.source for row, _ in told],
    )
    return [_encode(_event(hashed, row, rest, words)) for row, rest in told]


def _event(hashed: bytes, row: EventRow, rest: Rest, words: Words) -> dict[str, object]:
    """Return all that is stored of an event."""
    context = words.context(row.context)
    host = words.text(row.host)
    found: dict[str, object] = msgspec.structs.asdict(rest) | {
        "id": row.id.hex(),
        "time": iso(row.ts),
        "visitor": hashed.hex(),
        "type": KINDS[row.kind],
        "url": rest.url or (f"https://{host}{words.text(row.page)}" if host else words.text(row.page)),
        "name": words.text(row.name),
        "target": words.text(row.target),
        "source": _filled(msgspec.structs.asdict(words.source(row.source))),
        "place": _filled(msgspec.structs.asdict(context.place)),
        "agent": _filled(msgspec.structs.asdict(context.agent)),
        "language": context.language,
        "screen": context.screen,
        "engaged_ms": row.engaged_ms,
        "session": rest.client.hex(),
        "person": rest.person.hex(),
    }
    del found["client"]
    return _filled(found)


def _raw(event: Event) -> dict[str, object]:
    """Return an event that waits; hashes as hex digits."""
    told = msgspec.structs.asdict(event)
    return _filled(
        {name: value.hex() if isinstance(value, bytes) else msgspec.to_builtins(value) for name, value in told.items()}
        | {"source": _filled(msgspec.structs.asdict(event.source)), "time": iso(event.ts)}
        | {"place": _filled(msgspec.structs.asdict(event.place)), "agent": _filled(msgspec.structs.asdict(event.agent))}
    )


def _filled(told: dict[str, object]) -> dict[str, object]:
    """Leave out what is empty."""
    return {name: value for name, value in told.items() if value not in ("", 0, b"", {}, None)}
