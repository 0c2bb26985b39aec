"""The numbers that can be asked for: what each means, in what unit, and of what it says something."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.gains import Gain
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.query import OF_EVENTS, QueryError

Unit = Literal["count", "share", "milliseconds", "percent", "money"]
About = Literal["visits", "looks", "acts", "events"]  # what rows are: visits, pages, actions, events of any kind
Value = int | float | None

_DIGITS = 4  # of shares and means


class Counted(msgspec.Struct, frozen=True, gc=False):
    """All that is known of one row; `whole` is what its share is of."""

    numbers: Numbers
    about: About
    gain: Gain = Gain()
    whole: int = 0


class Metric(msgspec.Struct, frozen=True):
    """`about` are the rows that it says something of; with `from_events` only events know it; with
    `of_goal` it is of the goal that the query names.
    """

    name: str
    unit: Unit
    definition: str
    about: tuple[About, ...]
    value: Callable[[Counted], Value]
    from_events: bool = False
    of_goal: bool = False


def _share_of(part: Callable[[Numbers], int]) -> Callable[[Counted], Value]:
    return lambda row: _ratio(part(row.numbers), row.numbers.visits)


def _ratio(part: float, whole: float, digits: int = _DIGITS) -> float | None:
    return round(part / whole, digits) if whole else None


def _mean(total: int, number: int) -> int | None:
    return round(total / number) if number else None


def _engaged(row: Counted) -> Value:
    return _mean(row.numbers.engaged_ms, row.numbers.views if row.about == "looks" else row.numbers.visits)


_EVERYWHERE: tuple[About, ...] = ("visits", "looks", "acts", "events")
_MEASURE_OF_SHARE: dict[About, Callable[[Numbers], int]] = {
    "visits": lambda numbers: numbers.visits,
    "looks": lambda numbers: numbers.views,
    "acts": lambda numbers: numbers.events,
    "events": lambda numbers: numbers.events,
}

TABLE: tuple[Metric, ...] = (
    Metric(
        "visitors",
        "count",
        "different visitors who did something: viewed a page, clicked, sent a form, an event; of several days as"
        " meta.visitors_are says",
        ("visits", "looks", "acts"),
        lambda row: row.numbers.visitors,
    ),
    Metric(
        "visits",
        "count",
        "what one visitor did without a pause of more than 30 minutes; in rows of pages and actions, visits with such"
        " a page or action",
        ("visits", "looks", "acts"),
        lambda row: row.numbers.visits,
    ),
    Metric("views", "count", "pages that were viewed", ("visits", "looks"), lambda row: row.numbers.views),
    Metric(
        "events",
        "count",
        "what a visitor did other than to view a page: custom events, clicks, outbound links, downloads, forms; in rows"
        " of kind, bot, crawler, title, target, currency and properties, events of any kind",
        _EVERYWHERE,
        lambda row: row.numbers.events,
    ),
    Metric(
        "bounce_rate",
        "share",
        "part of the visits with at most one page, less than 10 seconds engaged, and no interaction",
        ("visits",),
        _share_of(lambda numbers: numbers.bounces),
    ),
    Metric(
        "single_rate",
        "share",
        "part of the visits with at most one page, however long it was looked at",
        ("visits",),
        _share_of(lambda numbers: numbers.singles),
    ),
    Metric(
        "engaged",
        "milliseconds",
        "mean time of a visit in which its pages were seen and in focus; in rows of pages and hosts, of a view",
        ("visits", "looks"),
        _engaged,
    ),
    Metric(
        "duration",
        "milliseconds",
        "mean time from a visit's first event to its last; 0 where there is but one",
        ("visits",),
        lambda row: _mean(row.numbers.duration_ms, row.numbers.visits),
    ),
    Metric(
        "views_per_visit",
        "count",
        "views divided by visits",
        ("visits",),
        lambda row: _ratio(row.numbers.views, row.numbers.visits),
    ),
    Metric(
        "share",
        "share",
        "part of the totals that is in the row: of the visits; in rows of pages and hosts, of the views; in rows of"
        " actions and of what events tell, of the events",
        _EVERYWHERE,
        lambda row: _ratio(share_measure(row.about)(row.numbers), row.whole),
    ),
    Metric(
        "scroll_depth",
        "percent",
        "deepest point of a page that a visit reached, mean of all pages of visits that told one",
        ("visits", "looks", "acts"),
        lambda row: row.gain.scroll_depth,
        from_events=True,
    ),
    Metric(
        "revenue",
        "money",
        "sum of the values of events, vitals left out; null where they are in several currencies",
        ("visits", "looks", "acts"),
        lambda row: row.gain.revenue,
        from_events=True,
    ),
    Metric(
        "conversions",
        "count",
        "how often the goal that the query names was reached by visits of which the filter selects anything",
        ("visits",),
        lambda row: row.gain.conversions,
        of_goal=True,
    ),
    Metric(
        "conversion_rate",
        "share",
        "part of the visitors of these visits who reached the goal",
        ("visits",),
        lambda row: row.gain.conversion_rate,
        of_goal=True,
    ),
)
METRICS = {metric.name: metric for metric in TABLE}
USUAL: dict[About, tuple[str, ...]] = {
    "visits": ("visitors", "visits", "views", "bounce_rate"),
    "looks": ("visitors", "visits", "views"),
    "acts": ("visitors", "visits", "events"),
    "events": ("events",),
}


def about(dimensions: Sequence[Dimension | Field]) -> About:
    """Return what rows by these dimensions are."""
    if any(each in OF_EVENTS for each in dimensions):
        return "events"
    if any(isinstance(each, Field) or each in OF_ACTS for each in dimensions):
        return "acts"
    return "looks" if any(each in OF_LOOKS for each in dimensions) else "visits"


def share_measure(rows: About) -> Callable[[Numbers], int]:
    """Return the measure of which a share is a part."""
    return _MEASURE_OF_SHARE[rows]


_RATIOS = {
    "bounce_rate": ("bounces", "visits"),
    "single_rate": ("singles", "visits"),
    "engaged": ("engaged_ms", "visits"),
    "duration": ("duration_ms", "visits"),
    "views_per_visit": ("views", "visits"),
}


def ratio_of(name: str, rows: About) -> tuple[str, str] | None:
    """Return the measures of which a metric is the ratio: rows are sorted by that, not by what it is rounded to."""
    return ("engaged_ms", "views") if (name, rows) == ("engaged", "looks") else _RATIOS.get(name)


def metric_named(name: str, rows: About, *, by_event: bool) -> Metric:
    """Return a metric that says something of these rows; raises QueryError."""
    metric = METRICS.get(name)
    if metric is None:
        raise QueryError("metrics", f"there is no metric {name[:40]!r}: use {', '.join(METRICS)}")
    if not _says(metric, rows, by_event=by_event):
        fitting = ", ".join(each.name for each in TABLE if _says(each, rows, by_event=by_event))
        raise QueryError("metrics", f"{name} says nothing of rows of {_ROWS[rows]}: use {fitting}")
    return metric


_ROWS: dict[About, str] = {
    "visits": "visits",
    "looks": "pages and hosts",
    "acts": "actions",
    "events": "events of any kind",
}


def _says(metric: Metric, rows: About, *, by_event: bool) -> bool:
    """Say whether a metric is known of such rows; those of pages have events where a filter selects events."""
    return rows in metric.about and not (rows == "looks" and metric.name == "events" and not by_event)
