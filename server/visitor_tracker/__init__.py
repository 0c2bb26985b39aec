"""Self-hosted visitor tracker and web analytics server."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visitor_tracker.compat import VisitorTrackingServer as VisitorTrackingServer
    from visitor_tracker.embedding import default_tracker as default_tracker
    from visitor_tracker.embedding import embedded as embedded

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load the embedding surfaces only for programs that ask for them."""
    if name == "VisitorTrackingServer":
        from visitor_tracker.compat import VisitorTrackingServer

        return VisitorTrackingServer
    if name in ("embedded", "default_tracker"):
        from visitor_tracker import embedding

        return getattr(embedding, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
