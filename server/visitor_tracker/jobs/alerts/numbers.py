"""Rules about numbers: a metric above or below a value, a goal that was reached.

The running hour, day, week or month is looked at as soon as a sum in it is above; everything else when it is over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, date_of, day_after, day_of, hour_of, zone_of
from visitor_tracker.jobs.alerts.deciding import event_id
from visitor_tracker.jobs.alerts.happenings import Happening, Looked, Told, View
from visitor_tracker.jobs.alerts.waiting import is_behind
from visitor_tracker.measures import NAMES, Dimension, text_id
from visitor_tracker.reports.alert_rules import VITALS
from visitor_tracker.reports.goals import goal_report
from visitor_tracker.reports.numbers import Numbers, numbers_of
from visitor_tracker.reports.query import QueryError, Question, Span
from visitor_tracker.reports.totals import totals
from visitor_tracker.reports.vitals import vitals
from visitor_tracker.store.alerts import AlertPeriod
from visitor_tracker.store.insight import Goal, InsightTable
from visitor_tracker.store.reports import Piece

_SETTLES_MS = 5 * 60_000  # after the end of a period: what is on its way is counted by then
_GOAL_LATE_MS = (
    HOUR_MS  # after the end of a period in which what was on its way, or not looked at, may have reached a goal
)
_SUMS = frozenset({"visitors", "visits", "views", "events", "errors"})
_NAMES = {"bounce_rate": "The bounce rate", **{name: f"{name.upper()} (75th percentile)" for name in VITALS}}
_EVENTS_PLACE = NAMES.index("events")
_WORDS: dict[AlertPeriod, tuple[str, str]] = {
    "hour": ("this hour so far", "in the hour from {:%H:%M}"),
    "day": ("today so far", "on {:%A, %-d %B}"),
    "week": ("this week so far", "in the week from {:%-d %B}"),
    "month": ("this month so far", "in {:%B %Y}"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """An hour, a day, a week or a month of the site's calendar; from `start_ms` to before `end_ms`."""

    name: AlertPeriod
    start_ms: int
    end_ms: int
    first_day: int
    last_day: int
    is_running: bool

    def words(self, timezone: str) -> str:
        running, whole = _WORDS[self.name]
        at = datetime.fromtimestamp(self.start_ms / 1000, zone_of(timezone))
        return running if self.is_running else whole.format(at)

    def span(self, timezone: str, today: int) -> Span:
        by_hours = self.name == "hour"
        return Span(timezone, today, self.first_day, self.last_day, self.start_ms, self.end_ms, by_hours=by_hours)


def threshold(view: View) -> Looked | None:
    """Look at a metric; what is not counted yet may be what is missing."""
    rule = view.rule
    if rule.direction == "below" and is_behind(view):
        return None
    calm = ""
    for period in _judged(view):
        value = _value(view, period)
        words = f"{_sentence(rule.metric, value)} {period.words(view.site.timezone)}"
        if value is not None and (value > rule.value if rule.direction == "above" else value < rule.value):
            return Looked((_passed(view, period, value, words),))
        calm = f"{words}."
    return Looked(calm=calm)


def goal(view: View) -> Looked | None:
    """Look how often a goal was reached in the running period, and in those before of which it is to be told yet."""
    rule, site = view.rule, view.site
    found = next(
        (each for each in InsightTable(view.store.database).goals(site.id) if each.id.hex() == rule.goal), None
    )
    if found is None:
        raise QueryError("goal", "its goal was removed: change the alert, or remove it")
    reached = (_reached(view, found, period) for period in _untold(view))
    return Looked(tuple(each for each in reached if each is not None))


def _untold(view: View) -> Iterator[Period]:
    """Yield the periods of which it may be told that the goal was reached.

    They are the running one, those that ended a short while ago, and of a day those in which it was noticed in quiet
    hours or in the cooldown.
    """
    rule, timezone = view.rule, view.site.timezone
    period = period_at(rule.period, timezone, view.now, is_running=True)
    while period.end_ms > max(rule.at, view.now - DAY_MS - _GOAL_LATE_MS):
        state = view.states.get(event_id(_goal_key(view, period)))
        is_new = view.now - period.end_ms < _GOAL_LATE_MS
        if (is_new and state is None) or (state is not None and not state.done):
            yield period
        period = period_at(rule.period, timezone, period.start_ms - 1, is_running=False)


