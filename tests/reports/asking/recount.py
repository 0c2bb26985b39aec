"""What a query comes to, counted event by event: no code of the reports is in it, nor any session or rollup."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.reports.asking.wanted import Wanted
from tests.reports.counted_by_hand import LISTED, Visited, path, visited
from visitor_tracker.event import Event

Number = int | float | None
Value = Callable[[Visited, Event], str]

VISITS, LOOKS, ACTS, ALL = "visits", "looks", "acts", "all"
OF_VISITS: dict[str, Value] = {
    "country": lambda visit, each: visit.head.place.country,
    "browser": lambda visit, each: visit.head.agent.browser,
    "source": lambda visit, each: "" if visit.head.source.channel == "internal" else visit.head.source.name,
    "channel": lambda visit, each: "direct" if visit.head.source.channel == "internal" else visit.head.source.channel,
    "entry": lambda visit, each: visit.entry,
    "exit": lambda visit, each: path(visit.views[-1]) if visit.views and visit.is_visit else "",
}
OF_LOOKS: dict[str, Value] = {
    "page": lambda visit, each: path(each),
    "host": lambda visit, each: each.url.split("/")[2],
}
OF_ACTS: dict[str, Value] = {
    "event": lambda visit, each: each.name if each.kind == "custom" else "",
    "outbound": lambda visit, each: each.target if each.kind == "outbound" else "",
    "click": lambda visit, each: each.name or each.target if each.kind == "click" else "",
    "prop:plan": lambda visit, each: str(each.properties.get("plan", "")),
    "title": lambda visit, each: each.title,
}
OF_ALL: dict[str, Value] = {"kind": lambda visit, each: each.kind}
VALUES = {**OF_VISITS, **OF_LOOKS, **OF_ACTS, **OF_ALL}
ENDS = ("entry", "exit")
TOLD = ("prop:plan", "title")


@dataclass
class Sums:
    visitors: set[tuple[int, bytes]] = field(default_factory=set)
    visits: int = 0
    views: int = 0
    events: int = 0
    engaged: int = 0
    duration: int = 0
    bounces: int = 0
    singles: int = 0
    value: float = 0.0
    currencies: set[str] = field(default_factory=set)
    depths: list[int] = field(default_factory=list)

    def number_of_visitors(self, *, daily: bool) -> int:
        """Return how many there are; with `daily` who comes on another day counts again."""
        return len(self.visitors) if daily else len({visitor for _, visitor in self.visitors})

    @property
    def is_anything(self) -> bool:
        return bool(self.visitors or self.visits or self.views or self.events)


@dataclass(frozen=True)
class Times:
    """Days of a zone, and the buckets of an interval."""

    zone: str
    site_zone: str
    first: date
    last: date
    interval: str
    week_start: str = "monday"

    def bucket(self, each: Event) -> str | None:
        moment = datetime.fromtimestamp(each.ts / 1000, UTC)
        if self.zone != self.site_zone:  # what belongs to an hour of the site's goes to the day on which that begins
            here = moment.astimezone(ZoneInfo(self.site_zone))
            moment -= timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
        local = moment.astimezone(ZoneInfo(self.zone))
        day = local.date()
        if not self.first <= day <= self.last:
            return None
        if self.interval == "day":
            return day.isoformat()
        if self.interval == "week":
            return week(day, self.week_start).isoformat()
        if self.interval == "month":
            return day.isoformat()[:7]
        hour = local.replace(minute=0, second=0, microsecond=0)
        return hour.isoformat(timespec="minutes")


def week(day: date, begins: str) -> date:
    """Return the first day of a day's week: the one of that name before it, or itself."""
    while day.strftime("%A").lower() != begins:
        day -= timedelta(days=1)
    return day


