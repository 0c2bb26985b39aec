"""What the commands about people share: the store's accounts at hand, passwords as they are given."""

import argparse
import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass

from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.passwords import MOST_BYTES, Passwords
from visitor_tracker.cli.arguments import Run, config_of, opened
from visitor_tracker.cli.output import EXIT_FAILED, complain, moment_json
from visitor_tracker.cli.sites import all_sites, known_site
from visitor_tracker.config import Config
from visitor_tracker.errors import HttpError, TrackerError
from visitor_tracker.serve import own_address
from visitor_tracker.store.sql import SqlStore

_WAIT_SECONDS = 30.0  # for those who log in just now


class PasswordError(TrackerError):
    """No password was given."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command works on accounts."""

    config: Config
    store: SqlStore
    accounts: Accounts
    logins: Logins

    def site_id(self, name: str) -> int:
        """Return the id of a site; raises StoreError for one that there is not."""
        return known_site(all_sites(self.store, self.config), name).id

    def roles(self, account: Account) -> dict[str, str]:
        """Return somebody's roles by the names of sites."""
        names = {site.id: site.name for site in all_sites(self.store, self.config)}
        return dict(sorted((names[each], role) for each, role in account.roles.items() if each in names))

    def hash(self, password: str, *names: str) -> str:
        """Return the hash of a new password; raises HttpError for one that is too easy."""
        hasher = Passwords(self.config.data_dir, self.config.auth.password_least, wait_seconds=_WAIT_SECONDS)
        return hasher.hash(password, *names)

    def invite(self, account: Account) -> str:
        """Return a new link with which somebody chooses a password."""
        link = f"{own_address(self.config)}/setup#{Invitations(self.store).for_user(account)}"
        self.note("user.invited", account)
        return link

    def note(self, action: str, account: Account, **detail: object) -> None:
        """Write a line to the audit log."""
        Audit(self.store).note(OPERATOR, action, target=account.username, detail=detail)


def at_desk(work: Callable[[Desk, argparse.Namespace], int], *, make: bool = False) -> Run:
    """Return a command that works on accounts; what they refuse is told with what to change."""

    def run(options: argparse.Namespace) -> int:
        config = config_of(options)
        with opened(config, make=make) as store:
            # No token is made or read here, so that the server's secret is not needed.
            desk = Desk(config, store, Accounts(store), Logins(store, b"", config.auth))
            try:
                return work(desk, options)
            except HttpError as error:
                complain(f"{error.message}: {error.hint}")
                return EXIT_FAILED

    return run


def given_password(options: argparse.Namespace) -> str:
    """Return the password of standard input, or ask for it twice; raises PasswordError."""
    if options.password_stdin:
        text = sys.stdin.read(MOST_BYTES + 2)
        return text.removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise PasswordError("no password: send it to --password-stdin, or let them choose one with --invite")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise PasswordError("that were two different passwords: nothing was changed")
    return first


def shown(desk: Desk, account: Account) -> dict[str, object]:
    """Return an account as it is printed."""
    return {
        "username": account.username,
        "id": account.id,
        "email": account.email,
        "is_admin": account.is_admin,
        "disabled": account.disabled,
        "roles": desk.roles(account),
        "has_password": account.has_password,
        "second_factor": account.second_factor,
        "created_at": moment_json(account.created_at),
        "seen_at": moment_json(account.seen_at),
    }
