"""`goal`, `funnel`, `segment` and `annotation`."""

from typing import Any


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
