"""`demo`: a year of invented visits, so that a newcomer has something to look at."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.sites import DEFAULT, SiteError, check_claims, site_name, time_zone
from visitor_tracker.cli.arguments import add_command, checked, command_line, config_of, opened, positive, whole
from visitor_tracker.cli.output import remark, say
from visitor_tracker.cli.sites import all_sites
from visitor_tracker.config import Config
from visitor_tracker.ingest.fold import Folder
from visitor_tracker.ingest.people import Rule
from visitor_tracker.jobs.demo.plan import Order, host_of
from visitor_tracker.jobs.demo.writing import Start, Written, find_start, write
from visitor_tracker.jobs.rules import rule_of_site
from visitor_tracker.metrics import Metrics
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

DAYS_MOST, VISITS_MOST = 1_096, 20_000

_EXAMPLES = """\
visitor-tracker demo
visitor-tracker demo --timezone Europe/Berlin
visitor-tracker demo --site trial --days 90 --visits 1000 --seed 7
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    demo = add_command(
        commands, "demo", _demo, "fill a site of its own with a year of invented visits", examples=_EXAMPLES
    )
    demo.add_argument(
        "--site",
        default="demo",
        type=checked(site_name),
        metavar="NAME",
        help="a site without visits; made where it is not there; default: demo",
    )
    demo.add_argument(
        "--timezone", metavar="ZONE", type=checked(time_zone), help="of a site that is made; default: UTC"
    )
    demo.add_argument(
        "--days",
        type=_up_to(DAYS_MOST),
        default=365,
        metavar="N",
        help=f"how many, ending now; default: 365, most: {DAYS_MOST:,}",
    )
    demo.add_argument(
        "--visits",
        type=_up_to(VISITS_MOST),
        default=200,
        metavar="N",
        help=f"of an average day; default: 200, most: {VISITS_MOST:,}",
    )
    demo.add_argument(
        "--seed",
        type=whole,
        default=1,
        metavar="N",
        help="the same one invents the same visits again on the same day; default: 1",
    )


def _demo(options: argparse.Namespace) -> int:
    config = config_of(options)
    began = time.monotonic()
    with opened(config, make=True) as store:
        there = all_sites(store, config)
        site = _site(there, options)
        inbox = Inbox(store.of_site(site.id).database)
        order = Order(site, time.time_ns() // 1_000_000, options.days, options.visits, options.seed)
        start = find_start(inbox, order)
        if site not in there:
            SiteTable(store.database).add(site)
        try:
            with folding(store, config, site.id) as fold:
                written = write(inbox, start, policy_of(config.identity), fold=fold, progress=_progress())
        except KeyboardInterrupt:
            remark("\nnot all is written: the same command goes on from here")
            raise
        waits = bool(inbox.rows(site.id, 1))
    _tell(start, written, time.monotonic() - began)
    look = command_line(options, "stats", "--site", site.name, "--period", "all")
    say(f"\nlook at them with\n  {look}")
    if waits:
        remark("some of it is still being counted, by the server that runs: look again in a moment")
    return 0


@contextmanager
def folding(store: SqlStore, config: Config, site_id: int) -> Iterator[Callable[[], bool]]:
    """Give what folds a piece of the inbox that a site is in; False: nothing is left, or a server sees to it."""
    sites: dict[int, Site] = {}

    def rule_of(site_id: int) -> Rule:
        if site_id not in sites:
            sites.update({site.id: site for site in all_sites(store, config)})
        return rule_of_site(config, sites.get(site_id, DEFAULT))

    folder = Folder(store.of_site(site_id), Metrics().counters(), rule_of)
    try:
        yield folder.step
    finally:
        folder.let_go()


def _site(there: list[Site], options: argparse.Namespace) -> Site:
    """Return the site to fill, which need not be stored yet; raises SiteError."""
    name: str = options.site
    if name == "default":
        raise SiteError("the site default takes real visits: name another one with --site")
    found = next((site for site in there if site.name == name), None)
    if found is not None:
        if options.timezone not in (None, found.timezone):
            raise SiteError(
                f"the site {name} is there already and has the time zone {found.timezone}: leave --timezone out"
            )
        return found
    # As if a hit had made it: a site that somebody adds can keep later hits from making sites (sites.auto_create).
    bare = Site(site_id_of(name), name, timezone=options.timezone or "UTC", automatic=True)
    site = msgspec.structs.replace(bare, hostnames=(host_of(bare),), created_at=time.time_ns() // 1_000_000)
    check_claims(site, there)
    return site


def _progress() -> Callable[[int, int, int], None]:
    """Return what shows how far it is, to a person only."""
    if not sys.stderr.isatty():
        return lambda done, days, events: None

    def show(done: int, days: int, events: int) -> None:
        end = "\n" if done == days else ""
        print(f"\r{done:,} of {days:,} days, {events:,} events", end=end, file=sys.stderr, flush=True)

    return show


def _tell(start: Start, written: Written, seconds: float) -> None:
    name = start.plan.site.name
    days = f"{written.days:,} {'day' if written.days == 1 else 'days'}"
    if start.step:
        remark(f"went on after the first {start.step:,} days, which were there")
    say(
        f"wrote {days} of invented visits to the site {name}: {written.views:,} page views,"
        f" {written.events:,} events with those of robots ({written.robots:,}), in {seconds:.0f} s"
    )


def _up_to(most: int) -> Callable[[str], int]:
    """Return an argument's type: a whole number from 1 to `most`."""

    def read(text: str) -> int:
        number = positive(text)
        if number > most:
            raise argparse.ArgumentTypeError(f"must be at most {most:,}, not {number:,}")
        return number

    return read
