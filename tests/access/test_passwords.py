"""Passwords: what may be one, how many are hashed at once, and that an unknown user costs as much as a known one."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from visitor_tracker.access.passwords import AT_ONCE, Argon2, Passwords, Slots
from visitor_tracker.errors import HttpError

GOOD = "a horse, a battery"

pytestmark = pytest.mark.usefixtures("full_hashes")


class Counting:
    """A hasher that counts what costs time."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._real = Argon2()

    def hash(self, password: str) -> str:
        self.done.append("hash")
        return self._real.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        self.done.append(password_hash.rpartition("$")[0].rpartition("$")[0])  # algorithm and parameters
        return self._real.verify(password_hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        return self._real.is_outdated(password_hash)

    def dummy(self) -> str:
        return self._real.dummy()


@pytest.fixture
def hasher() -> Counting:
    return Counting()


@pytest.fixture
def passwords(tmp_path: Path, hasher: Counting) -> Passwords:
    return Passwords(tmp_path, 10, hasher=hasher)


def test_a_password_is_known_again(passwords: Passwords) -> None:
    stored = passwords.hash(GOOD)
    assert stored.startswith("$argon2id$v=19$")
    assert passwords.hash(GOOD) != stored
    assert passwords.verify(stored, GOOD) == stored
    assert passwords.verify(stored, "a horse, a batterz") is None
    assert passwords.verify("no hash", GOOD) is None


def test_one_that_is_typed_on_another_keyboard_is_the_same(passwords: Passwords) -> None:
    stored = passwords.hash("cafe\u0301 au lait")
    assert passwords.verify(stored, "café au lait") == stored


def test_a_known_and_an_unknown_user_cost_the_same(passwords: Passwords, hasher: Counting) -> None:
    stored = passwords.hash(GOOD)
    hasher.done.clear()
    works = []
    for password_hash, password in (
        (stored, "wrong one here"),
        ("", "wrong one here"),
        ("", GOOD),
        (stored, "x" * 2000),
    ):
        assert passwords.verify(password_hash, password) is None
        works.append(tuple(hasher.done))
        hasher.done.clear()
    assert passwords.verify(stored, GOOD) == stored
    works.append(tuple(hasher.done))
    assert set(works) == {("$argon2id$v=19$m=65536,t=3,p=4",)}


def test_an_old_hash_is_replaced(passwords: Passwords) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    new = passwords.verify(old, GOOD)
    assert new is not None
    assert new != old
    assert passwords.verify(new, GOOD) == new
    assert passwords.verify(old, "wrong one here") is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("", "password_too_short"),
        ("é" * 513, "password_too_long"),
        ("aaaaaaaaaaaa", "password_too_simple"),
        ("Ada.Lovelace", "password_is_name"),
        ("LOVELACE@example.com", "password_is_name"),
        ("ada.lovelace.l", "password_is_name"),
        ("half a pair \ud800", "invalid_password"),
    ],
)
def test_what_is_no_password(passwords: Passwords, hasher: Counting, password: str, code: str) -> None:
    with pytest.raises(HttpError) as refused:
        passwords.hash(password, "ada.lovelace", "lovelace@example.com", "ada.lovelace.l@example.com")
    assert (refused.value.status, refused.value.code) == (400, code)
    assert hasher.done == []


def test_what_is_one(passwords: Passwords) -> None:
    for password in ("0123456789", "é" * 500 + "abc", "пароль из слов", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"):
        passwords.check(password, "ada")


class Slow:
    """A hasher that is watched from inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0
        self.go_on = threading.Event()
        self.began = threading.Semaphore(0)

    def hash(self, password: str) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.began.release()
        assert self.go_on.wait(20)
        with self._lock:
            self.now -= 1
        return "hash"

    def verify(self, password_hash: str, password: str) -> bool:
        return self.hash(password) == password_hash

    def is_outdated(self, password_hash: str) -> bool:
        return False

    def dummy(self) -> str:
        return "dummy"


def test_two_are_hashed_at_once_and_no_more(tmp_path: Path) -> None:
    slow = Slow()
    # Two objects, as two processes have them.
    each = [Passwords(tmp_path, 10, hasher=slow, wait_seconds=20) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        found = [pool.submit(each[n % 2].hash, GOOD) for n in range(6)]
        for _ in range(AT_ONCE):
            assert slow.began.acquire(timeout=20)
        slow.go_on.set()
        assert [one.result(20) for one in found] == ["hash"] * 6
    assert slow.most == AT_ONCE


def _hold(folder: Path, ready: Barrier, done: Barrier) -> None:
    with Slots(folder).taken():
        ready.wait(20)
        done.wait(20)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A folder whose two slots other processes have."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(AT_ONCE + 1), context.Barrier(AT_ONCE + 1)
    holders = [context.Process(target=_hold, args=(tmp_path, ready, done)) for _ in range(AT_ONCE)]
    for holder in holders:
        holder.start()
    ready.wait(20)
    yield tmp_path
    done.wait(20)
    for holder in holders:
        holder.join(20)
        assert holder.exitcode == 0


def test_who_waits_too_long_is_told_to_come_again(held: Path, hasher: Counting) -> None:
    passwords = Passwords(held, 10, hasher=hasher, wait_seconds=0.0)
    with pytest.raises(HttpError) as refused:
        passwords.verify("", GOOD)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "busy", 2)
    assert hasher.done == []


def test_a_folder_without_slots_gets_them(tmp_path: Path) -> None:
    with Slots(tmp_path / "new" / "folder").taken(), Slots(tmp_path / "new" / "folder").taken():
        assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
            "password-0.lock",
            "password-1.lock",
        ]
