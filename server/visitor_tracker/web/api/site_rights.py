"""Sites, their visitors, and the rights of these: find, export, erase; the audit log."""

from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    return []
