"""Send reports by mail when they are due.

    schedules ──due──▶ report_deliveries: one row for each recipient, made once ──taken by one node──▶ mail server

A row is taken before its mail is sent, so no two nodes send it. Where a node ends between the mail server's answer and
the note of it, the mail is sent once more under the same Message-ID: no report is lost, and readers can tell the two
for one. What was due while no server ran is sent late for two days; what is older is noted as skipped.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from visitor_tracker.access.audit import Audit
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.access.unsubscribing import Recipient, UnsubscribeTokens
from visitor_tracker.access.who import Who
from visitor_tracker.config import Config
from visitor_tracker.errors import OutcomeUnknown, StoreUnavailable, TrackerError
from visitor_tracker.ingest.zones import country_name
from visitor_tracker.outgoing.mail import Mailer, MailError
from visitor_tracker.reports.digest.calendar import Due, last_due, told
from visitor_tracker.reports.digest.collecting import Collector
from visitor_tracker.reports.digest.content import Digest
from visitor_tracker.reports.digest.formats import Formats
from visitor_tracker.reports.digest.letter import base_of, letter
from visitor_tracker.reports.digest.said import Links, Said
from visitor_tracker.reports.digest.schedules import digest_of, times_of
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import is_apart
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.store.report_schedules import Delivery, Outcome, ReportDeliveries, ReportSchedule, ReportSchedules
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
LATE_MS: Final = 2 * 86_400_000  # after it was due, what was missed is sent no more
GIVE_UP_MS: Final = 86_400_000  # after the first try
LEASE_MS: Final = 10 * 60_000  # that a mail may take; then its sender is taken for dead
BACKOFF_MS: Final = 60_000  # after the first failed try, twice as long after each other one
_BACKOFF_MOST_MS = 3_600_000
_NOTED_MS = 35 * 86_400_000  # back to which skipped reports are noted
_KEPT_MS = 400 * 86_400_000  # deliveries are shown for so long
_AT_ONCE = 20  # deliveries of a step
_REST_SECONDS = 0.2  # between two mails
_PURGE_SECONDS = 3600.0

SERVER = Who("local", "server", is_admin=True)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Reporting:
    """The reports of all sites. One thread; others like it may run on other nodes."""

    def __init__(
        self, store: SqlStore, config: Config, snapshot: SnapshotReader, clock: Callable[[], int] = now_ms
    ) -> None:
        """`clock` is epoch ms."""
        self._store = store
        self._config = config
        self._snapshot = snapshot
        self._clock = clock
        self._mailer = Mailer(config.mail)
        self._schedules = ReportSchedules(store.database)
        self._deliveries = ReportDeliveries(store.database)
        self._planned: dict[tuple[int, bytes], tuple[int, ReportSchedule]] = {}  # due until then, by this schedule
        self._purge_at = 0.0

    def run(self, rest: Callable[[float], bool]) -> None:
        """Work until `rest`, which waits for so many seconds, says that it is over."""
        if not self._mailer.is_set_up:  # settings change with a restart
            return
        while not rest(EVERY_SECONDS):
            try:
                self.step(rest)
            except TrackerError as error:
                log.warning("reports by mail wait for the store: %s", error)
            except Exception:
                log.exception("reports by mail cannot be sent, and are tried again")

    def step(self, rest: Callable[[float], bool]) -> None:
        """Plan what is due, and send what it is time for."""
        self._snapshot.refresh()
        for schedule in self._schedules.all():
            self._plan(schedule)
        digests: dict[tuple[int, str, int], Digest] = {}
        for delivery in self._deliveries.ready(self._clock(), _AT_ONCE):
            now = self._clock()
            taken = self._deliveries.take(delivery, now, now + LEASE_MS)
            if taken is not None:
                self._send_or_wait(taken, digests)
            if rest(_REST_SECONDS):
                return
        if time.monotonic() >= self._purge_at:
            self._deliveries.purge(self._clock() - _KEPT_MS)
            self._purge_at = time.monotonic() + _PURGE_SECONDS

    # What is due.

    def _plan(self, schedule: ReportSchedule) -> None:
        site = self._snapshot.now.by_id.get(schedule.site_id)
        if site is None or not schedule.is_on:
            return
        due = last_due(times_of(schedule), site.timezone, self._clock())
        key = schedule.site_id, schedule.id
        if self._planned.get(key) == (due.at_ms, schedule):
            return
        for each in self._missed(schedule, site, due):
            self._plan_one(schedule, site, each)
        self._planned[key] = due.at_ms, schedule

    def _missed(self, schedule: ReportSchedule, site: Site, due: Due) -> Sequence[Due]:
        """Return what was due since the schedule began to count, the oldest first."""
        since = max(schedule.at, self._clock() - _NOTED_MS)
        found: list[Due] = []
        while due.at_ms > since:
            found.append(due)
            due = last_due(times_of(schedule), site.timezone, due.at_ms - 1)
        return found[::-1]

    def _plan_one(self, schedule: ReportSchedule, site: Site, due: Due) -> None:
        now = self._clock()
        known = self._deliveries.known(schedule, due.at_ms, due.day)
        is_late = now - due.at_ms > LATE_MS
        new = [
            Delivery(
                site.id,
                schedule.id,
                due.at_ms,
                recipient,
                due.day,
                now,
                next_at=now,
                outcome="skipped" if is_late else "waiting",
                said="no server ran for two days after it was due" if is_late else "",
            )
            for recipient in sorted(set(map(digest_of, schedule.recipients)) - known)
        ]
        if not new:
            return
        self._deliveries.plan(new)
        if is_late:
            log.warning("a %s report of %s was due on %d and is skipped", schedule.every, site.name, due.day)
            self._note("report.skipped", site, schedule, due.day, len(new))

    def _note(self, action: str, site: Site, schedule: ReportSchedule, day: int, recipients: int) -> None:
        detail = {"id": schedule.id.hex(), "due": day, "recipients": recipients}
        Audit(self._store, self._clock).note(
            SERVER, action, site_id=site.id, target=f"{schedule.every} report", detail=detail
        )

    # Sending it.

    def _send_or_wait(self, delivery: Delivery, digests: dict[tuple[int, str, int], Digest]) -> None:
        """Send, or put it off where the site's own database is away: other sites' reports go on."""
        try:
            self._send(delivery, digests)
        except (StoreUnavailable, OutcomeUnknown) as error:
            if not is_apart(self._store.database, delivery.site_id):
                raise
            self._deliveries.settle(delivery, "waiting", str(error), self._clock() + BACKOFF_MS)

    def _send(self, delivery: Delivery, digests: dict[tuple[int, str, int], Digest]) -> None:
        schedule = self._schedules.find(delivery.site_id, delivery.schedule_id)
        site = self._snapshot.now.by_id.get(delivery.site_id)
        address = None if schedule is None else self._address(schedule, delivery)
        if schedule is None or site is None or address is None:
            self._settle(delivery, "dropped", "nobody is to get it any more")
            return
        if self._clock() > delivery.due_at + LATE_MS + GIVE_UP_MS:  # its senders ended each time
            self._settle(delivery, "failed", delivery.said or "it could not be made")
            return
        key = site.id, schedule.every, delivery.due_day
        if key not in digests:
            digests.clear()  # of one report at a time
            digests[key] = self._digest(site, schedule, delivery.due_day)
        said = Said(digests[key], Formats(schedule.language, country_name))
        links = Links(base_of(self._config), address, self._stop_link(delivery))
        try:
            answer = self._mailer.send(letter(said, links, _mail_id(delivery)))
        except MailError as error:
            self._failed(delivery, error)
        else:
            self._settle(delivery, "sent", answer)

    def _address(self, schedule: ReportSchedule, delivery: Delivery) -> str | None:
        """Return the address of the recipient; None for one who is not, or does not want to be, on the list."""
        if not schedule.is_on or delivery.recipient in self._schedules.stopped(schedule.site_id, schedule.id):
            return None
        return next((each for each in schedule.recipients if digest_of(each) == delivery.recipient), None)

    def _digest(self, site: Site, schedule: ReportSchedule, due_day: int) -> Digest:
        policy = self._snapshot.now.policy_of(site.id).visitor
        collector = Collector(ReportTable(self._store.database), site, policy, self._clock())
        goals = InsightTable(self._store.database).goals(site.id)
        return collector.digest(schedule.every, told(schedule.every, due_day), goals)

    def _stop_link(self, delivery: Delivery) -> str:
        secret = self._config.server.secret_key.encode() or self._store.secret("token")
        token = UnsubscribeTokens(secret).make(Recipient(delivery.site_id, delivery.schedule_id, delivery.recipient))
        return f"{base_of(self._config)}/unsubscribe?token={token}"

    def _failed(self, delivery: Delivery, error: MailError) -> None:
        now = self._clock()
        pause = min(BACKOFF_MS << (delivery.tries - 1), _BACKOFF_MOST_MS)
        if error.is_final or now + pause > delivery.made_at + GIVE_UP_MS:
            log.warning("a report by mail cannot be sent, and is given up: %s", error)
            self._settle(delivery, "failed", str(error))
            return
        log.info("a report by mail is tried again in %d s: %s", pause // 1000, error)
        self._deliveries.settle(delivery, "waiting", str(error), now + pause)

    def _settle(self, delivery: Delivery, outcome: Outcome, said: str) -> None:
        self._deliveries.settle(delivery, outcome, said, self._clock())


def _mail_id(delivery: Delivery) -> str:
    """Return what is the same for each try of a delivery, and for no other."""
    return f"report.{delivery.schedule_id.hex()}.{delivery.due_at}.{delivery.recipient.hex()}"
