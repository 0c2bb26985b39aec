"""Self-hosted visitor tracker and web analytics server."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visitor_tracker.compat import VisitorTrackingServer as VisitorTrackingServer

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load the embedding surface only for programs that ask for it."""
    if name == "VisitorTrackingServer":
        from visitor_tracker.compat import VisitorTrackingServer

        return VisitorTrackingServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
