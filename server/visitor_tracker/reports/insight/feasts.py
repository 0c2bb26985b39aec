"""How busy a site's holidays were, so that detection expects the same of them the year after."""

from collections.abc import Mapping, Sequence
from datetime import date

from visitor_tracker.detection.detect import holiday_times
from visitor_tracker.reports.insight.history import Metric, histories
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import ReportTable

_DAYS_READ = 800  # a year that is told of, the one before, and what is learned from


def rises_of(
    table: ReportTable, site: Site, metrics: Sequence[Metric], now_ms: int
) -> Mapping[Metric, Mapping[date, float]]:
    """Return by metric how many times as busy as other days each holiday was; raises what stores raise."""
    if not site.holidays:
        return {}
    found = histories(table, site, metrics, "day", most=_DAYS_READ, now_ms=now_ms)
    return {there.metric: holiday_times(there.watched(), there.first, site.calendar) for there in found}
