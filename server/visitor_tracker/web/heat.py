"""Heatmaps: where visitors click, move and scroll on a page, over a picture of it."""

import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

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
    HeatKind,
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
from visitor_tracker.web.asked import JSON, answer
from visitor_tracker.web.dialect import unreadable
from visitor_tracker.web.ids import read_id
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route
from visitor_tracker.web.sent import Receipt
from visitor_tracker.web.site_query import OfSite
from visitor_tracker.web.typed import question_of

_HINT = 'send {"id": "32 hex digits", "url": "https://…", "viewport": "1280x720", "cells": {"click": [[x, y, n], …]}}'
_CELLS_A_TOKEN = 100  # of the rate limit
_PAGES, _PAGES_MOST = 100, 1_000


class HeatQuery(OfSite, frozen=True):
    """Heat of a page; without `url` the pages of which there is heat."""

    url: Annotated[str, Meta(description="Address of the page")] = ""
    viewport: Annotated[Viewport, Meta(description="Width of the visitors' screens")] = "desktop"
    kind: Annotated[HeatKind, Meta(description="What is shown")] = "click"
    limit: Annotated[int, Meta(ge=1, le=_PAGES_MOST, description="How many pages at most")] = _PAGES


class SnapshotQuery(OfSite, frozen=True):
    """A page as it was recorded."""

    url: Annotated[str, Meta(description="Address of the page")] = ""
    viewport: Annotated[Viewport, Meta(description="Width of the visitor's screen")] = "desktop"


class HeatMap(msgspec.Struct, frozen=True):
    """Heat of a page, by cell: column, row, how often."""

    url: str
    viewport: Viewport
    kind: HeatKind
    columns: Annotated[int, Meta(description="Into how many a page's width is cut")]
    row_px: Annotated[int, Meta(description="CSS pixels of a row")]
    cells: list[tuple[int, int, int]]
    total: int
    snapshot: Annotated[bool, Meta(description="Whether GET /api/v1/snapshot has the page")]


class HeatPage(msgspec.Struct, frozen=True):
    """A page of which there is heat."""

    url: str
    reports: int
    last_at: str


class HeatPages(msgspec.Struct, frozen=True):
    """The pages of which there is heat."""

    site: str
    pages: list[HeatPage]


class PageShown(msgspec.Struct, frozen=True):
    """A page as it was recorded: what it is, and rrweb's event with its nodes, in which all text is masked."""

    url: str
    width: int
    height: int
    recorded_at: str
    type: int
    data: dict[str, object]
    timestamp: float


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
        add, page = "add to the heatmap of a page", "a page as it was recorded: ?url=&viewport="
        heat = "heat of a page: ?url=&viewport=&kind=, or pages"
        return [
            Route(
                "POST",
                "/api/v1/heat",
                self.take,
                add,
                body_most=HEAT_MOST,
                body=HeatReport,
                answer=Receipt,
                status=202,
            ),
            Route("GET", "/api/v1/heatmap", self.heatmap, heat, "read", query=HeatQuery, answer=HeatMap | HeatPages),
            Route("GET", "/api/v1/snapshot", self.snapshot, page, "visitors", query=SnapshotQuery, answer=PageShown),
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
        with self._admission.writing(admitted.site.id):
            return None if self._heat.add(report) else "heatmap"

    def heatmap(self, request: Request) -> Answer:
        """GET /api/v1/heatmap?url=&site=&viewport=&kind=; without url the pages of which there is heat."""
        asked = question_of(request, HeatQuery)
        if not asked.url:
            return self._pages(request, asked)
        site, url = self._asked_page(request, asked)
        page, code = page_hash(url), VIEWPORTS.index(asked.viewport)
        cells, total = self._heat.cells(site.id, page, code, HEAT_KINDS.index(asked.kind))
        shown = self._replays.snapshot(site.id, page, code) is not None
        return answer(HeatMap(url, asked.viewport, asked.kind, COLUMNS, ROW_PX, cells, total, shown))

    def snapshot(self, request: Request) -> Answer:
        """GET /api/v1/snapshot?url=&site=&viewport=: the snapshot event, and what it shows."""
        asked = question_of(request, SnapshotQuery)
        site, url = self._asked_page(request, asked)
        found = self._replays.snapshot(site.id, page_hash(url), VIEWPORTS.index(asked.viewport))
        if found is None:
            raise HttpError(404, "no_snapshot", "this page was not recorded on such a screen", "see docs/replay.md")
        return _snapshot_answer(found)

    def _pages(self, request: Request, asked: HeatQuery) -> Response:
        site = self._site(request, asked, "")
        found = self._heat.pages(site.id, asked.limit)
        return answer(HeatPages(site.name, [HeatPage(page.url, page.reports, iso(page.last_at)) for page in found]))

    def _asked_page(self, request: Request, asked: HeatQuery | SnapshotQuery) -> tuple[Site, str]:
        try:
            url = normalise(asked.url, self._drop_parameters)
        except ValueError as error:
            raise HttpError(400, "invalid_url", str(error), "use url=https://…, percent-encoded") from error
        return self._site(request, asked, url), page_of(scrub_url(url))

    def _site(self, request: Request, asked: OfSite, url: str) -> Site:
        """Return the site that is named, else the one that has the page."""
        snapshot = visible(self._snapshot(), request)
        host = urlsplit(url).hostname
        found = None if asked.site or asked.site_id or not host else snapshot.of_host(host)
        return found or asked.among(snapshot)


def _snapshot_answer(found: PageSnapshot) -> Response:
    about = {"url": found.url, "width": found.width, "height": found.height, "recorded_at": iso(found.at)}
    return Response(200, msgspec.json.encode(about)[:-1] + b"," + unpack(found.body)[1:], JSON)
