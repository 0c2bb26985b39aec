"""`/websites`: sites under the names by which clients of the website-analytics server make and list them."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from visitor_tracker.access.site_changes import SiteChange, Sites
from visitor_tracker.access.sites import SiteError
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web.api.people import NoQuery
from visitor_tracker.web.api.sites import refusals
from visitor_tracker.web.asked import JSON, answer, body_as, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route

_is_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}").fullmatch

Text = Annotated[str, msgspec.Meta(max_length=2048)]


class Website(msgspec.Struct, frozen=True):
    """A site; its `id` is what `data-website-id` says."""

    id: str
    name: str
    domain: str
    domains: tuple[str, ...]
    url: str
    is_public: bool
    created_at: str | None


class Websites(msgspec.Struct, frozen=True):
    websites: list[Website]
    count: int


class WebsiteAsked(msgspec.Struct, frozen=True):
    """`name` becomes the id if it can be one, else the domain does; further fields of old clients say nothing here."""

    name: Text = ""
    domain: Annotated[Text, msgspec.Meta(description="host or address of its pages")] = ""


class WebsiteChange(msgspec.Struct, frozen=True):
    """What is to change; the id stays."""

    domain: Text | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET


class OldWebsites:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sites = Sites(parts.store, parts.config, parts.audit, parts.clock)

    def routes(self) -> list[Route]:
        one = "/websites/{website_id}"
        changes = "change a website, as PATCH /api/v1/sites/{site}"
        return [
            Route(
                "GET", "/websites", self.websites, "sites, as GET /api/v1/sites", "read",
                query=NoQuery, answer=Websites,
            ),
            Route(
                "POST", "/websites", self.make, "make a site, as POST /api/v1/sites", "admin",
                query=NoQuery, body=WebsiteAsked, answer=Website, status=201,
            ),
            Route(
                "GET", one, self.website, "a site, as GET /api/v1/sites/{site}", "read",
                query=NoQuery, answer=Website,
            ),
            *[
                Route(
                    method, one, self.change, changes, "manage", query=NoQuery, body=WebsiteChange, answer=Website
                )
                for method in ("PUT", "PATCH")
            ],
            Route(
                "DELETE", one, self.remove, "take a site off the list, as DELETE /api/v1/sites/{site}", "admin",
                query=NoQuery, status=204,
            ),
        ]  # fmt: skip

    def websites(self, request: Request) -> Answer:
        """GET /websites."""
        query_as(request, NoQuery)
        found = [_website(site) for site in self._visible(request).sites]
        return answer(Websites(found, len(found)))

    def website(self, request: Request) -> Answer:
        """GET /websites/{id}."""
        query_as(request, NoQuery)
        return answer(_website(self._named(request)))

    def make(self, request: Request) -> Answer:
        """POST /websites {name, domain}."""
        query_as(request, NoQuery)
        asked = body_as(request, WebsiteAsked)
        host = _host(asked.domain)
        name = asked.name if _is_name(asked.name) else host
        if not name:
            raise HttpError(
                400, "invalid_site", "a website needs a domain, or a name of A-Z a-z 0-9 _ . -",
                'send {"name": "blog", "domain": "blog.example.com"}',
            )  # fmt: skip
        change = SiteChange(hostnames=(host,)) if host else SiteChange()
        try:
            made = self._sites.add(who_of(request), name, change)[0]
        except SiteError as error:
            raise refusals(error) from error
        return Response(201, msgspec.json.encode(_website(made)), JSON)

    def change(self, request: Request) -> Answer:
        """PUT and PATCH /websites/{id} {domain, is_public}."""
        query_as(request, NoQuery)
        asked, site = body_as(request, WebsiteChange), self._named(request)
        host = UNSET if asked.domain is UNSET else _host(asked.domain)
        change = SiteChange(hostnames=UNSET if host is UNSET else (host,) if host else (), public=asked.is_public)
        try:
            changed = self._sites.change(who_of(request), site.name, change)[1]
        except SiteError as error:
            raise refusals(error) from error
        return answer(_website(changed))

    def remove(self, request: Request) -> Answer:
        """DELETE /websites/{id}; what was counted stays."""
        query_as(request, NoQuery)
        try:
            self._sites.remove(who_of(request), self._named(request).name)
        except SiteError as error:
            raise refusals(error) from error
        return Response(204)

    def _visible(self, request: Request) -> Snapshot:
        """Return the sites as the store has them now: who has just made one finds it."""
        try:
            there = tuple(self._sites.all())
        except SiteError as error:
            raise refusals(error) from error
        return visible(msgspec.structs.replace(self._parts.snapshot(), sites=there), request)

    def _named(self, request: Request) -> Site:
        return site_named(argument_named(request, "website_id"), self._visible(request))


def _website(site: Site) -> Website:
    domain = next(iter(site.hostnames), "")
    created_at = iso(site.created_at) if site.created_at else None
    return Website(site.name, site.name, domain, site.hostnames, site.url, site.public, created_at)


def _host(domain: str) -> str:
    """Return the host of a domain or an address, without its port; what is none is for the site's rules to refuse."""
    domain = domain.strip()
    if "://" not in domain:
        domain = f"https://{domain}"
    try:
        return urlsplit(domain).hostname or ""
    except ValueError:
        return domain
