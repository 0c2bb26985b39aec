"""For monitors: /healthz (alive), /readyz (may it get visits), /metrics (Prometheus text format 0.0.4)."""

import msgspec

from visitor_tracker import __version__
from visitor_tracker.errors import OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Answer, Headers, Request, Response
from visitor_tracker.ingest.counter import Counter
from visitor_tracker.metrics import GAUGES, Cell, Metrics
from visitor_tracker.store.base import Store
from visitor_tracker.web.router import Route

_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_TEXT: Headers = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Cache-Control", "no-store"))


class HealthRoutes:
    def __init__(self, store: Store, counter: Counter, metrics: Metrics) -> None:
        self._store = store
        self._counter = counter
        self._metrics = metrics

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.alive, "200 while the server answers at all", "own", fast=True),
            Route("GET", "/readyz", self.ready, "200 while visits can be stored, else 503", "own"),
            Route("GET", "/metrics", self.metrics, "counters for Prometheus", "read"),
        ]

    def alive(self, request: Request) -> Answer:
        return Response(200, b'{"status":"ok"}', _JSON)

    def ready(self, request: Request) -> Answer:
        """Ask the store itself; the breaker alone would call an idle server ready."""
        problem = "" if self._counter.available else "the store is away"
        if not problem:
            try:
                self._store.ping()
            except (StoreUnavailable, StoreError, OutcomeUnknown):
                problem = "the store does not answer"
        says = {"status": "degraded" if problem else "ok", "store": problem or "ok"}
        headers = (*_JSON, ("Retry-After", "2")) if problem else _JSON
        return Response(503 if problem else 200, msgspec.json.encode(says), headers)

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
