"""What the log of keys tells visitors."""

from visitor_tracker.store.session import Database

LAST_DESTROYED = """/* key_log.last_destroyed */
select at, period
from key_log
where action = 'destroyed'
order by n desc
limit 1"""


def last_destroyed(database: Database) -> tuple[int, str] | None:
    """Return when the last visitor key was destroyed (epoch ms), and of which period; None: none was yet."""
    rows = database.read(lambda session: session.ask(LAST_DESTROYED))
    return (int(rows[0][0]), str(rows[0][1])) if rows else None
