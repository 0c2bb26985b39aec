"""`privacy`: proof that keys are destroyed and that nothing personal is kept."""

import argparse
import time
from typing import Any

from visitor_tracker.access.privacy import verify
from visitor_tracker.cli.arguments import add_command, add_group, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, remark, say_document, say_findings
from visitor_tracker.errors import TrackerError

_EXAMPLE = "visitor-tracker privacy verify"


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "privacy", "prove what the privacy of visitors rests on", examples=_EXAMPLE)
    command = add_command(
        group,
        "verify",
        _verify,
        "look for keys that should be destroyed and for personal data; exit code 1 when there are errors",
        examples=f"{_EXAMPLE}\n{_EXAMPLE} --json",
    )
    command.add_argument("--json", action="store_true", help="print the findings as JSON")


def _verify(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        if not options.json:
            remark("reading everything that is stored; this takes a while")
        try:
            findings = verify(store, config, time.time_ns() // 1_000_000).findings
        except OSError as error:
            where = error.filename or config.data_dir
            raise TrackerError(f"{where}: {error.strerror}: run as the user who owns the data folder") from error
    if options.json:
        say_document(findings)
    else:
        say_findings(findings)
    return EXIT_FAILED if any(finding.level == "error" for finding in findings) else 0
