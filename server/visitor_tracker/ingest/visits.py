"""The short way from a counted visit to its event, for sites whose policy keeps nothing special.

A visit says no more than its page. So the event has two halves: what its page is (the same for every visitor), and
who its visitor is (the same for a quarter of an hour). Both are remembered, which leaves a few look-ups per visit;
the whole way through the pipeline costs three times as much.
"""

import itertools
import os
from collections.abc import Callable

import msgspec

from visitor_tracker.event import DropReason, Event, Place, Source
from visitor_tracker.ingest import bots
from visitor_tracker.ingest.agent import Reading
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.pipeline import Pipeline, language
from visitor_tracker.ingest.scrub import tells
from visitor_tracker.ingest.visitor import visitor
from visitor_tracker.sites import Policy, Site, Snapshot

_SLOT_MS = 900_000  # local days begin on quarters of an hour
_PAGES_MOST = 16_384
_VISITORS_MOST = 8_192  # of a generation
_URL_MOST = 512  # characters; longer ones are rare, and strangers could fill the memory with them

_Key = tuple[str, str, str, str, int, int]


class _Page(msgspec.Struct, frozen=True, gc=False):
    site: Site
    url: str
    source: Source
    signals: int


class _Visitor(msgspec.Struct, frozen=True, gc=False):
    day: int
    visitor: bytes
    previous: bytes
    place: Place
    language: str


class Visits:
    """Makes events of visits; safe in any thread, where two at once may do the same work twice."""

    def __init__(self, pipeline: Pipeline, snapshot: Callable[[], Snapshot], note: Callable[[Event], None]) -> None:
        """`note` is told the first event of each visitor that is not remembered."""
        self._pipeline = pipeline
        self._snapshot = snapshot
        self._note = note
        self._of = snapshot()
        self._pages: dict[str, _Page | None] = {}
        self._visitors: dict[_Key, _Visitor] = {}
        self._older: dict[_Key, _Visitor] = {}
        # Ids of visits that come without one: the time, what no other process has, and a number.
        self._salt = os.urandom(4)
        self._numbers = itertools.count()

    def event(self, url: str, visit_id: bytes | None, client: Client, reading: Reading, now: int) -> Event | DropReason:
        """Return the event, or why there is none. `url` as it was sent; `now` is epoch ms."""
        snapshot = self._snapshot()
        if snapshot is not self._of:
            self._of, self._pages, self._visitors, self._older = snapshot, {}, {}, {}
        page = self._pages.get(url) or self._page(url, snapshot)
        if page is None or client.vouched or tells(url, client.ip, client.user_agent):
            return self._whole_way(url, visit_id, client, reading, now)
        headers = client.headers
        key = (
            client.ip,
            client.user_agent,
            headers.get("accept-language", ""),
            client.country,
            page.site.id,
            now // _SLOT_MS,
        )
        who = self._visitors.get(key)
        is_new = who is None
        if who is None:
            who = self._visitor(key, page.site, snapshot, client, now)
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
            | bots.request_signals(headers, reading, client.user_agent)
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

    def _page(self, url: str, snapshot: Snapshot) -> _Page | None:
        """Return what a page is, or None where its visits must go the whole way."""
        if url in self._pages or len(url) > _URL_MOST:
            return None
        if len(self._pages) >= _PAGES_MOST:
            self._pages = {}
        found = self._pipeline.page_of(url, snapshot)
        made = None
        if found is not None:
            site, page = found
            policy = site.policy or snapshot.policy
            if _is_plain(policy) and site.holds(page.host):
                made = _Page(site, page.url, self._pipeline.source("", url, page.host, site), page.signals)
        self._pages[url] = made
        return made

    def _visitor(self, key: _Key, site: Site, snapshot: Snapshot, client: Client, now: int) -> _Visitor:
        found = self._older.get(key)
        if found is None:
            day = local_day(site.timezone, now)
            hashed, previous, _ = visitor(snapshot, site, site.policy or snapshot.policy, client, day)
            place = self._pipeline.place(client.ip, client.country, "")
            found = _Visitor(day.number, hashed, previous, place, language(key[2]))
        if len(self._visitors) >= _VISITORS_MOST:
            self._visitors, self._older = {}, self._visitors
        self._visitors[key] = found
        return found


def _is_plain(policy: Policy) -> bool:
    """Say whether nothing is kept of an address or user agent, no cookie is used, and nobody may opt out."""
    return (
        policy.visitor in ("daily", "monthly", "persistent", "client")
        and policy.ip == "none"
        and policy.user_agent == "class"
        and policy.opt_out == "ignore"
    )
