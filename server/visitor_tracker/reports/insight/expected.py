"""What was to be expected of past days or hours before they were seen: the band in which nothing is unusual."""

from dataclasses import dataclass

import msgspec

from visitor_tracker.detection.detect import bands
from visitor_tracker.reports.insight.anomalies import WARM_UP_DAYS, WARM_UP_HOUR_DAYS
from visitor_tracker.reports.insight.feasts import rises_of
from visitor_tracker.reports.insight.history import Metric, Step, histories, steps_since_a_turn
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable

DAYS, HOUR_DAYS = 30, 7
DAYS_MOST, HOUR_DAYS_MOST = 366, 31


@dataclass(frozen=True, slots=True)
class BandAsked:
    """Of what, and of how many days."""

    metric: Metric = "visits"
    step: Step = "day"
    days: int = DAYS


class BandPoint(msgspec.Struct, frozen=True):
    """One day or hour; the band is null while the site was too young for one."""

    start: str
    value: int
    expected: float | None
    low: float | None
    high: float | None


def band(table: ReportTable, site: Site, asked: BandAsked, now_ms: int) -> list[BandPoint]:
    """Return the complete steps of these days with their bands, the oldest first; raises what stores raise."""
    by_day = asked.step == "day"
    count = asked.days if by_day else asked.days * 24
    least = count + (WARM_UP_DAYS if by_day else WARM_UP_HOUR_DAYS * 24)
    most = steps_since_a_turn(site, asked.step, least, now_ms)
    rises = rises_of(table, site, (asked.metric,), now_ms)
    found: list[BandPoint] = []
    for there in histories(table, site, (asked.metric,), asked.step, most=most, now_ms=now_ms):
        every = bands(there.watched(), there.first, asked.step, holidays=site.calendar, rises=rises.get(there.metric))
        first = max(0, len(every) - count)
        for place in range(first, len(every)):
            each = every[place]
            numbers = (None, None, None) if each is None else (each.expected, each.low, each.high)
            rounded = [None if number is None else round(number, 2) for number in numbers]
            found.append(BandPoint(there.label(place), there.values[place], *rounded))
    return found