def _reached(view: View, found: Goal, period: Period) -> Happening | None:
    rule, site = view.rule, view.site
    span = period.span(site.timezone, day_of(site.timezone, view.now))
    question = Question(site, span, view.policy, "hour" if rule.period == "hour" else "day")
    [numbers] = goal_report(view.table, question, [found]).goals
    if numbers.conversions < rule.times:
        return None
    times = "once" if numbers.conversions == 1 else f"{numbers.conversions:,} times"
    text = f"The goal {found.name} was reached {times} {period.words(site.timezone)}."
    told: Told = {"goal": found.name, "conversions": numbers.conversions, "visitors": numbers.visitors}
    since = min(view.now, period.end_ms)
    return Happening(
        _goal_key(view, period), since, f"Goal reached: {found.name}", text, "info", numbers=told, has_end=False
    )


def _goal_key(view: View, period: Period) -> str:
    return f"{view.rule.goal} {view.rule.period} {period.start_ms}"


def _passed(view: View, period: Period, value: float, words: str) -> Happening:
    rule = view.rule
    limit = _shown(rule.metric, rule.value)
    title = f"{rule.name}: {_shown(rule.metric, value)}"
    text = f"{words}: {rule.direction} {limit}."
    day = date_of(period.last_day if period.name == "hour" else period.first_day).isoformat()
    last = date_of(period.last_day).isoformat()
    link = f"/dashboard/{view.site.name}?period={day if day == last else f'{day}..{last}'}"
    told: Told = {"metric": rule.metric, "value": value, "limit": rule.value, "direction": rule.direction}
    return Happening("", period.start_ms if not period.is_running else view.now, title, text, "warning", link, told)


def _judged(view: View) -> Iterator[Period]:
    """Yield the running period, where what is in it can only become more, and the last whole one."""
    rule, timezone = view.rule, view.site.timezone
    at = view.now - _SETTLES_MS
    if rule.direction == "above" and rule.metric in _SUMS:
        at = view.now
        yield period_at(rule.period, timezone, at, is_running=True)
    running = period_at(rule.period, timezone, at, is_running=True)
    whole = period_at(rule.period, timezone, running.start_ms - 1, is_running=False)
    if whole.end_ms > rule.at:
        yield whole


def period_at(name: AlertPeriod, timezone: str, at: int, *, is_running: bool) -> Period:
    """Return the period that a moment is in."""
    day = day_of(timezone, at)
    if name == "hour":
        start = hour_of(timezone, at)
        return Period(name, start, start + HOUR_MS, day, day, is_running)
    first = last = day
    if name == "week":
        first = day_after(day, -date_of(day).weekday())
        last = day_after(first, 6)
    elif name == "month":
        first = day // 100 * 100 + 1
        last = day_after(day_after(first, 31) // 100 * 100 + 1, -1)
    return Period(name, bounds(timezone, first)[0], bounds(timezone, last)[1], first, last, is_running)


def _value(view: View, period: Period) -> float | None:
    metric = view.rule.metric
    if metric == "errors":
        return _errors(view, period)
    if metric in VITALS:
        span = period.span(view.site.timezone, day_of(view.site.timezone, view.now))
        found = vitals(view.store.database, view.site, span).vitals
        return next((each.p75 for each in found if each.name.lower() == metric), None)
    return _COUNTED[metric](_numbers(view, period))


def _numbers(view: View, period: Period) -> Numbers:
    if period.name == "hour":
        rows = view.table.periods(view.site.id, Dimension.TOTAL, Piece("hour", period.start_ms, period.start_ms))
        return numbers_of((measured for _, measured in rows), rows[0][1][0] if rows else 0)
    span = period.span(view.site.timezone, day_of(view.site.timezone, view.now))
    return totals(view.table, Question(view.site, span, view.policy)).numbers


def _errors(view: View, period: Period) -> float:
    piece = Piece("day", period.first_day, period.last_day)
    if period.name == "hour":
        piece = Piece("hour", period.start_ms, period.start_ms)
    rows = view.table.periods(view.site.id, Dimension.KIND, piece, text_id("error"))
    return sum(measured[_EVENTS_PLACE] for _, measured in rows)


_COUNTED: dict[str, Callable[[Numbers], float | None]] = {
    "visitors": lambda numbers: numbers.visitors,
    "visits": lambda numbers: numbers.visits,
    "views": lambda numbers: numbers.views,
    "events": lambda numbers: numbers.events,
    "bounce_rate": lambda numbers: numbers.bounce_rate,
}


def _shown(metric: str, value: float) -> str:
    if metric == "bounce_rate":
        return f"{value:.1%}"
    if metric == "cls":
        return f"{value:.3g}"
    return f"{value:,.0f} ms" if metric in VITALS else f"{value:,.0f} {metric}"


def _sentence(metric: str, value: float | None) -> str:
    if value is None:
        return f"{_NAMES.get(metric, metric)} is not known"
    return f"{_NAMES[metric]} was {_shown(metric, value)}" if metric in _NAMES else _shown(metric, value).capitalize()
