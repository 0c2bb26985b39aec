"""Alerts where something changes in between: a restart, another node, the end of a period, a receiver that is gone."""

from pathlib import Path

import msgspec

from tests.ingest.draining import Failing
from tests.jobs.alert_parts import NOON, Lookout
from tests.jobs.test_alerts import BUSY, MINUTES, for_one_step, hook, told
from tests.outgoing.mail_server import free_port, mail_server
from tests.outgoing.receiver import receiver
from visitor_tracker.days import DAY_MS, HOUR_MS
from visitor_tracker.jobs.alerts.delivering import AT_ONCE
from visitor_tracker.outgoing.channels import Channel
from visitor_tracker.store.alert_deliveries import DeliveryTable, Noted, State
from visitor_tracker.store.alerts import Rule
from visitor_tracker.store.insight import Goal, InsightTable
from visitor_tracker.store.sql import SqlStore


def test_a_restart_does_not_end_a_silence(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        for week in range(1, 5):
            lookout.views(60, NOON - week * 7 * DAY_MS)
            lookout.views(60, NOON - week * 7 * DAY_MS + HOUR_MS)
        lookout.views(1, NOON - 1_000)
        lookout.add(Rule("Nobody comes", "silent", minutes=45, at=NOON - DAY_MS), hook(there))
        lookout.look(50)
        lookout.watching = lookout.another()
        lookout.look(1)
        lookout.look(60)
        assert [phase for phase, _ in told(there)] == ["on"]
        lookout.views(1)
        lookout.look(1)
    assert [phase for phase, _ in told(there)] == ["on", "over"]


def test_nobody_is_told_that_the_store_is_away_by_what_was_known_long_ago(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        rule = lookout.add(Rule("Waiting", "lag", minutes=10, at=NOON), hook(there), site_id=0)
        database = Failing(any_store.database)
        any_store.database = database
        lookout.watching = lookout.another()
        lookout.look()
        other = lookout.another("other")
        lookout.now += 5 * MINUTES
        other.step()  # the first node was busy for so long that another has the lease
        lookout.look(0)
        lookout.now += 60 * MINUTES
        database.away.set()
        lookout.watching.run(for_one_step())
        assert there.got == [], "the store was away for a moment, and this node did not look for an hour"
        database.away.clear()
        lookout.look(0)
        lookout.rules.remove_rule(0, rule.id)
        lookout.look(1)
        database.away.set()
        for _ in range(14):
            lookout.now += MINUTES
            lookout.watching.run(for_one_step())
        assert there.got == [], "the alert was removed"


def test_a_goal_of_the_last_minute_is_told(any_store: SqlStore, tmp_path: Path) -> None:
    goal = InsightTable(any_store.database).kept_goals.add(1, Goal("Order", "event", event="order", at=NOON))
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(Rule("Orders", "goal", goal=goal.id.hex(), period="hour", at=NOON), hook(there))
        lookout.look(59)
        lookout.views(1, None, "custom", name="order")
        for _ in range(4):
            lookout.look(3)
    assert told(there) == [("on", "The goal Order was reached once in the hour from 12:00.")]


def test_a_goal_that_is_reached_at_night_is_told_in_the_morning(any_store: SqlStore, tmp_path: Path) -> None:
    goal = InsightTable(any_store.database).kept_goals.add(1, Goal("Order", "event", event="order", at=NOON))
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        rule = Rule("Orders", "goal", goal=goal.id.hex(), quiet_from="22:00", quiet_to="07:00", at=NOON)
        lookout.add(msgspec.structs.replace(rule, period="day"), hook(there))
        lookout.now += 11 * HOUR_MS
        lookout.views(1, None, "custom", name="order")
        for minutes in (0, *[60] * 7):
            lookout.look(minutes)
        assert there.got == []
        lookout.look(65)
    assert told(there) == [("on", "The goal Order was reached once on Wednesday, 14 October.")]


def test_what_waits_for_one_receiver_does_not_hide_what_waits_for_others(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        gone = Channel("gone", "slack", url=f"http://127.0.0.1:{free_port()}/x", at=NOON)
        rule = lookout.add(Rule("Busy too", "threshold", metric="views", value=1e6, at=NOON), gone)
        lookout.add(BUSY, hook(there))
        body = '{"message":{"id":"","title":"x","text":"x","at":1}}'
        part = bytes.fromhex(rule.channels[0]), body
        noted = Noted(b"e" * 16, State(1), parts=(part,) * (AT_ONCE + 20))
        DeliveryTable(any_store.database).note(1, rule.id, [noted], lookout.now - MINUTES)
        lookout.views(20)
        lookout.look()
    assert len(there.got) == 1


def test_an_address_that_does_not_exist_has_failed_at_once(any_store: SqlStore, tmp_path: Path) -> None:
    with mail_server() as post:
        lookout = Lookout(any_store, tmp_path, post.settings())
        to = ("nobody@refused.example", "anna@reader.example")
        lookout.add(BUSY, Channel("people", "email", to=to, at=NOON))
        lookout.views(20)
        lookout.look()
    assert post.recipients == ["anna@reader.example"], "in the same round"
    assert sorted((each.status, each.tries) for each in lookout.history()) == [("failed", 1), ("sent", 1)]


def test_a_row_that_cannot_be_read_stops_its_site_alone(any_store: SqlStore, tmp_path: Path) -> None:
    with receiver() as there:
        lookout = Lookout(any_store, tmp_path)
        lookout.add(Rule("Waiting", "lag", minutes=10, at=NOON), hook(there), site_id=0)
        any_store.execute("update alert_rules set body = '{'")
        lookout.add(BUSY, hook(there))
        lookout.views(20)
        lookout.look()
    assert len(there.got) == 1
