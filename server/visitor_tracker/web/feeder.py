"""Those who follow a site: one thread shows all of them what changes, and asks again whether they may see it.

    handler ─open─▶ follower ┐            ┌─ read once a site ─ encoded once ─▶ push ─▶ loop
                             ├─ a turn a second, while there are any ─┤
    loop ─close─▶ forgotten  ┘            └─ may they still? once for each proof, before anything is shown

The thread ends with the last of them.
"""

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from socket import AF_INET6, inet_pton

import msgspec

from visitor_tracker.access.signatures import Signatures
from visitor_tracker.access.who import Who
from visitor_tracker.config import HttpConfig
from visitor_tracker.errors import HttpError, OutcomeUnknown, StoreError, StoreUnavailable
from visitor_tracker.http.message import Headers, Request, Stream
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.reports.live import Live, LiveView, shortened
from visitor_tracker.sites import Site
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.routed import who_of

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0  # proxies give up what is silent for a minute; also how often rights are asked for at least
PAUSE_SECONDS = 1.0  # between two turns
RETRY_SECONDS = 5

_HEARTBEAT = b":\n\n"
_AWAY = b"event: away\ndata: {}\n\n"
_UNPROVEN = frozenset({"last-event-id", "referer", "accept", "cache-control", "pragma", "priority"})  # differ by tab

Place = str | bytes


@dataclass(slots=True, eq=False)
class Follower:
    """Somebody who follows a site; `length` is that of the lists of events. Belongs to the feeder's thread."""

    stream: Stream
    request: Request
    site_id: int
    length: int
    seen: bytes  # what was shown last, without its time
    sent_at: float
    proof: object = None  # who brings the same is the same


@dataclass(frozen=True, slots=True)
class Shown:
    """A site at a moment, as an event of a stream, and without its time."""

    event: bytes
    content: bytes


@dataclass(slots=True)
class _Turn:
    """What was found out in one turn, for all who follow the same, or are the same."""

    shown: dict[tuple[int, int], Shown | None] = field(default_factory=dict)
    allowed: dict[object, Who | None] = field(default_factory=dict)


class Seats:
    """How many may follow: in all, and from one address. Any thread."""

    def __init__(self, http: HttpConfig, counters: Counters) -> None:
        self._most, self._most_of_address = http.max_streams, http.max_streams_per_address
        self._counters = counters
        self._lock = threading.Lock()
        self._taken: Counter[Place] = Counter()

    def take(self, place: Place) -> None:
        """Take a seat; `place` "" has no cap of its own. Raises HttpError 429 and 503."""
        with self._lock:
            if 0 < self._most_of_address <= self._taken[place] and place:
                error = _too_many(429, "this address follows as much as it may", "http.max_streams_per_address")
            elif self._taken.total() >= self._most:
                error = _too_many(503, "as many follow as this server lets", "http.max_streams")
            else:
                self._taken[place] += 1
                self._counters.set(Cell.STREAMS_OPEN, self._taken.total())
                return
        self._counters.add(Cell.STREAMS_REFUSED)
        raise error

    def leave(self, place: Place) -> None:
        with self._lock:
            self._taken[place] -= 1
            if not self._taken[place]:
                del self._taken[place]
            self._counters.set(Cell.STREAMS_OPEN, self._taken.total())


