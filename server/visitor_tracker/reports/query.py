"""What is asked of the numbers: of which site, over which days, cut into what, filtered how. Made from users' texts."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from visitor_tracker.days import HOUR_MS, bounds, date_of, day_after, day_of, hour_of, month_of, zone_of
from visitor_tracker.errors import TrackerError
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import LISTED, PROPERTY, Field, property_field
from visitor_tracker.reports.filters import Filter, FilterError, names_events, read_filter
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.reports import Piece

Interval = Literal["hour", "day", "week", "month"]
Order = Literal["visitors", "visits", "views", "events"]
WeekStart = Literal["monday", "sunday", "saturday"]

Known = Callable[[], tuple[int, int] | None]  # a site's first and last day with numbers

INTERVALS: tuple[Interval, ...] = get_args(Interval)
ORDERS: tuple[Order, ...] = get_args(Order)
WEEK_STARTS: tuple[WeekStart, ...] = get_args(WeekStart)
PERIODS = (
    "today", "yesterday", "24h", "7d", "30d", "90d", "12mo", "week", "last_week", "month", "last_month", "year", "all",
)  # fmt: skip
DIMENSIONS = {each.name.lower(): each for each in Dimension if each is not Dimension.TOTAL}
OF_ROBOTS = frozenset({Dimension.BOT, Dimension.CRAWLER})
OF_EVENTS = OF_ROBOTS | {Dimension.KIND}  # count events only
NO_ROBOTS = "bot and crawler know no filter, and no 24h: leave the filter out, or ask for days"
BY = (*DIMENSIONS, *LISTED, f"{PROPERTY}NAME")

LIMIT_MOST = 1_000
OFFSET_MOST = 1_000_000
_DIGITS_MOST = 9
_FIRST_DAY, _LAST_DAY = 19700101, 29991231
_LAST_DAYS = {"7d": 7, "30d": 30, "90d": 90}
_WEEKDAYS: dict[WeekStart, int] = {"monday": 0, "saturday": 5, "sunday": 6}  # as date.weekday() has them
_DAYS_OF_HOURS = 1  # a period of so many days is shown by the hour
_DAYS_OF_DAYS = 92  # and one of so many by the day

_A_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII).fullmatch

T = TypeVar("T")


class QueryError(TrackerError):
    """A question that cannot be answered: `name` is the parameter, the message says what to change."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a zone's calendar, both included, or with `by_hours` the hours from `start_ms` to before `end_ms`."""

    timezone: str
    today: int
    first_day: int
    last_day: int
    start_ms: int
    end_ms: int
    by_hours: bool = False

    @property
    def days(self) -> int:
        return (date_of(self.last_day) - date_of(self.first_day)).days + 1


@dataclass(frozen=True, slots=True)
class Question:
    """What totals, series and breakdown are asked. `policy` says who is one visitor of the site."""

    site: Site
    span: Span
    policy: VisitorPolicy = "daily"
    interval: Interval = "day"
    dimension: Dimension | Field | None = None
    filters: Filter | None = None
    order: Order | None = None
    limit: int = 10
    offset: int = 0
    week_start: WeekStart = "monday"

    @property
    def is_foreign(self) -> bool:
        """Say whether its days are those of another time zone than the site's."""
        return self.span.timezone != self.site.timezone

    @property
    def from_sessions(self) -> bool:
        """Say whether rollups cannot answer: they know no two conditions at once, and visitors of whole days only."""
        return self.filters is not None or self.span.by_hours

    @property
    def from_events(self) -> bool:
        """Say whether visits cannot answer either: they do not know all that an event tells."""
        return names_events(self.filters)

    @property
    def is_long(self) -> bool:
        """Say whether visits or events are read one by one."""
        return self.from_sessions or isinstance(self.dimension, Field)


@dataclass(frozen=True, slots=True)
class Asked:
    """The texts of a question as users give them; an empty one takes the default."""

    period: str = ""
    by: str = ""
    interval: str = ""
    filters: str = ""
    timezone: str = ""
    order: str = ""
    limit: str = ""
    offset: str = ""
    week_start: str = ""


def read_question(asked: Asked, site: Site, policy: VisitorPolicy, *, now_ms: int, known: Known) -> Question:
    """Return the question that the texts ask; raises QueryError.

    `known` is called for the site's first and last day with numbers, where the period is "all".
    """
    week_start = read_week_start(asked.week_start)
    span = read_span(asked.period or "30d", read_zone(asked.timezone, site), now_ms, known, week_start)
    interval = _one_of("interval", asked.interval, {name: name for name in INTERVALS}) or usual_interval(span)
    try:
        filters = read_filter(asked.filters) if asked.filters.strip() else None
    except FilterError as error:
        raise QueryError("filter", str(error)) from error
    question = Question(site, span, policy, interval, filters=filters, week_start=week_start)
    return replace(
        question,
        dimension=_dimension(asked.by),
        order=_one_of("order", asked.order, {name: name for name in ORDERS}),
        limit=_number("limit", asked.limit, 10, 1, LIMIT_MOST),
        offset=_number("offset", asked.offset, 0, 0, OFFSET_MOST),
    )


def read_zone(text: str, site: Site) -> str:
    """Return the name of a time zone, the site's own where the text is empty; raises QueryError."""
    if not text:
        return site.timezone
    if zone_of(text).key != text:
        raise QueryError("timezone", f"there is no time zone {text!r}: use a name such as Europe/Berlin or UTC")
    return text


