"""The query API: numbers of a site by any metrics, dimensions and filters."""

from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    return []
