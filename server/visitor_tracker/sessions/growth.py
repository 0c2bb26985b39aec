"""What a visit comes to more when it has only grown: what `visits.amounts_of` would say, told from the new parts alone.

Most events that arrive are one more page of a visit that goes on, so this is what a folder does all day.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from visitor_tracker.measures import ENGAGED, EVENTS, VIEWS, VISITORS, VISITS
from visitor_tracker.sessions.session import Acted, Head, Looked, VisitorSession
from visitor_tracker.sessions.sums import Pair, Profile, Sums
from visitor_tracker.sessions.visits import ENTRY, EXIT, HOST, ONE_VISIT, PAGE, Totals, is_of_one_hour, measured

_Part = TypeVar("_Part", Looked, Acted)
Changed = list[tuple[_Part, _Part | None]]  # what a part is now, and was before
Grown = tuple[Changed[Looked], Changed[Acted]]
_Place = Looked | Acted | Head

looked_at = attrgetter("day", "hour", "host", "page")
acted_at = attrgetter("day", "hour", "dimension", "value")


def grown(old: VisitorSession, new: VisitorSession) -> Grown | None:
    """Return the parts of `new` that `old` had not or had less of; None where it is not the same visit with more."""
    if old.head is not new.head and old.head != new.head:
        return None
    looked = _more(old.looked, new.looked, looked_at)
    acted = _more(old.acted, new.acted, acted_at)
    if looked is None or acted is None:
        return None
    if any(was is not None and was.views > part.views for part, was in looked):
        return None
    if any(was is not None and was.times > part.times for part, was in acted):
        return None
    return looked, acted


def _more(
    old: tuple[_Part, ...], new: tuple[_Part, ...], place: Callable[[_Part], tuple[int, ...]]
) -> "Changed[_Part] | None":
    """Return what changed; None where something has gone."""
    if not old:
        return [(part, None) for part in new]
    # A merge keeps what it does not change, so most of them are the same objects.
    old_ids, new_ids = set(map(id, old)), set(map(id, new))
    before = {place(part): part for part in old if id(part) not in new_ids}
    changed = [(part, before.pop(place(part), None)) for part in new if id(part) not in old_ids]
    return None if before else changed


class Growth:
    """Adds to sums by hour and by day what a visit has more; it is not joined, and the visitor's only one of its days.

    `marks` are the days on which the visitor comes to count for a value, as 1, or counts for it no more, as -1;
    `profile_marks` the days on which it comes to count for all values of the visit's profile.
    """

    def __init__(self, sums: Sums, profile: Profile) -> None:
        self.marks: list[tuple[int, Pair, int]] = []
        self.profile_marks: list[int] = []
        self._sums, self._profile = sums, profile

    def add(self, old: VisitorSession, new: VisitorSession, looked: Changed[Looked], acted: Changed[Acted]) -> None:
        if is_of_one_hour(new) and not new.head.passive:
            self._add_in_one_hour(old, new, looked, acted)
            return
        before = Totals.of((old,))
        now = Totals(before.views, before.engaged_ms, before.events, new.interactions)
        self._viewed = [part for part in old.looked if part.views]
        self._acted = list(old.acted)
        for seen, was_seen in looked:
            views, engaged_ms = seen.views, seen.engaged_ms
            if was_seen is not None:
                views, engaged_ms = views - was_seen.views, engaged_ms - was_seen.engaged_ms
            now.views += views
            now.engaged_ms += engaged_ms
            self._look(seen, views, engaged_ms)
        for done, was_done in acted:
            times = done.times if was_done is None else done.times - was_done.times
            now.events += times
            self._act(done, times)
        if not new.head.passive:
            self._change_whole(old, measured(before, old.last_ts - old.first_ts), new, now)

    def _add_in_one_hour(
        self, old: VisitorSession, new: VisitorSession, looked: Changed[Looked], acted: Changed[Acted]
    ) -> None:
        """Do what `add` does for a visit of which all was and is in one hour: there its visitor counts already."""
        head, before = new.head, Totals.of((old,))
        now = Totals(before.views, before.engaged_ms, before.events, new.interactions)
        amounts = self._sums.places[head.day, head.hour]
        number = self._look_in_hour(old.looked, looked, now, amounts.pairs)
        number += self._act_in_hour(old.acted, acted, now, amounts.pairs)
        numbers_before = measured(before, old.last_ts - old.first_ts)
        once, _ = numbers = measured(now, new.last_ts - new.first_ts)
        profiles, profile = amounts.profiles, self._profile
        profiles[profile] = profiles.get(profile, 0) + number + once - numbers_before[0]
        self._change_ends(old, numbers_before, new, numbers)

    def _look_in_hour(
        self, old: tuple[Looked, ...], looked: Changed[Looked], now: Totals, pairs: dict[Pair, int]
    ) -> int:
        """Return what was seen more, and add it to its pages and hosts."""
        total = 0
        viewed: set[Pair] | None = None
        for part, was in looked:
            views, engaged_ms = part.views, part.engaged_ms
            if was is not None:
                views, engaged_ms = views - was.views, engaged_ms - was.engaged_ms
            number = engaged_ms * ENGAGED
            if views:
                now.views += views
                number += views * VIEWS
                if viewed is None:
                    viewed = _viewed_in(old)
            now.engaged_ms += engaged_ms
            total += number
            for pair in ((PAGE, part.page), (HOST, part.host)):
                if not pair[1]:
                    continue
                if viewed is None or not views or pair in viewed:
                    pairs[pair] = pairs.get(pair, 0) + number
                    continue
                viewed.add(pair)
                pairs[pair] = pairs.get(pair, 0) + number + ONE_VISIT
                self.marks.append((part.day, pair, 1))
        return total

    def _act_in_hour(self, old: tuple[Acted, ...], acted: Changed[Acted], now: Totals, pairs: dict[Pair, int]) -> int:
        """Return what was done more, and add it to what it is listed under."""
        total = 0
        for part, was in acted:
            times = part.times if was is None else part.times - was.times
            now.events += times
            number = times * EVENTS
            total += number
            pair = (part.dimension, part.value)
            if part.value and was is None:
                pairs[pair] = pairs.get(pair, 0) + number + ONE_VISIT
                self.marks.append((part.day, pair, 1))
            elif part.value:
                pairs[pair] = pairs.get(pair, 0) + number
        return total

    def _look(self, part: Looked, views: int, engaged_ms: int) -> None:
        number = views * VIEWS + engaged_ms * ENGAGED
        page, host = part.page, part.host
        if not views:
            self._add_profile(part, number, number)
            self._add((PAGE, page), part, number, number)
            self._add((HOST, host), part, number, number)
            return
        viewed = self._viewed
        self._appear(part, number)
        self._appear_as((PAGE, page), part, number, [one for one in viewed if one.page == page])
        self._appear_as((HOST, host), part, number, [one for one in viewed if one.host == host])
        viewed.append(part)

    def _act(self, part: Acted, times: int) -> None:
        if times:
            dimension, value = part.dimension, part.value
            same = [one for one in self._acted if one.value == value and one.dimension == dimension]
            self._appear(part, times * EVENTS)
            self._appear_as((dimension, value), part, times * EVENTS, same)
            self._acted.append(part)

    def _appear(self, part: Looked | Acted, number: int) -> None:
        """Count the visitor for the profile, once in the hour and once on the day."""
        in_hour, in_day = _is_in(part, self._viewed)
        if self._acted and not (in_hour and in_day):
            acted_in_hour, acted_in_day = _is_in(part, self._acted)
            in_hour, in_day = in_hour or acted_in_hour, in_day or acted_in_day
        if not in_day:
            self.profile_marks.append(part.day)
        self._add_profile(part, number if in_hour else number + VISITORS, number if in_day else number + VISITORS)

    def _appear_as(self, pair: Pair, part: Looked | Acted, number: int, same: Sequence[Looked | Acted]) -> None:
        """Count the value at its new place. `same` are the visit's other places with it: the first has the visit."""
        if not pair[1]:
            return
        first = min(same, key=_moment, default=None)
        if first is None or _moment(part) < _moment(first):
            number += VISITS
            if first is not None:
                self._add(pair, first, -VISITS, -VISITS)
        in_hour, in_day = _is_in(part, same)
        if not in_day:
            self.marks.append((part.day, pair, 1))
        self._add(pair, part, number if in_hour else number + VISITORS, number if in_day else number + VISITORS)

    def _change_whole(
        self, old: VisitorSession, numbers_before: tuple[int, int], new: VisitorSession, totals: Totals
    ) -> None:
        """Change what there is once per visit, where it began, and what all of it is to its two ends."""
        head = new.head
        once, _ = numbers = measured(totals, new.last_ts - new.first_ts)
        if once != numbers_before[0]:
            self._add_profile(head, once - numbers_before[0], once - numbers_before[0])
        self._change_ends(old, numbers_before, new, numbers)

    def _change_ends(
        self, old: VisitorSession, numbers_before: tuple[int, int], new: VisitorSession, numbers: tuple[int, int]
    ) -> None:
        head, number, less = new.head, sum(numbers), sum(numbers_before)
        for dimension, was, now in ((ENTRY, old.entry, new.entry), (EXIT, old.exit, new.exit)):
            if was is not None and now is not None and was.page == now.page:
                self._add((dimension, now.page), head, number - less, number - less)
                continue
            if was is not None:
                self._add((dimension, was.page), head, -less, -less)
                self.marks.append((head.day, (dimension, was.page), -1))
            if now is not None:
                self._add((dimension, now.page), head, number, number)
                self.marks.append((head.day, (dimension, now.page), 1))

    def _add_profile(self, place: _Place, hour: int, day: int) -> None:
        profile, sums = self._profile, self._sums
        profiles = sums.places[place.day, place.hour].profiles
        profiles[profile] = profiles.get(profile, 0) + hour
        if day != hour:
            profiles = sums.days[place.day].profiles
            profiles[profile] = profiles.get(profile, 0) + day - hour

    def _add(self, pair: Pair, place: _Place, hour: int, day: int) -> None:
        if pair[1]:
            sums = self._sums
            pairs = sums.places[place.day, place.hour].pairs
            pairs[pair] = pairs.get(pair, 0) + hour
            if day != hour:
                pairs = sums.days[place.day].pairs
                pairs[pair] = pairs.get(pair, 0) + day - hour


def _viewed_in(looked: Iterable[Looked]) -> set[Pair]:
    viewed = [part for part in looked if part.views]
    return {(PAGE, part.page) for part in viewed} | {(HOST, part.host) for part in viewed}


_moment = attrgetter("day", "hour")


def _is_in(part: Looked | Acted, others: Iterable[Looked | Acted]) -> tuple[bool, bool]:
    """Say whether one of the others is of the same hour, and whether one is of the same day."""
    hour, day = part.hour, part.day
    in_hour = in_day = False
    for other in others:
        in_hour = in_hour or other.hour == hour
        in_day = in_day or other.day == day
        if in_hour and in_day:
            break
    return in_hour, in_day
