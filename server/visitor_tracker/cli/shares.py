"""`share` and `pair`: links to a site's numbers, and keys with which programs sign."""

import argparse
import time
from typing import Any, get_args

import msgspec

from visitor_tracker.access import send_keys
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.lifetimes import lifetime
from visitor_tracker.access.passwords import Passwords
from visitor_tracker.access.share_links import ShareLinks
from visitor_tracker.access.signing_keys import SigningKeys, SigningScope, public_key_of
from visitor_tracker.access.sites import site_name
from visitor_tracker.cli.arguments import Run, add_command, add_group, checked, config_of, opened
from visitor_tracker.cli.keys import expiry, site_of
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
from visitor_tracker.cli.people import given_password
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import HttpError
from visitor_tracker.serve import own_address
from visitor_tracker.store.shares import ShareLink
from visitor_tracker.store.sql import SqlStore

_SHARE_EXAMPLES = """\
visitor-tracker share add blog --name "Ada" --expires 30d
visitor-tracker share list
visitor-tracker share revoke 5f0c1d2e3a4b5c6d
"""
_ADD_EXAMPLES = """\
visitor-tracker share add blog
visitor-tracker share add blog --name "Ada" --expires 30d
visitor-tracker share add blog --embed-in https://example.com
printf %s "$PASSWORD" | visitor-tracker share add blog --password-stdin
"""
_PAIR_EXAMPLES = """\
visitor-tracker pair add blog
visitor-tracker pair add blog --name robot --scope admin --public-key HEX
visitor-tracker pair list
visitor-tracker pair revoke 5f0c1d2e3a4b5c6d
"""
_PAIR_ADD_EXAMPLES = """\
visitor-tracker pair add blog
visitor-tracker pair add blog --name robot --scope admin --public-key HEX
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "share", "make, list and revoke links to a site's numbers", examples=_SHARE_EXAMPLES)
    add = add_command(group, "add", _told(_add_link), "make a link that shows a site's numbers", examples=_ADD_EXAMPLES)
    add.add_argument("site", metavar="SITE", type=checked(site_name), help="the site it shows")
    add.add_argument("--name", default="", help="for whom it is, for your own list")
    add.add_argument("--password-stdin", action="store_true", help="read a password for it from standard input")
    add.add_argument("--expires", metavar="TIME", type=checked(expiry), help="12h, 30d, 26w; none: until it is revoked")
    add.add_argument(
        "--embed-in",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="pages of that origin may show it in a frame, e.g. https://example.com; * for all; as often as you like",
    )
    _add_list_and_revoke(group, "share", "links", _list_links, _revoke_link)
    group = add_group(commands, "pair", "register, list and revoke keys that sign requests", examples=_PAIR_EXAMPLES)
    add = add_command(
        group,
        "add",
        _told(_add_pair),
        "make a pair of keys and print what an app needs to sign, once; or register a public key",
        examples=_PAIR_ADD_EXAMPLES,
    )
    add.add_argument("site", metavar="SITE", type=checked(site_name), help="the site it is for")
    add.add_argument(
        "--name", default="paired", type=checked(send_keys.key_name), help="who will have it; default: paired"
    )
    add.add_argument("--scope", choices=get_args(SigningScope), default="read", help="what it may; default: read")
    add.add_argument("--public-key", metavar="HEX", help="a public key of Ed25519 that was made elsewhere")
    _add_list_and_revoke(group, "pair", "keys", _list_pairs, _revoke_pair)


def _add_list_and_revoke(group: Any, name: str, things: str, lists: Run, revokes: Run) -> None:  # noqa: ANN401
    examples = f"visitor-tracker {name} list\nvisitor-tracker {name} list --json"
    listing = add_command(group, "list", lists, f"list the {things}", examples=examples)
    listing.add_argument("--json", action="store_true", help=f"print the {things} as JSON lines")
    revoke = add_command(
        group,
        "revoke",
        revokes,
        f"make one of the {things} worthless",
        examples=f"visitor-tracker {name} revoke 5f0c1d2e3a4b5c6d",
    )
    revoke.add_argument("id", metavar="ID", help=f"as  {name} list  shows it")


def _told(run: Run) -> Run:
    """Return a command that tells what was refused with what to change."""

    def told(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except HttpError as error:
            complain(f"{error.message}: {error.hint}")
            return EXIT_FAILED

    return told


def _add_link(options: argparse.Namespace) -> int:
    config = config_of(options)
    password = given_password(options) if options.password_stdin else ""
    if options.password_stdin and not password:
        complain("the password is empty: nothing was made")
        return EXIT_FAILED
    expires_at = time.time_ns() // 1_000_000 + lifetime(options.expires) if options.expires else 0
    with opened(config, make=True) as store:
        site = known_site(all_sites(store, config), options.site)
        links, audit = _links(store, config), Audit(store)
        link, token = links.add(
            audit,
            OPERATOR,
            site,
            name=options.name,
            password=password,
            expires_at=expires_at,
            origins=options.embed_in,
        )
        try:
            say(f"{own_address(config)}/share/{token}")
            if link.origins:
                say(f"{own_address(config)}/embed/{token}")
            flush()
        except (OutputError, ReaderGone):  # nobody has seen the link
            links.revoke(audit, OPERATOR, link)
            raise
    remark("keep it now, it is not shown again; who has it sees the numbers of the site, and no single visitor")
    return 0


def _list_links(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        links = _links(store, config).all()
        names = {site.id: site.name for site in all_sites(store, config)}
    if options.json:
        for link in links:
            say_json(_described(link, names))
    elif links:
        rows = [
            (
                link.id,
                site_of(link.site_id, names),
                link.name or "-",
                "yes" if link.password else "no",
                moment(link.created_at),
                moment(link.expires_at),
                moment(link.last_used_at),
            )
            for link in links
        ]
        say_table(("ID", "SITE", "NAME", "PASSWORD", "MADE (UTC)", "EXPIRES", "LAST USED"), rows)
    else:
        remark("no share links yet: make one with  visitor-tracker share add SITE")
    return 0


def _revoke_link(options: argparse.Namespace) -> int:
    given: str = options.id
    config = config_of(options)
    with opened(config) as store:
        links = _links(store, config)
        link = next((link for link in links.all() if link.id == given), None)
        if link is None or not links.revoke(Audit(store), OPERATOR, link):
            complain(f"there is no share link {given}: see  visitor-tracker share list")
            return EXIT_FAILED
    say(f"revoked the share link {given}; it opens nothing any more")
    return 0


def _add_pair(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config, make=True) as store:
        site = known_site(all_sites(store, config), options.site)
        keys, audit = SigningKeys(store), Audit(store)
        if options.public_key is not None:
            public_key = public_key_of(options.public_key)
            key = keys.register(audit, OPERATOR, site, public_key, name=options.name, scope=options.scope)
            say(key.id)
            remark("that is the id of the key: programs send it as X-Key-Id")
            return 0
        key, private = keys.pair(audit, OPERATOR, site, name=options.name, scope=options.scope, alone=False)
        shown = {"base_url": own_address(config), "site_id": site.name, "private_key": private.hex(), "key_id": key.id}
        try:
            say(msgspec.json.encode(shown).decode())
            flush()
        except (OutputError, ReaderGone):  # nobody has seen the key
            keys.revoke(audit, OPERATOR, site.id, key.id)
            raise
    remark("keep it now, the private key is kept nowhere")
    return 0


def _list_pairs(options: argparse.Namespace) -> int:
    config = config_of(options)
    with opened(config) as store:
        keys = SigningKeys(store).all()
        names = {site.id: site.name for site in all_sites(store, config)}
    if options.json:
        for key in keys:
            say_json(
                {
                    "id": key.id,
                    "site": site_of(key.site_id, names),
                    "name": key.name,
                    "scope": key.scope,
                    "public_key": key.public_key.hex(),
                    "created_at": moment_json(key.created_at),
                    "last_used_at": moment_json(key.last_used_at),
                }
            )
    elif keys:
        rows = [
            (
                key.id,
                site_of(key.site_id, names),
                key.name,
                key.scope,
                moment(key.created_at),
                moment(key.last_used_at),
            )
            for key in keys
        ]
        say_table(("ID", "SITE", "NAME", "FOR", "MADE (UTC)", "LAST USED"), rows)
    else:
        remark("no keys that sign yet: make a pair with  visitor-tracker pair add SITE")
    return 0


def _revoke_pair(options: argparse.Namespace) -> int:
    given: str = options.id
    with opened(config_of(options)) as store:
        keys = SigningKeys(store)
        key = next((key for key in keys.all() if key.id == given), None)
        if key is None or not keys.revoke(Audit(store), OPERATOR, key.site_id, key.id):
            complain(f"there is no key {given}: see  visitor-tracker pair list")
            return EXIT_FAILED
    say(f"revoked the key {key.name}; what it signs is refused")
    return 0


def _links(store: SqlStore, config: Config) -> ShareLinks:
    # No proof is made or read here, so that the server's secret is not needed.
    return ShareLinks(store, b"", Passwords(config.data_dir, config.auth.password_least))


def _described(link: ShareLink, names: dict[int, str]) -> dict[str, object]:
    return {
        "id": link.id,
        "site": site_of(link.site_id, names),
        "name": link.name,
        "has_password": bool(link.password),
        "embed_in": link.origins.split(),
        "created_at": moment_json(link.created_at),
        "expires_at": moment_json(link.expires_at),
        "last_used_at": moment_json(link.last_used_at),
    }
