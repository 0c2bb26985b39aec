"""Who asks, and what they may do: one value, whatever the proof was (login, key, signature, share link, loopback)."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from visitor_tracker.sites import Site

Kind = Literal["nobody", "local", "user", "key", "signature", "share"]
Role = Literal["viewer", "owner"]
Scope = Literal["read", "ingest", "admin"]
Access = Literal["public", "own", "read", "visitors", "manage", "known", "operate", "admin"]

_NO_SITES: Mapping[int, Role] = {}


class Who(msgspec.Struct, frozen=True):
    """The rights of one request.

    `roles` are by site id; `everywhere` is the role on every site, those to come included. `csrf` is what
    X-CSRF-Token must say with a change; `is_ambient`: a browser sends the proof by itself, so that any page could
    make it ask. `opened` are the sites whose numbers a share link shows besides.
    """

    kind: Kind = "nobody"
    name: str = ""  # for people and the audit log: username, name of a key or a link
    id: str = ""  # of the user, the key or the link
    is_admin: bool = False
    roles: Mapping[int, Role] = _NO_SITES
    everywhere: Role | None = None
    login: str = ""  # id of the login that the request belongs to
    csrf: str = ""
    is_ambient: bool = False
    opened: frozenset[int] = frozenset()

    def role(self, site_id: int) -> Role | None:
        """Return the role on a site; an admin owns every one."""
        if self.is_admin or self.everywhere == "owner":
            return "owner"
        return self.roles.get(site_id, self.everywhere)

    def reads(self, site: Site) -> bool:
        """Say whether the numbers of a site may be seen."""
        return site.public or self.role(site.id) is not None or site.id in self.opened

    def sees_visitors(self, site: Site) -> bool:
        """Say whether single visitors may be seen: visits one by one, recordings; never by a share link."""
        return self.kind != "share" and self.role(site.id) is not None

    def manages(self, site: Site) -> bool:
        """Say whether a site may be changed, and its visitors exported and erased."""
        return self.role(site.id) == "owner"

    def may(self, access: Access, site: Site) -> bool:
        """Say whether a route of that access may show or change this site."""
        if access in ("public", "own"):
            return True
        if access == "read":
            return self.reads(site)
        if access == "visitors":
            return self.sees_visitors(site)
        if access == "manage":
            return self.manages(site)
        if access == "operate":
            return self.is_admin or self.everywhere is not None
        return self.is_admin if access == "admin" else self.kind != "nobody"


NOBODY = Who()
# The server's own machine, before any account. It only reads: a proxy on it may look the same.
LOCAL = Who("local", "localhost", everywhere="viewer", is_ambient=True)
