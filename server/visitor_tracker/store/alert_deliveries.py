"""What alerts have noticed, and what is on its way because of it.

That something is told, and the deliveries that tell it, are one transaction: who is killed in between has neither
forgotten to tell nor tells it twice. A delivery counts its tries before it is sent.
"""

from collections.abc import Sequence

import msgspec

from visitor_tracker.store.alerts import Status, new_id
from visitor_tracker.store.session import Database, Rows, Session, Value

STATES = """/* DeliveryTable.states */
select event, body
from alert_states
where site_id = ? and rule_id = ?"""

LOCK_STATE = """/* DeliveryTable.note */
select body
from alert_states
where site_id = ? and rule_id = ? and event = ?
{for_update}"""

ADD_STATE = """/* DeliveryTable.note */
insert into alert_states (site_id, rule_id, event, at, body)
values (?, ?, ?, ?, ?)"""

CHANGE_STATE = """/* DeliveryTable.note */
update alert_states
set at = ?, body = ?
where site_id = ? and rule_id = ? and event = ?"""

ADD = """/* DeliveryTable.note */
insert into alert_deliveries
    (site_id, id, rule_id, channel_id, at, next_at, tries, status, body, answer)
values (?, ?, ?, ?, ?, ?, 0, 'waiting', ?, '')"""

_COLUMNS = "site_id, id, rule_id, channel_id, at, next_at, tries, status, body, answer"

DUE = f"""/* DeliveryTable.due */
select {_COLUMNS}
from alert_deliveries
where status = 'waiting' and next_at <= ?
order by next_at
limit ?"""

HISTORY = f"""/* DeliveryTable.history */
select {_COLUMNS}
from alert_deliveries
where site_id = ? and id < ?
order by id desc
limit ?"""

LOCK = """/* DeliveryTable.begin */
select tries, status
from alert_deliveries
where site_id = ? and id = ?
{for_update}"""

BEGIN = """/* DeliveryTable.begin */
update alert_deliveries
set tries = ?, next_at = ?
where site_id = ? and id = ?"""

END = """/* DeliveryTable.end */
update alert_deliveries
set status = ?, next_at = ?, answer = ?
where site_id = ? and id = ? and tries = ?"""

SPARE = """/* DeliveryTable.spare */
update alert_deliveries
set next_at = ?
where site_id = ? and channel_id = ? and status = 'waiting' and next_at < ?"""

OLD_DELIVERIES = """/* DeliveryTable.purge */
delete from alert_deliveries
where at < ? and status in ('sent', 'failed')"""

OLD_STATES = """/* DeliveryTable.purge */
delete from alert_states
where at < ?"""

LAST_ID = b"\xff" * 16


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of an event; times are epoch ms, 0: not yet. What is `done` needs no look any more."""

    since: int
    told: int = 0
    over: int = 0
    done: bool = False


class Delivery(msgspec.Struct, frozen=True):
    """A message on its way to one receiver; `body` is JSON of what is sent."""

    site_id: int
    id: bytes
    rule_id: bytes
    channel_id: bytes
    at: int
    next_at: int
    tries: int
    status: Status
    body: str
    answer: str


class Noted(msgspec.Struct, frozen=True):
    """What an event has become, and what is to be sent: ids of channels and bodies. `before` is what it was."""

    event: bytes
    state: State
    before: State | None = None
    parts: tuple[tuple[bytes, str], ...] = ()


class DeliveryTable:
    """Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, site_id: int, rule_id: bytes) -> dict[bytes, State]:
        rows = self._database.read(lambda session: session.ask(STATES, (site_id, rule_id)))
        return {bytes(event): _state(body) for event, body in rows}

    def note(self, site_id: int, rule_id: bytes, noted: Sequence[Noted], now_ms: int) -> int:
        """Store what has become of events with what that sends; return how many deliveries were made.

        An event that is not what it was `before` any more was noted by somebody else, who has sent it, too.
        """

        def work(session: Session) -> int:
            made = 0
            for each in noted:
                rows = session.ask(LOCK_STATE, (site_id, rule_id, each.event))
                if (_state(rows[0][0]) if rows else None) != each.before:
                    continue
                body = msgspec.json.encode(each.state).decode()
                if rows:
                    session.send(CHANGE_STATE, (now_ms, body, site_id, rule_id, each.event))
                else:
                    session.send(ADD_STATE, (site_id, rule_id, each.event, now_ms, body))
                for channel_id, text in each.parts:
                    session.send(ADD, (site_id, new_id(now_ms), rule_id, channel_id, now_ms, now_ms, text))
                    made += 1
            return made

        return self._database.write(work)

    def due(self, now_ms: int, most: int) -> list[Delivery]:
        """Return what is to be sent by now, the longest due first."""
        return self._read(DUE, (now_ms, most))

    def history(self, site_id: int, limit: int, before: bytes = LAST_ID) -> list[Delivery]:
        """Return deliveries, the newest first, with ids smaller than `before`."""
        return self._read(HISTORY, (site_id, before, limit))

    def begin(self, delivery: Delivery, next_at: int) -> bool:
        """Count a try, before it is made; the next one is then. False: somebody else has made this one."""

        def work(session: Session) -> bool:
            found = session.ask(LOCK, (delivery.site_id, delivery.id))
            if found != [(delivery.tries, "waiting")]:
                return False
            session.send(BEGIN, (delivery.tries + 1, next_at, delivery.site_id, delivery.id))
            return True

        return self._database.write(work)

    def end(self, delivery: Delivery, status: Status, next_at: int, answer: str) -> None:
        """Note what became of the try that was begun."""
        values = (status, next_at, answer, delivery.site_id, delivery.id, delivery.tries + 1)
        self._database.write(lambda session: session.send(END, values))

    def spare(self, delivery: Delivery, until: int) -> None:
        """Let nothing that waits for the same channel be due before that: it would hide what others wait for."""
        values = (until, delivery.site_id, delivery.channel_id, until)
        self._database.write(lambda session: session.send(SPARE, values))

    def purge(self, deliveries_before: int, states_before: int) -> None:
        """Delete what is older and needs nothing any more."""

        def work(session: Session) -> None:
            session.send(OLD_DELIVERIES, (deliveries_before,))
            session.send(OLD_STATES, (states_before,))

        self._database.write(work)

    def _read(self, template: str, values: Sequence[Value]) -> list[Delivery]:
        rows: Rows = self._database.read(lambda session: session.ask(template, values))
        return [
            Delivery(row[0], bytes(row[1]), bytes(row[2]), bytes(row[3]), *row[4:])  # the rest as it is
            for row in rows
        ]


def _state(body: str) -> State:
    return msgspec.json.decode(body, type=State)
