"""Prove what the privacy of visitors rests on: destroyed keys, and nothing personal in store, journal and logs.

A key that is gone cannot be shown, but that its life was as promised can: each line of the log of keys carries the
hash of the one before. What looks personal is counted and never shown. Hosts of page addresses are not personal
(http://192.0.2.1/ is a page's address, not its visitor's), nor is what a site's policy keeps on purpose.
"""

import hmac
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from visitor_tracker.access.keeper import is_over, policy_of
from visitor_tracker.access.personal import KINDS, Kind, Tally
from visitor_tracker.access.snapshot import FILE, read_snapshot
from visitor_tracker.config import Config
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store import vocabulary
from visitor_tracker.store.apart import answers, every, main_of
from visitor_tracker.store.base import Finding
from visitor_tracker.store.keys import NO_LINE, KeyLine, KeyTable, line_hash
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.raw_events import RawEvents
from visitor_tracker.store.scanning import OVERLAP_BYTES, PIECE_BYTES, scan
from visitor_tracker.store.session import Database
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_LATE_MS = 15 * 60_000  # the keeper may be between two steps, or start just now
_OTHERS = frozenset({".mmdb", ".key", ".lock", ".synced", ".pem"})  # files that hold no events
_EVENTS = 10_000  # read at once
_MIXED = "dead_letters"  # has what came before its site was known

