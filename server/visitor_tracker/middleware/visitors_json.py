"""visitors.json: one record per address, as the visitor-tracking middleware of old kept them.

    any process ── flock visitors.json.lock ▸ read ▸ change ▸ write a new file ▸ sync ▸ rename over the old one

So a reader sees the file before or after a change, never half of one, and no process undoes another's.
"""

import fcntl
import json
import logging
import os
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from visitor_tracker.errors import TrackerError

log = logging.getLogger(__name__)

FILE = "visitors.json"
FOLDER_VARIABLE = "VISITOR_DATA_DIR"
OLD_FOLDER = Path("/root/WIP/data/visitors")  # where the middleware of old kept the file when it was told nothing
NEW_FOLDER = Path("data")  # where this server keeps its data then
VISITORS_MOST = 100_000  # the file is written anew with each change, so it must not grow for ever
PATHS_MOST, USER_AGENTS_MOST = 1_000, 100  # of a visitor
TOP = 10
_TEXTS = ("ip", "country", "country_code", "region", "city", "org", "isp", "first_seen", "last_seen")

Record = dict[str, Any]  # ip, country, country_code, region, city, org, isp, first_seen, last_seen, visit_count, …
Records = dict[str, Record]  # by address
PlaceOf = Callable[[str], Mapping[str, str]]


class FileError(TrackerError):
    """The file cannot be used; the message says what to change. It is left as it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request is kept; `at` is epoch seconds."""

    ip: str
    path: str
    method: str
    user_agent: str
    at: float


class VisitorFile:
    """A file of records; any thread, any process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Records:
        """Return the records, none where there is no file; raises FileError for one that cannot be read."""
        try:
            return records_in(self.path.read_bytes(), str(self.path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise FileError(f"{self.path}: {error.strerror}") from error

    def save(self, records: Records) -> None:
        """Replace the records; raises FileError."""
        with self._locked():
            self._write(records)

    @contextmanager
    def changing(self) -> Iterator[Records]:
        """Give the records to change, and write them afterwards; raises FileError."""
        with self._locked():
            records = self.load()
            yield records
            self._write(records)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise FileError(f"{self.path}.lock: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, records: Records) -> None:
        text = json.dumps(_newest(records), indent=2, ensure_ascii=False)
        written = self.path.with_name(f"{self.path.name}.new")
        try:
            # There are addresses in it: they are for nobody else on this machine.
            descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.path)
        except OSError as error:
            raise FileError(f"{self.path}: {error.strerror}") from error


def records_in(body: bytes, name: str) -> Records:
    """Return what the bytes of such a file say; raises FileError where that is no record per address."""
    try:
        found: Any = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise FileError(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(map(_is_record, found.values())):
        raise FileError(f'{name} has no records by address, such as {{"203.0.113.42": {{"visit_count": 15, …}}}}')
    return found


def folder_of(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the file, made if need be: VISITOR_DATA_DIR, else where it has been, else ./data.

    Where that cannot be written to it is a folder of this user below the system's temporary ones.
    """
    named = environment.get(FOLDER_VARIABLE, "")
    folder = Path(named) if named else OLD_FOLDER if _is_writable(OLD_FOLDER) else NEW_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return _instead_of(folder, error.strerror or "it cannot be made")
    return folder if _is_writable(folder) else _instead_of(folder, "it cannot be written to")


def add_request(records: Records, request: Request, place_of: PlaceOf) -> None:
    """Count a request in the record of its address, which is made if there is none."""
    now = datetime.fromtimestamp(request.at, UTC).isoformat(timespec="seconds")
    record = records.get(request.ip)
    if record is None:
        times = {"first_seen": now, "last_seen": now}
        record = {"ip": request.ip, **place_of(request.ip), **times}
        records[request.ip] = record = record | {"visit_count": 0, "paths_visited": [], "user_agents": []}
    elif record.get("country_code", "XX") == "XX":  # perhaps it is known by now
        record.update(place_of(request.ip))
    record["first_seen"] = min(record.get("first_seen", now), now)
    record["last_seen"] = max(record.get("last_seen", now), now)
    record["visit_count"] = record.get("visit_count", 0) + 1
    _note(record, "paths_visited", f"{request.method} {request.path}", PATHS_MOST)
    _note(record, "user_agents", request.user_agent, USER_AGENTS_MOST)


def newest_first(records: Records) -> list[Record]:
    """Return the records, the one seen last first."""
    return sorted(records.values(), key=lambda record: record.get("last_seen", ""), reverse=True)


def stats_of(records: Records) -> Record:
    """Return {total_visitors, total_visits, countries, top_ips}, the ten with the most visits."""
    countries = Counter(record.get("country", "Unknown") for record in records.values())
    top = sorted(newest_first(records), key=lambda record: record.get("visit_count", 0), reverse=True)[:TOP]
    return {
        "total_visitors": len(records),
        "total_visits": sum(record.get("visit_count", 0) for record in records.values()),
        "countries": dict(sorted(countries.items(), key=lambda item: (-item[1], item[0]))),
        "top_ips": [
            {
                "ip": record.get("ip", ""),
                "country": record.get("country", "Unknown"),
                "visit_count": record.get("visit_count", 0),
            }
            for record in top
        ],
    }


def _is_record(value: object) -> bool:
    """Say whether a value has the types of a record; fields may be missing, and there may be others."""
    if not isinstance(value, dict) or type(value.get("visit_count", 0)) is not int or value.get("visit_count", 0) < 0:
        return False
    lists = [value.get(name, []) for name in ("paths_visited", "user_agents")]
    texts = [value.get(name, "") for name in _TEXTS]
    return all(isinstance(each, list) for each in lists) and all(
        isinstance(text, str) for text in [*texts, *(text for each in lists for text in each)]
    )


def _note(record: Record, name: str, value: str, most: int) -> None:
    known = record.setdefault(name, [])
    if value and value not in known and len(known) < most:
        known.append(value)


def _newest(records: Records) -> Records:
    if len(records) <= VISITORS_MOST:
        return records
    log.warning("%s keeps the %d visitors seen last; a store keeps more", FILE, VISITORS_MOST)
    kept = {id(record) for record in newest_first(records)[:VISITORS_MOST]}
    return {ip: record for ip, record in records.items() if id(record) in kept}


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _instead_of(folder: Path, why: str) -> Path:
    """Return a folder that is this user's alone: below /tmp anybody may have made one of its name."""
    other = Path(tempfile.gettempdir()) / f"visitor-tracker-{os.getuid()}"
    try:
        other.mkdir(mode=0o700, exist_ok=True)
        found = other.lstat()
    except OSError as error:
        raise FileError(f"{folder}: {why}, and {other}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise FileError(f"{folder}: {why}, and {other} is not this user's alone: name a folder in {FOLDER_VARIABLE}")
    log.warning("%s: %s; visitors are kept in %s", folder, why, other)
    return other
