"""What people keep to look at numbers with: goals, funnels, segments and annotations of sites."""

import secrets
import time
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

import msgspec

from visitor_tracker.errors import StoreError
from visitor_tracker.store.session import Database, Session, Value

GOALS_MOST, FUNNELS_MOST, SEGMENTS_MOST = 100, 100, 500  # of a site
ANNOTATIONS_MOST = 10_000

GoalKind = Literal["page", "event", "scroll", "engaged", "revenue"]
StepOrder = Literal["loose", "strict"]

_ALL = """/* Kept.all */
select id, at, owner, body
from TABLE
where site_id = ?
order by id"""

_FIND = """/* Kept.find */
select id, at, owner, body
from TABLE
where site_id = ? and id = ?"""

_BETWEEN = """/* Kept.between */
select id, at, owner, body
from TABLE
where site_id = ? and at >= ? and at <= ?
order by at, id
limit ?"""

_COUNT = """/* Kept.add */
select count(*)
from TABLE
where site_id = ?"""

_NAMES = """/* Kept.add */
select id, owner, body
from TABLE
where site_id = ?
{for_update}"""

_ADD = """/* Kept.add */
insert into TABLE (site_id, id, at, owner, body)
values (?, ?, ?, ?, ?)"""

_CHANGE = """/* Kept.change */
update TABLE
set at = ?, owner = ?, body = ?
where site_id = ? and id = ?"""

_REMOVE = """/* Kept.remove */
delete from TABLE
where site_id = ? and id = ?"""


class Goal(msgspec.Struct, frozen=True):
    """What visitors are wanted to do. Which fields matter depends on the kind; the others are empty.

    page     `page` was viewed; it is a pattern of * and ?, of a path or of a host and a path
    event    the custom event `event` was sent, and the filter `where` holds for it
    revenue  the same; what its values come to is told
    scroll   `percent` of a page were reached
    engaged  a page was looked at for `engaged_ms`, without `page` the whole visit's pages together
    """

    name: str
    kind: GoalKind
    page: str = ""
    event: str = ""
    where: str = ""
    percent: int = 0
    engaged_ms: int = 0
    id: bytes = b""
    at: int = 0  # when it was made


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of these: a page viewed (a pattern), a custom event by its name, an event that a filter selects."""

    page: str = ""
    event: str = ""
    filter: str = ""
    name: str = ""  # that people see


class Funnel(msgspec.Struct, frozen=True):
    """Steps, one after the other: within one visit and `minutes` of it, or with `days` across a visitor's visits."""

    name: str
    steps: tuple[Step, ...]
    order: StepOrder = "loose"
    minutes: int | None = None
    days: int | None = None
    id: bytes = b""
    at: int = 0


class Segment(msgspec.Struct, frozen=True):
    """A filter by name; `owner` is "" for one that everybody sees who reads the site."""

    name: str
    filter: str
    owner: str = ""
    id: bytes = b""
    at: int = 0


class Annotation(msgspec.Struct, frozen=True):
    """What happened at a moment (`at`), so that people understand numbers later."""

    text: str
    link: str = ""
    id: bytes = b""
    at: int = 0


class NameTaken(StoreError):
    """There is one of that name."""


class TooMany(StoreError):
    """The site has as many as it may have."""


_Thing = TypeVar("_Thing", bound=Goal | Funnel | Segment | Annotation)
_encode = msgspec.json.Encoder().encode


