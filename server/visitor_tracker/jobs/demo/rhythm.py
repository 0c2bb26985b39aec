"""How many visits a day has, at which hours, and what brings them: working days, holidays, growth, and what happens."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec

from visitor_tracker.days import HOUR_MS, bounds, date_of, zone_of
from visitor_tracker.jobs.demo.chance import Weighted, about
from visitor_tracker.jobs.demo.origins import FRONT_PAGE, LAUNCH, NEWSLETTER, PRESS, THREAD, Origin, origins_at
from visitor_tracker.jobs.demo.plan import Plan, highlights, is_newsletter_day

_FIRST, _LAST = 0.72, 1.28  # of what is usual, on the first and on the last day
_WEEK = (1.13, 1.16, 1.14, 1.09, 0.97, 0.70, 0.76)
_NOISE = 0.07
# By the hour of the site's clock.
_WORKING = (
    1.1, 0.8, 0.6, 0.5, 0.6, 0.9, 1.6, 2.8, 4.6, 6.0, 6.6, 6.4, 5.6, 6.0, 6.6, 6.7, 6.3, 5.5, 4.8, 4.6, 4.8, 4.4, 3.2,
    2.0,
)  # fmt: skip
_OFF = (
    2.0, 1.4, 1.0, 0.7, 0.6, 0.7, 1.0, 1.6, 2.6, 3.8, 4.8, 5.2, 5.0, 5.0, 5.1, 5.2, 5.2, 5.1, 5.1, 5.3, 5.5, 5.0, 3.9,
    2.8,
)  # fmt: skip
_SATURDAY, _AUGUST = 5, 8
OUTAGE_HOURS = range(7, 19)


class Wave(msgspec.Struct, frozen=True):
    """Visits that something brings on top of what is usual, day by day, in usual days' worth."""

    origin: Origin
    sizes: tuple[float, ...]
    begins: int  # hour of the site's clock, on the first day


_FRONT_PAGE = Wave(FRONT_PAGE, (2.6, 0.75, 0.2, 0.08), 14)
_THREAD = Wave(THREAD, (1.2, 0.5, 0.15), 17)
_LAUNCH = Wave(LAUNCH, (0.7, 0.4, 0.2, 0.1), 8)
_PRESS = Wave(PRESS, (1.0, 0.7, 0.4, 0.15), 10)
_ISSUE = Wave(NEWSLETTER, (0.45, 0.12, 0.04), 9)


def is_working(day: date) -> bool:
    """Say whether most people work on that day."""
    return day.weekday() < _SATURDAY and (day.month, day.day) not in {(1, 1), (12, 24), (12, 25), (12, 26), (12, 31)}


def season(day: date) -> float:
    """Return how the time of the year changes what is usual."""
    if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 2):
        return 0.5
    return 0.86 if day.month == _AUGUST else 1.0


def usual(plan: Plan, step: int) -> float:
    """Return how many visits a day would have if nothing happened and chance played no part."""
    day = date_of(plan.day(step))
    growth = _FIRST + (_LAST - _FIRST) * plan.progress(step)
    return plan.visits * growth * _WEEK[day.weekday()] * season(day)


def beginnings(plan: Plan, step: int, chance: Random) -> list[tuple[int, Origin]]:
    """Return when the visits of a day begin, as epoch ms, and what brings each."""
    hours = _hours(plan, step)
    number = about(chance, max(0.3, chance.gauss(1.0, _NOISE)) * usual(plan, step))
    origins = origins_at(plan.progress(step)).picks(chance, number)
    found = list(zip(_moments(hours, 0, number, chance), origins, strict=True))
    for origin, share, begins in happenings(plan, step):
        moments = _moments(hours, begins, about(chance, share * plan.visits), chance)
        found += [(moment, origin) for moment in moments]
    return found


def happenings(plan: Plan, step: int) -> list[tuple[Origin, float, int]]:
    """Return what brings more visits on a day than usual: how many usual days' worth, and from which hour on."""
    marks = highlights(plan.seed, plan.last)
    ago = plan.days - 1 - step
    since = [
        (_FRONT_PAGE, marks.front_page - ago),
        (_THREAD, marks.thread - ago),
        (_LAUNCH, marks.launch - ago),
        (_PRESS, marks.launch - ago),
        (_ISSUE, days_since_issue(date_of(plan.day(step)))),
    ]
    return [
        (wave.origin, wave.sizes[days], 0 if days else wave.begins)
        for wave, days in since
        if 0 <= days < len(wave.sizes)
    ]


def days_since_issue(day: date) -> int:
    """Return how many days ago the last newsletter went out."""
    since = 0
    while not is_newsletter_day(day - timedelta(days=since)):
        since += 1
    return since


def outage(plan: Plan) -> tuple[int, int]:
    """Return from when to when the site could not be reached, in epoch ms."""
    hours = _hours(plan, plan.days - 1 - highlights(plan.seed, plan.last).outage)
    out = [ts for ts, clock, _ in hours if clock in OUTAGE_HOURS]
    return out[0], out[-1] + HOUR_MS


def _hours(plan: Plan, step: int) -> list[tuple[int, int, float]]:
    """Return the hours of a local day: when each begins, what the clock shows then, and how busy it is."""
    day = plan.day(step)
    start, end = bounds(plan.timezone, day)
    curve = _WORKING if is_working(date_of(day)) else _OFF
    zone = zone_of(plan.timezone)
    clocks = [(ts, datetime.fromtimestamp(ts // 1000, UTC).astimezone(zone).hour) for ts in range(start, end, HOUR_MS)]
    return [(ts, clock, curve[clock]) for ts, clock in clocks]


def _moments(hours: list[tuple[int, int, float]], begins: int, number: int, chance: Random) -> list[int]:
    """Return moments of a day, none before the clock shows `begins`."""
    busy = Weighted((ts, weight) for ts, clock, weight in hours if clock >= begins)
    return [hour + chance.randrange(HOUR_MS) for hour in busy.picks(chance, number)]
