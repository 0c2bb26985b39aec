"""`key`: send keys, with which trusted programs say for whom they send."""

import argparse
import time
from typing import Any

from visitor_tracker.access import send_keys
from visitor_tracker.access.sites import site_name
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
from visitor_tracker.sites import SendKey
from visitor_tracker.store.keys import SendKeys

_EXAMPLES = """\
visitor-tracker key add backend --site blog
visitor-tracker key list
visitor-tracker key revoke backend
"""
_ADD_EXAMPLES = """\
visitor-tracker key add backend
KEY=$(visitor-tracker key add backend --site blog)
"""
_REVOKE_EXAMPLES = """\
visitor-tracker key revoke backend
visitor-tracker key revoke 5f0c1d2e3a4b5c6d
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "key", "make, list and revoke keys of programs that send events", examples=_EXAMPLES)
    add = add_command(group, "add", _add, "make a send key and print it, once", examples=_ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", type=checked(send_keys.key_name), help="who will have it, e.g. backend")
    add.add_argument("--site", metavar="SITE", type=checked(site_name), help="the only site it may send for; none: all")
    listing = add_command(
        group,
        "list",
        _list,
        "list the send keys; the keys themselves are not kept",
        examples="visitor-tracker key list\nvisitor-tracker key list --json",
    )
    listing.add_argument("--json", action="store_true", help="print the keys as JSON lines")
    revoke = add_command(group, "revoke", _revoke, "make a send key worthless", examples=_REVOKE_EXAMPLES)
    revoke.add_argument("key", metavar="KEY", help="its name, or its id as  key list  shows it")


def _add(options: argparse.Namespace) -> int:
    config = config_of(options)
    name: str = options.name
    with opened(config, make=True) as store:
        table = SendKeys(store.database)
        if any(key.name == name for key, _, _ in table.send_keys()):
            complain(
                f"there is a key {name} already: choose another name, or  visitor-tracker key revoke {name}  first"
            )
            return EXIT_FAILED
        site_id = known_site(all_sites(store, config), options.site).id if options.site else 0
        text = send_keys.make()
        key_id = table.add_send_key(SendKey(send_keys.digest(text), name, site_id), time.time_ns() // 1_000_000)
        try:
            say(text)
            flush()
        except (OutputError, ReaderGone):  # nobody has seen the key
            table.revoke_send_key(key_id)
            raise
    remark("keep it now, it is not shown again; programs send it as  Authorization: Bearer KEY")
    return 0


def _list(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        keys = SendKeys(store.database).send_keys()
        names = {site.id: site.name for site in all_sites(store, config)}
    if options.json:
        for key, number, created_at in keys:
            site = _site(key, names) if key.site_id else None
            say_json({"name": key.name, "id": number, "site": site, "created_at": moment_json(created_at)})
    elif keys:
        rows = [(key.name, number, _site(key, names), moment(created_at)) for key, number, created_at in keys]
        say_table(("NAME", "ID", "SITE", "MADE (UTC)"), rows)
    else:
        remark("no send keys yet: make one with  visitor-tracker key add NAME")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    given: str = options.key
    with opened(config_of(options)) as store:
        table = SendKeys(store.database)
        keys = table.send_keys()
        found = next((row for row in keys if row[0].name == given), None) or next(
            (row for row in keys if row[1] == given), None
        )
        if found is None or not table.revoke_send_key(found[1]):
            complain(f"there is no key {given}: see  visitor-tracker key list")
            return EXIT_FAILED
    say(f"revoked the key {found[0].name}; what still comes with it is refused")
    return 0


def _site(key: SendKey, names: dict[int, str]) -> str:
    if not key.site_id:
        return "all"
    return names.get(key.site_id, f"{key.site_id} (removed)")
