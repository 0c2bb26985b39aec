"""Sites by REST: list, make, change, remove; what to put into their pages."""

import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec

from visitor_tracker.access.site_changes import NewSite, SiteChange, SiteExists, Sites, UnknownSite
from visitor_tracker.access.site_view import SiteView, view_of
from visitor_tracker.access.sites import SiteError, SiteTaken
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.ingest.erasing import Eraser
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.web.api.people import NoQuery
from visitor_tracker.web.asked import JSON, answer, body_as, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route
from visitor_tracker.web.snippets import Kind, base_of, snippet

T = TypeVar("T")

ERASE_SECONDS = 3.0  # of a request; the housekeeping does the rest


class SiteList(msgspec.Struct, frozen=True):
    sites: list[SiteView]


class SiteDeletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`erase`: what was counted goes too."""

    erase: bool = False


class SnippetQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "for"}):
    """`for`: what the pages are made with, or the proxy that gives the script the site's own address.

    `base` is the address at which visitors reach the server, where `server.public_url` does not say it.
    """

    kind: Kind = "html"
    base: Annotated[str, msgspec.Meta(max_length=300, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")] = ""


class Snippet(msgspec.Struct, frozen=True, rename={"kind": "for"}):
    """`is_guess`: server.public_url is not set, so that the address in it may not be the one that visitors reach."""

    site: str
    kind: Kind
    snippet: str
    is_guess: bool


class SiteOfOld(msgspec.Struct, frozen=True, rename="camel"):
    """A site as the privacy tracker of old lists it."""

    id: str
    requires_auth: bool


class SitesOfOld(msgspec.Struct, frozen=True):
    sites: list[SiteOfOld]


def refusals(error: SiteError) -> HttpError:
    """Return the answer to a change of sites that cannot be."""
    if isinstance(error, UnknownSite):
        return HttpError(404, "unknown_site", "there is no such site", "GET /api/v1/sites  lists them")
    if isinstance(error, SiteExists | SiteTaken):
        return HttpError(409, "site_taken", str(error), "choose another one, or change that site")
    return HttpError(400, "invalid_site", str(error), "see docs/sites.md")


class SiteRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sites = Sites(parts.store, parts.config, parts.audit, parts.clock)
        self._table = SiteTable(parts.store.database)
        self._eraser = Eraser(parts.store, parts.clock)

    def routes(self) -> list[Route]:
        one = "/api/v1/sites/{site}"
        return [
            Route(
                "GET", "/api/v1/sites", self.list_sites, "the sites that who asks may read", "read",
                query=NoQuery, answer=SiteList,
            ),
            Route(
                "POST", "/api/v1/sites", self.make, "make a site", "admin",
                query=NoQuery, body=NewSite, answer=SiteView, status=201,
            ),
            Route("GET", one, self.show, "a site", "read", query=NoQuery, answer=SiteView),
            Route(
                "PATCH", one, self.change, "change a site; what is left out stays", "manage",
                query=NoQuery, body=SiteChange, answer=SiteView,
            ),
            Route(
                "DELETE", one, self.remove, "take a site off the list, and with erase=true all that was counted",
                "admin", query=SiteDeletion, status=204,
            ),
            Route(
                "GET", f"{one}/snippet", self.snippet, "what to put into a site's pages", "read",
                query=SnippetQuestion, answer=Snippet,
            ),
            Route(
                "GET", "/sites", self.of_old, "the sites, as the privacy tracker of old lists them", "read",
                answer=SitesOfOld,
            ),
        ]  # fmt: skip

    def list_sites(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        owners = self._table.owners()
        return answer(SiteList([self._view(request, site, owners) for site in self._visible(request).sites]))

    def show(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        return answer(self._view(request, self._named(request), self._table.owners()))

    def make(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        asked = body_as(request, NewSite)
        made = self._checked(lambda: self._sites.add(who_of(request), asked.name, asked)[0])
        return Response(201, msgspec.json.encode(self._view(request, made, {})), JSON)

    def change(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        asked, site = body_as(request, SiteChange), self._named(request)
        changed = self._checked(lambda: self._sites.change(who_of(request), site.name, asked)[1])
        return answer(self._view(request, changed, self._table.owners()))

    def remove(self, request: Request) -> Answer:
        asked, site, who = query_as(request, SiteDeletion), self._named(request), who_of(request)
        if asked.erase:
            of_site(self._parts.store.database, site.id).ping()  # all of it, or nothing
        self._checked(lambda: self._sites.remove(who, site.name))
        if asked.erase:
            row = self._parts.audit.row(who, "site.erased", site_id=site.id, target=site.name)
            until = time.monotonic() + ERASE_SECONDS
            self._eraser.finish([self._eraser.begin_site(site.id, row)], lambda: time.monotonic() >= until)
        return Response(204)

    def snippet(self, request: Request) -> Answer:
        asked, site, config = query_as(request, SnippetQuestion), self._named(request), self._parts.config
        text = snippet(asked.kind, config.server.public_url.rstrip("/") or asked.base or base_of(config), site.name)
        return answer(Snippet(site.name, asked.kind, text, not config.server.public_url))

    def of_old(self, request: Request) -> Answer:
        return answer(SitesOfOld([SiteOfOld(site.name, not site.public) for site in self._visible(request).sites]))

    def _view(self, request: Request, site: Site, owners: dict[int, list[str]]) -> SiteView:
        """Return a site; who owns it is shown to people with a role on it."""
        admins = owners.get(site.id, []) if who_of(request).sees_visitors(site) else []
        return view_of(site, self._parts.config, iso(site.created_at) if site.created_at else None, admins)

    def _visible(self, request: Request) -> Snapshot:
        """Return the sites as the store has them now: who has just made one finds it."""
        now = msgspec.structs.replace(self._parts.snapshot(), sites=tuple(self._checked(self._sites.all)))
        return visible(now, request)

    def _named(self, request: Request) -> Site:
        return site_named(argument_named(request, "site"), self._visible(request))

    def _checked(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except SiteError as error:
            raise refusals(error) from error
