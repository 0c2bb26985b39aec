"""What is planted in the invented year is found and named: by itself, on sites of several sizes, whatever the seed."""

from collections.abc import Iterable
from itertools import islice

import pytest

from tests.jobs.invented import NOW, SITE
from tests.reports.traffic import fold
from visitor_tracker.days import bounds, date_of, day_after
from visitor_tracker.event import Event
from visitor_tracker.jobs.demo.plan import Highlights, Order, Plan, highlights
from visitor_tracker.jobs.demo.traffic import days_of_traffic
from visitor_tracker.jobs.demo.writing import Understanding
from visitor_tracker.reports.insight.anomalies import DAYS_MOST, AnomaliesAsked, Anomaly, anomalies
from visitor_tracker.reports.insight.causes import Why
from visitor_tracker.reports.insight.why import why
from visitor_tracker.sites import Policy
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

BEFORE, AFTER = 45, 6  # days of history in front of what is planted, and behind it
LAUNCH = {("source", "Product Hunt"), ("source", "gazette.example"), ("entry", "/marrow-2"), ("country", "US")}
FRONT_PAGE = {("source", "Hacker News"), ("entry", "/blog/sqlite-in-production")}
THREAD = {("source", "Reddit"), ("entry", "/blog/writing-a-parser")}


def part(plan: Plan, ago: int, until: int) -> Iterable[Event]:
    """Return the events from so many days ago until so many days ago."""
    understood = Understanding(plan, Policy())
    for day in islice(days_of_traffic(plan, plan.days - 1 - ago), ago - until + 1):
        yield from understood.events(day)


def told(store: SqlStore, plan: Plan, ago: int, until: int) -> dict[int, tuple[Anomaly, Why]]:
    """Return by day what the site's people read the day after `until`."""
    fold(store, SITE, list(part(plan, ago, until)))
    table, now = ReportTable(store.database), bounds(SITE.timezone, day_after(plan.last, 1 - until))[0] + 10 * 3_600_000
    every = anomalies(table, SITE, "daily", AnomaliesAsked(days=DAYS_MOST, hour_days=0), now)
    return {
        int(each.start.replace("-", "")): (each, why(table, SITE, "daily", each, now, others=every)) for each in every
    }


def of_day(found: dict[int, tuple[Anomaly, Why]], plan: Plan, ago: int) -> tuple[Anomaly, Why]:
    day = day_after(plan.last, -ago)
    assert day in found, f"{date_of(day)} is not told, but {sorted(found)}"
    return found[day]


def named(reason: Why) -> set[tuple[str, str]]:
    return {(cause.dimension, cause.value) for cause in reason.causes}


@pytest.mark.parametrize(("seed", "visits"), [(1, 50), (2, 80), (3, 40)])
def test_every_cause_that_is_planted_to_be_seen_is_named(sqlite_store: SqlStore, seed: int, visits: int) -> None:
    plan = Order(SITE, NOW, days=300, visits=visits, seed=seed).plan()
    marks: Highlights = highlights(plan.seed, plan.last)
    found = told(sqlite_store, plan, marks.launch + BEFORE, marks.front_page - AFTER)
    for ago, causes in ((marks.launch, LAUNCH), (marks.thread, THREAD), (marks.front_page, FRONT_PAGE)):
        rise, reason = of_day(found, plan, ago)
        assert rise.kind == "spike"
        assert causes <= named(reason), reason.text
        assert f"{reason.causes[0].value}" in reason.text
        assert (reason.causes[0].dimension, reason.causes[0].value) in causes
    dip, reason = of_day(found, plan, marks.outage)
    assert (dip.kind, reason.causes) == ("dip", [])
    assert reason.text.endswith("all sources fell alike. Could the site or its script not be reached?")
