"""Which values of which dimensions moved with a change: what they have now beside what they usually have.

After the idea of Bhagwan and others, "Adtributor: Revenue Debugging in Advertising Systems" (NSDI 2014): a value
explains a change by how much of it is its own, but only what goes beyond its part of an even rise or fall is a cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.insight.history import Metric
from visitor_tracker.store.reports import Measured, Piece, ReportTable, ValueRow

Window = list[Piece]

_READ_MOST = 100  # values of a dimension, those with the most now and those with the most before
_BUSY_MOST = 4  # that many times the deviation chance has

UNKNOWN = frozenset({"XX", "Unknown", "unknown"})  # values that name nothing

# What says the same in other words stands together; the most telling first.
ORIGINS = (
    Dimension.UTM_CAMPAIGN,
    Dimension.SOURCE,
    Dimension.REFERRER,
    Dimension.UTM_SOURCE,
    Dimension.CHANNEL,
)
FAMILIES: tuple[tuple[Dimension, ...], ...] = (
    ORIGINS,
    (Dimension.ENTRY, Dimension.PAGE),
    (Dimension.ORGANISATION,),
    (Dimension.CITY, Dimension.REGION, Dimension.COUNTRY, Dimension.LANGUAGE),
    (Dimension.HOST,),
    (Dimension.BROWSER, Dimension.OS, Dimension.DEVICE),
)
OF_EVENTS: tuple[tuple[Dimension, ...], ...] = ((Dimension.EVENT, Dimension.OUTBOUND, Dimension.DOWNLOAD), *FAMILIES)


@dataclass(frozen=True, slots=True)
class Moved:
    """A value: `share` is its part of the whole change, `excess` what of that goes beyond an even change."""

    dimension: Dimension
    text: str
    now: float
    usual: float
    share: float
    excess: float

    @property
    def is_certain(self) -> bool:
        """Say whether it is more than chance makes of so few."""
        return abs(self.now - self.usual) > _BUSY_MOST * sqrt(max(self.usual, 1.0))


@dataclass(frozen=True, slots=True)
class Change:
    """The windows of a change, and what they had in all."""

    site_id: int
    metric: Metric
    window: Window
    before: tuple[Window, ...]
    now: float
    usual: float

    @property
    def size(self) -> float:
        return self.now - self.usual


def change_of(table: ReportTable, site_id: int, metric: Metric, window: Window, before: Sequence[Window]) -> Change:
    """Return the change from what the windows before usually had, which is their median."""
    column = NAMES.index(metric)

    def total(pieces: Window) -> float:
        rows = [row for piece in pieces for row in table.periods(site_id, Dimension.TOTAL, piece)]
        return float(sum(measured[column] for _, measured in rows))

    return Change(site_id, metric, window, tuple(before), total(window), float(median(map(total, before))))


def moved(table: ReportTable, change: Change, dimension: Dimension) -> list[Moved]:
    """Return the values of a dimension that had most, now or before, by how much they explain."""
    texts, now, usual = _numbers(table, change, dimension)
    if not change.size:
        return []
    even = change.now / change.usual if change.usual else 0.0
    found = [
        Moved(
            dimension,
            texts[value],
            now[value],
            usual[value],
            (now[value] - usual[value]) / change.size,
            (now[value] - usual[value] * even) / change.size,
        )
        for value in texts
    ]
    return sorted(found, key=lambda each: (-each.excess, -each.share, each.text))


def _numbers(
    table: ReportTable, change: Change, dimension: Dimension
) -> tuple[dict[int, str], Mapping[int, float], Mapping[int, float]]:
    """Return texts, numbers now, and usual numbers, by value; values without a text are left out."""
    column = NAMES.index(change.metric)
    every = [piece for window in change.before for piece in window]
    rows = [*_most(table, change, dimension, change.window), *_most(table, change, dimension, every)]
    texts = {row.value: row.text for row in rows if row.text and row.text not in UNKNOWN}
    values = list(texts)
    if not values:
        return {}, {}, {}
    sums: list[Mapping[int, Measured]] = [
        table.sums_of(change.site_id, dimension, window, values) for window in (change.window, *change.before)
    ]
    now = {value: float(sums[0][value][column]) for value in values}
    usual = {value: float(median(each[value][column] for each in sums[1:])) for value in values}
    return texts, now, usual


def _most(table: ReportTable, change: Change, dimension: Dimension, pieces: Window) -> list[ValueRow]:
    rows, _ = table.breakdown(change.site_id, dimension, pieces, order=change.metric, limit=_READ_MOST)
    return rows
