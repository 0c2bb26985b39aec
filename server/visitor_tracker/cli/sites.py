"""`site`: web sites, the hosts they hold, what they may know of visitors, and the tags of their pages."""

import argparse
import html
import shlex
import time
from typing import Any
from urllib.parse import quote

import msgspec

from visitor_tracker.access import site_changes, sites
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.site_changes import Sites, is_first_by_hand
from visitor_tracker.access.site_view import SiteView, view_of
from visitor_tracker.access.sites import SiteBook, site_name
from visitor_tracker.cli.arguments import add_command, add_group, checked, config_of, opened
from visitor_tracker.cli.output import EXIT_USAGE, complain, moment, moment_json, remark, say, say_json, say_table
from visitor_tracker.cli.site_options import add_options, change_of, tell_privacy
from visitor_tracker.config import Config
from visitor_tracker.errors import StoreError
from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.ingest.own_stores import own_place
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.snippets import KINDS, PROXIES, base_of, snippet

_EXAMPLES = """\
visitor-tracker site add blog --hostname blog.example.com --timezone Europe/Berlin
visitor-tracker site list
visitor-tracker site snippet blog
"""
_ADD_EXAMPLES = """\
visitor-tracker site add blog --hostname blog.example.com --hostname www.example.com
visitor-tracker site add shop --hostname "*.shop.example" --timezone Europe/Berlin --opt-out anonymous
visitor-tracker site add docs --alias b59e9c65-ae32-47f1-8400-119fcf4861c4
"""
_SET_EXAMPLES = """\
visitor-tracker site set blog --timezone America/New_York
visitor-tracker site set blog --hostname blog.example.com --hostname blog.example.org
visitor-tracker site set default --visitor monthly
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "site", "make, change, list and remove web sites", examples=_EXAMPLES)
    add = add_command(group, "add", _add, "make a site", examples=_ADD_EXAMPLES)
    _add_name(add)
    add_options(add, undoing=False)
    change = add_command(group, "set", _set, "change a site; what is not given stays as it is", examples=_SET_EXAMPLES)
    _add_name(change)
    add_options(change, undoing=True)
    listing = add_command(
        group, "list", _list, "list the sites", examples="visitor-tracker site list\nvisitor-tracker site list --json"
    )
    listing.add_argument("--json", action="store_true", help="print the sites as JSON lines")
    show = add_command(
        group,
        "show",
        _show,
        "show one site",
        examples="visitor-tracker site show blog\nvisitor-tracker site show blog --json",
    )
    _add_name(show)
    show.add_argument("--json", action="store_true", help="print it as JSON")
    remove = add_command(
        group,
        "remove",
        _remove,
        "take a site off the list; its numbers stay in the store",
        examples="visitor-tracker site remove blog\nvisitor-tracker site remove blog --erase --yes",
    )
    _add_name(remove)
    remove.add_argument("--erase", action="store_true", help="erase all that was counted for it, too")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    tags = add_command(
        group,
        "snippet",
        _snippet,
        "print what to put into a site's pages",
        examples="visitor-tracker site snippet blog\nvisitor-tracker site snippet blog --for next",
    )
    _add_name(tags)
    tags.add_argument(
        "--for",
        dest="pages",
        choices=KINDS,
        default="html",
        help="what the pages are made with, or the proxy that gives the script the site's own address; default: html",
    )


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", type=checked(site_name), help="name of the site, e.g. blog")


def _add(options: argparse.Namespace) -> int:
    config = config_of(options)
    name: str = options.name
    with opened(config, make=True) as store:
        book = _sites(store, config)
        was_first = is_first_by_hand(book.all())
        site, found = book.add(OPERATOR, name, change_of(None, options, config))
    say(f"made the site {name}" + (", which an event had named before" if found else ""))
    if config.sites.auto_create == "auto" and was_first:
        remark("from now on events that name an unknown site are dropped; sites.auto_create: on  lets them make sites")
    tell_privacy(found, site, config)
    remark(f"what to put into its pages:  visitor-tracker site snippet {name}")
    return 0


def _set(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        book = _sites(store, config)
        change = change_of(book.named(options.name), options, config)
        before, site = book.change(OPERATOR, options.name, change)
    if site == before:
        say(f"nothing to change: the site {site.name} is so already")
        return 0
    say(f"changed the site {site.name}")
    tell_privacy(before, site, config)
    return 0


def _sites(store: SqlStore, config: Config) -> Sites:
    return Sites(store, config, Audit(store))


def _show(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        site = _sites(store, config).named(options.name)
        view = _view(site, config, SiteTable(store.database).owners().get(site.id, []))
    if options.json:
        say_json(view)
    else:
        own = own_place(config, site.name)
        lines = [*_lines(view), *([("store", own)] if own else [])]
        say_table(("", ""), [(name.upper(), text) for name, text in lines])
    return 0


def _lines(view: SiteView) -> list[tuple[str, str]]:
    """Return what is shown of a site, one line each."""
    of_settings = "as the settings say"
    kept = {name.removesuffix("_days"): days for name, days in msgspec.structs.asdict(view.retention).items()}
    policy = ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(view.policy).items())
    days = ", ".join(f"{name.replace('_', '-')} {f'{n} days' if n else 'for ever'}" for name, n in kept.items())
    return [
        ("name", view.name),
        ("id", view.id),
        ("url", view.url or "-"),
        ("made (utc)", (view.created_at or "-")[:19].replace("T", " ")),
        ("hosts", ", ".join(view.hostnames) or "any"),
        ("aliases", ", ".join(view.aliases) or "-"),
        ("time zone", view.timezone),
        ("holidays", ", ".join(view.holidays) or "-"),
        ("policy", policy + ("" if view.own_policy else f" ({of_settings})")),
        ("modules", (", ".join(view.modules) or "-") + ("" if view.own_modules else f" ({of_settings})")),
        ("kept", days + ("" if view.own_retention else f" ({of_settings})")),
        ("public", "yes" if view.public else "no"),
        ("admins", ", ".join(view.admins) or "-"),
    ]


def _list(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        there = all_sites(store, config)
        owners = SiteTable(store.database).owners() if options.json else {}
    if options.json:
        for site in there:
            own = own_place(config, site.name)
            view = msgspec.to_builtins(_view(site, config, owners.get(site.id, [])))
            say_json(view | ({"store": own} if own else {}))
    else:
        say_table(
            ("NAME", "ID", "TIME ZONE", "VISITORS", "MODULES", "MADE BY", "MADE (UTC)", "HOSTS", "ALIASES"),
            [_cells(site, config) for site in there],
            right={"ID"},
        )
        for site in there:
            if own := own_place(config, site.name):
                remark(f"{site.name} has a database of its own: {own}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    config = config_of(options)
    name: str = options.name
    if options.erase and not options.yes:
        complain(f"this erases all that was counted for {name}, for good: say  --yes  too")
        return EXIT_USAGE
    with opened(config) as store:
        if options.erase:
            of_site(store.database, site_id_of(name)).ping()  # all of it, or nothing
        site = _sites(store, config).remove(OPERATOR, name)
        erased = _erase(store, site) if options.erase else 0
    if options.erase:
        say(f"removed the site {name} and erased what was counted for it, {erased:,} events among it")
    else:
        say(
            f"removed the site {name}; its numbers stay in the store,"
            f" and come back with  visitor-tracker site add {name}"
        )
    if site.automatic:
        remark("an event that names it makes it again while sites.auto_create lets it")
    return 0


def _erase(store: SqlStore, site: Site) -> int:
    eraser = Eraser(store)
    begun = eraser.begin_site(site.id, Audit(store).row(OPERATOR, "site.erased", site_id=site.id, target=site.name))
    return eraser.finish([begun]).events


def _snippet(options: argparse.Namespace) -> int:
    config = config_of(options)
    site = _site_for_tags(config, options.name)
    base = base_of(config)
    if options.pages == "html":
        _say_html(site, base)
    else:
        say(snippet(options.pages, base, site.name).rstrip("\n"))
    if options.pages in PROXIES:
        remark("\nthe web site's own server must be in trusted_proxies here, or all visitors have its address")
    if not config.server.public_url:
        remark(f"\n{base} is a guess: set server.public_url to the address that visitors reach")
    if site.name != "default" and not site.hostnames:
        remark(
            f"\na tag's visits belong to the site that has the page's host: give this one its hosts with"
            f"  visitor-tracker site set {site.name} --hostname HOST"
        )
    return 0


def _site_for_tags(config: Config, name: str) -> Site:
    """Return the site; `default` also where the server has never run, for its tags do not depend on anything."""
    try:
        with opened(config) as store:
            return known_site(all_sites(store, config), name)
    except StoreError:
        if name != sites.DEFAULT.name:
            raise
        return sites.DEFAULT


def _say_html(site: Site, base: str) -> None:
    hosts = sorted(site.hostnames, key=lambda name: name.startswith("*."))
    host = hosts[0].replace("*", "www") if hosts else "example.com"
    page = f"https://[{host}]/" if ":" in host else f"https://{host}/"
    event = msgspec.json.encode({"type": "pageview", "site": site.name, "url": page}).decode()
    say("Into the head of every page; the image counts where there is no JavaScript, with the page's own address:\n")
    say(snippet("html", base, site.name).rstrip("\n"))
    say(f'<noscript><img src="{html.escape(base)}/pixel.gif?url={quote(page, safe="")}" alt=""></noscript>')
    say("\nFrom a program:\n")
    say(
        f"curl {shlex.quote(base + '/api/v1/events')} -H 'Content-Type: application/json' \\\n  -d {shlex.quote(event)}"
    )
    remark(f"\nother pages: --for {'|'.join(KINDS[1:])}; what the script does: docs/tracker.md")


def all_sites(store: SqlStore, config: Config) -> list[Site]:
    """Return every site, with those that hits made a moment ago."""
    return sites.adopt(SiteBook(config.data_dir), SiteTable(store.database), time.time_ns() // 1_000_000)


known_site = site_changes.known_site


def _modules_of(site: Site, config: Config) -> tuple[str, ...]:
    return config.tracker.modules if site.modules is None else site.modules


def _cells(site: Site, config: Config) -> tuple[str, ...]:
    policy = site.policy or policy_of(config.identity)
    hosts = ", ".join(site.hostnames) or ("what no other has" if site.name == "default" else "any")
    made_by = "itself" if site.name == "default" else "an event" if site.automatic else "you"
    modules = ", ".join(_modules_of(site, config)) or "-"
    about = (site.name, str(site.id), site.timezone, policy.visitor, modules, made_by, moment(site.created_at))
    return *about, hosts, ", ".join(site.aliases)


def _view(site: Site, config: Config, admins: list[str]) -> SiteView:
    return view_of(site, config, moment_json(site.created_at), admins)
