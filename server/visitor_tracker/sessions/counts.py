"""What a transaction of the fold adds to the rollups of one site.

visitor as before ─▶ amounts ─┐
visitor as now ────▶ amounts ─┴▶ difference ─▶ sums by profile and pair ─▶ hours, days, months, marks
"""

from collections.abc import Mapping, Sequence

import msgspec

from visitor_tracker.days import month_of
from visitor_tracker.event import KINDS
from visitor_tracker.measures import ENGAGED, EVENTS, VIEWS, VISITS, Dimension, text_id
from visitor_tracker.sessions.actions import listed_under
from visitor_tracker.sessions.fact import PAGEVIEW, Fact
from visitor_tracker.sessions.going_on import GoneOn
from visitor_tracker.sessions.growth import Grown, Growth, grown
from visitor_tracker.sessions.profiles import Pairs, Profiles
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sessions.sums import Amounts, Key, Pair, Profile, Sums
from visitor_tracker.sessions.visits import Visit, add_begun, amounts_of

Mark = tuple[int, bytes, int, int]  # (month, visitor, dimension, id of a value)

_TOTAL = int(Dimension.TOTAL)
_PAGE, _HOST = int(Dimension.PAGE), int(Dimension.HOST)
_BOT, _CRAWLER = int(Dimension.BOT), int(Dimension.CRAWLER)
_KINDS = tuple((int(Dimension.KIND), text_id(kind)) for kind in KINDS)
_HALF_LANE, _LANE = VISITS >> 1, VISITS - 1


class Part(msgspec.Struct, frozen=True, gc=False):
    """One visitor's sessions in the order of time, as far as the change may touch their days.

    `before` is the last session of the visitor's previous hash where `sessions[0]` continues it, `after` the first
    session of the next hash where that continues `sessions[-1]`. Both are only looked at: what they add themselves is
    in the part of their own visitor.
    """

    visitor: bytes
    sessions: tuple[VisitorSession, ...]
    before: VisitorSession | None = None
    after: VisitorSession | None = None


