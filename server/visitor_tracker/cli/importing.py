"""`import`: take in the access logs of a web server, or what a middleware of old knows of its visitors."""

import argparse
from dataclasses import replace
from typing import Any

from visitor_tracker.access.sites import host_name, site_name, with_default
from visitor_tracker.cli.arguments import add_command, checked, config_of, opened
from visitor_tracker.cli.import_output import Line, report
from visitor_tracker.cli.import_records import RECORDS, are_records, import_records
from visitor_tracker.cli.import_steps import (
    LAST_SECONDS,
    fold_rest,
    folding,
    known_snapshot,
    reader_of,
    snapshot_of,
    target,
    tell_unfinished,
    wanted_of,
)
from visitor_tracker.cli.output import EXIT_FAILED, remark
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.jobs.importing.formats import FORMATS
from visitor_tracker.jobs.importing.importer import Done, Importer
from visitor_tracker.jobs.importing.planning import Planned, plan
from visitor_tracker.jobs.importing.reading import LineReader
from visitor_tracker.jobs.importing.resume import KeyOf, keys_from, new_secret, resuming
from visitor_tracker.sites import Snapshot
from visitor_tracker.store.inbox import Inbox

_EXAMPLES = """\
visitor-tracker import --host www.example.com /var/log/nginx/access.log*
visitor-tracker import visitors.json
visitor-tracker import --dry-run /var/log/apache2/other_vhosts_access.log
ssh web2 cat /var/log/caddy/access.log | visitor-tracker import --site blog -
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    command = add_command(
        commands,
        "import",
        _import,
        "take in the visits that a web server's access logs tell of; every line once, however often it is called",
        examples=_EXAMPLES,
    )
    command.add_argument(
        "files", metavar="FILE", nargs="+", help="access log, also packed (.gz, .bz2, .xz); - is standard input"
    )
    command.add_argument(
        "--format",
        choices=sorted([*FORMATS, RECORDS]),
        default="",
        help="format of the lines: caddy, combined, common, json (nginx or Apache writing JSON), nginx or "
        "vhost_combined; visitors: visitors.json of a visitor-tracking middleware; default: what the first lines "
        "look like",
    )
    command.add_argument(
        "--site",
        metavar="SITE",
        type=checked(site_name),
        help="the site that all visits belong to; default: the one that has the page's host, else default",
    )
    command.add_argument(
        "--host",
        metavar="HOST",
        type=checked(host_name),
        help="host of the pages in logs that do not name it; default: the site's first host name",
    )
    command.add_argument(
        "--all", action="store_true", help="take everything that was got, also images, scripts and other files"
    )
    command.add_argument("--dry-run", action="store_true", help="store nothing, and show what would be taken")
    command.add_argument("--json", action="store_true", help="print the summary as JSON")


def _import(options: argparse.Namespace) -> int:
    config = config_of(options)
    if are_records(options):
        return import_records(options, config)
    geo = GeoReader(replace(config.geo, online="off"))  # nobody is asked about the addresses of a whole log
    try:
        done, importer, snapshot = (_try_out if options.dry_run else _take_in)(options, config, geo)
    finally:
        geo.close()
    report(done, importer.tally, options, {site.id: site.name for site in with_default(snapshot.sites)})
    return EXIT_FAILED if any(file.problem for file in done) else 0


def _take_in(options: argparse.Namespace, config: Config, geo: GeoReader) -> tuple[list[Done], Importer, Snapshot]:
    """Import the files; return what became of each, and the sites that were known."""
    with opened(config, make=True) as store, resuming(config.data_dir) as resume, Line() as line:
        snapshot, is_running = snapshot_of(config)
        store = target(store, config, options)
        inbox = Inbox(store.database)
        reader, plans = _planned(options, config, snapshot, resume.key_of, geo)
        before = resume.files
        try:
            with folding(store, config, is_running=is_running) as fold:
                importer = Importer(reader, inbox=inbox, resume=resume, fold=fold, on_progress=line.show)
                done = list(importer.run(plans))
                fold_rest(inbox, fold, 0.0 if is_running else LAST_SECONDS)
        except (KeyboardInterrupt, StoreUnavailable, OutcomeUnknown):
            remark("what was stored is stored once: the same command goes on from here")
            raise
        tell_unfinished(before, resume.files)
    return done, importer, snapshot


def _try_out(options: argparse.Namespace, config: Config, geo: GeoReader) -> tuple[list[Done], Importer, Snapshot]:
    """Do as if, with nothing stored and nothing made."""
    snapshot = known_snapshot(config)
    reader, plans = _planned(options, config, snapshot, keys_from(new_secret()), geo)
    with Line() as line:
        importer = Importer(reader, on_progress=line.show)
        return list(importer.run(plans)), importer, snapshot


def _planned(
    options: argparse.Namespace, config: Config, snapshot: Snapshot, key_of: KeyOf, geo: GeoReader
) -> tuple[LineReader, list[Planned]]:
    """Return what reads lines, and the files with lines in them, all looked at."""
    wanted = wanted_of(options, snapshot)
    reader = reader_of(config, snapshot, key_of, wanted, geo)
    site_id = 0 if wanted.site is None else wanted.site.id
    return reader, plan(options.files, reader, site_id=site_id, format_name=options.format)
