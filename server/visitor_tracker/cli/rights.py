"""`export`, `erase`, `retention` and `audit`: the rights of the people being counted, and who changed what."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.audit_view import AuditLine, line_of
from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.snapshot import FILE, read_snapshot
from visitor_tracker.cli.arguments import add_command, checked, config_of, opened, positive
from visitor_tracker.cli.output import EXIT_FAILED, EXIT_USAGE, complain, remark, say, say_json, say_table
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.subjects import Match, Subject, visitor_of
from visitor_tracker.jobs.retention import Due, Retainer
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.rights import Erased, Rights

_EXPORT_EXAMPLES = """\
visitor-tracker export --site blog --cookie VALUE --out somebody.json
visitor-tracker export --site blog --ip 203.0.113.7
visitor-tracker export --ip 203.0.113.7 --user-agent "Mozilla/5.0 …"
"""
_ERASE_EXAMPLES = """\
visitor-tracker erase --site blog --cookie VALUE
visitor-tracker erase --site blog --client-id 7a1e… --yes
visitor-tracker erase --site blog --visitor 0f3c8f1e2d3a4b5c6d7e8f9012345678 --yes --json
"""
_LINES = 50  # of the audit log


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    export = add_command(
        commands, "export", _export, "export all that is stored of one visitor, as JSON", examples=_EXPORT_EXAMPLES
    )
    _add_subject(export)
    export.add_argument("--out", type=Path, metavar="FILE", help="write there, readable by you only; default: print")
    erase = add_command(
        commands, "erase", _erase, "erase all that is stored of one visitor, for good", examples=_ERASE_EXAMPLES
    )
    _add_subject(erase)
    erase.add_argument("--yes", action="store_true", help="do it; else it is only said what would go")
    erase.add_argument("--json", action="store_true", help="print what was erased as JSON")
    retention = add_command(
        commands,
        "retention",
        _retain,
        "delete what was kept as long as settings and sites say; the server does so every hour",
        examples="visitor-tracker retention --dry-run\nvisitor-tracker retention --dry-run --json",
    )
    retention.add_argument("--dry-run", action="store_true", help="only say what would go")
    retention.add_argument("--json", action="store_true", help="print JSON lines")
    audit = add_command(
        commands,
        "audit",
        _audit,
        "show who changed what, the newest first",
        examples="visitor-tracker audit\nvisitor-tracker audit --site blog --limit 20 --json",
    )
    audit.add_argument("--site", metavar="NAME", help="only what is about this site")
    audit.add_argument("--limit", type=positive, default=_LINES, metavar="N", help=f"lines; default: {_LINES}")
    audit.add_argument("--json", action="store_true", help="print JSON lines")


def _add_subject(command: argparse.ArgumentParser) -> None:
    command.add_argument("--site", default="default", metavar="NAME", help="the site; default: default")
    who = command.add_mutually_exclusive_group(required=True)
    who.add_argument("--cookie", metavar="VALUE", help="value of the visitor's cookie vt_visitor (policy cookie)")
    who.add_argument("--client-id", metavar="ID", help="the id that the page gave the visitor (policy client)")
    who.add_argument("--ip", metavar="ADDRESS", help="the visitor's address")
    who.add_argument(
        "--visitor", metavar="ID", type=checked(_read_visitor), help="its 32 hex digits, as the API shows them"
    )
    command.add_argument(
        "--user-agent", metavar="TEXT", help="goes with --ip: finds who was counted under a key that is there still"
    )


def _read_visitor(text: str) -> str:
    visitor_of(text)
    return text


def _export(options: argparse.Namespace) -> int:
    with _found(options) as (site, match, rights):
        if not match.visitors and not match.addresses:
            return _nothing(match)
        with _out(options.out) as file:
            for piece in rights.export(site, match):
                file.write(piece)
        rights.note_export(OPERATOR, site, match)
    _remarks(match.notes)
    if options.out:
        remark(f"wrote {options.out}, what is stored of {len(match.visitors)} visitors")
    return 0


def _erase(options: argparse.Namespace) -> int:
    with _found(options) as (site, match, rights):
        if not match.visitors and not match.addresses:
            return _nothing(match)
        erased = rights.erase(OPERATOR, site, match) if options.yes else rights.look(site, match)
    if options.json:
        say_json(erased)
        return 0
    _say_erased(erased)
    _remarks(erased.notes)
    if not options.yes:
        remark("nothing was erased: say  --yes  to do it, for good")
    return 0


def _nothing(match: Match) -> int:
    complain("nothing is stored of such a visitor")
    _remarks(match.notes)
    return EXIT_FAILED


def _say_erased(erased: Erased) -> None:
    told = {name: value for name, value in msgspec.structs.asdict(erased).items() if type(value) is int}
    say_table(
        ("STORED" if erased.dry_run else "ERASED", "NUMBER"),
        [(name.replace("_", " "), f"{value:,}") for name, value in told.items()],
        right={"NUMBER"},
    )


def _remarks(notes: Any) -> None:  # noqa: ANN401
    for note in notes:
        remark(f"note: {note}")


@contextmanager
def _found(options: argparse.Namespace) -> Iterator[tuple[Site, Match, Rights]]:
    """Yield the site, who is meant, and what can be done."""
    if options.user_agent and not options.ip:
        complain("--user-agent goes with --ip")
        raise SystemExit(EXIT_USAGE)
    config = config_of(options)
    with opened(config) as store:
        there = all_sites(store, config)
        site = next((one for one in there if options.site in one.aliases), None) or known_site(there, options.site)
        snapshot = _snapshot(config, there)
        rights = Rights(store, config, Audit(store), lambda: time.time_ns() // 1_000_000)
        try:
            match = rights.find(snapshot, site, _subject(options, snapshot))
        except ValueError as error:
            raise TrackerError(str(error)) from error
        yield site, match, rights


def _snapshot(config: Config, there: list[Site]) -> Snapshot:
    """Return what this node knows of keys, with the sites as they are now."""
    found = read_snapshot(config.data_dir / FILE) or Snapshot()
    return msgspec.structs.replace(found, sites=tuple(there), policy=policy_of(config.identity))


def _subject(options: argparse.Namespace, snapshot: Snapshot) -> Subject:
    """Return who is looked for; raises TrackerError for a cookie that is none of ours."""
    cookie = b""
    if options.cookie:
        found = VisitorCookies(snapshot.secrets.get("cookie", b"")).verify(options.cookie.strip())
        if found is None:
            raise TrackerError(
                "this server did not give that cookie: copy the whole value of vt_visitor, and name the server's data"
                " folder with --data-dir"
            )
        cookie = found
    visitor = visitor_of(options.visitor) if options.visitor else b""
    return Subject(cookie, options.client_id or "", options.ip or "", options.user_agent or "", visitor)


@contextmanager
def _out(path: Path | None) -> Iterator[IO[bytes]]:
    """Open what to write to; raises TrackerError."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except OSError as error:
        raise TrackerError(f"{path}: {error.strerror}") from error


