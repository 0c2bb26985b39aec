"""Make an `Ask` of what users write; every mistake names the part and the values that it may have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import TIME, Ask, Order
from visitor_tracker.reports.asking.cursors import digest_of, read_cursor
from visitor_tracker.reports.asking.forecasting import check_forecast
from visitor_tracker.reports.asking.metrics import METRICS, USUAL, Metric, metric_named
from visitor_tracker.reports.asking.spans import Calendar, Range, asked_span, compared_span, range_text
from visitor_tracker.reports.asking.trees import Tree, read_tree, written
from visitor_tracker.reports.fields import FIELDS, LISTED, PROPERTY, Field, property_field
from visitor_tracker.reports.filters import All, Filter, FilterError
from visitor_tracker.reports.query import (
    DIMENSIONS,
    INTERVALS,
    NO_ROBOTS,
    OF_ROBOTS,
    Interval,
    Known,
    QueryError,
    Question,
    Span,
    read_week_start,
    read_zone,
    usual_interval,
)
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.insight import Goal

Format = Literal["json", "csv", "ndjson"]
Sample = Literal["none", "auto"]

LIMIT, LIMIT_OF_TIME, LIMIT_MOST, LIMIT_OF_FILES = 100, 1_000, 1_000, 10_000
METRICS_MOST, DIMENSIONS_MOST, ORDERS_MOST = 20, 2, 4
TABLED: dict[str, Dimension | Field] = {**DIMENSIONS, **LISTED, "currency": FIELDS["currency"]}
NAMES = (*TABLED, f"{PROPERTY}NAME", TIME, *(f"{TIME}:{interval}" for interval in INTERVALS))

_SHOWN = 40


class StatsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A query as programs send it; empty or missing parts take their defaults."""

    site: str = "default"
    metrics: list[str] = []
    dimensions: list[str] = []
    filters: Tree | None = None
    segment: str = ""
    goal: str = ""
    date_range: Range = "30d"
    interval: str = ""
    timezone: str = ""
    compare: Range | None = None
    order_by: list[str] = []
    limit: int = 0
    cursor: str = ""
    forecast: int = 0  # buckets of time from the running one on
    format: Format | None = None  # instead of the header Accept
    week_start: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """The site that is asked about: `known` has its first and last day; `segment` and `goal` know what has a name."""

    site: Site
    policy: VisitorPolicy
    known: Known
    segment: Callable[[str], str | None] = lambda name: None
    goal: Callable[[str], Goal | None] = lambda name: None


def read_query(query: StatsQuery, of: About, now_ms: int, limit_most: int = LIMIT_MOST) -> Ask:
    """Return what a query asks; raises QueryError."""
    names, dimensions, interval = _dimensions(query)
    filters = _filters(query, of)
    digest = digest_of(
        of.site.id,
        [*query.metrics],
        [*names],
        interval,
        "" if filters is None else written(filters),
        msgspec.to_builtins((query.date_range, query.compare)),
        query.timezone,
        [*query.order_by],
        query.goal,
        query.week_start,
    )
    offset = 0
    at_ms = now_ms
    if query.cursor:
        cursor = read_cursor(query.cursor, digest, now_ms)
        offset, at_ms = cursor.offset, cursor.at_ms
    week_start = read_week_start(query.week_start)
    calendar = Calendar(read_zone(query.timezone, of.site), at_ms, of.known, week_start)
    text = range_text(query.date_range, "date_range")
    span = asked_span(text, "date_range", calendar)
    interval = interval or usual_interval(span)
    question = Question(of.site, span, of.policy, interval, filters=filters, week_start=week_start)
    asked = Ask(question, (), dimensions, names, (), 0)
    metrics = _metrics(query, asked)
    _check_robots(dimensions, question)
    goal = _goal(query, metrics, of)
    ordered = replace(asked, metrics=metrics, goal=goal, digest=digest, offset=offset, at_ms=at_ms)
    check_forecast(query.forecast, ordered)
    return replace(
        ordered,
        forecast=query.forecast,
        order=_order(query.order_by, ordered),
        limit=_limit(query.limit, limit_most, is_time=names == (TIME,)),
        compared=_compared(query, span, text, calendar),
    )


def _dimensions(query: StatsQuery) -> tuple[tuple[str, ...], tuple[Dimension | Field, ...], Interval | None]:
    """Return their names, those that are not time, and the interval that was asked for."""
    interval = _interval(query.interval, "interval")
    names: list[str] = []
    found: list[Dimension | Field] = []
    for text in query.dimensions:
        name, colon, unit = text.partition(":")
        if name == TIME:
            if colon:
                interval = _interval(unit, "dimensions") or interval
            names.append(TIME)
        else:
            names.append(text)
            found.append(_dimension(text))
    if len(set(names)) < len(names):
        raise QueryError("dimensions", "each dimension may be named once")
    if len(names) > DIMENSIONS_MOST:
        raise QueryError("dimensions", f"at most {DIMENSIONS_MOST} dimensions, time among them, can be combined")
    return tuple(names), tuple(found), interval


