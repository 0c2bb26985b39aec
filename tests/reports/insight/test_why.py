"""What explains an anomaly: values that moved more than the others."""

from collections.abc import Iterable

import pytest

from tests.jobs.invented import NOW as DEMO_NOW
from tests.jobs.invented import SITE as DEMO
from tests.jobs.invented import events_of
from tests.reports.insight.crowd import HACKER_NEWS, NOW, SITE, ago, usual, visits
from tests.reports.traffic import FRANCE, GOOGLE, event, fold
from visitor_tracker.days import HOUR_MS, bounds, date_of
from visitor_tracker.event import Event, Place, Source
from visitor_tracker.jobs.demo.plan import Order, highlights
from visitor_tracker.reports.insight.anomalies import AnomaliesAsked, Anomaly, anomalies
from visitor_tracker.reports.insight.causes import Why
from visitor_tracker.reports.insight.why import why
from visitor_tracker.store.arrivals import ArrivedEvents, add_arrivals
from visitor_tracker.store.insight import Annotation, InsightTable
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

DAY = ago(9)  # 2026-11-03, a Tuesday
ASKED = AnomaliesAsked(days=30)


def found_in(table: ReportTable) -> tuple[Anomaly, list[Anomaly]]:
    every = anomalies(table, SITE, "daily", ASKED, NOW)
    return next(each for each in every if each.peak_ms == bounds(SITE.timezone, DAY)[0]), every


def explained(store: SqlStore, table: ReportTable, events: Iterable[Event]) -> Why:
    fold(store, SITE, events)
    anomaly, every = found_in(table)
    return why(table, SITE, "daily", anomaly, NOW, others=every)


def test_a_source_explains_a_spike(store: SqlStore, table: ReportTable) -> None:
    spike = visits(DAY, 160, name="spike", source=HACKER_NEWS, page="/post")
    found = explained(store, table, [*usual(44, 1), *spike])
    first = found.causes[0]
    assert (first.dimension, first.value, first.value_now, first.value_expected) == ("source", "Hacker News", 160, 0)
    assert 0.9 < first.share < 1.1
    assert first.excess <= first.share
    assert first.filter == 'source is "Hacker News"'
    assert first.link == "/dashboard/default?period=2026-11-03&f=is,source,Hacker%20News"
    assert [(each.dimension, each.value, each.share) for each in first.details] == [("entry", "/post", 1.0)]
    assert ("entry", "/post") in [(each.dimension, each.value) for each in found.causes[1:]]
    assert found.link == "/dashboard/default?period=2026-11-03"
    part = "all" if first.share >= 0.995 else f"{first.share:.0%}".replace("%", " %")
    assert found.text == (
        f"Visits rose to {found.value_now:.0f} on Tuesday, 3 November 2026 (usually {found.anomaly.expected:.0f}):"
        f" {part} of the rise is Hacker News, nearly all to /post."
    )
    assert found.suggestion == "Rise of visits: Hacker News"
    assert found.compared_with == ["2026-10-27", "2026-10-20", "2026-10-13", "2026-10-06"]
    assert not found.is_even


def test_what_rises_with_everything_is_no_cause(store: SqlStore, table: ReportTable) -> None:
    found = explained(store, table, [*usual(44, 1), *visits(DAY, 160, name="spike")])
    assert (found.causes, found.is_even) == ([], True)
    assert found.text.endswith("all sources, pages and places rose alike.")
    assert found.suggestion == "Rise of visits"


def test_many_pages_of_which_none_stands_out_are_no_even_rise(store: SqlStore, table: ReportTable) -> None:
    spike = [each for number in range(20) for each in visits(DAY, 17, name=f"{number}", page=f"/post/{number}")]
    found = explained(store, table, [*usual(44, 1), *spike])
    assert (found.causes, found.is_even) == ([], False)
    assert found.text.endswith("many sources, pages or places have a part in it, and none of them most of it.")


def test_a_place_explains_what_no_source_does(store: SqlStore, table: ReportTable) -> None:
    spike = visits(DAY, 160, name="spike", place=Place("SE", "Skåne", 'Malmö, "Väst"'))
    found = explained(store, table, [*usual(44, 1), *spike])
    [cause, *_] = found.causes
    assert (cause.dimension, cause.value) == ("city", 'SE/Skåne/Malmö, "Väst"')
    assert cause.filter == r'city is "SE/Skåne/Malmö, \"Väst\""'
    assert cause.link.endswith("&f=is,city,SE%2FSk%C3%A5ne%2FMalm%C3%B6%5C,%20%22V%C3%A4st%22")
    assert not any(each.dimension in ("country", "region") for each in found.causes), "told once"


