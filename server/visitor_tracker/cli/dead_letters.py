"""`deadletter`: what no table could take, and another try for it."""

import argparse
from typing import Any

from visitor_tracker.cli.arguments import add_command, add_group, config_of, opened, positive
from visitor_tracker.cli.output import (
    EXIT_FAILED,
    EXIT_USAGE,
    complain,
    moment,
    moment_json,
    remark,
    say,
    say_json,
    say_table,
)
from visitor_tracker.ingest.revival import Unrevivable, events_of, rows_again
from visitor_tracker.store.apart import answers, every, main_of
from visitor_tracker.store.dead_letters import DeadLetters
from visitor_tracker.store.inbox import DeadLetter, Inbox
from visitor_tracker.store.sql import SqlStore

_MOST = 10_000  # letters of one `retry --all`
_REASON_SHOWN = 80  # characters


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(
        commands,
        "deadletter",
        "look at what could not be stored, and try it again",
        examples="visitor-tracker deadletter list\nvisitor-tracker deadletter retry --all",
    )
    listing = add_command(
        group,
        "list",
        _list,
        "list what was set aside, the newest first",
        examples="visitor-tracker deadletter list --limit 20\nvisitor-tracker deadletter list --json",
    )
    listing.add_argument("--limit", type=positive, default=100, metavar="N", help="how many at most; default: 100")
    listing.add_argument("--json", action="store_true", help="print one line of JSON for each, with the whole reason")
    retry = add_command(
        group,
        "retry",
        _retry,
        "give what was set aside to the fold again, as after an update that mends the cause",
        examples="visitor-tracker deadletter retry 3f1c0a9b\nvisitor-tracker deadletter retry --all",
    )
    retry.add_argument("ids", nargs="*", metavar="ID", help="as  deadletter list  shows it; its beginning will do")
    retry.add_argument("--all", action="store_true", help="everything that was set aside")


def _list(options: argparse.Namespace) -> int:
    with opened(config_of(options)) as store:
        letters = _letters(store, options.limit)
    if options.json:
        for letter in letters:
            say_json(_row(letter))
        return 0
    if not letters:
        remark("nothing was set aside")
        return 0
    say_table(
        ("ID", "SET ASIDE (UTC)", "SITE", "EVENTS", "REASON"),
        [
            (
                letter.id.hex()[:12],
                moment(letter.at),
                str(letter.site_id or "-"),
                _events(letter),
                _short(letter.reason),
            )
            for letter in letters
        ],
        right={"EVENTS"},
    )
    return 0


def _retry(options: argparse.Namespace) -> int:
    if bool(options.ids) == options.all:
        complain("name what to retry as  deadletter list  shows it, or say --all")
        return EXIT_USAGE
    failed = 0
    with opened(config_of(options)) as store:
        letters = _letters(store, _MOST)
        if options.all and not letters:
            remark("nothing was set aside")
            return 0
        chosen = letters if options.all else []
        for wanted in options.ids:
            found = [letter for letter in letters if letter.id.hex().startswith(wanted.lower())]
            if len(found) != 1:
                complain(f"{wanted}: {'no such letter' if not found else 'several begin so, name more of it'}")
                failed += 1
            chosen += found if len(found) == 1 else []
        put_back = 0
        for letter in chosen:
            try:
                put_back += _put_back(store, letter)
            except Unrevivable as error:
                complain(f"{letter.id.hex()[:12]} stays: {error}")
                failed += 1
    then = f"; a running server folds {'it' if put_back == 1 else 'them'} at once" if put_back else ""
    say(f"{put_back:,} put back into the inbox{then}")
    return EXIT_FAILED if failed else 0


def _put_back(store: SqlStore, letter: DeadLetter) -> bool:
    rows = rows_again(letter)
    return any(DeadLetters(each).put_back(letter.id, rows) for each in every(store.database) if answers(each))


def _letters(store: SqlStore, limit: int) -> list[DeadLetter]:
    """Return what was set aside in all databases, the newest first."""
    found: list[DeadLetter] = []
    for each in every(store.database):
        if each is main_of(store.database) or answers(each):
            found += Inbox(each).dead_letters(limit)
        else:
            remark("a site's own database is away: what was set aside there is not shown")
    return sorted(found, key=lambda letter: -letter.at)[:limit]


def _events(letter: DeadLetter) -> str:
    try:
        return f"{len(events_of(letter)):,}"
    except Unrevivable:
        return "?"


def _short(reason: str) -> str:
    return reason if len(reason) <= _REASON_SHOWN else reason[: _REASON_SHOWN - 1] + "…"


def _row(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id.hex(),
        "site_id": letter.site_id,
        "at": moment_json(letter.at),
        "reason": letter.reason,
        "events": None if (count := _events(letter)) == "?" else int(count.replace(",", "")),
        "bytes": len(letter.body),
    }
