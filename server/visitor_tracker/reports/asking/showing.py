"""The rows, the totals and the remarks of an answer, as users see them."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from visitor_tracker.days import date_of
from visitor_tracker.reports.asking.ask import TIME, Ask
from visitor_tracker.reports.asking.collecting import Collected
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.metrics import Counted
from visitor_tracker.reports.asking.shapes import Change, Meta, Period, Row, Shown, Summed, Suppressed, Understood
from visitor_tracker.reports.asking.sorting import counting
from visitor_tracker.reports.asking.trees import written
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.numbers import NOTES
from visitor_tracker.reports.query import Span
from visitor_tracker.reports.words import iso

_DIGITS = 4
_PERCENT_DIGITS = 2
CURRENCIES = "values are in several currencies ({}): add the filter  currency is {}"

Numbered = dict[str, Shown]


class Showing:
    """Numbers of one answer, beside those of the period that they are compared with."""

    def __init__(self, ask: Ask, found: Collected, other: tuple[Ask, Collected] | None) -> None:
        self._ask = ask
        self._found = found
        self._count = counting(ask, found)
        self._labels = _labels(ask)
        self._other = other
        self._other_count = None if other is None else counting(*other)
        self._other_labels = () if other is None else _labels(other[0])

    def rows(self, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of these keys, none where the query has no dimension."""
        if not self._ask.names:
            return []
        width = len(self._ask.dimensions)
        texts = self._found.texts({value for key in keys for value in key[:width]})
        return [self._row(key, texts) for key in keys]

    def totals(self) -> Summed:
        own = self._numbers(_in_all(self._found))
        if self._other is None:
            return Summed(own)
        theirs = self._numbers(_in_all(self._other[1]))
        return Summed(own, theirs, _changes(own, theirs))

    def meta(self, in_all: int) -> Meta:
        """Return the remarks; `in_all` is the number of rows of all pages."""
        ask, found = self._ask, self._found
        span = ask.question.span
        said = found.visitors_are if ask.names else found.totals.visitors_are
        return Meta(
            date_of(span.first_day).isoformat(),
            date_of(span.last_day).isoformat(),
            span.timezone,
            ask.question.interval,
            said,
            NOTES[said],
            found.totals.visitors_are,
            in_all if ask.names else 0,
            found.origin,
            iso(ask.at_ms),
            _suppressed(ask, found),
            _period(span),
            None if self._other is None else _period(self._other[0].question.span),
        )

    def _row(self, key: Key, texts: Mapping[int, str]) -> Row:
        values = iter(key)
        dimensions = {
            name: self._labels[key[-1]] if name == TIME else _named(next(values), texts) for name in self._ask.names
        }
        own = self._numbers(self._count(key))
        if self._other_count is None:
            return Row(dimensions, own)
        if not self._ask.by_time:
            theirs = self._numbers(self._other_count(key))
            return Row(dimensions, own, theirs, _changes(own, theirs))
        if key[-1] >= len(self._other_labels):  # the other period is shorter
            nothing: Numbered = dict.fromkeys(own)
            return Row(dimensions, own, nothing, _changes(own, nothing))
        theirs = self._numbers(self._other_count(key))
        return Row(dimensions, own, theirs, _changes(own, theirs), self._other_labels[key[-1]])

    def _numbers(self, counted: Counted) -> Numbered:
        return {metric.name: metric.value(counted) for metric in self._ask.metrics}


def understood(ask: Ask) -> Understood:
    """Return the query with all that was left out."""
    question = ask.question
    return Understood(
        question.site.name,
        [metric.name for metric in ask.metrics],
        list(ask.names),
        "" if question.filters is None else written(question.filters),
        question.interval,
        question.span.timezone,
        [f"{order.name}:{'desc' if order.is_descending else 'asc'}" for order in ask.order],
        ask.limit,
        question.week_start if question.interval == "week" else UNSET,
    )


def _labels(ask: Ask) -> tuple[str, ...]:
    return tuple(bucket.label for bucket in buckets_of(ask.question).buckets) if ask.by_time else ()


def _named(value: int, texts: Mapping[int, str]) -> str:
    return texts.get(value) or unnamed(value)


def _in_all(found: Collected) -> Counted:
    numbers = found.totals.numbers
    return Counted(numbers, "visits", found.gain, numbers.visits)


def _suppressed(ask: Ask, found: Collected) -> list[Suppressed]:
    said = {found.totals.visitors_are, found.visitors_are if ask.names else "exact"}
    suppressed = []
    for metric in ask.metrics:
        if metric.name == "visitors" and "suppressed" in said:
            suppressed.append(Suppressed(metric.name, NOTES["suppressed"].removeprefix("suppressed: ")))
        if metric.name == "revenue" and len(found.gain.currencies) > 1:
            names = sorted(name or '""' for name in found.gain.currencies)
            suppressed.append(Suppressed(metric.name, CURRENCIES.format(", ".join(names), names[-1])))
    return suppressed


def _period(span: Span) -> Period:
    first, last = date_of(span.first_day).isoformat(), date_of(span.last_day).isoformat()
    return Period(first, last, iso(span.start_ms), iso(span.end_ms))


def _changes(own: Numbered, theirs: Numbered) -> dict[str, Change]:
    return {name: _change(value, theirs[name]) for name, value in own.items()}


def _change(own: Shown, theirs: Shown) -> Change:
    if own is None or theirs is None:
        return Change(None, None)
    more = own - theirs
    absolute = round(more, _DIGITS) if isinstance(more, float) else more
    return Change(absolute, round(100 * more / theirs, _PERCENT_DIGITS) if theirs else None)
