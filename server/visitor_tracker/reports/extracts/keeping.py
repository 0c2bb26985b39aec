"""Make the extracts of past days that are missing or do not hold any more, the newest first."""

from collections.abc import Callable, Sequence

from visitor_tracker.days import bounds, day_after, day_of
from visitor_tracker.reports.extracts.days import parts_of
from visitor_tracker.reports.extracts.reading import DAYS_AT_ONCE, made
from visitor_tracker.reports.extracts.stamps import Stamps, groups_of
from visitor_tracker.reports.query import Question, Span
from visitor_tracker.sites import Site
from visitor_tracker.store.extracts import BODY_MOST, ExtractTable
from visitor_tracker.store.reports import ReportTable

SETTLED_DAYS = 2  # visits of yesterday may go on today, and change until it is over


def renew(table: ReportTable, site: Site, now_ms: int, is_over: Callable[[], bool] = bool) -> int:
    """Bring the extracts of a site up to date until `is_over`; return how many days were made."""
    known = table.known(site.id)
    newest = day_after(day_of(site.timezone, now_ms), -SETTLED_DAYS)
    if known is None or known[0] > newest:
        return 0
    stamps = Stamps(table, site, known[0], newest)
    stored = ExtractTable(table.database).stamps(site.id, known[0], newest)
    kept = table.raw.kept(site.id, known[0], newest)  # of the others visits are gone, so that nothing can be made
    stale = [day for day in stamps.days(known[0], newest) if kept.get(day, True) and stored.get(day) != stamps.of(day)]
    renewed = 0
    for group in reversed(groups_of(stale, DAYS_AT_ONCE)):
        if is_over():
            break
        renewed += _renew(table, site, group, stamps)
    return renewed


def _renew(table: ReportTable, site: Site, days: Sequence[int], stamps: Stamps) -> int:
    extracts = ExtractTable(table.database)
    sessions = {day: extracts.sessions(site.id, day) for day in days}
    making = made(table, _question(site, days), days)
    renewed = 0
    for day in days:
        if day in making.long_days:
            continue
        bodies = parts_of(making.days[day].made())
        if max(map(len, bodies.values())) <= BODY_MOST:
            renewed += extracts.put(site.id, day, stamps.of(day), bodies, sessions[day])
    return renewed


def _question(site: Site, days: Sequence[int]) -> Question:
    zone = site.timezone
    return Question(site, Span(zone, days[-1], days[0], days[-1], bounds(zone, days[0])[0], bounds(zone, days[-1])[1]))
