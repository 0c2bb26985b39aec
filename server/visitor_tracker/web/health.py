"""For monitors: /healthz (alive), /readyz (may it get visits), /metrics (Prometheus text format 0.0.4)."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from visitor_tracker import __version__
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.ingest.journals import Journals
from visitor_tracker.metrics import GAUGES, Cell, Metrics
from visitor_tracker.sites import site_id_of
from visitor_tracker.store.apart import answers, of_site
from visitor_tracker.store.base import Store
from visitor_tracker.store.session import Database
from visitor_tracker.web.router import Route

_NONE: Mapping[str, "Parted"] = {}
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_AWAY = "away; visits wait in the journal"
_TEXT: Headers = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Cache-Control", "no-store"))


class Alive(msgspec.Struct, frozen=True):
    """The server answers."""

    status: Literal["ok"]


class Ready(msgspec.Struct, frozen=True, omit_defaults=True):
    """What works; words other than `ok` say what is wrong."""

    status: Literal["ok", "degraded"]
    store: str
    journal: str
    journal_lag_bytes: int
    visitor_keys: str
    sites: dict[str, str] = {}  # those with a database of their own


Parted = tuple[Database, Journal]  # what a site has of its own


def parted(config: Config, database: Database, journals: Mapping[int, Journal]) -> Mapping[str, Parted]:
    """Return what sites have of their own, by their names; the journals are by their ids."""
    ids = {site.name: site_id_of(site.name) for site in config.site_stores}
    return {name: (of_site(database, site_id), journals[site_id]) for name, site_id in ids.items()}


def _state(database: Database, journal: Journal) -> str:
    if not journal.available:
        return "its journal takes nothing: the disk is full, or it is"
    return "ok" if answers(database) else _AWAY


class HealthRoutes:
    def __init__(
        self, store: Store, journal: Journal | Journals, metrics: Metrics, own: Mapping[str, Parted] = _NONE
    ) -> None:
        """`own` are the sites that have a database and a journal of their own, by name."""
        self._store = store
        self._journal = journal
        self._metrics = metrics
        self._own = own

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.alive, "200 while the server answers at all", "own", fast=True, answer=Alive),
            Route(
                "GET",
                "/readyz",
                self.ready,
                "200 while visits can be stored, also degraded; else 503",
                "own",
                answer=Ready,
            ),
            Route("GET", "/metrics", self.metrics, "counters for Prometheus", "operate", media="text/plain"),
        ]

    def alive(self, request: Request) -> Answer:
        return Response(200, b'{"status":"ok"}', _JSON)

    def ready(self, request: Request) -> Answer:
        """Say what works. With the store away visits are journaled, so that only a full journal turns them away."""
        total = self._metrics.total
        store = self._problem_of_store()
        refuses = not self._journal.available
        sites = {name: _state(*parts) for name, parts in self._own.items()}
        degraded = bool(store) or refuses or total(Cell.KEY_MISSING) > 0 or any(each != "ok" for each in sites.values())
        says = Ready(
            status="degraded" if degraded else "ok",
            store=store or "ok",
            journal="it takes nothing: the disk is full, or it is" if refuses else "ok",
            journal_lag_bytes=total(Cell.JOURNAL_LAG_BYTES),
            visitor_keys="one is missing: views are counted, visitors are not" if total(Cell.KEY_MISSING) else "ok",
            sites=sites,
        )
        body = msgspec.json.encode(says)
        return Response(503 if refuses else 200, body, (*_JSON, ("Retry-After", "2")) if refuses else _JSON)

    def _problem_of_store(self) -> str:
        """Say what visits meet, else ask the store itself: what they met last would call an idle server ready."""
        if self._metrics.total(Cell.BREAKER_OPEN):
            return _AWAY
        try:
            self._store.ping()
        except (StoreUnavailable, StoreError, OutcomeUnknown):
            return _AWAY
        return ""

    def metrics(self, request: Request) -> Answer:
        lines = [
            "# TYPE visitor_tracker_info gauge",
            f'visitor_tracker_info{{version="{__version__}"}} 1',
        ]
        for cell in Cell:
            name, kind = f"visitor_tracker_{cell.name.lower()}", "gauge"
            if cell not in GAUGES:
                name, kind = f"{name}_total", "counter"
            lines += [f"# TYPE {name} {kind}", f"{name} {self._metrics.total(cell)}"]
        return Response(200, ("\n".join(lines) + "\n").encode(), _TEXT)