def _interval(text: str, name: str) -> Interval | None:
    for interval in INTERVALS:
        if text == interval:
            return interval
    if text:
        raise QueryError(name, f"there is no interval {text[:_SHOWN]!r}: use {', '.join(INTERVALS)}")
    return None


def _dimension(text: str) -> Dimension | Field:
    found = TABLED.get(text)
    if found is not None:
        return found
    if not text.startswith(PROPERTY):
        raise QueryError("dimensions", f"there is no dimension {text[:_SHOWN]!r}: use {', '.join(NAMES)}")
    try:
        return property_field(text.removeprefix(PROPERTY))
    except ValueError as error:
        raise QueryError("dimensions", str(error)) from error


def _check_robots(dimensions: Sequence[Dimension | Field], question: Question) -> None:
    if OF_ROBOTS.isdisjoint(dimensions):
        return
    if question.from_sessions:
        raise QueryError("filters", NO_ROBOTS)
    if len(dimensions) > 1:
        raise QueryError("dimensions", "bot and crawler can be combined with time only")


def _filters(query: StatsQuery, of: About) -> Filter | None:
    try:
        given = query.filters
        filters = None if given is None or given in ("", {}, []) else read_tree(given)
    except FilterError as error:
        raise QueryError("filters", str(error)) from error
    if not query.segment:
        return filters
    text = of.segment(query.segment)
    if text is None:
        raise QueryError("segment", f"the site has no segment {query.segment[:_SHOWN]!r}")
    try:
        selected = read_tree(text)
    except FilterError as error:
        raise QueryError("segment", f"the segment's filter cannot be read: {error}") from error
    return selected if filters is None else All((selected, filters))


def _metrics(query: StatsQuery, asked: Ask) -> tuple[Metric, ...]:
    by_event = asked.origin == "events"
    names = query.metrics or USUAL[asked.rows]
    if len(names) > METRICS_MOST:
        raise QueryError("metrics", f"at most {METRICS_MOST} metrics in one query")
    if len(set(names)) < len(names):
        raise QueryError("metrics", "each metric may be named once")
    return tuple(metric_named(name, asked.rows, by_event=by_event) for name in names)


def _goal(query: StatsQuery, metrics: Sequence[Metric], of: About) -> Goal | None:
    named = [metric.name for metric in metrics if metric.of_goal]
    if not query.goal:
        if named:
            raise QueryError("goal", f"{named[0]} needs a goal: name one of the site's goals as goal")
        return None
    goal = of.goal(query.goal)
    if goal is None:
        raise QueryError("goal", f"the site has no goal {query.goal[:_SHOWN]!r}")
    return goal


def _order(given: Sequence[str], asked: Ask) -> tuple[Order, ...]:
    if len(given) > ORDERS_MOST:
        raise QueryError("order_by", f"at most {ORDERS_MOST} names to sort by")
    names = {metric.name: True for metric in asked.metrics} | dict.fromkeys(asked.names, False)
    found = tuple(_one_order(text, names) for text in given)
    if not found:
        by_time = (Order(TIME, False),) if asked.by_time else ()
        return (*by_time, Order(_first(asked.metrics), True))
    return found


def _one_order(text: str, names: dict[str, bool]) -> Order:
    """Read a name, with or without a direction behind it: numbers begin with the largest, all else with the first."""
    name, direction = text, ""
    if text not in names:
        name, _, direction = text.rpartition(":")
    if name not in names or direction not in ("", "asc", "desc"):
        raise QueryError(
            "order_by",
            f"order_by cannot be {text[:_SHOWN]!r}: use {', '.join(names)}, each also with :asc or :desc behind it",
        )
    return Order(name, direction == "desc" if direction else names[name])


def _first(metrics: Sequence[Metric]) -> str:
    """Return by which metric rows are sorted where nothing was said: visitors, else the first that counts."""
    names = [metric.name for metric in metrics]
    if "visitors" in names:
        return "visitors"
    return next((metric.name for metric in metrics if metric.unit == "count"), names[0])


def _limit(given: int, most: int, *, is_time: bool) -> int:
    if not given:
        return LIMIT_OF_TIME if is_time else LIMIT
    if not 1 <= given <= most:
        raise QueryError("limit", f"limit is a number from 1 to {most}")
    return given


def _compared(query: StatsQuery, span: Span, text: str, calendar: Calendar) -> Span | None:
    return None if query.compare in (None, "") else compared_span(span, text, query.compare, calendar)


def metric_names() -> tuple[str, ...]:
    return tuple(METRICS)
