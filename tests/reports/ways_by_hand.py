"""What goals, funnels, journeys and the like come to, counted one by one; and random events to count.

Shares no code with the reports: visits are those of `counted_by_hand`, and ways along steps are tried one by one.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import combinations, pairwise
from statistics import median
from typing import Any

from hypothesis import strategies as st

from tests.reports.counted_by_hand import LISTED, Visited, path, visited
from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, NEWS, event, who
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, day_after, day_of
from visitor_tracker.event import Event, Kind, Source
from visitor_tracker.sites import Site
from visitor_tracker.store.insight import Funnel, Goal, Step

ZONE = "Europe/Berlin"
FIRST, LAST = 20261024, 20261026  # summer time ends in between
START = bounds(ZONE, FIRST)[0]
END = bounds(ZONE, LAST)[1]
KINDS: tuple[Kind, ...] = ("pageview", "custom", "click", "engagement", "vital")
ACTIONS = ("pageview", *LISTED)

_CHOICES: tuple[Sequence[Any], ...] = (
    [0, 0, 0, 1, 2],  # who
    [0, 1, 2, 2, 9, 29, 30, 31, 100, 700],  # minutes since what somebody did before
    ["pageview", "pageview", "pageview", "custom", "custom", *KINDS[2:]],
    ["/", "/a", "/b", "/a/x"],
    ["a.test", "a.test", "b.test"],
    ["signup", "buy"],
    ["pro", "free", ""],
    [0.0, 9.5, 0.1, 0.2, -3.0],  # value
    ["EUR", "USD", ""],
    [0, 40, 90],  # scroll
    [0, 4_000, 8_000],  # engaged
    [GOOGLE, NEWS, Source(), INSIDE],
    [GERMANY, FRANCE],
    [0, 0, 0, 0, 0, 0, 4, 1],  # signals: 1 makes a robot
    [True, True, True, True, False],  # somebody knows who it was
)
Moves = tuple[int, list[tuple[Any, ...]]]
_BEGIN = [-400, -40, -5, 1_380, 1_435, 2_000, 4_250, 4_370]  # minutes after the first day began


def moves_of(seed: int) -> Moves:
    """Return what a few people do."""
    chance = random.Random(seed)
    number = chance.randrange(8, 30)
    return chance.choice(_BEGIN), [tuple(map(chance.choice, _CHOICES)) for _ in range(number)]


# Lists that hypothesis makes shrink well but are mostly short and dull; those of a seed are not.
MOVES: st.SearchStrategy[Moves] = st.one_of(
    *(3 * [st.integers(0, 1 << 32).map(moves_of)]),
    st.tuples(st.sampled_from(_BEGIN), st.lists(st.tuples(*map(st.sampled_from, _CHOICES)), max_size=12)),
)


def events_of(site: Site, moves: Moves, *, daily: bool = True) -> list[Event]:
    """Return events of a few people; the first one so many minutes after the first day began."""
    begin, each_move = moves
    now = START + begin * MINUTE
    found = []
    for (
        person,
        minutes,
        kind,
        page,
        host,
        name,
        plan,
        value,
        currency,
        scroll,
        engaged,
        source,
        place,
        *last,
    ) in each_move:
        signals, is_known = last
        now += minutes * MINUTE
        day = day_of(ZONE, now)
        is_early = daily and now - bounds(ZONE, day)[0] < 30 * MINUTE
        is_money = kind == "custom"
        found.append(
            event(
                site,
                now,
                (f"{person}@{day}" if daily else str(person)) if is_known else "",
                page,
                kind,
                host=host,
                previous=who(f"{person}@{day_after(day, -1)}") if is_early and is_known else b"",
                source=source,
                place=place,
                name="" if kind == "pageview" else name,
                properties={"plan": plan} if plan else {},
                value=value if is_money else 0.0,
                currency=currency if is_money and value else "",
                scroll=scroll,
                engaged_ms=engaged,
                signals=signals,
            )
        )
    return list({each.id: each for each in found}.values())


def in_span(each: Event) -> bool:
    return FIRST <= each.day <= LAST


Chosen = Callable[[Visited], bool]
CHOSEN: dict[str, Chosen] = {
    "": lambda visit: True,
    "country is DE": lambda visit: visit.head.place.country == "DE",
    "entry is /a or source is Google": lambda visit: visit.entry == "/a" or (visit.head.source == GOOGLE),
    "prop:plan is pro": lambda visit: any(
        in_span(each) and each.properties.get("plan") == "pro" for each in visit.events
    ),
}


def is_page(pattern: str, each: Event) -> bool:
    if pattern.startswith(("/", "*")):
        return fnmatchcase(path(each), pattern)
    return fnmatchcase(each.url.removeprefix("https://"), pattern.removeprefix("https://"))


# Goals.


@dataclass(frozen=True)
class Hit:
    day: int
    visitor: bytes
    value: float = 0.0
    currency: str = ""


def hits(goal: Goal, visit: Visited) -> list[Hit]:
    """Return what reached the goal in a visit, at any time."""
    if goal.kind == "engaged":
        return list(_engaged(goal, visit))
    found, pages = [], set()
    for each in visit.events if is_counted(visit) else ():
        if not _is_hit(goal, each):
            continue
        if goal.kind == "scroll":
            if each.url in pages:
                continue
            pages.add(each.url)
        found.append(Hit(each.day, each.visitor, each.value if goal.kind == "revenue" else 0.0, each.currency))
    return found


def is_counted(visit: Visited) -> bool:
    return visit.is_visit or not visit.events[0].visitor


def _is_hit(goal: Goal, each: Event) -> bool:
    if goal.page and not is_page(goal.page, each):
        return False
    if goal.where and each.properties.get("plan") != "pro":  # the only condition that these tests have
        return False
    if goal.kind == "page":
        return each.kind == "pageview"
    if goal.kind == "scroll":
        return each.scroll >= goal.percent
    return each.kind == "custom" and each.name == goal.event


def _engaged(goal: Goal, visit: Visited) -> Iterator[Hit]:
    """Time is known by the hour: the goal is reached in the first one by whose end there is enough."""
    keys = {each.url if goal.page else "" for each in visit.events} if is_counted(visit) else set()
    for key in sorted(keys):
        own = [
            each
            for each in visit.events
            if (not goal.page or each.url == key) and (not goal.page or is_page(goal.page, each))
        ]
        for hour in sorted({each.ts // HOUR_MS for each in own}):
            if sum(each.engaged_ms for each in own if each.ts // HOUR_MS <= hour) >= goal.engaged_ms:
                last = next(each for each in reversed(own) if each.ts // HOUR_MS == hour)
                yield Hit(last.day, last.visitor)
                break


def goal_numbers(
    events: Iterable[Event], goal: Goal, chosen: Chosen, *, value: Callable[[Visited], str] | None = None, of: str = ""
) -> dict[str, Any]:
    """Return conversions, visitors, visits, and revenue as (currency, sum, events); and visitors and visits in all."""
    visits = [visit for visit in visited(events) if chosen(visit) and (value is None or value(visit) == of)]
    base = {each.visitor for visit in visits if visit.is_visit for each in visit.acts if in_span(each)}
    conversions, visitors, with_hits = 0, set(), 0
    revenue: defaultdict[str, list[Fraction]] = defaultdict(list)
    for visit in visits:
        own = [each for each in hits(goal, visit) if FIRST <= each.day <= LAST]
        conversions += len(own)
        for each in own:
            if each.value:
                revenue[each.currency].append(Fraction(str(each.value)))
        if visit.is_visit and own:
            with_hits += 1
            visitors |= {each.visitor for each in own}
    return {
        "conversions": conversions,
        "visitors": len(visitors & base),
        "visits": with_hits,
        "revenue": [(currency, float(sum(own)), len(own)) for currency, own in sorted(revenue.items())],
        "base": (len(base), sum(visit.is_visit and in_span(visit.head) for visit in visits)),
    }


# Funnels.


def makes(step: Step, each: Event) -> bool:
    if step.page:
        return each.kind == "pageview" and is_page(step.page, each)
    if step.event:
        return each.kind == "custom" and each.name == step.event
    return each.kind == "custom" and each.properties.get("plan") == "pro"  # the only filter that these tests have


def kinds_of(funnel: Funnel) -> set[str]:
    found: set[str] = set()
    for step in funnel.steps:
        found |= {"pageview"} if step.page else {"custom"} if step.event else set(ACTIONS)
    return found


def best_way(own: Sequence[Event], funnel: Funnel) -> list[Event]:
    """Try all ways along the steps: the longest, of these the first that is there, of these the one begun last."""
    window = DAY_MS * (funnel.days or 0) or MINUTE * (funnel.minutes or 0) or None
    kinds = kinds_of(funnel)
    seen = [each for each in own if each.kind in kinds]
    for length in range(len(funnel.steps), 0, -1):
        ways = [
            places
            for places in combinations(range(len(seen)), length)
            if all(makes(step, seen[place]) for step, place in zip(funnel.steps, places, strict=False))
            and (window is None or seen[places[-1]].ts - seen[places[0]].ts <= window)
            and (funnel.order == "loose" or _is_strict(seen, places, funnel))
        ]
        if ways:
            best = min(ways, key=lambda way: (way[-1], -seen[way[0]].ts, [seen[place].ts for place in way]))
            return [seen[place] for place in best]
    return []


def _is_strict(seen: Sequence[Event], places: Sequence[int], funnel: Funnel) -> bool:
    return all(
        makes(funnel.steps[number], between)
        for number, (one, other) in enumerate(pairwise(places))
        for between in seen[one + 1 : other]
    )


def funnel_numbers(events: Iterable[Event], funnel: Funnel, chosen: Chosen) -> list[tuple[int, int, float | None]]:
    """Return for each step how many made it, their visitors, and the median seconds since the step before."""
    visits = [visit for visit in visited(events) if visit.is_visit and chosen(visit)]
    if funnel.days is None:
        own = [
            [each for each in visit.events if START <= each.ts < END + DAY_MS]
            for visit in visits
            if START <= visit.head.ts < END
        ]
    else:
        by_visitor: defaultdict[bytes, list[Event]] = defaultdict(list)
        for visit in visits:
            for each in visit.events:
                if in_span(each):
                    by_visitor[each.visitor].append(each)
        own = [sorted(each, key=lambda one: (one.ts, one.id)) for each in by_visitor.values()]
    ways = [best_way(each, funnel) for each in own]
    found: list[tuple[int, int, float | None]] = []
    for number in range(len(funnel.steps)):
        there = [way for way in ways if len(way) > number]
        gaps = [way[number].ts - way[number - 1].ts for way in there] if number else []
        middle = round(median(gaps) / 1000, 3) if gaps else None
        found.append((len(there), len({way[number].visitor for way in there}), middle))
    return found


# Journeys.


def journey_links(
    events: Iterable[Event], chosen: Chosen, start: str, direction: str, steps: int
) -> Counter[tuple[int, str, str]]:
    found: Counter[tuple[int, str, str]] = Counter()
    for visit in visited(events):
        if not (visit.is_visit and chosen(visit) and START <= visit.head.ts < END):
            continue
        views = [each for each in visit.views if each.ts < END + DAY_MS]
        pages: list[tuple[str, bool]] = []
        for each in views:
            fits = bool(start) and is_page(start, each)
            if pages and pages[-1][0] == path(each):
                pages[-1] = (path(each), fits or pages[-1][1])
            else:
                pages.append((path(each), fits))
        if direction == "previous":
            at = next((place for place, (_, fits) in enumerate(pages) if fits), None) if start else len(pages) - 1
            way = [] if at is None else [page for page, _ in pages[: at + 1]][::-1]
        else:
            at = next((place for place, (_, fits) in enumerate(pages) if fits), None) if start else 0
            way = [] if at is None else [page for page, _ in pages[at:]]
        if way:
            whole = [*way, "(exit)" if direction == "next" else "(entry)"]
            for step in range(1, min(steps, len(whole) - 1) + 1):
                found[step, whole[step - 1], whole[step]] += 1
    return found


# Attribution.


def attributed(
    events: Iterable[Event], goal: Goal, model: str, value: Callable[[Visited], str], lookback_days: int
) -> Counter[str]:
    visits = visited(events)
    found: Counter[str] = Counter()
    for visit in visits:
        for hit in hits(goal, visit):
            if not FIRST <= hit.day <= LAST:
                continue
            found[value(_credited(visits, visit, hit, model, lookback_days * DAY_MS))] += 1
    return found


def _credited(visits: Sequence[Visited], own: Visited, hit: Hit, model: str, lookback_ms: int) -> Visited:
    if not own.is_visit:
        return own
    known = sorted(
        (
            each
            for each in visits
            if each.is_visit
            and any(one.visitor == hit.visitor for one in each.events)
            and own.head.ts - lookback_ms <= each.head.ts <= own.head.ts
        ),
        key=lambda each: (each.head.ts, each.head.id),
    )
    if model == "first":
        return known[0]
    return next((each for each in reversed(known) if channel(each) != "direct"), known[-1])


def channel(visit: Visited) -> str:
    return "direct" if visit.head.source.channel == "internal" else visit.head.source.channel


# Retention.


def cohorts(events: Iterable[Event], parts: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return for each part of the span how many of who first came in it came in it and in each later one."""
    days: defaultdict[bytes, set[int]] = defaultdict(set)
    for each in events:
        if each.visitor and each.kind in ACTIONS and not each.signals & ~4:
            days[each.visitor].add(each.day)
    found = []
    for place, (first, last) in enumerate(parts):
        mine = [own for own in days.values() if first <= min(own) <= last]
        found.append([sum(any(one <= day <= other for day in own) for own in mine) for one, other in parts[place:]])
    return found
