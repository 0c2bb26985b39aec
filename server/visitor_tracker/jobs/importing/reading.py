"""From a line of a log to the event that the server would have made of the request at its time."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from visitor_tracker.event import Event
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.ingest.visitor import PERSISTENT
from visitor_tracker.jobs.importing.line import LogLine
from visitor_tracker.jobs.importing.pages import why_no_view
from visitor_tracker.jobs.importing.resume import KeyOf
from visitor_tracker.sites import Policy, Site, Snapshot

_DAY_MS = 86_400_000
_AHEAD_MS = _DAY_MS  # a clock may be wrong by that
_PORT = re.compile(r":\d{1,5}\Z")
_NO_HOSTS = frozenset({"", "-", "_"})  # what servers write where they know none


class Wanted(msgspec.Struct, frozen=True):
    """What of a log is taken: `site` None is the site that has the page's host, `host` is for lines without one."""

    site: Site | None = None
    host: str = ""
    every: bool = False  # everything that was got, not pages only


class LineReader:
    """Makes events; of one thread."""

    def __init__(  # noqa: PLR0913
        self,
        snapshot: Snapshot,
        key_of: KeyOf,
        wanted: Wanted,
        *,
        agents: AgentReader,
        geo: GeoReader,
        drop_parameters: tuple[str, ...],
        now: int,
    ) -> None:
        """`key_of` gives the visitor key of a period that has none in the snapshot; `now` is epoch ms."""
        self._snapshot = _for_logs(snapshot)
        self._key_of = key_of
        self._wanted = wanted
        self._site = wanted.site.name if wanted.site is not None else ""
        self._agents = agents
        self._latest = now + _AHEAD_MS
        self._days: set[int] = set()
        self._pipeline = Pipeline(
            snapshot=lambda: self._snapshot, make_site=lambda _: None, geo=geo, drop_parameters=drop_parameters
        )

    def event(self, line: LogLine, file_id: bytes, position: int) -> Event | str:
        """Return the event of the line at that byte of a file, or why there is none."""
        reason = why_no_view(line, every=self._wanted.every)
        if reason:
            return reason
        host = self.host_of(line)
        if not host:
            return "no host"
        ts = line.ts
        if not 0 < ts <= self._latest:
            return "time"
        if ts // _DAY_MS not in self._days:
            self._learn_keys(ts)
        # Those of one second follow each other as in the file.
        event_id = ts.to_bytes(6, "big") + file_id[:4] + position.to_bytes(6, "big")
        hit = Hit(
            id=event_id,
            site=self._site,
            url=f"https://{host}{line.target}",
            referrer=line.referrer,
            language=line.language,
        )
        client = Client(line.ip, line.user_agent, {}, vouched=True)
        return self._pipeline.understand(hit, client, self._agents.read(line.user_agent), ts)

    def host_of(self, line: LogLine) -> str:
        """Return the host of a line's page, "" where neither the line nor who imports has said it."""
        host = _PORT.sub("", line.host)
        return self._wanted.host if host in _NO_HOSTS else host

    def _learn_keys(self, ts: int) -> None:
        """Make sure that every period has a key that a moment may belong to in any zone."""
        middle = datetime.fromtimestamp(ts // 1000, UTC).date()
        periods: dict[str, None] = {}
        for days in (-1, 0, 1):
            text = (middle + timedelta(days=days)).isoformat()
            periods |= {text: None, text[:7]: None}
        keys = self._snapshot.keys
        missing = {period: self._key_of(period) for period in periods if period not in keys}
        if missing:
            self._snapshot = msgspec.structs.replace(self._snapshot, keys=keys | missing)
        self._days.add(ts // _DAY_MS)


def _for_logs(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with policies that a log can follow: it has neither cookies nor ids of the page.

    Such a policy lets a site know its visitors again for good, so here the key that stays does it.
    """

    def lasting(policy: Policy) -> Policy:
        if policy.visitor not in ("cookie", "client"):
            return policy
        return msgspec.structs.replace(policy, visitor=PERSISTENT)

    sites = tuple(
        msgspec.structs.replace(site, policy=lasting(site.policy)) if site.policy is not None else site
        for site in snapshot.sites
    )
    return msgspec.structs.replace(snapshot, sites=sites, policy=lasting(snapshot.policy))
