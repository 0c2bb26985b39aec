"""Session replay: pieces of recordings are stored before they are acknowledged, and given back to readers."""

import dataclasses
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Protocol
from zlib import compress

import msgspec
from msgspec import Meta

from visitor_tracker.config.sections import ReplayConfig
from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreUnavailable
from visitor_tracker.event import DropReason
from visitor_tracker.http.message import Answer, Deferred, Request, Response
from visitor_tracker.http.url import page_hash
from visitor_tracker.ingest.hit import Client
from visitor_tracker.ingest.recording import (
    PIECE_MOST,
    VIEWPORTS,
    PageView,
    Recording,
    make_piece,
    page_of,
    read_recording,
    size_of,
    unpack,
    viewport_class,
)
from visitor_tracker.ingest.safe_markup import Rules
from visitor_tracker.reports.everywhere import any_recording
from visitor_tracker.reports.recordings import Shown, shown
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.replay import Chunk, Limits, PageSnapshot, ReplayTable
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.web.admission import Admission
from visitor_tracker.web.asked import JSON, answer, that_answer
from visitor_tracker.web.dialect import unreadable
from visitor_tracker.web.routed import visible
from visitor_tracker.web.router import Route, argument
from visitor_tracker.web.sent import Receipt
from visitor_tracker.web.site_query import OfSites
from visitor_tracker.web.typed import question_of

LIST, LIST_MOST = 50, 1_000
_MINUTE_MS = 60_000
_HINT = 'send {"session": "…", "sequence": 0, "url": "https://…", "viewport": "1280x720", "events": […]}'

HashSession = Callable[[Snapshot, Site, str], bytes]
Handler = Callable[[Request], Answer]
Outcome = DropReason | None


class RecordingsQuery(OfSites, frozen=True):
    """Recorded sessions."""

    limit: Annotated[int, Meta(ge=1, le=LIST_MOST, description="How many at most")] = LIST
    before: Annotated[int, Meta(ge=0, lt=10**15, description="`before` of the answer before, to go on")] = 10**15 - 1


class Recordings(msgspec.Struct, frozen=True):
    """Recorded sessions, the newest first; `before` of null: there are no more."""

    replays: list[Shown]
    before: int | None


class RecordedSession(msgspec.Struct, frozen=True):
    """A recorded session; times are those of arrival."""

    session: str
    site: str
    url: Annotated[str, Meta(description="Of the page on which it began")]
    started_at: str
    ended_at: str
    viewport: str
    events: Annotated[list[dict[str, object]], Meta(description="Events of rrweb")]


class Beside(Protocol):
    """A recording that came with events, or without any."""

    @property
    def recording(self) -> Recording: ...

    @property
    def is_alone(self) -> bool: ...


Part = Callable[[Request], Beside | None]


