"""`visitor-tracker report`."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.outgoing.mail_server import MailServer, mail_server
from tests.reports.traffic import GERMANY, GOOGLE, event, fold
from visitor_tracker.days import DAY_MS
from visitor_tracker.reports.digest.schedules import digest_of
from visitor_tracker.sites import Site
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.report_schedules import ReportSchedules

SITE = Site(1, "default")
ANNA, BEN = "anna@reader.example", "ben@reader.example"


@pytest.fixture
def counted(command: Command, tmp_path: Path) -> Command:
    """A data folder with two weeks of a site."""
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    migrate(store)
    now = time.time_ns() // 1_000_000
    fold(
        store,
        SITE,
        [event(SITE, now - days * DAY_MS, f"v{days}", "/a", source=GOOGLE, place=GERMANY) for days in range(1, 30)],
    )
    store.close()
    return command


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


def test_a_report_as_text_and_as_a_page(counted: Command, tmp_path: Path) -> None:
    done = counted("report", "show")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("default: Weekly report\n")
    assert re.search(r"^Visits +7 +±0%$", done.out, re.MULTILINE)
    assert "Google" in done.out
    assert counted("report", "show", "--text").out == done.out
    page = counted("report", "show", "--every", "monthly", "--language", "es", "--html", "-").out
    assert page.startswith('<!doctype html><html lang="es">')
    assert "Informe mensual" in page
    done = counted("report", "show", "--html", "out.html")
    assert (done.code, done.out) == (0, "")
    assert "Weekly report" in (tmp_path / "out.html").read_text()
    done = counted("report", "show", "--html", "no/such/folder.html")
    assert done.code == 1
    assert "cannot be written" in done.err


def test_reports_by_mail(counted: Command, tmp_path: Path, server: MailServer) -> None:
    (tmp_path / "config.yaml").write_text(
        f"server:\n  public_url: https://stats.example.com\nmail:\n  host: 127.0.0.1\n  port: {server.port}\n"
        "  security: none\n  sender: stats@tracker.example\n"
    )
    assert counted("report", "list").err == (
        "no reports by mail yet: make one with  visitor-tracker report add --to ADDRESS\n"
    )
    done = counted("report", "add", "--to", ANNA, "--to", BEN, "--every", "daily", "--hour", "6")
    assert (done.code, done.err) == (0, "")
    assert " 06:00:00 UTC" in done.out
    shown = json.loads(counted("report", "list", "--json").out)
    assert [each["address"] for each in shown["recipients"]] == [ANNA, BEN]
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'visitors.db'}")
    ReportSchedules(store.database).stop(1, bytes.fromhex(shown["id"]), digest_of(BEN), 1)
    store.close()
    assert f"{ANNA}, {BEN} (unsubscribed)\n" in counted("report", "list").out
    assert counted("report", "deliveries", shown["id"]).err == "nothing was due yet\n"
    done = counted("report", "send", shown["id"])
    assert (done.code, done.out, done.err) == (0, f"{ANNA}: 250 Taken as number 1\n", f"{BEN}: has unsubscribed\n")
    assert "https://stats.example.com/dashboard/default" in str(server.mails[0])
    assert counted("report", "remove", shown["id"]).out == f"removed the report {shown['id']}\n"
    done = counted("report", "remove", shown["id"])
    assert done.code == 1
    assert "visitor-tracker report list" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--to", "anna"), "'anna' is no e-mail address"),
        (("--to", ANNA, "--hour", "24"), "use 0 to 23"),
        (("--to", ANNA, "--every", "hourly"), "invalid choice: 'hourly'"),
        ((), "--to"),
    ],
)
def test_what_is_wrong_is_told(counted: Command, arguments: tuple[str, ...], told: str) -> None:
    done = counted("report", "add", *arguments)
    assert done.code == 2
    assert told in done.err


def test_without_a_mail_server_it_says_so(counted: Command) -> None:
    done = counted("report", "add", "--to", ANNA)
    assert done.code == 0
    assert "the server sends no mail: name a mail server in the settings" in done.err
    shown = json.loads(counted("report", "list", "--json").out)
    done = counted("report", "send", shown["id"])
    assert done.code == 1
    assert "mail is not set up" in done.err
