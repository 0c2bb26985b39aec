"""The audit log by REST: who changed what; admins read all of it, owners what is about their sites."""

from datetime import date
from typing import Annotated

import msgspec

from visitor_tracker.access.audit_view import AuditLine, line_of
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.store.audit import EVERYTHING, AuditTable, Chosen
from visitor_tracker.web.asked import answer, query_as, site_named
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import visible, who_of
from visitor_tracker.web.router import Route

LIMIT, LIMIT_MOST = 100, 1_000
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


class AuditQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`before` is the id of the last line of the answer before. Days are those of UTC, both included."""

    site: Annotated[str, msgspec.Meta(max_length=128)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MOST)] = LIMIT
    before: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""
    name: Annotated[str, msgspec.Meta(max_length=254, description="who made the change, as the line names them")] = ""
    action: Annotated[
        str, msgspec.Meta(pattern="^[a-z_.]{0,64}$", description="how it begins: user. or user.added")
    ] = ""
    since: date | None = None
    until: date | None = None


class AuditLines(msgspec.Struct, frozen=True):
    """The newest first."""

    lines: list[AuditLine]


class AuditRoutes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._table = AuditTable(parts.store.database)

    def routes(self) -> list[Route]:
        summary = "who changed what, the newest first"
        return [
            Route("GET", "/api/v1/audit", self.read, summary, "manage", query=AuditQuestion, answer=AuditLines),
        ]

    def read(self, request: Request) -> Answer:
        """GET /api/v1/audit?site=&name=&action=&since=&until=&limit=&before=."""
        asked, everything = query_as(request, AuditQuestion), self._parts.snapshot()
        mine = visible(everything, request)
        if asked.site:
            wanted = [site_named(asked.site, mine).id]
        elif who_of(request).is_admin:
            wanted = None
        else:
            wanted = [site.id for site in mine.sites]
        if wanted == []:
            raise HttpError(403, "forbidden", "you own no site", "ask an admin of this server for the right")
        names = {site.id: site.name for site in everything.sites}
        rows = self._table.latest(asked.limit, _chosen(asked), site_ids=wanted)
        return answer(AuditLines([line_of(row, names) for row in rows]))


def _chosen(asked: AuditQuestion) -> Chosen:
    return Chosen(
        bytes.fromhex(asked.before) if asked.before else EVERYTHING.before,
        _midnight(asked.since) if asked.since else EVERYTHING.since,
        _midnight(asked.until) + _DAY_MS if asked.until else EVERYTHING.until,
        asked.name,
        asked.action,
    )


def _midnight(day: date) -> int:
    return (day - _EPOCH).days * _DAY_MS
