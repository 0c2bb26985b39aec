"""Robots by their requests, pages, referrers and pace; and no visitor among them."""

import threading

import pytest

from visitor_tracker.event import Agent, Signal
from visitor_tracker.ingest.agent import NOT_SENT, UNKNOWN, Reading
from visitor_tracker.ingest.bots import (
    RateWatch,
    doubtful,
    judge,
    path_signals,
    reasons,
    referrer_signals,
    request_signals,
)

MINUTE = 60_000
NOW = 1_750_000_000_000 // MINUTE * MINUTE
USER_AGENT = "Mozilla/5.0 ..."


@pytest.mark.parametrize(
    ("signals", "names", "robot", "doubt"),
    [
        (0, [], False, False),
        (Signal.USER_AGENT, ["user_agent"], True, False),
        (Signal.HEADLESS, ["headless"], True, False),
        (Signal.MISSING_HEADERS, ["missing_headers"], False, True),
        (Signal.RATE, ["rate"], True, False),
        (Signal.PROBE_PATH, ["probe_path"], True, False),
        (Signal.REFERRER_SPAM, ["referrer_spam"], True, False),
        (Signal.AUTOMATION, ["automation"], True, False),
        (Signal.MISSING_HEADERS | Signal.RATE, ["missing_headers", "rate"], True, False),
        (
            Signal.USER_AGENT | Signal.HEADLESS | Signal.AUTOMATION,
            ["user_agent", "headless", "automation"],
            True,
            False,
        ),
        (1 << 12, [], False, True),
    ],
)
def test_signals_are_judged_and_named(signals: int, names: list[str], robot: bool, doubt: bool) -> None:
    assert (reasons(signals), judge(signals), doubtful(signals)) == (names, robot, doubt)


# What a request says.


def browser(name: str, version: str, system: str = "Windows", system_version: str = "10") -> Reading:
    return Reading(Agent(name, version, system, system_version, "desktop"), 0)


CHROME = browser("Chrome", "128")
FIREFOX = browser("Firefox", "128")
SAFARI = browser("Safari", "17", "macOS", "10.15")
OLD_SAFARI = browser("Safari", "12", "iOS", "12")
HINTS = {
    "sec-ch-ua": '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Windows"',
}
FETCH_MODE = {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "cross-site"}
PAGE = {"origin": "https://example.com", "referer": "https://example.com/"}
USUAL = {"accept": "*/*", "accept-encoding": "gzip, deflate, br", "accept-language": "en-US,en;q=0.9"}
BODY = {"content-length": "120", "content-type": "application/json"}


@pytest.mark.parametrize(
    ("reading", "headers"),
    [
        (CHROME, USUAL | HINTS | FETCH_MODE | PAGE | BODY),  # fetch
        (CHROME, USUAL | HINTS | {"sec-fetch-mode": "no-cors"} | PAGE | BODY),  # sendBeacon
        (CHROME, USUAL | HINTS | {"accept": "image/avif,image/webp,*/*;q=0.8", "sec-fetch-dest": "image"}),  # <img>
        (CHROME, USUAL | {"origin": "http://intranet.example"} | BODY),  # no https: neither hints nor Sec-Fetch
        (FIREFOX, USUAL | FETCH_MODE | PAGE | BODY),
        (FIREFOX, USUAL | {"accept": "image/avif,image/webp,image/png,*/*;q=0.8"}),  # <img>, Referer switched off
        (SAFARI, USUAL | FETCH_MODE | PAGE | BODY),
        (OLD_SAFARI, USUAL | PAGE | BODY),
        (OLD_SAFARI, USUAL | {"origin": "null"} | BODY),
        (browser("iOS WebView", "", "iOS", "16"), USUAL | {"origin": "null"} | BODY),
        # Whatever one proxy, virus scanner or privacy tool takes away:
        *((CHROME, {key: value for key, value in (USUAL | HINTS | FETCH_MODE | PAGE | BODY).items() if key != left_out})
          for left_out in (*USUAL, *HINTS, *FETCH_MODE, *PAGE)),
        (CHROME, {"accept-language": "en"}),
        (SAFARI, {"accept": "*/*", "accept-encoding": "gzip", **FETCH_MODE, **PAGE, **BODY}),
        (OLD_SAFARI, {"accept": "*/*", "accept-encoding": "gzip", **PAGE, **BODY}),
        (browser("Chrome", "126", "iOS", "15"), {"accept": "*/*", "accept-encoding": "gzip", **PAGE, **BODY}),
        (browser("Chrome", "", "Linux", ""), {"accept": "*/*", "accept-encoding": "gzip", **PAGE, **BODY}),
        (browser("Chrome", "²", "Linux", ""), {"accept": "*/*", "accept-encoding": "gzip", **PAGE, **BODY}),
        (CHROME, {"accept": "*/*", "accept-encoding": "gzip", "content-length": "0"}),
        # Proxies that name themselves and may take much more:
        (CHROME, {"via": "1.1 cache.example (squid/5.7)"}),
        (CHROME, {"x-varnish": "32770", "accept": "*/*"}),
        (CHROME, {"x-amz-cf-id": "abc", "via": "2.0 abc.cloudfront.net (CloudFront)"}),
        # Not browsers, or nobody knows:
        (UNKNOWN, {}),
        (NOT_SENT, {}),
        (browser("", ""), {}),
        (browser("Android Browser", "4", "Android", "4"), {}),
        (Reading(Agent("Chrome", "125", "Android", "6", "bot", "Googlebot"), 1), {}),
    ],
)  # fmt: skip
def test_nothing_speaks_against_a_visitor(reading: Reading, headers: dict[str, str]) -> None:
    assert request_signals(headers, reading, USER_AGENT) == 0


