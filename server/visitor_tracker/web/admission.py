"""Whether a page may send recordings or heat, and to which site: what a recorded request must pass before it is read.

origin, rate limit ▸ unpacked ▸ site, host ▸ module of the site ▸ opt-out ▸ no robot
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from visitor_tracker.errors import HttpError, StoreUnavailable
from visitor_tracker.event import DropReason
from visitor_tracker.http.message import Headers, Request, Response
from visitor_tracker.ingest.bots import judge, request_signals
from visitor_tracker.ingest.dropped import CELL_OF
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.intake import Intake
from visitor_tracker.ingest.pipeline import opts_out
from visitor_tracker.metrics import Counters
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.web.collect import Clients, unpacked
from visitor_tracker.web.guards import Guards

_GZIP = b"\x1f\x8b"  # RFC 1952, 2.3.1
_BYTES_A_TOKEN = 64 * 1024  # of the rate limit
_WRITERS = 4  # threads that may wait for the store; half of them, so that a store that hangs does not stop the others
_WRITER_SECONDS = 0.1
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))

Recorded = Literal["replay", "heatmap"]  # modules of the tracker script


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A page that may send: its site, its address without what is private, and the sites as they were then."""

    site: Site
    url: str
    snapshot: Snapshot


class Admission:
    """Safe in any thread; reading a user agent that is new takes a millisecond."""

    def __init__(  # noqa: PLR0913
        self,
        guards: Guards,
        clients: Clients,
        intake: Intake,
        snapshot: Callable[[], Snapshot],
        counters: Counters,
        apart: Iterable[int] = (),
    ) -> None:
        """`apart` are the sites that have a database of their own: who writes there keeps nobody else waiting."""
        self._guards = guards
        self._clients = clients
        self._intake = intake
        self._snapshot = snapshot
        self._counters = counters
        self._writers = threading.BoundedSemaphore(_WRITERS)
        self._writers_of = {site_id: threading.BoundedSemaphore(_WRITERS) for site_id in apart}

    def client(self, request: Request) -> Client:
        """Let a request pass and return its client; raises HttpError 403 or 429."""
        return self._clients.of(request, self._guards.count(request))

    def body(self, request: Request, client: Client, most: int) -> bytes:
        """Return the body unpacked; what is large costs the sender more of its rate limit.

        Pages send gzip without saying so, because saying so costs them another request (CORS).
        """
        if request.body[:2] == _GZIP and "content-encoding" not in request.headers:
            request = msgspec.structs.replace(request, headers={**request.headers, "content-encoding": "gzip"})
        body = unpacked(request, most).body if "content-encoding" in request.headers else request.body
        if len(body) > most:
            raise HttpError(413, "too_large", "the body is too large", f"send at most {most} bytes at once")
        self.charge(request, client, len(body) // _BYTES_A_TOKEN)
        return body

    def charge(self, request: Request, client: Client, tokens: int) -> None:
        """Take so much more of the sender's rate limit, all of it at most; raises HttpError 429."""
        if not client.vouched:
            self._guards.charge(request, tokens)

    def admit(self, module: Recorded, client: Client, site: str, url: str) -> Admitted | DropReason:
        """Return for which site a page sends, or why it may not."""
        snapshot = self._snapshot()
        arrival = self._intake.pipeline.arrival(Hit(site=site, url=url), client, snapshot)
        if isinstance(arrival, str):
            return arrival
        if client.only_site and arrival.site.id != client.only_site:
            return "unknown_site"
        if module not in snapshot.modules_of(arrival.site.id) or self._is_robot(client, arrival.signals):
            return module
        if self._opts_out(module, client, snapshot.policy_of(arrival.site.id).opt_out):
            return "opt_out"
        return Admitted(arrival.site, arrival.url, snapshot)

    @contextmanager
    def writing(self, site_id: int) -> Iterator[None]:
        """Hold one of the few places of who writes to the store; raises StoreUnavailable when none becomes free."""
        writers = self._writers_of.get(site_id, self._writers)
        if not writers.acquire(timeout=_WRITER_SECONDS):
            raise StoreUnavailable("too many recordings and heatmaps wait for it")
        try:
            yield
        finally:
            writers.release()

    def answer(self, request: Request, reason: DropReason | None) -> Response:
        """Answer 202: stored, or dropped for that reason."""
        said = "accepted"
        if reason is not None:
            said = f"dropped: {reason}"
            self._counters.add(CELL_OF[reason])
        body = {"accepted": 1} if reason is None else {"accepted": 0, "dropped": [{"index": 0, "reason": reason}]}
        headers = (*_JSON, ("X-Tracker", said), *self._guards.cors.headers(request))
        return Response(202, msgspec.json.encode(body), headers)

    def _is_robot(self, client: Client, signals: int) -> bool:
        reading = self._intake.read_now(client)
        signals |= reading.signals
        if not client.vouched:
            signals |= request_signals(client.headers, reading, client.user_agent)
        return judge(int(signals))

    @staticmethod
    def _opts_out(module: Recorded, client: Client, policy: str) -> bool:
        """Heat names nobody, a recording follows one visitor: so only the former can be had without a name."""
        return opts_out(client) and (policy == "drop" or (policy == "anonymous" and module == "replay"))
