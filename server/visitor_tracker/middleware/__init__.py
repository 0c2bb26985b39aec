"""Tracking inside other programs: middleware for ASGI and WSGI that counts their visitors without a script in the page.

    request thread ── Recorder.record ──▶ Sender's queue ──(a thread per process)──▶ Tracker

It needs no framework and nothing of the server. Where the events go is a `Tracker`: a server over HTTP, or one that
runs in the same program (`visitor_tracker.embedded`), which is loaded only where it is used.
"""

from visitor_tracker.middleware.address import get_client_ip
from visitor_tracker.middleware.asgi import VisitorTrackingMiddleware
from visitor_tracker.middleware.sender import Counts, counts
from visitor_tracker.middleware.tracker import Delivered, Refused, Tracker, Unavailable
from visitor_tracker.middleware.wsgi import WSGIVisitorTrackingMiddleware

__all__ = [
    "Counts",
    "Delivered",
    "Refused",
    "Tracker",
    "Unavailable",
    "VisitorTrackingMiddleware",
    "WSGIVisitorTrackingMiddleware",
    "counts",
    "get_client_ip",
]
