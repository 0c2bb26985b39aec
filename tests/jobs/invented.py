"""Plans of invented visits, small enough for tests."""

from visitor_tracker.event import Event
from visitor_tracker.jobs.demo.plan import Order, Plan
from visitor_tracker.jobs.demo.traffic import days_of_traffic
from visitor_tracker.jobs.demo.writing import Understanding
from visitor_tracker.sites import Policy, Site, site_id_of

NOW = 1_795_348_800_000  # 2026-11-22T12:00:00Z, a Sunday
DAY_MS = 86_400_000
SITE = Site(site_id_of("demo"), "demo", ("demo.example",), timezone="Europe/Berlin")
SMALL = Order(SITE, NOW, days=6, visits=25)


def events_of(plan: Plan, policy: Policy | None = None) -> list[Event]:
    """Return what a server understands of a plan."""
    understood = Understanding(plan, policy or Policy())
    return [event for day in days_of_traffic(plan) for event in understood.events(day)]
