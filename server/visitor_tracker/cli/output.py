"""What commands print, and how they end.

Standard output has what was asked for and nothing else, so that it can be piped; remarks go to standard error.
"""

import os
import sys
from collections.abc import Collection, Iterable, Sequence

import msgspec

from visitor_tracker.errors import TrackerError
from visitor_tracker.logs import escape
from visitor_tracker.store.base import Finding
from visitor_tracker.web.counter import iso

EXIT_FAILED, EXIT_USAGE, EXIT_STORE_AWAY, EXIT_SETTINGS, EXIT_INTERRUPTED = 1, 2, 69, 78, 130

_MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


class OutputError(TrackerError):
    """Standard output cannot be written to."""


class ReaderGone(TrackerError):
    """Who reads standard output has seen enough: no mistake."""


def say(text: str) -> None:
    """Print to standard output; raises OutputError or ReaderGone."""
    _checked(f"{text}\n")


def say_json(value: object) -> None:
    """Print a value as one line of JSON."""
    say(msgspec.json.encode(value).decode())


def say_document(value: object) -> None:
    """Print a value as JSON over several lines."""
    say(msgspec.json.format(msgspec.json.encode(value)).decode())


def say_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> None:
    """Print rows below their header; columns named in `right` are numbers."""
    cells = [[escape(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        )
        say("  ".join(line).rstrip())


def say_findings(findings: Iterable[Finding]) -> None:
    """Print what the operator should know, and what to change."""
    for finding in findings:
        say(f"{_MARKS[finding.level]} {finding.message}" + (f"\n          -> {finding.hint}" if finding.hint else ""))


def remark(text: str) -> None:
    """Print to standard error what a person may want to know."""
    print(text, file=sys.stderr)


def complain(text: str) -> None:
    """Print to standard error why the command fails."""
    print(f"visitor-tracker: {text}", file=sys.stderr)


def flush() -> None:
    """Bring out what was said; raises as `say` does."""
    _checked("")


def discard() -> None:
    """Let the interpreter end quietly: what could not be written is not tried again."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def moment(milliseconds: int) -> str:
    """Return an epoch time in ms as people read it, UTC; "-" for none."""
    return iso(milliseconds)[:19].replace("T", " ") if milliseconds else "-"


def moment_json(milliseconds: int) -> str | None:
    """Return an epoch time in ms as ISO 8601, UTC; None for none."""
    return iso(milliseconds) if milliseconds else None


def _checked(text: str) -> None:
    if sys.stdout is None:  # the command was started without one
        return
    try:
        sys.stdout.write(text)
        if not text:
            sys.stdout.flush()
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> TrackerError:
    """Return what to raise for an error of standard output."""
    if isinstance(error, BrokenPipeError):
        return ReaderGone()
    return OutputError(f"the output cannot be written: {error.strerror}")
