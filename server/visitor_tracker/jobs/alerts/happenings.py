"""What a look at one rule finds: what happens, and what there is to say of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from visitor_tracker.config import Config
from visitor_tracker.days import zone_of
from visitor_tracker.outgoing.channels import Severity
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.alert_deliveries import State
from visitor_tracker.store.alerts import Rule
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

MINUTE_MS = 60_000

Told = dict[str, str | int | float | None]  # what programs are told besides


class Happening(msgspec.Struct, frozen=True):
    """`key` names it; "" is the one that goes on, of rules that have one at a time. One that has no end is told once.

    `since` is epoch ms, `link` a path of the dashboard.
    """

    key: str
    since: int
    title: str
    text: str
    severity: Severity = "warning"
    link: str = ""
    numbers: Told = {}
    is_over: bool = False
    has_end: bool = True


class Looked(msgspec.Struct, frozen=True):
    """`calm` is what there is to say when something is over."""

    found: tuple[Happening, ...] = ()
    calm: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a rule is looked at with. `started` is since when this process looks, epoch ms as `now`."""

    store: SqlStore
    config: Config
    site: Site
    policy: VisitorPolicy
    rule: Rule
    states: Mapping[bytes, State]
    now: int
    started: int

    @property
    def table(self) -> ReportTable:
        return ReportTable(self.store.database)

    @property
    def goes_on(self) -> bool:
        """Say whether something was noticed that is not over."""
        return any(not state.done for state in self.states.values())

    def clock(self, at: int) -> str:
        """Return a moment as people of the site write it."""
        return f"{datetime.fromtimestamp(at / 1000, zone_of(self.site.timezone)):%H:%M on %-d %B}"


Look = Callable[[View], Looked | None]  # None: it cannot be said now, and nothing changes
