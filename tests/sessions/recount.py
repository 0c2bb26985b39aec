"""What the rollups of one site must be: counted from all its events at once, in the plainest way.

Nothing here is quick or clever, and nothing is shared with the fold but the vocabulary (dimensions, measures, ids) and
the judgement of robots.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from visitor_tracker.days import hour_of
from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.measures import NAMES, Dimension, text_id

HALF_HOUR = timedelta(minutes=30)
ACTIONS = {"pageview", "custom", "click", "outbound", "download", "form"}

Key = tuple[int, int, int]  # (dimension, id of the value, period)
Rows = dict[Key, tuple[int, ...]]  # the eight measures of each
Seen = tuple[int, bytes, int, int]  # (month, visitor, dimension, id of the value)
Link = tuple[bytes, bytes]  # (visitor, its hash under the key before)
Session = list[Event]


@dataclass(frozen=True)
class Recount:
    hours: Rows
    days: Rows
    months: Rows
    seen: dict[Seen, int]  # days of the month on which the visitor counts; empty where hashes are of a day only


def recount(
    events: Iterable[Event], timezone: str, *, daily: bool = True, links: Iterable[Link] | None = None
) -> Recount:
    """Count the events of one site. `daily`: a visitor's hash is one of a day only.

    `links` are those that the events tell themselves, unless they are given.
    """
    events = list(events)
    humans = [event for event in events if not judge(event.signals)]
    tally = _Tally(timezone, daily)
    for event in events:
        if judge(event.signals):
            for reason in reasons(event.signals):
                tally.add(Dimension.BOT, reason, event, events=1)
            tally.add(Dimension.CRAWLER, event.agent.bot, event, events=1)
        else:
            tally.add(Dimension.KIND, event.kind, event, events=1)
            if not event.visitor:
                _count_alone(tally, event)
    for visit in _visits(humans, timezone, links_of(humans) if links is None else set(links)):
        _count_visit(tally, visit, timezone)
    return tally.rows()


def links_of(humans: Iterable[Event]) -> set[Link]:
    return {(event.visitor, event.previous) for event in humans if event.visitor and event.previous}


@dataclass
class _Tally:
    """Sums by (dimension, value, grain, period), and the visitors of each."""

    timezone: str
    daily: bool
    sums: dict[tuple[int, str, str, int], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(NAMES, 0))
    )
    visitors: dict[tuple[int, str, str, int], set[tuple[bytes, int]]] = field(default_factory=lambda: defaultdict(set))

    def add(self, dimension: Dimension, value: str, event: Event, visitor: bytes = b"", /, **measures: int) -> None:
        """Add to the hour, the day and the month of the event."""
        if not value and dimension != Dimension.TOTAL:
            return
        periods = {"hour": hour_of(self.timezone, event.ts), "day": event.day, "month": event.day // 100}
        for grain, period in periods.items():
            key = (int(dimension), value[:512], grain, period)
            for name, number in measures.items():
                self.sums[key][name] += number
            if visitor:  # a month sees a daily visitor anew each day
                self.visitors[key].add((visitor, event.day if self.daily and grain == "month" else 0))

    def rows(self) -> Recount:
        for key, visitors in self.visitors.items():
            self.sums[key]["visitors"] = len(visitors)
        return Recount(self._of("hour"), self._of("day"), self._of("month"), {} if self.daily else self._seen())

    def _seen(self) -> dict[Seen, int]:
        seen: dict[Seen, int] = defaultdict(int)
        for (dimension, value, grain, day), visitors in self.visitors.items():
            for visitor, _ in visitors if grain == "day" else ():
                seen[day // 100, visitor, dimension, text_id(value)] += 1
        return dict(seen)

    def _of(self, wanted: str) -> Rows:
        return {
            (dimension, text_id(value), period): tuple(sums[name] for name in NAMES)
            for (dimension, value, grain, period), sums in self.sums.items()
            if grain == wanted and any(sums.values())
        }


# Sessions and visits.


def _visits(humans: Sequence[Event], timezone: str, links: set[Link]) -> list[list[Session]]:
    """Return the visits, each of one session or of two that are joined."""
    sessions = {visitor: _sessions(humans, visitor) for visitor in {event.visitor for event in humans} if visitor}
    visits: list[list[Session]] = []
    joined: set[bytes] = set()  # the id of a session's first event stands for it
    for visitor, previous in sorted(links):
        if visitor not in sessions or previous not in sessions:
            continue
        earlier, later = sessions[previous][-1], sessions[visitor][0]
        if joined & {earlier[0].id, later[0].id} or not _continues(later, earlier, timezone):
            continue
        joined |= {earlier[0].id, later[0].id}
        visits.append([earlier, later])
    alone = [session for found in sessions.values() for session in found if session[0].id not in joined]
    return visits + [[session] for session in alone]


def _sessions(humans: Sequence[Event], visitor: bytes) -> list[Session]:
    sessions: list[Session] = []
    last = None
    for event in sorted((event for event in humans if event.visitor == visitor), key=_order):
        if last is None or timedelta(milliseconds=event.ts - last.ts) > HALF_HOUR:
            sessions.append([])
        sessions[-1].append(event)
        last = event
    return sessions


def _continues(later: Session, earlier: Session, timezone: str) -> bool:
    pause = timedelta(milliseconds=later[0].ts - earlier[-1].ts)
    first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=earlier[0].ts)
    zone = ZoneInfo(timezone)
    in_first_half_hour = (first - HALF_HOUR).astimezone(zone).date() != first.astimezone(zone).date()
    return timedelta(0) <= pause <= HALF_HOUR and not in_first_half_hour


def _order(event: Event) -> tuple[int, bytes]:
    return event.ts, event.id


# What each comes to.


def _count_alone(tally: _Tally, event: Event) -> None:
    happened = _happened(event)
    for dimension, value in _profile(event):
        tally.add(dimension, value, event, b"", **happened)
    for dimension, value in _place(event):
        tally.add(dimension, value, event, views=happened["views"], engaged_ms=event.engaged_ms)
    for dimension, value in _action(event):
        tally.add(dimension, value, event, events=1)


def _count_visit(tally: _Tally, sessions: list[Session], timezone: str) -> None:
    events = [event for session in sessions for event in session]
    actions = [event for event in events if event.kind in ACTIONS]
    head = min(actions or events, key=_order)
    for event in events:
        who = event.visitor if event.kind in ACTIONS else b""
        happened = _happened(event)
        for dimension, value in _profile(head):
            tally.add(dimension, value, event, who, **happened)
        for dimension, value in _place(event):
            viewer = event.visitor if event.kind == "pageview" else b""
            tally.add(dimension, value, event, viewer, views=happened["views"], engaged_ms=event.engaged_ms)
        for dimension, value in _action(event):
            tally.add(dimension, value, event, who, events=1)
    _count_first_times(tally, events, timezone)
    if actions:
        _count_whole(tally, head, events)


def _count_first_times(tally: _Tally, events: Sequence[Event], timezone: str) -> None:
    """Count the visit once for each page it saw and each thing it did, in the hour where it first did."""
    firsts: dict[tuple[Dimension, str], Event] = {}
    for event in sorted(events, key=lambda event: (event.day, hour_of(timezone, event.ts))):
        values = [*(_place(event) if event.kind == "pageview" else ()), *_action(event)]
        for dimension, value in values:
            firsts.setdefault((dimension, value), event)
    for (dimension, value), event in firsts.items():
        tally.add(dimension, value, event, visits=1)


def _count_whole(tally: _Tally, head: Event, events: Sequence[Event]) -> None:
    """Count the visit where it began, and all of it for its first and its last page."""
    views = sorted((event for event in events if event.kind == "pageview"), key=_order)
    others = [event for event in events if event.kind in ACTIONS and event.kind != "pageview"]
    engaged_ms = sum(event.engaged_ms for event in events)
    single = len(views) <= 1
    bounced = single and engaged_ms < 10_000 and not any(event.interactive for event in others)
    moments = [event.ts for event in events]
    once = {
        "visits": 1,
        "bounces": int(bounced),
        "singles": int(single),
        "duration_ms": max(moments) - min(moments),
    }
    for dimension, value in _profile(head):
        tally.add(dimension, value, head, b"", **once)
    if views:
        whole = {**once, "views": len(views), "engaged_ms": engaged_ms, "events": len(others)}
        tally.add(Dimension.ENTRY, _page(views[0]), head, head.visitor, **whole)
        tally.add(Dimension.EXIT, _page(views[-1]), head, head.visitor, **whole)


# What an event says.


def _happened(event: Event) -> dict[str, int]:
    is_view = event.kind == "pageview"
    is_other = event.kind in ACTIONS and not is_view
    return {"views": int(is_view), "events": int(is_other), "engaged_ms": event.engaged_ms}


def _page(event: Event) -> str:
    return urlsplit(event.url).path


def _place(event: Event) -> Iterator[tuple[Dimension, str]]:
    yield Dimension.PAGE, _page(event)
    yield Dimension.HOST, urlsplit(event.url).netloc


def _action(event: Event) -> Iterator[tuple[Dimension, str]]:
    match event.kind:
        case "custom":
            yield Dimension.EVENT, event.name
        case "outbound":
            yield Dimension.OUTBOUND, event.target
        case "download":
            yield Dimension.DOWNLOAD, event.target
        case "form":
            yield Dimension.FORM, event.name or event.target
        case "click":
            yield Dimension.CLICK, event.name or event.target


def _profile(event: Event) -> Iterator[tuple[Dimension, str]]:
    """Yield everything that a visit with this head is listed under; empty values are dropped by `add`."""
    source = event.source
    if source.channel == "internal":
        source = msgspec.structs.replace(source, channel="direct", name="", referrer="")
    place, agent = event.place, event.agent
    yield Dimension.TOTAL, ""
    yield Dimension.SOURCE, source.name
    yield Dimension.REFERRER, source.referrer
    yield Dimension.CHANNEL, source.channel
    yield Dimension.UTM_SOURCE, source.utm_source
    yield Dimension.UTM_MEDIUM, source.utm_medium
    yield Dimension.UTM_CAMPAIGN, source.utm_campaign
    yield Dimension.UTM_TERM, source.utm_term
    yield Dimension.UTM_CONTENT, source.utm_content
    yield Dimension.CLICK_ID, source.click_id
    yield Dimension.COUNTRY, place.country
    yield Dimension.REGION, place.region and "/".join([place.country, place.region])
    yield Dimension.CITY, place.city and "/".join([place.country, place.region, place.city])
    yield Dimension.ORGANISATION, place.organisation
    yield Dimension.BROWSER, agent.browser
    yield Dimension.BROWSER_VERSION, agent.browser_version and " ".join([agent.browser, agent.browser_version])
    yield Dimension.OS, agent.os
    yield Dimension.OS_VERSION, agent.os_version and " ".join([agent.os, agent.os_version])
    yield Dimension.DEVICE, agent.device
    yield Dimension.LANGUAGE, event.language
    yield Dimension.SCREEN, event.screen
