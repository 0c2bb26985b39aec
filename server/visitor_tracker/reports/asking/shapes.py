"""What an answer looks like."""

import msgspec
from msgspec import UNSET, UnsetType

from visitor_tracker.reports.asking.ask import Origin
from visitor_tracker.reports.numbers import VisitorsAre
from visitor_tracker.reports.query import WeekStart

Shown = int | float | None


class Change(msgspec.Struct, frozen=True):
    """How much more there is than in the period that is compared with; `percent` is null where that has nothing."""

    absolute: Shown
    percent: float | None


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row: its values by dimension, its numbers by metric."""

    dimensions: dict[str, str]
    metrics: dict[str, Shown]
    compared: dict[str, Shown] | None = None
    change: dict[str, Change] | None = None
    compared_time: str = ""  # where rows are by time: the bucket of the other period


class Summed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything together."""

    metrics: dict[str, Shown]
    compared: dict[str, Shown] | None = None
    change: dict[str, Change] | None = None


class Suppressed(msgspec.Struct, frozen=True):
    """A metric that is null, and why."""

    metric: str
    reason: str


class Period(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """Days, both included; of 24h the hours too."""

    first: str
    last: str
    start: str
    end: str


class Understood(msgspec.Struct, frozen=True):
    """The query as it was understood, with everything that was left out."""

    site: str
    metrics: list[str]
    dimensions: list[str]
    filters: str
    interval: str
    timezone: str
    order_by: list[str]
    limit: int
    week_start: WeekStart | UnsetType = UNSET  # where an interval is a week


class Meta(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """What one must know to read the numbers."""

    first: str
    last: str
    timezone: str
    interval: str
    visitors_are: VisitorsAre
    note: str
    totals_visitors_are: VisitorsAre
    rows_in_all: int
    answered_from: Origin
    as_of: str
    suppressed: list[Suppressed]
    period: Period
    compared: Period | None = None


class ForecastRow(msgspec.Struct, frozen=True):
    """What is expected of a bucket of time; the first one is running now."""

    dimensions: dict[str, str]
    expected: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]


class Forecasted(msgspec.Struct, frozen=True):
    """By metric, of those that a forecast knows; `share` of the values are likely to lie between low and high.

    `trend` is increasing, decreasing or stable. Without rows the `message` says why.
    """

    share: float
    rows: list[ForecastRow]
    trend: dict[str, str]
    message: str


class Answered(msgspec.Struct, frozen=True):
    """An answer; `cursor` asks for the rows that follow, null where there are none."""

    query: Understood
    rows: list[Row]
    totals: Summed
    meta: Meta
    cursor: str | None
    forecast: Forecasted | UnsetType = UNSET
