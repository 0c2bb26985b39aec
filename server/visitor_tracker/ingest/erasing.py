"""Erase visitors, single visits, or all of a site: at once out of sight, and then out of every table.

    begin ──one transaction──▶ sessions and all that is found by the visitor go, a mark, a job
    finish ──small ones──▶ recordings, records of addresses, events, letters that were set aside; then the job goes

From `begin` on the fold takes nothing of them, however late it comes. What is killed in between is gone on with by
`go_on`, which the housekeeping calls. Sums of hours, days and months stay: they tell of nobody.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from visitor_tracker.days import DAY_MS, HOUR_MS, bounds, days_between
from visitor_tracker.ingest.erased import days_of_sessions
from visitor_tracker.ingest.erasing_letters import forget_in_letters
from visitor_tracker.ingest.people import Rule
from visitor_tracker.sessions.fact import decode_rest
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.store import erasing
from visitor_tracker.store.apart import is_apart, main_of, of_site
from visitor_tracker.store.audit import AuditRow
from visitor_tracker.store.audit import add as add_audit_row
from visitor_tracker.store.erasing import EventRow, Job, OpenJob
from visitor_tracker.store.erasing_site import SiteTables
from visitor_tracker.store.extracts import forget_extracts
from visitor_tracker.store.own import Own
from visitor_tracker.store.profiles import sessions_of
from visitor_tracker.store.replay import ReplayTable
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.sql import SqlStore
from visitor_tracker.store.visits import remove_sessions

_EVENTS = 200  # that one transaction deletes: visits wait for no more than that
_STEP_MS = HOUR_MS  # of a span in one statement: all events of the site in it are looked at
_JOBS = 100  # read at once
_HEARD_MS = 15_000  # until all workers of all nodes know that a site is gone


class Found(msgspec.Struct, frozen=True):
    """What is stored of some visitors, or was erased."""

    visitors: int = 0
    visits: int = 0
    events: int = 0
    recordings: int = 0
    ip_records: int = 0

    def plus(self, other: "Found") -> "Found":
        return Found(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Eraser:
    """Any thread; what two of them erase at once goes once."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        """`clock` is epoch ms."""
        self._store = store
        self._database = store.database
        self._clock = clock
        self._replays = ReplayTable(store.database)

    # What is stored.

    def look(self, site_id: int, rule: Rule, visitors: Iterable[bytes]) -> Found:
        """Return how much is stored of these visitors."""
        found, addresses = Found(), set[str]()
        for visitor in sorted(set(visitors)):
            job, visits = of_site(self._database, site_id).read(
                partial(self._plan, site_id=site_id, rule=rule, visitor=visitor)
            )
            events, clients, told = self._measure(job)
            recordings = sum(self._replays.one(site_id, client) is not None for client in clients)
            found = found.plus(Found(1, visits, events, recordings))
            addresses |= told
        return msgspec.structs.replace(found, ip_records=len(addresses))

    def _plan(self, session: Session, *, site_id: int, rule: Rule, visitor: bytes) -> tuple[Job, int]:
        """Return what erasing a visitor means now, and how many visits there are."""
        days = erasing.days_of(session, site_id, visitor)
        visits = sum(own.is_visit for own in sessions_of(session, site_id, [visitor])[visitor])
        return Job(site_id, visitor, 0, self._clock(), spans_of(rule.timezone, days)), visits

    def _measure(self, job: Job) -> tuple[int, set[bytes], set[str]]:
        events, clients, addresses = 0, set[bytes](), set[str]()
        for start, end in steps_of(job.spans):
            first = start
            while True:
                rows = self._events(job, first, end)
                told = _told(rows)
                events += len(rows)
                clients |= {client for client, _ in told.clients}
                addresses |= told.addresses
                if len(rows) < _EVENTS:
                    break
                first = rows[-1].ts + 1  # of more in that millisecond some are not counted; all are erased
        return events, clients, addresses

    def _events(self, job: Job, start: int, end: int) -> list[EventRow]:
        return of_site(self._database, job.site_id).read(
            lambda session: erasing.events(session, job, start, end, _EVENTS)
        )

    # Begin.

    def begin(
        self,
        site_id: int,
        rule: Rule,
        visitors: Iterable[bytes],
        audit: AuditRow | None,
        *,
        addresses: Iterable[str] = (),
    ) -> list[OpenJob]:
        """Take visitors, and records of addresses, out of sight for good; `finish` does the rest.

        Repeating it does no harm.
        """
        wanted, records = sorted(set(visitors)), sorted(set(addresses))
        line = self._noted(site_id, audit)

        def work(session: Session) -> list[OpenJob]:
            erasing.seize(session, site_id)
            now = self._clock()
            begun: list[OpenJob] = []
            erasing.forget_ip_records(session, site_id, records)
            for visitor in wanted:
                days = erasing.days_of(session, site_id, visitor)
                erasing.forget_visitor(session, site_id, visitor, days)
                job = Job(site_id, visitor, 0, now, spans_of(rule.timezone, days))
                begun.append(erasing.add_job(session, _job_id(now), job, now))
            if line is not None:
                add_audit_row(session, line)
            return begun

        return of_site(self._database, site_id).write(work)

    def begin_visit(
        self, site_id: int, rule: Rule, visitor: bytes, visit: VisitorSession, audit: AuditRow | None
    ) -> OpenJob:
        """Take one visit out of sight, and the days on which there was no other."""
        line = self._noted(site_id, audit)

        def work(session: Session) -> OpenJob:
            erasing.seize(session, site_id)
            now = self._clock()
            remove_sessions(session, site_id, [(visit.bucket, visitor, visit.first_ts)])
            days = dict.fromkeys((visitor, day) for day in days_between(visit.first_day, visit.last_day))
            left = {(visitor, day) for _, day, _ in days_of_sessions(session, site_id, rule, days)}
            for _, day in sorted(days.keys() - left):
                erasing.forget_day(session, site_id, visitor, day, visit.last_ts)
                erasing.forget_daily(session, site_id, visitor, day)
            erasing.forget_reasons(session, site_id, visitor, days_between(visit.first_day, visit.last_day))
            forget_extracts(session, site_id, days_between(visit.first_day, visit.last_day))
            job = Job(site_id, visitor, visit.first_ts, visit.last_ts, ((visit.first_ts, visit.last_ts + 1),))
            if line is not None:
                add_audit_row(session, line)
            return erasing.add_job(session, _job_id(now), job, now)

        return of_site(self._database, site_id).write(work)

    def begin_site(self, site_id: int, audit: AuditRow | None) -> OpenJob:
        """Let nothing that was sent to a site until now be stored any more; `finish` deletes what is.

        Where the site has a database of its own, there is the same job in both.
        """
        job_id = _job_id(self._clock())

        def work(session: Session, line: AuditRow | None) -> OpenJob:
            erasing.seize(session, site_id)
            now = self._clock()
            if line is not None:
                add_audit_row(session, line)
            return erasing.add_job(session, job_id, Job(site_id, b"", 0, now), now)

        if is_apart(self._database, site_id):  # the one that may be away comes first
            of_site(self._database, site_id).write(partial(work, line=None))
        return main_of(self._database).write(partial(work, line=audit))

    def _noted(self, site_id: int, audit: AuditRow | None) -> AuditRow | None:
        """Return what is to be written with the erasing; for a site with a database of its own it is written now."""
        if audit is None or not is_apart(self._database, site_id):
            return audit
        of_site(self._database, site_id).ping()  # nothing is noted that cannot be done
        main_of(self._database).write(lambda session: add_audit_row(session, audit))
        return None

    # Go on.

    def finish(self, begun: Iterable[OpenJob], is_over: Callable[[], bool] = bool) -> Found:
        """Erase what was begun, until `is_over`; return what was erased now."""
        found = Found()
        for each in begun:
            if is_over():
                break
            found = found.plus(self._finish(each, is_over))
        return found

    def go_on(self, is_over: Callable[[], bool] = bool) -> int:
        """Erase whatever was begun and is not done; return how many jobs that were."""
        begun = self._database.read(lambda session: erasing.jobs(session, _JOBS))
        self.finish(begun, is_over)
        return len(begun)

    def _finish(self, begun: OpenJob, is_over: Callable[[], bool]) -> Found:
        job = begun.job
        if job.visitor:
            found = self._forget_events(job, is_over)
            return found if is_over() else self._ended(begun, of_site(self._database, job.site_id), found)
        found = Found()
        for database in {of_site(self._database, job.site_id), main_of(self._database)}:
            found = found.plus(
                Found(events=SiteTables(database, overwrites=isinstance(database, Own)).clear(job.site_id, is_over))
            )
            if is_over():
                return found
            self._ended(begun, database, found)
        return found

    def _ended(self, begun: OpenJob, database: Database, found: Found) -> Found:
        """Take what was set aside of it out of a database, and then the job."""
        forget_in_letters(database, begun.job)
        if not self._is_awaited(begun.job):
            database.write(lambda session: erasing.end_job(session, begun.id))
        return found

    def _is_awaited(self, job: Job) -> bool:
        """Say whether recordings of a site may still come, from workers that have not heard that it is gone.

        Of a visitor, and of events, the fold sees to it.
        """
        return not job.visitor and self._clock() < job.last_ts + _HEARD_MS

    def _forget_events(self, job: Job, is_over: Callable[[], bool]) -> Found:
        found, waiting = Found(visitors=1), list[EventRow]()
        for start, end in steps_of(job.spans):
            while not is_over():
                rows = self._events(job, start, end)
                waiting += rows
                if len(waiting) >= _EVENTS:
                    found = found.plus(self._forget_rows(job, waiting))
                    waiting = []
                if len(rows) < _EVENTS:
                    break
        return found.plus(self._forget_rows(job, waiting)) if waiting else found

    def _forget_rows(self, job: Job, rows: Sequence[EventRow]) -> Found:
        """Delete events, and before them what only they lead to: who is killed in between finds it again."""
        told = _told(rows)
        site_id = job.site_id
        recordings = sum(self._replays.forget(site_id, client) for client in {client for client, _ in told.clients})

        def work(session: Session) -> None:
            erasing.overwrite(session)
            erasing.forget_ip_records(session, site_id, told.addresses)
            erasing.forget_events(session, site_id, job.visitor, rows, told.clients)

        of_site(self._database, job.site_id).write(work)
        return Found(events=len(rows), recordings=recordings, ip_records=len(told.addresses))


class _Told(msgspec.Struct, frozen=True):
    """What events say of sessions, by the day, and of addresses."""

    clients: set[tuple[bytes, int]]
    addresses: set[str]


def _told(rows: Iterable[EventRow]) -> _Told:
    told = _Told(set(), set())
    for row in rows:
        if row.body:
            rest = decode_rest(row.body)
            if rest.client:
                told.clients.add((rest.client, row.day))
            if rest.ip:
                told.addresses.add(rest.ip)
    return told


def spans_of(timezone: str, days: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return where the events of these days are, epoch ms; with a day to spare, for zones that were changed."""
    found: list[tuple[int, int]] = []
    for day in sorted(days):
        start, end = bounds(timezone, day)
        start, end = start - DAY_MS, end + DAY_MS
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def steps_of(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cut spans into pieces that one statement can look through."""
    for start, end in spans:
        for first in range(start, end, _STEP_MS):
            yield first, min(first + _STEP_MS, end)


def _job_id(now: int) -> bytes:
    return now.to_bytes(6, "big") + secrets.token_bytes(10)
