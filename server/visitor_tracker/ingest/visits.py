"""The short way from a counted visit to its event, for sites whose policy keeps nothing special.

A visit says no more than its page. So the event has two halves: what its page is (the same for every visitor), and
who its visitor is (the same for a quarter of an hour). Both are remembered, which leaves a few look-ups per visit;
the whole way through the pipeline costs three times as much.
"""

import itertools
import os
from collections.abc import Callable

import msgspec

from visitor_tracker.event import DropReason, Event, Place
from visitor_tracker.ingest import bots
from visitor_tracker.ingest.agent import Reading
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.pipeline import Arrival, Pipeline, language
from visitor_tracker.ingest.scrub import tells
from visitor_tracker.ingest.visitor import visitor
from visitor_tracker.sites import Policy, Site, Snapshot

_SLOT_MS = 900_000  # local days begin on quarters of an hour
_PAGES_MOST = 16_384
_VISITORS_MOST = 16_384
_URL_MOST = 512  # characters; longer ones are rare, and strangers could fill the memory with them

_Key = tuple[str, str, str, str, int]


class _Visitor(msgspec.Struct, frozen=True, gc=False):
    day: int
    visitor: bytes
    previous: bytes
    place: Place
    language: str


class _Known:
    """What is remembered under one snapshot; visitors for a quarter of an hour, as long as their day is sure."""

    __slots__ = ("pages", "slot", "snapshot", "visitors")

    def __init__(self, snapshot: Snapshot, slot: int, pages: dict[str, Arrival | None] | None = None) -> None:
        self.snapshot = snapshot
        self.slot = slot
        self.pages: dict[str, Arrival | None] = {} if pages is None else pages
        self.visitors: dict[_Key, _Visitor] = {}


class Visits:
    """Makes events of visits; safe in any thread, where two at once may do the same work twice."""

    def __init__(self, pipeline: Pipeline, snapshot: Callable[[], Snapshot], note: Callable[[Event], None]) -> None:
        """`note` is told the first event of each visitor that is not remembered."""
        self._pipeline = pipeline
        self._snapshot = snapshot
        self._note = note
        self._known = _Known(snapshot(), 0)
        # Ids of visits that come without one: the time, what no other process has, and a number.
        self._salt = os.urandom(4)
        self._numbers = itertools.count()

    def event(  # noqa: PLR0913
        self, url: str, visit_id: bytes | None, client: Client, reading: Reading, now: int, *, is_shared: bool = False
    ) -> Event | DropReason:
        """Return the event, or why there is none. `url` as it was sent; `now` is epoch ms.

        `is_shared`: it is known that nothing of the client is in the URL.
        """
        snapshot = self._snapshot()
        slot = now // _SLOT_MS
        known = self._known
        if known.snapshot is not snapshot or known.slot != slot:
            self._known = known = _Known(snapshot, slot, known.pages if known.snapshot is snapshot else {})
        page = known.pages.get(url) or self._page(url, client, known)
        ip, user_agent = client.ip, client.user_agent
        if page is None or client.vouched or (not is_shared and tells(url, ip, user_agent)):
            return self._whole_way(url, visit_id, client, reading, now)
        headers = client.headers
        key = (ip, user_agent, headers.get("accept-language", ""), client.country, page.site.id)
        who = known.visitors.get(key)
        is_new = who is None
        if who is None:
            who = self._visitor(key, page.site, known, client, now)
        event = Event(
            visit_id or now.to_bytes(6, "big") + self._salt + next(self._numbers).to_bytes(6, "big"),
            "pageview",
            page.site.id,
            now,
            now,
            who.day,
            who.visitor,
            who.previous,
            b"",
            b"",
            page.url,
            page.source,
            who.place,
            reading.agent,
            who.language,
            reading.signals
            | page.signals
            | bots.request_signals(headers, reading, user_agent)
            | self._pipeline.rate.signal(who.visitor, now),
            counted=True,
        )
        if is_new:
            self._note(event)
        return event

    def _whole_way(
        self, url: str, visit_id: bytes | None, client: Client, reading: Reading, now: int
    ) -> Event | DropReason:
        event = self._pipeline.understand(Hit(id=visit_id, url=url), client, reading, now, counted=True)
        if isinstance(event, Event):
            self._note(event)
        return event

    def _page(self, url: str, client: Client, known: _Known) -> Arrival | None:
        """Return what a page is, or None where its visits must go the whole way."""
        pages = known.pages
        if url in pages or len(url) > _URL_MOST or tells(url, client.ip, client.user_agent):
            return None
        if len(pages) >= _PAGES_MOST:
            pages.clear()
        found = self._pipeline.arrival(Hit(url=url), client, known.snapshot)
        is_plain = isinstance(found, Arrival) and _is_plain(found.site.policy or known.snapshot.policy)
        pages[url] = made = found if is_plain and isinstance(found, Arrival) else None
        return made

    def _visitor(self, key: _Key, site: Site, known: _Known, client: Client, now: int) -> _Visitor:
        day = local_day(site.timezone, now)
        policy = site.policy or known.snapshot.policy
        hashed, previous, _ = visitor(known.snapshot, site, policy, client, day)
        place = self._pipeline.place(client.ip, client.country, "")
        if len(known.visitors) >= _VISITORS_MOST:
            known.visitors.clear()
        known.visitors[key] = made = _Visitor(day.number, hashed, previous, place, language(key[2]))
        return made


def _is_plain(policy: Policy) -> bool:
    """Say whether nothing is kept of an address or user agent, no cookie is used, and nobody may opt out."""
    return (
        policy.visitor in ("daily", "monthly", "persistent", "client")
        and policy.ip == "none"
        and policy.user_agent == "class"
        and policy.opt_out == "ignore"
    )
