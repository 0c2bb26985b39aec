"""`key`: API keys, with which programs send for others, read, and change."""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any, get_args

from visitor_tracker.access import send_keys
from visitor_tracker.access.api_keys import ApiKeys, in_order
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.lifetimes import lifetime
from visitor_tracker.access.sites import site_name
from visitor_tracker.access.who import Scope
from visitor_tracker.cli.arguments import add_command, add_group, checked, config_of, opened
from visitor_tracker.cli.output import (
    EXIT_FAILED,
    OutputError,
    ReaderGone,
    complain,
    flush,
    moment,
    moment_json,
    remark,
    say,
    say_json,
    say_table,
)
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.errors import HttpError
from visitor_tracker.store.api_keys import ApiKey

_EXAMPLES = """\
visitor-tracker key add backend --site blog
visitor-tracker key add reports --scope read --expires 90d
visitor-tracker key list
visitor-tracker key revoke backend
"""
_ADD_EXAMPLES = """\
visitor-tracker key add backend
visitor-tracker key add reports --site blog --scope read --scope ingest --expires 90d
KEY=$(visitor-tracker key add backend --site blog)
"""
_REVOKE_EXAMPLES = """\
visitor-tracker key revoke backend
visitor-tracker key revoke 5f0c1d2e3a4b5c6d
"""

Column = tuple[str, Callable[[ApiKey], str]]


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "key", "make, list and revoke keys of programs", examples=_EXAMPLES)
    add = add_command(group, "add", _add, "make a key and print it, once", examples=_ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", type=checked(send_keys.key_name), help="who will have it, e.g. backend")
    add.add_argument("--site", metavar="SITE", type=checked(site_name), help="the only site it is for; none: all")
    add.add_argument(
        "--scope",
        action="append",
        choices=get_args(Scope),
        help="what it is for: read = numbers and visits, ingest = say for whom events are sent, admin = change what an"
        " owner or admin may; may be given several times; default: ingest",
    )
    add.add_argument(
        "--expires",
        metavar="TIME",
        type=checked(expiry),
        help="how long it is good for: 12h, 90d, 26w; none: for ever",
    )
    listing = add_command(
        group,
        "list",
        _list,
        "list the keys; the keys themselves are not kept",
        examples="visitor-tracker key list\nvisitor-tracker key list --json",
    )
    listing.add_argument("--json", action="store_true", help="print the keys as JSON lines")
    revoke = add_command(group, "revoke", _revoke, "make a key worthless", examples=_REVOKE_EXAMPLES)
    revoke.add_argument("key", metavar="KEY", help="its name, or its id as  key list  shows it")


def expiry(text: str) -> str:
    """Return a time that something is good for, as it was given; raises ValueError."""
    lifetime(text)
    return text


def _add(options: argparse.Namespace) -> int:
    config = config_of(options)
    scopes: list[Scope] = options.scope or ["ingest"]
    expires_at = time.time_ns() // 1_000_000 + lifetime(options.expires) if options.expires else 0
    with opened(config, make=True) as store:
        keys, audit = ApiKeys(store), Audit(store)
        site_id = known_site(all_sites(store, config), options.site).id if options.site else 0
        try:
            key, text = keys.add(audit, OPERATOR, options.name, site_id=site_id, scopes=scopes, expires_at=expires_at)
        except HttpError as error:
            complain(f"{error.message}: {error.hint}")
            return EXIT_FAILED
        try:
            say(text)
            flush()
        except (OutputError, ReaderGone):  # nobody has seen the key
            keys.revoke(audit, OPERATOR, key)
            raise
    remark(f"keep it now, it is not shown again; it is for {in_order(scopes).replace(' ', ', ')}, and programs")
    remark("send it as  Authorization: Bearer KEY")
    return 0


def _list(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        keys = ApiKeys(store).all()
        names = {site.id: site.name for site in all_sites(store, config)}
    if options.json:
        for key in keys:
            say_json(_described(key, names))
    elif keys:
        columns = _columns(keys, names)
        say_table([title for title, _ in columns], [[cell(key) for _, cell in columns] for key in keys])
    else:
        remark("no keys yet: make one with  visitor-tracker key add NAME")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    given: str = options.key
    with opened(config_of(options)) as store:
        keys = ApiKeys(store)
        stored = keys.all()
        found = [key for key in stored if key.name == given] or [key for key in stored if key.id == given]
        if len(found) > 1:
            complain(f"there are {len(found)} keys {given}: name one by its id, see  visitor-tracker key list")
            return EXIT_FAILED
        if not found or not keys.revoke(Audit(store), OPERATOR, found[0]):
            complain(f"there is no key {given}: see  visitor-tracker key list")
            return EXIT_FAILED
    say(f"revoked the key {found[0].name}; what still comes with it is refused")
    return 0


def _described(key: ApiKey, names: dict[int, str]) -> dict[str, object]:
    return {
        "name": key.name,
        "id": key.id,
        "site": site_of(key.site_id, names) if key.site_id else None,
        "scopes": key.scopes.split(),
        "user": key.user_id or None,
        "created_at": moment_json(key.created_at),
        "expires_at": moment_json(key.expires_at),
        "last_used_at": moment_json(key.last_used_at),
    }


def _columns(keys: Sequence[ApiKey], names: dict[int, str]) -> list[Column]:
    """Return the columns of the table; those that would say the same of every key are left out."""
    columns: list[Column] = [("NAME", lambda key: key.name), ("ID", lambda key: key.id)]
    columns.append(("SITE", lambda key: site_of(key.site_id, names)))
    if any(key.scopes != "ingest" for key in keys):
        columns.append(("FOR", lambda key: key.scopes.replace(" ", ", ")))
    columns.append(("MADE (UTC)", lambda key: moment(key.created_at)))
    if any(key.expires_at for key in keys):
        columns.append(("EXPIRES", lambda key: moment(key.expires_at)))
    if any(key.last_used_at for key in keys):
        columns.append(("LAST USED", lambda key: moment(key.last_used_at)))
    return columns


def site_of(site_id: int, names: dict[int, str]) -> str:
    """Return what a site is called: "all" for 0, and one that is no more by its id."""
    return names.get(site_id, f"{site_id} (removed)") if site_id else "all"
