"""From a hit to an event, step by step; a step that ends a hit names its reason.

    site ▸ opt-out ▸ page ▸ time ▸ source ▸ place ▸ signals ▸ visitor ▸ what the site's policy keeps

Everything private (address, user agent, what looks like an e-mail) is gone, or hashed under a key that will be
destroyed, before an event leaves here.
"""

import itertools
import os
import re
from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from urllib.parse import urlsplit

import msgspec

from visitor_tracker.event import DropReason, Event, Property, Signal, Source
from visitor_tracker.http.url import normalise
from visitor_tracker.ingest import bots
from visitor_tracker.ingest.address import kept
from visitor_tracker.ingest.agent import Reading
from visitor_tracker.ingest.calendar import local_day
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.hit import (
    AGE_MOST_MS,
    KEY_MOST,
    NAME_MOST,
    PROPERTIES_MOST,
    TEXT_MOST,
    TITLE_MOST,
    VALUE_MOST,
    Client,
    Hit,
)
from visitor_tracker.ingest.referrer import SourceReader
from visitor_tracker.ingest.scrub import cut, scrub, scrub_properties, scrub_url, tells
from visitor_tracker.ingest.visitor import hashed, visitor
from visitor_tracker.sites import Policy, Site, Snapshot

_CACHED = 16_384  # pages, titles
_CACHED_TEXT = 512  # characters; longer texts are rare, and strangers could fill the memory with them
_ENGAGED_MOST_MS = 86_400_000
_SIZE = re.compile(r"[0-9]{1,5}x[0-9]{1,5}").fullmatch
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,3}").fullmatch
_CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
_NUMBER_MOST = 1 << 62  # of a property; integers beyond it fit no database
_WITHOUT_PAGE = frozenset({"custom", "identify", "error", "vital"})  # may come from a program that has no pages


class PageUrl(msgspec.Struct, frozen=True, gc=False):
    """A page as reports show it: one spelling, nothing personal; `signals` are what its path says."""

    url: str
    host: str
    signals: int


_NO_PAGE = PageUrl("", "", 0)


class Pipeline:
    """Turns hits into events; safe in any thread, never waits."""

    def __init__(
        self,
        *,
        snapshot: Callable[[], Snapshot],
        make_site: Callable[[str], Site | None],
        geo: GeoReader,
        drop_parameters: tuple[str, ...] = (),
    ) -> None:
        self._snapshot = snapshot
        self._make_site = make_site
        self.place = geo.place
        self._drop_parameters = drop_parameters
        self.source = SourceReader().source
        self.rate = bots.RateWatch()
        # Ids of events that come without one: the time, what no other process has, and a number.
        self._salt = os.urandom(4)
        self._numbers = itertools.count()
        self._cached_page = lru_cache(_CACHED)(self._read_page)

    def understand(
        self, hit: Hit, client: Client, reading: Reading, now: int, *, counted: bool = False
    ) -> Event | DropReason:
        """Return the event, or why there is none. `now` is epoch ms; `counted`: it is a
        visit of the counter's, of which no more than the page is known.
        """
        try:
            page = self._page(hit, client)
        except ValueError:
            return "invalid_url"
        snapshot = self._snapshot()
        site = self._site(hit.site, page.host, snapshot)
        if site is None or (client.only_site and site.id != client.only_site):
            return "unknown_site"
        if page.host and not site.holds(page.host):
            return "hostname"
        policy = site.policy or snapshot.policy
        opted_out = policy.opt_out != "ignore" and _opts_out(client)
        age = hit.age_ms if hit.age_ms > 0 else 0
        if age > AGE_MOST_MS or (opted_out and policy.opt_out == "drop"):
            return "too_old" if age > AGE_MOST_MS else "opt_out"
        day = local_day(site.timezone, now - age)
        who = previous = person = b""
        if not opted_out:
            who, previous, _ = visitor(snapshot, site, policy, client, day, own=hit.visitor)
            person = hashed(snapshot, site, hit.person, "person") if hit.person else b""
        source = self._source(hit, client, page.host, site)
        return Event(
            hit.id or now.to_bytes(6, "big") + self._salt + next(self._numbers).to_bytes(6, "big"),
            hit.kind,
            site.id,
            now - age,
            now,
            day.number,
            who,
            previous,
            hashed(snapshot, site, hit.session, "session") if hit.session else b"",
            person,
            page.url,
            source,
            self.place(client.ip, client.country, hit.timezone),
            reading.agent,
            language(hit.language or client.headers.get("accept-language", "")),
            self._signals(hit, client, reading, page.signals, source, who, now),
            *(_NO_DETAILS if counted else _details(hit, client, policy)),
            "" if opted_out else kept(client.ip, policy.ip),
            client.user_agent[:VALUE_MOST] if policy.user_agent == "full" and not opted_out else "",
            counted,
        )

    def page_of(self, url: str, snapshot: Snapshot) -> tuple[Site, PageUrl] | None:
        """Return a page and the site that its host belongs to; None where it is no page, or of no site."""
        try:
            page = self._cached_page(url)
        except ValueError:
            return None
        site = self._site("", page.host, snapshot)
        return None if site is None else (site, page)

    def _page(self, hit: Hit, client: Client) -> PageUrl:
        """Return the page the hit is about; raises ValueError where there must be one and is none."""
        url = hit.url
        if not url:
            if hit.kind in _WITHOUT_PAGE:
                return _NO_PAGE
            raise ValueError("a page is needed")
        page = self._cached_page(url) if len(url) <= _CACHED_TEXT else self._read_page(url)
        if tells(page.url, client.ip, client.user_agent):
            return msgspec.structs.replace(page, url=scrub_url(page.url, client.ip, client.user_agent))
        return page

    def _read_page(self, url: str) -> PageUrl:
        clean = normalise(url, self._drop_parameters)
        parts = urlsplit(clean)
        return PageUrl(scrub_url(clean), parts.hostname or "", int(bots.path_signals(parts.path)))

    def _source(self, hit: Hit, client: Client, host: str, site: Site) -> Source:
        """Return what brought the visitor; what is remembered for others has nothing of this client's in it."""
        referrer, url = hit.referrer, hit.url
        if tells(url, client.ip, client.user_agent) or (referrer and tells(referrer, client.ip, client.user_agent)):
            referrer = scrub_url(referrer, client.ip, client.user_agent)
            url = scrub_url(url, client.ip, client.user_agent)
        return self.source(referrer, url, host, site)

    def _site(self, name: str, host: str, snapshot: Snapshot) -> Site | None:
        """Return the site a hit belongs to: the one it names, else the one that has its host, else the default one."""
        if not name:
            return snapshot.of_host(host) or snapshot.by_name.get("default")
        site = snapshot.by_name.get(name) or snapshot.of_host(name.lower())
        return site or (self._make_site(name) if snapshot.auto_create else None)

    def _signals(  # noqa: PLR0913
        self, hit: Hit, client: Client, reading: Reading, of_page: int, source: Source, visitor: bytes, now: int
    ) -> int:
        """Return what speaks for a robot."""
        signals = reading.signals | of_page
        if not client.vouched:
            signals |= bots.request_signals(client.headers, reading, client.user_agent)
        if source.referrer:
            signals |= bots.referrer_signals(source.referrer.partition("/")[0])
        if hit.automation:
            signals |= Signal.AUTOMATION
        if visitor and hit.kind == "pageview":  # a busy page may send any number of other events
            signals |= self.rate.signal(visitor, now)
        return int(signals)


