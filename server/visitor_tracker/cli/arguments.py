"""What commands share: their common options, the settings these lead to, and the store."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from visitor_tracker.app import store_of
from visitor_tracker.cli.output import EXIT_USAGE
from visitor_tracker.config import Config, load
from visitor_tracker.errors import ConfigError, StoreError
from visitor_tracker.ingest.own_stores import check_places, prepare_all
from visitor_tracker.store.location import SqliteLocation, locate
from visitor_tracker.store.migrate import migrate, pending
from visitor_tracker.store.sql import SqlStore

_DEFAULT_FILE = Path("config.yaml")

MORE = """\
Settings come from config.yaml, from VISITOR_TRACKER_… variables, and from these options; docs/settings.md has all.
"""

Run = Callable[[argparse.Namespace], int]


def add_command(commands: Any, name: str, run: Run, text: str, *, examples: str) -> argparse.ArgumentParser:  # noqa: ANN401
    """Add a command with the common options; `examples` are lines without indentation."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"{_listed(examples)}\n{MORE}",
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


def add_group(commands: Any, name: str, text: str, *, examples: str) -> Any:  # noqa: ANN401
    """Add a command that has commands of its own; without one of them it shows its help."""
    group: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_listed(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def show_help(_: argparse.Namespace) -> int:
        group.print_help(sys.stderr)
        return EXIT_USAGE

    group.set_defaults(run=show_help)
    return group.add_subparsers(metavar="COMMAND", help="each has its own  --help")


def checked(rule: Callable[[str], str]) -> Callable[[str], str]:
    """Return an argument's type: what the rule returns, or its ValueError as a message."""

    def read(text: str) -> str:
        try:
            return rule(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).replace("%", "%%")) from None

    return read


def whole(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def positive(text: str) -> int:
    """Read a whole number from 1."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def settings_file(options: argparse.Namespace) -> Path | None:
    """Return the settings file: the one named, or config.yaml where there is one."""
    file: Path | None = options.config
    return _DEFAULT_FILE if file is None and _DEFAULT_FILE.is_file() else file


def config_of(options: argparse.Namespace) -> Config:
    """Return the settings; raises ConfigError."""
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
    config = load(settings_file(options), os.environ, overrides)
    try:
        locate(config.store_url)
    except StoreError as error:
        raise ConfigError(f"store.url: {error}") from error
    return config


def command_line(options: argparse.Namespace, *words: str) -> str:
    """Return a command to type next: it sees the settings and the data that this one saw."""
    store = "URL" if options.store and "@" in options.store else options.store  # a password is not shown again
    given = (("--config", options.config), ("--data-dir", options.data_dir), ("--store", store))
    common = [part for name, value in given if value is not None for part in (name, str(value))]
    return shlex.join(["visitor-tracker", *words, *common])


@contextmanager
def opened(config: Config, *, make: bool = False) -> Iterator[SqlStore]:
    """Open the store for a command; tables that are missing are made.

    Raises StoreError where there is no SQLite file, unless `make`: a wrong folder shall not look like one without
    visits.
    """
    file = sqlite_file(config)
    if file is not None and not _is_there(file) and not make:
        raise StoreError(
            f"there is no database {file} yet: start the server, or name its data folder with --data-dir"
            " or its settings with --config"
        )
    check_places(config)
    store = store_of(config)
    try:
        if pending(store):
            migrate(store, config.counter.drop_parameters)
        prepare_all(config, store)
        yield store
    finally:
        store.close()


def sqlite_file(config: Config) -> Path | None:
    """Return where the SQLite file is, or will be; None for other stores."""
    place = locate(config.store_url)
    return place.path if isinstance(place, SqliteLocation) else None


def reach(config: Config) -> None:
    """Make sure that this user may look at the store's file; raises StoreError."""
    if (file := sqlite_file(config)) is not None:
        _is_there(file)


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):  # what has to be made first is told where it cannot be made
        return False
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}: run as the user who owns the data folder") from error
    return True


def _listed(examples: str) -> str:
    lines = examples.strip().splitlines()
    return "\n".join(["example:" if len(lines) == 1 else "examples:", *(f"  {line}" for line in lines), ""])
