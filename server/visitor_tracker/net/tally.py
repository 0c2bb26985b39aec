"""What is counted of every request."""

from visitor_tracker.metrics import Cell, Counters

_CLASSES = (*(Cell.RESPONSES_2XX,) * 3, Cell.RESPONSES_3XX, Cell.RESPONSES_4XX, Cell.RESPONSES_5XX)  # by hundreds


class Tally:
    """Of one loop; reaching a counter costs much of a microsecond, so that is done once for all requests of a turn."""

    __slots__ = ("_counters", "requests", "statuses")

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.requests = 0
        self.statuses: list[int] = []  # of answers

    def publish(self) -> None:
        """Add what was counted since the last call to the counters."""
        if self.requests:
            self._counters.add(Cell.REQUESTS, self.requests)
            self.requests = 0
        if self.statuses:
            for status in set(self.statuses):
                self._counters.add(_CLASSES[status // 100], self.statuses.count(status))
            self.statuses.clear()