class Counts:
    """Sums of changes, of one site. Numbers are packed measures; what came to nothing is left out."""

    def __init__(self, *, with_marks: bool = False) -> None:
        """`with_marks`: visitors come again under the same hash on other days, so months must know whom they saw."""
        self.marks: dict[Mark, int] = {}  # change of the number of days on which the visitor counts for the value
        self._with_marks = with_marks
        self.sums = Sums()
        self._pairs: dict[Profile, Pairs] = {}

    def change(self, before: Part | None, after: Part | None, profiles: Profiles) -> None:
        """Add what a visitor's sessions come to now less what they came to before.

        Where a visit is joined of two hashes, both visitors' parts have to be changed.
        """
        part = after or before
        if part is None:
            return
        was, now = _only_one(before), _only_one(after)
        if was is not None and now is not None and (was == now or self._grow(part.visitor, was, now, profiles)):
            return
        old, new = _changed(_visits(before), _visits(after))
        is_one = len(old) == len(new) == 1 and not (_is_joined(old[0]) or _is_joined(new[0]))
        if is_one and self._grow(part.visitor, old[0].own, new[0].own, profiles):
            return
        for visit in (*old, *new):
            self._know(visit.head.source, visit.head.context, profiles)
        old_hours, old_days = amounts_of(old, self._pairs.__getitem__)
        new_hours, new_days = amounts_of(new, self._pairs.__getitem__)
        self._add(new_hours, new_days, 1)
        self._add(old_hours, old_days, -1)
        if self._with_marks:
            self._mark(part.visitor, old_days, new_days)

    def begin(self, visitor: bytes, now: VisitorSession, profiles: Profiles) -> None:
        """Add the only session of a visitor of whom there was nothing."""
        profile = self._know(now.head.source, now.head.context, profiles)
        if self._with_marks or not add_begun(now, profile, self.sums):
            self.change(None, Part(visitor, (now,)), profiles)

    def go_on(self, visitor: bytes, was: VisitorSession, now: GoneOn, profiles: Profiles) -> None:
        """Add what a visit has more; it is not joined, and the visitor's only one of its days."""
        self._add_growth(visitor, was, now.session, (now.looked, now.acted), profiles)

    def alone(self, fact: Fact, profiles: Profiles) -> None:
        """Count a human's event of which nobody knows the visitor: it is part of no visit."""
        listed = listed_under(fact)
        number = fact.engaged_ms * ENGAGED
        if fact.kind == PAGEVIEW:
            number += VIEWS
        if number:
            self._add_pairs(fact, [pair for pair in ((_PAGE, fact.page), (_HOST, fact.host)) if pair[1]], number)
        if listed is not None:
            number += EVENTS
            self._add_pairs(fact, [listed] if listed[1] else [], EVENTS)
        if number:
            profile = self._know(fact.source, fact.context, profiles)
            found = self.sums.places[fact.day, fact.hour].profiles
            found[profile] = found.get(profile, 0) + number

    def kind(self, fact: Fact) -> None:
        """Count any event that is no robot's."""
        found = self.sums.places[fact.day, fact.hour].pairs
        kind = _KINDS[fact.kind]
        found[kind] = found.get(kind, 0) + EVENTS

    def robot(self, fact: Fact, reasons: Sequence[int], crawler: int) -> None:
        """Count a robot's event; `reasons` and `crawler` are ids of texts, 0 where it has no name."""
        pairs = [(_BOT, reason) for reason in reasons]
        self._add_pairs(fact, [*pairs, (_CRAWLER, crawler)] if crawler else pairs, EVENTS)

    @property
    def hours(self) -> dict[Key, int]:
        """Put together on each reading."""
        return self.sums.by_hour(self._pairs.__getitem__)

    @property
    def days(self) -> dict[Key, int]:
        """Put together on each reading."""
        return self.sums.by_day(self._pairs.__getitem__)

    def months(self, daily: bool) -> dict[Key, int]:
        """Return the days' sums; visitors are among them only where those of different days are different ones."""
        return months_of(self.days, daily)

    def add(self, sums: Sums, profiles: Profiles) -> None:
        """Add what other transactions came to; `profiles` must know what it names."""
        for source, context in sums.profiles():
            self._know(source, context, profiles)
        self.sums.add(sums)

    def _know(self, source: int, context: int, profiles: Profiles) -> Profile:
        profile = (source, context)
        if profile not in self._pairs:
            self._pairs[profile] = profiles.pairs(source, context)
        return profile

    def _add_pairs(self, fact: Fact, pairs: Sequence[Pair], number: int) -> None:
        found = self.sums.places[fact.day, fact.hour].pairs
        for pair in pairs:
            found[pair] = found.get(pair, 0) + number

    def _add(self, hours: Mapping[int, Amounts], days: Mapping[int, Amounts], sign: int) -> None:
        sums = self.sums
        if len(hours) == len(days) == 1:
            [(hour, amounts)], [(day, same)] = hours.items(), days.items()
            if amounts is same:
                sums.places[day, hour].add(amounts, sign)
                return
        for hour, amounts in hours.items():
            sums.hours[hour].add(amounts, sign)
        for day, amounts in days.items():
            sums.days[day].add(amounts, sign)

    def _mark(self, visitor: bytes, old: Mapping[int, Amounts], new: Mapping[int, Amounts]) -> None:
        for day in old.keys() | new.keys():
            was, now = _counted(old.get(day)), _counted(new.get(day))
            if was == now:
                continue
            was_for, now_for = self._values(was), self._values(now)
            month = month_of(day)
            for change, pairs in ((1, now_for - was_for), (-1, was_for - now_for)):
                for dimension, value in pairs:
                    self._add_mark((month, visitor, dimension, value), change)

    def _grow(self, visitor: bytes, was: VisitorSession, now: VisitorSession, profiles: Profiles) -> bool:
        """Add what the one visit that changed has grown by; False: there is more to it."""
        changed = grown(was, now)
        if changed is not None:
            self._add_growth(visitor, was, now, changed, profiles)
        return changed is not None

    def _add_growth(
        self, visitor: bytes, was: VisitorSession, now: VisitorSession, changed: Grown, profiles: Profiles
    ) -> None:
        profile = self._know(now.head.source, now.head.context, profiles)
        growth = Growth(self.sums, profile)
        growth.add(was, now, *changed)
        if self._with_marks:
            marks = growth.marks
            for day in growth.profile_marks:
                marks += [(day, pair, 1) for pair in self._pairs[profile]]
            for day, (dimension, value), change in marks:
                if value or dimension == _TOTAL:
                    self._add_mark((month_of(day), visitor, dimension, value), change)

    def _values(self, counted: tuple[set[Pair], set[Profile]]) -> set[Pair]:
        pairs, profiles = counted
        return pairs.union(*(self._pairs[profile] for profile in profiles))

    def _add_mark(self, mark: Mark, change: int) -> None:
        days = self.marks.pop(mark, 0) + change
        if days:
            self.marks[mark] = days