class Recount:
    """All that events come to by these dimensions; `by_time` and a filter as the query has them."""

    def __init__(
        self, events: Iterable[Event], times: Times, wanted: Wanted, dimensions: Sequence[str], *, by_time: bool
    ) -> None:
        self.times = times
        self._wanted = wanted
        self._dimensions = tuple(dimensions)
        self._by_time = by_time
        self.rows: dict[tuple[str, ...], Sums] = defaultdict(Sums)
        self.total = Sums()
        self.kind = _kind_of(dimensions)
        told = any(name in TOLD for name in dimensions) or len([n for n in dimensions if n not in OF_VISITS]) > 1
        self._each = wanted.of_events or (told and set(dimensions) != {"page", "host"}) or self.kind == ALL
        visits = visited(events)
        for visit in visits:
            self._add_total(visit)
            if self._dimensions or by_time:
                self._add_rows(visit)
            self._add_gains(visit)
        if self._dimensions:
            self.rows = {key: sums for key, sums in self.rows.items() if sums.is_anything}

    def _key(self, visit: Visited, each: Event) -> tuple[str, ...]:
        return tuple(VALUES[name](visit, each) for name in self._dimensions)

    def _at(self, key: tuple[str, ...], bucket: str) -> Sums:
        return self.rows[(*key, bucket) if self._by_time else key]

    def _add_total(self, visit: Visited) -> None:
        for bucket, sums in self._portions(visit).items():
            _merge(self.total, sums)
            if self._by_time and not self._dimensions:
                _merge(self._at((), bucket), sums)

    def _portions(self, visit: Visited) -> dict[str, Sums]:
        """Return what counts of a visit by bucket: what happened where it did, the visit at its first mark."""
        found: dict[str, Sums] = defaultdict(Sums)
        for each in self._wanted.selected(visit):
            if (bucket := self.times.bucket(each)) is not None:
                sums = found[bucket]
                sums.views += each.kind == "pageview"
                sums.events += self._is_counted(each)
                sums.engaged += each.engaged_ms
        if visit.is_visit:
            for number, each in enumerate(self._wanted.marks(visit)):
                if (bucket := self.times.bucket(each)) is not None:
                    found[bucket].visitors.add((each.day, each.visitor))
                    if not number:
                        _begin(found[bucket], visit)
        return found

    def _add_rows(self, visit: Visited) -> None:
        if not self._dimensions:
            return
        if self._each:
            self._add_events(visit)
        elif self.kind == VISITS:
            self._add_whole(visit)
        else:
            self._add_parts(visit)

    def _add_whole(self, visit: Visited) -> None:
        key = self._key(visit, visit.head)
        if not all(key):
            return
        portions = self._portions(visit)
        if any(name in ENDS for name in self._dimensions):
            portions = self._ended(visit)
        for bucket, sums in portions.items():
            _merge(self._at(key, bucket), sums)

    def _ended(self, visit: Visited) -> dict[str, Sums]:
        """Return everything of the visit where it counts: its ends are its own."""
        marks = self._wanted.marks(visit)
        bucket = self.times.bucket(marks[0]) if marks and visit.is_visit else None
        if bucket is None:
            return {}
        sums = Sums(visitors={(visit.head.day, visit.head.visitor)})
        _begin(sums, visit)
        for each in self._wanted.selected(visit):
            sums.views += each.kind == "pageview"
            sums.events += self._is_counted(each)
            sums.engaged += each.engaged_ms
        return {bucket: sums}

    def _is_counted(self, each: Event) -> bool:
        """Say whether it is among the events of totals: only custom ones are where the filter names one."""
        return each.kind == "custom" if self._wanted.text.startswith("event is") else each.kind in LISTED

    def _add_parts(self, visit: Visited) -> None:
        """Add looks or actions to their rows; the visit counts for each at its first one."""
        begun: set[tuple[str, ...]] = set()
        for each in self._wanted.selected(visit):
            is_look = self.kind == LOOKS
            does = each.kind == "pageview" if is_look else each.kind in LISTED
            if not does and not (is_look and each.engaged_ms):
                continue
            key = self._key(visit, each)
            is_first = does and visit.is_visit and key not in begun
            if is_first:
                begun.add(key)
            place = self.times.bucket(each)
            if place is None or not all(key):
                continue
            sums = self._at(key, place)
            sums.visits += is_first
            sums.views += each.kind == "pageview" and is_look
            sums.engaged += each.engaged_ms if is_look else 0
            sums.events += does and not is_look
            if does and visit.is_visit:
                sums.visitors.add((each.day, each.visitor))

    def _add_events(self, visit: Visited) -> None:
        """Add events to their rows; the visit counts for each at its first event, of a visit's value at its first."""
        begun: set[tuple[str, ...]] = set()
        own = self._gaining(visit)
        if self.kind == VISITS:
            key = self._key(visit, visit.head)
            if all(key):
                for bucket, sums in self._portions(visit).items():
                    _merge(self._at(key, bucket), sums)
            return
        for each in own:
            key = self._key(visit, each)
            if not all(key):
                continue
            is_first = visit.is_visit and key not in begun
            begun.add(key)
            if (place := self.times.bucket(each)) is None:
                continue
            sums = self._at(key, place)
            sums.visits += is_first
            sums.views += each.kind == "pageview" and self.kind == LOOKS
            sums.engaged += each.engaged_ms if self.kind == LOOKS else 0
            sums.events += self.kind != LOOKS or each.kind in LISTED
            if visit.is_visit:
                sums.visitors.add((each.day, each.visitor))

    def _add_gains(self, visit: Visited) -> None:
        deepest: dict[tuple[tuple[str, ...] | None, str], int] = {}
        for each in self._gaining(visit):
            bucket = self.times.bucket(each)
            if bucket is None:
                continue
            key = self._key(visit, each)
            whole = (*key, bucket) if self._by_time else key
            rows = [None, whole] if all(key) and (self._dimensions or self._by_time) else [None]
            for row in rows:
                sums = self.total if row is None else self.rows[row]
                if each.value and each.kind != "vital":
                    sums.value += each.value
                    sums.currencies.add(each.currency)
                if each.scroll:
                    deepest[row, path(each)] = max(deepest.get((row, path(each)), 0), each.scroll)
        for (row, _), percent in deepest.items():
            (self.total if row is None else self.rows[row]).depths.append(percent)

    def _gaining(self, visit: Visited) -> list[Event]:
        """Return the events that revenue and depths are of: the filter is asked of each by itself."""
        text = self._wanted.text
        if text.startswith("page is"):
            return [each for each in visit.events if path(each) == text.split()[-1]]
        if text.startswith("event is"):
            return [each for each in visit.events if each.kind == "custom" and each.name == text.split()[-1]]
        return self._wanted.selected(visit)