@pytest.mark.parametrize(
    ("reading", "headers"),
    [
        (CHROME, {}),
        (CHROME, {"accept": "*/*"}),  # curl
        (CHROME, {"accept-encoding": "gzip"}),  # Go
        (FIREFOX, {"accept": "*/*", "accept-encoding": "gzip, deflate", **BODY}),  # Python, no page
        (CHROME, {"accept": "*/*", "accept-encoding": "gzip, deflate", **PAGE, **BODY}),  # Python, a page
        (FIREFOX, {"accept": "*/*", "accept-encoding": "gzip", "referer": "https://example.com/"}),
        (SAFARI, {"accept": "*/*", "accept-encoding": "gzip", **PAGE}),
        (browser("Safari", "17", "iOS", "17"), {"accept": "*/*", "accept-encoding": "gzip", **PAGE}),
        (browser("Internet Explorer", "11"), {"accept": "*/*"}),
    ],
)
def test_a_browser_that_lacks_what_browsers_send_is_doubted(reading: Reading, headers: dict[str, str]) -> None:
    assert request_signals(headers, reading, USER_AGENT) == int(Signal.MISSING_HEADERS)


@pytest.mark.parametrize("name", ["HeadlessChrome", "headlesschrome"])
def test_a_client_hint_tells_of_a_browser_without_screen(name: str) -> None:
    headers = USUAL | {"sec-ch-ua": f'"{name}";v="119", "Chromium";v="119"'}
    assert request_signals(headers, CHROME, USER_AGENT) == int(Signal.HEADLESS)
    del headers["accept-language"], headers["accept"]
    assert request_signals(headers, CHROME, USER_AGENT) == int(Signal.HEADLESS | Signal.MISSING_HEADERS)


# What a page and a referrer say.


@pytest.mark.parametrize(
    "path",
    [
        "/wp-login.php", "/blog/wp-login.php", "/WP-Login.php", "/xmlrpc.php", "/wordpress/xmlrpc.php", "/.env",
        "/.env.local", "/app/.env.bak", "/.git/config", "/shop/.git/HEAD", "/.aws/credentials", "/.DS_Store",
        "/phpmyadmin", "/phpmyadmin/", "/phpMyAdmin/index.php", "/cgi-bin/luci/;stok=/locale",
        "/cgi-bin/.%2e/.%2e/bin/sh", "/cgi-bin/test-cgi", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/../../etc/passwd", "/a/b/../c",
        "/static/..%2f..%2fetc/passwd", "/%2e%2e/x", "/..;/manager", "/HNAP1/", "/boaform/admin/formLogin",
        "/wp-admin/setup-config.php", "/actuator/env", "/x%00.png", "/wp-login.php?redirect_to=/", "/a\\..\\b",
    ],
)  # fmt: skip
def test_a_page_that_only_intruders_ask_for_is_a_probe(path: str) -> None:
    assert path_signals(path) == int(Signal.PROBE_PATH)


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/index.php", "/blog/2024/how-to-harden-wp-login.php-pages", "/docs/phpmyadmin", "/docs/phpunit/",
        "/cgi-bin/forum.pl", "/cgi-bin/", "/.well-known/security.txt", "/environment", "/.environment", "/.envoy",
        "/owner/wordpress/src/branch/main/wp-login.php", "/cgit/project/tree/.htaccess", "/wp-admin/",
        "/wp-admin/post.php",
        "/wp-content/uploads/cat.html", "/admin", "/login", "/administrator/", "/telescope", "/solr", "/a...b/..c",
        "/what...", "/100%25", "/search?q=../", "/manager", "/api/users", "/server-status", "/git/config", "no slash",
    ],
)  # fmt: skip
def test_a_page_that_visitors_see_is_none(path: str) -> None:
    assert path_signals(path) == 0


@pytest.mark.parametrize(
    ("host", "is_spam"),
    [
        ("semalt.com", True),
        ("SEMALT.com", True),
        ("www.semalt.com", True),
        ("a.b.c.semalt.com:80", True),
        ("semalt.com.", True),
        ("secret.xn--oogle-wmc.com", True),
        ("notsemalt.com", False),
        ("semalt.com.example.com", False),
        ("google.com", False),
        ("com", False),
        ("[::1]:8080", False),
        ("", False),
        ("." * 5_000, False),
        ("a." * 5_000 + "semalt.com", False),
    ],
)
def test_known_spam_is_known_with_all_below_it(host: str, is_spam: bool) -> None:
    assert referrer_signals(host) == (int(Signal.REFERRER_SPAM) if is_spam else 0)


# The pace.


def test_more_than_anybody_reads_in_a_minute_is_a_robots_pace() -> None:
    watch = RateWatch(limit=5)
    assert [watch.signal(b"a", NOW + number) for number in range(7)] == [0] * 5 + [int(Signal.RATE)] * 2
    assert watch.signal(b"b", NOW + 8) == 0


def test_a_minute_is_any_sixty_seconds_and_a_slow_reader_is_never_one() -> None:
    watch = RateWatch(limit=5)
    assert [watch.signal(b"a", NOW + 59_000) for _ in range(5)] == [0] * 5
    assert watch.signal(b"a", NOW + MINUTE + 1_000) == int(Signal.RATE)
    assert watch.signal(b"a", NOW + MINUTE + 50_000) == 0
    slow = RateWatch(limit=5)
    assert {slow.signal(b"a", NOW + 15_000 * number) for number in range(200)} == {0}


def test_what_was_long_ago_is_forgotten() -> None:
    watch = RateWatch(limit=2)
    for _ in range(9):
        watch.signal(b"a", NOW)
    assert watch.signal(b"a", NOW + 2 * MINUTE) == 0


@pytest.mark.parametrize("late", [-1, -59_999])
def test_an_event_of_the_minute_before_does_not_clear_the_counts(late: int) -> None:
    watch = RateWatch(limit=2)
    assert [watch.signal(b"a", NOW), watch.signal(b"a", NOW + late), watch.signal(b"a", NOW)] == [
        0,
        0,
        int(Signal.RATE),
    ]


def test_a_clock_that_is_set_back_leaves_nobody_marked() -> None:
    watch = RateWatch(limit=2)
    for _ in range(9):
        watch.signal(b"a", NOW + 60 * MINUTE)
    assert [watch.signal(b"a", NOW + number * MINUTE) for number in range(3)] == [0, 0, 0]


def test_visitors_without_a_hash_are_not_one_visitor() -> None:
    watch = RateWatch(limit=1)
    assert {watch.signal(b"", NOW) for _ in range(5)} == {0}


def test_only_so_many_visitors_are_watched() -> None:
    watch = RateWatch(limit=1)
    for number in range(70_000):
        watch.signal(number.to_bytes(16), NOW)
    assert len(watch._counts) == 65_536
    assert watch.signal((0).to_bytes(16), NOW) == int(Signal.RATE)
    assert [watch.signal((69_999).to_bytes(16), NOW) for _ in range(3)] == [0, 0, 0]
    assert [watch.signal((69_999).to_bytes(16), NOW + MINUTE) for _ in range(2)] == [0, int(Signal.RATE)]


def test_threads_may_count_at_once() -> None:
    watch = RateWatch(limit=120)
    marked: list[int] = []
    together = threading.Barrier(3)

    def work() -> None:
        for number in range(3_000):
            watch.signal(number.to_bytes(16), NOW + number * 20)
        together.wait(30.0)
        marked.extend(watch.signal(b"fast", NOW + 2 * MINUTE) for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert len(marked) == 600
    assert marked.count(int(Signal.RATE)) >= 200
