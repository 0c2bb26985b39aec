"""Reports by mail: schedules, what was sent by them, and who wants no more of it."""

from typing import Literal

import msgspec

from visitor_tracker.errors import StoreError
from visitor_tracker.store.insight import TooMany
from visitor_tracker.store.session import Database, Session, Value

SCHEDULES_MOST = 50  # of a site

Outcome = Literal["waiting", "sending", "sent", "failed", "skipped", "dropped"]

_ALL = """/* ReportSchedules.all */
select site_id, id, at, owner, body
from report_schedules
order by site_id, id"""

_OF_SITE = """/* ReportSchedules.of_site */
select site_id, id, at, owner, body
from report_schedules
where site_id = ?
order by id"""

_FIND = """/* ReportSchedules.find */
select site_id, id, at, owner, body
from report_schedules
where site_id = ? and id = ?"""

_LOCK = """/* ReportSchedules.add */
select id
from report_schedules
where site_id = ?
{for_update}"""

_ADD = """/* ReportSchedules.add */
insert into report_schedules (site_id, id, at, owner, body)
values (?, ?, ?, ?, ?)"""

_CHANGE = """/* ReportSchedules.change */
update report_schedules
set at = ?, body = ?
where site_id = ? and id = ?"""

_REMOVE = """/* ReportSchedules.remove */
delete from report_schedules
where site_id = ? and id = ?"""

_FORGET_DELIVERIES = """/* ReportSchedules.remove */
delete from report_deliveries
where site_id = ? and schedule_id = ?"""

_FORGET_STOPS = """/* ReportSchedules.remove */
delete from report_stops
where site_id = ? and schedule_id = ?"""

_STOPS = """/* ReportSchedules.stopped */
select recipient, at
from report_stops
where site_id = ? and schedule_id = ?"""

_STOP = """/* ReportSchedules.stop */
insert into report_stops (site_id, schedule_id, recipient, at)
values (?, ?, ?, ?)
{keep_old_row}"""

_GO_ON = """/* ReportSchedules.go_on */
delete from report_stops
where site_id = ? and schedule_id = ? and recipient = ?"""

_DUE = """/* ReportDeliveries.known */
select recipient
from report_deliveries
where site_id = ? and schedule_id = ? and (due_at = ? or due_day = ? and made_at >= ?)"""

_PLAN = """/* ReportDeliveries.plan */
insert into report_deliveries
    (site_id, schedule_id, due_at, recipient, due_day, made_at, tries, next_at, until_at, outcome, said)
values (?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?)
{keep_old_row}"""

_COLUMNS = "site_id, schedule_id, due_at, recipient, due_day, made_at, tries, next_at, until_at, outcome, said"

_READY = f"""/* ReportDeliveries.ready */
select {_COLUMNS}
from report_deliveries
where outcome = ? and next_at <= ?
order by next_at, site_id, schedule_id
limit ?"""

_LOCK_ONE = f"""/* ReportDeliveries.take */
select {_COLUMNS}
from report_deliveries
where site_id = ? and schedule_id = ? and due_at = ? and recipient = ?
{{for_update}}"""

_TAKE = """/* ReportDeliveries.take */
update report_deliveries
set outcome = 'sending', tries = tries + 1, next_at = ?, until_at = ?
where site_id = ? and schedule_id = ? and due_at = ? and recipient = ?"""

_SETTLE = """/* ReportDeliveries.settle */
update report_deliveries
set outcome = ?, next_at = ?, until_at = 0, said = ?
where site_id = ? and schedule_id = ? and due_at = ? and recipient = ? and tries = ?"""

_LATEST = f"""/* ReportDeliveries.latest */
select {_COLUMNS}
from report_deliveries
where site_id = ? and schedule_id = ?
order by due_at desc, recipient
limit ?"""

_OLD = """/* ReportDeliveries.purge */
delete from report_deliveries
where outcome = ? and next_at < ?"""


class ReportSchedule(msgspec.Struct, frozen=True):
    """Which report of a site goes to whom, and when: the hour is one of the site's clock, `weekday` 0 for Monday.

    `at` is the moment from which on it counts: what was due before is not sent. `owner` is who made it.
    """

    recipients: tuple[str, ...]
    every: Literal["daily", "weekly", "monthly"] = "weekly"
    hour: int = 8
    weekday: int = 0
    language: Literal["en", "de", "fr", "es"] = "en"
    is_on: bool = True
    site_id: int = 0
    id: bytes = b""
    at: int = 0
    owner: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """A report on its way to one recipient, known by a digest of the address."""

    site_id: int
    schedule_id: bytes
    due_at: int
    recipient: bytes
    due_day: int
    made_at: int
    tries: int = 0
    next_at: int = 0
    until_at: int = 0
    outcome: Outcome = "waiting"
    said: str = ""

    @property
    def key(self) -> tuple[int, bytes, int, bytes]:
        return self.site_id, self.schedule_id, self.due_at, self.recipient


