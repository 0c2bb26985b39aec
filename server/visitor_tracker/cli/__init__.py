"""The command `visitor-tracker`.

Exit codes: 0 done, 1 failed, 2 wrong usage, 69 the store is away, 78 wrong settings (sysexits.h).
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from visitor_tracker import __version__
from visitor_tracker.cli import (
    alerts,
    channels,
    counts,
    dead_letters,
    demo,
    errors,
    importing,
    insight,
    journal,
    keys,
    mail_reports,
    privacy,
    quality,
    query,
    rebuild,
    rights,
    robots,
    server,
    shares,
    sites,
    stats,
    top_command,
    users,
    visitors,
    vitals,
)
from visitor_tracker.cli.output import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_SETTINGS,
    EXIT_STORE_AWAY,
    EXIT_USAGE,
    OutputError,
    ReaderGone,
    complain,
    discard,
    flush,
    unwritable,
)
from visitor_tracker.errors import ConfigError, OutcomeUnknown, StoreUnavailable, TrackerError

_EXAMPLES = """\
examples:
  visitor-tracker serve
      count visits on http://127.0.0.1:8000, in a SQLite file below ./data
  visitor-tracker serve --config /etc/visitor-tracker/config.yaml
  visitor-tracker serve --store mysql://tracker:secret@127.0.0.1:3306/visitors
  visitor-tracker check
      look at settings, store and client files, and say what to change
  visitor-tracker site add blog --hostname blog.example.com
      count a second web site by itself
  visitor-tracker demo
      fill a site of its own with a year of invented visits, to look at
  visitor-tracker stats --site demo --period 90d
      the numbers of a site: days, pages, channels, sources, countries
  visitor-tracker count https://example.com/
  visitor-tracker pages --order recent --limit 20

Settings are read from config.yaml (--config), then from variables such as
VISITOR_TRACKER_SERVER_PORT, then from the options of the command.

exit codes: 0 done, 1 failed, 2 wrong usage, 69 the store is away, 78 wrong settings
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command and option."""
    top = argparse.ArgumentParser(
        prog="visitor-tracker",
        description="Self-hosted visitor tracker: counts the visits of your pages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"visitor-tracker {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, help="each has its own  --help")
    server.add_commands(commands)
    counts.add_commands(commands)
    stats.add_commands(commands)
    top_command.add_commands(commands)
    query.add_commands(commands)
    insight.add_commands(commands)
    mail_reports.add_commands(commands)
    errors.add_commands(commands)
    vitals.add_commands(commands)
    channels.add_commands(commands)
    alerts.add_commands(commands)
    quality.add_commands(commands)
    robots.add_commands(commands)
    visitors.add_commands(commands)
    sites.add_commands(commands)
    users.add_commands(commands)
    keys.add_commands(commands)
    shares.add_commands(commands)
    rights.add_commands(commands)
    journal.add_commands(commands)
    dead_letters.add_commands(commands)
    rebuild.add_commands(commands)
    importing.add_commands(commands)
    privacy.add_commands(commands)
    demo.add_commands(commands)
    server.add_token(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    try:
        try:
            return _answered(sys.argv[1:] if arguments is None else arguments)
        finally:
            flush()  # here, where what becomes of it can be told
    except ReaderGone:
        discard()
        return 0
    except OutputError as error:
        complain(str(error))
        discard()
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _answered(given: Sequence[str]) -> int:
    """Run the command and tell its errors, but those of the output."""
    top = parser()
    if not given:
        top.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        options = top.parse_args(given)
    except OSError as error:  # of printing the help
        raise unwritable(error) from error
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (OutputError, ReaderGone):
        raise
    except ConfigError as error:
        complain(f"wrong settings:\n  {str(error).replace(chr(10), chr(10) + '  ')}")
        return EXIT_SETTINGS
    except (StoreUnavailable, OutcomeUnknown) as error:
        complain(f"the store is away: {error}")
        return EXIT_STORE_AWAY
    except TrackerError as error:
        complain(str(error))
        return EXIT_FAILED
