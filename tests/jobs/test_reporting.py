"""Reports go out by mail when they are due: once, to those who want them, whatever happens meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.outgoing.mail_server import MailServer, mail_server
from visitor_tracker.access.snapshot import SnapshotReader
from visitor_tracker.access.unsubscribing import Recipient, UnsubscribeTokens
from visitor_tracker.config import Config, MailConfig, ServerConfig
from visitor_tracker.jobs.reporting import LEASE_MS, Reporting
from visitor_tracker.reports.digest.schedules import digest_of
from visitor_tracker.sites import Site, Snapshot, site_id_of
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.audit import AuditTable
from visitor_tracker.store.report_schedules import Delivery, ReportDeliveries, ReportSchedule, ReportSchedules
from visitor_tracker.store.sql import SqlStore

ZONE = "Europe/Berlin"
SITE = Site(site_id_of("blog"), "blog", timezone=ZONE)
ID = b"\x07" * 16
ANNA, BEN = "anna@reader.example", "ben@reader.example"
SECRET = "a secret of this server that is long enough"


def at(text: str) -> int:
    """Return a local time as epoch ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp()) * 1000


MADE = at("2026-03-24T12:00")


class Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Office:
    """A store with a schedule, the mail server, and the time."""

    def __init__(self, store: SqlStore, server: MailServer, folder: Path) -> None:
        self.store, self.server = store, server
        self.clock = Clock(MADE)
        self.schedules, self.deliveries = ReportSchedules(store.database), ReportDeliveries(store.database)
        self.config = Config(
            server=ServerConfig(data_dir=str(folder), public_url="https://stats.example.com", secret_key=SECRET),
            mail=MailConfig(**server.settings()),  # type: ignore[arg-type]
        )
        self.snapshot = SnapshotReader(folder / "none", Snapshot(sites=(SITE,)))

    def schedule(self, **more: object) -> ReportSchedule:
        given: dict[str, object] = {"recipients": (ANNA, BEN), "every": "daily", "hour": 2, "at": MADE, **more}
        made = ReportSchedule(site_id=SITE.id, id=ID, **given)  # type: ignore[arg-type]
        self.schedules.add(made)
        return made

    def node(self) -> Reporting:
        return Reporting(self.store, self.config, self.snapshot, self.clock)

    def step(self, text: str, node: Reporting | None = None) -> list[str]:
        """Let a node, a new one where none is given, do its work at a time; return to whom mails went."""
        before = len(self.server.recipients)
        self.clock.now = at(text)
        (node or self.node()).step(lambda _: False)
        return sorted(self.server.recipients[before:])

    def outcomes(self) -> list[tuple[int, str, int]]:
        found = self.deliveries.latest(SITE.id, ID, 100)
        return sorted((each.due_day, each.outcome, each.tries) for each in found)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def office(store: SqlStore, server: MailServer, tmp_path: Path) -> Office:
    return Office(store, server, tmp_path)


def test_each_recipient_gets_one_mail_when_it_is_due(office: Office) -> None:
    office.schedule()
    node = office.node()
    assert office.step("2026-03-25T01:59", node) == []
    assert office.step("2026-03-25T02:00", node) == [ANNA, BEN]
    assert office.step("2026-03-25T02:01", node) == []
    assert office.step("2026-03-25T02:02") == [], "another node, or this one after a restart"
    assert office.step("2026-03-26T02:00", node) == [ANNA, BEN]
    assert office.step("2026-03-29T01:59", node) == [ANNA, ANNA, BEN, BEN], "of two days, late"
    assert office.step("2026-03-29T03:00", node) == [ANNA, BEN], "the day without 2:00"
    assert office.step("2026-10-25T02:00", node) == [ANNA, ANNA, ANNA, BEN, BEN, BEN], "of the last two days, and now"
    assert office.step("2026-10-25T03:30", node) == [], "2:00 came twice"
    mail = next(mail for mail in office.server.mails if mail["To"] == ANNA)
    assert mail["Subject"] == "blog: 0 Visits, Tuesday, 24 March 2026"
    assert mail["From"] == "Visitor Tracker <stats@tracker.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = str(mail["List-Unsubscribe"]).removeprefix("<https://stats.example.com/unsubscribe?token=").rstrip(">")
    assert UnsubscribeTokens(SECRET.encode()).read(token) == Recipient(SITE.id, ID, digest_of(ANNA))
    ids = [str(mail["Message-ID"]) for mail in office.server.mails]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("more", "quiet", "due", "subject"),
    [
        ({"every": "weekly", "weekday": 0, "hour": 8}, "2026-03-30T07:59", "2026-03-30T08:00", "23–29 March 2026"),
        ({"every": "monthly", "hour": 0}, "2026-03-31T23:59", "2026-04-01T00:00", "March 2026"),
        ({"every": "monthly", "hour": 9, "language": "de"}, "2026-04-01T08:59", "2026-04-01T09:00", "März 2026"),
    ],
)
def test_weeks_and_months(office: Office, more: dict[str, object], quiet: str, due: str, subject: str) -> None:
    office.schedule(recipients=(ANNA,), **more)
    node = office.node()
    assert office.step(quiet, node) == []
    assert office.step(due, node) == [ANNA]
    assert str(office.server.mails[0]["Subject"]).endswith(f", {subject}")


