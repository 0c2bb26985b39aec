"""Log-in, one's own account, users and members of sites."""

from visitor_tracker.web.guards import Scheme
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    return []


def schemes(parts: Parts) -> list[Scheme]:
    """Return the ways to prove who asks that this file has, in the order in which they are tried."""
    return []
