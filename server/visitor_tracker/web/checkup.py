"""What `check` and the self-test look at besides the settings and the store: the data folder, what is kept of visitors.

Nothing here changes anything.
"""

import logging
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from visitor_tracker.access.keeper import lacking, policy_of
from visitor_tracker.access.snapshot import FILE as SNAPSHOT
from visitor_tracker.access.snapshot import read_snapshot
from visitor_tracker.access.wrapping import FILE as KEY_FILE
from visitor_tracker.access.wrapping import read_file_key
from visitor_tracker.config import Config
from visitor_tracker.errors import ConfigError
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.quota import MIB, most_bytes, used_bytes
from visitor_tracker.ingest.reclaim import DEAD
from visitor_tracker.sites import Policy, Snapshot
from visitor_tracker.store.base import Finding
from visitor_tracker.store.location import MysqlLocation, locate

_NEARLY_FULL = 0.8  # of what the journal may have
_SERVICES = {"ip-api": "ip-api.com (not encrypted) and ipapi.co get", "ipapi": "ipapi.co gets"}
_AS_OWNER = "run  check  as the user who runs the server, or give the folder to that user"


def look_around(config: Config) -> list[Finding]:
    """Return what the operator should know; for a command, which logs nothing meanwhile."""
    with _quiet():  # what the readers of files would log stands in the findings
        return [finding for _, finding in surroundings(config)]


def surroundings(config: Config) -> list[tuple[str, Finding]]:
    """Return what the operator should know of the data folder, the files the settings name, and privacy, by part."""
    snapshot = read_snapshot(config.data_dir / SNAPSHOT)
    try:
        here = [
            *_named("journal", _journal(config)),
            *_named("snapshot", _snapshot(config.data_dir / SNAPSHOT, snapshot)),
        ]
    except OSError as error:
        problem = Finding("error", f"{error.filename or config.data_dir}: {error.strerror}", _AS_OWNER)
        here = [("data_dir", problem)]
    return [
        *here,
        *_named("visitor_keys", _key_file(config)),
        *_named("geo", _places(config)),
        *_named("privacy", _policies(config, snapshot)),
    ]


def _named(part: str, findings: Iterable[Finding]) -> list[tuple[str, Finding]]:
    return [(part, finding) for finding in findings]


def _journal(config: Config) -> Iterator[Finding]:
    """Look whether the journal can be written, or made, and how full it is."""
    journal = config.journal_folder
    place = next(folder for folder in (journal, *journal.parents) if os.path.lexists(folder))
    if not place.is_dir():
        yield Finding("error", f"{place} is no folder", "remove it, or name another server.data_dir")
    elif not os.access(place, os.W_OK | os.X_OK):
        yield Finding("error", f"{place} cannot be written by this user", _AS_OWNER)
    elif place == journal:
        yield _room(config, journal)
        yield from _refused(sorted((journal / DEAD).glob("*.record")))


def _refused(records: Sequence[Path]) -> Iterator[Finding]:
    if records:
        yield Finding(
            "warning",
            f"the store takes {len(records)} records of the journal not even as dead letters: {records[0]}, …",
            "the log says why; remove them when you do not need them",
        )


def _room(config: Config, journal: Path) -> Finding:
    used = used_bytes(journal)
    most = most_bytes(journal, config.journal.max_bytes, used)
    text = f"journal: {journal}, {-(-used // MIB)} of at most {most // MIB} MiB"
    if used >= most:
        hint = "free some space, raise journal.max_bytes, or bring the store back, which takes what is there"
        return Finding("error", f"{text}: it is full, and events are refused", hint)
    if used > _NEARLY_FULL * most or most < MIB:
        return Finding("warning", f"{text}: it is nearly full", "free some space, or raise journal.max_bytes")
    return Finding("ok", text)


def _snapshot(path: Path, snapshot: Snapshot | None) -> Iterator[Finding]:
    if not path.exists():
        return
    again = "start the server while the store is there: it writes a new one"
    if snapshot is None:
        yield Finding("warning", f"{path} cannot be read: without it no start while the store is away", again)
        return
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding("warning", f"{path} holds visitor keys and other users can use it", f"run  chmod 600 {path}")
    if missing := lacking(snapshot, time.time_ns() // 1_000_000):
        text = f"{path} has no visitor key of {', '.join(missing)}: while the store is away visitors are not counted"
        yield Finding("warning", text, again)
    else:
        yield Finding("ok", f"snapshot: sites {len(snapshot.sites)}, visitor keys {len(snapshot.keys)}")


def _key_file(config: Config) -> Iterator[Finding]:
    named = config.identity.key_file
    if not isinstance(locate(config.store_url), MysqlLocation):
        if named:
            yield Finding("warning", "identity.key_file is of use with MySQL only", "leave it empty")
        return
    path = Path(named).expanduser() if named else config.data_dir / KEY_FILE
    if not named and not os.path.exists(path):
        return  # the first start makes it
    try:
        read_file_key(path)
    except ConfigError as error:
        yield Finding("error", str(error))
    else:
        yield Finding("ok", f"visitor keys are wrapped with the key in {path}: keep a copy, apart from the database's")


def _places(config: Config) -> Iterator[Finding]:
    reader = GeoReader(replace(config.geo, online="off"))
    yield from reader.check()
    reader.close()
    if config.geo.online != "off":
        yield Finding(
            "warning",
            f"geo.online is {config.geo.online}: {_SERVICES[config.geo.online]} the addresses of visitors",
            "say so in your privacy notice; or name a file in geo.database and set geo.online to off",
        )


def _policies(config: Config, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Say what the settings, and sites with a policy of their own, keep of visitors."""
    if kept := _kept(policy_of(config.identity)):
        yield Finding("ok", f"kept of visitors by the settings identity.*: {kept}")
    for site in snapshot.sites if snapshot else ():
        if site.policy is not None and (kept := _kept(site.policy)):
            yield Finding("ok", f"kept of visitors by the site {site.name}: {kept}")


def _kept(policy: Policy) -> str:
    """Return what a policy keeps that can be personal data; empty for nothing."""
    kept = {
        "the networks of addresses (/24, /48)": policy.ip == "truncated",
        "addresses": policy.ip == "full",
        "user agents as sent": policy.user_agent == "full",
        "what pages tell with identify": policy.traits == "keep",
    }
    return ", ".join(text for text, is_kept in kept.items() if is_kept)


@contextmanager
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
