"""`export`, `erase` and `audit`: the rights of the people being counted, and who changed what."""

from typing import Any


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of this file."""
