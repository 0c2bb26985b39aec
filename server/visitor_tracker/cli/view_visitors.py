"""`python view_visitors.py`: the script of the visitor-tracking middleware of old, with its options and its tables.

It shows the visitors of a server (--server or VISITOR_SERVER, with a read key), else those of the store of the
settings, else those of visitors.json in VISITOR_DATA_DIR.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
import requests

from visitor_tracker.cli import main as run_command
from visitor_tracker.cli.arguments import sqlite_file
from visitor_tracker.cli.output import (
    EXIT_FAILED,
    EXIT_SETTINGS,
    OutputError,
    ReaderGone,
    complain,
    discard,
    flush,
    remark,
    say_document,
)
from visitor_tracker.cli.visitor_tables import say_details, say_stats, say_visitors
from visitor_tracker.config import load
from visitor_tracker.errors import ConfigError, TrackerError
from visitor_tracker.logs import escape
from visitor_tracker.middleware.recorder import SERVER_VARIABLE
from visitor_tracker.middleware.visitors_json import FILE, VisitorFile, folder_of, newest_first, stats_of
from visitor_tracker.reports.visitors import Visitor, VisitorStats
from visitor_tracker.web.visitors import unknown_visitor

KEY_VARIABLE = "VISITOR_READ_KEY"

_ROUTE = "/v1/monitoring/visitors"
_LIMIT = 10_000
_ANSWER_SECONDS = 30.0
_EMPTY: dict[str, Any] = {
    "country": "Unknown", "country_code": "XX", "region": "Unknown", "city": "Unknown", "org": "Unknown",
    "isp": "Unknown", "first_seen": "", "last_seen": "", "visit_count": 0, "paths_visited": [], "user_agents": [],
}  # fmt: skip
_EXAMPLES = """\
examples:
  python view_visitors.py
  python view_visitors.py --stats
  python view_visitors.py --json
  python view_visitors.py --ip 203.0.113.42
  VISITOR_SERVER=https://stats.example.com VISITOR_READ_KEY=… python view_visitors.py
"""

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    options = _parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            return _show(options)
        finally:
            flush()
    except ReaderGone:
        discard()
        return 0
    except ConfigError as error:
        complain(f"wrong settings:\n  {error}")
        return EXIT_SETTINGS
    except (TrackerError, OutputError) as error:
        complain(str(error))
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="view_visitors.py",
        description="Show the visitors that were tracked.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stats", action="store_true", help="show statistics")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--ip", metavar="IP", help="show one visitor")
    parser.add_argument("--server", metavar="URL", help=f"ask a server; default: {SERVER_VARIABLE}, else none")
    parser.add_argument("--key", metavar="KEY", help=f"a read key of the server; better in {KEY_VARIABLE}")
    parser.add_argument("--file", metavar="FILE", type=Path, help=f"show this {FILE}")
    return parser


def _show(options: argparse.Namespace) -> int:
    server = options.server or os.environ.get(SERVER_VARIABLE, "")
    if options.file is None and server:
        return _show_server(options, server.rstrip("/"))
    if options.file is None and _has_store():
        given = [f"--{name}" for name in ("stats", "json") if getattr(options, name)]
        # --stats was never a question about one visitor: with --ip it was passed over.
        return run_command(["visitors", *(["--ip", options.ip, *given[-1:]] if options.ip else given)])
    return _show_file(options, VisitorFile(options.file or folder_of() / FILE))


def _has_store() -> bool:
    """Say whether the settings lead to a store: a SQLite file that is there, or a database server."""
    file = sqlite_file(load(None, os.environ))
    return file is None or file.exists()


def _show_file(options: argparse.Namespace, file: VisitorFile) -> int:
    records = file.load()
    if options.ip:
        found = records.get(options.ip)
        return _say_one(options, None if found is None else {"ip": options.ip, **found})
    if options.stats:
        return _say_stats(options, stats_of(records))
    if not records and not file.path.exists():
        remark(f"there is no {file.path}: name its folder in VISITOR_DATA_DIR, or the file with --file")
    return _say_all(options, [{"ip": record.get("ip", ""), **record} for record in newest_first(records)])


def _show_server(options: argparse.Namespace, server: str) -> int:
    if options.ip:
        found = _asked(options, f"{server}{_ROUTE}/{quote(options.ip, safe='')}")
        return _say_one(options, None if "error" in found else found)
    if options.stats:
        return _say_stats(options, _asked(options, f"{server}{_ROUTE}/stats"))
    return _say_all(options, _asked(options, f"{server}{_ROUTE}?{urlencode({'limit': _LIMIT})}").get("visitors", []))


def _asked(options: argparse.Namespace, url: str) -> dict[str, Any]:
    """Return the object that the server answers; raises TrackerError."""
    key = options.key or os.environ.get(KEY_VARIABLE, "")
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = requests.get(url, headers=headers, timeout=_ANSWER_SECONDS, allow_redirects=False)
        found: Any = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise TrackerError(f"{url} is not answered by a Visitor Tracker: {error}") from error
    if answer.status_code != 200 or not isinstance(found, dict):
        said = found.get("error") if isinstance(found, dict) else None
        reason = said.get("message", "") if isinstance(said, dict) else answer.reason
        hint = f"; a read key is given with --key or in {KEY_VARIABLE}" if answer.status_code in (401, 403) else ""
        raise TrackerError(f"{url}: {answer.status_code} {reason}{hint}")
    return found


def _say_all(options: argparse.Namespace, found: Sequence[dict[str, Any]]) -> int:
    if options.json:
        say_document(found)
    elif not found:
        remark("No visitors found")
    else:
        say_visitors([_as(_EMPTY | each, Visitor) for each in found])
    return 0


def _say_stats(options: argparse.Namespace, found: dict[str, Any]) -> int:
    if options.json:
        say_document(found)
    else:
        say_stats(_as(found, VisitorStats))
    return 0


def _say_one(options: argparse.Namespace, found: dict[str, Any] | None) -> int:
    if options.json:
        say_document(unknown_visitor(options.ip) if found is None else found)
    elif found is None:
        complain(f"No data found for IP: {escape(options.ip)}")
    else:
        say_details(_as(_EMPTY | found, Visitor))
    return EXIT_FAILED if found is None else 0


def _as(value: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise TrackerError(f"what is known of a visitor cannot be shown: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
