"""The dashboard in a frame of another web site: of a share link that was made for it, or of a public site.

Browsers send no cookies into such a frame, and the page there sends none itself: it proves who it is with the token of
its address, in X-Share-Token. So a click on it that its reader did not mean changes nothing, and these addresses are
the only ones that other web sites may show.
"""

from visitor_tracker.access.share_links import ANYWHERE, ShareLinks
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.web.dashboard import DashboardRoutes
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.plain_page import plain_page
from visitor_tracker.web.routed import argument_named
from visitor_tracker.web.router import HTML, Route

PUBLIC = "public"  # in the place of a token: no token is so short
PATHS = (
    "/embed/{token}",
    "/embed/{token}/{site}",
    "/embed/{token}/{site}/{view}",
    "/embed/{token}/{site}/{view}/{id}",
)
_REFUSED = (
    "<p>It was revoked, it has expired, it was not made for frames, or the site is not public any more.</p>"
    "<p>Whoever runs the site can make a new one: Site settings, Sharing.</p>"
)


class EmbedRoutes:
    """`/embed/{token}` and `/embed/public/{site}`, with the views below."""

    def __init__(self, parts: Parts, links: ShareLinks) -> None:
        self._parts = parts
        self._links = links
        self._dashboard = DashboardRoutes(parts.files, parts.assets)

    def routes(self) -> list[Route]:
        if not self._dashboard.is_there:
            return []
        return [Route("GET", path, self._page, "the dashboard, for a frame", "own", media=HTML) for path in PATHS]

    def _page(self, request: Request) -> Answer:
        origins = self._origins(request)
        if not origins:
            return plain_page(self._parts.assets, "Nothing to show here", _REFUSED, status=404, like_login=True)
        return self._dashboard.framed(ANYWHERE if origins == ANYWHERE else f"'self' {origins}")

    def _origins(self, request: Request) -> str:
        """Return whose pages may show this one; "" for nobody's."""
        token = argument_named(request, "token")
        if token != PUBLIC:
            link = self._links.find(token)
            return "" if link is None or link.site_id not in self._parts.snapshot().by_id else link.origins
        name = request.path.split("/")[3:4]
        site = self._parts.snapshot().by_name.get(argument_named(request, "site")) if name else None
        return ANYWHERE if site is not None and site.public else ""
