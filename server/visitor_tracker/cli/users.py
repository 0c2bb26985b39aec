"""`user`: accounts of people, their roles and log-ins."""

import argparse
from collections.abc import Sequence
from typing import Any

from visitor_tracker.access.accounts import Account
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.second_factor import SecondFactor
from visitor_tracker.access.who import Role
from visitor_tracker.cli.arguments import add_command, add_group, config_of
from visitor_tracker.cli.output import EXIT_FAILED, complain, moment, moment_json, remark, say, say_json, say_table
from visitor_tracker.cli.people import Desk, at_desk, given_password, shown
from visitor_tracker.serve import own_address, set_up_token
from visitor_tracker.web.api.devices import device_name

_EXAMPLES = """\
visitor-tracker user add ada --admin --invite
visitor-tracker user set ada --site blog --role owner
visitor-tracker user list
"""
_ADD_EXAMPLES = """\
visitor-tracker user add ada --email ada@example.com --admin
visitor-tracker user add bob --site blog --role viewer --invite
printf %s "$PASSWORD" | visitor-tracker user add carol --site blog --site shop --role owner --password-stdin
"""
_SET_EXAMPLES = """\
visitor-tracker user set bob --site blog --role owner
visitor-tracker user set bob --site blog --role none
visitor-tracker user set bob --admin --email bob@example.com
visitor-tracker user set bob --disable
"""
_PASSWORD_EXAMPLES = """\
visitor-tracker user password bob --invite
visitor-tracker user password bob --invite --revoke-keys
printf %s "$PASSWORD" | visitor-tracker user password bob --password-stdin
"""


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
    group = add_group(commands, "user", "make, change, list and remove accounts of people", examples=_EXAMPLES)
    add = add_command(group, "add", at_desk(_add, make=True), "make an account", examples=_ADD_EXAMPLES)
    _add_name(add)
    add.add_argument("--email", default="", metavar="ADDRESS", help="with which they may log in as well")
    add.add_argument("--admin", action="store_true", help="may do everything, on every site")
    add.add_argument("--site", action="append", default=[], metavar="SITE", help="that they may see; may be repeated")
    add.add_argument("--role", choices=("viewer", "owner"), help="on these sites; default: viewer")
    _add_password(add)
    _add_changes(group)
    listing = add_command(
        group,
        "list",
        at_desk(_list),
        "list the accounts",
        examples="visitor-tracker user list\nvisitor-tracker user list --json",
    )
    listing.add_argument("--json", action="store_true", help="print the accounts as JSON lines")
    for name, run, text in (("show", _show, "show an account"), ("logins", _logins, "list somebody's log-ins")):
        command = add_command(group, name, at_desk(run), text, examples=f"visitor-tracker user {name} bob")
        _add_name(command)
        command.add_argument("--json", action="store_true", help="print it as JSON")
    _add_endings(group)


def _add_changes(group: Any) -> None:  # noqa: ANN401
    change = add_command(
        group, "set", at_desk(_set), "change an account; what is not given stays as it is", examples=_SET_EXAMPLES
    )
    _add_name(change)
    change.add_argument("--email", metavar="ADDRESS", help='another address; "" for none')
    change.add_argument("--site", action="append", default=[], metavar="SITE", help="whose role is changed; repeatable")
    change.add_argument("--role", choices=("viewer", "owner", "none"), help="on these sites")
    admin, work = change.add_mutually_exclusive_group(), change.add_mutually_exclusive_group()
    admin.add_argument("--admin", action="store_const", const=True, help="may do everything, on every site")
    admin.add_argument("--no-admin", dest="admin", action="store_const", const=False, help="only what roles allow")
    work.add_argument("--disable", dest="disabled", action="store_const", const=True, help="log out, and keep out")
    work.add_argument("--enable", dest="disabled", action="store_const", const=False, help="let in again")
    password = add_command(
        group,
        "password",
        at_desk(_password),
        "set somebody's password, which ends their log-ins, or make a link to choose one",
        examples=_PASSWORD_EXAMPLES,
    )
    _add_name(password)
    _add_password(password)
    password.add_argument("--revoke-keys", action="store_true", help="revoke the API keys that they have made, too")


def _add_endings(group: Any) -> None:  # noqa: ANN401
    for name, run, text in (
        ("remove", _remove, "delete an account with its roles and log-ins"),
        ("logout", _logout, "end all of somebody's log-ins"),
        ("no-second-factor", _no_second_factor, "take somebody's second factor off"),
    ):
        command = add_command(group, name, at_desk(run), text, examples=f"visitor-tracker user {name} bob")
        _add_name(command)
    add_command(
        group,
        "setup-link",
        at_desk(_set_up_link, make=True),
        "print a link with which the first account can be made from anywhere, once",
        examples="visitor-tracker user setup-link",
    )


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="username, or e-mail address")


def _add_password(command: argparse.ArgumentParser) -> None:
    how = command.add_mutually_exclusive_group()
    how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    how.add_argument("--invite", action="store_true", help="print a link with which they choose one, within a week")


def _add(desk: Desk, options: argparse.Namespace) -> int:
    if options.role and not options.site:
        complain("give --role together with --site")
        return EXIT_FAILED
    role: Role = options.role or "viewer"
    roles = {desk.site_id(name): role for name in options.site}
    hashed = "" if options.invite else desk.hash(given_password(options), options.name, options.email)
    account = desk.accounts.create(
        options.name, email=options.email, password_hash=hashed, is_admin=options.admin, roles=roles
    )
    desk.note("user.added", account, admin=account.is_admin, roles=dict.fromkeys(options.site, role))
    if options.invite:
        say(desk.invite(account))
        remark(f"made the account {account.username}; the link works once, for a week")
    else:
        say(f"made the account {account.username}")
    if not (account.is_admin or roles):
        remark(f"it sees no site yet: visitor-tracker user set {account.username} --site SITE --role viewer")
    return 0


