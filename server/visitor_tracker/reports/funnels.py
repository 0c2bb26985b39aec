"""How many go which way along the steps of a funnel, and where they leave it.

Without `days` a visit is followed: those that began in the span, whole. With `days` a visitor is, over all visits, and
what happened in the span is looked at; a visitor's hash ends with the day or the month where the site's policy says so,
and nobody is followed over that.

In strict order no other event may come between two steps, of those that the steps are about: page views where any step
is a page, custom events where any is an event, every action where any is a filter.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Literal

import msgspec

from visitor_tracker.days import DAY_MS
from visitor_tracker.event import KIND_CODES
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.about import AboutVisitors, days_of, dimension_of_visits, rate_of, said_of
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.filters import FilterError
from visitor_tracker.reports.matching import EVENTS_MOST
from visitor_tracker.reports.moments import Moment, Moments
from visitor_tracker.reports.patterns import step_filter
from visitor_tracker.reports.query import QueryError, Question
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.walking import Happening, walk
from visitor_tracker.sessions.fact import ACTIONS, PAGEVIEW
from visitor_tracker.sites import VisitorPolicy
from visitor_tracker.store.insight import Funnel, Step, StepOrder
from visitor_tracker.store.reports import ReportTable

STEPS_LEAST, STEPS_MOST = 2, 10
SESSIONS_SHOWN = 10  # of those who left at a step
_MINUTE_MS = 60_000
_CUSTOM = KIND_CODES["custom"]

KnownFor = Literal["visit", "day", "month", "always"]

_KNOWN: dict[KnownFor, str] = {
    "visit": "each visit by itself",
    "day": "the policy is daily: visitors are followed within a day, and nobody over midnight",
    "month": "the policy is monthly: visitors are followed within a month, and nobody from one to the next",
    "always": "visitors are followed over all their visits",
}


class StepNumbers(msgspec.Struct, frozen=True):
    """Who made a step, and all steps before it.

    `visits` is None where visitors are followed. `of_first` and `of_previous` are parts of those who made the first
    step and the one before; `dropped` did not make the next one, and `drop_rate` is their part. `median_seconds` went
    by since the step before.
    """

    name: str
    visitors: int
    visits: int | None
    of_first: float | None
    of_previous: float | None
    dropped: int | None
    drop_rate: float | None
    median_seconds: float | None
    sessions: list[str] | None = None  # ids of visits that made this step and not the next, for GET /sessions/{id}


class FunnelRow(msgspec.Struct, frozen=True):
    value: str
    steps: list[StepNumbers]


class FunnelAnswer(AboutVisitors, frozen=True, kw_only=True):
    """`rows` are the values of the dimension that was asked for, of `rows_in_all`."""

    name: str
    order: StepOrder
    minutes: int | None
    days: int | None
    follows: Literal["visits", "visitors"]
    known_for: KnownFor
    known: str
    steps: list[StepNumbers]
    by: str | None
    rows: list[FunnelRow] | None
    rows_in_all: int | None


class _Made(msgspec.Struct, frozen=True, gc=False):
    """An event, the steps that it may make (bits), when its session began, and the value of its visit."""

    moment: Moment
    steps: int
    began: int
    value: int


class _Way(msgspec.Struct, frozen=True, gc=False):
    """How far one visit, or one visitor, went: the events of the steps, the visit in which it ended, its value."""

    moments: tuple[Moment, ...]
    session: str
    value: int


class _Steps:
    """Sums of ways."""

    def __init__(self, steps: int) -> None:
        self._visitors: list[set[bytes]] = [set() for _ in range(steps)]
        self._times = [0] * steps
        self._gaps: list[list[int]] = [[] for _ in range(steps)]
        self._left: list[list[str]] = [[] for _ in range(steps)]

    def add(self, way: _Way) -> None:
        moments = way.moments
        for place, moment in enumerate(moments):
            self._visitors[place].add(moment.visitor)
            self._times[place] += 1
            if place:
                self._gaps[place].append(moment.ts - moments[place - 1].ts)
        left = self._left[len(moments) - 1]
        if len(moments) < len(self._times) and len(left) < SESSIONS_SHOWN:
            left.append(way.session)

    @property
    def began(self) -> int:
        return self._times[0]

    def numbers(self, names: Sequence[str], *, is_visits: bool, with_sessions: bool) -> Iterator[StepNumbers]:
        last = len(names) - 1
        for place, name in enumerate(names):
            times = self._times[place]
            dropped = None if place == last else times - self._times[place + 1]
            gaps = self._gaps[place]
            yield StepNumbers(
                name,
                len(self._visitors[place]),
                times if is_visits else None,
                rate_of(times, self._times[0]),
                rate_of(times, self._times[place - 1]) if place else None,
                dropped,
                None if dropped is None else rate_of(dropped, times),
                round(median(gaps) / 1000, 3) if gaps else None,
                self._left[place] if with_sessions and place < last else None,
            )


def funnel_report(
    table: ReportTable, question: Question, funnel: Funnel, *, with_sessions: bool = False, most: int = EVENTS_MOST
) -> FunnelAnswer:
    """Return the numbers of a funnel's steps; raises QueryError.

    `with_sessions` tells single visits: for who may see them.
    """
    dimension = dimension_of_visits(question.dimension)
    steps = len(funnel.steps)
    total = _Steps(steps)
    rows: defaultdict[int, _Steps] = defaultdict(lambda: _Steps(steps))
    for way in _ways(table, question, funnel, dimension, most):
        total.add(way)
        if way.value:
            rows[way.value].add(way)
    names = [step.name or _named(step) for step in funnel.steps]
    is_visits = funnel.days is None
    said, note = said_of(question)
    known: KnownFor = "visit" if is_visits else known_for(question.policy)
    return FunnelAnswer(
        **days_of(question),
        visitors_are=said,
        note=note,
        name=funnel.name,
        order=funnel.order,
        minutes=funnel.minutes,
        days=funnel.days,
        follows="visits" if is_visits else "visitors",
        known_for=known,
        known=_KNOWN[known],
        steps=list(total.numbers(names, is_visits=is_visits, with_sessions=with_sessions)),
        by=None if dimension is None else dimension.name.lower(),
        rows=None if dimension is None else _rows(table, question, rows, names, is_visits=is_visits),
        rows_in_all=None if dimension is None else len(rows),
    )


def known_for(policy: VisitorPolicy) -> KnownFor:
    """Return for how long a site knows who a visitor is."""
    return "day" if policy == "daily" else "month" if policy == "monthly" else "always"


def _rows(
    table: ReportTable, question: Question, rows: Mapping[int, _Steps], names: Sequence[str], *, is_visits: bool
) -> list[FunnelRow]:
    ranked = sorted(rows.items(), key=lambda each: (-each[1].began, each[0]))
    shown = ranked[question.offset : question.offset + question.limit]
    texts = table.texts(question.site.id, [value for value, _ in shown])
    return [
        FunnelRow(
            texts.get(value) or unnamed(value), list(steps.numbers(names, is_visits=is_visits, with_sessions=False))
        )
        for value, steps in shown
    ]


def _named(step: Step) -> str:
    return step.page or step.event or step.filter


def _ways(
    table: ReportTable, question: Question, funnel: Funnel, dimension: Dimension | None, most: int
) -> Iterator[_Way]:
    passing = _Passing(table, question, funnel, dimension, most)
    window_ms = funnel.minutes * _MINUTE_MS if funnel.minutes is not None else None
    if funnel.days is not None:
        window_ms = funnel.days * DAY_MS
    for made in passing.by_visit() if funnel.days is None else passing.by_visitor():
        events = [Happening(each.moment.ts, each.steps, place) for place, each in enumerate(made)]
        way = walk(events, len(funnel.steps), window_ms=window_ms, is_strict=funnel.order == "strict")
        if way:
            first, last = made[way[0].place], made[way[-1].place]
            session = f"{last.moment.visitor.hex()}-{last.began}"
            yield _Way(tuple(made[event.place].moment for event in way), session, first.value)


class _Passing:
    """One pass over the events that a funnel is about."""

    def __init__(
        self, table: ReportTable, question: Question, funnel: Funnel, dimension: Dimension | None, most: int
    ) -> None:
        try:
            filters = [step_filter(step) for step in funnel.steps]
        except FilterError as error:
            raise QueryError("steps", str(error)) from error
        self._kinds = _kinds(funnel.steps) if funnel.order == "strict" else frozenset()
        self._dimension = dimension
        self._chosen = Chosen(table, question)
        self._moments = Moments(table, question, filters, kinds=self._kinds, most=most)

    def by_visit(self) -> Iterator[list[_Made]]:
        """Yield what happened in each visit, in order."""
        self._moments.read()
        self._moments.read_late()
        for whole in self._moments.begun(self._chosen):
            if made := self._made(whole):
                yield made

    def by_visitor(self) -> Iterator[list[_Made]]:
        """Yield what each visitor did, in order."""
        self._moments.read()
        by_visitor: defaultdict[bytes, list[_Made]] = defaultdict(list)
        for whole in self._moments.visits(self._chosen):
            for each in self._made(whole):
                by_visitor[each.moment.visitor].append(each)
        for own in by_visitor.values():
            yield sorted(own, key=lambda each: (each.moment.ts, each.moment.id))

    def _made(self, whole: Whole) -> list[_Made]:
        value = 0 if self._dimension is None else whole.value(self._dimension)
        began = {visitor: own.first_ts for visitor, own in whole.sessions}
        found: list[_Made] = []
        for moment in self._moments.of(whole):
            steps = self._moments.which(whole, moment)
            if steps or moment.kind in self._kinds:
                found.append(_Made(moment, steps, began[moment.visitor], value))
        return found


def _kinds(steps: Sequence[Step]) -> frozenset[int]:
    """Return the kinds of events of which none may come between the steps."""
    found: set[int] = set()
    for step in steps:
        found |= {PAGEVIEW} if step.page else {_CUSTOM} if step.event else ACTIONS
    return frozenset(found)
