"""The routes that need nothing of a process but its store and its snapshot: files and pages, and what readers ask."""

from collections.abc import Callable, Mapping

from visitor_tracker.config import Config
from visitor_tracker.reports.live import LiveView
from visitor_tracker.sites import Snapshot
from visitor_tracker.web.api import (
    accounts,
    alert_channels,
    compat,
    credentials,
    describing,
    insight,
    outlook,
    query,
    reports,
    robots,
    site_rights,
)
from visitor_tracker.web.assets import AssetRoutes
from visitor_tracker.web.dashboard import DashboardRoutes
from visitor_tracker.web.disclosure import DisclosureRoutes
from visitor_tracker.web.guards import Scheme
from visitor_tracker.web.live_stream import LiveStreamRoutes
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.player import PlayerRoutes
from visitor_tracker.web.problems import ProblemRoutes
from visitor_tracker.web.quality import QualityRoutes
from visitor_tracker.web.router import Route
from visitor_tracker.web.script import ScriptRoutes
from visitor_tracker.web.stats import StatsRoutes
from visitor_tracker.web.unsubscribe import UnsubscribeRoutes
from visitor_tracker.web.visitors import JUDGE, VisitorRoutes

Now = Callable[[], Snapshot]


def page_routes(files: Mapping[str, bytes], assets: AssetRoutes, now: Now, config: Config) -> list[Route]:
    """Return the routes of the built client: its files, the tracker script, and the pages made of them."""
    return [
        *assets.routes(),
        *ScriptRoutes(files, now, config).routes(),
        *DisclosureRoutes(config, now, assets).routes(),
        *PlayerRoutes(files, assets).routes(),
        *DashboardRoutes(files, assets).routes(),
    ]


def api_routes(parts: Parts) -> list[Route]:
    """Return the routes of the API: those that show numbers and visitors, and those of its modules."""
    store, now = parts.store, parts.snapshot
    live = LiveView(store.database, JUDGE)  # one: who follows a site and who asks once share what is read
    modules = (
        accounts,
        credentials,
        site_rights,
        query,
        insight,
        outlook,
        reports,
        alert_channels,
        describing,
        robots,
        compat,
    )
    return [
        *StatsRoutes(store, now).routes(),
        *ProblemRoutes(store, now).routes(),
        *QualityRoutes(store, now).routes(),
        *VisitorRoutes(store, now, parts.hash_session, parts.clock, live).routes(),
        *LiveStreamRoutes(parts, live).routes(),
        *UnsubscribeRoutes(parts).routes(),
        *[route for module in modules for route in module.routes(parts)],
    ]


def api_schemes(parts: Parts) -> list[Scheme]:
    """Return the ways to prove who asks, in the order in which they are tried."""
    return [*credentials.schemes(parts), *credentials.ambient_schemes(parts, accounts.schemes(parts))]
