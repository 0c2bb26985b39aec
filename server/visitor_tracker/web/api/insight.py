"""Goals, funnels, retention, journeys, segments and annotations."""

from visitor_tracker.web.api.funnels import FunnelRoutes
from visitor_tracker.web.api.goals import GoalRoutes
from visitor_tracker.web.api.kept import Desk
from visitor_tracker.web.api.notes import NoteRoutes
from visitor_tracker.web.api.visits import VisitRoutes
from visitor_tracker.web.api.ways import WayRoutes
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    desk = Desk(parts)
    return [
        *GoalRoutes(desk).routes(),
        *FunnelRoutes(desk).routes(),
        *WayRoutes(desk).routes(),
        *NoteRoutes(desk).routes(),
        *VisitRoutes(desk).routes(),
    ]
