"""Put this in the place of services/api/middleware/visitor_tracker.py: a program goes on with the imports it has.

`from services.api.middleware.visitor_tracker import VisitorTrackingMiddleware`, and every function that was there.
"""

from visitor_tracker.visitor_file import (
    VisitorTrackingMiddleware,
    get_all_visitors,
    get_client_ip,
    get_ip_geolocation,
    get_visitor_stats,
    load_visitor_data,
    save_visitor_data,
    track_visitor,
)

__all__ = [
    "VisitorTrackingMiddleware",
    "get_all_visitors",
    "get_client_ip",
    "get_ip_geolocation",
    "get_visitor_stats",
    "load_visitor_data",
    "save_visitor_data",
    "track_visitor",
]
