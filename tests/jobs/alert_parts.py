"""A site with visits, rules about it, and somebody who looks at them by a clock of the test's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.reports.traffic import event, fold
from visitor_tracker.access.alert_channels import Channels
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.config import AlertsConfig, Config, MailConfig, ServerConfig
from visitor_tracker.days import HOUR_MS, bounds
from visitor_tracker.jobs.alerts.watching import Watching
from visitor_tracker.outgoing.channels import Channel
from visitor_tracker.outgoing.courier import Courier, courier_of
from visitor_tracker.sites import Site, Snapshot
from visitor_tracker.store.alert_deliveries import Delivery, DeliveryTable
from visitor_tracker.store.alerts import AlertTables, Rule
from visitor_tracker.store.sql import SqlStore

SITE = Site(1, "default", timezone="Europe/Berlin")
NOON = bounds(SITE.timezone, 20261014)[0] + 12 * HOUR_MS  # a Wednesday
SECRET = b"s" * 32


def config_of(folder: Path, **mail: object) -> Config:
    return Config(
        server=ServerConfig(data_dir=str(folder), secret_key=SECRET.decode(), public_url="https://stats.example.com/"),
        mail=MailConfig(**mail),  # type: ignore[arg-type]
        alerts=AlertsConfig(allow_private=("127.0.0.1",), timeout_seconds=5),
    )


class Lookout:
    """`now` is its clock."""

    def __init__(
        self, store: SqlStore, folder: Path, mail: Mapping[str, object] = {}, courier: Courier | None = None
    ) -> None:
        self.store = store
        self.folder = folder
        self.config = config_of(folder, **mail)
        self.now = NOON
        self.rules = AlertTables(store.database)
        self.channels = Channels(store.database, SECRET)
        self.courier = courier or courier_of(self.config)
        self.watching = self.another()

    def another(self, node: str = "") -> Watching:
        """Return the same of another process that starts now, on this node or on that one."""
        config = self.config
        if node:
            folder = self.folder / node
            folder.mkdir()
            config = replace(config, server=replace(config.server, data_dir=str(folder)))
        reader = SnapshotReader(self.folder / "snapshot", Snapshot((SITE,)))
        return Watching(self.store, config, reader, courier=self.courier, clock=lambda: self.now)

    def add(self, rule: Rule, *channels: Channel, site_id: int = 1) -> Rule:
        ids = tuple(self.channels.add(site_id, each).id.hex() for each in channels)
        made = Rule(**{name: getattr(rule, name) for name in rule.__struct_fields__} | {"channels": ids})
        return self.rules.add_rule(site_id, made)

    def look(self, minutes: float = 0) -> None:
        """Look again so many minutes later."""
        self.now += int(minutes * 60_000)
        self.watching.step()

    def views(self, number: int, at: int | None = None, kind: str = "pageview", **more: object) -> None:
        """Have so many visitors come, a second after each other."""
        start = self.now if at is None else at
        fold(
            self.store,
            SITE,
            [event(SITE, start + n * 1_000, f"{start} {n}", kind=kind, **more) for n in range(number)],  # type: ignore[arg-type]
        )

    def history(self, site_id: int = 1) -> list[Delivery]:
        return DeliveryTable(self.store.database).history(site_id, 100)
