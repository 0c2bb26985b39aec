"""Visitors of a site and their visits by REST, and what their rights ask of who answers to them."""

import re
from typing import Annotated

import msgspec

from visitor_tracker.access.cookies import VisitorCookies
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.ingest.subjects import Match, Subject, visitor_of
from visitor_tracker.reports.export import Export
from visitor_tracker.reports.profiles import (
    FIRST,
    LIMIT,
    LIMIT_MOST,
    VisitorPage,
    VisitorView,
    VisitPage,
    cursor_of,
    visitor,
    visitors,
    visits,
)
from visitor_tracker.sites import Site
from visitor_tracker.store import profiles
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.session import Session
from visitor_tracker.web.api.people import NoQuery
from visitor_tracker.web.asked import JSON, answer, body_as, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.rights import Erased, Rights
from visitor_tracker.web.routed import argument_named, visible, who_of
from visitor_tracker.web.router import Route

ERASE_SECONDS = 3.0  # of a request; the housekeeping does the rest
RECORDINGS_MOST = 32 << 20  # bytes of one answer, unpacked
NOTE_MOST = 1_000  # characters
_VISIT = re.compile(r"([0-9a-f]{32})-([0-9]{1,14})").fullmatch
_COUNT = Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MOST)]
_TEXT = Annotated[str, msgspec.Meta(max_length=2_048)]


class VisitorsQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cursor` is the one of the answer before."""

    limit: _COUNT = LIMIT
    cursor: Annotated[str, msgspec.Meta(max_length=64)] = ""


class VisitsQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cursor` is the one of the answer before."""

    limit: _COUNT = LIMIT
    cursor: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,15}$")] = ""


class VisitorChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note for people with a role on the site; it is part of what the visitor may read."""

    note: Annotated[str, msgspec.Meta(max_length=NOTE_MOST)]


class SubjectAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, by one of: the value of the cookie vt_visitor, the id that the page gave (policy client), an address
    (with the user agent, where addresses are not kept), or the visitor's id."""

    cookie: _TEXT = ""
    client_id: _TEXT = ""
    ip: _TEXT = ""
    user_agent: _TEXT = ""
    visitor: _TEXT = ""


class ErasureAsked(SubjectAsked, frozen=True, forbid_unknown_fields=True):
    """With `dry_run` it is only said what would go."""

    dry_run: bool = False


class Found(msgspec.Struct, frozen=True):
    """Ids of visitors of whom something is stored, addresses that are, and what cannot be found."""

    visitors: list[str]
    addresses: list[str]
    notes: list[str]


