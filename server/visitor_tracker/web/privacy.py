"""/privacy: what is collected on a site, what for, how long it is kept, and how to get at one's own data."""

from html import escape
from typing import Annotated, Literal

import msgspec

from visitor_tracker.access.cookies import NAME
from visitor_tracker.access.retention import kept_by
from visitor_tracker.errors import HttpError, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.http.url import parse_query
from visitor_tracker.reports.export import Export
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.key_log import last_destroyed
from visitor_tracker.web import privacy_words as words
from visitor_tracker.web.api.my_data import NO_COOKIE, MyDataRoutes
from visitor_tracker.web.asked import answer, query_as, site_named
from visitor_tracker.web.assets import PAGE_HEADERS
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.privacy_words import Collected, Notice, Right
from visitor_tracker.web.rights import Erased
from visitor_tracker.web.router import HTML, Route

_HTML: Headers = (*PAGE_HEADERS, ("Cache-Control", "no-store"))
_FORM_MOST = 4_096


class PrivacyQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`format`: else what the header Accept says."""

    site: Annotated[str, msgspec.Meta(max_length=128)] = "default"
    format: Literal["html", "json", ""] = ""


class OfSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The site whose visitor asks."""

    site: Annotated[str, msgspec.Meta(max_length=128)] = "default"


class PrivacyRoutes:
    def __init__(self, parts: Parts, my_data: MyDataRoutes) -> None:
        self._parts = parts
        self._my_data = my_data
        self._style = parts.assets.immutable_path("demo.css")
        self._icon = parts.assets.immutable_path("icon.svg")

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/privacy", self.show, "what is collected, what for, how long; JSON by Accept or format=json",
                "own", query=PrivacyQuestion, answer=Notice, media=HTML,
            ),
            Route(
                "POST", "/privacy/export", self.export, "what is stored of who presses the button of /privacy", "own",
                query=OfSite, body_most=_FORM_MOST, answer=Export,
            ),
            Route(
                "POST", "/privacy/erase", self.erase, "erase it", "own",
                query=OfSite, body_most=_FORM_MOST, media=HTML,
            ),
        ]  # fmt: skip

    def show(self, request: Request) -> Answer:
        """GET /privacy?site=&format=."""
        asked, snapshot = query_as(request, PrivacyQuestion), self._parts.snapshot()
        notice = self._notice(site_named(asked.site, snapshot), snapshot)
        accept = request.headers.get("accept", "")
        is_json = asked.format == "json" or (not asked.format and "json" in accept and "text/html" not in accept)
        return answer(notice) if is_json else self._page(request, "Privacy", _content(notice))

    def export(self, request: Request) -> Answer:
        """POST /privacy/export?site=: the form's button."""
        site, visitors = self._who_asks(request)
        return self._my_data.exported(site, self._my_data.match(self._parts.snapshot(), site, visitors))

    def erase(self, request: Request) -> Answer:
        """POST /privacy/erase?site=: the form's button."""
        site, visitors = self._who_asks(request)
        erased = self._my_data.erased(site, self._my_data.match(self._parts.snapshot(), site, visitors))
        page = self._page(request, "Erased", _erased(erased))
        has_cookie = NAME in request.headers.get("cookie", "")
        return msgspec.structs.replace(page, headers=page.headers + NO_COOKIE) if has_cookie else page

    def _who_asks(self, request: Request) -> tuple[Site, tuple[bytes, ...]]:
        address = self._my_data.limit(request)
        asked, snapshot = query_as(request, OfSite), self._parts.snapshot()
        site = site_named(asked.site, snapshot)
        return site, self._my_data.who_asks(request, snapshot, site, address, _client_id(request))

    def _notice(self, site: Site, snapshot: Snapshot) -> Notice:
        config, policy = self._parts.config, snapshot.policy_of(site.id)
        try:
            destroyed = last_destroyed(self._parts.store.database)
        except StoreUnavailable:
            destroyed = None
        return Notice(
            site=site.name,
            url=site.url,
            policy=policy,
            you_are=words.you_are(policy),
            your_address=words.your_address(policy),
            your_browser=words.your_browser(policy),
            collected=words.collected(policy, snapshot.modules_of(site.id), kept_by(site, config), config),
            key_destroyed_at=iso(destroyed[0]) if destroyed else None,
            key_destroyed_of=destroyed[1] if destroyed else None,
            passed_on=words.passed_on(config),
            opt_out=words.opt_out(policy),
            rights=words.rights(policy),
        )

    def _page(self, request: Request, title: str, content: str) -> Response:
        # Relative, so that the page works below a path of the web site, too.
        up = "" if request.path.count("/") == 1 else "../"
        links = f'<link rel="stylesheet" href="{up}{self._style.lstrip("/")}">' if self._style else ""
        links += f'<link rel="icon" href="{up}{self._icon.lstrip("/")}" type="image/svg+xml">' if self._icon else ""
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}</head><body>'
            f'<header class="bar"><strong>{title}</strong></header><main class="home fields">{content}</main>'
            "</body></html>"
        )
        return Response(200, page.encode(), _HTML)


