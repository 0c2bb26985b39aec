"""Work that one node at a time does: it holds a lease, which ends by itself where the node is gone."""

from typing import Final

from visitor_tracker.store.session import Database, Session

LONGEST_MS: Final = 3_600_000  # one that seems to last longer is of a clock that has been set back

MAKE = """/* JobLeases.take */
insert into job_leases (name, holder, until_at)
values (?, '', 0)
{keep_old_lease}"""

READ = """/* JobLeases.take */
select holder, until_at
from job_leases
where name = ?
{for_update}"""

TAKE = """/* JobLeases.take */
update job_leases
set holder = ?, until_at = ?
where name = ?"""

GIVE_BACK = """/* JobLeases.give_back */
update job_leases
set holder = '', until_at = 0
where name = ? and holder = ?"""


class JobLeases:
    """Methods raise what `Database.write` does; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now_ms: int, lasts_ms: int) -> bool:
        """Take the lease, or have it for longer; False: somebody else has it."""

        def work(session: Session) -> bool:
            rows = session.ask(READ, (name,))
            if not rows:
                session.send(MAKE, (name,))
                rows = session.ask(READ, (name,))
            [(had_by, until)] = rows
            if had_by not in ("", holder) and now_ms < until < now_ms + LONGEST_MS:
                return False
            session.send(TAKE, (holder, now_ms + lasts_ms, name))
            return True

        return self._database.write(work)

    def give_back(self, name: str, holder: str) -> None:
        """Let others have it at once."""
        self._database.write(lambda session: session.send(GIVE_BACK, (name, holder)))