class VisitorApi:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.store.database
        self._rights = Rights(parts.store, parts.config, parts.audit, parts.clock)

    def routes(self) -> list[Route]:
        every = "/api/v1/sites/{site}/visitors"
        one = f"{every}/{{visitor}}"
        return [
            Route(
                "GET", every, self.list_visitors, "visitors of a site, the latest first", "visitors",
                query=VisitorsQuestion, answer=VisitorPage,
            ),
            Route("GET", one, self.show, "a visitor", "visitors", query=NoQuery, answer=VisitorView),
            Route(
                "GET", f"{one}/visits", self.visits, "a visitor's visits, the latest first", "visitors",
                query=VisitsQuestion, answer=VisitPage,
            ),
            Route(
                "PATCH", one, self.change, "note something of a visitor", "manage",
                query=NoQuery, body=VisitorChange, answer=VisitorView,
            ),
            Route("DELETE", one, self.erase_one, "erase a visitor", "manage", query=NoQuery, status=204),
            Route(
                "GET", f"{one}/export", self.export_one, "all that is stored of a visitor", "manage",
                query=NoQuery, answer=Export,
            ),
            Route(
                "DELETE", "/api/v1/sites/{site}/visits/{visit}", self.erase_visit, "erase a visit", "manage",
                query=NoQuery, status=204,
            ),
            Route(
                "POST", f"{every}/find", self.find, "which visitors somebody is", "manage",
                query=NoQuery, body=SubjectAsked, answer=Found,
            ),
            Route(
                "POST", f"{every}/export", self.export, "all that is stored of somebody", "manage",
                query=NoQuery, body=SubjectAsked, answer=Export,
            ),
            Route(
                "POST", f"{every}/erase", self.erase, "erase all that is stored of somebody", "manage",
                query=NoQuery, body=ErasureAsked, answer=Erased,
            ),
        ]  # fmt: skip

    # Read.

    def list_visitors(self, request: Request) -> Answer:
        asked, site = query_as(request, VisitorsQuestion), self._site(request)
        try:
            after = cursor_of(asked.cursor) if asked.cursor else FIRST
        except ValueError:
            raise HttpError(
                400, "invalid_cursor", "this is no cursor of this list", "leave it out to begin at the first"
            ) from None
        now = self._parts.clock()
        return answer(
            of_site(self._database, site.id).read(lambda session: visitors(session, site, now, after, asked.limit))
        )

    def show(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        return answer(self._view(self._site(request), self._visitor(request)))

    def visits(self, request: Request) -> Answer:
        asked, site, hashed = query_as(request, VisitsQuestion), self._site(request), self._visitor(request)
        policy, before = self._parts.snapshot().policy_of(site.id), int(asked.cursor or 1 << 62)
        page = of_site(self._database, site.id).read(
            lambda session: visits(session, site, policy, hashed, before, asked.limit)
        )
        if page is None:
            raise _unknown()
        return answer(page)

    # Change.

    def change(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, hashed, asked = self._site(request), self._visitor(request), body_as(request, VisitorChange)
        self._view(site, hashed)
        now = self._parts.clock()

        def work(session: Session) -> None:
            own = profiles.sessions_of(session, site.id, [hashed])[hashed]
            profiles.put_note(session, site.id, hashed, max((each.last_ts for each in own), default=now), asked.note)

        of_site(self._database, site.id).write(work)
        self._parts.audit.note(who_of(request), "visitor.noted", site_id=site.id)
        return answer(self._view(site, hashed))

    def erase_one(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, hashed = self._site(request), self._visitor(request)
        match = self._match(site, Subject(visitor=hashed))
        if not match.visitors:
            raise _unknown()
        self._rights.erase(who_of(request), site, match, ERASE_SECONDS)
        return Response(204)

    def erase_visit(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, named = self._site(request), _VISIT(argument_named(request, "visit"))
        if named is not None:
            hashed, first_ts = bytes.fromhex(named[1]), int(named[2])
            own = of_site(self._database, site.id).read(
                lambda session: profiles.sessions_of(session, site.id, [hashed])
            )[hashed]
            for found in own:
                if found.first_ts <= first_ts <= found.last_ts:
                    self._rights.erase_visit(who_of(request), site, hashed, found)
                    return Response(204)
        raise HttpError(404, "unknown_visit", "there is no such visit", "use an id that …/visits shows")

    # Rights.

    def find(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site = self._site(request)
        match = self._match(site, self._subject(body_as(request, SubjectAsked)))
        return answer(Found([each.hex() for each in match.visitors], list(match.addresses), list(match.notes)))

    def export_one(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, hashed = self._site(request), self._visitor(request)
        match = self._match(site, Subject(visitor=hashed))
        if not match.visitors:
            raise _unknown()
        return self._exported(request, site, match)

    def export(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site = self._site(request)
        return self._exported(request, site, self._match(site, self._subject(body_as(request, SubjectAsked))))

    def erase(self, request: Request) -> Answer:
        query_as(request, NoQuery)
        site, asked = self._site(request), body_as(request, ErasureAsked)
        match = self._match(site, self._subject(asked))
        if asked.dry_run:
            return answer(self._rights.look(site, match))
        return answer(self._rights.erase(who_of(request), site, match, ERASE_SECONDS))

    def _exported(self, request: Request, site: Site, match: Match) -> Response:
        self._rights.note_export(who_of(request), site, match)
        return export_response(b"".join(self._rights.export(site, match, RECORDINGS_MOST)))

    def _subject(self, asked: SubjectAsked) -> Subject:
        return subject_of(asked, VisitorCookies(self._parts.snapshot().secrets.get("cookie", b"")))

    def _match(self, site: Site, subject: Subject) -> Match:
        try:
            return self._rights.find(self._parts.snapshot(), site, subject)
        except ValueError as error:
            raise HttpError(400, "invalid_ip", str(error), "send ip as an address") from error

    def _view(self, site: Site, hashed: bytes) -> VisitorView:
        found = of_site(self._database, site.id).read(lambda session: visitor(session, site, hashed))
        if found is None:
            raise _unknown()
        return found

    def _site(self, request: Request) -> Site:
        return site_named(argument_named(request, "site"), visible(self._parts.snapshot(), request))

    def _visitor(self, request: Request) -> bytes:
        try:
            return visitor_of(argument_named(request, "visitor"))
        except ValueError:
            raise _unknown() from None


def subject_of(asked: SubjectAsked, cookies: VisitorCookies) -> Subject:
    """Return who is looked for; raises HttpError 400 where that is not one way to say it, or no cookie of ours."""
    given = [name for name in ("cookie", "client_id", "ip", "visitor") if getattr(asked, name)]
    if len(given) != 1 or (asked.user_agent and given != ["ip"]):
        raise HttpError(
            400,
            "invalid_subject",
            "say who in one way",
            "send cookie, client_id, visitor or ip; user_agent with ip",
        )
    cookie = cookies.verify(asked.cookie) if asked.cookie else b""
    if cookie is None:
        raise HttpError(
            400, "invalid_cookie", "this server did not give that cookie", "send the value of the cookie vt_visitor"
        )
    try:
        hashed = visitor_of(asked.visitor) if asked.visitor else b""
    except ValueError as error:
        raise HttpError(400, "invalid_visitor", str(error), "send the id of a visitor") from error
    return Subject(cookie, asked.client_id, asked.ip, asked.user_agent, hashed)


def export_response(document: bytes, extra: Headers = ()) -> Response:
    """Return an export as an answer that browsers keep as a file."""
    name: Headers = (("Content-Disposition", 'attachment; filename="my-data.json"'),)
    return Response(200, document, (*JSON, *name, *extra))


def _unknown() -> HttpError:
    return HttpError(404, "unknown_visitor", "nothing is stored of such a visitor", "use an id that …/visitors shows")
