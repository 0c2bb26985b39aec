"""The second factor: codes of an app, recovery codes, and what the store has of them."""

import pyotp
import pytest

from visitor_tracker.access.accounts import Account, Accounts
from visitor_tracker.access.second_factor import SecondFactor
from visitor_tracker.errors import HttpError
from visitor_tracker.store import open_store
from visitor_tracker.store.sql import SqlStore

AT = 1_790_000_010_000  # in the middle of a step
STEP = 30_000


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
def factor(store: SqlStore, clock: Clock) -> SecondFactor:
    return SecondFactor(store, b"secret", clock)


@pytest.fixture
def ada(store: SqlStore) -> Account:
    return Accounts(store).create("ada", is_admin=True)


def code(secret: str, at: int) -> str:
    return pyotp.TOTP(secret).at(at // 1000)


def turned_on(factor: SecondFactor, account: Account, clock: Clock) -> tuple[str, list[str]]:
    secret = factor.begin(account).secret
    return secret, factor.confirm(account, code(secret, clock.now))


def test_a_first_code_turns_it_on(factor: SecondFactor, ada: Account, clock: Clock, store: SqlStore) -> None:
    begun = factor.begin(ada)
    assert begun.uri == f"otpauth://totp/Visitor%20Tracker:ada?secret={begun.secret}&issuer=Visitor%20Tracker"
    with pytest.raises(HttpError) as refused:
        factor.confirm(ada, "000000" if code(begun.secret, AT) != "000000" else "000001")
    assert (refused.value.status, refused.value.code) == (400, "wrong_code")
    assert Accounts(store).known("ada").second_factor is False
    codes = factor.confirm(ada, code(begun.secret, AT))
    assert len(set(codes)) == 10
    assert all(len(each) == 19 and each.count("-") == 3 for each in codes)
    assert Accounts(store).known("ada").second_factor is True
    for again in (lambda: factor.begin(ada), lambda: factor.confirm(ada, code(begun.secret, AT))):
        with pytest.raises(HttpError) as refused:
            again()
        assert refused.value.status == 409


def test_nothing_to_confirm(factor: SecondFactor, ada: Account) -> None:
    with pytest.raises(HttpError) as refused:
        factor.confirm(ada, "123456")
    assert (refused.value.status, refused.value.code) == (409, "second_factor_not_begun")


def test_a_code_works_once(factor: SecondFactor, ada: Account, clock: Clock) -> None:
    secret, _ = turned_on(factor, ada, clock)
    assert not factor.is_right(ada, code(secret, clock.now)), "it turned the factor on"
    clock.now += 2 * STEP
    assert factor.is_right(ada, code(secret, clock.now))
    assert not factor.is_right(ada, code(secret, clock.now))
    assert not factor.is_right(ada, code(secret, clock.now - STEP)), "it is older than the last that was used"


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_be_off_by_a_step(
    factor: SecondFactor, ada: Account, clock: Clock, steps: int, is_right: bool
) -> None:
    secret, _ = turned_on(factor, ada, clock)
    clock.now += 10 * STEP
    given = code(secret, clock.now + steps * STEP)
    assert factor.is_right(ada, f" {given[:3]} {given[3:]} ") is is_right


def test_a_recovery_code_works_once(factor: SecondFactor, ada: Account, clock: Clock) -> None:
    _, codes = turned_on(factor, ada, clock)
    assert factor.is_right(ada, f"  {codes[0].upper()} ")
    assert not factor.is_right(ada, codes[0])
    assert factor.is_right(ada, codes[1].replace("-", ""))
    assert factor.codes_left(ada) == 8
    for wrong in ("", "-", "abcd-efgh-jkmn-pqrs", "é" * 1000, "٣٤٥٦٧٨", "１２３４５６", "\ud800"):
        assert not factor.is_right(ada, wrong)


def test_somebody_elses_code_is_wrong(factor: SecondFactor, ada: Account, clock: Clock, store: SqlStore) -> None:
    secret, codes = turned_on(factor, ada, clock)
    bob = Accounts(store).create("bob")
    turned_on(factor, bob, clock)
    clock.now += STEP * 5
    assert not factor.is_right(bob, code(secret, clock.now))
    assert not factor.is_right(bob, codes[0])


def test_the_store_has_neither_secret_nor_codes(
    factor: SecondFactor, ada: Account, clock: Clock, store: SqlStore
) -> None:
    secret, codes = turned_on(factor, ada, clock)
    rows = repr(store.execute("select * from users")) + repr(store.execute("select * from recovery_codes"))
    for text in (secret, *codes, *(each.replace("-", "") for each in codes)):
        assert text not in rows


def test_a_secret_is_bound_to_its_user_and_to_the_server(
    factor: SecondFactor, ada: Account, clock: Clock, store: SqlStore
) -> None:
    secret, codes = turned_on(factor, ada, clock)
    bob = Accounts(store).create("bob")
    [(hidden,)] = store.execute("select totp from users where username = %s", ("ada",))
    store.execute("update users set totp = %s, totp_at = 1 where username = %s", (hidden, "bob"))
    clock.now += STEP * 5
    for who, other in ((bob, factor), (ada, SecondFactor(store, b"another secret", clock))):
        with pytest.raises(HttpError) as refused:
            other.is_right(who, code(secret, clock.now))
        assert (refused.value.status, refused.value.code) == (409, "second_factor_unreadable")
    assert SecondFactor(store, b"another secret", clock).is_right(ada, codes[0]), "recovery codes need no key"


def test_it_is_taken_off(factor: SecondFactor, ada: Account, clock: Clock) -> None:
    _, codes = turned_on(factor, ada, clock)
    assert factor.remove(ada)
    assert not factor.remove(ada)
    assert not factor.is_right(ada, codes[0])
    turned_on(factor, ada, clock)
