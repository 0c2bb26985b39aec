"""Who is on a site now, and what they do: read from the newest raw events and from the visits these belong to.

The work is bounded whatever the site's size and however many look: numbers are made by the database, those of a
minute that is over once; visitors are looked for in so many events only, lists look at the newest of them; and an
answer is kept for ten times as long as it took to make.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.days import day_after, day_of
from visitor_tracker.event import KINDS
from visitor_tracker.reports.words import Words, iso
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import Site
from visitor_tracker.store import people
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.people import MINUTE_MS, FeedRow, Window
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.visits import sessions_in

NOW_MINUTES = 5  # who did something in them is here now
MINUTES = 30
FEED_MOST = 100
LOOKED_AT = 1_000  # visitors that the lists count
EVENTS_MOST = 300_000  # in which visitors are looked for: 1,000 a second for the five minutes of "now"
LISTED = 10
_KEPT_SECONDS = 1.0  # at least
_SETTLED_MS = 2 * MINUTE_MS  # after its end a minute is not read again: few events arrive so late
_KEPT_TIMES = 10  # as long as it took: so reading takes a tenth of one thread at most


class Judge(msgspec.Struct, frozen=True):
    """What makes a robot: the signals that are enough for it, and their names as users see them."""

    robots: int
    reasons: Callable[[int], list[str]]


class MinuteViews(msgspec.Struct, frozen=True):
    """One full minute, or the one that has just begun."""

    time: str
    views: int


class Share(msgspec.Struct, frozen=True):
    """How many of the visitors have this in common: of those here now, and of the last half hour."""

    name: str
    now: int
    visitors: int


class Happening(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event; `session` names the visit to `/sessions/{id}`, empty for an event without a visitor."""

    time: str
    kind: str
    page: str
    country: str
    session: str = ""
    name: str = ""
    target: str = ""
    crawler: str = ""
    reasons: list[str] = []


class RobotsNow(msgspec.Struct, frozen=True):
    """What robots did in the last half hour, apart from people."""

    events: int
    feed: tuple[Happening, ...]


class Live(msgspec.Struct, frozen=True):
    """A site at one moment. `visitors` are those of the last `visitors_minutes`, fewer than 30 on a very busy site.

    The lists count the `looked_at` newest visitors, each by the visit it is on.
    """

    site: str
    time: str
    now: int
    visitors: int
    visitors_minutes: int
    views: int
    minutes: tuple[MinuteViews, ...]  # oldest first, quiet ones too
    looked_at: int
    pages: tuple[Share, ...]  # that they see, or saw last
    sources: tuple[Share, ...]
    countries: tuple[Share, ...]  # all of them, for maps
    feed: tuple[Happening, ...]  # newest first
    robots: RobotsNow


def shortened(live: Live, length: int) -> Live:
    """Return it with so many events of people, and as many of robots."""
    robots = msgspec.structs.replace(live.robots, feed=live.robots.feed[:length])
    return msgspec.structs.replace(live, feed=live.feed[:length], robots=robots)


Settled = dict[int, people.Minute]  # minutes that are over, by their first epoch ms


class _Kept(msgspec.Struct, frozen=True):
    live: Live
    until: float  # monotonic seconds
    settled: Settled


class LiveView:
    """Reads sites for any number of viewers; any thread."""

    def __init__(self, database: Database, judge: Judge, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._judge = judge
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}
        self._reading: set[int] = set()

    def read(self, site: Site, now: int) -> Live:
        """Return the site as it is `now` (epoch ms), or was a moment ago; raises what `Database.read` does."""
        began = self._clock()
        with self._lock:
            kept = self._kept.get(site.id)
            if kept is not None and (began < kept.until or site.id in self._reading):
                return kept.live
            self._reading.add(site.id)
        try:
            settled = {} if kept is None else kept.settled
            live = of_site(self._database, site.id).read(
                lambda session: read_live(session, site, now, self._judge, settled)
            )
            ended = self._clock()
            until = ended + max(_KEPT_SECONDS, _KEPT_TIMES * (ended - began))
            with self._lock:
                self._kept[site.id] = _Kept(live, until, settled)
        finally:
            with self._lock:
                self._reading.discard(site.id)
        return live


