"""What log-ins leave behind: those that nobody uses any more, links that work no more, old attempts."""

import time
from collections.abc import Callable
from typing import Final

from visitor_tracker.store.logins import InvitationTable, LoginTable, ThrottleTable
from visitor_tracker.store.sql import SqlStore

_ROWS: Final = 500  # per transaction
_DAY_MS = 86_400_000


def purge_logins(store: SqlStore, login_days: float, is_over: Callable[[], bool] = lambda: False) -> int:
    """Delete it, in small steps until `is_over`; return how many log-ins that were."""
    now = time.time_ns() // 1_000_000
    logins = LoginTable(store.database)
    removed = 0
    while not is_over():
        step = logins.purge(now - int(login_days * _DAY_MS), _ROWS)
        removed += step
        if step < _ROWS:
            break
    InvitationTable(store.database).purge(now)
    ThrottleTable(store.database).purge(now)
    return removed
