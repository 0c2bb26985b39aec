"""Heatmaps: where visitors click, move and scroll on a page, over a picture of it."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from visitor_tracker.days import day_of
from visitor_tracker.errors import HttpError
from visitor_tracker.event import DropReason
from visitor_tracker.http.message import Answer, Request, Response
from visitor_tracker.http.url import normalise, page_hash
from visitor_tracker.ingest.hit import Client
from visitor_tracker.ingest.recording import (
    COLUMNS,
    HEAT_KINDS,
    HEAT_MOST,
    ROW_PX,
    VIEWPORTS,
    HeatReport,
    Viewport,
    page_of,
    read_heat,
    size_of,
    unpack,
    viewport_class,
)
from visitor_tracker.ingest.scrub import scrub_url
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.heat import HeatTable, Report
from visitor_tracker.store.replay import PageSnapshot, ReplayTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.admission import Admission
from visitor_tracker.web.asked import JSON, answer, fields_of, number, site_named
from visitor_tracker.web.dialect import unreadable
from visitor_tracker.web.ids import read_id
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route

_HINT = 'send {"id": "32 hex digits", "url": "https://…", "viewport": "1280x720", "cells": {"click": [[x, y, n], …]}}'
_CELLS_A_TOKEN = 100  # of the rate limit
_PAGES, _PAGES_MOST = 100, 1_000


class HeatRoutes:
    """Handlers of heat; each may wait for the store."""

    def __init__(
        self,
        store: SqlStore,
        admission: Admission,
        snapshot: Callable[[], Snapshot],
        drop_parameters: tuple[str, ...] = (),
        *,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._heat = HeatTable(store.database)
        self._replays = ReplayTable(store.database)
        self._admission = admission
        self._snapshot = snapshot
        self._drop_parameters = drop_parameters
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/api/v1/heat", self.take, "add to the heatmap of a page", body_most=HEAT_MOST),
            Route("GET", "/api/v1/heatmap", self.heatmap, "heat of a page: ?url=&viewport=&kind=, or pages", "read"),
            Route("GET", "/api/v1/snapshot", self.snapshot, "a page as it was recorded: ?url=&viewport=", "visitors"),
        ]

    def take(self, request: Request) -> Answer:
        """POST /api/v1/heat."""
        client = self._admission.client(request)
        body = self._admission.body(request, client, HEAT_MOST)
        try:
            sent = read_heat(body)
            report_id = read_id(sent.id)
        except ValueError as error:
            raise unreadable(str(error), _HINT) from error
        self._admission.charge(request, client, sum(map(len, sent.cells.values())) // _CELLS_A_TOKEN)
        return self._admission.answer(request, self._store(sent, report_id, client))

    def _store(self, sent: HeatReport, report_id: bytes, client: Client) -> DropReason | None:
        admitted = self._admission.admit("heatmap", client, sent.site, sent.url)
        if isinstance(admitted, str):
            return admitted
        width, _ = size_of(sent.viewport)
        if not width:
            return "invalid_event"
        url, now = page_of(admitted.url), self._clock()
        report = Report(
            admitted.site.id,
            report_id,
            page_hash(url),
            url,
            VIEWPORTS.index(viewport_class(width)),
            day_of(admitted.site.timezone, now) // 100,
            now,
            {HEAT_KINDS.index(kind): cells for kind, cells in sent.cells.items()},
        )
        with self._admission.writing():
            return None if self._heat.add(report) else "heatmap"

    def heatmap(self, request: Request) -> Answer:
        """GET /api/v1/heatmap?url=&site=&viewport=&kind=; without url the pages of which there is heat."""
        fields = fields_of(request)
        if not fields.get("url"):
            return self._pages(request, fields)
        site, url = self._asked_page(request, fields)
        viewport = _viewport(fields)
        kind = fields.get("kind", "click")
        if kind not in HEAT_KINDS:
            raise HttpError(400, "invalid_kind", "there is no such kind of heat", f"use {', '.join(HEAT_KINDS)}")
        page, code = page_hash(url), VIEWPORTS.index(viewport)
        cells, total = self._heat.cells(site.id, page, code, HEAT_KINDS.index(kind))
        return answer(
            {
                "url": url,
                "viewport": viewport,
                "kind": kind,
                "columns": COLUMNS,
                "row_px": ROW_PX,
                "cells": cells,
                "total": total,
                "snapshot": self._replays.snapshot(site.id, page, code) is not None,
            }
        )

    def snapshot(self, request: Request) -> Answer:
        """GET /api/v1/snapshot?url=&site=&viewport=: the snapshot event, and what it shows."""
        fields = fields_of(request)
        site, url = self._asked_page(request, fields)
        found = self._replays.snapshot(site.id, page_hash(url), VIEWPORTS.index(_viewport(fields)))
        if found is None:
            raise HttpError(404, "no_snapshot", "this page was not recorded on such a screen", "see docs/replay.md")
        return _snapshot_answer(found)

    def _pages(self, request: Request, fields: dict[str, str]) -> Response:
        site = self._site(request, fields, "")
        found = self._heat.pages(site.id, number(fields, "limit", _PAGES, _PAGES_MOST))
        pages = [{"url": page.url, "reports": page.reports, "last_at": iso(page.last_at)} for page in found]
        return answer({"site": site.name, "pages": pages})

    def _asked_page(self, request: Request, fields: dict[str, str]) -> tuple[Site, str]:
        try:
            url = normalise(fields.get("url", ""), self._drop_parameters)
        except ValueError as error:
            raise HttpError(400, "invalid_url", str(error), "use url=https://…, percent-encoded") from error
        return self._site(request, fields, url), page_of(scrub_url(url))

    def _site(self, request: Request, fields: dict[str, str], url: str) -> Site:
        """Return the site that is named, else the one that has the page."""
        snapshot = visible(self._snapshot(), request)
        name = fields.get("site") or fields.get("site_id")
        host = urlsplit(url).hostname
        found = None if name or not host else snapshot.of_host(host)
        return found or site_named(name or "default", snapshot)


def _viewport(fields: dict[str, str]) -> Viewport:
    asked = fields.get("viewport", "desktop")
    for viewport in VIEWPORTS:
        if asked == viewport:
            return viewport
    raise HttpError(400, "invalid_viewport", "there is no such viewport", f"use {', '.join(VIEWPORTS)}")


def _snapshot_answer(found: PageSnapshot) -> Response:
    about = {"url": found.url, "width": found.width, "height": found.height, "recorded_at": iso(found.at)}
    return Response(200, msgspec.json.encode(about)[:-1] + b"," + unpack(found.body)[1:], JSON)
