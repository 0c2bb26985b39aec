"""`site`: web sites, the hosts they hold, what they may know of visitors, and the tags of their pages."""

import argparse
import html
import shlex
import time
from typing import Any, get_args
from urllib.parse import quote

import msgspec

from visitor_tracker.access import sites
from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.sites import SiteBook, SiteError, alias_name, host_name, site_name, time_zone
from visitor_tracker.cli.arguments import add_command, add_group, checked, config_of, opened
from visitor_tracker.cli.output import moment, moment_json, remark, say, say_json, say_table
from visitor_tracker.cli.snippets import KINDS, PROXIES, snippet
from visitor_tracker.config import Config
from visitor_tracker.errors import StoreError
from visitor_tracker.event import DEFAULT_SITE
from visitor_tracker.sites import (
    IpPolicy,
    Module,
    OptOutPolicy,
    Site,
    TraitsPolicy,
    UserAgentPolicy,
    VisitorPolicy,
    site_id_of,
)
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

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

# option, values, what it decides; the names are those of the settings identity.*
_POLICY = (
    ("visitor", get_args(VisitorPolicy), "who is one visitor; default: identity.visitor"),
    ("ip", get_args(IpPolicy), "client addresses that are stored; default: identity.ip"),
    ("user_agent", get_args(UserAgentPolicy), "user agents that are stored; default: identity.user_agent"),
    ("traits", get_args(TraitsPolicy), "what pages tell with identify; default: identity.traits"),
    ("opt_out", get_args(OptOutPolicy), "visits with DNT or Sec-GPC; default: identity.opt_out"),
)

# What is told once, when a site begins to know more.
_PRIVACY_NOTES = {
    ("visitor", "persistent"): "its visitors are recognised for as long as the server lives, not for a day only",
    ("visitor", "cookie"): "it sets a cookie that recognises visitors; many countries ask for their consent first",
    ("visitor", "client"): "its pages decide who is one visitor; an id they keep in the browser may need consent",
    ("ip", "truncated"): "it stores the network of every visitor (/24, /48)",
    ("ip", "full"): "it stores the address of every visitor, which is personal data: say so in its privacy notice",
    ("user_agent", "full"): "it stores user agents as they are sent, which can help to recognise a person",
    ("traits", "keep"): "it stores what its pages tell of a person with identify, as it comes",
}

_REPLAY_NOTE = (
    "what its visitors see and do is recorded (replay.text: {}, what they type is masked always); many countries ask"
    " for their consent first"
)


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "site", "make, change, list and remove web sites", examples=_EXAMPLES)
    add = add_command(group, "add", _add, "make a site", examples=_ADD_EXAMPLES)
    _add_name(add)
    _add_options(add, undoing=False)
    change = add_command(group, "set", _set, "change a site; what is not given stays as it is", examples=_SET_EXAMPLES)
    _add_name(change)
    _add_options(change, undoing=True)
    listing = add_command(
        group, "list", _list, "list the sites", examples="visitor-tracker site list\nvisitor-tracker site list --json"
    )
    listing.add_argument("--json", action="store_true", help="print the sites as JSON lines")
    remove = add_command(
        group,
        "remove",
        _remove,
        "take a site off the list; its numbers stay in the store",
        examples="visitor-tracker site remove blog",
    )
    _add_name(remove)
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


def _add_options(command: argparse.ArgumentParser, *, undoing: bool) -> None:
    """Add what a site has; `undoing` adds how to take it away again."""
    hosts, aliases, modules, public = (command.add_mutually_exclusive_group() for _ in range(4))
    hosts.add_argument(
        "--hostname",
        action="append",
        metavar="HOST",
        type=checked(host_name),
        help='host of its pages, "*.example.com" for all below example.com; may be repeated; none: pages of any host',
    )
    aliases.add_argument(
        "--alias",
        action="append",
        metavar="ID",
        type=checked(alias_name),
        help="what another tracker calls this site, e.g. its website id; may be repeated",
    )
    command.add_argument(
        "--timezone", metavar="ZONE", type=checked(time_zone), help="where its days begin and end; default: UTC"
    )
    for name, values, text in _POLICY:
        command.add_argument(f"--{name.replace('_', '-')}", choices=values, help=text)
    modules.add_argument(
        "--module",
        action="append",
        choices=(*get_args(Module), "none"),
        help="what /script.js records besides views, time, links and forms; may be repeated; default: tracker.modules",
    )
    public.add_argument(
        "--public", action="store_true", default=None, help="note that its numbers are public, which opens nothing"
    )
    if undoing:
        hosts.add_argument("--any-hostname", action="store_true", help="take pages of any host again")
        modules.add_argument("--modules-as-settings", action="store_true", help="record what the settings say")
        aliases.add_argument("--no-alias", action="store_true", help="take all aliases away")
        command.add_argument(
            "--as-settings",
            action="store_true",
            help="know of visitors what the settings say, but for what is given here",
        )
        public.add_argument("--private", dest="public", action="store_false", default=None, help="undo --public")


def _add(options: argparse.Namespace) -> int:
    config = config_of(options)
    name: str = options.name
    with opened(config, make=True) as store:
        there = all_sites(store, config)
        found = _find(there, name)
        if found is not None and not found.automatic:
            raise SiteError(f"the site {name} is there already: change it with  visitor-tracker site set {name} …")
        now = time.time_ns() // 1_000_000
        site = _changed(Site(site_id_of(name), name, created_at=found.created_at if found else now), options, config)
        sites.check_claims(site, there)
        SiteTable(store.database).put(site)
    say(f"made the site {name}" + (", which an event had named before" if found else ""))
    if config.sites.auto_create == "auto" and all(site.automatic or site.id == DEFAULT_SITE for site in there):
        remark("from now on events that name an unknown site are dropped; sites.auto_create: on  lets them make sites")
    _tell_privacy(found, site, config)
    remark(f"what to put into its pages:  visitor-tracker site snippet {name}")
    return 0