def test_what_was_missed_is_sent_late_for_two_days_and_noted_after(office: Office) -> None:
    office.schedule(recipients=(ANNA,))
    assert office.step("2026-04-02T12:00") == [ANNA, ANNA], "of this day and the one before"
    assert office.outcomes() == [
        *((day, "skipped", 0) for day in range(20260325, 20260332)),
        (20260401, "sent", 1),
        (20260402, "sent", 1),
    ]
    rows = AuditTable(office.store.database).latest(100)
    assert [row.action for row in rows] == ["report.skipped"] * 7
    assert office.step("2026-04-02T12:01") == []


def test_what_is_changed_counts_from_then_on(office: Office) -> None:
    office.schedule(at=at("2026-03-25T12:00"), hour=8)
    assert office.step("2026-03-25T13:00") == [], "it was due before there was a schedule"
    [found] = office.schedules.all()
    office.schedules.change(msgspec.structs.replace(found, is_on=False))
    assert office.step("2026-03-26T13:00") == []


def test_a_site_that_moves_gets_no_report_again(office: Office) -> None:
    office.schedule(hour=8, at=at("2026-03-24T20:00"))
    for day in range(25, 31):
        assert office.step(f"2026-03-{day}T08:00") == [ANNA, BEN]
    office.snapshot = SnapshotReader(
        Path(office.config.server.data_dir) / "none",
        Snapshot(sites=(msgspec.structs.replace(SITE, timezone="America/New_York"),)),
    )
    assert office.step("2026-03-30T09:00") == []
    assert {outcome for _, outcome, _ in office.outcomes()} == {"sent"}, "nothing is noted as skipped either"
    assert office.step("2026-03-31T13:59") == [], "that is 7:59 there"
    assert office.step("2026-03-31T14:00") == [ANNA, BEN]


def test_an_hour_that_is_changed_counts_on_the_same_day(office: Office) -> None:
    made = office.schedule(hour=8)
    assert office.step("2026-03-25T08:00") == [ANNA, BEN]
    office.schedules.change(msgspec.structs.replace(made, hour=10, at=at("2026-03-25T09:00")))
    assert office.step("2026-03-25T10:00") == [ANNA, BEN]


def test_who_has_unsubscribed_gets_nothing_until_that_is_undone(office: Office) -> None:
    office.schedule()
    office.schedules.stop(SITE.id, ID, digest_of(ANNA), MADE)
    office.schedules.stop(SITE.id, ID, digest_of(ANNA), MADE + 1)
    assert office.schedules.stopped(SITE.id, ID) == {digest_of(ANNA): MADE}
    assert office.step("2026-03-25T02:00") == [BEN]
    assert office.outcomes() == [(20260325, "dropped", 1), (20260325, "sent", 1)]
    office.schedules.go_on(SITE.id, ID, digest_of(ANNA))
    assert office.step("2026-03-26T02:00") == [ANNA, BEN]