class ReplayRoutes:
    """Handlers of recordings; each may wait for the store."""

    def __init__(  # noqa: PLR0913
        self,
        store: SqlStore,
        admission: Admission,
        snapshot: Callable[[], Snapshot],
        hash_session: HashSession,
        config: ReplayConfig,
        *,
        body_most: int,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`hash_session` hashes a session id as ingest does; `body_most`: bytes of a body as it comes."""
        self._database = store.database
        self._table = ReplayTable(store.database)
        self._admission = admission
        self._snapshot = snapshot
        self._hash_session = hash_session
        self._mask = config.text == "mask"
        self._limits = Limits(config.session_bytes, config.minutes * _MINUTE_MS, config.site_bytes)
        self._body_most = body_most
        self._clock = clock or (lambda: time.time_ns() // 1_000_000)

    def routes(self) -> list[Route]:
        path, most = "/api/v1/replay", self._body_most
        store, newest = "store a piece of a recorded session", "recorded sessions, newest first: ?site=&limit="
        one, by_id = "the events of a recorded session: ?site=", f"{path}/{{session}}"
        return [
            Route("POST", path, self.take, store, body_most=most, body=Recording, answer=Receipt, status=202),
            Route("GET", by_id, self.recording, one, "visitors", query=OfSites, answer=RecordedSession),
            Route(
                "GET",
                "/api/v1/replays",
                self.recordings,
                newest,
                "visitors",
                query=RecordingsQuery,
                answer=Recordings,
            ),
        ]

    def take(self, request: Request) -> Answer:
        """POST /api/v1/replay."""
        client = self._admission.client(request)
        body = self._admission.body(request, client, PIECE_MOST)
        try:
            sent = read_recording(body)
        except ValueError as error:
            raise unreadable(str(error), _HINT) from error
        return self._admission.answer(request, self.store(sent, client))

    def store(self, sent: Recording, client: Client) -> Outcome:
        """Store a piece of a recording, or say why it is dropped; when this returns it is durable."""
        admitted = self._admission.admit("replay", client, sent.site, sent.url)
        if isinstance(admitted, str):
            return admitted
        session = self._hash_session(admitted.snapshot, admitted.site, sent.session)
        if not session:  # the key is not here
            return "replay"
        piece = make_piece(sent.events, Rules(self._mask, client.ip, client.user_agent))
        if piece is None:
            return "invalid_event"
        now = self._clock()
        chunk = Chunk(
            admitted.site.id,
            session,
            sent.sequence,
            now,
            piece.body,
            piece.size,
            piece.events,
            sent.viewport if size_of(sent.viewport)[0] else "",
            admitted.url,
        )
        found = [self._page(view, admitted.site, client, now) for view in piece.views]
        pages = [page for page in found if page is not None]
        with self._admission.writing(admitted.site.id):
            return "replay" if self._table.add(chunk, self._limits, pages) == "full" else None

    def _page(self, view: PageView, site: Site, client: Client, now: int) -> PageSnapshot | None:
        """Return a recorded page, if it is one of the site's."""
        admitted = self._admission.admit("replay", client, site.name, view.url)
        if isinstance(admitted, str):
            return None
        url = page_of(admitted.url)
        viewport = VIEWPORTS.index(viewport_class(view.width))
        return PageSnapshot(page_hash(url), viewport, now, view.width, view.height, url, compress(view.event))

    def recordings(self, request: Request) -> Answer:
        """GET /api/v1/replays?site=&limit=&before=: `before` is the epoch ms that the last answer ended with."""
        asked, snapshot = question_of(request, RecordingsQuery), visible(self._snapshot(), request)
        answering, left_out = that_answer(self._database, asked.among(snapshot))
        sites = {site.id: site for site in answering}
        found = self._table.newest(sites, asked.limit, asked.before)
        more = found[-1].last_at if len(found) == asked.limit else None
        return answer(Recordings([shown(sites[each.site_id], each) for each in found], more), left_out)

    def recording(self, request: Request) -> Answer:
        """GET /api/v1/replay/{session}?site=: all of its events."""
        snapshot = visible(self._snapshot(), request)
        sites = question_of(request, OfSites).among(snapshot)
        session_id = argument(request)
        found = any_recording(
            self._database, sites, session_id, lambda site, text: self._hash_session(snapshot, site, text)
        )
        if found is None:
            raise HttpError(404, "no_replay", "there is no recording of this session", "GET /api/v1/replays lists them")
        site, recorded = found
        about = {
            "session": recorded.session.hex(),
            "site": site.name,
            "url": recorded.url,
            "started_at": iso(recorded.first_at),
            "ended_at": iso(recorded.last_at),
            "viewport": recorded.viewport,
        }
        pieces = (unpack(body)[1:-1] for body in self._table.bodies(site.id, recorded.session))
        events = b",".join(pieces)
        return Response(200, b'%s,"events":[%s]}' % (msgspec.json.encode(about)[:-1], events), JSON)

    def beside(self, route: Route, part: Part) -> Route:
        """Return a route of events that stores the recordings in its bodies too; it may wait, so it is not fast."""
        handler = partial(self._take_both, route.handler, part)
        return dataclasses.replace(route, handler=handler, fast=False)

    def _take_both(self, handler: Handler, part: Part, request: Request) -> Answer:
        """Store the events of a request by their own way, and its recording.

        What is durable is told as such, also where the other is not: sent again, events without ids would count twice.
        """
        if b'"replay"' not in request.body and "content-encoding" not in request.headers:
            return handler(request)
        client = self._admission.client(request)
        body = self._admission.body(request, client, self._body_most)
        headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
        request = msgspec.structs.replace(request, body=body, headers=headers)
        found = part(request)
        if found is None:
            return handler(request)
        if found.is_alone:
            return self._alone(request, self.store(found.recording, client), len(found.recording.events))
        answered = handler(request)
        try:
            outcome: Outcome = self.store(found.recording, client)
        except (StoreUnavailable, OutcomeUnknown):
            outcome = "unavailable"
        tell = partial(_told, outcome=outcome, events=len(found.recording.events))
        if not isinstance(answered, Deferred):
            return tell(answered) if isinstance(answered, Response) else answered
        both = Deferred()
        answered.attach(lambda response: both.complete(None if response is None else tell(response)))
        return both

    def _alone(self, request: Request, outcome: Outcome, events: int) -> Response:
        """Answer a request in which there was nothing but a recording."""
        answered = self._admission.answer(request, outcome)
        body = msgspec.json.encode({"status": "ok", "success": True, "accepted": 0, "dropped": 0})
        return _told(Response(200, body, answered.headers), outcome, events)


def _told(response: Response, outcome: Outcome, events: int) -> Response:
    """Add to the answer to events what became of the recording that came with them."""
    if response.status != 200:
        return response
    if outcome is None:
        about: dict[str, object] = {"accepted": events, "dropped": 0}
    else:
        about = {"accepted": 0, "dropped": events, "reason": outcome}
    body = msgspec.json.encode({**msgspec.json.decode(response.body), "replay": about})
    return msgspec.structs.replace(response, body=body)
