"""What was unlike what is usual in the days of a report, and why."""

from datetime import datetime

from visitor_tracker.days import bounds, date_of, day_of, number_of, zone_of
from visitor_tracker.reports.digest.calendar import Days
from visitor_tracker.reports.digest.content import Happening, Reason
from visitor_tracker.reports.insight.anomalies import AnomaliesAsked, Anomaly, anomalies
from visitor_tracker.reports.insight.why import why
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable

MOST = 5
_REASONS_MOST = 3


def happenings(table: ReportTable, site: Site, policy: VisitorPolicy, days: Days, now_ms: int) -> tuple[Happening, ...]:
    """Return what began or ended on these days, the oldest first; the severest where there is too much."""
    start, end = bounds(site.timezone, days.first)[0], bounds(site.timezone, days.last)[1]
    back = (date_of(day_of(site.timezone, now_ms)) - date_of(days.first)).days + 1
    every = anomalies(table, site, policy, AnomaliesAsked(days=back), now_ms)
    found = [each for each in every if start <= each.peak_ms < end]
    severest = sorted(found, key=lambda each: -abs(each.value - each.expected))[:MOST]
    return tuple(
        _told(table, site, policy, each, every, now_ms) for each in sorted(severest, key=lambda each: each.start_ms)
    )


def _told(  # noqa: PLR0913
    table: ReportTable, site: Site, policy: VisitorPolicy, anomaly: Anomaly, others: list[Anomaly], now_ms: int
) -> Happening:
    found = why(table, site, policy, anomaly, now_ms, others=others)
    peak = datetime.fromtimestamp(anomaly.peak_ms / 1000, zone_of(site.timezone))
    return Happening(
        number_of(peak.date()),
        peak.hour if anomaly.step == "hour" else None,
        anomaly.metric,
        anomaly.kind,
        anomaly.value,
        anomaly.expected,
        tuple(Reason(each.dimension, each.value, each.share, each.link) for each in found.causes[:_REASONS_MOST]),
        found.is_even,
        found.link,
    )