def test_a_busy_mail_server_is_asked_again_later(office: Office) -> None:
    office.schedule(recipients=(ANNA,))
    office.server.busy = 3
    node = office.node()
    assert office.step("2026-03-25T02:00", node) == []
    assert office.step("2026-03-25T02:00:59", node) == [], "it has a minute"
    assert office.step("2026-03-25T02:01", node) == []
    assert office.step("2026-03-25T02:03", node) == [], "then two, then four"
    assert office.step("2026-03-25T02:06:59", node) == []
    assert office.step("2026-03-25T02:07", node) == [ANNA]
    assert office.outcomes() == [(20260325, "sent", 4)]
    assert "250" in office.deliveries.latest(SITE.id, ID, 1)[0].said


def test_it_is_given_up_after_a_day_and_at_once_where_nobody_is_there(office: Office) -> None:
    office.schedule(recipients=(ANNA, "nobody@refused.example"))
    office.server.busy = 10_000
    node = office.node()
    for hour in range(2, 26):
        office.step(f"2026-03-{25 + hour // 24}T{hour % 24:02}:00", node)
        office.step(f"2026-03-{25 + hour // 24}T{hour % 24:02}:59", node)
    tries = {each.recipient: each for each in office.deliveries.latest(SITE.id, ID, 10) if each.due_day == 20260325}
    refused, busy = tries[digest_of("nobody@refused.example")], tries[digest_of(ANNA)]
    assert (refused.outcome, refused.tries) == ("failed", 1)
    assert "No such user here" in refused.said
    assert busy.outcome == "failed"
    assert busy.tries > 20
    assert "Try again later" in busy.said


def test_two_nodes_never_send_the_same(office: Office) -> None:
    office.schedule(recipients=(ANNA,))
    now, day = at("2026-03-25T02:00"), 20260325
    mine = Delivery(SITE.id, ID, now, digest_of(ANNA), day, now, next_at=now)
    office.deliveries.plan([mine])
    office.deliveries.plan([mine])
    taken = office.deliveries.take(mine, now, now + LEASE_MS)
    assert taken is not None
    assert office.deliveries.take(mine, now, now + LEASE_MS) is None
    assert office.step("2026-03-25T02:09") == [], "whoever has it may still be sending"
    assert office.step("2026-03-25T02:10") == [ANNA], "whoever had it is gone"
    office.deliveries.settle(taken, "failed", "too late to say so", now)
    assert office.outcomes() == [(20260325, "sent", 2)]


def test_a_schedule_that_is_removed_takes_everything_with_it(office: Office) -> None:
    office.schedule()
    office.schedules.stop(SITE.id, ID, digest_of(ANNA), MADE)
    office.step("2026-03-25T02:00")
    office.schedules.remove(SITE.id, ID)
    assert office.schedules.all() == []
    assert office.outcomes() == []
    assert office.schedules.stopped(SITE.id, ID) == {}
    assert office.step("2026-03-26T02:00") == []


def test_old_deliveries_are_forgotten(office: Office) -> None:
    office.schedule(recipients=(ANNA,))
    office.step("2026-03-25T02:00")
    [found] = office.schedules.all()
    office.schedules.change(msgspec.structs.replace(found, is_on=False))
    office.step("2027-05-01T12:00")
    assert office.outcomes() == []


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_node_that_is_killed_loses_no_report(office: Office, store_url: str, tmp_path: Path, place: str) -> None:
    """Killed before the mail server has it, it is sent once; killed after, twice under one Message-ID at most."""
    office.schedule(recipients=(ANNA,))
    command = [sys.executable, "-m", "tests.jobs.reporting_child", store_url, str(office.server.port), place]
    ended = subprocess.run([*command, str(tmp_path)], check=False, timeout=60, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert office.outcomes() == [(20260325, "sending", 1)]
    assert office.step("2026-03-25T02:11") == [ANNA]
    assert office.step("2026-03-25T03:00") == []
    assert office.outcomes() == [(20260325, "sent", 2)]
    assert len(office.server.mails) == (1 if place == "before" else 2)
    assert len({str(mail["Message-ID"]) for mail in office.server.mails}) == 1
