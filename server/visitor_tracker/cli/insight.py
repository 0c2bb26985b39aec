"""`goal`, `funnel`, `journey`, `cohorts`, `attribution`, `segment` and `annotation`."""

from typing import Any

from visitor_tracker.cli import funnels, goals, notes, ways


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of goals, funnels and what people keep to look at numbers with."""
    goals.add_commands(commands)
    funnels.add_commands(commands)
    ways.add_commands(commands)
    notes.add_commands(commands)
