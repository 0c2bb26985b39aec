"""Averages, busy hours, growth and its noise, and pages that rise, fall, come and fade."""

from itertools import chain

from tests.reports.insight.crowd import HACKER_NEWS, NOW, SITE, ago, usual, visits
from tests.reports.traffic import fold
from visitor_tracker.reports.insight.fading import fading_pages
from visitor_tracker.reports.insight.page_changes import page_changes
from visitor_tracker.reports.insight.trends import Average, trends
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore


def test_a_site_without_visits_has_no_trends(table: ReportTable) -> None:
    found = trends(table, SITE, 28, NOW)
    assert (found.average, found.average_before, found.growth) == (Average(0, 0.0, 0.0, 0.0), None, None)
    assert (found.weekdays, found.busiest_weekday, found.risers, found.fading) == ([], None, [], [])
    assert found.hours.busiest == []
    assert found.hours.table == [[None] * 24] * 7


def test_averages_and_busy_times_are_of_complete_days(store: SqlStore, table: ReportTable) -> None:
    evenings = chain.from_iterable(visits(ago(7 * week + 3), 60, name="e", hours=(20, 21)) for week in range(9))
    front_page = visits(ago(8), 400, name="spike", hours=(3, 4), source=HACKER_NEWS)
    fold(store, SITE, [*usual(70, 1), *evenings, *front_page, *visits(ago(0), 500, name="today")])
    found = trends(table, SITE, 7, NOW)
    assert (found.first, found.last, found.average.days) == ("2026-11-05", "2026-11-11", 7)
    assert found.average.visits == found.average.views == found.average.visitors
    assert 40 < found.average.visits < 45, "(5 × 40 + 2 × 20 + 60) / 7"
    assert found.average_before is not None
    assert found.average_before.visits > 90
    assert found.busiest_weekday == "Monday", "not the Wednesday of a front page"
    assert [each.weekday for each in found.weekdays][::6] == ["Monday", "Sunday"]
    assert sum(each.share for each in found.weekdays) == 1
    busiest = found.hours.busiest[0]
    assert (busiest.weekday, busiest.hour) == ("Monday", 20)
    assert found.hours.table[0][20] == busiest.visits
    assert (found.hours.weeks, found.hours.table[2][3]) == (8, 0.0)


def test_growth_is_told_beside_what_is_usual(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, usual(98, 1))
    growth = trends(table, SITE, 28, NOW).growth
    assert growth is not None
    assert growth.percent is not None
    assert growth.usual_low is not None
    assert growth.usual_high is not None
    assert growth.usual_low < -5 < 5 < growth.usual_high, "so few visits differ by so much by chance"
    assert growth.is_usual
    assert "no more than weeks usually differ" in growth.text


def test_growth_of_a_young_site_is_not_judged(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*visits(ago(15), 1), *visits(ago(14), 10), *visits(ago(8), 10), *visits(ago(1), 30)])
    growth = trends(table, SITE, 28, NOW).growth
    assert growth is not None
    assert (growth.visits, growth.visits_before, growth.percent) == (30, 20, 50.0)
    assert (growth.usual_low, growth.is_usual) == (None, None)
    assert "too few weeks" in growth.text
    found = page_changes(table, SITE, ago(10), ago(1))
    assert found.risers == [], "half of the ten days before were none of the site's"


def test_more_than_weeks_usually_differ(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(98, 1), *visits(ago(2), 200, name="spike")])
    growth = trends(table, SITE, 28, NOW).growth
    assert growth is not None
    assert (growth.is_usual, growth.text.endswith("more than weeks usually differ.")) == (False, True)


def test_pages_that_changed_more_than_chance_changes_them(store: SqlStore, table: ReportTable) -> None:
    planted = [
        *visits(ago(40), 30, name="rises", page="/rises"),
        *visits(ago(5), 120, name="rises", page="/rises"),
        *visits(ago(40), 120, name="falls", page="/falls"),
        *visits(ago(5), 20, name="falls", page="/falls"),
        *visits(ago(5), 40, name="new", page="/new"),
        *visits(ago(60), 5, name="back", page="/back"),
        *visits(ago(5), 60, name="back", page="/back"),
        *visits(ago(40), 20, name="steady", page="/steady"),
        *visits(ago(5), 26, name="steady", page="/steady"),
        *visits(ago(5), 3, name="few", page="/few"),
    ]
    fold(store, SITE, [*usual(63, 1), *planted])
    found = page_changes(table, SITE, ago(28), ago(1))
    assert [(each.page, each.views, each.views_before) for each in found.risers] == [
        ("/rises", 120, 30),
        ("/back", 60, 0),
    ]
    assert [(each.page, each.percent) for each in found.fallers] == [("/falls", -83.3)]
    assert [(each.page, each.percent) for each in found.new] == [("/new", None)]
    assert found.risers[0].certainty > 3


def test_a_page_that_loses_readers_for_months_fades(store: SqlStore, table: ReportTable) -> None:
    guide = (visits(ago(days), days // 14, name="guide", page="/guide") for days in range(180, 0, -1))
    faq = (visits(ago(days), 7, name="faq", page="/faq") for days in range(180, 0, -1))
    post = (visits(ago(150 - day), 60 >> day, name="post", page="/post") for day in range(6))
    fold(store, SITE, [each for days in (*guide, *faq, *post) for each in days])
    [found] = fading_pages(table, SITE, ago(1))
    assert (found.page, found.weeks >= 8) == ("/guide", True)
    assert found.views_a_week < 12 < 60 < found.views_a_week_then
    assert found.left < 0.2 < found.left_of_site
    assert trends(table, SITE, 28, NOW).fading == [found]


def test_a_page_of_a_site_that_falls_as_a_whole_does_not_fade(store: SqlStore, table: ReportTable) -> None:
    both = (
        visits(ago(days), days // 10, name=page, page=page) for days in range(180, 0, -1) for page in ("/guide", "/faq")
    )
    fold(store, SITE, chain.from_iterable(both))
    assert fading_pages(table, SITE, ago(1)) == []
