"""What the commands of goals, funnels and the like share: a site, a question about its visits, what people saved."""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import Run, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, EXIT_USAGE, complain, say
from visitor_tracker.cli.periods import add_week_start
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.errors import TrackerError
from visitor_tracker.reports.about import OF_A_VISIT, About
from visitor_tracker.reports.filters import read_filter
from visitor_tracker.reports.goals import Revenue
from visitor_tracker.reports.patterns import both
from visitor_tracker.reports.query import INTERVALS, PERIODS, Asked, QueryError, Question, read_question
from visitor_tracker.reports.saved import filter_text
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import Funnel, Goal, InsightTable, Segment
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


class NothingSuch(TrackerError):
    """What was named is not there; the message says what is."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A site, and the store that is open for it."""

    store: SqlStore
    site: Site
    question: Question
    table: ReportTable
    kept: InsightTable
    now_ms: int

    def note(self, action: str, target: str, thing_id: bytes) -> None:
        """Write a line into the audit log."""
        detail = {"id": thing_id.hex()}
        Audit(self.store).note(OPERATOR, action, site_id=self.site.id, target=target, detail=detail)

    def goal(self, name: str) -> Goal:
        """Return the goal of that name or id; raises NothingSuch."""
        return _named("goal", name, self.kept.goals(self.site.id))

    def funnel(self, name: str) -> Funnel:
        """Return the funnel of that name or id; raises NothingSuch."""
        return _named("funnel", name, self.kept.funnels(self.site.id))

    def segment(self, name: str) -> Segment:
        """Return the shared segment of that name or id; raises NothingSuch."""
        return _named("segment", name, self.kept.segments(self.site.id))


def add_site(command: argparse.ArgumentParser) -> None:
    command.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")


def add_json(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--json", action="store_true", help=f"print {what}")


def add_period(command: argparse.ArgumentParser) -> None:
    """Add the options of a site and a period, and --json."""
    add_site(command)
    command.add_argument(
        "--period",
        metavar="PERIOD",
        default="",
        help=f"{', '.join(PERIODS)}, a day such as 2026-03-31, or two with .. between; default: 30d",
    )
    add_json(command, "everything as JSON")


def add_chosen(command: argparse.ArgumentParser) -> None:
    """Add the options that say which visits."""
    add_period(command)
    command.add_argument(
        "--filter",
        dest="filters",
        metavar="FILTER",
        default="",
        help='only visits that fit, e.g. "country is DE"; docs/reports.md has the language',
    )
    command.add_argument("--segment", metavar="NAME", default="", help="a saved filter that must hold, too")


def add_by(command: argparse.ArgumentParser) -> None:
    """Add the options of a breakdown."""
    command.add_argument("--by", metavar="DIMENSION", default="", help=f"break down by {', '.join(OF_A_VISIT)}")
    command.add_argument("--limit", metavar="N", default="", help="rows of each list; default: 10")


def add_interval(command: argparse.ArgumentParser) -> None:
    command.add_argument("--interval", choices=INTERVALS, default="", help="what one point of a series stands for")
    add_week_start(command)


_ASKED = ("period", "by", "interval", "filters", "limit", "week_start")


@contextmanager
def desk_of(options: argparse.Namespace) -> Iterator[Desk]:
    """Open the store for the site, and read the question, that the options name; raises QueryError and NothingSuch."""
    config = config_of(options)
    with opened(config) as store:
        sites = all_sites(store, config)
        site = next((each for each in sites if options.site in each.aliases), None) or known_site(sites, options.site)
        table, kept = ReportTable(store.database), InsightTable(store.database)
        now_ms = time.time_ns() // 1_000_000
        policy = (site.policy or policy_of(config.identity)).visitor
        asked = Asked(**{name: getattr(options, name, "") for name in _ASKED})
        question = read_question(asked, site, policy, now_ms=now_ms, known=lambda: table.known(site.id))
        desk = Desk(store, site, question, table, kept, now_ms)
        if name := getattr(options, "segment", ""):
            filters = both(read_filter(filter_text("filter", desk.segment(name).filter)), question.filters)
            desk = replace(desk, question=replace(question, filters=filters))
        yield desk


def answered(run: Callable[[argparse.Namespace, Desk], None]) -> Run:
    """Return the command that tells what is wrong with a question, or not there, and ends with an exit code."""

    def command(options: argparse.Namespace) -> int:
        try:
            with desk_of(options) as desk:
                run(options, desk)
        except QueryError as error:
            complain(str(error))
            return EXIT_USAGE
        except NothingSuch as error:
            complain(str(error))
            return EXIT_FAILED
        return 0

    return command


def say_title(found: About) -> None:
    days = found.first if found.first == found.last else f"{found.first} to {found.last}"
    say(f"{found.site}, {days} ({found.timezone})\n")


def percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.1%}"


def money(revenue: Sequence[Revenue]) -> str:
    """Return sums of money by currency as people read them."""
    return ", ".join(f"{each.sum:,.2f} {each.currency}".rstrip() for each in revenue)


_Thing = TypeVar("_Thing", Goal, Funnel, Segment)


def _named(what: str, name: str, there: Sequence[_Thing]) -> _Thing:
    found = [each for each in there if each.id.hex() == name] or [each for each in there if each.name == name]
    if not found:
        known = ", ".join(each.name for each in there[:20])
        hint = f"there are {known}" if known else f"make one with  visitor-tracker {what} add"
        raise NothingSuch(f"the site has no {what} {name!r}: {hint}")
    return found[0]
