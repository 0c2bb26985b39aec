"""`robots`: visitors that behave like robots, why, and what a person says to that."""

import argparse
import time
from typing import Any

from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.overruling import Overruling, Word
from visitor_tracker.cli.arguments import add_command, checked, config_of
from visitor_tracker.cli.output import EXIT_USAGE, complain, remark, say, say_document, say_json, say_table
from visitor_tracker.cli.periods import SitePeriod, add_period, ask
from visitor_tracker.days import date_of, day_of, number_of
from visitor_tracker.jobs.judging import DayJudge
from visitor_tracker.jobs.rules import rule_of_site
from visitor_tracker.reports.verdicts import LIMIT, LIMIT_MOST, JudgedVisitor, JudgedVisitors, judged_visitors

_EXAMPLES = """\
visitor-tracker robots
visitor-tracker robots --site blog --period yesterday --verdict robot
visitor-tracker robots --overrule 0f1e2d3c4b5a69788796a5b4c3d2e1f0 human --day 2026-11-21
visitor-tracker robots --judge --period yesterday
"""
_WORDS: dict[str, Word] = {"human": "human", "robot": "robot", "rules": "rules"}
_REASONS = 3  # of a visitor, in the table
_HEX = 32


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    text = "list visitors that behave like robots, and why; say who is none, or is one"
    command = add_command(commands, "robots", _robots, text, examples=_EXAMPLES)
    add_period(command)
    command.add_argument(
        "--verdict",
        choices=("robot", "doubtful", "human"),
        default="doubtful",
        help="list those with this verdict and worse; default: doubtful, which has robots, too",
    )
    command.add_argument("--limit", type=checked(_limit), default=str(LIMIT), metavar="N", help="how many at most")
    command.add_argument("--json", action="store_true", help="print everything as JSON")
    command.add_argument(
        "--overrule",
        nargs=2,
        metavar=("VISITOR", "VERDICT"),
        help="say that a visitor of the list is human or robot, whatever the rules say; rules takes it back",
    )
    command.add_argument(
        "--day", type=checked(_day), metavar="DATE", help="with --overrule: of which day; default: today"
    )
    command.add_argument(
        "--judge", action="store_true", help="judge the days of the period now, and make their numbers again"
    )


def _robots(options: argparse.Namespace) -> int:
    if mistake := _mistake(options):
        complain(mistake)
        return EXIT_USAGE

    def answer(asked: SitePeriod) -> None:
        if options.overrule:
            _overrule(options, asked)
        elif options.judge:
            _judge(options, asked)
        else:
            _list(options, asked)

    return ask(options, answer)


def _mistake(options: argparse.Namespace) -> str:
    """Return what is wrong with the options, if anything is."""
    if options.day and not options.overrule:
        return "--day goes with --overrule; the list takes --period"
    if not options.overrule:
        return ""
    visitor, verdict = options.overrule
    if verdict not in _WORDS:
        return f"--overrule VISITOR takes human, robot or rules, not {verdict!r}"
    try:
        is_id = len(visitor) == _HEX and len(bytes.fromhex(visitor)) * 2 == _HEX
    except ValueError:
        is_id = False
    return "" if is_id else f"{visitor!r} is no visitor: use one as the list shows it, of {_HEX} hex digits"


def _list(options: argparse.Namespace, asked: SitePeriod) -> None:
    limit = int(options.limit)
    found = judged_visitors(asked.store.database, asked.site, asked.span, least=options.verdict, limit=limit)
    if options.json:
        say_document({**asked.document(), "behaviour": config_of(options).robots.behaviour, **_document(found)})
        return
    say(f"{asked.title()}\n")
    if not found.visitors:
        remark("nobody behaves like a robot; days are judged when they are over:  visitor-tracker robots --judge")
        return
    rows = [_row(each) for each in found.visitors]
    say_table(("DAY", "VISITOR", "VERDICT", "SCORE", "VIEWS", "WHY"), rows, {"SCORE", "VIEWS"})
    behaviour = config_of(options).robots.behaviour
    remark(
        f"\n{found.robots:,} robots with {found.robot_views:,} views, {found.doubtful:,} doubtful,"
        f" {found.overruled:,} overruled; robots.behaviour is {behaviour}"
        + ("; there are more: use --limit" if found.more else "")
    )


def _row(visitor: JudgedVisitor) -> tuple[str, ...]:
    said = f"{visitor.verdict}, says {visitor.overruled_by}" if visitor.overruled_by else visitor.verdict
    against = [reason.text for reason in visitor.reasons if reason.weight > 0]
    why = "; ".join(against[:_REASONS])
    return visitor.day, visitor.visitor, said, f"{visitor.score:.2f}", f"{visitor.views:,}", why


def _document(found: JudgedVisitors) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


def _overrule(options: argparse.Namespace, asked: SitePeriod) -> None:
    config, site = config_of(options), asked.site
    visitor, word = options.overrule
    now_ms = time.time_ns() // 1_000_000
    today = day_of(site.timezone, now_ms)
    day = int(options.day or today)
    rule = rule_of_site(config, site)
    Overruling(asked.store, Audit(asked.store)).say(
        site, day, bytes.fromhex(visitor), _WORDS[word], who=OPERATOR, now_ms=now_ms, is_daily=rule.daily
    )
    if day < today:
        DayJudge(asked.store, site, rule).judge(day, now_ms)
        say(f"{date_of(day)}: the numbers are made again")
    else:
        say(f"{date_of(day)}: it holds for the list at once, and for the numbers when the day is over")


def _judge(options: argparse.Namespace, asked: SitePeriod) -> None:
    judge = DayJudge(asked.store, asked.site, rule_of_site(config_of(options), asked.site))
    now_ms = time.time_ns() // 1_000_000
    known = judge.days(asked.span.first_day, asked.span.last_day)
    done = [each for day in known if (each := judge.judge(day, now_ms)) is not None]
    if options.json:
        for each in done:
            say_json(each)
    elif done:
        rows = [(str(date_of(one.day)), f"{one.visitors:,}", f"{one.robots:,}", f"{one.changed:,}") for one in done]
        header = ("DAY", "SUSPECTS", "ROBOTS", "EVENTS CHANGED")
        say_table(header, rows, set(header[1:]))
    else:
        remark("no events of these days")


def _limit(text: str) -> str:
    if text.isdecimal() and 1 <= int(text) <= LIMIT_MOST:
        return text
    raise ValueError(f"must be a whole number from 1 to {LIMIT_MOST}, not {text!r}")


def _day(text: str) -> str:
    """Return a date as the digits of a day; raises ValueError."""
    digits = text.replace("-", "")
    try:
        if len(digits) == 8 and digits.isdecimal():
            return str(number_of(date_of(int(digits))))
    except ValueError:
        pass
    raise ValueError(f"must be a date such as 2026-11-21, not {text!r}")