def read_week_start(text: str) -> WeekStart:
    """Return the day that weeks begin with, Monday where the text is empty; raises QueryError."""
    return _one_of("week_start", text, {name: name for name in WEEK_STARTS}) or "monday"


def week_of(day: int, week_start: WeekStart) -> int:
    """Return the first day of a day's week."""
    return day_after(day, -((date_of(day).weekday() - _WEEKDAYS[week_start]) % 7))


def read_span(text: str, timezone: str, now_ms: int, known: Known, week_start: WeekStart = "monday") -> Span:
    """Return the days that a period means; raises QueryError for anything but PERIODS, a day, or two with .. between.

    Periods end today: "7d" is today and the six days before, "week" begins on `week_start`, "month" on the first,
    "12mo" with the month eleven before this one. "24h" is this hour and the 23 before it.
    """
    today = day_of(timezone, now_ms)
    if text == "24h":
        end = hour_of(timezone, now_ms) + HOUR_MS
        start = end - 24 * HOUR_MS
        return Span(timezone, today, day_of(timezone, start), today, start, end, by_hours=True)
    first, last = _week(text, today, week_start) or _named_days(text, today, known) or _given_days(text)
    start, end = bounds(timezone, first)[0], bounds(timezone, last)[1]
    if start == end:  # Samoa had no 30 December 2011
        raise QueryError("period", f"there was no {date_of(first)} in {timezone}: the calendar left it out")
    return Span(timezone, today, first, last, start, end)


def _week(text: str, today: int, week_start: WeekStart) -> tuple[int, int] | None:
    first = week_of(today, week_start)
    return {"week": (first, today), "last_week": (day_after(first, -7), day_after(first, -1))}.get(text)


def _named_days(text: str, today: int, known: Known) -> tuple[int, int] | None:
    month = today // 100 * 100 + 1
    yesterday = day_after(today, -1)
    if text in _LAST_DAYS:
        return day_after(today, 1 - _LAST_DAYS[text]), today
    if text == "last_month":
        last = day_after(month, -1)
        return last // 100 * 100 + 1, last
    if text == "all":  # from the first of a month, so that whole months are read
        first, last = known() or (today, today)
        return first // 100 * 100 + 1, min(max(first, last), today)
    return {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "month": (month, today),
        "12mo": (months_before(month, 11), today),
        "year": (today // 10_000 * 10_000 + 101, today),
    }.get(text)


def _given_days(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    start = _day(first)
    end = _day(last) if dots else start
    if start > end:
        raise QueryError("period", f"the period {text} ends before it begins: put the earlier day first")
    return start, end


def _day(text: str) -> int:
    found = _A_DAY(text)
    day = int(found[1] + found[2] + found[3]) if found else 0
    try:
        date_of(day)
    except ValueError:
        day = 0
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise QueryError(
            "period",
            f"{_shortened(text)!r} is no period: use {', '.join(PERIODS)}, a day such as 2026-03-31,"
            " or two days such as 2026-01-01..2026-03-31",
        )
    return day


def months_before(first_of_month: int, months: int) -> int:
    """Return the first day of the month so many months earlier."""
    year, month = divmod(first_of_month // 100 // 100 * 12 + first_of_month // 100 % 100 - 1 - months, 12)
    return (year * 100 + month + 1) * 100 + 1


def usual_interval(span: Span) -> Interval:
    """Return the interval that makes a series readable."""
    if span.by_hours or span.days <= _DAYS_OF_HOURS:
        return "hour"
    return "day" if span.days <= _DAYS_OF_DAYS else "month"


def _dimension(text: str) -> Dimension | Field | None:
    found = DIMENSIONS.get(text) or LISTED.get(text)
    if found is not None or not text:
        return found
    if not text.startswith(PROPERTY):
        raise QueryError("by", f"by cannot be {_shortened(text)!r}: use {', '.join(BY)}")
    try:
        return property_field(text.removeprefix(PROPERTY))
    except ValueError as error:
        raise QueryError("by", str(error)) from error


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def _one_of(name: str, text: str, known: dict[str, T]) -> T | None:
    if not text:
        return None
    if text not in known:
        raise QueryError(name, f"{name} cannot be {_shortened(text)!r}: use {', '.join(known)}")
    return known[text]


def _number(name: str, text: str, default: int, least: int, most: int) -> int:
    if not text:
        return default
    if not (len(text) <= _DIGITS_MOST and text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise QueryError(name, f"{name} must be a whole number from {least} to {most}")
    return int(text)


def pieces_of(question: Question) -> list[Piece]:
    """Return the fewest rows that make up the span: whole months, days before and after, or hours."""
    span = question.span
    if question.is_foreign or span.by_hours:
        return [Piece("hour", span.start_ms, span.end_ms - 1)]
    found: list[Piece] = []
    day = span.first_day
    while day <= span.last_day:
        last = min(month_end(day), span.last_day)
        grain: Literal["day", "month"] = "month" if is_month(day, last, span) else "day"
        first = month_of(day) if grain == "month" else day
        until = first if grain == "month" else last
        if found and found[-1].grain == grain:
            found[-1] = replace(found[-1], last=until)
        else:
            found.append(Piece(grain, first, until))
        day = day_after(last)
    return found


def is_month(first: int, last: int, span: Span) -> bool:
    """Say whether these days are all of one month that may have numbers: of the running one there are none after."""
    whole = last == month_end(last) or last >= span.today
    return first % 100 == 1 and month_of(first) == month_of(last) and whole


def month_end(day: int) -> int:
    """Return the last day of a day's month."""
    return day_after(months_before(day // 100 * 100 + 1, -1), -1)