def _retain(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        retainer = Retainer(store, config)
        found = retainer.due() if options.dry_run else retainer.run()
    if options.json:
        for each in found:
            say_json(_due_row(each))
    elif found:
        say_table(
            ("SITE", "WHAT", "KEPT (DAYS)", "FROM BEFORE (UTC)", "WOULD GO" if options.dry_run else "GONE"),
            [_due_cells(each) for each in found],
            right={"KEPT (DAYS)", "WOULD GO", "GONE"},
        )
    if not found and not options.json:
        say("nothing is kept for a limited time" if options.dry_run else "nothing was older than it may be")
    return 0


def _due_row(due: Due) -> dict[str, object]:
    return msgspec.structs.asdict(due) | {"before": _moment(due.before)}


def _due_cells(due: Due) -> tuple[str, ...]:
    when = (_moment(due.before) or "")[:16].replace("T", " ")
    return due.site or "-", due.kind, str(due.days), when, f"{due.rows:,}"


def _moment(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def _audit(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        lines = _lines(store, config, options.site, options.limit)
    if options.json:
        for line in lines:
            say_json(line)
    else:
        say_table(
            ("AT (UTC)", "WHO", "WHAT", "SITE", "TARGET", "DETAIL"),
            [
                (
                    line.at[:19].replace("T", " "),
                    line.name or line.who,
                    line.action,
                    line.site or "-",
                    line.target or "-",
                    msgspec.json.encode(line.detail).decode() if line.detail else "-",
                )
                for line in lines
            ],
        )
    return 0


def _lines(store: SqlStore, config: Config, name: str | None, limit: int) -> list[AuditLine]:
    there = all_sites(store, config)
    site_ids = [known_site(there, name).id] if name else None
    names = {site.id: site.name for site in there}
    return [line_of(row, names) for row in AuditTable(store.database).latest(limit, site_ids=site_ids)]
