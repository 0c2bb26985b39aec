"""Invented visits: what they look like, that a seed makes the same ones everywhere, and that nothing is there twice."""

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from visitor_tracker.days import date_of, day_after
from visitor_tracker.event import Event, InboxRow, decode_events, encode_events
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.jobs.demo.journey import Sent
from visitor_tracker.jobs.demo.pages import POSTS
from visitor_tracker.jobs.demo.plan import Order, Plan, highlights, host_of, is_newsletter_day
from visitor_tracker.jobs.demo.rhythm import OUTAGE_HOURS, outage
from visitor_tracker.jobs.demo.traffic import days_of_traffic
from visitor_tracker.jobs.demo.writing import DemoError, Start, Understanding, Written, find_start, segment_of, write
from visitor_tracker.sites import Policy, Site, site_id_of
from visitor_tracker.store.inbox import Inbox
from visitor_tracker.store.migrate import migrate
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

NOW = 1_795_348_800_000  # 2026-11-22T12:00:00Z, a Sunday
DAY_MS = 86_400_000
ZONE = ZoneInfo("Europe/Berlin")
SITE = Site(site_id_of("demo"), "demo", ("demo.example",), timezone="Europe/Berlin")
ORDER = Order(SITE, NOW, days=112, visits=60)
SMALL = Order(SITE, NOW, days=6, visits=25)
SERVER = Path(__file__).parents[2] / "server"


@cache
def sent() -> list[Sent]:
    return [each for day in days_of_traffic(ORDER.plan()) for each in day]


@cache
def events() -> list[Event]:
    return events_of(ORDER.plan())


def events_of(plan: Plan, policy: Policy | None = None) -> list[Event]:
    understood = Understanding(plan, policy or Policy())
    return [event for day in days_of_traffic(plan) for event in understood.events(day)]


@cache
def people() -> list[Event]:
    return [event for event in events() if not judge(event.signals)]


@cache
def visits() -> list[list[Event]]:
    """Return the events of people, cut where nothing happened for half an hour."""
    found: list[list[Event]] = []
    open_visits: dict[bytes, list[Event]] = {}
    for event in people():
        visit = open_visits.get(event.visitor)
        if visit is None or event.ts - visit[-1].ts > 1_800_000:
            visit = open_visits[event.visitor] = []
            found.append(visit)
        visit.append(event)
    return found


def local(event: Event) -> datetime:
    return datetime.fromtimestamp(event.ts / 1000, UTC).astimezone(ZONE)


def visits_by_day() -> Counter[int]:
    return Counter(visit[0].day for visit in visits())


# What it looks like.


def test_everything_is_in_order_and_nothing_in_the_future() -> None:
    times = [event.ts for event in events()]
    assert times == sorted(times)
    first = datetime.combine(date(2026, 11, 22) - timedelta(days=111), datetime.min.time(), ZONE)
    assert first.timestamp() * 1000 <= times[0]
    assert NOW - 3 * 3_600_000 < times[-1] <= NOW
    assert {event.at - event.ts for event in events()} == {0}
    ids = [event.id for event in events()]
    assert len(set(ids)) == len(ids)
    assert all(int.from_bytes(event.id[:6], "big") == event.ts for event in events())


def test_there_are_about_as_many_visits_as_were_asked_for() -> None:
    assert 0.85 < len(visits()) / (ORDER.days * ORDER.visits) < 1.35
    assert len(visits_by_day()) == ORDER.days


def test_weekends_and_nights_are_quieter() -> None:
    by_weekday: defaultdict[int, list[int]] = defaultdict(list)
    for day, number in visits_by_day().items():
        by_weekday[date_of(day).weekday()].append(number)
    mean = {weekday: sum(numbers) / len(numbers) for weekday, numbers in by_weekday.items()}
    assert max(mean[5], mean[6]) < 0.85 * min(mean[weekday] for weekday in range(5))
    hours = Counter(local(visit[0]).hour for visit in visits())
    assert sum(hours[hour] for hour in range(6)) < 0.25 * sum(hours[hour] for hour in range(9, 15))


def test_it_grows() -> None:
    numbers = [number for _, number in sorted(visits_by_day().items())]
    assert sum(numbers[:28]) < 0.8 * sum(numbers[-28:])