class Kept(Generic[_Thing]):
    """One of the tables. Methods raise what `Database.read` and `Database.write` do; any thread."""

    def __init__(self, database: Database, table: str, kind: type[_Thing], most: int) -> None:
        self._database = database
        self._table = table
        self._kind = kind
        self._most = most

    def all(self, site_id: int) -> list[_Thing]:
        """Return all of a site in the order in which they were made."""
        return self._read(_ALL, (site_id,))

    def find(self, site_id: int, thing_id: bytes) -> _Thing | None:
        found = self._read(_FIND, (site_id, thing_id))
        return found[0] if found else None

    def between(self, site_id: int, first_ms: int, last_ms: int) -> list[_Thing]:
        """Return those from one moment to another, both included, by their moments."""
        return self._read(_BETWEEN, (site_id, first_ms, last_ms, self._most))

    def add(self, site_id: int, thing: _Thing) -> _Thing:
        """Add it and return it with its id, which begins with the time; raises NameTaken and TooMany."""
        made = msgspec.structs.replace(thing, id=_new_id(thing.at))

        def work(session: Session) -> None:
            if self._named(made):
                self._check_name(session, site_id, made)
            [(number,)] = session.ask(self._sql(_COUNT), (site_id,))
            if number >= self._most:
                raise TooMany(f"the site has {number} {self._table} already")
            session.send(self._sql(_ADD), [site_id, made.id, made.at, *self._columns(made)])

        self._database.write(work)
        return made

    def change(self, site_id: int, thing: _Thing) -> None:
        """Replace the one that has its id; raises NameTaken."""

        def work(session: Session) -> None:
            if self._named(thing):
                self._check_name(session, site_id, thing)
            session.send(self._sql(_CHANGE), [thing.at, *self._columns(thing), site_id, thing.id])

        self._database.write(work)

    def remove(self, site_id: int, thing_id: bytes) -> None:
        self._database.write(lambda session: session.send(self._sql(_REMOVE), (site_id, thing_id)))

    def _check_name(self, session: Session, site_id: int, thing: _Thing) -> None:
        """Refuse a name that another one of the same owner has."""
        mine = (_owner(thing), self._named(thing))
        for row in session.ask(self._sql(_NAMES), (site_id,)):
            other = self._thing(bytes(row[0]), 0, row[1], row[2])
            if other.id != thing.id and (_owner(other), self._named(other)) == mine:
                raise NameTaken(f"there is one called {mine[1]} already")

    def _named(self, thing: _Thing) -> str:
        return "" if isinstance(thing, Annotation) else thing.name

    def _columns(self, thing: _Thing) -> tuple[Value, Value]:
        body = msgspec.structs.asdict(thing)
        for name in ("id", "at", "owner"):
            body.pop(name, None)
        return _owner(thing), _encode(body).decode()

    def _read(self, template: str, values: Sequence[Value]) -> list[_Thing]:
        rows = self._database.read(lambda session: session.ask(self._sql(template), values))
        return [self._thing(bytes(row[0]), *row[1:]) for row in rows]

    def _thing(self, thing_id: bytes, at: int, owner: str, body: str) -> _Thing:
        try:
            found = msgspec.json.decode(body, type=self._kind)
        except msgspec.DecodeError as error:
            raise StoreError(f"a row of the table {self._table} cannot be read ({error}): remove it") from error
        if isinstance(found, Segment):
            return msgspec.structs.replace(found, id=thing_id, at=at, owner=owner)
        return msgspec.structs.replace(found, id=thing_id, at=at)

    def _sql(self, template: str) -> str:
        return template.replace("TABLE", self._table)


class InsightTable:
    """All of these tables of a database."""

    def __init__(self, database: Database) -> None:
        self.kept_goals = Kept(database, "goals", Goal, GOALS_MOST)
        self.kept_funnels = Kept(database, "funnels", Funnel, FUNNELS_MOST)
        self.kept_segments = Kept(database, "segments", Segment, SEGMENTS_MOST)
        self.kept_annotations = Kept(database, "annotations", Annotation, ANNOTATIONS_MOST)

    def goals(self, site_id: int) -> list[Goal]:
        return self.kept_goals.all(site_id)

    def funnels(self, site_id: int) -> list[Funnel]:
        return self.kept_funnels.all(site_id)

    def segments(self, site_id: int, owner: str = "") -> list[Segment]:
        """Return those that everybody sees, and those of that owner ("user:…") where one is given."""
        return [each for each in self.kept_segments.all(site_id) if each.owner in ("", owner)]

    def annotations(self, site_id: int, first_ms: int, last_ms: int) -> list[Annotation]:
        """Return those of these moments, both included."""
        return self.kept_annotations.between(site_id, first_ms, last_ms)


def _owner(thing: Goal | Funnel | Segment | Annotation) -> str:
    return thing.owner if isinstance(thing, Segment) else ""


def _new_id(at: int) -> bytes:
    within = (time.monotonic_ns() % (1 << 56)).to_bytes(7, "big")  # lists are in the order in which things were made
    return max(at, 0).to_bytes(6, "big") + within + secrets.token_bytes(3)