def test_a_source_that_is_gone_explains_a_dip(store: SqlStore, table: ReportTable) -> None:
    every = [*usual(44, 1, weekday=90, weekend=60)]
    kept = [each for each in every if each.day != DAY or each.source != GOOGLE]
    other = visits(DAY, 20, name="other", source=Source("social", "Reddit", "reddit.com/"))
    found = explained(store, table, [*kept, *other])
    first = found.causes[0]
    assert (first.dimension, first.value, first.value_now) == ("source", "Google", 0)
    assert first.share > 1, "for others came instead"
    assert [(each.value, each.share < 0) for each in found.counter] == [("Reddit", True)]
    assert "all of the fall is Google" in found.text or "% of the fall is Google" in found.text


@pytest.mark.parametrize(
    ("arrived", "said"),
    [
        (None, "Could the site or its script not be reached?"),
        (100, "Could the site or its script not be reached?"),
        (3, "3 events arrived, where 100 usually do, and all sources fell alike. Was the site, its script or this"),
    ],
)
def test_a_dip_of_everything_asks_what_arrived(
    store: SqlStore, table: ReportTable, arrived: int | None, said: str
) -> None:
    if arrived is not None:
        hours = {bounds("UTC", ago(days))[0] + 12 * HOUR_MS: ArrivedEvents(100) for days in range(60, 0, -1)}
        hours[bounds("UTC", DAY)[0] + 12 * HOUR_MS] = ArrivedEvents(arrived)
        store.database.write(lambda session: add_arrivals(session, SITE.id, hours))
    found = explained(store, table, [*usual(44, 10), *visits(DAY, 6, name="few"), *usual(8, 1)])
    assert found.causes == []
    assert said in found.text
    assert (found.received.events if found.received else None) == arrived


def test_visits_that_view_more_pages_are_told_of(store: SqlStore, table: ReportTable) -> None:
    reader = [
        event(SITE, each.ts + number, f"reader {place}", f"/docs/{number}", source=each.source, place=each.place)
        for place, each in enumerate(visits(DAY, 4, name="reader", source=GOOGLE))
        for number in range(40)
    ]
    found = explained(store, table, [*usual(44, 1), *reader])
    assert found.anomaly.metric == "views"
    assert found.depth is not None
    assert found.depth.views_per_visit > 3 > 1.1 > found.depth.usually
    assert f"visits had more views, {found.depth.views_per_visit:.1f} a visit, usually 1.0." in found.text


def test_weeks_with_other_anomalies_say_nothing_of_what_is_usual(store: SqlStore, table: ReportTable) -> None:
    earlier = [*visits(ago(16), 160, name="a", page="/x"), *visits(ago(23), 160, name="b", page="/x")]
    found = explained(store, table, [*usual(70, 1), *earlier, *visits(DAY, 160, name="c", page="/x", place=FRANCE)])
    assert found.compared_with == ["2026-10-13", "2026-10-06", "2026-09-29", "2026-09-22"]
    assert found.value_expected < 50


def test_notes_of_the_day_are_told(store: SqlStore, table: ReportTable) -> None:
    kept = InsightTable(store.database).kept_annotations
    start, end = bounds(SITE.timezone, DAY)
    for text, at in (("before", start - 1), ("Version 2", start + HOUR_MS), ("after", end)):
        kept.add(SITE.id, Annotation(text, "https://a.test/", at=at))
    found = explained(store, table, [*usual(44, 1), *visits(DAY, 160, name="spike")])
    assert [(each.text, each.at) for each in found.annotations] == [("Version 2", "2026-11-03T00:00:00.000Z")]


def test_a_site_without_an_earlier_week_is_not_explained(store: SqlStore, table: ReportTable) -> None:
    fold(store, SITE, [*usual(44, 1), *visits(DAY, 160, name="spike")])
    anomaly, _ = found_in(table)
    first = bounds(SITE.timezone, ago(42))[0]
    early = Anomaly(**{name: getattr(anomaly, name) for name in Anomaly.__struct_fields__} | {"peak_ms": first})
    found = why(table, SITE, "daily", early, NOW)
    assert (found.causes, found.compared_with) == ([], [])
    assert found.text.endswith("There is no earlier week to compare it with.")


def test_the_front_page_of_the_demo_is_named(sqlite_store: SqlStore) -> None:
    plan = Order(DEMO, DEMO_NOW, days=64, visits=60).plan()
    fold(sqlite_store, DEMO, events_of(plan))
    table = ReportTable(sqlite_store.database)
    every = anomalies(table, DEMO, "daily", AnomaliesAsked(), DEMO_NOW)
    day = date_of(plan.day(plan.days - 1 - highlights(plan.seed, plan.last).front_page)).isoformat()
    [found] = [each for each in every if each.start == day]
    assert len(every) <= 2, "and hardly anything else is an alarm"
    reason = why(table, DEMO, "daily", found, DEMO_NOW, others=every)
    assert (reason.causes[0].dimension, reason.causes[0].value) == ("source", "Hacker News")
    assert "of the rise is Hacker News" in reason.text
