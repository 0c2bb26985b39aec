"""Who has a role on a site; for its owners."""

import msgspec

from visitor_tracker.access.who import Role
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.sites import Site
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, People, nothing
from visitor_tracker.web.asked import answer, body_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route

_MEMBERS = "/api/v1/sites/{site}/members"
_MEMBER = "/api/v1/sites/{site}/members/{username}"


class Member(msgspec.Struct, frozen=True):
    """Somebody with a role on a site."""

    username: str
    role: Role


class Members(msgspec.Struct, frozen=True):
    """All who have a role on a site, by name; admins, who own every site, are named if they have one besides."""

    members: list[Member]


class RoleAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """viewer sees the numbers and visits of a site, owner also changes it."""

    role: Role


class MemberRoutes:
    """`/api/v1/sites/{site}/members`."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def routes(self) -> list[Route]:
        return [
            Route("GET", _MEMBERS, self._list, "who has a role on a site", "manage", query=NoQuery, answer=Members),
            Route(
                "PUT",
                _MEMBER,
                self._put,
                "give somebody a role on a site",
                "manage",
                body_most=BODY_MOST,
                query=NoQuery,
                body=RoleAsked,
                answer=Member,
            ),
            Route(
                "DELETE", _MEMBER, self._remove, "take somebody's role on a site", "manage", query=NoQuery, status=204
            ),
        ]

    def _list(self, request: Request) -> Answer:
        found = self._people.accounts.members(self._site(request).id)
        return answer(Members([Member(account.username, role) for account, role in found]))

    def _put(self, request: Request) -> Answer:
        site, role = self._site(request), body_as(request, RoleAsked).role
        return answer(Member(self._set(request, site, role), role))

    def _remove(self, request: Request) -> Answer:
        self._set(request, self._site(request), None)
        return nothing()

    def _set(self, request: Request, site: Site, role: Role | None) -> str:
        """Give or take a role; only admins may leave a site without an owner. Returns the username."""
        who = who_of(request)
        account = self._people.accounts.known(argument_named(request, "username"))
        self._people.accounts.set_role(account.id, site.id, role, keep_owner=not who.is_admin)
        self._parts.audit.note(
            who,
            "site.member_changed" if role else "site.member_removed",
            site_id=site.id,
            target=account.username,
            detail={"role": role} if role else None,
        )
        return account.username

    def _site(self, request: Request) -> Site:
        return site_named(argument_named(request, "site"), visible(self._parts.snapshot(), request))