def test_visitors_come_from_everywhere() -> None:
    heads = [visit[0] for visit in visits()]
    channels = Counter(head.source.channel for head in heads)
    assert {"direct", "search", "social", "email", "ai", "paid", "campaign", "referral"} <= channels.keys()
    assert channels["search"] > channels["direct"] > channels["social"] > channels["paid"]
    names = {head.source.name for head in heads}
    assert {"Google", "Bing", "DuckDuckGo", "Reddit", "Hacker News", "ChatGPT", "newsletter"} <= names
    assert {"gclid", "fbclid", "msclkid"} <= {head.source.click_id for head in heads}
    countries = Counter(head.place.country for head in heads)
    assert countries.most_common(2)[0][0] == "US"
    assert len(countries) > 20
    assert {"en-US", "de-DE", "fr-FR", "ja-JP"} <= {head.language for head in heads}


def test_browsers_and_devices_are_understood_and_their_versions_move() -> None:
    devices = Counter(event.agent.device for event in people())
    assert devices.keys() == {"desktop", "mobile", "tablet"}
    assert devices["desktop"] > devices["mobile"] > devices["tablet"]
    browsers = {event.agent.browser for event in people()}
    assert browsers == {"Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera"}
    newest = [
        max(
            int(event.agent.browser_version)
            for event in people()
            if event.agent.browser == "Chrome" and when(event.day)
        )
        for when in (lambda day: day < 20260815, lambda day: day > 20261110)
    ]
    assert newest[1] - newest[0] in (3, 4), "one every four weeks"


def test_bounces_and_lengths_of_visits_are_as_usual() -> None:
    views = [sum(event.kind == "pageview" for event in visit) for visit in visits()]
    assert 0.38 < sum(map(is_bounce, visits())) / len(visits()) < 0.52
    assert 1.8 < sum(views) / len(views) < 3.2
    assert {1, 2, 3, 5, 8, 12} <= set(views)


def is_bounce(visit: list[Event]) -> bool:
    acted = any(
        event.kind in ("custom", "click", "outbound", "download", "form") and event.interactive for event in visit
    )
    views = sum(event.kind == "pageview" for event in visit)
    return views <= 1 and not acted and sum(event.engaged_ms for event in visit) < 10_000


def test_some_come_again_on_the_same_day() -> None:
    days = Counter((visit[0].day, visit[0].visitor) for visit in visits())
    assert 0.02 < sum(number > 1 for number in days.values()) / len(days) < 0.15


def test_a_journey_follows_its_own_pages() -> None:
    [long, *_] = [visit for visit in visits() if sum(event.kind == "pageview" for event in visit) > 4]
    assert {event.source.channel for event in long if event.kind == "pageview"} >= {"internal"}


def test_what_people_do_has_names_targets_and_money() -> None:
    kinds = Counter(event.kind for event in people())
    assert kinds.keys() == {
        "pageview", "custom", "click", "scroll", "outbound", "download", "form", "error", "vital", "engagement"
    }  # fmt: skip
    named = {kind: {event.name for event in people() if event.kind == kind} for kind in ("custom", "vital", "form")}
    assert named == {
        "custom": {"signup", "purchase", "search", "404"},
        "vital": {"LCP", "CLS", "INP", "FCP", "TTFB"},
        "form": {"contact", "newsletter"},
    }
    bought = [event for event in people() if event.name == "purchase"]
    assert {(event.value, event.currency, event.properties["plan"]) for event in bought} == {
        (36.0, "EUR", "personal"), (180.0, "EUR", "team")
    }  # fmt: skip
    lost = [event for event in people() if event.name == "404"]
    assert all(event.url.endswith(str(event.properties["path"])) and not event.interactive for event in lost)


def test_robots_are_there_and_apart() -> None:
    robots = [event for event in events() if judge(event.signals)]
    assert 0.01 < len(robots) / len(events()) < 0.08
    assert {reason for event in robots for reason in reasons(event.signals)} >= {
        "user_agent", "headless", "probe_path", "referrer_spam", "automation"
    }  # fmt: skip
    names = {event.agent.bot for event in robots}
    assert {"Googlebot", "bingbot", "GPTBot", "ClaudeBot", "AhrefsBot", "HeadlessChrome", "python-requests"} <= names
    assert {event.signals for event in people()} == {0}, "and nobody else is taken for one"


