"""What the routes about people share: their stores, how a request came, how sites are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.invitations import Invitations
from visitor_tracker.access.logins import Logins
from visitor_tracker.access.passwords import Passwords
from visitor_tracker.access.second_factor import SecondFactor
from visitor_tracker.access.throttle import Throttle
from visitor_tracker.access.who import Role, Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.sites import Snapshot
from visitor_tracker.web.asked import answer
from visitor_tracker.web.parts import Parts

BODY_MOST: Final = 16 * 1024  # bytes of a request about people: a password has at most one KiB

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=254, description="username or e-mail address")]
Password = Annotated[str, msgspec.Meta(max_length=1024)]
Code = Annotated[str, msgspec.Meta(max_length=64, description="of the app, or a recovery code")]


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A route without parameters."""


@dataclass(frozen=True, slots=True)
class People:
    """Of one process."""

    accounts: Accounts
    logins: Logins
    passwords: Passwords
    throttle: Throttle
    second_factor: SecondFactor
    invitations: Invitations


def people_of(parts: Parts) -> People:
    """Return what a process needs to know people."""
    store, secret, clock = parts.store, parts.secret, parts.clock
    return People(
        Accounts(store, clock),
        logins_of(parts),
        Passwords(parts.config.data_dir, parts.config.auth.password_least),
        Throttle(store, secret, clock),
        SecondFactor(store, secret, clock),
        Invitations(store, clock),
    )


def logins_of(parts: Parts) -> Logins:
    """Return the log-ins of a process."""
    return Logins(parts.store, parts.secret, parts.config.auth, parts.clock)


def is_secure(request: Request, parts: Parts) -> bool:
    """Say whether the client asked by https: by TLS here, for the public address, or a trusted proxy says so."""
    peer, headers = request.peer, request.headers
    scheme, _, host = parts.config.server.public_url.rstrip("/").lower().partition("://")
    if peer.secure or (scheme == "https" and headers.get("host", "").lower().removesuffix(":443") == host):
        return True
    if not (peer.unix or parts.guards.trusted.holds(peer.address)):
        return False
    return headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "https"


def answer_with(value: object, headers: Headers = (), status: int = 200) -> Response:
    """Return JSON with further headers, such as cookies."""
    made = answer(value)
    return Response(status, made.body, made.headers + headers)


def nothing(headers: Headers = ()) -> Response:
    """Return the answer to what is done and has nothing to tell."""
    return Response(204, headers=(("Cache-Control", "no-store"), *headers))


def own_account(who: Who, people: People) -> Account:
    """Return the account of who asks; raises HttpError 403 where that is no person who has logged in."""
    account = people.accounts.find(who.id) if who.kind == "user" else None
    if account is None:
        raise HttpError(403, "not_a_user", "only somebody who has logged in has an account", "log in at /login")
    return account


def roles_by_name(roles: Mapping[int, Role], snapshot: Snapshot) -> dict[str, Role]:
    """Return roles by the names of sites; those on sites that are no more say nothing."""
    by_id = snapshot.by_id
    return dict(sorted((by_id[site_id].name, role) for site_id, role in roles.items() if site_id in by_id))
