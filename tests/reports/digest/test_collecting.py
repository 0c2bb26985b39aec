"""What a report says of real numbers, on every store."""

from tests.reports.traffic import FRANCE, GERMANY, GOOGLE, INSIDE, MINUTE, event, fold
from visitor_tracker.days import DAY_MS, HOUR_MS, bounds
from visitor_tracker.event import Event, Source
from visitor_tracker.reports.digest.calendar import Days
from visitor_tracker.reports.digest.collecting import Collector
from visitor_tracker.reports.digest.content import Digest, Figure, Line, Listing, Reached
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store.insight import Goal
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

SITE = Site(site_id_of("blog"), "blog", timezone="Europe/Berlin")
MONDAY = 20261116
NOW = bounds(SITE.timezone, 20261123)[0] + 8 * HOUR_MS
GOALS = [Goal("Paid", "page", page="/thanks", id=b"1" * 16), Goal("Never", "event", event="x", id=b"2" * 16)]
SPRING = Source("email", "news", utm_source="news", utm_medium="email", utm_campaign="spring")


def week_of(start: int, visits: int, *, page: str = "/new", source: Source = GOOGLE) -> list[Event]:
    """Return visits of two pages, as many on each of seven days, by somebody else each."""
    found = []
    for day in range(7):
        for number in range(visits):
            ts, who = start + day * DAY_MS + 9 * HOUR_MS + number * 10 * MINUTE, f"{start} {day} {number}"
            place = GERMANY if number % 2 else FRANCE
            found.append(event(SITE, ts, who, "/", source=source, place=place))
            found.append(event(SITE, ts + MINUTE, who, page, source=INSIDE, place=place))
    return found


def report(store: SqlStore, every: str, days: Days, events: list[Event]) -> Digest:
    fold(store, SITE, events)
    collector = Collector(ReportTable(store.database), SITE, "daily", NOW)
    return collector.digest("weekly" if every == "weekly" else "monthly", days, GOALS)


def test_a_week_beside_the_week_before(store: SqlStore) -> None:
    monday = bounds(SITE.timezone, MONDAY)[0]
    events = [
        *week_of(monday - 7 * DAY_MS, 2, page="/old"),
        *week_of(monday, 3, source=SPRING),
        event(SITE, monday + 12 * HOUR_MS, "payer", "/thanks", place=GERMANY),
    ]
    found = report(store, "weekly", Days(MONDAY, 20261122), events)
    assert found.before == Days(20261109, 20261115)
    assert found.figures[:3] == (
        Figure("visitors", 22, 14.0, "unknown"),
        Figure("visits", 22, 14.0, "unknown"),
        Figure("views", 43, 28.0, "unknown"),
    )
    assert found.visitors_are == "daily_sum"
    assert [(bar.day, bar.visits) for bar in found.bars] == [(MONDAY, 4), *((MONDAY + day, 3) for day in range(1, 7))]
    pages, sources, countries, campaigns = found.lists
    assert pages == Listing("pages", (Line("/new", 21, 0.0), Line("/", 21, 14.0), Line("/thanks", 1, 0.0)), 43)
    assert sources.rows == (Line("news", 21, 0.0),)
    assert countries.rows == (Line("FR", 14, 7.0), Line("DE", 8, 7.0))
    assert campaigns.rows == (Line("spring", 21, 0.0),)
    assert found.goals == (Reached("Paid", 1, 0.0, 0.0455), Reached("Never", 0, 0.0, 0.0))
    assert found.risers == (Line("/new", 21, 0.0),)
    assert found.fallers == (), "14 views are few"
    assert (found.known, found.is_empty) == (20261109, False)


def test_months_are_compared_by_the_day(store: SqlStore) -> None:
    september, october = bounds(SITE.timezone, 20260901)[0], bounds(SITE.timezone, 20261001)[0]
    found = report(store, "monthly", Days(20261001, 20261031), [*week_of(september, 3), *week_of(october, 3)])
    visits = found.figure("visits")
    assert visits.value == 21
    assert visits.before == 21 * (31 / 30)
    assert len(found.bars) == 31
    assert found.figure("bounce_rate").before == 0.0


def test_the_first_week_is_compared_with_nothing(store: SqlStore) -> None:
    found = report(store, "weekly", Days(MONDAY, 20261122), week_of(bounds(SITE.timezone, MONDAY)[0], 1))
    assert [figure.before for figure in found.figures] == [None] * 5


def test_a_site_without_visits_has_a_report_too(store: SqlStore) -> None:
    found = report(store, "weekly", Days(MONDAY, 20261122), [])
    assert found.is_empty
    assert found.known is None
    assert (found.happenings, found.risers, found.fallers) == ((), (), ())


def test_goals_are_left_out_of_too_many_visits(store: SqlStore) -> None:
    fold(store, SITE, week_of(bounds(SITE.timezone, MONDAY)[0], 1, page="/thanks"))
    days, told = Days(MONDAY, 20261122), []
    for most in (6, 7, None):
        collector = Collector(ReportTable(store.database), SITE, "daily", NOW, most)
        found = collector.digest("weekly", days, GOALS)
        told.append((found.goals_are_counted, len(found.goals)))
        assert collector.digest("weekly", days, []).goals_are_counted
    assert told == [(False, 0), (True, 2), (True, 2)]