def _set(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        there = all_sites(store, config)
        before = known_site(there, options.name)
        site = _changed(before, options, config)
        if site == before:
            say(f"nothing to change: the site {site.name} is so already")
            return 0
        sites.check_claims(site, there)
        SiteTable(store.database).put(site)
    say(f"changed the site {site.name}")
    _tell_privacy(before, site, config)
    return 0


def _list(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        there = all_sites(store, config)
    if options.json:
        for site in there:
            say_json(_row(site, config))
    else:
        say_table(
            ("NAME", "ID", "TIME ZONE", "VISITORS", "MODULES", "MADE BY", "MADE (UTC)", "HOSTS", "ALIASES"),
            [_cells(site, config) for site in there],
            right={"ID"},
        )
    return 0


def _remove(options: argparse.Namespace) -> int:
    config = config_of(options)
    name: str = options.name
    if name == "default":
        raise SiteError("the site default takes what no other site claims and cannot be removed")
    with opened(config) as store:
        site = known_site(all_sites(store, config), name)
        SiteBook(config.data_dir).forget([name])
        SiteTable(store.database).remove(name)
    say(f"removed the site {name}; its numbers stay in the store and come back with  visitor-tracker site add {name}")
    if site.automatic:
        remark("an event that names it makes it again while sites.auto_create lets it")
    return 0


def _snippet(options: argparse.Namespace) -> int:
    config = config_of(options)
    site = _site_for_tags(config, options.name)
    base = _base(config)
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


def _find(there: list[Site], name: str) -> Site | None:
    return next((site for site in there if site.name == name), None)


def known_site(there: list[Site], name: str) -> Site:
    """Return the site of that name; raises SiteError."""
    site = _find(there, name)
    if site is None:
        names = ", ".join(site.name for site in there)
        raise SiteError(f"there is no site {name}: make it with  visitor-tracker site add {name}  (known: {names})")
    return site


def _changed(site: Site, options: argparse.Namespace, config: Config) -> Site:
    """Return the site with what the options say."""
    changes: dict[str, Any] = {}
    for option, field in (("hostname", "hostnames"), ("alias", "aliases")):
        if given := getattr(options, option):
            changes[field] = tuple(dict.fromkeys(given))
    if getattr(options, "any_hostname", False):
        changes["hostnames"] = ()
    if getattr(options, "no_alias", False):
        changes["aliases"] = ()
    changes["modules"] = _modules(site, options)
    if options.timezone is not None:
        changes["timezone"] = options.timezone
    if options.public is not None:
        changes["public"] = options.public
    current = None if getattr(options, "as_settings", False) else site.policy
    asked = {name: getattr(options, name) for name, _, _ in _POLICY if getattr(options, name) is not None}
    changes["policy"] = sites.own_policy(current, policy_of(config.identity), asked) if asked else current
    return msgspec.structs.replace(site, **changes)


def _modules(site: Site, options: argparse.Namespace) -> tuple[Module, ...] | None:
    if options.module:
        return tuple(name for name in get_args(Module) if name in options.module)
    return None if getattr(options, "modules_as_settings", False) else site.modules


def _tell_privacy(before: Site | None, site: Site, config: Config) -> None:
    """Say what each change means that lets the site know more."""
    settings = policy_of(config.identity)
    old = (before.policy if before else None) or settings
    new = site.policy or settings
    for name, _, _ in _POLICY:
        value = getattr(new, name)
        if value != getattr(old, name) and (name, value) in _PRIVACY_NOTES:
            remark(f"--{name.replace('_', '-')} {value}: {_PRIVACY_NOTES[name, value]}")
    had = (before.modules if before else None) or ()
    if "replay" in (site.modules or ()) and "replay" not in had:
        remark(f"--module replay: {_REPLAY_NOTE.format(config.replay.text)}")


def _modules_of(site: Site, config: Config) -> tuple[str, ...]:
    return config.tracker.modules if site.modules is None else site.modules


def _cells(site: Site, config: Config) -> tuple[str, ...]:
    policy = site.policy or policy_of(config.identity)
    hosts = ", ".join(site.hostnames) or ("what no other has" if site.name == "default" else "any")
    made_by = "itself" if site.name == "default" else "an event" if site.automatic else "you"
    modules = ", ".join(_modules_of(site, config)) or "-"
    about = (site.name, str(site.id), site.timezone, policy.visitor, modules, made_by, moment(site.created_at))
    return *about, hosts, ", ".join(site.aliases)


def _row(site: Site, config: Config) -> dict[str, object]:
    """Return what --json prints; the id as text, since many programs read numbers as doubles."""
    return msgspec.structs.asdict(site) | {
        "id": str(site.id),
        "policy": site.policy or policy_of(config.identity),
        "modules": _modules_of(site, config),
        "own_policy": site.policy is not None,
        "created_at": moment_json(site.created_at),
    }


def _base(config: Config) -> str:
    """Return the address of the server as pages and programs should use it."""
    scheme = "https" if config.tls.certificate else "http"
    return config.server.public_url.rstrip("/") or f"{scheme}://127.0.0.1:{config.server.port or 8000}"
