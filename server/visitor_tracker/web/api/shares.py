"""Share links: list, make and revoke them, open one, and what an open one proves."""

from html import escape
from typing import Annotated
from urllib.parse import quote

import msgspec

from visitor_tracker.access.share_links import ShareLinks, cookies
from visitor_tracker.access.throttle import Throttle
from visitor_tracker.access.who import Who
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request, Response, error_response
from visitor_tracker.http.url import parse_query
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site
from visitor_tracker.store.shares import ShareLink
from visitor_tracker.web.api.keys import Lifetime, ends_at
from visitor_tracker.web.api.pairing import base_url_of
from visitor_tracker.web.api.people import BODY_MOST, NoQuery, Password, answer_with, is_secure, nothing
from visitor_tracker.web.asked import answer, body_as, query_as, site_named
from visitor_tracker.web.dashboard import PAGE
from visitor_tracker.web.guards import Scheme
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.plain_page import plain_page
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import HTML, Route

LinkName = Annotated[str, msgspec.Meta(max_length=100, description="for whom it is, for your own list")]

_GONE = (
    "<p>It was revoked, it has expired, or it was never made. Ask whoever gave it to you for a new one.</p>"
    '<p><a href="/login">Log in</a> if you have an account here.</p>'
)


class ShareAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link to make; without `password` who has it opens it, without `expires_in` it is good until it is revoked."""

    name: LinkName = ""
    password: Password = ""
    expires_in: Lifetime | None = None
    embed_in: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="whose pages may show it in a frame: origins such as https://example.com, or *"),
    ] = ()


class ShareShown(msgspec.Struct, frozen=True):
    """A link; times null: never."""

    id: str
    site: str
    name: str
    has_password: bool
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    embed_in: tuple[str, ...] = ()  # origins of pages that may show it in a frame


class ShareMade(ShareShown, frozen=True):
    """A new link; `url`, `token` and `embed_url`, the address for a frame, are not shown again."""

    url: str = ""
    token: str = ""
    embed_url: str = ""


class SharesShown(msgspec.Struct, frozen=True):
    """Links, the oldest first."""

    shares: tuple[ShareShown, ...]


class ShareOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password of a link: as JSON, or as a form of a page."""

    password: Password


class ShareOpened(msgspec.Struct, frozen=True):
    """What programs send in X-Share-Token from now on."""

    token: str
    site: str


