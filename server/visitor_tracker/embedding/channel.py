"""What the program and its child process say to each other: pickled tuples on a pair of sockets, in turn.

    program                                child
    config ───────────────────────────────▶
    (number, name, arguments) ────────────▶ Inside.name(*arguments)
           ◀────────── (number, value, error)

They trust each other, and nobody else has the sockets.
"""

from typing import Any, Literal

from visitor_tracker.errors import TrackerError

Name = Literal["send", "get_all_visitors", "get_visitor", "get_visitor_stats"]
Call = tuple[int, Name, tuple[Any, ...]]
Answer = tuple[int, Any, TrackerError | None]