class Feeder:
    """Who follows, and the thread that serves them; `open` from any thread."""

    def __init__(self, parts: Parts, live: LiveView) -> None:
        self._parts = parts
        self._live = live
        self._signatures = Signatures(parts.store, parts.snapshot, clock=parts.clock)
        self._seats = Seats(parts.config.http, parts.counters)
        self._lock = threading.Lock()
        self._followers: dict[Stream, Follower] = {}
        self._is_running = False
        self._nobody = threading.Event()

    def open(self, request: Request, site: Site, length: int, headers: Headers, first: bytes) -> Stream:
        """Let somebody follow, who gets `first` and the site as it is; raises HttpError and what stores do."""
        place = self._place_of(request)
        self._seats.take(place)
        try:
            shown = self._show(site, length)
        except BaseException:
            self._seats.leave(place)
            raise
        stream = Stream(headers, first + shown.event, lambda: self._forget(stream, place))
        proof = (request.peer, request.query, frozenset(pair for pair in request.headers.items() if _proves(*pair)))
        follower = Follower(stream, request, site.id, length, shown.content, time.monotonic(), proof)
        self._parts.counters.add(Cell.STREAMS)
        with self._lock:
            self._followers[stream] = follower
            self._nobody.clear()
            starts, self._is_running = not self._is_running, True
        if starts:
            threading.Thread(target=self._run, name="feeder", daemon=True).start()
        return stream

    def _place_of(self, request: Request) -> Place:
        """Return what shares a cap: an address, or an IPv6 network; "" for a trusted proxy that names nobody."""
        trusted = self._parts.guards.trusted
        address = trusted.client_address(request)
        if not address or trusted.holds(address):
            return ""
        return inet_pton(AF_INET6, address)[:8] if ":" in address else address

    def _forget(self, stream: Stream, place: Place) -> None:
        with self._lock:
            self._followers.pop(stream, None)
            if not self._followers:
                self._nobody.set()
        self._seats.leave(place)

    # The feeder's thread.

    def _run(self) -> None:
        while followers := self._all():
            turn = _Turn()
            for follower in followers:
                try:
                    self._serve(follower, turn)
                except Exception:
                    log.exception("a live view failed and is ended")
                    follower.stream.end()
            self._nobody.wait(PAUSE_SECONDS)

    def _all(self) -> list[Follower]:
        with self._lock:
            self._is_running = bool(self._followers)
            return list(self._followers.values())

    def _serve(self, follower: Follower, turn: _Turn) -> None:
        """Show what has changed, else give a sign of life when it is time; who may not see it any more is let go."""
        shown = self._shown(follower, turn)
        seen = b"" if shown is None else shown.content
        now = time.monotonic()
        is_new = seen != follower.seen
        if not is_new and now < follower.sent_at + HEARTBEAT_SECONDS:
            return
        if shown is not None:
            try:
                if not self._may_see(follower, turn):
                    self._parts.counters.add(Cell.STREAMS_REVOKED)
                    follower.stream.end()
                    return
            except (StoreUnavailable, OutcomeUnknown):
                is_new, shown, seen = bool(follower.seen), None, b""
        if is_new:
            follower.stream.push(_AWAY if shown is None else shown.event)
            follower.seen = seen
        else:
            follower.stream.push(_HEARTBEAT, instead=False)
        follower.sent_at = now

    def _shown(self, follower: Follower, turn: _Turn) -> Shown | None:
        """Return what a follower is to see; None: the store is away. A site that is gone is an empty one."""
        key = follower.site_id, follower.length
        if key not in turn.shown:
            site = self._parts.snapshot().by_id.get(follower.site_id)
            try:
                turn.shown[key] = Shown(b"", b"") if site is None else self._show(site, follower.length)
            except (StoreUnavailable, OutcomeUnknown):
                turn.shown[key] = None
            except StoreError as error:
                log.error("the store refused a live view: %s", error)  # noqa: TRY400
                turn.shown[key] = None
        return turn.shown[key]

    def _show(self, site: Site, length: int) -> Shown:
        live = shortened(self._live.read(site, self._parts.clock()), length)
        content = msgspec.json.encode(msgspec.structs.replace(live, time=""))
        return Shown(as_event(live), content)

    def _may_see(self, follower: Follower, turn: _Turn) -> bool:
        """Say whether a follower has still the right that it had; raises StoreUnavailable, OutcomeUnknown."""
        site = self._parts.snapshot().by_id.get(follower.site_id)
        if follower.proof not in turn.allowed:
            turn.allowed[follower.proof] = self._who(follower.request)
        who = turn.allowed[follower.proof]
        return site is not None and who is not None and who.may("visitors", site)

    def _who(self, request: Request) -> Who | None:
        who = who_of(request)
        if who.kind == "signature":
            return self._signatures.renewed(who)
        try:
            return self._parts.guards.admit(request, "visitors")
        except HttpError:
            return None


def as_event(live: Live) -> bytes:
    """Return an event of a stream (WHATWG HTML, 9.2.5); JSON has no line end in it."""
    return b"id: %b\nevent: live\ndata: %b\n\n" % (live.time.encode(), msgspec.json.encode(live))


def _proves(name: str, _value: str) -> bool:
    return name not in _UNPROVEN


def _too_many(status: int, message: str, setting: str) -> HttpError:
    hint = f"close a live view, ask for /api/v1/live now and then, or raise {setting}"
    return HttpError(status, "too_many_streams", message, hint, retry_after=RETRY_SECONDS)