def read_live(session: Session, site: Site, now: int, judge: Judge, settled: Settled | None = None) -> Live:
    """Return the site as it is `now`, epoch ms; `settled` are minutes of it that were read before, and is kept up."""
    minutes = _minutes(session, site, now, judge, {} if settled is None else settled)
    length = _minutes_to_search(minutes)
    window = Window(site.id, now - MINUTES * MINUTE_MS, now, judge.robots)
    searched = msgspec.structs.replace(window, since=now - length * MINUTE_MS)
    present = people.present(session, searched, now - NOW_MINUTES * MINUTE_MS, LOOKED_AT)
    visits = _visits(session, site, searched, present.newest)
    words = Words(session)
    words.learn(
        texts=[visit.exit.page for visit, _ in visits if visit.exit is not None],
        contexts=[visit.head.context for visit, _ in visits],
        sources=[visit.head.source for visit, _ in visits],
    )
    return Live(
        site.name,
        iso(now),
        present.lately,
        present.visitors,
        length,
        sum(minute.views for minute in minutes.values()),
        tuple(MinuteViews(iso(ts), minute.views) for ts, minute in minutes.items()),
        len(visits),
        _shares((_page(visit, words), is_here) for visit, is_here in visits),
        _shares((_source(visit, words), is_here) for visit, is_here in visits),
        _shares(((words.context(visit.head.context).place.country, is_here) for visit, is_here in visits), None),
        _feed(people.feed(session, window, FEED_MOST), words, judge),
        RobotsNow(
            sum(minute.robots for minute in minutes.values()),
            _feed(people.feed(session, window, FEED_MOST, of_robots=True), words, judge),
        ),
    )


def _minutes(session: Session, site: Site, now: int, judge: Judge, settled: Settled) -> dict[int, people.Minute]:
    """Return the last minutes, oldest first, the one that has just begun among them."""
    last = now - now % MINUTE_MS
    shown: dict[int, people.Minute] = {}
    for ts in range(last - (MINUTES - 1) * MINUTE_MS, last + 1, MINUTE_MS):
        shown[ts] = settled.get(ts) or people.minute(session, site.id, ts, judge.robots)
    settled.clear()
    settled.update({ts: minute for ts, minute in shown.items() if ts + MINUTE_MS + _SETTLED_MS <= now})
    return shown


def _minutes_to_search(minutes: dict[int, people.Minute]) -> int:
    """Return in how many of the last minutes there are no more than `EVENTS_MOST` events; one at least."""
    found = events = 0
    for minute in reversed(minutes.values()):
        events += minute.events
        if events > EVENTS_MOST:
            break
        found += 1
    return max(1, found)


def _visits(
    session: Session, site: Site, window: Window, newest: Iterable[tuple[bytes, int]]
) -> list[tuple[VisitorSession, bool]]:
    """Return the visits that these visitors are on, and whether each is here now."""
    seen = dict(newest)
    today = day_of(site.timezone, window.until)
    keys = [(bucket, visitor) for bucket in (0, today, day_after(today, -1)) for visitor in seen]
    visits: dict[bytes, VisitorSession] = {}
    for _, visitor, visit in sessions_in(session, site.id, keys):
        if visit.last_ts > window.since and (visitor not in visits or visits[visitor].last_ts < visit.last_ts):
            visits[visitor] = visit
    lately = window.until - NOW_MINUTES * MINUTE_MS
    return [(visits[visitor], ts > lately) for visitor, ts in seen.items() if visitor in visits]


def _shares(named: Iterable[tuple[str, bool]], most: int | None = LISTED) -> tuple[Share, ...]:
    """Return the most frequent names, None: all; the empty one says that there is none, and is left out."""
    here: Counter[str] = Counter()
    visitors: Counter[str] = Counter()
    for name, is_here in named:
        if name:
            here[name] += is_here
            visitors[name] += 1
    order = sorted(visitors, key=lambda name: (-here[name], -visitors[name], name))
    return tuple(Share(name, here[name], visitors[name]) for name in order[:most])


def _page(visit: VisitorSession, words: Words) -> str:
    return "" if visit.exit is None else words.text(visit.exit.page)


def _source(visit: VisitorSession, words: Words) -> str:
    """Return the referrer's name, else that of the campaign, else the channel."""
    source = words.source(visit.head.source)
    return source.name or source.utm_source or ("direct" if source.channel == "internal" else source.channel)


def _feed(rows: list[FeedRow], words: Words, judge: Judge) -> tuple[Happening, ...]:
    words.learn(
        texts=[text for row in rows for text in (row.page, row.name, row.target)],
        contexts=[row.context for row in rows],
    )
    return tuple(_happening(row, words, judge) for row in rows)


def _happening(row: FeedRow, words: Words, judge: Judge) -> Happening:
    context = words.context(row.context)
    is_robot = bool(row.signals & judge.robots)
    return Happening(
        iso(row.ts),
        KINDS[row.kind],
        words.text(row.page),
        context.place.country,
        "" if is_robot or not any(row.visitor) else f"{row.visitor.hex()}-{row.ts}",
        words.text(row.name),
        words.text(row.target),
        context.agent.bot if is_robot else "",
        judge.reasons(row.signals) if is_robot else [],
    )
