"""`rebuild`: make the reports of past days again, out of their events."""

import argparse
from collections.abc import Mapping
from typing import Any

from visitor_tracker.cli.arguments import add_command, checked, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, EXIT_USAGE, complain, remark, say, say_json, say_table
from visitor_tracker.days import date_of, number_of
from visitor_tracker.ingest.rebuild import Rebuilder, Rebuilt, ZoneChanged
from visitor_tracker.jobs.rules import rule_of_site
from visitor_tracker.sites import Site
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_EXAMPLES = """\
visitor-tracker rebuild --day 2026-11-21
visitor-tracker rebuild --site blog --from 2026-11-01 --to 2026-11-21
visitor-tracker rebuild --all
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    rebuild = add_command(
        commands,
        "rebuild",
        _rebuild,
        "make the reports of past days again, out of their events, by today's rules of what is a robot",
        examples=_EXAMPLES,
    )
    rebuild.add_argument("--site", default="default", metavar="NAME", help="name of the site; default: default")
    rebuild.add_argument("--day", type=checked(_day), metavar="DATE", help="one day, such as 2026-11-21")
    rebuild.add_argument("--from", dest="first", type=checked(_day), metavar="DATE", help="the first day")
    rebuild.add_argument(
        "--to", dest="last", type=checked(_day), metavar="DATE", help="the last day; default: the latest"
    )
    rebuild.add_argument("--all", action="store_true", help="every day of which all events are still there")
    rebuild.add_argument("--json", action="store_true", help="print one line of JSON for each day")


def _rebuild(options: argparse.Namespace) -> int:
    if mistake := _mistake(options):
        complain(mistake)
        return EXIT_USAGE
    config = config_of(options)
    with opened(config) as store:
        site = _site(store, options.site)
        if site is None:
            complain(f"there is no site {options.site}:  visitor-tracker site list  shows all")
            return EXIT_FAILED
        rebuilder = Rebuilder(store, site.id, rule_of_site(config, site))
        known = {day: whole for day, whole in rebuilder.days().items() if _is_meant(options, day)}
        if not known:
            complain(f"the site {site.name} has no events of {'any day' if options.all else 'such a day'}")
            return EXIT_FAILED
        try:
            done = _rebuilt(rebuilder, known, as_json=options.json)
        finally:
            rebuilder.let_go()
    if not options.json and done:
        _say(done)
    return 0 if done else EXIT_FAILED


def _mistake(options: argparse.Namespace) -> str:
    """Return what is wrong with the days that the options name, if anything is."""
    if sum([options.day is not None, options.first is not None, options.all]) != 1:
        return "say which days: --day DATE, --from DATE [--to DATE], or --all"
    if options.last is None:
        return ""
    if options.first is None:
        return "--to goes with --from"
    return "" if int(options.first) <= int(options.last) else "--from must not be after --to"


def _rebuilt(rebuilder: Rebuilder, days: Mapping[int, bool], *, as_json: bool) -> list[Rebuilt]:
    """Make those days again that are whole, and tell of the others."""
    done: list[Rebuilt] = []
    for day, is_whole in days.items():
        if not is_whole:
            remark(f"{date_of(day)}: not all of its events are there any more, its numbers stay as they are")
            continue
        try:
            done.append(rebuilder.rebuild(day))
        except ZoneChanged as error:
            remark(f"{date_of(day)}: {error}")
            continue
        if as_json:
            say_json(_row(done[-1]))
    return done


def _say(done: list[Rebuilt]) -> None:
    say_table(
        ("DAY", "EVENTS", "OF ROBOTS", "NUMBERS CHANGED"),
        [(str(date_of(one.day)), f"{one.events:,}", f"{one.robots:,}", f"{one.changed:,}") for one in done],
        right={"EVENTS", "OF ROBOTS", "NUMBERS CHANGED"},
    )
    say(f"days made again: {len(done):,}")


def _is_meant(options: argparse.Namespace, day: int) -> bool:
    if options.all:
        return True
    if options.day is not None:
        return day == int(options.day)
    return int(options.first) <= day <= int(options.last or 99_991_231)


def _site(store: SqlStore, name: str) -> Site | None:
    return next((site for site in SiteTable(store.database).all() if name in (site.name, *site.aliases)), None)


def _day(text: str) -> str:
    """Return a date as the digits of a day; raises ValueError."""
    digits = text.replace("-", "")
    try:
        if len(digits) == 8 and digits.isdecimal():
            return str(number_of(date_of(int(digits))))
    except ValueError:
        pass
    raise ValueError(f"must be a date such as 2026-11-21, not {text!r}")


def _row(one: Rebuilt) -> dict[str, object]:
    return {"day": str(date_of(one.day)), "events": one.events, "robots": one.robots, "changed": one.changed}
