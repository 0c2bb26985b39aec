"""Alerts: rules, channels, what has happened, and what is on its way to whom. Site 0 is the server itself."""

import secrets
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from visitor_tracker.errors import StoreError
from visitor_tracker.store.insight import NameTaken, TooMany
from visitor_tracker.store.session import Database, Session

RULES_MOST, CHANNELS_MOST = 100, 50  # of a site

RuleKind = Literal["anomaly", "threshold", "goal", "silent", "lag", "certificate"]
Direction = Literal["above", "below"]
AlertPeriod = Literal["hour", "day", "week", "month"]
LeastSeverity = Literal["notable", "strong", "extreme"]
Status = Literal["waiting", "sent", "failed"]

LIST = """/* AlertTables.rules */
select id, at, body, problem
from alert_rules
where site_id = ?
order by id"""

SITES = """/* AlertTables.sites */
select distinct site_id
from alert_rules
order by site_id"""

LOCK_RULES = f"{LIST}\n{{for_update}}"

ADD = """/* AlertTables.add_rule */
insert into alert_rules (site_id, id, at, body, problem)
values (?, ?, ?, ?, '')"""

CHANGE = """/* AlertTables.change_rule */
update alert_rules
set body = ?
where site_id = ? and id = ?"""

NOTE_PROBLEM = """/* AlertTables.note_problem */
update alert_rules
set problem = ?
where site_id = ? and id = ?"""

REMOVE = """/* AlertTables.remove_rule */
delete from alert_rules
where site_id = ? and id = ?"""

REMOVE_STATES = """/* AlertTables.remove_rule */
delete from alert_states
where site_id = ? and rule_id = ?"""

GIVE_UP = """/* AlertTables.remove_rule */
update alert_deliveries
set status = 'failed', answer = 'the alert was removed'
where site_id = ? and rule_id = ? and status = 'waiting'"""

CHANNELS = """/* ChannelTable.all */
select id, at, body, sealed
from alert_channels
where site_id = ?
order by id"""

LOCK_CHANNELS = f"{CHANNELS}\n{{for_update}}"

ADD_CHANNEL = """/* ChannelTable.add */
insert into alert_channels (site_id, id, at, body, sealed)
values (?, ?, ?, ?, ?)"""

CHANGE_CHANNEL = """/* ChannelTable.change */
update alert_channels
set body = ?, sealed = ?
where site_id = ? and id = ?"""

REMOVE_CHANNEL = """/* ChannelTable.remove */
delete from alert_channels
where site_id = ? and id = ?"""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is watched. Which fields matter depends on the kind.

    anomaly      numbers outside of what the past lets expect, of at least that `severity`
    threshold    `metric` is `direction` `value` in an hour, day, week or month
    goal         `goal` (its id) was reached `times` times in a period
    silent       no visit for `minutes`, where there usually are some
    lag          what visitors sent has waited for the database for `minutes`; of the server
    certificate  the server's own certificate ends within `days`; of the server

    `channels` are ids of the site's channels. From `quiet_from` to `quiet_to` by the site's clocks nothing is told
    unless it is `urgent`. For `cooldown_minutes` after a message nothing new is told. With `tell_over` the end is, too.
    """

    name: str
    kind: RuleKind
    channels: tuple[str, ...] = ()
    metric: str = ""
    direction: Direction = "above"
    value: float = 0.0
    period: AlertPeriod = "hour"
    goal: str = ""
    times: int = 1
    minutes: int = 0
    days: int = 0
    severity: LeastSeverity = "strong"
    quiet_from: str = ""
    quiet_to: str = ""
    urgent: bool = False
    cooldown_minutes: int = 0
    tell_over: bool = True
    is_on: bool = True
    id: bytes = b""
    at: int = 0
    problem: str = ""  # why it could not be looked at the last time


class Row(msgspec.Struct, frozen=True):
    """A channel as it is stored: `body` is JSON, `sealed` what only the server can read."""

    id: bytes
    at: int
    body: str
    sealed: bytes


class AlertTables:
    """Rules. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sites(self) -> list[int]:
        """Return the ids of the sites that have rules."""
        return [int(row[0]) for row in self._database.read(lambda session: session.ask(SITES))]

    def rules(self, site_id: int) -> list[Rule]:
        """Return a site's rules in the order in which they were made."""
        rows = self._database.read(lambda session: session.ask(LIST, (site_id,)))
        return [_rule(bytes(row[0]), *row[1:]) for row in rows]

    def add_rule(self, site_id: int, rule: Rule) -> Rule:
        """Add it and return it with its id; raises NameTaken and TooMany."""
        made = msgspec.structs.replace(rule, id=new_id(rule.at))

        def work(session: Session) -> None:
            _check_name(session, site_id, made)
            if len(session.ask(LIST, (site_id,))) >= RULES_MOST:
                raise TooMany(f"there are {RULES_MOST} alerts already")
            session.send(ADD, (site_id, made.id, made.at, _body(made)))

        self._database.write(work)
        return made

    def change_rule(self, site_id: int, rule: Rule) -> None:
        """Replace the one that has its id; raises NameTaken."""

        def work(session: Session) -> None:
            _check_name(session, site_id, rule)
            session.send(CHANGE, (_body(rule), site_id, rule.id))
            session.send(NOTE_PROBLEM, ("", site_id, rule.id))

        self._database.write(work)

    def note_problem(self, site_id: int, rule_id: bytes, problem: str) -> None:
        """Keep why a rule could not be looked at, "" where it could."""
        self._database.write(lambda session: session.send(NOTE_PROBLEM, (problem, site_id, rule_id)))

    def remove_rule(self, site_id: int, rule_id: bytes) -> None:
        """Remove it and what it remembers; what it has told stays in the history."""

        def work(session: Session) -> None:
            session.send(REMOVE, (site_id, rule_id))
            session.send(REMOVE_STATES, (site_id, rule_id))
            session.send(GIVE_UP, (site_id, rule_id))

        self._database.write(work)


