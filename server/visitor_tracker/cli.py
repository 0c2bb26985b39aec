"""The command `visitor-tracker`.

Exit codes: 0 done, 1 failed, 2 wrong usage, 69 the store is away, 78 wrong settings (sysexits.h).
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from visitor_tracker import __version__
from visitor_tracker.access.tokens import ReadToken
from visitor_tracker.app import store_of
from visitor_tracker.config import Config, load
from visitor_tracker.errors import (
    AlreadyRunning,
    ConfigError,
    OutcomeUnknown,
    StoreError,
    StoreUnavailable,
    TrackerError,
)
from visitor_tracker.event import PageCount
from visitor_tracker.http.url import normalise, page_hash
from visitor_tracker.serve import check_all, migrate_store, serve
from visitor_tracker.store.base import PageOrder
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.migrate import migrate, pending
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.counter import iso

EXIT_FAILED, EXIT_USAGE, EXIT_STORE_AWAY, EXIT_SETTINGS = 1, 2, 69, 78
_DEFAULT_FILE = Path("config.yaml")

_EXAMPLES = """\
examples:
  visitor-tracker serve
      count visits on http://127.0.0.1:8000, in a SQLite file below ./data
  visitor-tracker serve --config /etc/visitor-tracker/config.yaml
  visitor-tracker serve --store mysql://tracker:secret@127.0.0.1:3306/visitors
  visitor-tracker check
      look at settings, store and client files, and say what to change
  visitor-tracker count https://example.com/
  visitor-tracker pages --order recent --limit 20

Settings are read from config.yaml (--config), then from variables such as
VISITOR_TRACKER_SERVER_PORT, then from the options of the command.

exit codes: 0 done, 1 failed, 2 wrong usage, 69 the store is away, 78 wrong settings
"""

_MORE = """\
Settings come from config.yaml, from VISITOR_TRACKER_… variables, and from these options; docs/settings.md has all.
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
    _add_serve(commands)
    _add(commands, "check", _check, "look at settings, store and files, and say what to change").add_argument(
        "--json", action="store_true", help="print the findings as JSON"
    )
    _add(commands, "migrate", _migrate, "bring the store's tables up to this version (serve does it too)")
    count = _add(commands, "count", _count, "print the visit count of one page")
    count.add_argument("url", metavar="URL", help="address of the page, with http:// or https://")
    count.add_argument("--json", action="store_true", help="print the row as JSON")
    pages = _add(commands, "pages", _pages, "list pages with their visit counts")
    pages.add_argument("--order", choices=("visits", "recent", "url"), default="visits", help="default: visits")
    pages.add_argument("--limit", type=_positive, default=50, metavar="N", help="how many at most; default: 50")
    pages.add_argument("--json", action="store_true", help="print the rows as JSON lines")
    _add(commands, "token", _token, "print the token that opens lists and metrics to other machines")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    top = parser()
    if not given:
        top.print_help(sys.stderr)
        top.exit(EXIT_USAGE)
    options = top.parse_args(given)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigError as error:
        print(f"visitor-tracker: wrong settings:\n  {str(error).replace(chr(10), chr(10) + '  ')}", file=sys.stderr)
        return EXIT_SETTINGS
    except (StoreUnavailable, OutcomeUnknown) as error:
        print(f"visitor-tracker: the store is away: {error}", file=sys.stderr)
        return EXIT_STORE_AWAY
    except (StoreError, AlreadyRunning, TrackerError) as error:
        print(f"visitor-tracker: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:  # the reader of our list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:  # noqa: ANN401
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    command.add_argument("--config", type=Path, metavar="FILE", help="settings file; default: ./config.yaml if there")
    command.add_argument("--data-dir", metavar="FOLDER", help="folder for the SQLite file and more; default: data")
    command.add_argument(
        "--store",
        metavar="URL",
        help="sqlite:///PATH (an absolute one makes four slashes) or mysql://USER:PASSWORD@HOST:PORT/DATABASE",
    )
    return command


def _add_serve(commands: Any) -> None:  # noqa: ANN401
    command = _add(commands, "serve", _serve, "run the server until SIGTERM or Ctrl-C")
    command.add_argument("--host", metavar="ADDRESS", help="address to listen on; default: 127.0.0.1")
    command.add_argument("--port", type=_whole, metavar="PORT", help="port to listen on, 0 for any free; default: 8000")
    command.add_argument("--workers", metavar="N", help="worker processes, auto, or 0 for everything in one process")
    command.add_argument("--dev", action="store_true", help="for work on the program: one process, debug messages")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _file(options: argparse.Namespace) -> Path | None:
    """Return the settings file: the one named, or config.yaml where there is one."""
    file: Path | None = options.config
    return _DEFAULT_FILE if file is None and _DEFAULT_FILE.is_file() else file


@contextmanager
def _store(options: argparse.Namespace) -> Iterator[SqlStore]:
    """Open the store for a command that reads; one that is still empty gets its tables.

    Raises StoreError where there is no SQLite file: a wrong folder shall not look like a page without visits.
    """
    config = _config(options)
    place = locate(config.store_url)
    if isinstance(place, SqliteLocation) and place.path is not None and _is_missing(place.path):
        raise StoreError(
            f"there is no database {place.path} yet: start the server, or name its data folder with --data-dir"
            " or its settings with --config"
        )
    store = store_of(config)
    try:
        if pending(store):
            migrate(store, config.counter.drop_parameters)
        yield store
    finally:
        store.close()


def _is_missing(file: Path) -> bool:
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:  # what is wrong is told where it is opened
        return False
    return False


def _config(options: argparse.Namespace) -> Config:
    overrides: dict[str, object] = {}
    for option, name in (
        ("data_dir", "server.data_dir"),
        ("store", "store.url"),
        ("host", "server.host"),
        ("port", "server.port"),
        ("workers", "server.workers"),
    ):
        value = getattr(options, option, None)
        if value is not None:
            overrides[name] = int(value) if option == "workers" and value.isdigit() else value
    if getattr(options, "dev", False):
        overrides |= {"server.workers": 0, "log.level": "debug"}
    config = load(_file(options), os.environ, overrides)
    try:
        locate(config.store_url)
    except StoreError as error:
        raise ConfigError(f"store.url: {error}") from error
    return config


def _serve(options: argparse.Namespace) -> int:
    return serve(_config(options), lambda: _config(options), _file(options))


def _check(options: argparse.Namespace) -> int:
    findings = check_all(_config(options), _file(options))
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(findings)).decode())
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}[finding.level]
            print(f"{mark} {finding.message}" + (f"\n          -> {finding.hint}" if finding.hint else ""))
    return EXIT_SETTINGS if any(finding.level == "error" for finding in findings) else 0


