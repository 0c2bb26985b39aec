"""Answers from raw events: totals, series and lists of what a filter selects event by event."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from visitor_tracker.event import KINDS
from visitor_tracker.measures import ENGAGED, EVENTS, VIEWS, VISITS, Dimension, text_id
from visitor_tracker.reports.buckets import Buckets, buckets_of
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filtered import points_said, ranked
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.matching import EVENTS_MOST, Happened, Matched, Matching
from visitor_tracker.reports.numbers import Breakdown, Series, Totals, honesty
from visitor_tracker.reports.query import NO_ROBOTS, OF_ROBOTS, QueryError, Question
from visitor_tracker.reports.series import points_of
from visitor_tracker.reports.tally import Sums, merge, once
from visitor_tracker.sessions.fact import PAGEVIEW
from visitor_tracker.store.reports import ReportTable

Measure = Callable[[Happened], tuple[int, int]]

_KIND_IDS = tuple(text_id(kind) for kind in KINDS)
_KIND_TEXTS = dict(zip(_KIND_IDS, KINDS, strict=True))


def by_event(
    table: ReportTable,
    question: Question,
    dimensions: Sequence[Dimension | Field] = (),
    *,
    only_told: bool = False,
    most: int = EVENTS_MOST,
) -> tuple[Totals, Series, tuple[Breakdown, ...]]:
    """Return what the events say that the question's filter selects, and their visits. Raises QueryError.

    There is a breakdown for each of the dimensions. With `only_told` only events are looked at that tell any of the
    fields among these: totals and series are of those.
    """
    if not OF_ROBOTS.isdisjoint(dimensions):
        raise QueryError("by", NO_ROBOTS)
    buckets = buckets_of(question)
    fields = [each for each in dimensions if isinstance(each, Field)]
    matching = Matching(table, question, fields, only_told=only_told, most=most)
    tally = EventTally(buckets, dimensions)
    for matched in matching.found():
        tally.add(matched)
    span = question.span
    said = honesty(question.policy, span.first_day, span.last_day)
    points = points_of(question, buckets, [sums.numbers for sums in tally.points], points_said(question))

    def texts_of(values: list[int]) -> dict[int, str]:
        return table.texts(question.site.id, values, matching.texts | _KIND_TEXTS)

    rows = tuple(
        ranked(question, each, values, texts_of) for each, values in zip(dimensions, tally.values, strict=True)
    )
    return Totals(tally.total.numbers, said), points, rows


class EventTally:
    """Adds up what was matched: in all, by bucket of time, by value of each dimension; of one pass."""

    def __init__(self, buckets: Buckets, dimensions: Sequence[Dimension | Field]) -> None:
        self.total = Sums()
        self.points = [Sums() for _ in buckets.buckets]
        self.values: list[defaultdict[int, Sums]] = [defaultdict(Sums) for _ in dimensions]
        fields = [each for each in dimensions if isinstance(each, Field)]
        self._measures = [_measure(each, fields) for each in dimensions]
        self._dimensions = tuple(dimensions)
        self._place_of = buckets.place
        self._by_hours = buckets.by_hours

    def add(self, matched: Matched) -> None:
        """Add a visit where its first selected event is, and each of these where it happened."""
        whole = matched.whole
        placed = [(event, self._place_of(event.hour if self._by_hours else event.day)) for event in matched.events]
        here = Sums()
        for event, place in placed:
            if place is not None:
                for sums in (self.points[place], here):
                    _add(sums, _number(event), event, is_visit=whole.is_visit)
        if whole.is_visit and placed[0][1] is not None:
            number = once(whole)
            self.points[placed[0][1]].number += number
            here.number += number
        merge(self.total, here)
        for dimension, measure, values in zip(self._dimensions, self._measures, self.values, strict=True):
            if measure is not None:
                _add_by_event(placed, values, measure, is_visit=whole.is_visit)
            elif isinstance(dimension, Dimension) and (value := whole.value(dimension)):
                merge(values[value], here)


def _add_by_event(
    placed: Sequence[tuple[Happened, int | None]], values: defaultdict[int, Sums], measure: Measure, *, is_visit: bool
) -> None:
    """Add the events to their values; the visit counts for each at its first event."""
    begun: set[int] = set()
    for event, place in placed:
        value, number = measure(event)
        if not value:
            continue
        if is_visit and value not in begun:
            begun.add(value)
            number += VISITS
        if place is not None:
            _add(values[value], number, event, is_visit=is_visit)


def _add(sums: Sums, number: int, event: Happened, *, is_visit: bool) -> None:
    sums.number += number
    if is_visit:
        sums.visitors.add(event.visitor)


def _measure(dimension: Dimension | Field, fields: Sequence[Field]) -> Measure | None:
    """Return what a list has of an event: the value's id and packed measures; None for lists of visits' values."""
    if isinstance(dimension, Field):
        place = fields.index(dimension)
        return lambda event: (event.told[place], EVENTS)
    if dimension is Dimension.KIND:
        return lambda event: (_KIND_IDS[event.kind], EVENTS)
    if dimension in OF_ACTS:
        return lambda event: (event.value if event.dimension == dimension else 0, EVENTS)
    if dimension in OF_LOOKS:
        is_page = dimension is Dimension.PAGE
        return lambda event: (event.page if is_page else event.host, _number(event))
    return None


def _number(event: Happened) -> int:
    """Return what an event adds, packed."""
    return event.engaged_ms * ENGAGED + (VIEWS if event.kind == PAGEVIEW else EVENTS if event.dimension else 0)
