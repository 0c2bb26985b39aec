"""`visitor-tracker visitors`: who was here, one by one."""

import json
import time

import pytest

from tests.cli.conftest import Command
from tests.reports.visits_of_people import ANNA, BEN, FRANCE, GERMANY, fill, happened
from visitor_tracker.event import Place
from visitor_tracker.sites import Site, site_id_of
from visitor_tracker.store import open_store
from visitor_tracker.store.folding import IpRecord, merge_ip_records

# 2025-01-15T10:30:00Z and 14:22:00Z
HOME = IpRecord(
    "203.0.113.42", 1_736_937_000_000, 1_736_950_920_000, 15, "US", "California", "San Francisco", "Example ISP",
    ("GET /docs", "GET /v1/health"), ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",),
)  # fmt: skip
WORK = IpRecord(
    "198.51.100.10", 1_736_938_800_000, 1_736_948_700_000, 8, "CA", "Ontario", "Toronto",
    "Another ISP with a very long name", ("GET /",), (),
)  # fmt: skip
FRAME = "=" * 80


def keep_addresses(command: Command, store_url: str) -> None:
    assert command("migrate", "--store", store_url).code == 0
    policy = ("--ip", "full", "--user-agent", "full")
    assert command("site", "set", "default", *policy, "--store", store_url).code == 0


@pytest.fixture
def addresses(command: Command, store_url: str) -> Command:
    """A server whose default site keeps addresses, with two of them."""
    keep_addresses(command, store_url)
    store = open_store(store_url)
    store.database.write(lambda session: merge_ip_records(session, 1, [HOME, WORK]))
    store.close()
    return lambda *arguments: command("visitors", "--store", store_url, *arguments)


def test_the_table_of_old(addresses: Command) -> None:
    done = addresses()
    assert (done.code, done.err) == (0, "")
    top, title, under, *table, bottom = done.out.splitlines()
    assert (top, title, under, bottom) == (FRAME, "ALL VISITORS", FRAME, FRAME)
    header, rule, *rows = table
    assert rule == "-" * 144
    assert [line[:63] for line in (header, *rows)] == [
        "IP Address         Country              City                  O",
        "203.0.113.42       United States        San Francisco         E",
        "198.51.100.10      Canada               Toronto               A",
    ]
    assert [line[62:] for line in (header, *rows)] == [
        "Organization                    Visits  First Seen            Last Seen",
        "Example ISP                     15      2025-01-15T10:30:00   2025-01-15T14:22:00",
        "Another ISP with a very long    8       2025-01-15T11:00:00   2025-01-15T13:45:00",
    ]


def test_the_statistics_of_old(addresses: Command) -> None:
    done = addresses("--stats")
    assert (
        done.out
        == f"""\
{FRAME}
VISITOR STATISTICS
{FRAME}
Total Unique Visitors: 2
Total Visits: 23

Visitors by Country:
  Canada: 1
  United States: 1

Top 10 IPs by Visit Count:
  1. 203.0.113.42      United States        (15 visits)
  2. 198.51.100.10     Canada               (8 visits)
{FRAME}
"""
    )


def test_the_details_of_old(addresses: Command) -> None:
    done = addresses("--ip", "203.0.113.42")
    assert (
        done.out
        == f"""\
{FRAME}
VISITOR DETAILS: 203.0.113.42
{FRAME}
IP Address: 203.0.113.42
Country: United States (US)
Region: California
City: San Francisco
Organization: Example ISP
ISP: Example ISP
Visit Count: 15
First Seen: 2025-01-15T10:30:00+00:00
Last Seen: 2025-01-15T14:22:00+00:00

Paths Visited (2):
  - GET /docs
  - GET /v1/health

User Agents (1):
  - Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36
{FRAME}
"""
    )


def test_everything_as_json(addresses: Command) -> None:
    rows = json.loads(addresses("--json").out)
    assert [row["ip"] for row in rows] == ["203.0.113.42", "198.51.100.10"]
    assert json.loads(addresses("--json", "--ip", "198.51.100.10").out) == rows[1]
    assert json.loads(addresses("--json", "--limit", "1").out) == rows[:1]
    assert json.loads(addresses("--json", "--stats").out)["total_visits"] == 23
    assert json.loads(addresses("--json", "--live").out)["site"] == "default"


