"""Delete what tells of single visitors when it was kept long enough, by the settings and by what each site says.

Small steps, each in a transaction of its own, so that the fold and the visits go on in between. What is killed half-way
goes on with the next run: nothing is noted but what is gone. Sums of hours, days and months stay.
"""

import time
from collections.abc import Callable, Iterable

import msgspec

from visitor_tracker.access.retention import Kept, kept_by
from visitor_tracker.config import Config
from visitor_tracker.days import DAY_MS, bounds, day_after, day_of, month_of
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.replay import ReplayTable
from visitor_tracker.store.retention import Before, RetentionTables
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

_BY_DAY = frozenset({"events", "visits"})
_LASTING: frozenset[VisitorPolicy] = frozenset({"persistent", "cookie", "client"})


class Due(msgspec.Struct, frozen=True):
    """What a site has of a kind from before a moment (epoch ms) that its days lead to; `rows` are to go, or went."""

    site: str
    kind: str
    days: int
    before: int
    rows: int


class Retainer:
    """Belongs to one thread."""

    def __init__(
        self, store: SqlStore, config: Config, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """`clock` is epoch ms."""
        self._config = config
        self._clock = clock
        self._tables = RetentionTables(store.database)
        self._replays = ReplayTable(store.database)
        self._sites = SiteTable(store.database)
        self._audit = AuditTable(store.database)

    def due(self) -> list[Due]:
        """Return what would go now."""
        found = [due for site in self._all_sites() for due in self._due(site)]
        days = self._config.retention.audit_days
        if days:
            before = self._clock() - days * DAY_MS
            found.append(Due("", "audit", days, before, self._audit.count(before)))
        return found

    def run(self, is_over: Callable[[], bool] = bool) -> list[Due]:
        """Delete what is due, until `is_over`; return what went."""
        gone = [each for site in self._all_sites() for each in self._purge(site, is_over) if each.rows]
        days = self._config.retention.audit_days
        if days and not is_over():
            before = self._clock() - days * DAY_MS
            rows = self._steps(lambda: self._audit.purge(before), is_over)
            gone += [Due("", "audit", days, before, rows)] if rows else []
        return gone

    def _all_sites(self) -> list[Site]:
        """Return the sites, and those that were taken off the list: what was counted for them is still there."""
        sites = self._sites.all()
        known = {site.id for site in sites}
        return [*sites, *(Site(site_id, "") for site_id in self._tables.sites() if site_id not in known)]

    def _due(self, site: Site) -> Iterable[Due]:
        kept = kept_by(site, self._config)
        for kind, days in _kinds(kept):
            if days:
                before = self._before(site, kind, days)
                rows = (
                    self._replays.old(site.id, before.ms)
                    if kind == "recordings"
                    else self._tables.count(site.id, kind, before)
                )
                yield Due(site.name, kind, days, before.ms, rows)

    def _purge(self, site: Site, is_over: Callable[[], bool]) -> Iterable[Due]:
        kept = kept_by(site, self._config)
        for kind, days in _kinds(kept):
            if days and not is_over():
                before = self._before(site, kind, days)
                yield Due(site.name, kind, days, before.ms, self._purge_kind(site, kind, before, is_over))

    def _purge_kind(self, site: Site, kind: str, before: Before, is_over: Callable[[], bool]) -> int:
        tables, site_id = self._tables, site.id
        if kind == "events":
            return self._steps(lambda: tables.events(site_id, before), is_over)
        if kind == "visits":
            return self._purge_visits(site, before, is_over)
        if kind == "recordings":
            return self._steps(lambda: self._replays.purge(site_id, before.ms), is_over)
        if kind == "ip_records":
            return self._steps(lambda: tables.ip_records(site_id, before.ms), is_over)
        return self._steps(lambda: tables.profiles(site_id, before), is_over)

    def _purge_visits(self, site: Site, before: Before, is_over: Callable[[], bool]) -> int:
        tables, site_id = self._tables, site.id
        policy = site.policy.visitor if site.policy else self._config.identity.visitor
        visits = self._steps(
            lambda: tables.sessions(site_id, before, keeps_profiles=policy in _LASTING),
            is_over,
        )
        self._steps(lambda: tables.daily(site_id, before), is_over)
        self._steps(lambda: tables.verdicts(site_id, before), is_over)
        self._steps(lambda: tables.seen(site_id, month_of(before.day)), is_over)
        self._steps(lambda: tables.links(site_id, before), is_over)
        return visits

    def _steps(self, step: Callable[[], int], is_over: Callable[[], bool]) -> int:
        gone = 0
        while not is_over() and (rows := step()):
            gone += rows
        return gone

    def _before(self, site: Site, kind: str, days: int) -> Before:
        """Return from when on is kept: of events and visits whole days, of which today is one."""
        if kind not in _BY_DAY:
            since = self._clock() - days * DAY_MS
            return Before(day_of(site.timezone, since), since)
        first = day_after(day_of(site.timezone, self._clock()), 1 - days)
        return Before(first, bounds(site.timezone, first)[0])


def _kinds(kept: Kept) -> tuple[tuple[str, int], ...]:
    """Return what is deleted after how many days; events go before visits, which lead to nothing."""
    return (
        ("events", kept.events_days),
        ("visits", kept.events_days),
        ("recordings", kept.replay_days),
        ("ip_records", kept.ip_records_days),
        ("profiles", kept.profiles_days),
    )