def test_a_post_is_read_when_it_is_published_and_less_and_less_then() -> None:
    plan = ORDER.plan()
    days_of: dict[str, list[int]] = defaultdict(list)
    for event in people():
        if event.kind == "pageview":
            days_of[event.url].append(event.day)
    fresh = [post for post in POSTS if 30 < post.days_ago < ORDER.days]
    assert len(fresh) == 6
    for post in fresh:
        published = day_after(plan.last, -post.days_ago)
        days = days_of[plan.base + post.path]
        assert min(days) >= published
        assert (
            sum(day < day_after(published, 14) for day in days)
            > sum(day >= day_after(published, 14) for day in days) / 3
        )


def test_newsletters_go_out_each_second_tuesday() -> None:
    sent_out = Counter(visit[0].source.utm_campaign for visit in visits() if visit[0].source.utm_source == "newsletter")
    days = sorted(map(date.fromisoformat, sent_out))
    assert all(is_newsletter_day(day) and day.weekday() == 1 for day in days)
    assert {after - before for before, after in zip(days, days[1:], strict=False)} == {timedelta(days=14)}
    on_the_day = Counter(visit[0].day for visit in visits() if visit[0].source.utm_source == "newsletter")
    assert on_the_day.most_common(1)[0][1] > 10


def test_there_is_a_day_on_a_front_page_and_an_outage() -> None:
    plan = ORDER.plan()
    marks = highlights(plan.seed, plan.last)
    assert visits_by_day().most_common(1)[0][0] == day_after(plan.last, -marks.front_page)
    start, end = outage(plan)
    assert end - start == len(OUTAGE_HOURS) * 3_600_000
    assert plan.day(0) <= int(f"{datetime.fromtimestamp(start / 1000, ZONE):%Y%m%d}") <= plan.last
    assert [event for event in events() if start <= event.ts < end] == []


def test_a_plan_of_one_day_is_a_day() -> None:
    found = events_of(Order(SITE, NOW, days=1, visits=20).plan())
    assert {event.day for event in found} == {20261122}


# Nobody's.


def test_no_address_could_be_anybody_s_and_none_is_kept() -> None:
    laboratory = ip_network("198.18.0.0/15")
    assert all(ip_address(each.client.ip) in laboratory for each in sent())
    assert {(event.ip, event.user_agent) for event in events()} == {("", "")}
    encoded = encode_events(events())
    assert b"198.18." not in encoded
    assert b"198.19." not in encoded
    assert b"Mozilla/" not in encoded


def test_a_policy_counts_for_invented_visitors_too() -> None:
    plan = SMALL.plan()
    usual = events_of(plan)
    days_of: defaultdict[bytes, set[int]] = defaultdict(set)
    for event in events_of(plan, Policy(visitor="monthly")):
        days_of[event.visitor].add(event.day)
    assert max(map(len, days_of.values())) > 1
    assert len(events_of(plan, Policy(opt_out="drop"))) < len(usual)
    assert any(not event.visitor for event in events_of(plan, Policy(opt_out="anonymous")))


# The same again.


def test_the_same_seed_makes_the_same_and_another_one_does_not() -> None:
    assert events_of(SMALL.plan()) == events_of(SMALL.plan())
    other = events_of(msgspec.structs.replace(SMALL, seed=2).plan())
    assert not {event.id for event in other} & {event.id for event in events_of(SMALL.plan())}


