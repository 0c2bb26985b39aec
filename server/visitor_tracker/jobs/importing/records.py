"""visitors.json of the visitor-tracking middleware of old: what it knows of each address, taken once.

    file ▸ VisitorRecord ─▶ one view per visit ─▶ inbox, journal_cursor   (in one transaction with the first view)
                        └─▶ ip_records, where the site's policy keeps addresses

The file knows two moments of a visitor: the first visit is counted at the one, all others at the other, shared among
the paths it has of the visitor. Its cursor in the store counts views. A file is known by its visitor of old, whom a
later copy of it has too: what came between the copies cannot be told apart, so a second one is refused.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import msgspec

from visitor_tracker.errors import TrackerError
from visitor_tracker.event import Event, Place
from visitor_tracker.ingest.scrub import clean, cut
from visitor_tracker.jobs.importing.line import BrokenLine, LogLine, moment
from visitor_tracker.jobs.importing.tally import Problem
from visitor_tracker.middleware.visitors_json import Record, records_in
from visitor_tracker.store.ip_records import MOST_PATHS, MOST_USER_AGENTS, IpRecord

VIEWS_MOST = 100_000  # of a visitor, that are counted one by one

_FILE_MOST = 256 << 20  # bytes; it is read as a whole
_HEAD_BYTES = 4096
_DAY_MS = 86_400_000
_TEXT_MOST, _PATH_MOST, _AGENT_MOST = 128, 2_000, 512
_BEGINS = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"([0-9A-Fa-f:.]{2,45})"\s*:\s*\{').match
_REQUEST = re.compile(r"([A-Z]{1,16}) (/.*)", re.DOTALL).fullmatch
_PROBLEMS_MOST = 5


class RecordsError(TrackerError):
    """The file cannot be imported; the message says why."""


class VisitorRecord(msgspec.Struct, frozen=True):
    """One visitor; times are epoch ms, `requests` are such as "GET /docs"."""

    ip: str
    place: Place
    first_ts: int
    last_ts: int
    visits: int
    requests: tuple[str, ...]
    user_agents: tuple[str, ...]

    @property
    def views(self) -> int:
        """How many of the visits are counted one by one."""
        return min(self.visits, VIEWS_MOST)


class RecordsFile(msgspec.Struct, frozen=True):
    """The visitors of a file, the earliest first; `id` is of this very file, `known_by` of all its copies."""

    name: str
    id: bytes
    known_by: bytes
    records: tuple[VisitorRecord, ...]
    broken: int
    problems: tuple[Problem, ...]

    @property
    def views(self) -> int:
        return sum(record.views for record in self.records)


def is_records_file(path: str) -> bool:
    """Say whether a file begins as visitors.json does: an object with an address for its first name."""
    try:
        with open(path, "rb") as file:
            found = _BEGINS(file.read(_HEAD_BYTES))
    except OSError:
        return False
    return found is not None and _address(found[1].decode()) != ""


def read_records(path: str, site_id: int, now: int) -> RecordsFile:
    """Read a file; raises RecordsError and FileError. Records that cannot be read are counted, and the first shown."""
    file = Path(path)
    try:
        if file.stat().st_size > _FILE_MOST:
            raise RecordsError(f"{path} has more than {_FILE_MOST >> 20} MB: cut it into several files")
        body = file.read_bytes()
    except OSError as error:
        raise RecordsError(f"{path} cannot be read: {error.strerror}") from error
    found: list[VisitorRecord] = []
    problems: list[Problem] = []
    every = records_in(body.removeprefix(b"\xef\xbb\xbf"), path)
    for number, (ip, told) in enumerate(every.items(), 1):
        try:
            found.append(_record(ip, told, now))
        except BrokenLine as error:
            problems.append(Problem(path, number, f"visitor {number}: {error}"))
    found.sort(key=lambda record: (record.first_ts, record.ip))
    return RecordsFile(
        path,
        _digest(site_id, body),
        _digest(site_id, f"{found[0].first_ts} {found[0].ip}".encode() if found else b""),
        tuple(found),
        len(problems),
        tuple(problems[:_PROBLEMS_MOST]),
    )


def views_of(file: RecordsFile, start: int) -> Iterator[tuple[int, VisitorRecord, LogLine, bool]]:
    """Yield the views behind `start`: (how many with this one, the visitor, the view, whether it is its first)."""
    position = 0
    for record in file.records:
        if position + record.views <= start:
            position += record.views
            continue
        targets = [_target(request) for request in record.requests] or ["/"]
        agent = record.user_agents[0] if record.user_agents else ""
        for number in range(record.views):
            position += 1
            if position > start:
                ts = record.last_ts if number else record.first_ts
                line = LogLine(ts, record.ip, "GET", targets[number % len(targets)], 200, user_agent=agent)
                yield position, record, line, number == 0


def event_of(event: Event, record: VisitorRecord) -> Event:
    """Return the event as it is stored: with the place of the file, and the address in its own record only."""
    return msgspec.structs.replace(event, place=record.place, ip="", user_agent="")


def ip_record_of(event: Event, record: VisitorRecord) -> IpRecord | None:
    """Return the visitor's record as far as the site's policy keeps it, by what it has kept of the first view."""
    if not event.ip:
        return None
    place = record.place
    agents = record.user_agents if event.user_agent else ()
    return IpRecord(
        event.ip,
        record.first_ts,
        record.last_ts,
        record.visits,
        place.country,
        place.region,
        place.city,
        place.organisation,
        record.requests,
        agents,
    )


def _record(ip: str, told: Record, now: int) -> VisitorRecord:
    """Return a record as values; raises BrokenLine."""
    address = _address(str(told.get("ip") or ip))
    if not address:
        raise BrokenLine(f"{ip[:45]!r} is no address")
    visits = int(told.get("visit_count", 0))
    if visits < 1:
        raise BrokenLine("visit_count is missing, or below 1")
    first_ts = moment(_text(told, "first_seen"))
    last_ts = moment(_text(told, "last_seen") or _text(told, "first_seen"))
    if not 0 < first_ts <= last_ts <= now + _DAY_MS:
        raise BrokenLine("first_seen and last_seen are no times that can be")
    return VisitorRecord(
        address,
        _place(told),
        first_ts,
        last_ts if visits > 1 else first_ts,
        visits,
        _texts(told, "paths_visited", _PATH_MOST)[:MOST_PATHS],
        _texts(told, "user_agents", _AGENT_MOST)[:MOST_USER_AGENTS],
    )


def _place(told: Record) -> Place:
    code = _text(told, "country_code").upper()
    if code == "LOCAL":
        return Place("LOCAL", "Local Network", "Local", "Local")
    names = [_known(told, name) for name in ("region", "city", "org")]
    return Place(code if len(code) == 2 and code.isascii() and code.isalpha() else "XX", *names)


def _known(told: Record, name: str) -> str:
    text = cut(clean(_text(told, name)), _TEXT_MOST)
    return "" if text == "Unknown" else text


def _text(told: Record, name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _texts(told: Record, name: str, most: int) -> tuple[str, ...]:
    found: Sequence[object] = told.get(name) or ()
    return tuple(dict.fromkeys(cut(clean(text), most) for text in found if isinstance(text, str) and text))


def _target(request: str) -> str:
    """Return the path of "GET /docs"; of what is something else the root."""
    found = _REQUEST(request)
    return quote(found[2], "/:@!$&'()*+,;=-._~%") if found else "/"


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _digest(site_id: int, body: bytes) -> bytes:
    digest = blake2b(site_id.to_bytes(8, "big", signed=True), digest_size=16, person=b"visitors.json")
    digest.update(body)
    return digest.digest()
