"""What was unlike what is usual on a site: days and hours, visits and views, each happening told once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from visitor_tracker.days import HOUR_MS, bounds, date_of, day_after, day_of, zone_of
from visitor_tracker.detection.detect import DAYS_NEEDED, Alarm, detect
from visitor_tracker.reports.insight.feasts import rises_of
from visitor_tracker.reports.insight.history import (
    History,
    Metric,
    Step,
    first_whole_day,
    histories,
    steps_since_a_turn,
)
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import ReportTable

DAYS, HOUR_DAYS = 90, 21  # that are told of, by days and by hours
DAYS_MOST = 366
WARM_UP_DAYS, WARM_UP_HOUR_DAYS = 70, 28  # that detection learns from before
METRICS: tuple[Metric, ...] = ("visits", "views")

Kind = Literal["spike", "dip"]
Severity = Literal["notable", "strong", "extreme"]

_SEVERITIES: tuple[Severity, ...] = ("notable", "strong", "extreme")


@dataclass(frozen=True, slots=True)
class AnomaliesAsked:
    """Of how many days, `hour_days` of them hour by hour too; 0 of these: days only."""

    days: int = DAYS
    hour_days: int = HOUR_DAYS
    metrics: tuple[Metric, ...] = METRICS


class Anomaly(msgspec.Struct, frozen=True):
    """A happening. Its numbers are those of its peak, `peak_steps` days or hours; `start` to `end` is all of it.

    `start`, `end` and `peak` are dates, both included, or hours with their offset, of which `end` is the last one's
    end. Several small steps may be an anomaly only together: `peak` is the first of them. `id` stays the same while it
    goes on and after.
    """

    id: str
    start: str
    end: str
    peak: str
    start_ms: int
    end_ms: int
    peak_ms: int
    peak_steps: int
    metric: Metric
    step: Step
    kind: Kind
    severity: Severity
    value: float
    expected: float
    low: float
    high: float
    is_over: bool
    text: str


class Readiness(msgspec.Struct, frozen=True):
    """How many complete days a site has, and how many detection needs."""

    days: int
    needed: int

    @property
    def is_ready(self) -> bool:
        return self.days >= self.needed


@dataclass(frozen=True, slots=True)
class _Found:
    """An alarm of a history."""

    there: History
    alarm: Alarm
    last: int  # step; behind the alarm's own, where a silence goes on that detection is not shown

    @property
    def start_ms(self) -> int:
        return self.there.starts[self.alarm.at]

    @property
    def end_ms(self) -> int:
        return self.there.starts[self.last + 1]

    @property
    def is_over(self) -> bool:
        return self.last < len(self.there.values) - 1

    def told_first(self) -> tuple[bool, bool, int]:
        """Sort by how people want to be told: days before hours, visits before the rest, the first before later."""
        return self.there.step != "day", self.there.metric != "visits", self.start_ms


def anomalies(
    table: ReportTable, site: Site, policy: VisitorPolicy, asked: AnomaliesAsked, now_ms: int
) -> list[Anomaly]:
    """Return what happened, the newest first; raises what stores raise."""
    rises = rises_of(table, site, asked.metrics, now_ms)
    found = [*_alarms(table, site, asked, "day", now_ms, rises)]
    if asked.hour_days:
        found += _alarms(table, site, asked, "hour", now_ms, rises)
    today = day_of(site.timezone, now_ms)
    since = {step: bounds(site.timezone, day_after(today, -days))[0] for step, days in _days_of(asked).items()}
    told = [
        _told(site, group)
        for group in _happenings(site, found)
        if any(each.end_ms > since[each.there.step] for each in group)
    ]
    return sorted(told, key=lambda each: (-each.start_ms, each.id))


def _days_of(asked: AnomaliesAsked) -> dict[Step, int]:
    return {"day": asked.days, "hour": min(asked.hour_days, asked.days)}


def readiness(table: ReportTable, site: Site, now_ms: int) -> Readiness:
    """Return whether a site is old enough for anomalies."""
    first = first_whole_day(table, site)
    yesterday = day_after(day_of(site.timezone, now_ms), -1)
    days = 0 if first is None or first > yesterday else (date_of(yesterday) - date_of(first)).days + 1
    return Readiness(days, DAYS_NEEDED)


def _alarms(  # noqa: PLR0913
    table: ReportTable,
    site: Site,
    asked: AnomaliesAsked,
    step: Step,
    now_ms: int,
    rises: Mapping[Metric, Mapping[date, float]],
) -> Iterable[_Found]:
    """Yield the alarms of these days, and of those that detection learns from: a happening may have begun there."""
    # Not of fewer days where fewer are asked for: what is told of a day, and its id, shall not depend on that.
    days = DAYS if asked.days <= DAYS else DAYS_MOST
    least = days + WARM_UP_DAYS if step == "day" else (max(asked.hour_days, HOUR_DAYS) + WARM_UP_HOUR_DAYS) * 24
    most = steps_since_a_turn(site, step, least, now_ms)
    for there in histories(table, site, asked.metrics, step, most=most, now_ms=now_ms):
        watched = there.watched()
        for alarm in detect(watched, there.first, step, holidays=site.calendar, rises=rises.get(there.metric)):
            yield _Found(there, alarm, _last(watched, alarm))


def _last(watched: Sequence[float | None], alarm: Alarm) -> int:
    """Return the last step of an alarm and of the silence that follows on it."""
    last = alarm.last
    while last + 1 < len(watched) and watched[last + 1] is None:
        last += 1
    return last


def _happenings(site: Site, found: Sequence[_Found]) -> list[list[_Found]]:
    """Return alarms of one kind together that overlap in time, touch, or began on one day, whatever they are of."""
    groups: list[list[_Found]] = []
    ends: list[int] = []
    for each in sorted(found, key=lambda one: (one.alarm.kind, one.start_ms)):
        if groups and groups[-1][0].alarm.kind == each.alarm.kind and each.start_ms <= ends[-1]:
            groups[-1].append(each)
            ends[-1] = max(ends[-1], each.end_ms)
        else:
            groups.append([each])
            ends.append(max(each.end_ms, bounds(site.timezone, day_of(site.timezone, each.start_ms))[1] - 1))
    return groups


def _told(site: Site, group: Sequence[_Found]) -> Anomaly:
    told = min(group, key=_Found.told_first)
    there, alarm = told.there, told.alarm
    first_of_peak = max(0, alarm.peak - alarm.span + 1)
    severity = max((each.alarm.severity for each in group), key=_SEVERITIES.index)
    anomaly = Anomaly(
        _id(site, group),
        there.label(alarm.at),
        there.label(told.last if there.step == "day" else told.last + 1),
        there.label(first_of_peak),
        told.start_ms,
        told.end_ms,
        there.starts[first_of_peak],
        alarm.span,
        there.metric,
        there.step,
        alarm.kind,
        severity,
        alarm.value,
        round(alarm.expected, 2),
        round(alarm.low, 2),
        round(alarm.high, 2),
        all(each.is_over for each in group),
        "",
    )
    return msgspec.structs.replace(anomaly, text=sentence(anomaly, site.timezone))


def _id(site: Site, group: Sequence[_Found]) -> str:
    """Return what stays the same whether hours are asked for or not, and when the day after them is over."""
    day = day_of(site.timezone, min(each.start_ms for each in group))
    return blake2b(f"{site.id} {group[0].alarm.kind} {day}".encode(), digest_size=8).hexdigest()


def sentence(anomaly: Anomaly, timezone: str) -> str:
    """Return one plain sentence: Visits rose to 812 on Wednesday, 14 October 2026 (usually 230)."""
    verb = "rose" if anomaly.kind == "spike" else "fell"
    numbers = f"{anomaly.metric.capitalize()} {verb} to {number(anomaly.value)}"
    return f"{numbers} {_when(anomaly, timezone)} (usually {number(anomaly.expected)})."


def _when(anomaly: Anomaly, timezone: str) -> str:
    zone = zone_of(timezone)
    at = datetime.fromtimestamp(anomaly.peak_ms / 1000, zone)
    if anomaly.step == "day":
        if anomaly.peak_steps == 1:
            return f"on {day_name(at)}"
        return f"in the {anomaly.peak_steps} days from {day_name(at)}"
    end = datetime.fromtimestamp((anomaly.peak_ms + anomaly.peak_steps * HOUR_MS) / 1000, zone)
    if end.date() == at.date() or (end.hour, end.minute) == (0, 0):
        return f"between {at:%H:%M} and {end:%H:%M} on {day_name(at)}"
    return f"between {at:%H:%M} on {day_name(at)} and {end:%H:%M} on {day_name(end)}"


def day_name(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def number(value: float) -> str:
    """Return a number as people read it: 1,234; of small ones one digit behind the point."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
