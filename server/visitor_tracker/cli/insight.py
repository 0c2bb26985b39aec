"""`goal`, `funnel`, `journey`, `cohorts`, `attribution`, `segment`, `annotation`; `forecast` …"""

from typing import Any

from visitor_tracker.cli import funnels, goals, notes, outlook, ways


def add_commands(commands: Any) -> None:  # noqa: ANN401
    """Add the commands of goals, funnels and what people keep to look at numbers with."""
    goals.add_commands(commands)
    funnels.add_commands(commands)
    ways.add_commands(commands)
    notes.add_commands(commands)
    outlook.add_commands(commands)