def metrics_of(sums: Sums, kind: str, whole: int, *, daily: bool) -> dict[str, Number]:
    """Return every metric of a row, by the words of the documentation."""
    by_visits = sums.visits if kind in (VISITS, "") else 0
    each = sums.views if kind == LOOKS else sums.visits
    part = {VISITS: sums.visits, LOOKS: sums.views}.get(kind, sums.events)
    return {
        "visitors": sums.number_of_visitors(daily=daily),
        "visits": sums.visits,
        "views": sums.views,
        "events": sums.events,
        "bounce_rate": _ratio(sums.bounces, by_visits),
        "single_rate": _ratio(sums.singles, by_visits),
        "views_per_visit": _ratio(sums.views, by_visits),
        "engaged": round(sums.engaged / each) if each else None,
        "duration": round(sums.duration / by_visits) if by_visits else None,
        "share": _ratio(part, whole),
        "revenue": None if len(sums.currencies) > 1 else round(sums.value, 4),
        "scroll_depth": round(sum(sums.depths) / len(sums.depths), 4) if sums.depths else None,
    }


def share_of(recount: Recount, dimensions: Sequence[str]) -> int:
    """Return what shares of rows are of."""
    if recount.kind == ALL or any(name in TOLD for name in dimensions):
        return sum(sums.events for sums in recount.rows.values())
    return {VISITS: recount.total.visits, LOOKS: recount.total.views}.get(recount.kind, recount.total.events)


def change(own: Number, theirs: Number) -> dict[str, Number]:
    if own is None or theirs is None:
        return {"absolute": None, "percent": None}
    more = own - theirs
    return {"absolute": round(more, 4), "percent": round(100 * more / theirs, 2) if theirs else None}


def buckets(times: Times) -> Iterator[str]:
    """Yield every bucket of days, weeks or months, also those without numbers."""
    seen: set[str] = set()
    day = times.first
    while day <= times.last:
        label = {
            "day": day.isoformat(),
            "week": week(day, times.week_start).isoformat(),
            "month": day.isoformat()[:7],
        }[times.interval]
        if label not in seen:
            seen.add(label)
            yield label
        day += timedelta(days=1)


def _begin(sums: Sums, visit: Visited) -> None:
    sums.visits += 1
    sums.duration += visit.duration_ms
    if len(visit.views) <= 1:
        sums.singles += 1
        is_short = sum(each.engaged_ms for each in visit.events) < 10_000
        sums.bounces += is_short and not any(each.kind in LISTED for each in visit.events)


def _merge(sums: Sums, more: Sums) -> None:
    sums.visitors |= more.visitors
    for name in ("visits", "views", "events", "engaged", "duration", "bounces", "singles"):
        setattr(sums, name, getattr(sums, name) + getattr(more, name))


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _kind_of(dimensions: Sequence[str]) -> str:
    if any(name in OF_ALL for name in dimensions):
        return ALL
    if any(name in OF_ACTS for name in dimensions):
        return ACTS
    return LOOKS if any(name in OF_LOOKS for name in dimensions) else VISITS