def _set(desk: Desk, options: argparse.Namespace) -> int:
    if bool(options.site) != (options.role is not None):
        complain("give --site and --role together")
        return EXIT_FAILED
    account = desk.accounts.known(options.name)
    role = None if options.role == "none" else options.role
    sites = {name: desk.site_id(name) for name in options.site}
    account = desk.accounts.change(account, email=options.email, is_admin=options.admin, disabled=options.disabled)
    for site_id in sites.values():
        if role is not None or site_id in account.roles:
            desk.accounts.set_role(account.id, site_id, role)
    detail = {"admin": options.admin, "disabled": options.disabled, "email": None if options.email is None else True}
    told: dict[str, object] = {name: value for name, value in detail.items() if value is not None}
    if sites:
        told["roles"] = dict.fromkeys(sites, role)
    if told:
        desk.note("user.changed", account, **told)
    _say_one(shown(desk, desk.accounts.known(account.username)))
    return 0


def _password(desk: Desk, options: argparse.Namespace) -> int:
    account = desk.accounts.known(options.name)
    if options.invite:
        if account.disabled:
            complain(f"{account.username} is disabled: visitor-tracker user set {account.username} --enable  first")
            return EXIT_FAILED
        say(desk.invite(account))
        remark("the link works once, for a week; until then the old password stays")
        _tell_of_keys(desk, account, revoke=options.revoke_keys)
        return 0
    hashed = desk.hash(given_password(options), account.username, account.email)
    desk.accounts.set_password(account, hashed)
    desk.note("user.password", account)
    say(f"set the password of {account.username}; all log-ins have ended")
    _tell_of_keys(desk, account, revoke=options.revoke_keys)
    return 0


def _tell_of_keys(desk: Desk, account: Account, *, revoke: bool) -> None:
    """Revoke somebody's API keys, or say that they stay good."""
    keys = ApiKeys(desk.store)
    if revoke:
        remark(f"API keys that were revoked: {keys.revoke_of_account(Audit(desk.store), OPERATOR, account.id)}")
    elif left := len(keys.of_account(account.id)):
        remark(f"API keys that {account.username} made and that stay good: {left}; --revoke-keys revokes them")


def _list(desk: Desk, options: argparse.Namespace) -> int:
    accounts = desk.accounts.all()
    if options.json:
        for account in accounts:
            say_json(shown(desk, account))
    elif accounts:
        rows = [_row(desk, account) for account in accounts]
        say_table(("NAME", "E-MAIL", "RIGHTS", "STATE", "LAST LOG-IN (UTC)"), rows)
    else:
        remark("no accounts yet: make one with  visitor-tracker user add NAME --admin, or at  user setup-link")
    return 0


def _row(desk: Desk, account: Account) -> Sequence[str]:
    roles = ", ".join(f"{site} ({role})" for site, role in desk.roles(account).items())
    state = "disabled" if account.disabled else "active" if account.has_password or account.seen_at else "invited"
    rights = "admin" if account.is_admin else roles or "-"
    return account.username, account.email or "-", rights, state, moment(account.seen_at)


def _show(desk: Desk, options: argparse.Namespace) -> int:
    found = shown(desk, desk.accounts.known(options.name))
    if options.json:
        say_json(found)
    else:
        _say_one(found)
    return 0


def _say_one(found: dict[str, object]) -> None:
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{site} ({role})" for site, role in value.items())
        say(f"{name.replace('_', ' '):15}{_word(value)}")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "-")


def _logins(desk: Desk, options: argparse.Namespace) -> int:
    logins = desk.logins.of_user(desk.accounts.known(options.name))
    if options.json:
        for login in logins:
            times = {"created_at": moment_json(login.created_at), "used_at": moment_json(login.used_at)}
            say_json({"id": login.id, "kind": login.kind, "device": device_name(login.agent), **times})
    elif logins:
        rows = [
            (device_name(each.agent) or "-", each.kind, moment(each.created_at), moment(each.used_at))
            for each in logins
        ]
        say_table(("DEVICE", "KIND", "BEGAN (UTC)", "LAST USED (UTC)"), rows)
    else:
        remark("logged in nowhere")
    return 0


def _remove(desk: Desk, options: argparse.Namespace) -> int:
    account = desk.accounts.known(options.name)
    desk.accounts.remove(account)
    desk.note("user.removed", account)
    say(f"removed the account {account.username}")
    return 0


def _logout(desk: Desk, options: argparse.Namespace) -> int:
    account = desk.accounts.known(options.name)
    desk.logins.end_all(account)
    desk.note("user.logged_out", account)
    say(f"ended all log-ins of {account.username}")
    return 0


def _no_second_factor(desk: Desk, options: argparse.Namespace) -> int:
    account = desk.accounts.known(options.name)
    if not SecondFactor(desk.store, b"").remove(account):
        say(f"{account.username} has no second factor")
        return 0
    desk.note("user.second_factor_off", account)
    say(f"took the second factor of {account.username} off")
    return 0


def _set_up_link(desk: Desk, options: argparse.Namespace) -> int:
    token = set_up_token(desk.store)
    if not token:
        complain("there are accounts already: log in, or make another with  visitor-tracker user add NAME --invite")
        return EXIT_FAILED
    say(f"{own_address(config_of(options))}/setup#{token}")
    remark("it works once, for a week, from anywhere; the address is that of server.public_url, or where it listens")
    return 0
