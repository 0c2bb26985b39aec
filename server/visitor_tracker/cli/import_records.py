"""`import visitors.json`: what the visitor-tracking middleware of old knows of its visitors."""

import argparse
import time
from dataclasses import replace

import msgspec

from visitor_tracker.access.sites import with_default
from visitor_tracker.cli.arguments import command_line, opened
from visitor_tracker.cli.import_steps import (
    LAST_SECONDS,
    fold_rest,
    folding,
    known_snapshot,
    reader_of,
    snapshot_of,
    tell_unfinished,
    wanted_of,
)
from visitor_tracker.cli.output import remark, say, say_document
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable, TrackerError
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.jobs.importing.reading import LineReader, Wanted
from visitor_tracker.jobs.importing.record_importer import RecordImporter, Taken
from visitor_tracker.jobs.importing.records import RecordsFile, is_records_file, read_records
from visitor_tracker.jobs.importing.resume import KeyOf, keys_from, new_secret, resuming
from visitor_tracker.logs import escape
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store.inbox import Inbox

RECORDS = "visitors"  # as a format
_HOST = "localhost"  # of pages of which neither file nor site knows one


class _Into(msgspec.Struct, frozen=True):
    """The site that the visitors come to, and what it may keep of them."""

    site: Site
    policy: Policy


_Done = tuple[RecordsFile, Taken]


def are_records(options: argparse.Namespace) -> bool:
    """Say whether the files have visitors' records; raises TrackerError where only some have."""
    if options.format:
        return bool(options.format == RECORDS)
    found = [is_records_file(path) for path in options.files]
    if any(found) and not all(found):
        raise TrackerError("access logs and visitors.json are imported by a command each\nnothing was imported")
    return all(found)


def import_records(options: argparse.Namespace, config: Config) -> int:
    """Import the files and say what they came to."""
    geo = GeoReader(replace(config.geo, database="", asn_database="", online="off"))  # the file knows the places
    try:
        into, done = (_try_out if options.dry_run else _take_in)(options, config, geo)
    finally:
        geo.close()
    if options.json:
        say_document([_document(file, taken) for file, taken in done])
    else:
        for file, taken in done:
            _say(file, taken)
        _say_next(options, into, done)
    return 0


def _take_in(options: argparse.Namespace, config: Config, geo: GeoReader) -> tuple[_Into, list[_Done]]:
    with opened(config, make=True) as store, resuming(config.data_dir) as resume:
        snapshot, is_running = snapshot_of(config)
        into, reader, files = _prepared(options, config, snapshot, resume.key_of, geo)
        store = store.of_site(into.site.id)
        inbox = Inbox(store.database)
        before = resume.files
        done: list[_Done] = []
        try:
            with folding(store, config, is_running=is_running) as fold:
                importer = RecordImporter(reader, into.site.id, inbox=inbox, fold=fold)
                for file in files:
                    resume.begin(file.id, file.name)
                    done.append((file, importer.run(file)))
                    resume.finish(file.id)
                fold_rest(inbox, fold, 0.0 if is_running else LAST_SECONDS)
        except (KeyboardInterrupt, StoreUnavailable, OutcomeUnknown):
            remark("what was stored is stored once: the same command goes on from here")
            raise
        tell_unfinished(before, resume.files)
    return into, done


def _try_out(options: argparse.Namespace, config: Config, geo: GeoReader) -> tuple[_Into, list[_Done]]:
    """Do as if, with nothing stored and nothing made."""
    into, reader, files = _prepared(options, config, known_snapshot(config), keys_from(new_secret()), geo)
    return into, [(file, RecordImporter(reader, into.site.id).run(file)) for file in files]


def _prepared(
    options: argparse.Namespace, config: Config, snapshot: Snapshot, key_of: KeyOf, geo: GeoReader
) -> tuple[_Into, LineReader, list[RecordsFile]]:
    asked = wanted_of(options, snapshot)
    site = asked.site or with_default(snapshot.sites)[0]
    wanted = Wanted(site, asked.host or _HOST, every=True)
    now = time.time_ns() // 1_000_000
    files = [read_records(path, site.id, now) for path in dict.fromkeys(options.files)]
    into = _Into(site, snapshot.policy_of(site.id) if site in snapshot.sites else snapshot.policy)
    return into, reader_of(config, snapshot, key_of, wanted, geo), files


def _say(file: RecordsFile, taken: Taken) -> None:
    say(f"{escape(file.name)}")
    say(f"visitors    {taken.visitors:>12,}  {taken.addresses:,} with their addresses")
    say(f"page views  {taken.views:>12,}")
    say(f"robots      {taken.robots:>12,}")
    if taken.was_there:
        say(f"known       {taken.was_there:>12,}  imported before")
    for reason, number in taken.skipped.most_common():
        say(f"passed over {number:>12,}  {reason}")
    say(f"unreadable  {file.broken:>12,}")
    for problem in file.problems:
        say(f"              {escape(problem.why)}")
    if (uncounted := sum(record.visits - record.views for record in file.records)) > 0:
        say(f"not counted {uncounted:>12,}  visits of visitors with very many; they are in the visitors' records")


def _say_next(options: argparse.Namespace, into: _Into, done: list[_Done]) -> None:
    name = into.site.name
    if into.policy.ip == "none":
        keep = command_line(options, "site", "set", name, "--ip", "full", "--user-agent", "full")
        remark(
            f"the site {name} keeps no addresses: the visits are counted, who came is not kept. To keep it, this goes"
            f" before the import:\n  {keep}"
        )
    elif into.policy.ip == "truncated":
        remark(f"the site {name} keeps shortened addresses: visitors of one network have one record")
    if options.dry_run:
        remark("nothing was stored: leave out --dry-run to do so")
    elif any(taken.visitors for _, taken in done):
        remark(f"look at them with\n  {command_line(options, 'visitors', '--site', name)}")
        remark(f"  {command_line(options, 'stats', '--site', name, '--period', 'all')}")
    else:
        remark("nothing to import: every visitor of these files is in the store, or there is none")


def _document(file: RecordsFile, taken: Taken) -> dict[str, object]:
    return {
        "file": file.name,
        "visitors": taken.visitors,
        "addresses": taken.addresses,
        "views": taken.views,
        "robots": taken.robots,
        "known": taken.was_there,
        "passed_over": dict(taken.skipped),
        "unreadable": file.broken,
        "problems": file.problems,
    }