def _client_id(request: Request) -> str:
    """Return what a form says of the id that the page gave."""
    try:
        return parse_query(request.body.decode()).get("client_id", "")[:2_048]
    except ValueError as error:
        raise HttpError(400, "invalid_body", str(error), "send the form of /privacy") from error


def _content(notice: Notice) -> str:
    where = f' (<a href="{escape(notice.url)}" rel="noopener">{escape(notice.url)}</a>)' if notice.url else ""
    return (
        f'<section class="card"><h1>What the statistics of {escape(notice.site)} know of you</h1>'
        f"<p>The web site{where} counts its visits with a server of its own. {escape(notice.passed_on)} "
        f'<a href="what-we-send?site={escape(notice.site)}">Every field that is sent</a></p></section>'
        f"{_about(notice)}{_table(notice.collected)}{_keys(notice)}{_rights(notice)}"
        f'<section class="card"><h1>If you do not want that</h1><p>{escape(notice.opt_out)}. To turn it off in this '
        "browser, put <code>#vt-off</code> behind the address of any page of the web site and open it; "
        "<code>#vt-on</code> turns it on again.</p></section>"
    )


def _about(notice: Notice) -> str:
    rows = (("You are", notice.you_are), ("Your address", notice.your_address), ("Your browser", notice.your_browser))
    told = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}.</dd></div>" for name, text in rows)
    return f'<section class="card"><dl>{told}</dl></section>'


def _table(parts: list[Collected]) -> str:
    rows = "".join(
        f'<tr><td class="request">{escape(part.name)}</td><td>{escape(part.what)}</td>'
        f'<td title="What for">{escape(part.purpose)}</td><td title="Kept">{escape(part.kept)}</td></tr>'
        for part in parts
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Data", "What it is", "What it is for", "Kept"))
    return (
        f'<section class="card"><h1>What is collected</h1><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _keys(notice: Notice) -> str:
    if notice.policy.visitor not in ("daily", "monthly"):
        return ""
    told = "No key has been over yet."
    if notice.key_destroyed_at:
        told = f"The last one, of {escape(notice.key_destroyed_of or '')}, was destroyed at {notice.key_destroyed_at}."
    return (
        '<section class="card"><h1>When you are forgotten</h1><p>The number that stands for you is made with a key. '
        f"When it is destroyed nobody can tell any more whose number that was. {told}</p></section>"
    )


def _rights(notice: Notice) -> str:
    lines = "".join(f"<p>{escape(right.how)}{_call(right)}</p>" for right in notice.rights)
    field = ""
    if notice.policy.visitor == "client":
        field = '<p><label>vt.id <input name="client_id" required maxlength="2048" autocomplete="off"></label></p>'
    site = escape(notice.site)
    return (
        f'<section class="card"><h1>Your data</h1>{lines}'
        f'<form method="post" action="privacy/export?site={site}">{field}'
        '<p class="buttons"><button class="primary">Show what is stored of me</button> '
        f'<button formaction="privacy/erase?site={site}">Erase it</button></p></form></section>'
    )


def _call(right: Right) -> str:
    return f" <code>{right.method} {right.path}</code>" if right.path else ""


def _erased(erased: Erased) -> str:
    counts = (
        f"{erased.visits:,} visits, {erased.events:,} events, {erased.recordings:,} recordings and"
        f" {erased.ip_records:,} records of addresses"
    )
    done = "They are gone." if erased.done else "The last of them are gone within a minute."
    notes = "".join(f"<p>{escape(note[:1].upper() + note[1:])}.</p>" for note in erased.notes)
    return f'<section class="card"><h1>Erased</h1><p>Of you were stored {counts}. {done}</p>{notes}</section>'
