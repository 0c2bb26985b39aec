"""Which requests count."""

import re
from collections.abc import Iterable
from fnmatch import translate

from visitor_tracker.errors import ConfigError

_GLOB = re.compile(r"[*?\[]")
_PAGE_TYPES = ("text/html", "application/xhtml+xml")


class Rules:
    """`every_request`: all of them; else pages only, that is HTML which a GET was successfully answered with.

    `exclude` has paths that never count: "/health" is that path and everything below it, "*.json" a pattern.
    """

    def __init__(self, *, every_request: bool, exclude: Iterable[str]) -> None:
        if isinstance(exclude, str):
            raise ConfigError(f"exclude must be a list of paths, not the text {exclude!r}")
        self._every = every_request
        self._excluded = re.compile("|".join(map(_pattern, exclude)) or "(?!)").match

    def may_count(self, method: str, path: str) -> bool:
        """Say whether the request counts if its answer lets it."""
        return (self._every or method == "GET") and self._excluded(path) is None

    def counts(self, status: int, content_type: str, accept: str) -> bool:
        """Say whether a request that may count does, by its answer.

        A page that the browser has already is answered 304, and only what it asked for says that it is one.
        """
        if self._every:
            return True
        if status == 304:
            return "text/html" in accept
        return 200 <= status < 300 and content_type.partition(";")[0].strip().lower() in _PAGE_TYPES


def _pattern(text: str) -> str:
    if _GLOB.search(text):
        return translate(text)
    return re.escape(text) if text.endswith("/") else rf"{re.escape(text)}(?:/|\Z)"
