"""Work in threads of its own that needs nothing but the settings and the store."""

from collections.abc import Callable, Mapping

from visitor_tracker.access.snapshot import FILE, SnapshotReader
from visitor_tracker.config import Config
from visitor_tracker.jobs.alerts.watching import Watching
from visitor_tracker.jobs.reporting import Reporting
from visitor_tracker.sites import Snapshot
from visitor_tracker.store.sql import SqlStore

Rest = Callable[[float], bool]  # waits for so many seconds; says whether it is over
Work = Callable[[Rest], None]


def others_of(config: Config, store: SqlStore) -> Mapping[str, Work]:
    """Return it by the names of its threads; each begins when the store has its tables."""
    return {
        "reports": Reporting(store, config, SnapshotReader(config.data_dir / FILE, Snapshot())).run,
        "alerts": Watching(store, config, SnapshotReader(config.data_dir / FILE, Snapshot())).run,
    }
