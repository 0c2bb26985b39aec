"""What commands share that ask for a site and a period."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

from visitor_tracker.cli.arguments import config_of, opened
from visitor_tracker.cli.output import EXIT_USAGE, complain
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.days import date_of
from visitor_tracker.reports.query import PERIODS, WEEK_STARTS, QueryError, Span, read_span
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


@dataclass(frozen=True, slots=True)
class SitePeriod:
    """A site, a span of its days, and the store that is open for them."""

    store: SqlStore
    site: Site
    span: Span

    def title(self) -> str:
        first, last = self._days()
        return f"{self.site.name}, {first if first == last else f'{first} to {last}'} ({self.span.timezone})"

    def document(self) -> dict[str, object]:
        first, last = self._days()
        return {"site": self.site.name, "from": first, "to": last, "timezone": self.span.timezone}

    def _days(self) -> tuple[str, str]:
        return date_of(self.span.first_day).isoformat(), date_of(self.span.last_day).isoformat()


def add_period(command: argparse.ArgumentParser) -> None:
    """Add the options that name a site and a period."""
    command.add_argument("--site", metavar="NAME", default="default", help="name or alias; default: default")
    command.add_argument(
        "--period",
        metavar="PERIOD",
        default="30d",
        help=f"{', '.join(PERIODS)}, a day such as 2026-03-31, or two with .. between; default: 30d",
    )


def add_week_start(command: argparse.ArgumentParser) -> None:
    command.add_argument("--week-start", choices=WEEK_STARTS, default="", help="what weeks begin with; default: monday")


def ask(options: argparse.Namespace, answer: Callable[[SitePeriod], None]) -> int:
    """Answer for the site and the period that the options name, with the store open; return the exit code."""
    config = config_of(options)
    with opened(config) as store:
        sites = all_sites(store, config)
        site = next((each for each in sites if options.site in each.aliases), None) or known_site(sites, options.site)
        table = ReportTable(store.database)
        now_ms = time.time_ns() // 1_000_000
        try:
            span = read_span(options.period, site.timezone, now_ms, lambda: table.known(site.id))
            answer(SitePeriod(store, site, span))
        except QueryError as error:
            complain(str(error))
            return EXIT_USAGE
    return 0