class ChannelTable:
    """Channels. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, site_id: int) -> list[Row]:
        """Return a site's channels in the order in which they were made."""
        rows = self._database.read(lambda session: session.ask(CHANNELS, (site_id,)))
        return [Row(bytes(row[0]), row[1], row[2], bytes(row[3])) for row in rows]

    def add(self, site_id: int, row: Row, name: str) -> None:
        """Raises NameTaken and TooMany."""

        def work(session: Session) -> None:
            there = session.ask(LOCK_CHANNELS, (site_id,))
            _check_free(name, [each[2] for each in there])
            if len(there) >= CHANNELS_MOST:
                raise TooMany(f"there are {CHANNELS_MOST} channels already")
            session.send(ADD_CHANNEL, (site_id, row.id, row.at, row.body, row.sealed))

        self._database.write(work)

    def change(self, site_id: int, row: Row, name: str) -> None:
        """Replace the one that has its id; raises NameTaken."""

        def work(session: Session) -> None:
            others = [each[2] for each in session.ask(LOCK_CHANNELS, (site_id,)) if bytes(each[0]) != row.id]
            _check_free(name, others)
            session.send(CHANGE_CHANNEL, (row.body, row.sealed, site_id, row.id))

        self._database.write(work)

    def remove(self, site_id: int, channel_id: bytes) -> None:
        self._database.write(lambda session: session.send(REMOVE_CHANNEL, (site_id, channel_id)))


class _Named(msgspec.Struct, frozen=True):
    name: str


def _check_name(session: Session, site_id: int, rule: Rule) -> None:
    others = [row[2] for row in session.ask(LOCK_RULES, (site_id,)) if bytes(row[0]) != rule.id]
    _check_free(rule.name, others)


def _check_free(name: str, bodies: Sequence[str]) -> None:
    if any(msgspec.json.decode(body, type=_Named).name == name for body in bodies):
        raise NameTaken(f"there is one called {name} already")


def _body(rule: Rule) -> str:
    return msgspec.json.encode(msgspec.structs.replace(rule, id=b"", at=0, problem="")).decode()


def _rule(rule_id: bytes, at: int, body: str, problem: str) -> Rule:
    try:
        found = msgspec.json.decode(body, type=Rule)
    except msgspec.DecodeError as error:
        raise StoreError(f"a row of the table alert_rules cannot be read ({error}): remove it") from error
    return msgspec.structs.replace(found, id=rule_id, at=at, problem=problem)


def new_id(at: int) -> bytes:
    """Return an id that begins with the time, so that lists are in the order in which things were made."""
    within = (time.monotonic_ns() % (1 << 56)).to_bytes(7, "big")
    return max(at, 0).to_bytes(6, "big") + within + secrets.token_bytes(3)
