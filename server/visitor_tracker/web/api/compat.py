"""Reads and changes as clients of earlier trackers know them."""

from visitor_tracker.web.api.old_analytics import OldAnalytics
from visitor_tracker.web.api.old_counts import OldCounts
from visitor_tracker.web.api.old_outlook import OldOutlook
from visitor_tracker.web.api.old_websites import OldWebsites
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    handlers = (OldCounts(parts), OldOutlook(parts), OldAnalytics(parts), OldWebsites(parts))
    return [route for each in handlers for route in each.routes()]
