"""What the next days are likely to bring: pure maths, without a store."""

from visitor_tracker.errors import TrackerError


class TooShort(TrackerError):
    """Less was measured than a forecast needs; both are numbers of steps."""

    def __init__(self, needed: int, there: int) -> None:
        super().__init__(f"a forecast needs {needed} measured steps, and there are {there}")
        self.needed = needed
        self.there = there