def test_what_is_added_by_the_hour_changes_nothing_before() -> None:
    earlier = events_of(msgspec.structs.replace(SMALL, now=NOW - 3_600_000).plan())
    assert earlier == [event for event in events_of(SMALL.plan()) if event.ts <= NOW - 3_600_000]


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_makes_the_same(hash_seed: str) -> None:
    code = (
        "import sys\n"
        "from visitor_tracker.event import encode_events\n"
        "from visitor_tracker.jobs.demo.plan import Order\n"
        "from visitor_tracker.jobs.demo.traffic import days_of_traffic\n"
        "from visitor_tracker.jobs.demo.writing import Understanding\n"
        "from visitor_tracker.sites import Policy, Site\n"
        f"plan = Order(Site({SITE.id}, 'demo', ('demo.example',), timezone='Europe/Berlin'), {NOW}, 2, 25).plan()\n"
        "understood = Understanding(plan, Policy())\n"
        "events = [event for day in days_of_traffic(plan) for event in understood.events(day)]\n"
        "sys.stdout.buffer.write(encode_events(events))\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SERVER)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    plan = msgspec.structs.replace(SMALL, days=2).plan()
    assert decode_events(done.stdout) == events_of(plan)


def test_a_day_is_the_same_wherever_one_begins() -> None:
    plan = SMALL.plan()
    whole = list(days_of_traffic(plan))
    assert list(days_of_traffic(plan, 3)) == whole[3:]
    assert any(day[0].ts < 60_000 + plan_start(plan, number) for number, day in enumerate(whole)), (
        "some go over midnight"
    )


def plan_start(plan: Plan, step: int) -> float:
    return datetime.combine(date_of(plan.day(step)), datetime.min.time(), ZONE).timestamp() * 1000


@pytest.mark.parametrize(
    "timezone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "Australia/Lord_Howe"]
)
def test_days_are_the_site_s(timezone: str) -> None:
    plan = msgspec.structs.replace(
        SMALL, site=msgspec.structs.replace(SITE, timezone=timezone), days=60, visits=2
    ).plan()
    understood = Understanding(plan, Policy())
    for step, day in enumerate(days_of_traffic(plan)):
        assert {event.day for event in understood.events(day)} <= {plan.day(step)}


@pytest.mark.parametrize(
    ("site", "host"),
    [
        (Site(2, "demo"), "demo.example"),
        (Site(2, "My_site.2"), "my-site-2.example"),
        (Site(2, "a", ("*.shop.example", "b.example")), "www.shop.example"),
    ],
)
def test_pages_are_of_the_site_s_host_or_of_one_that_nobody_has(site: Site, host: str) -> None:
    assert host_of(site) == host
    plan = msgspec.structs.replace(SMALL, site=site, days=1, visits=5).plan()
    assert events_of(plan)


# Into the store.


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    made = open_store(store_url)
    migrate(made)
    yield made
    made.close()


def nothing_to_fold() -> bool:
    return False


def quiet(done: int, days: int, events: int) -> None:
    pass


def run(store: SqlStore, order: Order = SMALL, progress: Callable[[int, int, int], None] = quiet) -> Written:
    inbox = Inbox(store.database)
    return write(inbox, find_start(inbox, order), Policy(), fold=nothing_to_fold, progress=progress)


def waiting(store: SqlStore) -> list[InboxRow]:
    return Inbox(store.database).rows(SITE.id, 100_000)


def stored(store: SqlStore) -> list[Event]:
    return [event for row in waiting(store) for event in decode_events(row.body)]


def test_all_of_it_waits_to_be_folded(store: SqlStore) -> None:
    written = run(store)
    expected = events_of(SMALL.plan())
    assert stored(store) == expected
    robots = [event for event in expected if judge(event.signals)]
    views = [event for event in expected if event.kind == "pageview" and not judge(event.signals)]
    assert written == Written(6, len(expected), len(views), len(robots))
    rows = waiting(store)
    assert sum(row.events for row in rows) == len(expected)
    assert max(row.events for row in rows) <= 250
    someone = views[0]
    assert Inbox(store.database).known(SITE.id, someone.visitor, someone.day) == (True, True)


def test_no_key_is_stored(store: SqlStore) -> None:
    run(store)
    assert int(store.execute("select count(*) from visitor_keys")[0][0]) == 0
    assert int(store.execute("select count(*) from key_log")[0][0]) == 0


def test_each_day_is_folded_before_the_next_is_written(store: SqlStore) -> None:
    inbox = Inbox(store.database)
    told: list[tuple[int, int, int]] = []

    def fold() -> bool:
        rows = inbox.rows(SITE.id, 1)
        inbox.remove(SITE.id, [row.id for row in rows])
        return bool(rows)

    def progress(done: int, days: int, events: int) -> None:
        assert inbox.pending() == (0, 0)
        told.append((done, days, events))

    written = write(inbox, find_start(inbox, SMALL), Policy(), fold=fold, progress=progress)
    assert [(done, days) for done, days, _ in told] == [(number, 6) for number in range(1, 7)]
    assert told[-1][2] == written.events > told[0][2] > 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seed": 2},
        {"days": 7},
        {"visits": 26},
        {"now": NOW + 60_000},
        {"now": NOW + DAY_MS},
        {"now": NOW + 30 * DAY_MS},
    ],
)
def test_a_second_run_adds_nothing(store: SqlStore, changes: dict[str, int]) -> None:
    run(store)
    before = stored(store)
    with pytest.raises(DemoError, match=r"the site demo has visits already.* --site demo2"):
        run(store, msgspec.structs.replace(SMALL, **changes))
    assert stored(store) == before