def months_of(days: Mapping[Key, int], daily: bool) -> dict[Key, int]:
    """Return the sums of days; visitors are among them only where those of different days are different ones."""
    months: dict[Key, int] = {}
    for (dimension, value, day), number in days.items():
        key = (dimension, value, month_of(day))
        months[key] = months.get(key, 0) + (number if daily else number - _visitors(number))
    return {key: number for key, number in months.items() if number}


def _visitors(number: int) -> int:
    """Return the first of packed measures, which may be less than nothing."""
    return ((number + _HALF_LANE) & _LANE) - _HALF_LANE


def _only_one(part: Part | None) -> VisitorSession | None:
    """Return a visitor's session that is the only one and a visit by itself."""
    if part is None or len(part.sessions) != 1 or part.before is not None or part.after is not None:
        return None
    return part.sessions[0]


def _is_joined(visit: Visit) -> bool:
    return visit.earlier is not None or visit.later is not None


def _visits(part: Part | None) -> list[Visit]:
    if part is None:
        return []
    visits = [Visit(session) for session in part.sessions]
    if visits and part.before is not None:
        visits[0] = Visit(visits[0].own, part.before, visits[0].later)
    if visits and part.after is not None:
        visits[-1] = Visit(visits[-1].own, visits[-1].earlier, part.after)
    return visits


def _changed(old: list[Visit], new: list[Visit]) -> tuple[list[Visit], list[Visit]]:
    """Leave out what is the same in both, unless it is of a day that something else changes.

    There it says whether the visitor is counted anyway.
    """
    if not old or not new or (len(old) == len(new) == 1 and old != new):
        return old, new
    before = {visit.own.first_ts: visit for visit in old}
    same = {visit.own.first_ts for visit in new if before.get(visit.own.first_ts) == visit}
    changed = [visit.own for visit in (*old, *new) if visit.own.first_ts not in same]
    if not same or not changed:
        return ([], []) if not changed else (old, new)
    first, last = min(own.first_day for own in changed), max(own.last_day for own in changed)

    def matters(visit: Visit) -> bool:
        own = visit.own
        return own.first_ts not in same or (own.first_day <= last and own.last_day >= first)

    return [visit for visit in old if matters(visit)], [visit for visit in new if matters(visit)]


def _counted(amounts: Amounts | None) -> tuple[set[Pair], set[Profile]]:
    """Return for what the visitor counts on a day."""
    if amounts is None:
        return set(), set()
    return (
        {pair for pair, number in amounts.pairs.items() if number & _LANE},
        {profile for profile, number in amounts.profiles.items() if number & _LANE},
    )
