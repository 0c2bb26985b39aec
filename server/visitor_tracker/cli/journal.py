"""`journal`: what is in the journal of this machine, and whether it can be read."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from visitor_tracker.cli.arguments import add_command, add_group, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, remark, say, say_document, say_table
from visitor_tracker.config import Config
from visitor_tracker.config.site_stores import place_of
from visitor_tracker.errors import StoreError, StoreUnavailable, TrackerError
from visitor_tracker.ingest import inspection
from visitor_tracker.ingest.inspection import JournalStatus, SegmentReport, SegmentStatus
from visitor_tracker.sites import site_id_of

_EXAMPLES = "visitor-tracker journal status\nvisitor-tracker journal verify\n"
_NUMBERS = {"BYTES", "SYNCED", "STORED", "WAITING", "RECORDS", "EVENTS", "VISITS", "DAMAGED", "STRANGE"}


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(
        commands, "journal", "look into the journal, where events are before the store has them", examples=_EXAMPLES
    )
    status = add_command(
        group,
        "status",
        _status,
        "show what the journal holds and what the store does not have yet",
        examples="visitor-tracker journal status --json",
    )
    status.add_argument("--site", metavar="NAME", help="the journal of a site that has a database of its own")
    status.add_argument("--json", action="store_true", help="print the status as JSON")
    verify = add_command(
        group,
        "verify",
        _verify,
        "read every record of the journal; exit code 1 when some are damaged",
        examples="visitor-tracker journal verify",
    )
    verify.add_argument("--site", metavar="NAME", help="the journal of a site that has a database of its own")
    verify.add_argument("--json", action="store_true", help="print what was found as JSON")


def _status(options: argparse.Namespace) -> int:
    config = config_of(options)
    with _reading(config, options.site) as folder:
        try:
            with opened(config) as store:
                found = inspection.status(folder, store.of_site(site_id_of(options.site)) if options.site else store)
        except (StoreUnavailable, StoreError) as error:  # when the journal matters most
            remark(f"the store was not asked, all of the journal is shown as waiting: {error}")
            found = inspection.status(folder, None)
    if options.json:
        say_document(_status_row(found))
        return 0
    if found.segments:
        say_table(
            ("SEGMENT", "BYTES", "SYNCED", "STORED", "WAITING", "WRITTEN", "STATE"),
            [_segment_cells(one) for one in found.segments],
            right=_NUMBERS,
        )
    say(f"{found.waiting:,} events wait for the store ({found.waiting_bytes:,} of {found.bytes:,} bytes)")
    for path in found.dead:
        remark(f"set aside, the store did not take it: {path}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    with _reading(config_of(options), options.site) as folder:
        found = inspection.verify(folder)
    spoilt = [one for one in found if not one.is_sound]
    if options.json:
        say_document([_report_row(one) for one in found])
        return EXIT_FAILED if spoilt else 0
    if found:
        say_table(
            ("SEGMENT", "RECORDS", "EVENTS", "VISITS", "DAMAGED", "STRANGE", "END"),
            [_report_cells(one) for one in found],
            right=_NUMBERS,
        )
    if spoilt:
        say(f"damaged segments: {len(spoilt)} of {len(found)}; what can be read of them is stored all the same")
        return EXIT_FAILED
    say(f"every record is sound; segments read: {len(found)}")
    return 0


@contextmanager
def _reading(config: Config, name: str | None) -> Iterator[Path]:
    """Give the folder of the journal, of a site's own; raises TrackerError where there is none, or it is unreadable."""
    own = next((site for site in config.site_stores if site.name == name), None)
    if name and own is None:
        raise TrackerError(f"the site {name} has no database of its own (sites.NAME.store): leave --site out")
    folder = config.journal_folder if own is None else place_of(config, own).journal
    try:
        if not folder.is_dir():
            raise TrackerError(
                f"there is no journal {folder} yet: start the server, or name its data folder with --data-dir"
                " or its settings with --config"
            )
        yield folder
    except OSError as error:
        where = error.filename or folder
        raise TrackerError(f"{where}: {error.strerror}: run as the user who owns the data folder") from error


def _segment_cells(one: SegmentStatus) -> tuple[str, ...]:
    stored = "?" if one.drained is None else f"{one.drained:,}"
    written = f"{one.age_seconds:,.0f} s ago"
    state = "being written" if one.live else "closed"
    return one.path.name, f"{one.bytes:,}", f"{one.synced:,}", stored, f"{one.waiting:,}", written, state


def _report_cells(one: SegmentReport) -> tuple[str, ...]:
    numbers = (one.records, one.events, one.visits, one.damaged, one.strange)
    return one.path.name, *(f"{number:,}" for number in numbers), "unfinished record" if one.torn else "whole"


def _status_row(found: JournalStatus) -> dict[str, object]:
    segments = [
        msgspec.structs.asdict(one) | {"path": str(one.path), "age_seconds": round(one.age_seconds, 3)}
        for one in found.segments
    ]
    return msgspec.structs.asdict(found) | {"segments": segments, "dead": [str(path) for path in found.dead]}


def _report_row(one: SegmentReport) -> dict[str, object]:
    return msgspec.structs.asdict(one) | {"path": str(one.path), "is_sound": one.is_sound}
