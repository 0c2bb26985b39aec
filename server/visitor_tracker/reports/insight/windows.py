"""The day, or the hours, of an anomaly, and the same of weeks before it that say what is usual."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from visitor_tracker.days import HOUR_MS, bounds, day_after, day_of, zone_of
from visitor_tracker.reports.insight.anomalies import Anomaly
from visitor_tracker.reports.insight.history import first_whole_day
from visitor_tracker.reports.insight.moved import Window
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Piece, ReportTable

WEEKS, WEEKS_BACK = 4, 8  # before the anomaly that say what is usual, and how far back they are looked for
WEEKS_LEAST = 2  # without other anomalies; else those with them are taken too
_HOURS_MOST = 72  # of an event by hours

Span = tuple[int, int]  # from and to before, epoch ms


def days_of(anomaly: Anomaly, timezone: str) -> tuple[int, int]:
    """Return the first and the last day of what an anomaly is explained by."""
    start, end = spans_of(anomaly, timezone)[0]
    return day_of(timezone, start), day_of(timezone, end - 1)


def spans_of(anomaly: Anomaly, timezone: str) -> list[Span]:
    """Return the days of an anomaly's peak, or its hours, and the same of weeks before, by the site's clock."""
    if anomaly.step == "day":
        first = day_of(timezone, anomaly.peak_ms)
        last = day_after(first, anomaly.peak_steps - 1)
        weeks_before = [-7 * weeks for weeks in range(WEEKS_BACK + 1)]
        return [
            (bounds(timezone, day_after(first, n))[0], bounds(timezone, day_after(last, n))[1]) for n in weeks_before
        ]
    start, end = anomaly.start_ms, anomaly.end_ms
    if end - start > _HOURS_MOST * HOUR_MS:
        start = max(start, anomaly.peak_ms - _HOURS_MOST // 2 * HOUR_MS)
        end = min(end, start + _HOURS_MOST * HOUR_MS)
    zone = zone_of(timezone)
    local = datetime.fromtimestamp(start / 1000, zone)
    starts = [int((local - timedelta(days=7 * weeks)).timestamp() * 1000) for weeks in range(WEEKS_BACK + 1)]
    return [(each, each + end - start) for each in starts]


def clean(spans: Sequence[Span], others: Sequence[Anomaly], table: ReportTable, site: Site) -> list[Span]:
    """Return the latest weeks in which the site was there and nothing else happened."""
    first = first_whole_day(table, site)
    since = bounds(site.timezone, first)[0] if first else 0
    there = [span for span in spans if span[0] >= since]
    quiet = [span for span in there if not any(each.start_ms < span[1] and span[0] < each.end_ms for each in others)]
    return (quiet if len(quiet) >= WEEKS_LEAST else there)[:WEEKS]


def pieces_of_span(anomaly: Anomaly, site: Site, span: Span) -> Window:
    if anomaly.step == "day":
        return [Piece("day", day_of(site.timezone, span[0]), day_of(site.timezone, span[1] - 1))]
    return [Piece("hour", span[0], span[1] - 1)]


def label(anomaly: Anomaly, timezone: str, span: Span) -> str:
    at = datetime.fromtimestamp(span[0] / 1000, zone_of(timezone))
    return at.date().isoformat() if anomaly.step == "day" else at.isoformat(timespec="minutes")
