"""What the visits of one visitor come to in each hour and on each day.

A visit is a session, or two: where a visitor's hash changed with the key, the session of the new hash may go on with
the one of the old. Then each hash has its own views, events, engaged time and visitors, all of them listed under the
head of the whole; what there is once per visit stands where that head is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.measures import (
    BOUNCES,
    DURATION,
    ENGAGED,
    EVENTS,
    SINGLES,
    VIEWS,
    VISITORS,
    VISITS,
    Dimension,
)
from visitor_tracker.sessions.profiles import Pairs
from visitor_tracker.sessions.session import ENGAGED_MS, Head, Looked, VisitorSession
from visitor_tracker.sessions.sums import Amounts, Pair, Place, Profile, Sums, expand

# Plain numbers, because they go into the database, and because an Enum's member takes longer.
PAGE, HOST = int(Dimension.PAGE), int(Dimension.HOST)
ENTRY, EXIT = int(Dimension.ENTRY), int(Dimension.EXIT)
_VISITORS_LANE = VISITS - 1
ONE_VISIT = VISITORS + VISITS


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A session of the visitor, and the one of the visitor's other hash that it is one visit with."""

    own: VisitorSession
    earlier: VisitorSession | None = None
    later: VisitorSession | None = None

    @property
    def whole(self) -> tuple[VisitorSession, ...]:
        return tuple(session for session in (self.earlier, self.own, self.later) if session is not None)

    @property
    def head(self) -> Head:
        if self.earlier is None and self.later is None:
            return self.own.head
        return min(session.head for session in self.whole)


_Places = defaultdict[Place, Amounts]


def amounts_of(
    visits: Iterable[Visit], pairs_of: Callable[[Profile], Pairs]
) -> tuple[dict[int, Amounts], dict[int, Amounts]]:
    """Return what one visitor's visits come to by hour and by day. In each a visitor counts once for each value.

    Where there is one hour only, both have the same object.
    """
    places: _Places = defaultdict(Amounts)
    for visit in visits:
        _add_visit(visit, places)
    if len(places) == 1:
        (day, hour), amounts = places.popitem()
        _count_once(amounts, pairs_of)
        return {hour: amounts}, {day: amounts}
    hours: dict[int, Amounts] = {}
    days: dict[int, Amounts] = {}
    for (day, hour), amounts in places.items():
        days.setdefault(day, Amounts()).add(amounts)
        # An hour is of one day, unless the site's time zone was set anew.
        if hours.setdefault(hour, amounts) is not amounts:
            hours[hour].add(amounts)
    for amounts in (*hours.values(), *days.values()):
        _count_once(amounts, pairs_of)
    return hours, days


def add_begun(own: VisitorSession, profile: Profile, sums: Sums) -> bool:
    """Add what `amounts_of` says of a visitor's only session, if that is a visit of one hour; False: it is not."""
    head = own.head
    if head.passive or not is_of_one_hour(own):
        return False
    once, whole = measured(Totals.of((own,)), own.last_ts - own.first_ts)
    whole += once
    amounts = sums.places[head.day, head.hour]
    amounts.profiles[profile] = amounts.profiles.get(profile, 0) + whole
    pairs = amounts.pairs
    _begin_looked(own.looked, pairs)
    for part in own.acted:
        if part.value:
            pair = (part.dimension, part.value)
            pairs[pair] = pairs.get(pair, 0) + part.times * EVENTS + ONE_VISIT
    if own.entry is not None and own.exit is not None:
        for pair in ((ENTRY, own.entry.page), (EXIT, own.exit.page)):
            if pair[1]:
                pairs[pair] = pairs.get(pair, 0) + whole
    return True


def is_of_one_hour(own: VisitorSession) -> bool:
    hour, looked, acted = own.head.hour, own.looked, own.acted
    return (
        own.first_day == own.last_day
        and (not looked or looked[0].hour == looked[-1].hour == hour)
        and (not acted or acted[0].hour == acted[-1].hour == hour)
    )


def _begin_looked(looked: tuple[Looked, ...], pairs: dict[Pair, int]) -> None:
    """Add what was seen in the visit's one hour: at the first view of each page and host there is the visit."""
    viewed: set[Pair] = set()
    for part in looked:
        number = part.engaged_ms * ENGAGED
        if part.views:
            number += part.views * VIEWS
        for pair in ((PAGE, part.page), (HOST, part.host)):
            if not pair[1]:
                continue
            if part.views and pair not in viewed:
                viewed.add(pair)
                pairs[pair] = pairs.get(pair, 0) + number + ONE_VISIT
            else:
                pairs[pair] = pairs.get(pair, 0) + number


