"""When visits reached goals.

visits of the span ─▶ chosen by the filter ─▶ page, event, engaged: visits tell it ─┐
raw events ─▶ moments ──────────────────────▶ all other goals ──────────────────────┴▶ Reached
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from visitor_tracker.measures import Dimension, text_id
from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.filters import All, Condition, Filter, Glob
from visitor_tracker.reports.matching import EVENTS_MOST
from visitor_tracker.reports.moments import Moment, Moments
from visitor_tracker.reports.patterns import goal_filter, in_visits, pages
from visitor_tracker.reports.plans import Test
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.scan import SESSIONS_MOST, Scan, learn
from visitor_tracker.reports.selection import Whole
from visitor_tracker.sessions.profiles import TEXT_MOST
from visitor_tracker.sessions.session import Looked
from visitor_tracker.store.insight import Goal
from visitor_tracker.store.reports import ReportTable

_PAGE, _EVENT = int(Dimension.PAGE), int(Dimension.EVENT)


class Reached(msgspec.Struct, frozen=True, gc=False):
    """A goal was reached so many times in an hour; `visitor` is None where that is part of no visit."""

    day: int
    hour: int
    visitor: bytes | None
    times: int = 1
    value: float = 0.0
    currency: str = ""


Reaches = Callable[[Whole], Iterator[Reached]]
Take = Callable[[Whole, Sequence[Sequence[Reached]]], None]


class InVisits:
    """How visits reach a goal; belongs to one pass, and `learn` comes before `of` for each chunk."""

    def __init__(self, goal: Goal) -> None:
        """The goal is one of which `patterns.in_visits` is true."""
        self._tests = [Test(each, is_not=False) for each in _conditions(pages(goal.page))] if goal.page else []
        self._event = text_id(goal.event[:TEXT_MOST])
        self._engaged_ms = goal.engaged_ms
        self._by_page = bool(goal.page)
        self.of: Reaches = {"page": self._views, "event": self._events}.get(goal.kind, self._engaged)

    def learn(self, table: ReportTable, site_id: int, chunk: Sequence[Whole]) -> None:
        learn(table, site_id, self._tests, chunk)

    def _is_there(self, look: Looked) -> bool:
        return all(test.holds(look.page if test.dimension == _PAGE else look.host) for test in self._tests)

    def _views(self, whole: Whole) -> Iterator[Reached]:
        for visitor, own in whole.sessions:
            for look in own.looked:
                if look.views and self._is_there(look):
                    yield Reached(look.day, look.hour, visitor_in(whole, visitor), look.views)

    def _events(self, whole: Whole) -> Iterator[Reached]:
        for visitor, own in whole.sessions:
            for act in own.acted:
                if act.dimension == _EVENT and act.value == self._event:
                    yield Reached(act.day, act.hour, visitor_in(whole, visitor), act.times)

    def _engaged(self, whole: Whole) -> Iterator[Reached]:
        """Add up the time of each page, or of all; the goal is reached in the hour in which there is enough of it."""
        sums: dict[tuple[int, int], int] = {}
        for visitor, own in whole.sessions:
            for look in sorted(own.looked, key=_moment):
                if not self._is_there(look):
                    continue
                page = (look.host, look.page) if self._by_page else (0, 0)
                before = sums.get(page, 0)
                sums[page] = before + look.engaged_ms
                if before < self._engaged_ms <= sums[page]:
                    yield Reached(look.day, look.hour, visitor_in(whole, visitor))


class Reaching:
    """Finds what reaches goals: one pass over the visits of a question, and where it must be over its events."""

    def __init__(
        self,
        table: ReportTable,
        question: Question,
        goals: Sequence[Goal],
        *,
        most: tuple[int, int] = (SESSIONS_MOST, EVENTS_MOST),
    ) -> None:
        """`most` are the visits and the events that may be read. Raises QueryError."""
        self._table = table
        self._site_id = question.site.id
        self._chosen = Chosen(table, question)
        self._own = [InVisits(goal) if in_visits(goal) else None for goal in goals]
        told = [goal for goal in goals if not in_visits(goal)]
        self._bits = {place: told.index(goal) for place, goal in enumerate(goals) if goal in told}
        self._once_a_page = frozenset(place for place, goal in enumerate(goals) if goal.kind == "scroll")
        self._of_money = frozenset(place for place, goal in enumerate(goals) if goal.kind == "revenue")
        self._scan = Scan(table, question, most=most[0])
        self._moments = Moments(table, question, [goal_filter(goal) for goal in told], most=most[1]) if told else None

    def run(self, take: Take) -> None:
        """Hand over every chosen visit, and what belongs to none, with what reached each of the goals.

        What somebody did without any action is of no visit, and reaches nothing. What nobody is known to have done may
        come twice: for goals that visits tell and for those that events do. Raises QueryError.
        """
        moments = self._moments
        if moments is not None:
            moments.read(lambda found: self._take_alone(moments, found, take))
        early: list[Whole] = []
        for chunk in self._scan.chunks():
            chosen = self._chosen.of([whole for whole in chunk if _counts(whole)])
            if moments is not None and self._once_a_page:
                early += [whole for whole in chosen if moments.is_early(whole)]
                chosen = [whole for whole in chosen if not moments.is_early(whole)]
            self._take(chosen, take)
        if moments is not None and early:
            moments.read_early(early)
            self._take(early, take)

    def _take(self, chosen: Sequence[Whole], take: Take) -> None:
        moments = self._moments
        for own in self._own:
            if own is not None:
                own.learn(self._table, self._site_id, chosen)
        if moments is not None:
            moments.learn(chosen)
        for whole in chosen:
            told = [] if moments is None else [(each, moments.which(whole, each)) for each in moments.of(whole)]
            take(whole, [self._of(place, whole, told) for place in range(len(self._own))])

    def _take_alone(
        self,
        moments: Moments,
        found: Sequence[tuple[Whole, Moment]],
        take: Take,
    ) -> None:
        chosen = {whole.head.id for whole in self._chosen.of([whole for whole, _ in found])}
        for whole, moment in found:
            if whole.head.id in chosen:
                told = [(moment, moments.which(whole, moment))]
                take(whole, [self._by_events(place, whole, told) for place in range(len(self._own))])

    def _of(self, place: int, whole: Whole, told: Sequence[tuple[Moment, int]]) -> list[Reached]:
        own = self._own[place]
        return list(own.of(whole)) if own is not None else self._by_events(place, whole, told)

    def _by_events(self, place: int, whole: Whole, told: Sequence[tuple[Moment, int]]) -> list[Reached]:
        """Return how a goal was reached by single events; the depth of a page counts once in a visit."""
        bit = self._bits.get(place)
        if bit is None:
            return []
        found: list[Reached] = []
        seen: set[tuple[int, int]] = set()
        for moment, which in told:
            if not which >> bit & 1:
                continue
            if place in self._once_a_page:
                if (moment.host, moment.page) in seen:
                    continue
                seen.add((moment.host, moment.page))
            visitor = visitor_in(whole, moment.visitor)
            value = moment.value if place in self._of_money else 0.0
            found.append(Reached(moment.day, moment.hour, visitor, 1, value, moment.currency))
        return found


def visitor_in(whole: Whole, visitor: bytes | None) -> bytes | None:
    """Return who did something in a visit; None where nobody is known to have done it."""
    return visitor if whole.is_visit else None


def _counts(whole: Whole) -> bool:
    """Say whether it is a visit, or what nobody is known to have done."""
    return whole.is_visit or whole.sessions[0][0] is None


def _moment(look: Looked) -> tuple[int, int]:
    return look.hour, look.day


def _conditions(filters: Filter) -> Iterator[Condition]:
    if isinstance(filters, All):
        for part in filters.parts:
            yield from _conditions(part)
    elif isinstance(filters, Glob):
        yield filters
