"""The command `top`: its options. What it shows is in `top`."""

import argparse
from importlib import import_module
from typing import Any

from visitor_tracker.cli.arguments import add_command

_EXAMPLES = """\
visitor-tracker top
visitor-tracker top --site blog --interval 5
visitor-tracker top --once
"""
_INTERVAL_LEAST, _INTERVAL_MOST = 0.5, 3600.0  # seconds


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    command = add_command(commands, "top", _top, "show who is on a site now, until q is pressed", examples=_EXAMPLES)
    command.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")
    command.add_argument("--once", action="store_true", help="print it once as text; so it does where it is piped")
    command.add_argument(
        "--interval", metavar="SECONDS", type=_interval, default=2.0, help="how often it is read again; default: 2"
    )


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not _INTERVAL_LEAST <= seconds <= _INTERVAL_MOST:
        raise argparse.ArgumentTypeError(
            f"must be seconds from {_INTERVAL_LEAST:g} to {_INTERVAL_MOST:g}, not {text!r}"
        )
    return seconds


def _top(options: argparse.Namespace) -> int:
    # Only now: rich takes longer to load than most commands run, and the server would keep its memory.
    return int(import_module("visitor_tracker.cli.top").run(options))