_RUN = "start the server: it destroys keys that are over, within seconds, or an hour after it was off for long"
_CHANGED = "somebody changed the database by hand, or a backup was restored: nobody can prove what became of the keys"
_HINTS: dict[Kind, str] = {
    "client address": "pages may have sent it in a title, an address or a property: change the page,"
    " or drop the parameter with counter.drop_parameters",
    "user agent": "pages may have sent it in a property or an error's message: change the page",
    "e-mail address": "pages may have sent it in a title, an address or a property: change the page,"
    " or drop the parameter with counter.drop_parameters",
    "card number": "pages may have sent it in a property, or it is another long number: look at the page",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, for the operator."""

    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Say whether nothing was found that must be put right."""
        return all(finding.level == "ok" for finding in self.findings)


def verify(store: SqlStore, config: Config, now_ms: int) -> Report:
    """Check keys and log, then look through all tables and files; takes as long as reading them does.

    Raises what the store raises.
    """
    table = KeyTable(store.database)
    lines, stored = table.log(), table.keys()
    path = config.data_dir / FILE
    findings = [
        *_chain(lines),
        *_lives(lines, stored, now_ms),
        *_held(path, stored, now_ms),
        *_contents(store, config),
    ]
    return Report(tuple(findings))


def _chain(lines: list[KeyLine]) -> Iterator[Finding]:
    """Look for lines of the log that were changed, taken out or added."""
    before = NO_LINE
    for number, line in enumerate(lines, 1):
        is_next = line.n == number and hmac.compare_digest(line.previous, before)
        if not is_next or not hmac.compare_digest(line.hash, line_hash(line)):
            yield Finding("error", f"the log of keys is not whole at line {line.n}", _CHANGED)
            return
        before = line.hash
    yield Finding("ok", f"the log of keys is whole: {len(lines)} lines")


def _lives(lines: list[KeyLine], stored: dict[str, bytes], now_ms: int) -> Iterator[Finding]:
    """Look for keys that live too long, without a line, or that are gone without one."""
    alive: dict[str, bytes] = {}
    for line in lines:
        if (line.action == "created") == (line.period in alive):
            yield Finding("error", f"the log of keys leaves out a line about {line.period}, before {line.n}", _CHANGED)
        if line.action == "created":
            alive[line.period] = line.digest
        else:
            alive.pop(line.period, None)
    for period in sorted(alive.keys() | stored.keys()):
        yield from _life(period, alive.get(period), stored.get(period), now_ms)
    destroyed = {line.period for line in lines if line.action == "destroyed"} - alive.keys()
    yield Finding("ok", f"{len(stored)} visitor keys are in the store, {len(destroyed)} were destroyed")


def _life(period: str, digest: bytes | None, value: bytes | None, now_ms: int) -> Iterator[Finding]:
    """Compare what the log says of a living key, None: it knows none, with what is stored."""
    if digest is None:
        yield Finding("error", f"the store has a visitor key of {period} that the log does not know", _CHANGED)
    elif value is None:
        yield Finding("error", f"the visitor key of {period} is gone, and no line of the log says so", _CHANGED)
    elif not hmac.compare_digest(blake2b(value, digest_size=32).digest(), digest):
        yield Finding("error", f"the visitor key of {period} is not the one that the log knows", _CHANGED)
    if is_over(period, now_ms - _LATE_MS):
        yield Finding("error", f"{period} is over, and its visitor key was not destroyed", _RUN)


def _held(path: Path, stored: dict[str, bytes], now_ms: int) -> Iterator[Finding]:
    """Look for keys in the snapshot file that must not be there, and for who may read it."""
    for file in (path, path.with_name(f"{path.name}.new")):
        try:
            mode = file.stat().st_mode
        except OSError:
            continue
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("error", f"{file} has visitor keys and other users can read it", f"chmod 600 {file}")
        snapshot = read_snapshot(file)
        if snapshot is None:
            yield Finding("error", f"{file} cannot be read, so nobody knows what it has", _RUN)
        keys = snapshot.keys if snapshot else {}
        for period in sorted(keys):
            if is_over(period, now_ms - _LATE_MS):
                yield Finding("error", f"{file} still has the visitor key of {period}, which is over", _RUN)
            elif period not in stored:
                yield Finding("error", f"{file} has a visitor key of {period} that the store does not have", _RUN)


def _contents(store: SqlStore, config: Config) -> Iterator[Finding]:
    """Look through tables and files for what is personal."""
    sites = {site.id: site for site in SiteTable(store.database).all()}
    default = policy_of(config.identity)
    policies = {site_id: site.policy or default for site_id, site in sites.items()}
    kept = _kept(policies.values(), default)
    databases = [each for each in every(store.database) if each is main_of(store.database) or answers(each)]
    tally = Tally(frozenset[bytes]().union(*(_hosts(each, sites.values()) for each in databases)))
    values = 0
    for found in chain.from_iterable(map(scan, databases)):
        values += 1
        allowed = kept if found.table == _MIXED else _allowed(policies.get(found.site_id, default))
        if found.site_id == 0 and found.table != _MIXED:
            allowed = frozenset()
        tally.look(f"{found.table}.{found.column}", found.content, KINDS - allowed)
    files = 0
    for file, pieces in _files(config):
        files += 1
        is_log = file.suffix != ".segment"
        for piece in pieces:
            tally.look(str(file), piece, KINDS if is_log else KINDS - kept)
    for place, kind, number in tally.found():
        yield Finding("warning", f"{place}: {number} times what looks like a {kind}", _HINTS[kind])
    yield Finding("ok", f"looked through {values} texts of the store and {files} files")
    if left_out := len(every(store.database)) - len(databases):
        yield Finding("error", f"{left_out} databases of single sites are away", "bring them back, and look again")
    if kept:
        yield Finding("ok", f"not looked for in the journal, because a site keeps it: {', '.join(sorted(kept))}")


def _allowed(policy: Policy) -> frozenset[Kind]:
    """Return what a site keeps on purpose."""
    found: set[Kind] = set()
    if policy.ip != "none":
        found.add("client address")
    if policy.user_agent == "full":
        found.add("user agent")
    if policy.traits == "keep":
        found |= {"e-mail address", "card number"}
    return frozenset(found)


def _kept(policies: Iterable[Policy], default: Policy) -> frozenset[Kind]:
    """Return what any site keeps."""
    return frozenset[Kind]().union(*(_allowed(policy) for policy in [default, *policies]))


def _hosts(database: Database, sites: Iterable[Site]) -> frozenset[bytes]:
    """Return the hosts of pages that may look like a client's address."""
    ids = RawEvents(database).hosts(_EVENTS)
    seen = database.read(lambda session: vocabulary.texts(session, ids)).values()
    addresses = {host for host in map(_without_port, seen) if host[-1:].isdigit() or ":" in host}
    return frozenset(host.encode() for host in addresses.union(*(site.hostnames for site in sites)))


def _without_port(host: str) -> str:
    """Return a URL's host (RFC 3986, 3.2.2) without brackets and port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _files(config: Config) -> Iterator[tuple[Path, Iterator[bytes]]]:
    """Yield the files of the data folder and the log, each with its content in pieces; not the database."""
    urls = [config.store_url, *(place_of(config, site).url for site in config.site_stores)]
    databases = [place.path for place in map(locate, urls) if isinstance(place, SqliteLocation) and place.path]
    paths = {Path(folder, name) for folder, _, names in os.walk(config.data_dir) for name in names}
    if config.log.file:
        paths.add(Path(config.log.file).expanduser().absolute())
    for path in sorted(paths):
        is_database = any(path.parent == each.parent and path.name.startswith(each.name) for each in databases)
        if path.suffix not in _OTHERS and not is_database and path.is_file() and not path.is_symlink():
            yield path, _read(path)


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            before = b""
            while piece := file.read(PIECE_BYTES):
                yield before + piece
                before = piece[-OVERLAP_BYTES:]
    except FileNotFoundError:
        return  # a segment that was drained meanwhile: the store has it
