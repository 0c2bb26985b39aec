"""Self-hosted visitor tracker and web analytics server."""

__version__ = "0.1.0"
