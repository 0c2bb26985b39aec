"""Give what was set aside another chance: back into the inbox, and out of dead_letters, in one transaction."""

from collections.abc import Sequence

from visitor_tracker.event import InboxRow
from visitor_tracker.store.inbox import DeadLetter, add_rows
from visitor_tracker.store.session import Database, Session

FIND = """/* DeadLetters.find */
select id, site_id, at, reason, body
from dead_letters
where id = ?"""

IS_THERE = """/* DeadLetters.put_back */
select id
from dead_letters
where id = ?
{for_update}"""

REMOVE = """/* DeadLetters.put_back */
delete from dead_letters
where id = ?"""


class DeadLetters:
    """What was set aside. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, letter_id: bytes) -> DeadLetter | None:
        found = self._database.read(lambda session: session.ask(FIND, (letter_id,)))
        return next((DeadLetter(bytes(row[0]), row[1], row[2], str(row[3]), bytes(row[4])) for row in found), None)

    def put_back(self, letter_id: bytes, rows: Sequence[InboxRow]) -> bool:
        """Make the letter rows of the inbox again; False: it is gone, another has done so."""

        def work(session: Session) -> bool:
            if not session.ask(IS_THERE, (letter_id,)):
                return False
            session.send(REMOVE, (letter_id,))
            add_rows(session, rows)
            return True

        return self._database.write(work)
