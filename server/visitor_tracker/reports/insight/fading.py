"""Pages that lose their readers slowly: fewer views for two months and more, and more so than the site."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.days import date_of, day_after, days_between, month_of
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.insight.history import first_whole_day
from visitor_tracker.reports.query import months_before
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Piece, ReportTable

SHOWN = 10
WEEKS, WEEKS_LEAST = 52, 8  # looked back, and of falling

_WEEK = 7
_SMOOTH = 4  # weeks that a level is the mean of
_FRESH_WEEKS = 4  # after a page's first views, which are those of its publication
_PAGES_READ = 60
_MONTHS, _MONTHS_LEAST = 12, 2  # complete ones that tell which pages to look at by the week
_PROMISING = 0.8  # of the best month, in the last complete one
_VIEWS_LEAST = 20.0  # a week, at its best
_LEFT_MOST = 0.6  # of the best, beside what is left of the site
_DOWNWARD = 0.35  # Kendall's tau: of pairs of weeks, how many more fall than rise


class Fading(msgspec.Struct, frozen=True):
    """A page: views a week now and at its best, what is left of them, and of the site's since then."""

    page: str
    views_a_week: float
    views_a_week_then: float
    then: str  # first day of its best four weeks
    weeks: int  # since then
    left: float
    left_of_site: float


def fading_pages(table: ReportTable, site: Site, last: int) -> list[Fading]:
    """Return the pages that lost most, up to the day `last`; raises what stores raise."""
    whole = first_whole_day(table, site)
    if whole is None or whole > last:
        return []
    weeks = min(WEEKS, len(days_between(whole, last)) // _WEEK)
    if weeks < WEEKS_LEAST + _SMOOTH:
        return []
    texts = _candidates(table, site, whole, last)
    firsts = [day_after(last, 1 - _WEEK * (weeks - week)) for week in range(weeks)]
    pieces = [Piece("day", first, day_after(first, _WEEK - 1)) for first in firsts]
    views = NAMES.index("views")
    of_site = _by_week(table, site, firsts[0], last)
    by_week = [table.sums_of(site.id, Dimension.PAGE, [piece], list(texts)) for piece in pieces]
    found = [_fading(text, [week[value][views] for week in by_week], of_site, firsts) for value, text in texts.items()]
    faded = [each for each in found if each is not None]
    return sorted(faded, key=lambda each: each.views_a_week - each.views_a_week_then)[:SHOWN]


def _candidates(table: ReportTable, site: Site, first: int, last: int) -> dict[int, str]:
    """Return the pages that were viewed most in the year before the last months, and are viewed less since."""
    this_month = last // 100 * 100 + 1
    starts = [months_before(this_month, back) for back in range(_MONTHS, 0, -1)]
    months = [month_of(start) for start in starts if month_of(start) >= month_of(first)]
    if len(months) < _MONTHS_LEAST:
        return {}
    earlier = Piece("month", months[0], months[-2])
    rows, _ = table.breakdown(site.id, Dimension.PAGE, [earlier], order="views", limit=_PAGES_READ)
    texts = {row.value: row.text for row in rows if row.text}
    views = NAMES.index("views")
    by_month = [table.sums_of(site.id, Dimension.PAGE, [Piece("month", month, month)], list(texts)) for month in months]
    best = {value: max(month[value][views] for month in by_month) for value in texts}
    return {value: text for value, text in texts.items() if by_month[-1][value][views] <= _PROMISING * best[value]}


def _by_week(table: ReportTable, site: Site, first: int, last: int) -> list[int]:
    views = NAMES.index("views")
    days = {day: row[views] for day, row in table.periods(site.id, Dimension.TOTAL, Piece("day", first, last))}
    every = [days.get(day, 0) for day in days_between(first, last)]
    return [sum(every[place : place + _WEEK]) for place in range(0, len(every), _WEEK)]


def _fading(page: str, views: Sequence[int], of_site: Sequence[int], firsts: Sequence[int]) -> Fading | None:
    """Return how a page fades, None where it does not."""
    begun = next((week for week, number in enumerate(views) if number), len(views))
    begun = begun + _FRESH_WEEKS if begun else 0
    levels = {week: _level(views, week) for week in range(begun, len(views) - WEEKS_LEAST - _SMOOTH + 1)}
    if not levels:
        return None
    best = max(levels, key=lambda week: levels[week])
    now, then = _level(views, len(views) - _SMOOTH), levels[best]
    site_then = _level(of_site, best)
    if then < _VIEWS_LEAST or not site_then:
        return None
    left, left_of_site = now / then, _level(of_site, len(of_site) - _SMOOTH) / site_then
    if left > _LEFT_MOST * min(1.0, left_of_site) or _tau(views[best:]) > -_DOWNWARD:
        return None
    weeks = len(views) - _SMOOTH - best
    return Fading(
        page, round(now, 1), round(then, 1), date_of(firsts[best]).isoformat(), weeks, round(left, 4),
        round(left_of_site, 4),
    )  # fmt: skip


def _level(views: Sequence[int], week: int) -> float:
    return sum(views[week : week + _SMOOTH]) / _SMOOTH


def _tau(values: Sequence[int]) -> float:
    """Return Kendall's tau of values over time: 1 where each is more than all before, -1 where less."""
    pairs = [
        (later > earlier) - (later < earlier) for place, earlier in enumerate(values) for later in values[place + 1 :]
    ]
    return sum(pairs) / len(pairs) if pairs else 0.0