class ShareRoutes:
    """`/api/v1/sites/{site}/shares` and `/share/{token}`."""

    def __init__(self, parts: Parts, links: ShareLinks) -> None:
        self._parts = parts
        self._links = links
        self._throttle = Throttle(parts.store, parts.secret, parts.clock)

    def routes(self) -> list[Route]:
        path, opened = "/api/v1/sites/{site}/shares", "/share/{token}"
        return [
            Route("GET", path, self._list, "share links of a site", "manage", query=NoQuery, answer=SharesShown),
            Route(
                "POST",
                path,
                self._make,
                "make a share link, which is shown once",
                "manage",
                body_most=BODY_MOST,
                query=NoQuery,
                body=ShareAsked,
                answer=ShareMade,
                status=201,
            ),
            Route("DELETE", f"{path}/{{id}}", self._revoke, "revoke a share link", "manage", query=NoQuery, status=204),
            Route("GET", opened, self._open, "open a share link", "own", status=303, media=HTML),
            Route(
                "POST",
                opened,
                self._enter,
                "open a share link with its password",
                "own",
                body_most=BODY_MOST,
                body=ShareOpening,
                answer=ShareOpened,
            ),
        ]

    def _list(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site = self._site(request)
        return answer(SharesShown(tuple(_shown(link, site) for link in self._links.of_site(site))))

    def _make(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, asked = self._site(request), body_as(request, ShareAsked)
        if not asked.name.isprintable():
            raise HttpError(400, "invalid_name", "name has signs that cannot be shown", "use letters, digits and signs")
        link, token = self._links.add(
            self._parts.audit,
            who_of(request),
            site,
            name=asked.name,
            password=asked.password,
            expires_at=ends_at(asked.expires_in, self._parts.clock()),
            origins=asked.embed_in,
        )
        base = self._base(request)
        made = ShareMade(
            **msgspec.structs.asdict(_shown(link, site)),
            url=f"{base}/share/{token}",
            token=token,
            embed_url=f"{base}/embed/{token}" if link.origins else "",
        )
        return answer_with(made, status=201)

    def _revoke(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, link_id = self._site(request), argument_named(request, "id")
        link = next((link for link in self._links.of_site(site) if link.id == link_id), None)
        if link is None or not self._links.revoke(self._parts.audit, who_of(request), link):
            raise HttpError(404, "unknown_link", "the site has no such link", "GET …/shares  lists them")
        return nothing()

    def _open(self, request: Request) -> Answer:
        found = self._found(request)
        if found is None:
            return self._gone()
        link, site = found
        return self._asking(site) if link.password else self._go_on(request, link, site)

    def _enter(self, request: Request) -> Answer:
        found = self._found(request)
        if found is None:
            return self._gone()
        link, site = found
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json"
        password = _of_form(request) if is_form else body_as(request, ShareOpening).password
        try:
            self._check(request, link, password)
        except HttpError as error:
            if error.status == 503:
                raise
            return self._asking(site, error) if is_form else error_response(error)
        if is_form:
            return self._go_on(request, link, site)
        return answer(ShareOpened(self._links.opened(link, argument_named(request, "token")), site.name))

    def _check(self, request: Request, link: ShareLink, password: str) -> None:
        """Raise HttpError 401 for a wrong password, 429 after too many."""
        address = self._parts.guards.trusted.client_address(request)
        taken = self._throttle.take(address, b"share:" + link.digest)
        if link.password and not self._links.is_password(link, password):
            raise HttpError(401, "wrong_password", "that is not the password of this link", "try again")
        self._throttle.reset(taken)

    def _found(self, request: Request) -> tuple[ShareLink, Site] | None:
        link = self._links.find(argument_named(request, "token"))
        site = None if link is None else self._parts.snapshot().by_id.get(link.site_id)
        return None if link is None or site is None else (link, site)

    def _gone(self) -> Response:
        return plain_page(self._parts.assets, "This link opens nothing", _GONE, status=404, like_login=True)

    def _asking(self, site: Site, error: HttpError | None = None) -> Response:
        """Return the form; a page cannot tell its own address here, so the form leads back to it."""
        problem = f'<p class="alert" role="alert">{escape(error.message)}: {escape(error.hint)}.</p>' if error else ""
        page = plain_page(
            self._parts.assets,
            f"Numbers of {site.name}",
            f'{problem}<form method="post"><label for="password">Password of this link</label>'
            '<input id="password" name="password" type="password" required autocomplete="current-password" autofocus>'
            '<button class="primary" type="submit">Open</button></form>',
            like_login=True,
            status=error.status if error else 200,
            headers=(("Retry-After", str(error.retry_after)),) if error and error.retry_after else (),
        )
        return page

    def _go_on(self, request: Request, link: ShareLink, site: Site) -> Response:
        token = argument_named(request, "token")
        cookie = self._links.header(link, token, secure=is_secure(request, self._parts))
        there = f"/dashboard/{quote(site.name, safe='')}" if PAGE in self._parts.files else "/"
        place = ("Location", there)
        return Response(303, headers=(place, cookie, ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")))

    def _base(self, request: Request) -> str:
        try:
            return base_url_of(request, self._parts.config.server.public_url)
        except HttpError:  # the address is for people, who know how they come here
            return ""

    def _site(self, request: Request) -> Site:
        return site_named(argument_named(request, "site"), visible(self._parts.snapshot(), request))


class ShareTokenScheme:
    """`X-Share-Token`, of programs."""

    def __init__(self, links: ShareLinks) -> None:
        self._links = links

    def identify(self, request: Request) -> Who | None:
        text = request.headers.get("x-share-token")
        if text is None:
            return None
        who = self._links.who(text)
        if who is None:
            raise HttpError(
                401,
                "unknown_link",
                "this share link opens nothing",
                "it may be revoked or over, or need its password: POST /share/TOKEN",
            )
        return who


class ShareCookieScheme:
    """The cookie of who has opened a link in a browser; one that opens nothing any more is as none."""

    def __init__(self, links: ShareLinks) -> None:
        self._links = links

    def identify(self, request: Request) -> Who | None:
        found = (self._links.who(text) for text in cookies(request.headers.get("cookie", "")))
        who = next((who for who in found if who is not None), None)
        return who and msgspec.structs.replace(who, is_ambient=True)


class BesideLinks:
    """Somebody who has logged in sees the numbers of a link that they opened too: their log-in would hide them."""

    def __init__(self, logged_in: Scheme, opened: Scheme) -> None:
        self._logged_in = logged_in
        self._opened = opened

    def identify(self, request: Request) -> Who | None:
        who = self._logged_in.identify(request)
        if who is None or not who.is_ambient:
            return who
        link = self._opened.identify(request)
        return who if link is None else msgspec.structs.replace(who, opened=frozenset(link.roles))


def _of_form(request: Request) -> str:
    try:
        return parse_query(request.body.decode("ascii")).get("password", "")
    except ValueError as error:
        raise HttpError(400, "invalid_body", "the form cannot be read", "send  password=…") from error


def _shown(link: ShareLink, site: Site) -> ShareShown:
    return ShareShown(
        link.id,
        site.name,
        link.name,
        bool(link.password),
        iso(link.created_at),
        iso(link.expires_at) if link.expires_at else None,
        iso(link.last_used_at) if link.last_used_at else None,
        tuple(link.origins.split()),
    )
