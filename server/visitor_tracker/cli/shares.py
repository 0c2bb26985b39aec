"""`share` and `pair`: links to a site's numbers, and keys with which programs sign."""

from typing import Any


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
