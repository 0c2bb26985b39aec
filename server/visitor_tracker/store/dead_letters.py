"""Give what was set aside another chance: back into the inbox, and out of dead_letters, in one transaction."""

from collections.abc import Sequence

from visitor_tracker.event import InboxRow, decode_events
from visitor_tracker.store.inbox import DeadLetter, add_days, add_letter, add_rows
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

AFTER = """/* DeadLetters.after */
select id, site_id, at, reason, body
from dead_letters
where id > ?
order by id
limit ?"""

REMOVE = """/* DeadLetters.put_back */
delete from dead_letters
where id = ?"""


class DeadLetters:
    """What was set aside. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, letter_id: bytes) -> DeadLetter | None:
        found = self._database.read(lambda session: session.ask(FIND, (letter_id,)))
        return next((_letter(*row) for row in found), None)

    def after(self, letter_id: bytes, most: int) -> list[DeadLetter]:
        """Return letters by id, from behind that one."""
        found = self._database.read(lambda session: session.ask(AFTER, (letter_id, most)))
        return [_letter(*row) for row in found]

    def replace(self, letter: DeadLetter, body: bytes) -> None:
        """Make the letter one of another body, or none where that is empty; one that is gone stays gone."""

        def work(session: Session) -> None:
            if session.ask(IS_THERE, (letter.id,)):
                session.send(REMOVE, (letter.id,))
                if body:
                    add_letter(session, letter.reason, body, letter.at, letter.site_id)

        self._database.write(work)

    def put_back(self, letter_id: bytes, rows: Sequence[InboxRow]) -> bool:
        """Make the letter rows of the inbox again; False: it is gone, another has done so.

        On which days its visitors were there is noted as the drain does it.
        """
        events = [event for row in rows for event in decode_events(row.body) if event.visitor]

        def work(session: Session) -> bool:
            if not session.ask(IS_THERE, (letter_id,)):
                return False
            session.send(REMOVE, (letter_id,))
            add_rows(session, rows)
            add_days(session, [(event.site_id, event.visitor, event.day, event.ts) for event in events])
            return True

        return self._database.write(work)


def _letter(letter_id: bytes, site_id: int, at: int, reason: str, body: bytes) -> DeadLetter:
    return DeadLetter(bytes(letter_id), site_id, at, str(reason), bytes(body))
