"""Collect what a report says from the numbers of a site: rollups, and visits for its goals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from visitor_tracker.days import date_of
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.digest.calendar import Days, Every, earlier
from visitor_tracker.reports.digest.content import (
    Bar,
    Digest,
    Figure,
    FigureName,
    Line,
    Listing,
    ListName,
    Reached,
)
from visitor_tracker.reports.digest.happenings import happenings
from visitor_tracker.reports.digest.noise import is_beyond_chance, unlike_usual
from visitor_tracker.reports.goals import goal_report
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.reports.query import Asked, QueryError, Question, pieces_of, read_question
from visitor_tracker.reports.series import series
from visitor_tracker.reports.totals import totals
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.insight import Goal
from visitor_tracker.store.reports import Piece, ReportTable, RowOrder

ROWS = 7  # of a list
MOVED_MOST = 5  # pages that rose, and as many that fell
GOALS_MOST = 10

_LISTS: tuple[tuple[ListName, Dimension, RowOrder], ...] = (
    ("pages", Dimension.PAGE, "views"),
    ("sources", Dimension.SOURCE, "visits"),
    ("countries", Dimension.COUNTRY, "visits"),
    ("campaigns", Dimension.UTM_CAMPAIGN, "visits"),
)
_PAGES_READ = 200  # the largest of both periods, among which some rose and fell
_MOVED_DEVIATIONS = 4.0
_MOVED_LEAST = 10  # views


class Collector:
    """Reads one site. Methods raise what stores raise; of one thread.

    Goals are counted visit by visit, a quarter of a millisecond each, and left out where there are more visits than
    `goal_visits_most`.
    """

    def __init__(
        self,
        table: ReportTable,
        site: Site,
        policy: VisitorPolicy,
        now_ms: int,
        goal_visits_most: int | None = None,
    ) -> None:
        self._table = table
        self._site = site
        self._policy = policy
        self._now_ms = now_ms
        self._goal_visits_most = goal_visits_most

    def digest(self, every: Every, days: Days, goals: Sequence[Goal]) -> Digest:
        """Return the report of these days."""
        periods = earlier(every, days)
        question, before = self._question(days), self._question(periods[0])
        scale = days.count / periods[0].count
        total = totals(self._table, question)
        numbers, numbers_before = total.numbers, totals(self._table, before).numbers
        known = self._table.known(self._site.id)
        first = None if known is None else known[0]
        visits = numbers.visits + numbers_before.visits
        is_much = self._goal_visits_most is not None and visits > self._goal_visits_most
        reached, are_counted = ((), not goals) if is_much else self._goals(question, before, goals, scale)
        risers, fallers = self._moved(question, before, scale)
        return Digest(
            self._site.name,
            self._site.timezone,
            every,
            days,
            periods[0],
            self._figures(numbers, numbers_before, days, periods, first),
            total.visitors_are,
            self._bars(question),
            tuple(self._list(question, before, numbers, scale, *each) for each in _LISTS),
            reached,
            are_counted,
            risers,
            fallers,
            happenings(self._table, self._site, self._policy, days, self._now_ms),
            first,
        )

    def _question(self, days: Days) -> Question:
        period = f"{date_of(days.first).isoformat()}..{date_of(days.last).isoformat()}"
        asked = Asked(period=period, interval="hour" if days.count == 1 else "day")
        return read_question(
            asked, self._site, self._policy, now_ms=self._now_ms, known=lambda: self._table.known(self._site.id)
        )

    def _figures(
        self, numbers: Numbers, before: Numbers, days: Days, periods: Sequence[Days], first: int | None
    ) -> tuple[Figure, ...]:
        """Return the totals; periods from before the site's first day say nothing of what is usual."""
        whole = [each for each in periods if first is not None and each.first >= first]
        scale = days.count / periods[0].count
        sums = self._sums([days, *whole])

        def counted(name: FigureName) -> Figure:
            column = NAMES.index(name)
            by_day = [each[column] / period.count * days.count for each, period in zip(sums[1:], whole, strict=True)]
            usual = unlike_usual(float(sums[0][column]), by_day)
            value, was = getattr(numbers, name), getattr(before, name)
            return Figure(name, value, None if was is None or not whole else was * scale, usual)

        return (
            counted("visitors"),
            counted("visits"),
            counted("views"),
            Figure("bounce_rate", numbers.bounce_rate, before.bounce_rate if whole else None),
            Figure("engaged_seconds", numbers.engaged_seconds, before.engaged_seconds if whole else None),
        )

    def _sums(self, periods: Sequence[Days]) -> list[list[int]]:
        """Return the eight sums of each period."""
        last, first = periods[0].last, periods[-1].first
        rows = self._table.periods(self._site.id, Dimension.TOTAL, Piece("day", first, last))
        found = [[0] * len(NAMES) for _ in periods]
        for day, measured in rows:
            for sums, period in zip(found, periods, strict=True):
                if period.first <= day <= period.last:
                    sums[:] = [each + more for each, more in zip(sums, measured, strict=True)]
        return found

    def _bars(self, question: Question) -> tuple[Bar, ...]:
        by_hours = question.interval == "hour"
        bars = []
        for point in series(self._table, question).points:
            start = datetime.fromisoformat(point.start)
            hour = start.hour if by_hours else None
            bars.append(Bar(start.year * 10_000 + start.month * 100 + start.day, hour, point.numbers.visits))
        return tuple(bars)

    def _list(  # noqa: PLR0913
        self,
        question: Question,
        before: Question,
        numbers: Numbers,
        scale: float,
        name: ListName,
        dimension: Dimension,
        order: RowOrder,
    ) -> Listing:
        site_id, column = self._site.id, NAMES.index(order)
        rows, _ = self._table.breakdown(site_id, dimension, pieces_of(question), order=order, limit=ROWS)
        values = [row.value for row in rows if row.measured[column]]
        was = self._table.sums_of(site_id, dimension, pieces_of(before), values) if values else {}
        lines = tuple(
            Line(row.text or unnamed(row.value), row.measured[column], was[row.value][column] * scale)
            for row in rows
            if row.measured[column]
        )
        return Listing(name, lines, int(getattr(numbers, order)))

    def _moved(self, question: Question, before: Question, scale: float) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """Return the pages whose views rose and fell by more than chance makes them."""
        site_id, column = self._site.id, NAMES.index("views")
        texts: dict[int, str] = {}
        for each in (question, before):
            rows, _ = self._table.breakdown(site_id, Dimension.PAGE, pieces_of(each), order="views", limit=_PAGES_READ)
            texts |= {row.value: row.text for row in rows if row.text}
        if not texts:
            return (), ()
        now, was = (
            self._table.sums_of(site_id, Dimension.PAGE, pieces_of(each), list(texts)) for each in (question, before)
        )
        lines = [Line(text, now[value][column], was[value][column] * scale) for value, text in texts.items()]
        moved = [
            line
            for line in lines
            if abs(line.number - line.before) >= _MOVED_LEAST
            and is_beyond_chance(line.number, line.before, deviations=_MOVED_DEVIATIONS)
        ]
        moved.sort(key=lambda line: (line.before - line.number, line.value))
        risers = [line for line in moved if line.number > line.before]
        fallers = [line for line in reversed(moved) if line.number < line.before]
        return tuple(risers[:MOVED_MOST]), tuple(fallers[:MOVED_MOST])

    def _goals(
        self, question: Question, before: Question, goals: Sequence[Goal], scale: float
    ) -> tuple[tuple[Reached, ...], bool]:
        """Return how often goals were reached; False: the visits are too many to look through."""
        if not goals:
            return (), True
        shown = goals[:GOALS_MOST]
        try:
            found, was = (goal_report(self._table, replace(each, interval="day"), shown) for each in (question, before))
        except QueryError:
            return (), False
        earlier_by_id = {goal.id: goal.conversions for goal in was.goals}
        reached = [
            Reached(goal.name, goal.conversions, earlier_by_id.get(goal.id, 0) * scale, goal.rate)
            for goal in found.goals
        ]
        return tuple(sorted(reached, key=lambda goal: (-goal.conversions, goal.name))), True