def _migrate(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    done = migrate_store(_config(options))
    print("\n".join(f"applied {name}" for name in done) or "nothing to do: the tables are up to date")
    return 0


def _count(options: argparse.Namespace) -> int:
    config = _config(options)
    try:
        url = normalise(options.url, config.counter.drop_parameters)
    except ValueError as error:
        print(f"visitor-tracker: invalid URL: {error}", file=sys.stderr)
        return EXIT_USAGE
    with _store(options) as store:
        page = store.page(page_hash(url))
    page = page or PageCount(url, 0, 0, 0)
    if options.json:
        print(_as_json(page))
    elif page.visit_count:
        times = f"last visit {iso(page.last_visited)}, first {iso(page.created_at)}"
        print(f"{page.visit_count}  {page.page_url}  ({times})")
    else:
        print(f"0  {page.page_url}  (no visit yet)")
    return 0


def _pages(options: argparse.Namespace) -> int:
    order: PageOrder = options.order
    left, cursor, rows = options.limit, None, 0
    with _store(options) as store:
        while left:
            found = store.pages(order=order, limit=min(left, 1000), cursor=cursor)
            if found.pages and not rows and not options.json:
                print(f"{'VISITS':>10}  {'LAST VISIT (UTC)':<19}  PAGE")
            for page in found.pages:
                print(_as_json(page) if options.json else _as_line(page))
            rows += len(found.pages)
            left -= len(found.pages)
            cursor = found.cursor
            if cursor is None:
                break
    if not rows and not options.json:
        print("no visits yet: start  visitor-tracker serve  and open http://127.0.0.1:8000/demo", file=sys.stderr)
    return 0


def _token(options: argparse.Namespace) -> int:
    with _store(options) as store:
        print(ReadToken(store.secret("reads")).text)
    return 0


def _as_line(page: PageCount) -> str:
    return f"{page.visit_count:>10,}  {iso(page.last_visited)[:19].replace('T', ' ')}  {page.page_url}"


def _as_json(page: PageCount) -> str:
    row = msgspec.structs.asdict(page)
    for name in ("last_visited", "created_at"):
        row[name] = iso(row[name]) if row[name] else None
    return msgspec.json.encode(row).decode()
