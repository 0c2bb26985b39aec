"""`import`: take in the access logs of a web server."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.sites import host_name, site_name, with_default
from visitor_tracker.access.snapshot import FILE as SNAPSHOT
from visitor_tracker.access.snapshot import read_snapshot
from visitor_tracker.app import first_snapshot, folder_of
from visitor_tracker.cli.arguments import add_command, checked, config_of, opened, reach, sqlite_file
from visitor_tracker.cli.import_output import Line, report
from visitor_tracker.cli.output import EXIT_FAILED, remark
from visitor_tracker.cli.sites import known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import AlreadyRunning, OutcomeUnknown, StoreUnavailable
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.fold import LEASE_SECONDS
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.jobs.importing.formats import FORMATS
from visitor_tracker.jobs.importing.importer import Done, Importer
from visitor_tracker.jobs.importing.pace import Pace
from visitor_tracker.jobs.importing.planning import Planned, plan
from visitor_tracker.jobs.importing.reading import LineReader, Wanted
from visitor_tracker.jobs.importing.resume import KeyOf, keys_from, new_secret, resuming
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Snapshot
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.lock import hold
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_EXAMPLES = """\
visitor-tracker import --host www.example.com /var/log/nginx/access.log*
visitor-tracker import --dry-run /var/log/apache2/other_vhosts_access.log
ssh web2 cat /var/log/caddy/access.log | visitor-tracker import --site blog -
"""

_LAST_SECONDS = LEASE_SECONDS + 2.0  # until who was killed has lost its sites
_PAUSE_SECONDS = 0.1


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
        choices=sorted(FORMATS),
        default="",
        help="format of the lines: caddy, combined, common, json (nginx or Apache writing JSON), nginx or "
        "vhost_combined; default: what the first lines look like",
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
        snapshot, is_running = _snapshot(config)
        inbox = Inbox(store.database)
        reader, plans = _planned(options, config, snapshot, resume.key_of, geo)
        before = resume.files
        try:
            with folding(store, config, is_running=is_running) as fold:
                importer = Importer(reader, inbox=inbox, resume=resume, fold=fold, on_progress=line.show)
                done = list(importer.run(plans))
                _fold_rest(inbox, fold, 0.0 if is_running else _LAST_SECONDS)
        except (KeyboardInterrupt, StoreUnavailable, OutcomeUnknown):
            remark("what was stored is stored once: the same command goes on from here")
            raise
        _tell_unfinished(before, resume.files)
    return done, importer, snapshot


def _try_out(options: argparse.Namespace, config: Config, geo: GeoReader) -> tuple[list[Done], Importer, Snapshot]:
    """Do as if, with nothing stored and nothing made."""
    snapshot = _known(config)
    reader, plans = _planned(options, config, snapshot, keys_from(new_secret()), geo)
    with Line() as line:
        importer = Importer(reader, on_progress=line.show)
        return list(importer.run(plans)), importer, snapshot


@contextmanager
def folding(store: SqlStore, config: Config, *, is_running: bool) -> Iterator[Callable[[], bool]]:
    """Give what folds a piece of the inbox, or waits for the server to do so; False: go on."""
    if is_running:
        yield Pace(Inbox(store.database).pending).step
        return
    folder = folder_of(config, store, Metrics().counters())
    try:
        yield folder.step
    finally:
        folder.let_go()


def _fold_rest(inbox: Inbox, fold: Callable[[], bool], seconds: float) -> None:
    """Fold what another folder, which ended without letting go of its sites, has kept from being folded."""
    until = time.monotonic() + seconds
    while inbox.pending()[0] and (fold() or time.monotonic() < until):
        time.sleep(_PAUSE_SECONDS)
    if waiting := inbox.pending()[1]:
        remark(f"{waiting:,} events wait to be counted by the server: look again in a moment")


def _planned(
    options: argparse.Namespace, config: Config, snapshot: Snapshot, key_of: KeyOf, geo: GeoReader
) -> tuple[LineReader, list[Planned]]:
    """Return what reads lines, and the files with lines in them, all looked at."""
    wanted = _wanted(options, snapshot)
    reader = LineReader(
        snapshot,
        key_of,
        wanted,
        agents=AgentReader(Metrics().counters()),
        geo=geo,
        drop_parameters=config.counter.drop_parameters,
        now=time.time_ns() // 1_000_000,
    )
    site_id = 0 if wanted.site is None else wanted.site.id
    return reader, plan(options.files, reader, site_id=site_id, format_name=options.format)


def _wanted(options: argparse.Namespace, snapshot: Snapshot) -> Wanted:
    """Return what the options ask for; raises SiteError for a site that is not there."""
    there = with_default(snapshot.sites)
    site = known_site(there, options.site) if options.site else None
    named = site or there[0]
    host = options.host or next((name for name in named.hostnames if not name.startswith("*.")), "")
    return Wanted(site, f"[{host}]" if ":" in host else host, options.all)


def _snapshot(config: Config) -> tuple[Snapshot, bool]:
    """Return keys and sites, and whether a server runs here.

    While none does, they are brought up to date, as a server that starts would do; else the file has them.
    """
    try:
        with hold(config.data_dir / "server"):
            return first_snapshot(config), False
    except AlreadyRunning:
        snapshot = read_snapshot(config.data_dir / SNAPSHOT)
        if snapshot is None:
            raise StoreUnavailable("the server that runs has not written its sites and keys yet") from None
        return snapshot, True


def _known(config: Config) -> Snapshot:
    """Return the sites that are there, without making anything."""
    policy = policy_of(config.identity)
    reach(config)
    file = sqlite_file(config)
    if file is not None and not file.exists():
        return Snapshot(policy=policy)
    with opened(config) as store:
        return Snapshot(sites=tuple(SiteTable(store.database).all()), policy=policy)


def _tell_unfinished(before: dict[str, str], after: dict[str, str]) -> None:
    for name in sorted(after[file_id] for file_id in after.keys() & before.keys()):
        remark(f"an import of {name} is unfinished: import it again to go on")