class ReportSchedules:
    """The schedules. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ReportSchedule]:
        """Return those of all sites."""
        return self._read(_ALL, ())

    def of_site(self, site_id: int) -> list[ReportSchedule]:
        """Return those of a site in the order in which they were made."""
        return self._read(_OF_SITE, (site_id,))

    def find(self, site_id: int, schedule_id: bytes) -> ReportSchedule | None:
        found = self._read(_FIND, (site_id, schedule_id))
        return found[0] if found else None

    def add(self, schedule: ReportSchedule) -> None:
        """Store a new one, which has its id; raises TooMany."""

        def work(session: Session) -> None:
            if len(session.ask(_LOCK, (schedule.site_id,))) >= SCHEDULES_MOST:
                raise TooMany(f"the site has {SCHEDULES_MOST} reports already")
            session.send(_ADD, (schedule.site_id, schedule.id, schedule.at, schedule.owner, _body(schedule)))

        self._database.write(work)

    def change(self, schedule: ReportSchedule) -> None:
        """Replace the one that has its id."""
        values = (schedule.at, _body(schedule), schedule.site_id, schedule.id)
        self._database.write(lambda session: session.send(_CHANGE, values))

    def remove(self, site_id: int, schedule_id: bytes) -> None:
        """Remove one, and what is known of its recipients."""

        def work(session: Session) -> None:
            for statement in (_REMOVE, _FORGET_DELIVERIES, _FORGET_STOPS):
                session.send(statement, (site_id, schedule_id))

        self._database.write(work)

    def stopped(self, site_id: int, schedule_id: bytes) -> dict[bytes, int]:
        """Return who wants none of it any more, and since when."""
        rows = self._database.read(lambda session: session.ask(_STOPS, (site_id, schedule_id)))
        return {bytes(recipient): at for recipient, at in rows}

    def stop(self, site_id: int, schedule_id: bytes, recipient: bytes, at: int) -> None:
        self._database.write(lambda session: session.send(_STOP, (site_id, schedule_id, recipient, at)))

    def go_on(self, site_id: int, schedule_id: bytes, recipient: bytes) -> None:
        """Undo `stop`."""
        self._database.write(lambda session: session.send(_GO_ON, (site_id, schedule_id, recipient)))

    def _read(self, template: str, values: tuple[Value, ...]) -> list[ReportSchedule]:
        rows = self._database.read(lambda session: session.ask(template, values))
        return [_schedule(*row) for row in rows]


class ReportDeliveries:
    """What was, is being and is to be sent. Raises and threads as with ReportSchedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, schedule: ReportSchedule, due_at: int, due_day: int) -> set[bytes]:
        """Return the recipients that there are deliveries for, of one moment.

        Of its day, too, as long as the schedule stays as it is: in another time zone the day is the same.
        """
        values = (schedule.site_id, schedule.id, due_at, due_day, schedule.at)
        rows = self._database.read(lambda session: session.ask(_DUE, values))
        return {bytes(row[0]) for row in rows}

    def plan(self, deliveries: list[Delivery]) -> None:
        """Add deliveries; those that are there stay as they are."""

        def work(session: Session) -> None:
            for each in deliveries:
                session.send(_PLAN, [*each.key, each.due_day, each.made_at, each.next_at, each.outcome, each.said])

        self._database.write(work)

    def ready(self, now_ms: int, most: int) -> list[Delivery]:
        """Return those that it is time for, and those of senders that did not come back."""

        def work(session: Session) -> list[Delivery]:
            found: list[Delivery] = []
            for outcome in ("waiting", "sending"):
                found += [_delivery(row) for row in session.ask(_READY, (outcome, now_ms, most - len(found)))]
            return found

        return self._database.read(work)

    def take(self, delivery: Delivery, now_ms: int, until_ms: int) -> Delivery | None:
        """Have it to send, until then; None: somebody else has it, or had it."""

        def work(session: Session) -> Delivery | None:
            rows = session.ask(_LOCK_ONE, delivery.key)
            found = _delivery(rows[0]) if rows else None
            if found is None or found.next_at > now_ms or found.outcome not in ("waiting", "sending"):
                return None
            session.send(_TAKE, (until_ms, until_ms, *delivery.key))
            return msgspec.structs.replace(
                found, outcome="sending", tries=found.tries + 1, next_at=until_ms, until_at=until_ms
            )

        return self._database.write(work)

    def settle(self, delivery: Delivery, outcome: Outcome, said: str, next_at: int) -> None:
        """Tell what came of a try; does nothing where somebody else has taken it since."""
        values = (outcome, next_at, said, *delivery.key, delivery.tries)
        self._database.write(lambda session: session.send(_SETTLE, values))

    def latest(self, site_id: int, schedule_id: bytes, most: int) -> list[Delivery]:
        """Return the newest of a schedule."""
        rows = self._database.read(lambda session: session.ask(_LATEST, (site_id, schedule_id, most)))
        return [_delivery(row) for row in rows]

    def purge(self, before: int) -> None:
        """Forget what was settled before that moment."""

        def work(session: Session) -> None:
            for outcome in ("sent", "failed", "skipped", "dropped"):
                session.send(_OLD, (outcome, before))

        self._database.write(work)


def _body(schedule: ReportSchedule) -> str:
    body = msgspec.structs.asdict(schedule)
    for name in ("site_id", "id", "at", "owner"):
        del body[name]
    return msgspec.json.encode(body).decode()


def _schedule(site_id: int, schedule_id: bytes, at: int, owner: str, body: str) -> ReportSchedule:
    try:
        found = msgspec.json.decode(body, type=ReportSchedule)
    except msgspec.DecodeError as error:
        raise StoreError(f"a row of the table report_schedules cannot be read ({error}): remove it") from error
    return msgspec.structs.replace(found, site_id=site_id, id=bytes(schedule_id), at=at, owner=owner)


def _delivery(row: tuple[int, bytes, int, bytes, int, int, int, int, int, Outcome, str]) -> Delivery:
    site_id, schedule_id, due_at, recipient, *rest = row
    return Delivery(site_id, bytes(schedule_id), due_at, bytes(recipient), *rest)  # type: ignore[arg-type]
