"""What an import found, counted."""

from collections import Counter

import msgspec

from visitor_tracker.event import Event
from visitor_tracker.ingest.bots import judge, reasons

_PROBLEMS_MOST = 5
_EXAMPLES_MOST = 5


class Problem(msgspec.Struct, frozen=True):
    """A line that could not be read; `line` is 0 where its number is not known."""

    file: str
    line: int
    why: str


class Tally:
    """Of one import; of one thread. Times are epoch ms, 0 for none."""

    def __init__(self) -> None:
        self.lines = 0
        self.views = 0
        self.broken = 0
        self.sites: set[int] = set()
        self.robots: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.first_ts = 0
        self.last_ts = 0
        self.problems: list[Problem] = []
        self.examples: list[Event] = []

    @property
    def events(self) -> int:
        """Page views, of people and of robots."""
        return self.views + self.robots.total()

    @property
    def may_show_more(self) -> bool:
        """Whether the next problem is one of the first ones, which are shown."""
        return len(self.problems) < _PROBLEMS_MOST

    def take(self, event: Event) -> None:
        """Count an event."""
        self.sites.add(event.site_id)
        if judge(event.signals):
            self.robots[event.agent.bot or f"({', '.join(reasons(event.signals))})"] += 1
        else:
            self.views += 1
        if len(self.examples) < _EXAMPLES_MOST:
            self.examples.append(event)
        if event.ts > self.last_ts:
            self.last_ts = event.ts
        if event.ts < self.first_ts or not self.first_ts:
            self.first_ts = event.ts