def _opts_out(client: Client) -> bool:
    return client.headers.get("dnt") == "1" or client.headers.get("sec-gpc") == "1"


@lru_cache(4096)
def language(text: str) -> str:
    """Return the first language of a page's or an Accept-Language text, such as en-US; "" for none."""
    first = text[:64].split(",", 1)[0].split(";", 1)[0].strip()
    if not _LANGUAGE(first):
        return ""
    main, *rest = first.replace("_", "-").split("-")
    return "-".join([main.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


@lru_cache(1024)
def _size(text: str) -> str:
    return text if _SIZE(text) else ""


@lru_cache(_CACHED)
def _title(text: str) -> str:
    """Return a page's title, which its visitors share."""
    return cut(scrub(text), TITLE_MOST)


def _title_of(text: str, client: Client) -> str:
    if len(text) > _CACHED_TEXT or tells(text, client.ip, client.user_agent):
        return _text(text, TITLE_MOST, client)
    return _title(text)


def _text(text: str, most: int, client: Client) -> str:
    """Return a text of the client's without what is personal, cut to `most` characters."""
    return cut(scrub(text[: 4 * most], client.ip, client.user_agent), most)


_Details = tuple[str, str, str, dict[str, Property], str, str, int, int, float, str, bool]


def _details(hit: Hit, client: Client, policy: Policy) -> _Details:
    """Return what an event has from `title` to `interactive`."""
    return (
        _title_of(hit.title, client) if hit.title else "",
        _text(hit.name, NAME_MOST, client) if hit.name else "",
        _target(hit.target, client) if hit.target else "",
        _properties(hit, client, policy) if hit.properties else {},
        _size(hit.screen[:16]) if hit.screen else "",
        _size(hit.viewport[:16]) if hit.viewport else "",
        min(max(hit.engaged_ms, 0), _ENGAGED_MOST_MS),
        min(max(hit.scroll, 0), 100),
        hit.value if isfinite(hit.value) else 0.0,
        hit.currency if hit.currency and _CURRENCY(hit.currency) else "",
        hit.interactive,
    )


_NO_DETAILS: _Details = ("", "", "", {}, "", "", 0, 0, 0.0, "", True)


def _target(text: str, client: Client) -> str:
    """Return where something leads; what is no URL is a text like any other."""
    text = text[: 2 * TEXT_MOST]
    if "/" not in text and ":" not in text:
        return _text(text, TEXT_MOST, client)
    return cut(scrub_url(text, client.ip, client.user_agent), TEXT_MOST)


def _properties(hit: Hit, client: Client, policy: Policy) -> dict[str, Property]:
    """Return the properties within bounds; traits are kept as they came, or not at all."""
    is_traits = hit.kind == "identify"
    if is_traits and policy.traits == "drop":
        return {}
    bounded = {
        name[: 2 * KEY_MOST]: value[: 4 * VALUE_MOST] if isinstance(value, str) else value
        for name, value in list(hit.properties.items())[:PROPERTIES_MOST]
        if isinstance(value, (str, bool)) or (isfinite(value) and abs(value) <= _NUMBER_MOST)
    }
    if not is_traits:
        bounded = scrub_properties(bounded, client.ip, client.user_agent)
    return {
        cut(name, KEY_MOST): cut(value, VALUE_MOST) if isinstance(value, str) else value
        for name, value in bounded.items()
    }