def test_real_visits_are_left_alone(store: SqlStore) -> None:
    event = events()[0]
    row = InboxRow(SITE.id, event.id, event.at, 1, encode_events([event]))
    Inbox(store.database).drain([row], [], segment_id=b"s" * 16, old=0, new=1, at=NOW)
    with pytest.raises(DemoError, match="has visits already"):
        run(store)
    assert stored(store) == [event]


def test_numbers_that_were_folded_are_visits_too(store: SqlStore) -> None:
    run(store)
    inbox = Inbox(store.database)
    inbox.remove(SITE.id, [row.id for row in waiting(store)])
    assert inbox.holds(SITE.id), "days of visitors are left"
    assert not inbox.holds(SITE.id + 1)


class Killed(Exception):
    pass


def kill_after(day: int) -> Callable[[int, int, int], None]:
    def progress(done: int, days: int, events: int) -> None:
        if done == day:
            raise Killed

    return progress


def test_a_run_that_was_interrupted_goes_on_where_it_was(store: SqlStore) -> None:
    with pytest.raises(Killed):
        run(store, progress=kill_after(2))
    start = find_start(Inbox(store.database), SMALL)
    assert start == Start(SMALL.plan(), 2)
    assert run(store).days == 4
    assert stored(store) == events_of(SMALL.plan())


def test_it_goes_on_tomorrow_with_what_was_planned_today(store: SqlStore) -> None:
    with pytest.raises(Killed):
        run(store, progress=kill_after(2))
    tomorrow = msgspec.structs.replace(SMALL, now=NOW + DAY_MS)
    run(store, tomorrow)
    assert stored(store) == events_of(tomorrow.plan(1))
    assert max(event.day for event in stored(store)) == 20261122


@pytest.mark.parametrize("changes", [{"seed": 2}, {"days": 5}, {"visits": 24}, {"now": NOW + 9 * DAY_MS}])
def test_it_does_not_go_on_as_something_else(store: SqlStore, changes: dict[str, int]) -> None:
    with pytest.raises(Killed):
        run(store, progress=kill_after(2))
    before = stored(store)
    with pytest.raises(DemoError, match="goes on with the same options"):
        run(store, msgspec.structs.replace(SMALL, **changes))
    assert stored(store) == before


def test_of_two_runs_at_once_one_ends(store: SqlStore) -> None:
    def meanwhile(done: int, days: int, events: int) -> None:
        if done == 1:
            run(store)

    with pytest.raises(DemoError, match="another  visitor-tracker demo  is writing"):
        run(store, progress=meanwhile)
    assert stored(store) == events_of(SMALL.plan())


def test_a_killed_process_leaves_whole_days(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'visitors.db'}"
    code = (
        "import os, signal\n"
        "from visitor_tracker.jobs.demo.plan import Order\n"
        "from visitor_tracker.jobs.demo.writing import find_start, write\n"
        "from visitor_tracker.sites import Policy, Site\n"
        "from visitor_tracker.store.inbox import Inbox\n"
        "from visitor_tracker.store.migrate import migrate\n"
        "from visitor_tracker.store.open import open_store\n"
        f"store = open_store({url!r})\n"
        "migrate(store)\n"
        f"order = Order(Site({SITE.id}, 'demo', ('demo.example',), timezone='Europe/Berlin'), {NOW}, 6, 25)\n"
        "inbox = Inbox(store.database)\n"
        "kill = lambda done, *_: done == 3 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "write(inbox, find_start(inbox, order), Policy(), fold=lambda: False, progress=kill)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, env=os.environ | {"PYTHONPATH": str(SERVER)})
    assert done.returncode == -signal.SIGKILL
    store = open_store(url)
    try:
        assert find_start(Inbox(store.database), SMALL).step == 3
        run(store)
        assert stored(store) == events_of(SMALL.plan())
    finally:
        store.close()


def test_no_journal_has_the_cursor_of_a_site() -> None:
    assert len(segment_of(SITE)) == 16
    assert segment_of(SITE) != segment_of(msgspec.structs.replace(SITE, id=7))


def test_a_site_that_takes_no_such_pages_is_told() -> None:
    plan = msgspec.structs.replace(SMALL.plan(), host="elsewhere.example")
    with pytest.raises(DemoError, match=r"takes no page https://elsewhere\.example/.* for the site demo: hostname"):
        events_of(plan)
