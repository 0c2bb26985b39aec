"""What happens on a site reaches those who are to know: once, whatever dies or is away in between."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.ingest.draining import Failing, batch, write
from tests.ingest.draining import event as taken
from tests.jobs.alert_parts import NOON, SITE, Lookout
from tests.net.test_tls import make_certificate
from tests.outgoing.mail_server import free_port, mail_server
from tests.outgoing.receiver import Got, Receiver, receiver
from tests.reports.traffic import GOOGLE, event, fold
from visitor_tracker.config import TlsConfig
from visitor_tracker.days import DAY_MS, HOUR_MS
from visitor_tracker.jobs.alerts.delivering import FIRST_MS, LONGEST_MS, TRIED_MS
from visitor_tracker.jobs.alerts.watching import LEASE
from visitor_tracker.outgoing.channels import Channel, Message
from visitor_tracker.store.alerts import Rule
from visitor_tracker.store.insight import Goal, InsightTable
from visitor_tracker.store.leases import JobLeases
from visitor_tracker.store.sql import SqlStore

BUSY = Rule("Busy", "threshold", metric="views", value=10, at=NOON - DAY_MS)
MINUTES = 60_000


def hook(there: Receiver, name: str = "program") -> Channel:
    return Channel(name, "webhook", url=f"{there.url}/hook", at=NOON)


def message(got: Got) -> Message:
    return msgspec.json.decode(got.body, type=Message)


def told(there: Receiver) -> list[tuple[str, str]]:
    return [(message(got).phase, message(got).text.splitlines()[0]) for got in there.got]


def test_a_threshold_is_told_once_and_its_end_once(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(BUSY, hook(there))
        lookout.views(10)
        lookout.look(1)
        assert there.got == []
        lookout.views(2)
        lookout.look(1)
        for _ in range(3):
            lookout.look(20)
        assert told(there) == [("on", "12 views this hour so far: above 10 views.")]
        lookout.look(90)
        lookout.look(1)
    assert told(there)[1:] == [("over", "0 views in the hour from 13:00.")]
    first, last = map(message, there.got)
    assert (first.event, first.site, first.rule, first.kind) == (last.event, "default", "Busy", "threshold")
    assert first.id != last.id
    assert first.numbers["value"] == 12
    assert first.link == "https://stats.example.com/dashboard/default?period=2026-10-14"
    assert [(each.status, each.tries, each.answer) for each in lookout.history()] == [("sent", 1, "200 ok")] * 2


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("x", "threshold", metric="visitors", value=2), "3 visitors this hour so far: above 2 visitors."),
        (
            Rule("x", "threshold", metric="visits", value=2, period="day"),
            "3 visits today so far: above 2 visits.",
        ),
        (Rule("x", "threshold", metric="views", value=2, period="week"), "3 views this week so far: above 2 views."),
        (Rule("x", "threshold", metric="views", value=2, period="month"), "3 views this month so far: above 2 views."),
        (Rule("x", "threshold", metric="errors", value=1), "2 errors this hour so far: above 1 errors."),
        (
            Rule("x", "threshold", metric="lcp", value=2_500),
            "LCP (75th percentile) was 4,100 ms in the hour from 11:00: above 2,500 ms.",
        ),
        (
            Rule("x", "threshold", metric="bounce_rate", value=0.5),
            "The bounce rate was 100.0% in the hour from 11:00: above 50.0%.",
        ),
        (
            Rule("x", "threshold", metric="views", value=5, direction="below"),
            "4 views in the hour from 11:00: below 5 views.",
        ),
    ],
)
def test_every_metric_can_be_watched(any_store: SqlStore, tmp_path: Path, rule: Rule, says: str) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        if rule.period == "hour":  # of longer periods these would be part
            lookout.views(4, NOON - HOUR_MS)
        lookout.views(1, NOON - HOUR_MS, "vital", name="LCP", value=4_100.0)
        lookout.views(3)
        lookout.views(2, None, "error", name="TypeError")
        lookout.add(msgspec.structs.replace(rule, at=NOON - DAY_MS), hook(there))
        lookout.look(10)
        assert told(there) == [("on", says)]


def test_silence_is_told_where_visits_usually_come(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        for week in range(1, 5):
            lookout.views(60, NOON - week * 7 * DAY_MS)
            lookout.views(60, NOON - week * 7 * DAY_MS + HOUR_MS)
        lookout.views(1, NOON - 1_000)
        rule = Rule("Nobody comes", "silent", minutes=45, at=NOON - DAY_MS)
        lookout.add(rule, hook(there))
        for minutes in (44, 10, 30):
            lookout.look(minutes)
        assert [message(got).title for got in there.got] == ["No visits for 54 minutes"]
        assert "there are usually 45" in message(there.got[0]).text
        lookout.views(1)
        lookout.look(1)
        assert [phase for phase, _ in told(there)] == ["on", "over"]
        lookout.look(12 * 60)  # at that time nobody ever comes
        assert len(there.got) == 2


def test_a_goal_is_told_once_a_period(any_store: SqlStore, tmp_path: Path) -> None:
    goal = InsightTable(any_store.database).kept_goals.add(1, Goal("Order", "event", event="order", at=NOON))
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        rule = lookout.add(Rule("Orders", "goal", goal=goal.id.hex(), times=2, period="day", at=NOON), hook(there))
        lookout.views(1, None, "custom", name="order")
        lookout.look(10)
        assert there.got == []
        lookout.views(2, None, "custom", name="order")
        for _ in range(3):
            lookout.look(60)
        assert told(there) == [("on", "The goal Order was reached 3 times today so far.")]
        lookout.look(24 * 60)
        assert len(there.got) == 1
        InsightTable(any_store.database).kept_goals.remove(1, goal.id)
        lookout.look(60)
    [after] = lookout.rules.rules(1)
    assert after.problem == "its goal was removed: change the alert, or remove it"
    assert rule.problem == ""


def test_an_anomaly_is_told_with_its_reasons(any_store: SqlStore, tmp_path: Path) -> None:
    events = []
    for day in range(1, 120):
        for n in range(40 + day % 7):
            at = NOON - day * DAY_MS + n * 60_000
            events.append(event(SITE, at, f"{day} {n}", "/"))
        if day == 1:
            events += [event(SITE, NOON - DAY_MS + n * 1_000, f"more {n}", "/post", source=GOOGLE) for n in range(900)]
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        fold(any_store, SITE, events)
        lookout.add(Rule("Odd", "anomaly", at=NOON - 2 * DAY_MS), hook(there))
        lookout.look()
        lookout.look(6)
        [got] = there.got
    said = message(got)
    assert said.title == "More visits than usual"
    assert said.text.startswith("Visits rose to 9")
    assert "/post" in said.text or "Google" in said.text
    assert said.link.startswith("https://stats.example.com/dashboard/default?period=2026-10-13")
    assert said.numbers["kind"] == "spike"


def test_of_the_server_are_told_its_certificate_and_what_waits(any_store: SqlStore, tmp_path: Path) -> None:
    make_certificate(tmp_path, "own")  # good for two days
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        own = TlsConfig(str(tmp_path / "own.crt"), str(tmp_path / "own.key"))
        lookout.config = replace(lookout.config, tls=own)
        lookout.watching = lookout.another()
        lookout.now = time.time_ns() // 1_000_000
        lookout.add(Rule("Certificate", "certificate", days=14), hook(there), site_id=0)
        lookout.add(Rule("Waiting", "lag", minutes=10), hook(there, "other"), site_id=0)
        lookout.look()
        assert [message(got).title for got in there.got] == ["The certificate ends soon"]
        lookout.config.journal_folder.mkdir(parents=True)
        write(lookout.config.journal_folder, msgspec.structs.replace(batch(taken()), at=lookout.now))
        lookout.look(9)
        assert len(there.got) == 1
        lookout.look(2)
        assert [message(got).title for got in there.got][1:] == ["Events have waited for 11 minutes"]
        for path in lookout.config.journal_folder.iterdir():
            path.unlink()
        lookout.look(1)
        assert told(there)[2:] == [("over", "What visitors sent is counted again without delay.")]
    assert message(there.got[0]).site == ""


def test_a_receiver_that_is_away_gets_it_later_under_the_same_id(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(BUSY, hook(there))
        there.answers = [(500, b"broken", {}), (429, b"slowly", {"Retry-After": "1800"}), (503, b"", {})]
        lookout.views(20)
        lookout.look()
        [waiting] = lookout.history()
        assert (waiting.status, waiting.tries, waiting.answer) == ("waiting", 1, "500 broken")
        assert waiting.next_at == lookout.now + FIRST_MS
        lookout.look(1)
        assert lookout.history()[0].next_at == lookout.now + 30 * MINUTES
        lookout.look(29)
        assert len(there.got) == 2
        lookout.look(1)
        lookout.look(60)
    assert [each.status for each in lookout.history()][-1] == "sent"
    assert {got.headers["webhook-id"] for got in there.got[:4]} == {waiting.id.hex()}


def test_after_a_day_it_has_failed_and_is_not_tried_again(any_store: SqlStore, tmp_path: Path) -> None:
    lookout = Lookout(any_store, tmp_path)
    port = free_port()
    rule = msgspec.structs.replace(BUSY, tell_over=False)
    lookout.add(rule, Channel("gone", "slack", url=f"http://127.0.0.1:{port}/x/secret", at=NOON))
    lookout.views(20)
    for _ in range(26):
        lookout.look(LONGEST_MS / MINUTES)
    [failed] = lookout.history()
    assert failed.status == "failed"
    assert "refused" in failed.answer
    assert TRIED_MS // LONGEST_MS <= failed.tries + 1 <= 27
    lookout.look(24 * 60)
    assert lookout.history() == [failed]


def test_one_receiver_that_fails_holds_up_no_other(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there, mail_server() as post:
        lookout = Lookout(any_store, tmp_path, post.settings())
        people = Channel("people", "email", to=("anna@reader.example", "nobody@refused.example"), at=NOON)
        gone = Channel("gone", "ntfy", url=f"http://127.0.0.1:{free_port()}/topic", at=NOON)
        lookout.add(BUSY, gone, people, hook(there))
        lookout.views(20)
        lookout.look()
        lookout.look(1)
    assert post.recipients == ["anna@reader.example"]
    assert len(there.got) == 1
    assert sorted(each.status for each in lookout.history()) == ["failed", "sent", "sent", "waiting"]
    assert post.mails[0]["Subject"] == "Busy: 20 views (default)"


def test_that_the_store_is_away_is_told_without_it(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(Rule("Waiting", "lag", minutes=10, at=NOON), hook(there), site_id=0)
        database = Failing(any_store.database)
        any_store.database = database
        lookout.watching = lookout.another()
        lookout.look()
        database.away.set()
        there.answers = [(500, b"", {})]
        for _ in range(14):
            lookout.now += MINUTES
            lookout.watching.run(for_one_step())
        assert [message(got).title for got in there.got] == ["The store has been away for 10 minutes"] * 2
        assert len({message(got).id for got in there.got}) == 1, "it was not taken the first time"
        database.away.clear()
        lookout.look(5)
        lookout.look(1)
        assert [message(got).phase for got in there.got] == ["on", "on", "over"]
        assert {message(got).event for got in there.got} == {message(there.got[0]).event}


def for_one_step() -> Callable[[float], bool]:
    steps = iter((False, False, True, True))
    return lambda seconds: next(steps)


def test_of_several_nodes_one_looks(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(BUSY, hook(there))
        lookout.look()
        other = lookout.another("other")
        lookout.views(20)
        other.step()
        assert there.got == []
        lookout.look(1)
        other.step()
        assert len(there.got) == 1
        lookout.now += 6 * MINUTES  # its node is gone
        other.step()
        assert len(there.got) == 1
        assert not JobLeases(any_store.database).take(LEASE, "third", lookout.now, 1000)
        over = iter((False, True, True))
        other.run(lambda seconds: next(over))
        assert JobLeases(any_store.database).take(LEASE, "third", lookout.now, 1000), "given back at the end"


def test_a_rule_that_is_off_or_gone_tells_nothing(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        off = lookout.add(msgspec.structs.replace(BUSY, is_on=False), hook(there))
        there.answers = [(500, b"", {})] * 2
        gone = lookout.add(msgspec.structs.replace(BUSY, name="Gone"), hook(there, "other"))
        lookout.views(20)
        lookout.look()
        lookout.rules.remove_rule(1, gone.id)
        lookout.look(1)
        lookout.look(5)
        assert len(there.got) == 1
        assert [each.answer for each in lookout.history()] == ["the alert was removed"]
        lookout.rules.change_rule(1, msgspec.structs.replace(off, is_on=True))
        there.answers = []
        lookout.look(5)
        assert len(there.got) == 2


@pytest.mark.parametrize("statements", [0, 2, 4, 6, 8])
def test_who_is_killed_in_between_neither_loses_nor_repeats(
    any_store: SqlStore, store_url: str, tmp_path: Path, statements: int
) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(BUSY, hook(there))
        lookout.views(20)
        command = [sys.executable, "-m", "tests.jobs.alerts_child", store_url, str(tmp_path)]
        ended = subprocess.run([*command, str(lookout.now), str(statements)], check=False, timeout=60)
        assert ended.returncode == -signal.SIGKILL
        for _ in range(4):
            lookout.look(6)
        assert [message(got).phase for got in there.got] == ["on"] * len(there.got)
        assert 1 <= len(there.got) <= 2
        assert len({got.headers["webhook-id"] for got in there.got}) == 1, "who gets it twice can see that"
        assert len({message(got).id for got in there.got}) == 1
        [sent] = lookout.history()
        assert sent.status == "sent"
