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
from visitor_tracker.ingest.calendar import Day, local_day
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.grouping import group_of
from visitor_tracker.ingest.hit import (
    AGE_MOST_MS,
    KEY_MOST,
    NAME_MOST,
    PROPERTIES_MOST,
    SEQ_MOST,
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
_TAB = re.compile(r"[0-9a-fA-F]{32}").fullmatch
_FILE, _LOCALHOST = "file:///", "http://localhost/"  # pages without a server, where the script's tag allows them
_AUTOMATION = int(Signal.AUTOMATION)
_NUMBER_MOST = 1 << 62  # of a property; integers beyond it fit no database
_WITHOUT_PAGE = frozenset({"custom", "identify", "error", "vital"})  # may come from a program that has no pages


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What page of what site a hit is about, and what brought it there; `signals` are what these say of a robot."""

    site: Site
    url: str
    source: Source
    signals: int


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
        self._source = SourceReader().source
        self.rate = bots.RateWatch()
        # Ids of events that come without one: the time, what no other process has, and a number.
        self._salt = os.urandom(4)
        self._numbers = itertools.count()
        # Arrivals, and the snapshot that they belong to: always replaced together.
        self._remembered: tuple[Snapshot, dict[tuple[str, str, str], Arrival]] = (snapshot(), {})

    def understand(
        self, hit: Hit, client: Client, reading: Reading, now: int, *, counted: bool = False
    ) -> Event | DropReason:
        """Return the event, or why there is none. `now` is epoch ms; `counted`: it is a visit of the counter's."""
        snapshot = self._snapshot()
        is_shared = _is_shared(hit, client)
        arrival = self.arrival(hit, client, snapshot, is_shared=is_shared)
        if isinstance(arrival, str):
            return arrival
        site = arrival.site
        if client.only_site and site.id != client.only_site:
            return "unknown_site"
        policy = site.policy or snapshot.policy
        opted_out = policy.opt_out != "ignore" and opts_out(client)
        age = hit.age_ms if hit.age_ms > 0 else 0
        if age > AGE_MOST_MS or (opted_out and policy.opt_out == "drop"):
            return "too_old" if age > AGE_MOST_MS else "opt_out"
        day = local_day(site.timezone, now - age)
        who = previous = person = session = tab = b""
        if not opted_out:
            who, previous, _ = visitor(snapshot, site, policy, client, day, own=hit.visitor)
            person = hashed(snapshot, site, hit.person, "person") if hit.person else b""
            session = hashed(snapshot, site, hit.session, "session") if hit.session else b""
            if hit.tab:
                own, tab = _of_tab(hit, snapshot, site)
                session = session or (own if _may_last(hit.tab, site, policy, day) else b"")
        return Event(
            hit.id or now.to_bytes(6, "big") + self._salt + next(self._numbers).to_bytes(6, "big"),
            hit.kind,
            site.id,
            now - age,
            now,
            day.number,
            who,
            previous,
            session,
            person,
            arrival.url,
            arrival.source,
            self.place(client.ip, client.country, hit.timezone),
            reading.agent,
            language(hit.language or client.headers.get("accept-language", "")),
            self._signals(hit, client, reading, arrival.signals, who, now),
            *_details(hit, client, policy, is_shared=is_shared),
            "" if opted_out or policy.ip == "none" else kept(client.ip, policy.ip),
            client.user_agent[:VALUE_MOST] if policy.user_agent == "full" and not opted_out else "",
            counted,
            tab,
            hit.seq if tab else 0,
        )

    def arrival(
        self, hit: Hit, client: Client, snapshot: Snapshot, *, is_shared: bool = False
    ) -> "Arrival | DropReason":
        """Return where the hit arrived, or why it cannot; many visitors share that, so it is remembered.

        `is_shared`: it is known that nothing of the client is in the hit's URL and referrer.
        """
        of, arrivals = self._remembered
        if is_shared and of is snapshot and (found := arrivals.get((hit.site, hit.url, hit.referrer))) is not None:
            return found  # as nearly always
        if of is not snapshot:
            arrivals = {}
            self._remembered = (snapshot, arrivals)
        url, referrer, ip, user_agent = hit.url, hit.referrer, client.ip, client.user_agent
        if not is_shared and (tells(url, ip, user_agent) or (referrer and tells(referrer, ip, user_agent))):
            # What is remembered for others must have nothing of this client's in it.
            return self._arrive(
                hit, client, scrub_url(url, ip, user_agent), scrub_url(referrer, ip, user_agent), snapshot
            )
        key = (hit.site, url, referrer)
        found = arrivals.get(key)
        if found is not None:
            return found
        made = self._arrive(hit, client, url, referrer, snapshot)
        if isinstance(made, Arrival) and len(url) + len(referrer) + len(hit.site) <= _CACHED_TEXT:
            if len(arrivals) >= _CACHED:
                arrivals.clear()
            arrivals[key] = made
        return made

    def _arrive(self, hit: Hit, client: Client, url: str, referrer: str, snapshot: Snapshot) -> "Arrival | DropReason":
        if not url:
            if hit.kind not in _WITHOUT_PAGE:
                return "invalid_url"
            clean = host = path = ""
        else:
            try:
                clean = normalise(url, self._drop_parameters)
            except ValueError:
                if not url.startswith(_FILE):
                    return "invalid_url"
                return self._arrive(hit, client, _LOCALHOST + url[len(_FILE) :], referrer, snapshot)
            parts = urlsplit(clean)
            host, path = parts.hostname or "", parts.path
        site = self._site(hit.site, host, client, snapshot)
        if site is None:
            return "unknown_site"
        if host and not site.holds(host) and host != site.name.lower():  # a program that knows no host gives the name
            return "hostname"
        source = self._source(referrer, url, host, site)
        signals = bots.path_signals(path)
        if source.referrer:
            signals |= bots.referrer_signals(source.referrer.partition("/")[0])
        return Arrival(site, scrub_url(clean), source, signals)

    def _site(self, name: str, host: str, client: Client, snapshot: Snapshot) -> Site | None:
        """Return the site a hit belongs to: the one it names, else the one that has its host, else the default one."""
        if not name:
            return snapshot.of_host(host) or snapshot.by_name.get("default")
        site = snapshot.by_name.get(name) or snapshot.of_host(name.lower())
        return site or (self._make_site(name) if snapshot.auto_create and _may_name_a_site(name, client) else None)

    def _signals(  # noqa: PLR0913
        self, hit: Hit, client: Client, reading: Reading, of_arrival: int, visitor: bytes, now: int
    ) -> int:
        """Return what speaks for a robot."""
        signals = reading.signals | of_arrival
        if not client.vouched:
            signals |= bots.request_signals(client.headers, reading, client.user_agent)
        if hit.automation:
            signals |= _AUTOMATION
        if visitor and hit.kind == "pageview":  # a busy page may send any number of other events
            signals |= self.rate.signal(visitor, now)
        return signals


def _is_shared(hit: Hit, client: Client) -> bool:
    """Say whether nothing of the client is in the texts that visitors share: what they come to is remembered."""
    ip, user_agent, url, referrer, title = client.ip, client.user_agent, hit.url, hit.referrer, hit.title
    if ":" in ip:  # may be spelled in many ways, so `tells` counts colons, and those of several URLs add up
        return not (tells(url, ip, user_agent) or tells(referrer, ip, user_agent) or tells(title, ip, user_agent))
    return not tells(f"{url}\n{referrer}\n{title}", ip, user_agent)


def opts_out(client: Client) -> bool:
    """Say whether the client asks not to be followed: Do Not Track, or Global Privacy Control."""
    return client.headers.get("dnt") == "1" or client.headers.get("sec-gpc") == "1"


def _of_tab(hit: Hit, snapshot: Snapshot, site: Site) -> tuple[bytes, bytes]:
    """Return the tab of an event as a session and as what losses are counted by.

    A tab that is none is ignored. Without a number in it the event says nothing of losses.
    """
    if not _TAB(hit.tab):
        return b"", b""
    own = hashed(snapshot, site, hit.tab, "session")
    is_numbered = own and 1 <= hit.seq <= SEQ_MOST
    return own, bytes.fromhex(hit.tab[:12]) + own[:10] if is_numbered else b""


def _may_last(tab: str, site: Site, policy: Policy, day: Day) -> bool:
    """Say whether a tab began in the period for which its visitor may be known.

    Some tabs are open for days; what was done in them must not tell that two days' visitors are one.
    """
    if policy.visitor not in ("daily", "monthly") or not _TAB(tab):
        return True
    began = local_day(site.timezone, int(tab[:12], 16))
    return began.month == day.month if policy.visitor == "monthly" else began.number == day.number


def _may_name_a_site(name: str, client: Client) -> bool:
    """Say whether nothing personal would be in that name, which is shown and logged."""
    return scrub(name, client.ip, client.user_agent) == name


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


def _text(text: str, most: int, client: Client) -> str:
    """Return a text of the client's without what is personal, cut to `most` characters."""
    return cut(scrub(text[: 4 * most], client.ip, client.user_agent), most)


_Details = tuple[str, str, str, dict[str, Property], str, str, int, int, float, str, bool]


def _details(hit: Hit, client: Client, policy: Policy, *, is_shared: bool) -> _Details:
    """Return what an event has from `title` to `interactive`; `is_shared`: nothing of the client is in the title."""
    title, target = hit.title, hit.target
    if title:
        title = _title(title) if is_shared and len(title) <= _CACHED_TEXT else _text(title, TITLE_MOST, client)
    name = _text(hit.name, NAME_MOST, client) if hit.name else ""
    properties = _properties(hit, client, policy) if hit.properties else {}
    if hit.kind == "error":
        properties["group"] = group_of(name, str(properties.get("stack", "")))
    return (
        title,
        name,
        _target(target, client) if target else "",
        properties,
        _size(hit.screen[:16]) if hit.screen else "",
        _size(hit.viewport[:16]) if hit.viewport else "",
        min(max(hit.engaged_ms, 0), _ENGAGED_MOST_MS) if hit.engaged_ms else 0,
        min(max(hit.scroll, 0), 100) if hit.scroll else 0,
        hit.value if hit.value and isfinite(hit.value) else 0.0,
        hit.currency if hit.currency and _CURRENCY(hit.currency) else "",
        hit.interactive,
    )


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
        if isinstance(value, (str, bool)) or -_NUMBER_MOST <= value <= _NUMBER_MOST  # neither NaN nor infinity
    }
    if not is_traits:
        bounded = scrub_properties(bounded, client.ip, client.user_agent)
    return {
        cut(name, KEY_MOST): cut(value, VALUE_MOST) if isinstance(value, str) else value
        for name, value in bounded.items()
    }
