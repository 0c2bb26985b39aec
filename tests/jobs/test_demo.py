"""Invented visits: what they look like, that they are nobody's, and that a seed makes the same ones everywhere."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.jobs.invented import NOW, SITE, SMALL, events_of
from visitor_tracker.days import date_of, day_after
from visitor_tracker.event import Event, decode_events, encode_events
from visitor_tracker.ingest.bots import judge, reasons
from visitor_tracker.jobs.demo.journey import Sent
from visitor_tracker.jobs.demo.pages import POSTS, SQLITE_POST
from visitor_tracker.jobs.demo.plan import Order, highlights, host_of, is_newsletter_day
from visitor_tracker.jobs.demo.rhythm import OUTAGE_HOURS, outage
from visitor_tracker.jobs.demo.traffic import days_of_traffic
from visitor_tracker.jobs.demo.writing import Understanding
from visitor_tracker.sites import Policy, Site

ZONE = ZoneInfo("Europe/Berlin")
ORDER = Order(SITE, NOW, days=112, visits=60)
TOP = Path(__file__).parents[2]


@cache
def sent() -> list[Sent]:
    return [each for day in days_of_traffic(ORDER.plan()) for each in day]


@cache
def events() -> list[Event]:
    return events_of(ORDER.plan())


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
    chrome = [(event.day, int(event.agent.browser_version)) for event in people() if event.agent.browser == "Chrome"]
    newest = [
        max(version for day, version in chrome if day < 20260815),
        max(version for day, version in chrome if day > 20261110),
    ]
    assert newest[1] - newest[0] in (3, 4), "one every four weeks"


def test_bounces_and_lengths_of_visits_are_as_usual() -> None:
    views = [sum(event.kind == "pageview" for event in visit) for visit in visits()]
    assert 0.38 < sum(map(is_bounce, visits())) / len(visits()) < 0.52
    assert 1.8 < sum(views) / len(views) < 3.2
    assert {1, 2, 3, 5, 8, 12} <= set(views)


ACTIONS = ("custom", "click", "outbound", "download", "form")


def is_bounce(visit: list[Event]) -> bool:
    acted = any(event.kind in ACTIONS and event.interactive for event in visit)
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
    fresh = [post for post in POSTS if 30 < post.days_ago < ORDER.days and post is not SQLITE_POST]  # which comes again
    assert len(fresh) == 5
    for post in fresh:
        published = day_after(plan.last, -post.days_ago)
        days = days_of[plan.base + post.path]
        assert min(days) >= published
        soon = sum(day < day_after(published, 14) for day in days)
        assert soon / 14 > 2 * (len(days) - soon) / (post.days_ago - 14)


def test_newsletters_go_out_each_second_tuesday() -> None:
    sent_out = Counter(visit[0].source.utm_campaign for visit in visits() if visit[0].source.utm_source == "newsletter")
    days = sorted(map(date.fromisoformat, sent_out))
    assert all(is_newsletter_day(day) and day.weekday() == 1 for day in days)
    assert {after - before for before, after in pairwise(days)} == {timedelta(days=14)}
    on_the_day = Counter(visit[0].day for visit in visits() if visit[0].source.utm_source == "newsletter")
    assert on_the_day.most_common(1)[0][1] > 10


def test_there_is_a_day_on_a_front_page_and_an_outage() -> None:
    plan = ORDER.plan()
    marks = highlights(plan.seed, plan.last)
    assert visits_by_day().most_common(1)[0][0] == day_after(plan.last, -marks.front_page)
    day = day_after(plan.last, -marks.front_page)
    landed = Counter((visit[0].source.name, visit[0].url) for visit in visits() if visit[0].day == day)
    assert landed.most_common(1)[0][0] == ("Hacker News", plan.base + SQLITE_POST.path)
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
        "from tests.jobs.invented import SMALL, events_of\n"
        "sys.stdout.buffer.write(encode_events(events_of(SMALL.plan())))\n"
    )
    path = os.pathsep.join((str(TOP / "server"), str(TOP)))
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert decode_events(done.stdout) == events_of(SMALL.plan())


def test_a_day_is_the_same_wherever_one_begins() -> None:
    plan = SMALL.plan()
    whole = list(days_of_traffic(plan))
    assert list(days_of_traffic(plan, 3)) == whole[3:]


def test_visits_go_on_over_midnight() -> None:
    known = {event.visitor for event in people()}
    assert [event for event in people() if event.previous in known]


@pytest.mark.parametrize(
    "timezone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "Australia/Lord_Howe"]
)
def test_days_are_the_site_s(timezone: str) -> None:
    site = msgspec.structs.replace(SITE, timezone=timezone)
    plan = Order(site, NOW, days=60, visits=2).plan()
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
