"""Sites: what their names, hosts and zones may be, and those that hits make.

    a hit that names a new site ──▶ SiteBook: data_dir/sites.new ──(adopt: jobs process, command line)──▶ store

A worker makes a site in its node's file, at once and without the store; the store has it a moment later.
"""

import errno
import fcntl
import logging
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec

from visitor_tracker.errors import TrackerError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.http.url import normalise
from visitor_tracker.sites import Policy, Site, Snapshot, site_id_of

log = logging.getLogger(__name__)

DEFAULT = Site(DEFAULT_SITE, "default")
MOST_AUTOMATIC = 20

_FILE = "sites.new"
_FILE_MOST = 64 * 1024  # bytes; twenty sites need a tenth of it
_PAUSE_SECONDS = 1.0  # before the next try, when there are enough sites or the file cannot be written
_LOCK_TRIES, _LOCK_PAUSE_SECONDS = 50, 0.001  # who has the lock has it for microseconds
_SETTLED_MS = 60_000  # by then every worker has read a snapshot with the site in it

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}").fullmatch
_ALIAS = re.compile(r"[!-~]{1,128}").fullmatch
_ENDS_HOST = re.compile(r"[/?#@\\%\s]").search
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?[0-9]+").fullmatch
_NO_ZONES = frozenset({"localtime", "Factory"})  # differ from machine to machine

_decode = msgspec.json.Decoder(Site).decode


class SiteError(TrackerError):
    """A site cannot be as asked; the message says what to change."""


class SiteTaken(SiteError):
    """Another site has the name, an alias or a host."""


class Table(Protocol):
    """The store's sites."""

    def all(self) -> list[Site]: ...

    def add(self, site: Site) -> bool: ...


def site_name(text: str) -> str:
    """Return the name if a site may have it; raises ValueError."""
    if not _NAME(text):
        raise ValueError(f"{text!r} is no site name: use 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter or digit")
    return text


def alias_name(text: str) -> str:
    """Return the id that another tracker gave a site, if it can be one; raises ValueError."""
    if not _ALIAS(text):
        raise ValueError(f"{text!r} is no alias: use 1 to 128 letters, digits and signs, without spaces")
    return text


def host_name(text: str) -> str:
    """Return the one spelling of a host, or of "*.host" for all below it; raises ValueError.

    Lower case, international names in their xn-- form, IPv6 addresses without brackets: so hosts are looked up.
    """
    wanted = text.strip()
    if "://" in wanted:
        raise ValueError(f"{text!r} is an address: give its host only, such as {_host_in(wanted)}")
    wildcard, bare = ("*.", wanted[2:]) if wanted.startswith("*.") else ("", wanted)
    is_ipv6 = bare.count(":") > 1
    if "]:" in bare or (":" in bare and not is_ipv6):
        raise ValueError(f"{text!r} has a port: leave it out, a host is meant with all of its ports")
    host = None if _ENDS_HOST(bare) else _host_of(f"[{bare}]" if is_ipv6 and not bare.startswith("[") else bare)
    if host is None:
        raise ValueError(f"{text!r} is no host name: write it as in the address of a page, such as blog.example.com")
    if wildcard and (is_ipv6 or _ENDS_IN_NUMBER(host)):
        raise ValueError(f"{text!r}: there is nothing below an address; give the address without *.")
    return wildcard + host


def time_zone(text: str) -> str:
    """Return the name of a time zone of the IANA database; raises ValueError."""
    zones = _zones()
    if text in zones:
        return text
    spelled = {zone.lower(): zone for zone in zones}
    near = get_close_matches(text.lower().replace(" ", "_"), spelled, n=1)
    example = spelled[near[0]] if near else "Europe/Berlin"
    raise ValueError(f"{text!r} is no time zone of the IANA database: write it as, for example, {example}")


