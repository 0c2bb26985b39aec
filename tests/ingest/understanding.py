"""A Pipeline of real parts over a Snapshot with keys, and the clients and hits that it is asked about."""

from collections.abc import Mapping

import msgspec

from visitor_tracker.config.sections import GeoConfig
from visitor_tracker.event import Agent, DropReason, Event
from visitor_tracker.ingest.agent import Reading
from visitor_tracker.ingest.geo import GeoReader
from visitor_tracker.ingest.hit import Client, Hit
from visitor_tracker.ingest.pipeline import Pipeline
from visitor_tracker.sites import Policy, Site, Snapshot

NOW = 1_795_348_800_000  # 2026-11-22T12:00:00Z
DAY_MS = 86_400_000
URL = "https://example.com/a"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
READING = Reading(Agent("Firefox", "133", "Linux", "", "desktop"), 0)
CLIENT = Client("203.0.113.9", FIREFOX, {"accept-language": "de-DE,en;q=0.5", "accept": "*/*"})
KEYS = {name: name.encode().ljust(32, b"k") for name in ("2026-11-21", "2026-11-22", "2026-11", "persistent")}
BLOG = Site(7, "blog", ("blog.example.com", "*.blog.example.org"), ("alias-1",))
DEFAULT = Site(1, "default")
SNAPSHOT = Snapshot((DEFAULT, BLOG), KEYS)


def client(**changes: object) -> Client:
    """Return the usual client with other facts."""
    return msgspec.structs.replace(CLIENT, **changes)


def with_headers(headers: Mapping[str, str], **changes: object) -> Client:
    return client(headers={**CLIENT.headers, **headers}, **changes)


class World:
    """A pipeline and its snapshot, which a test may replace."""

    def __init__(self, snapshot: Snapshot = SNAPSHOT) -> None:
        self.snapshot = snapshot
        self.made: list[str] = []
        self.pipeline = Pipeline(
            snapshot=lambda: self.snapshot, make_site=self._make, geo=GeoReader(GeoConfig()), drop_parameters=("sort",)
        )

    def policy(self, **changes: object) -> None:
        """Give all sites another policy."""
        policy = msgspec.structs.replace(Policy(), **changes)
        self.snapshot = msgspec.structs.replace(self.snapshot, policy=policy)

    def outcome(self, hit: Hit, who: Client = CLIENT, now: int = NOW) -> Event | DropReason:
        return self.pipeline.understand(hit, who, READING, now)

    def event(self, hit: Hit, who: Client = CLIENT, now: int = NOW) -> Event:
        found = self.outcome(hit, who, now)
        assert isinstance(found, Event), found
        return found

    def _make(self, name: str) -> Site | None:
        self.made.append(name)
        return Site(99, name) if name == "new" else None
