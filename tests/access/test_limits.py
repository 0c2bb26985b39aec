"""The rate limiter, with a clock of the test's own."""

import os
from collections.abc import Callable

import pytest

from visitor_tracker.access.limits import RateLimiter

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def allowed(limiter: RateLimiter, address: str, times: int) -> int:
    return sum(limiter.allow(address) == 0 for _ in range(times))


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(10, 5, now=clock)
    assert allowed(limiter, "192.0.2.1", 20) == 5
    clock.now += SECOND
    assert allowed(limiter, "192.0.2.1", 20) == 5  # refilled to the burst, no further
    clock.now += SECOND // 10
    assert allowed(limiter, "192.0.2.1", 20) == 1


def test_refusal_says_how_long_to_wait() -> None:
    clock = Clock()
    limiter = RateLimiter(0.1, 1, now=clock)
    assert limiter.allow("192.0.2.1") == 0
    assert limiter.allow("192.0.2.1") == 10
    clock.now += 4 * SECOND
    assert limiter.allow("192.0.2.1") == 6
    clock.now += 6 * SECOND
    assert limiter.allow("192.0.2.1") == 0


def test_several_tokens_are_taken_together_or_not_at_all() -> None:
    clock = Clock()
    limiter = RateLimiter(1, 10, now=clock)
    assert limiter.allow("192.0.2.1", 7) == 0
    assert limiter.allow("192.0.2.1", 7) == 4  # three are left, and stay
    assert allowed(limiter, "192.0.2.1", 20) == 3
    clock.now += 7 * SECOND
    assert limiter.allow("192.0.2.1", 7) == 0


@pytest.mark.parametrize("burst", [1, 2, 10])
def test_what_costs_more_than_a_bucket_passes_when_it_is_full(burst: int) -> None:
    clock = Clock()
    limiter = RateLimiter(1, burst, now=clock)
    for _ in range(2):
        assert (limiter.allow("192.0.2.1"), limiter.allow_more("192.0.2.1", 81)) == (0, 0)
        assert limiter.allow("192.0.2.1") > 0  # nothing is left of it
        clock.now += burst * SECOND


def test_addresses_do_not_share_a_bucket() -> None:
    limiter = RateLimiter(1, 3, now=Clock())
    addresses = [f"10.{number // 250}.{number % 250}.7" for number in range(5_000)]
    assert all(allowed(limiter, address, 1) == 1 for address in addresses)
    assert sum(allowed(limiter, address, 5) for address in addresses) >= 0.99 * 2 * len(addresses)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_network_is_one_client(first: str, second: str, same: bool) -> None:
    limiter = RateLimiter(1, 1, now=Clock())
    assert limiter.allow(first) == 0
    assert (limiter.allow(second) > 0) is same


def test_off_lets_everything_pass() -> None:
    limiter = RateLimiter(1, 1, enabled=False, now=Clock())
    assert allowed(limiter, "192.0.2.1", 100) == 100


def test_new_limits_apply_at_once_and_keep_the_fill() -> None:
    limiter = RateLimiter(1, 2, now=Clock())
    assert allowed(limiter, "192.0.2.1", 5) == 2
    limiter.update(1, 4)
    assert allowed(limiter, "192.0.2.1", 5) == 2


def test_full_table_still_limits() -> None:
    clock = Clock()
    limiter = RateLimiter(1, 2, now=clock)
    passed = sum(limiter.allow(f"10.{a}.{b}.{c}") == 0 for a in range(4) for b in range(200) for c in range(200))
    assert passed <= 65_536 * 2
    clock.now += 10 * SECOND
    assert allowed(limiter, "192.0.2.1", 9) == 2


@pytest.mark.parametrize("per_second", [1, 0.5])
def test_who_waits_as_told_may_send_what_costs_all(per_second: float) -> None:
    clock = Clock()
    limiter = RateLimiter(per_second, 10, now=clock)
    assert allowed(limiter, "192.0.2.1", 20) == 10
    clock.now += limiter.allow("192.0.2.1") * SECOND
    assert limiter.allow("192.0.2.1") == 0
    clock.now += limiter.allow_more("192.0.2.1", 1_000) * SECOND
    assert limiter.allow("192.0.2.1") == 0
    assert limiter.allow_more("192.0.2.1", 1_000) == 0


def in_child(work: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_processes_share_one_budget() -> None:
    limiter = RateLimiter(0.001, 10)

    def use_six() -> None:
        assert allowed(limiter, "192.0.2.1", 6) == 6

    in_child(use_six)
    assert allowed(limiter, "192.0.2.1", 20) == 4
