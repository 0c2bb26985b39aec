"""The options of `site add` and `site set`, and what they mean for visitors."""

import argparse
from typing import get_args

import msgspec
from msgspec import UNSET, UnsetType

from visitor_tracker.access.keeper import policy_of
from visitor_tracker.access.site_changes import PolicyChange, RetentionChange, SiteChange
from visitor_tracker.access.sites import alias_name, host_name, time_zone
from visitor_tracker.cli.arguments import checked
from visitor_tracker.cli.output import remark
from visitor_tracker.config import Config
from visitor_tracker.holidays import holiday
from visitor_tracker.sites import (
    IpPolicy,
    Module,
    OptOutPolicy,
    Policy,
    Site,
    TraitsPolicy,
    UserAgentPolicy,
    VisitorPolicy,
)

# option, values, what it decides; the names are those of the settings identity.*
_POLICY = (
    ("visitor", get_args(VisitorPolicy), "who is one visitor; default: identity.visitor"),
    ("ip", get_args(IpPolicy), "client addresses that are stored; default: identity.ip"),
    ("user_agent", get_args(UserAgentPolicy), "user agents that are stored; default: identity.user_agent"),
    ("traits", get_args(TraitsPolicy), "what pages tell with identify; default: identity.traits"),
    ("opt_out", get_args(OptOutPolicy), "visits with DNT or Sec-GPC; default: identity.opt_out"),
)
_KEPT = {"events": "events_days", "replay": "replay_days", "ip-records": "ip_records_days", "profiles": "profiles_days"}
_DAYS_MOST = 36_500

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


def add_options(command: argparse.ArgumentParser, *, undoing: bool) -> None:
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
    command.add_argument("--url", metavar="URL", help="where people find it, e.g. https://blog.example.com/")
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
    public.add_argument("--public", action="store_true", default=None, help="let everybody read its numbers")
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
    _add_days(command, undoing=undoing)


def _add_days(command: argparse.ArgumentParser, *, undoing: bool) -> None:
    """Add how long what is kept, and which days are holidays."""
    retention, holidays = (command.add_mutually_exclusive_group() for _ in range(2))
    retention.add_argument(
        "--retention",
        action="append",
        metavar="WHAT=DAYS",
        type=checked(_kept),
        help=f"for how many days what is kept: {', '.join(_KEPT)}; 0: for ever, settings: as the settings say; may be"
        " repeated; default: retention.*",
    )
    holidays.add_argument(
        "--holiday",
        action="append",
        metavar="DAY",
        type=checked(holiday),
        help="2026-04-05, or 12-25 for every year's: nothing usual is expected of it; may be repeated",
    )
    if undoing:
        retention.add_argument("--retention-as-settings", action="store_true", help="keep all as the settings say")
        holidays.add_argument("--no-holiday", action="store_true", help="take all holidays away")


def change_of(site: Site | None, options: argparse.Namespace, config: Config) -> SiteChange:
    """Return what the options say of a site, None for one that is made."""
    return SiteChange(
        url=_or_unset(options.url),
        hostnames=() if getattr(options, "any_hostname", False) else _tuple_or_unset(options.hostname),
        aliases=() if getattr(options, "no_alias", False) else _tuple_or_unset(options.alias),
        timezone=_or_unset(options.timezone),
        policy=_policy(site, options, config),
        modules=_modules(options),
        public=UNSET if options.public is None else bool(options.public),
        retention=_retention(options),
        holidays=() if getattr(options, "no_holiday", False) else _tuple_or_unset(options.holiday),
    )


def tell_privacy(before: Site | None, site: Site, config: Config) -> None:
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
    if site.public and not (before and before.public):
        remark("--public: everybody may read its numbers; single visits and recordings stay for people with a role")


def _kept(text: str) -> str:
    """Check WHAT=DAYS; raises ValueError."""
    what, _, days = text.partition("=")
    if what not in _KEPT:
        raise ValueError(f"{what!r} is nothing that is kept: use {', '.join(_KEPT)}, such as events=365")
    is_number = days.isascii() and days.isdigit() and len(days) <= 5 and int(days) <= _DAYS_MOST
    if days != "settings" and not is_number:
        raise ValueError(f"{days!r} are no days: use 1 to {_DAYS_MOST}, 0 for ever, or settings")
    return text


def _or_unset(given: str | None) -> str | UnsetType:
    return UNSET if given is None else given


def _tuple_or_unset(given: list[str] | None) -> tuple[str, ...] | UnsetType:
    return tuple(given) if given else UNSET


def _modules(options: argparse.Namespace) -> tuple[Module, ...] | UnsetType | None:
    if options.module:
        return tuple(name for name in get_args(Module) if name in options.module)
    return None if getattr(options, "modules_as_settings", False) else UNSET


def _policy(site: Site | None, options: argparse.Namespace, config: Config) -> PolicyChange | UnsetType | None:
    asked = {name: getattr(options, name) for name, _, _ in _POLICY if getattr(options, name) is not None}
    if not getattr(options, "as_settings", False):
        return msgspec.convert(asked, PolicyChange) if asked else UNSET
    if not asked or site is None:
        return msgspec.convert(asked, PolicyChange) if asked else None
    # What the site had of its own goes: every value is said, those of the settings too.
    of_settings: Policy = policy_of(config.identity)
    return msgspec.convert(msgspec.structs.asdict(of_settings) | asked, PolicyChange)


def _retention(options: argparse.Namespace) -> RetentionChange | UnsetType | None:
    if getattr(options, "retention_as_settings", False):
        return None
    if not options.retention:
        return UNSET
    said = dict(each.partition("=")[::2] for each in options.retention)
    return msgspec.convert(
        {_KEPT[what]: None if days == "settings" else int(days) for what, days in said.items()}, RetentionChange
    )
