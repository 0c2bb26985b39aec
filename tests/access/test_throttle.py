"""How often one may try, from where, and who is never locked out."""

import pytest

from visitor_tracker.access.throttle import COOKIE, Throttle
from visitor_tracker.errors import HttpError
from visitor_tracker.store import open_store
from visitor_tracker.store.sql import SqlStore

AT = 1_790_000_000_000
ADA, BOB = b"ada", b"bob"


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> SqlStore:
    return open_store("sqlite:///:memory:")


@pytest.fixture
def throttle(store: SqlStore, clock: Clock) -> Throttle:
    return Throttle(store, b"secret", clock)


def wait(throttle: Throttle, address: str, account: bytes = b"", device: bytes = b"") -> int:
    """Return the seconds to wait, 0 for an attempt that is let through."""
    try:
        throttle.take(address, account, device)
    except HttpError as error:
        return error.retry_after
    return 0


def test_who_tries_too_often_is_told_so(throttle: Throttle) -> None:
    for _ in range(10):
        throttle.take("192.0.2.1", ADA)
    with pytest.raises(HttpError) as refused:
        throttle.take("192.0.2.1", ADA)
    assert (refused.value.status, refused.value.code, refused.value.hint) == (429, "too_many_attempts", "wait 60 s")


def test_an_account_has_ten_attempts_and_then_one_a_minute(throttle: Throttle, clock: Clock) -> None:
    assert [wait(throttle, f"192.0.2.{n}", ADA) for n in range(10)] == [0] * 10
    assert wait(throttle, "192.0.2.99", ADA) == 60
    assert wait(throttle, "192.0.2.99", BOB) == 0
    clock.now += 59_500
    assert wait(throttle, "192.0.2.99", ADA) == 1
    clock.now += 500
    assert wait(throttle, "192.0.2.99", ADA) == 0
    assert wait(throttle, "192.0.2.99", ADA) == 60


def test_an_address_has_ten_attempts_at_whatever_account(throttle: Throttle) -> None:
    assert [wait(throttle, "192.0.2.1", b"%d" % n) for n in range(11)] == [0] * 10 + [20]
    assert wait(throttle, "192.0.2.1") == 20
    assert wait(throttle, "192.0.2.2", b"0") == 0


def test_a_network_of_ipv6_is_one_address(throttle: Throttle) -> None:
    assert [wait(throttle, f"2001:db8:1:2::{n}") for n in range(11)] == [0] * 10 + [20]
    assert wait(throttle, "2001:db8:1:3::1") == 0
    assert wait(throttle, "") == 0  # of a unix socket


def test_success_forgets_the_attempts_at_the_account(throttle: Throttle) -> None:
    for number in range(9):
        throttle.take(f"192.0.2.{number}", ADA)
    throttle.reset(throttle.take("192.0.2.9", ADA))
    assert [wait(throttle, f"198.51.100.{number}", ADA) for number in range(11)] == [0] * 10 + [60]


def test_an_attempt_that_was_not_judged_is_none(throttle: Throttle) -> None:
    for _ in range(11):
        throttle.give_back(throttle.take("192.0.2.1", ADA))
    assert [wait(throttle, "192.0.2.1", ADA) for _ in range(11)] == [0] * 10 + [60]


def test_who_has_an_account_guesses_no_faster_at_others(throttle: Throttle) -> None:
    for number in range(9):
        throttle.take("192.0.2.1", b"%d" % number)
        throttle.reset(throttle.take("192.0.2.1", ADA))
    assert [wait(throttle, "192.0.2.1", b"%d" % number) for number in range(9, 11)] == [0, 20]


def test_strangers_do_not_lock_out_a_browser_that_was_there_before(throttle: Throttle) -> None:
    name, header = throttle.device_header(ADA, secure=True)
    text, _, attributes = header.partition("; ")
    assert (name, attributes) == ("Set-Cookie", "Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax; Secure")
    device = throttle.device(f"a=b; {text}", ADA)
    assert len(device) == 16
    for number in range(12):
        wait(throttle, f"192.0.2.{number}", ADA)
    assert wait(throttle, "192.0.2.99", ADA) == 60
    assert [wait(throttle, "198.51.100.1", ADA, device) for _ in range(11)] == [0] * 10 + [60]


def test_a_device_cannot_be_made_up(throttle: Throttle) -> None:
    text = throttle.device_header(ADA, secure=False)[1].partition(";")[0]
    value = text.partition("=")[2]
    for header in (
        f"{COOKIE}={'A' * 43}",
        f"{COOKIE}={value[:-1]}",
        f"{COOKIE}=",
        f"{COOKIE}={'é' * 43}",
        f"x{text}",
        "",
    ):
        assert throttle.device(header, ADA) == b""
    assert throttle.device(text, BOB) == b"", "it is that of one account"


def test_the_store_has_no_address_and_no_name(throttle: Throttle, store: SqlStore) -> None:
    throttle.take("192.0.2.77", b"grace-hopper")
    rows = repr(store.execute("select * from login_throttle"))
    assert "192.0.2.77" not in rows
    assert "grace" not in rows