def check_claims(site: Site, others: Iterable[Site]) -> None:
    """Raise SiteTaken where another site has the name, an alias or a host that this one asks for."""
    for other in others:
        if other.name == site.name:
            continue
        mine, theirs = {site.name, *site.aliases}, {other.name, *other.aliases}
        if taken := sorted(mine & theirs):
            raise SiteTaken(f"{taken[0]} is a name or alias of the site {other.name}: each belongs to one site")
        if hosts := sorted({*site.hostnames} & {*other.hostnames}):
            raise SiteTaken(
                f"the host {hosts[0]} belongs to the site {other.name}: take it away there first, with"
                f"  visitor-tracker site set {other.name} --hostname … (those that stay), or --any-hostname"
            )


def with_default(sites: Iterable[Site]) -> list[Site]:
    """Return the sites by name, `default` first and there even when nobody has changed it."""
    named = {DEFAULT.name: DEFAULT} | {site.name: site for site in sites}
    return [named.pop(DEFAULT.name), *(named[name] for name in sorted(named))]


def own_policy(current: Policy | None, settings: Policy, changes: dict[str, str]) -> Policy:
    """Return a site's own policy: what it had, else that of the settings, with the changes."""
    return msgspec.convert(msgspec.structs.asdict(current or settings) | changes, Policy)


