"""Sites, their visitors, and the rights of these: find, export, erase; the audit log, the self-test."""

from visitor_tracker.web.api.audit import AuditRoutes
from visitor_tracker.web.api.checks import CheckRoutes
from visitor_tracker.web.api.my_data import MyDataRoutes
from visitor_tracker.web.api.sites import SiteRoutes
from visitor_tracker.web.api.visitors import VisitorApi
from visitor_tracker.web.parts import Parts
from visitor_tracker.web.privacy import PrivacyRoutes
from visitor_tracker.web.router import Route


def routes(parts: Parts) -> list[Route]:
    """Return the routes of this file and of those that belong to it."""
    my_data = MyDataRoutes(parts)
    return [
        *SiteRoutes(parts).routes(),
        *VisitorApi(parts).routes(),
        *my_data.routes(),
        *PrivacyRoutes(parts, my_data).routes(),
        *AuditRoutes(parts).routes(),
        *CheckRoutes(parts).routes(),
    ]
