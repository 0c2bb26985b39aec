"""What is asked, as it was understood: a value that every part of an answer is made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.groups import PARTS
from visitor_tracker.reports.asking.metrics import About, Metric, about
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filters import OF_LOOKS
from visitor_tracker.reports.query import Question, Span
from visitor_tracker.store.insight import Goal

TIME = "time"

Origin = Literal["rollups", "sessions", "events"]


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows are sorted: the name of a metric, of a dimension, or time."""

    name: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """`question` has site, days, filter and interval; `names` are the dimensions in the order of the query.

    `at_ms` is the moment as of which the days are meant.
    """

    question: Question
    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension | Field, ...]
    names: tuple[str, ...]
    order: tuple[Order, ...]
    limit: int
    offset: int = 0
    at_ms: int = 0
    compared: Span | None = None
    digest: bytes = b""
    goal: Goal | None = None
    forecast: int = 0  # buckets of time

    @property
    def by_time(self) -> bool:
        return TIME in self.names

    @property
    def rows(self) -> About:
        return about(self.dimensions)

    @property
    def wants_gains(self) -> bool:
        return any(metric.from_events for metric in self.metrics)

    @property
    def wanted_goal(self) -> Goal | None:
        """Return the goal, if any metric is of it."""
        return self.goal if any(metric.of_goal for metric in self.metrics) else None

    @property
    def origin(self) -> Origin:
        """Say what knows the rows: rollups know one dimension, sessions two, events what only they tell."""
        question, dimensions = self.question, self.dimensions
        if question.from_events or any(isinstance(each, Field) for each in dimensions):
            return "events"
        is_kind = Dimension.KIND in dimensions
        parts = [each for each in dimensions if each in PARTS]
        if (is_kind and (question.from_sessions or len(dimensions) > 1)) or not _of_one_part(parts):
            return "events"
        return "sessions" if question.from_sessions or len(dimensions) > 1 else "rollups"

    @property
    def is_long(self) -> bool:
        """Say whether visits or events are read one by one."""
        reads_rollups = self.origin == "rollups" and not self.question.from_sessions
        return not reads_rollups or self.wants_gains or self.wanted_goal is not None

    def of_span(self, span: Span) -> "Ask":
        """Return the same of other days."""
        return replace(self, question=replace(self.question, span=span))


def _of_one_part(parts: Sequence[Dimension | Field]) -> bool:
    """Say whether one look at a page, or one action, has all of these."""
    return len(parts) < 2 or OF_LOOKS.issuperset(parts)