class SiteBook:
    """The sites that hits made on this node and that the store may not have yet. Any thread, any process.

    `create` runs on the loop: it costs a stat for an unknown name, an fsync for each of at most twenty sites, and
    a comparison while nothing can be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        # mtime and size, and what was read then; replaced, never changed
        self._read: tuple[tuple[int, int], dict[str, Site]] = ((0, 0), {})
        self._full_until = 0.0
        self._failed_until = 0.0
        self._told = False

    def create(self, name: str, snapshot: Snapshot) -> Site | None:
        """Return the site of that name, made durably where it is new.

        None: it is no name for a site, hits may make none, there are twenty of them, or the file cannot be written.
        """
        known = snapshot.by_name.get(name)
        if known is not None:
            return known
        if not _NAME(name):
            return None
        now = time.monotonic()
        full = now < self._full_until
        try:
            sites = self._read[1] if full else self._fresh()
            if name in sites:
                return sites[name]
            if full or now < self._failed_until or not snapshot.auto_create:
                return None
            site = None if _is_full(sites, snapshot) else self._add(name, snapshot)
        except OSError as error:
            self._failed_until = now + _PAUSE_SECONDS
            self._tell(name, error)
            return None
        if site is None:
            self._full_until = now + _PAUSE_SECONDS
        return site

    def sites(self) -> list[Site]:
        """Return them, oldest first; raises SiteError where the file cannot be read."""
        try:
            return list(self._fresh().values())
        except OSError as error:
            raise self._unusable(error) from error

    def forget(self, names: Collection[str]) -> None:
        """Let go of those names: the store has them, or they are to be no sites any more; raises SiteError."""
        try:
            if not names or not self._fresh().keys() & set(names):
                return
            with _locked(self._path, os.O_RDWR) as file:
                _blank(file, frozenset(names))
                self._read = ((0, 0), {})
            _sync(self._path)
        except OSError as error:
            raise self._unusable(error) from error

    def _fresh(self) -> dict[str, Site]:
        """Return the sites of the file, read again when it has changed."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return {}
        key, sites = self._read
        if key != (stat.st_mtime_ns, stat.st_size):
            with self._path.open("rb") as file:
                sites = dict(_sites_in(file.read(_FILE_MOST)))
            self._read = ((stat.st_mtime_ns, stat.st_size), sites)
        return sites

    def _add(self, name: str, snapshot: Snapshot) -> Site | None:
        """Make a site, or find that another process has just made it; None where there are enough."""
        is_first = not self._path.exists()
        with _locked(self._path, os.O_RDWR | os.O_CREAT) as file:
            content = os.pread(file, _FILE_MOST, 0)
            sites = dict(_sites_in(content))
            site = sites.get(name)
            if site is None:
                site = Site(site_id_of(name), name, created_at=time.time_ns() // 1_000_000, automatic=True)
                line = msgspec.json.encode(site) + b"\n"
                if content and not content.endswith(b"\n"):
                    line = b"\n" + line  # a power cut left half a line
                if _is_full(sites, snapshot) or len(content) + len(line) > _FILE_MOST:
                    return None
                _append(file, line, len(content))
                log.info("made the site %s, which an event named", name)
        _sync(self._path)
        if is_first:
            _sync(self._path.parent)
        self._told = False
        return site

    def _tell(self, name: str, error: OSError) -> None:
        if not self._told:
            log.warning("cannot make the site %s: %s: %s; its events are dropped", name, self._path, error.strerror)
            self._told = True

    def _unusable(self, error: OSError) -> SiteError:
        return SiteError(f"{self._path}: {error.strerror}: run as the user who owns the data folder")


def adopt(book: SiteBook, table: Table, now: int) -> list[Site]:
    """Put into the store what hits made, and return all of its sites, `default` first; `now` is epoch ms.

    Raises SiteError where the file cannot be used.
    """
    made = book.sites()
    stored = {site.name: site for site in table.all()}
    # Added, not put: somebody may give the site its settings just now, on the command line or on another node.
    if [site for site in made if site.name not in stored and not table.add(site)]:
        stored = {site.name: site for site in table.all()}
    stored = {site.name: site for site in made} | stored
    book.forget([site.name for site in made if site.created_at < now - _SETTLED_MS])
    return with_default(stored.values())


def _is_full(sites: dict[str, Site], snapshot: Snapshot) -> bool:
    made = {site.name for site in snapshot.sites if site.automatic}
    return len(made | (sites.keys() - snapshot.by_name.keys())) >= MOST_AUTOMATIC


def _sites_in(content: bytes) -> Iterator[tuple[str, Site]]:
    """Yield name and site of every whole line; what is no site is passed over."""
    for _, line in _lines(content):
        try:
            site = _decode(line)
        except msgspec.DecodeError:
            continue
        if _NAME(site.name) and site.id == site_id_of(site.name):
            yield site.name, site


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield position and text of every line that has its end."""
    start = 0
    for line in content.splitlines(keepends=True):
        if line.endswith(b"\n") and not line.isspace():
            yield start, line[:-1]
        start += len(line)


def _append(file: int, line: bytes, end: int) -> None:
    if os.pwrite(file, line, end) != len(line):
        os.ftruncate(file, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _blank(file: int, names: frozenset[str]) -> None:
    """Overwrite the lines of those names with spaces: no other line can be lost by it, whenever the power goes."""
    content = os.pread(file, _FILE_MOST, 0)
    for start, line in _lines(content):
        if any(name in names for name, _ in _sites_in(line + b"\n")):
            os.pwrite(file, b" " * len(line), start)
    if dict(_sites_in(os.pread(file, _FILE_MOST, 0))):
        os.pwrite(file, b"\n", os.fstat(file).st_size)  # another size: the clock of files is too coarse to tell
    else:
        os.ftruncate(file, 0)


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """Open the file and hold its lock, which no process holds for longer than a few reads and writes of memory."""
    file = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        for left in range(_LOCK_TRIES, 0, -1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if left == 1:
                    raise
                time.sleep(_LOCK_PAUSE_SECONDS)
        yield file
    finally:
        os.close(file)


def _sync(path: Path) -> None:
    """Make the file or folder durable; outside the lock, so that nobody waits for the disk to get it."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _host_of(text: str) -> str | None:
    try:
        return urlsplit(normalise(f"https://{text}/")).hostname
    except ValueError:
        return None


def _host_in(address: str) -> str:
    try:
        return urlsplit(normalise(address)).hostname or "blog.example.com"
    except ValueError:
        return "blog.example.com"


@lru_cache(1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES
