"""Rules about what is unusual: anomalies with their reasons, and silence where visits usually come."""

from collections.abc import Mapping
from statistics import median
from typing import Final

from visitor_tracker.days import DAY_MS, HOUR_MS, hour_of
from visitor_tracker.jobs.alerts.deciding import event_id, lasted
from visitor_tracker.jobs.alerts.happenings import MINUTE_MS, Happening, Looked, Told, View
from visitor_tracker.jobs.alerts.waiting import is_behind
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.outgoing.channels import Severity
from visitor_tracker.reports.insight.anomalies import AnomaliesAsked, Anomaly, anomalies
from visitor_tracker.reports.insight.anomalies import Severity as Strength
from visitor_tracker.reports.insight.why import why
from visitor_tracker.store.alert_looks import LookTable
from visitor_tracker.store.reports import Piece

USUAL_LEAST: Final = 6.0  # visits in that time: that none comes by chance happens once in 400 times
WEEKS: Final = 4

_DAYS, _HOUR_DAYS = 14, 3  # that are looked at
_STRENGTHS: tuple[Strength, ...] = ("notable", "strong", "extreme")
_SEVERITIES: Mapping[Strength, Severity] = {"notable": "info", "strong": "warning", "extreme": "critical"}
_VISITS_PLACE = NAMES.index("visits")


def anomaly(view: View) -> Looked | None:
    """Look for what is beyond what the past lets expect, since the rule was made."""
    least = _STRENGTHS.index(view.rule.severity)
    every = anomalies(view.table, view.site, view.policy, AnomaliesAsked(_DAYS, _HOUR_DAYS), view.now)
    meant = [each for each in every if each.end_ms > view.rule.at and _STRENGTHS.index(each.severity) >= least]
    return Looked(tuple(_happening(view, each, every) for each in meant), "The numbers are as usual again.")


def _happening(view: View, found: Anomaly, others: list[Anomaly]) -> Happening:
    title = f"{'More' if found.kind == 'spike' else 'Fewer'} {found.metric} than usual"
    text, link = found.text, ""
    state = view.states.get(event_id(found.id))
    if state is None or not (state.told or state.done):  # only what is told needs a reason
        reasons = why(view.table, view.site, view.policy, found, view.now, others=others)
        text = reasons.text or found.text
        link = reasons.causes[0].link if reasons.causes else reasons.link
    numbers: Told = {
        "metric": found.metric,
        "kind": found.kind,
        "value": found.value,
        "expected": found.expected,
        "low": found.low,
        "high": found.high,
        "start": found.start,
        "end": found.end,
    }
    return Happening(
        found.id, found.start_ms, title, text, _SEVERITIES[found.severity], link, numbers, is_over=found.is_over
    )


def silent(view: View) -> Looked | None:
    """Look whether nobody comes where usually some do, of a site of which everything is counted."""
    minutes, site, now = view.rule.minutes, view.site, view.now
    if is_behind(view):
        return None
    latest = LookTable(view.store.database).latest(site.id)
    looked = 0 if view.goes_on else view.started  # while nobody looked, nobody could come; only a visit ends a silence
    since = max(latest, view.rule.at, looked)
    if now - since < minutes * MINUTE_MS:
        return Looked(calm=f"Visits come in again, the latest at {view.clock(latest)}." if latest else "")
    usual = usual_visits(view, minutes)
    if usual < USUAL_LEAST and not view.goes_on:
        return Looked()
    text = (
        f"No visit since {view.clock(latest)}, for {lasted(now - latest)}. "
        f"In {lasted(minutes * MINUTE_MS)} at this time of the week there are usually {usual:,.0f}."
        if latest
        else f"No visit so far, where there are usually {usual:,.0f} in {lasted(minutes * MINUTE_MS)}."
    )
    numbers: Told = {"latest": latest, "minutes": minutes, "usual": round(usual, 1)}
    title = f"No visits for {lasted(now - since)}"
    return Looked((Happening("", since, title, text, "critical", numbers=numbers),))


def usual_visits(view: View, minutes: int) -> float:
    """Return how many visits begin in the minutes up to this time of the week: the median of some weeks."""
    found = [
        _visits(view, view.now - weeks * 7 * DAY_MS - minutes * MINUTE_MS, view.now - weeks * 7 * DAY_MS)
        for weeks in range(1, WEEKS + 1)
    ]
    return median(found)


def _visits(view: View, start: int, end: int) -> float:
    """Return the visits of a time: of hours that are in it in part, as large a part."""
    zone = view.site.timezone
    first, last = hour_of(zone, start), hour_of(zone, end - 1)
    rows = view.table.periods(view.site.id, Dimension.TOTAL, Piece("hour", first, last))
    return sum(
        measured[_VISITS_PLACE] * max(0, min(end, hour + HOUR_MS) - max(start, hour)) / HOUR_MS
        for hour, measured in rows
    )
