"""What a report says, before it is put into words."""

from typing import Literal

import msgspec

from visitor_tracker.reports.digest.calendar import Days, Every
from visitor_tracker.reports.digest.noise import Usual
from visitor_tracker.reports.numbers import VisitorsAre

FigureName = Literal["visitors", "visits", "views", "bounce_rate", "engaged_seconds"]
ListName = Literal["pages", "sources", "countries", "campaigns"]


class Figure(msgspec.Struct, frozen=True):
    """A total. Of months `before` is what the month before would have had in as many days."""

    name: FigureName
    value: float | None
    before: float | None
    usual: Usual = "unknown"

    @property
    def change(self) -> float | None:
        """The relative change; None where there is nothing to compare with."""
        return None if self.value is None or not self.before else self.value / self.before - 1


class Bar(msgspec.Struct, frozen=True):
    """One bar of the chart: a day (yyyymmdd), or an hour of the one day by its local clock."""

    day: int
    hour: int | None
    visits: int


class Line(msgspec.Struct, frozen=True):
    """A row of a list, or a page that rose or fell."""

    value: str
    number: int
    before: float

    @property
    def change(self) -> float | None:
        return self.number / self.before - 1 if self.before else None


class Listing(msgspec.Struct, frozen=True):
    """The largest rows; `total` is what a share is of."""

    name: ListName
    rows: tuple[Line, ...]
    total: int


class Reached(msgspec.Struct, frozen=True):
    """A goal."""

    name: str
    conversions: int
    before: float
    rate: float | None


class Reason(msgspec.Struct, frozen=True):
    """A value that explains this share of what happened; `link` is a path of the dashboard."""

    dimension: str
    value: str
    share: float
    link: str


class Happening(msgspec.Struct, frozen=True):
    """An anomaly: a day, or with `hour` an hour of it, and what explains it."""

    day: int
    hour: int | None
    metric: str
    kind: Literal["spike", "dip"]
    value: float
    expected: float
    reasons: tuple[Reason, ...]
    is_even: bool
    link: str


class Digest(msgspec.Struct, frozen=True):
    """A report. `known` is the site's first day with numbers, None for a site without any."""

    site: str
    timezone: str
    every: Every
    days: Days
    before: Days
    figures: tuple[Figure, ...]
    visitors_are: VisitorsAre
    bars: tuple[Bar, ...]
    lists: tuple[Listing, ...]
    goals: tuple[Reached, ...]
    goals_are_counted: bool
    risers: tuple[Line, ...]
    fallers: tuple[Line, ...]
    happenings: tuple[Happening, ...]
    known: int | None

    def figure(self, name: FigureName) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    @property
    def is_empty(self) -> bool:
        """Say whether nobody came."""
        return not self.figure("visits").value and not self.figure("views").value
