"""Visits of many days as tests of forecasts and anomalies need them: usual ones by the weekday, and what is planted."""

from collections.abc import Iterator
from random import Random

from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, event
from visitor_tracker.days import HOUR_MS, bounds, date_of, day_after
from visitor_tracker.event import Event, Place, Source
from visitor_tracker.sites import Site

TODAY = 20261112  # a Thursday
SITE = Site(1, "default", timezone="Europe/Berlin")
NOW = bounds(SITE.timezone, TODAY)[0] + 10 * HOUR_MS
HACKER_NEWS = Source("social", "Hacker News", "news.ycombinator.com/item")

_PLACES = (GERMANY, GERMANY, FRANCE)
_SOURCES = (GOOGLE, GOOGLE, Source())
_PAGES = ("/", "/", "/docs", "/blog/")
_WEEKEND = 5


def ago(days: int) -> int:
    """Return the day so many days before today."""
    return day_after(TODAY, -days)


def visits(  # noqa: PLR0913 - the rest by keyword
    day: int,
    number: int,
    *,
    name: str = "",
    hours: tuple[int, int] = (8, 22),
    source: Source | None = None,
    page: str = "",
    place: Place | None = None,
) -> list[Event]:
    """Return so many visits of one view each, between these hours of the clock; what is not given, chance chooses."""
    chance = Random(f"{day} {name}")
    midnight = bounds(SITE.timezone, day)[0]
    found = []
    for number_of in range(number):
        moment = midnight + chance.randrange(hours[0] * HOUR_MS, hours[1] * HOUR_MS)
        somewhere, by, path = chance.choice(_PLACES), chance.choice(_SOURCES), chance.choice(_PAGES)
        found.append(
            event(
                SITE, moment, f"{day} {name} {number_of}", page or path, place=place or somewhere, source=source or by
            )
        )
    return found


def usual(first: int, last: int, *, weekday: int = 40, weekend: int = 20) -> Iterator[Event]:
    """Yield the usual visits from so many days ago to so many days ago, a few more or less."""
    for days in range(first, last - 1, -1):
        day = ago(days)
        level = weekend if date_of(day).weekday() >= _WEEKEND else weekday
        yield from visits(day, round(level * Random(day).uniform(0.9, 1.1)))
