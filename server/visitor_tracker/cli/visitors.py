"""`visitors`: who was here, one by one, and who is here now."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.cli.arguments import add_command, config_of, opened, positive
from visitor_tracker.cli.output import EXIT_FAILED, complain, remark, say, say_document, say_table
from visitor_tracker.cli.visitor_tables import say_details, say_stats, say_visitors
from visitor_tracker.errors import TrackerError
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.logs import escape
from visitor_tracker.middleware.visitors_json import VISITORS_MOST, VisitorFile
from visitor_tracker.reports.everywhere import all_stats, all_visitors, any_visitor
from visitor_tracker.reports.live import LISTED, NOW_MINUTES, Happening, Live, Share, read_live
from visitor_tracker.reports.visitors import (
    LIMIT,
    LIMIT_MOST,
    Scope,
)
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.visitors import JUDGE, now_ms, unknown_visitor

_EXAMPLES = """\
visitor-tracker visitors
visitor-tracker visitors --stats --site blog
visitor-tracker visitors --ip 203.0.113.42
visitor-tracker visitors --live
visitor-tracker visitors --export visitors.json
"""
_FEED = 10


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the command of this file."""
    command = add_command(commands, "visitors", _visitors, "show visitors one by one", examples=_EXAMPLES)
    what = command.add_mutually_exclusive_group()
    what.add_argument("--stats", action="store_true", help="show how many there are, and from where")
    what.add_argument("--ip", metavar="IP", help="show one: its address, or the 16 hex digits that stand for it")
    what.add_argument("--live", action="store_true", help="show who is on a site now")
    said = "write them to a file as the visitor-tracking middleware of old keeps them; - is standard output"
    what.add_argument("--export", metavar="FILE", help=said)
    command.add_argument("--site", metavar="SITE", help="name or alias of a site; default: all, with --live  default")
    most = f"how many at most, up to {LIMIT_MOST:,}; default: {LIMIT:,}"
    command.add_argument("--limit", type=_limit, default=LIMIT, metavar="N", help=most)
    command.add_argument("--json", action="store_true", help="print it as JSON")


def _limit(text: str) -> int:
    number = positive(text)
    if number > LIMIT_MOST:
        raise argparse.ArgumentTypeError(f"must be at most {LIMIT_MOST:,}, not {number:,}")
    return number


def _visitors(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        sites = SiteTable(store.database).all()
        if options.live:
            [site] = _chosen(sites, options.site or "default")
            return _show_live(store, site, as_json=options.json)
        policy = policy_of(config.identity)
        scopes = [_scope(site, policy) for site in (_chosen(sites, options.site) if options.site else sites)]
        if options.stats:
            return _show_stats(store, scopes, as_json=options.json)
        if options.export:
            return _export(store, scopes, options.export)
        if options.ip:
            return _show_one(store, scopes, options.ip, as_json=options.json)
        return _show_all(store, scopes, options.limit, as_json=options.json)


def _scope(site: Site, policy: Policy) -> Scope:
    return Scope(site, site.policy or policy)


def _chosen(sites: Iterable[Site], name: str) -> list[Site]:
    for site in sites:
        if name == site.name or name in site.aliases:
            return [site]
    raise TrackerError(f"there is no site {name}: see  visitor-tracker site list")


def _show_all(store: SqlStore, scopes: list[Scope], limit: int, *, as_json: bool) -> int:
    found = all_visitors(store.database, scopes, now_ms(), country_name, limit)
    if as_json:
        say_document(found)
    elif not found:
        remark("no visitors in the last 30 days")
    else:
        say_visitors(found)
        if len(found) == limit:
            remark(f"these are the newest {limit:,}; --limit shows more, up to {LIMIT_MOST:,}")
    return 0


def _export(store: SqlStore, scopes: list[Scope], file: str) -> int:
    """Write every visitor's record by address; those of sites without addresses have a hash instead."""
    found = all_visitors(store.database, scopes, now_ms(), country_name, VISITORS_MOST)
    records = {each.ip: msgspec.to_builtins(each) for each in found}
    if file == "-":
        say_document(records)
        return 0
    VisitorFile(Path(file)).save(records)
    remark(f"{file}: {_number(len(records), 'visitor')}")
    if hashes := sum(not scope.keeps_addresses for scope in scopes):
        remark(f"of {_number(hashes, 'site')} without addresses each visitor has 16 hex digits in place of one")
    return 0


def _show_stats(store: SqlStore, scopes: list[Scope], *, as_json: bool) -> int:
    found = all_stats(store.database, scopes, now_ms(), country_name)
    if as_json:
        say_document(found)
    else:
        say_stats(found)
    return 0


def _show_one(store: SqlStore, scopes: list[Scope], ip: str, *, as_json: bool) -> int:
    found = any_visitor(store.database, scopes, now_ms(), country_name, ip)
    if as_json:
        say_document(unknown_visitor(ip) if found is None else found)
    elif found is None:
        complain(f"No data found for IP: {escape(ip)}")
    else:
        say_details(found)
    return EXIT_FAILED if found is None else 0


def _show_live(store: SqlStore, site: Site, *, as_json: bool) -> int:
    live = of_site(store.database, site.id).read(lambda session: read_live(session, site, now_ms(), JUDGE))
    if as_json:
        say_document(live)
    else:
        _say_live(live)
    return 0


def _say_live(live: Live) -> None:
    here = f"{live.now} here now ({NOW_MINUTES} minutes)"
    say(f"{live.site}: {here}, {live.visitors} in {live.visitors_minutes} minutes, {_number(live.views, 'view')}")
    say(f"views per minute: {' '.join(str(minute.views) for minute in live.minutes)}")
    for title, shares in (("PAGE", live.pages), ("SOURCE", live.sources), ("COUNTRY", _named(live.countries[:LISTED]))):
        if shares:
            say("")
            say_table(
                (title, "NOW", "VISITORS"),
                [(share.name, str(share.now), str(share.visitors)) for share in shares],
                right=("NOW", "VISITORS"),
            )
    if live.feed:
        say("")
        say_table(("TIME (UTC)", "COUNTRY", "KIND", "PAGE"), [_row(event) for event in live.feed[:_FEED]])
    if live.robots.events:
        say(f"\nrobots, not counted above: {_number(live.robots.events, 'event')}")


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _named(countries: tuple[Share, ...]) -> tuple[Share, ...]:
    return tuple(msgspec.structs.replace(share, name=country_name(share.name)) for share in countries)


def _row(event: Happening) -> tuple[str, str, str, str]:
    told = event.name or event.target
    return event.time[11:19], event.country, event.kind, f"{event.page}  {told}" if told else event.page