def test_who_sees_a_part_is_told(addresses: Command) -> None:
    assert addresses("--limit", "1").err == "these are the newest 1; --limit shows more, up to 10,000\n"
    assert addresses("--limit", "3").err == ""


def test_an_address_nobody_came_from(addresses: Command) -> None:
    done = addresses("--ip", "192.0.2.1")
    assert (done.code, done.out, done.err) == (1, "", "visitor-tracker: No data found for IP: 192.0.2.1\n")
    done = addresses("--ip", "192.0.2.1", "--json")
    assert (done.code, json.loads(done.out)) == (
        1, {"error": "No data found for IP: 192.0.2.1", "ip": "192.0.2.1"}
    )  # fmt: skip


def test_nothing_stored_can_write_on_the_terminal(command: Command, store_url: str) -> None:
    keep_addresses(command, store_url)
    evil = "\x1b[2J\x9b31m\u202e"
    store = open_store(store_url)
    record = IpRecord(f"1.2.3.4{evil}", 1, 2, 1, "US", evil, evil, evil, (f"GET /{evil}",), (evil,))
    store.database.write(lambda session: merge_ip_records(session, 1, [record]))
    now = time.time_ns() // 1_000_000
    fill(store, [happened(now, url=f"https://example.com/{evil}", name=evil, place=Place("DE", evil, evil, evil))])
    store.close()
    for more in ([], ["--stats"], ["--ip", f"1.2.3.4{evil}"], ["--ip", f"9{evil}"], ["--live"]):
        done = command("visitors", "--store", store_url, *more)
        printed = (done.out + done.err).replace("\n", "")
        assert printed.isprintable(), more
        assert "\\x1b" in printed, more


def test_visitors_without_addresses_are_hashes(command: Command, store_url: str) -> None:
    assert command("site", "add", "blog", "--store", store_url).code == 0
    store = open_store(store_url)
    now = time.time_ns() // 1_000_000
    fill(store, [happened(now, ANNA, place=GERMANY), happened(now - 1, BEN, place=FRANCE)])
    store.close()
    assert [row["ip"] for row in json.loads(command("visitors", "--json", "--store", store_url).out)] == [
        ANNA.hex()[:16], BEN.hex()[:16]
    ]  # fmt: skip
    assert command("visitors", "--ip", BEN.hex()[:16], "--store", store_url).code == 0
    done = command("visitors", "--site", "blog", "--store", store_url)
    assert (done.code, done.out, done.err) == (0, "", "no visitors in the last 30 days\n")


def test_who_is_here_now(command: Command, store_url: str) -> None:
    assert command("site", "add", "blog", "--alias", "17", "--store", store_url).code == 0
    store = open_store(store_url)
    now = time.time_ns() // 1_000_000
    blog = Site(site_id_of("blog"), "blog")
    events = [
        happened(now - 1000, ANNA, "https://example.com/docs"),
        happened(now - 1000, BEN, "https://example.com/docs", "custom", name="order"),
        happened(now - 1000, signals=1),
    ]
    fill(store, events, blog)
    store.close()
    done = command("visitors", "--live", "--site", "17", "--store", store_url)
    assert (done.code, done.err) == (0, "")
    first, minutes, *rest = done.out.splitlines()
    assert first == "blog: 2 here now (5 minutes), 2 in 30 minutes, 1 view"
    assert [int(views) for views in minutes.partition(": ")[2].split()][-2:] in ([0, 1], [1, 0])
    words = [line.split() for line in rest if line]
    assert words[:2] == [["PAGE", "NOW", "VISITORS"], ["/docs", "1", "1"]]
    assert ["Germany", "2", "2"] in words
    assert ["DE", "custom", "/docs", "order"] in [line[1:] for line in words]
    assert rest[-1] == "robots, not counted above: 1 event"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--site", "nobody"), 1, "there is no site nobody"),
        (("--limit", "0"), 2, "must be at least 1"),
        (("--limit", "10001"), 2, "must be at most 10,000"),
        (("--stats", "--live"), 2, "not allowed with argument"),
        (("--store", "sqlite:///nowhere.db"), 1, "there is no database"),
        (("--store", "mysql://nobody@127.0.0.1:1/nothing"), 69, "the store is away"),
    ],
)
def test_mistakes_are_explained(command: Command, arguments: tuple[str, ...], code: int, said: str) -> None:
    command("site", "add", "blog")
    done = command("visitors", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