def _count_once(amounts: Amounts, pairs_of: Callable[[Profile], Pairs]) -> None:
    """Make one visitor of many in each place: so far every visit, and every hour of a day, has brought its own."""
    if len(amounts.profiles) > 1:
        expand(amounts, pairs_of)
    for profile, number in amounts.profiles.items():
        if (visitors := number & _VISITORS_LANE) > 1:
            amounts.profiles[profile] = number - visitors + 1
    for pair, number in amounts.pairs.items():
        if (visitors := number & _VISITORS_LANE) > 1:
            amounts.pairs[pair] = number - visitors + 1


def _add_visit(visit: Visit, places: _Places) -> None:
    own, head = visit.own, visit.head
    profile = (head.source, head.context)
    before = _done_in(visit.earlier)
    _add_looked(own, profile, before, places)
    if own.acted:
        _add_acted(own, profile, before, places)
    if head is own.head and not head.passive:
        _add_whole(visit.whole, head, profile, places)


def _done_in(session: VisitorSession | None) -> set[Pair]:
    """Return what the visit was already counted for, under the visitor's other hash."""
    if session is None:
        return set()
    viewed = [part for part in session.looked if part.views]
    return {
        *((PAGE, part.page) for part in viewed),
        *((HOST, part.host) for part in viewed),
        *((part.dimension, part.value) for part in session.acted),
    }


def _add_looked(own: VisitorSession, profile: Profile, before: set[Pair], places: _Places) -> None:
    for part in own.looked:
        amounts = places[part.day, part.hour]
        number = first = part.engaged_ms * ENGAGED
        if part.views:
            number += part.views * VIEWS + VISITORS
            first = number + VISITS
        amounts.profiles[profile] = amounts.profiles.get(profile, 0) + number
        pairs = amounts.pairs
        for pair in ((PAGE, part.page), (HOST, part.host)):
            if not pair[1]:
                continue
            if part.views and pair not in before:
                before.add(pair)
                pairs[pair] = pairs.get(pair, 0) + first
            else:
                pairs[pair] = pairs.get(pair, 0) + number


def _add_acted(own: VisitorSession, profile: Profile, before: set[Pair], places: _Places) -> None:
    for part in own.acted:
        amounts = places[part.day, part.hour]
        number = part.times * EVENTS + VISITORS
        amounts.profiles[profile] = amounts.profiles.get(profile, 0) + number
        pair = (part.dimension, part.value)
        if not part.value:
            continue
        if pair not in before:
            before.add(pair)
            number += VISITS
        amounts.pairs[pair] = amounts.pairs.get(pair, 0) + number


def _add_whole(whole: tuple[VisitorSession, ...], head: Head, profile: Profile, places: _Places) -> None:
    """Add what there is once per visit, where it began, and the visit to its two ends."""
    once, sums = measured(Totals.of(whole), whole[-1].last_ts - whole[0].first_ts)
    amounts = places[head.day, head.hour]
    amounts.profiles[profile] = amounts.profiles.get(profile, 0) + once
    entry = next((session.entry for session in whole if session.entry is not None), None)
    exit_ = next((session.exit for session in reversed(whole) if session.exit is not None), None)
    if entry is None or exit_ is None:
        return
    for pair in ((ENTRY, entry.page), (EXIT, exit_.page)):
        if pair[1]:
            amounts.pairs[pair] = amounts.pairs.get(pair, 0) + once + sums


class Totals:
    """What happened in a visit."""

    __slots__ = ("engaged_ms", "events", "interactions", "views")

    def __init__(self, views: int, engaged_ms: int, events: int, interactions: int) -> None:
        self.views = views
        self.engaged_ms = engaged_ms
        self.events = events
        self.interactions = interactions

    @classmethod
    def of(cls, whole: tuple[VisitorSession, ...]) -> "Totals":
        views = engaged_ms = events = interactions = 0
        for session in whole:
            for seen in session.looked:
                views += seen.views
                engaged_ms += seen.engaged_ms
            for done in session.acted:
                events += done.times
            interactions += session.interactions
        return cls(views, engaged_ms, events, interactions)


def measured(totals: Totals, duration_ms: int) -> tuple[int, int]:
    """Return what there is once per visit, and the sums of what happened in it."""
    once = VISITS + duration_ms * DURATION
    if totals.views <= 1:
        once += SINGLES
        if not totals.interactions and totals.engaged_ms < ENGAGED_MS:
            once += BOUNCES
    return once, VISITORS + totals.views * VIEWS + totals.engaged_ms * ENGAGED + totals.events * EVENTS
