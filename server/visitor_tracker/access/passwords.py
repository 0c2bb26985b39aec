"""Passwords: argon2id, at most two hashes at once on a machine, the same work for a known and an unknown user.

A hash takes 64 MiB and some 50 ms of a core by intention, so strangers could stop a server by asking for many. Whoever
hashes, in whatever process, holds one of two locked files of the data folder meanwhile.
"""

import base64
import fcntl
import os
import secrets
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from visitor_tracker.access.accounts import AccountError, name_digest
from visitor_tracker.errors import HttpError, StoreError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MOST_BYTES: Final = 1024
AT_ONCE: Final = 2  # hashes on a machine

_FEWEST_DIFFERENT = 4  # characters
_WAITING_MOST = 4  # threads of a process: the others are needed for requests of people who are logged in
_WAIT_SECONDS = 3.0
_PAUSE_SECONDS = 0.01
_RETRY_SECONDS = 2


class Hasher(Protocol):
    """What hashes."""

    def hash(self, password: str) -> str:
        """Return a new hash."""

    def verify(self, password_hash: str, password: str) -> bool:
        """Say whether it is that password's."""

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether it was made with other parameters than `hash` uses."""

    def dummy(self) -> str:
        """Return what looks like a hash, made without work; no password is known that it belongs to."""


class Argon2:
    """argon2id with the parameters of the library, which follow RFC 9106."""

    def __init__(self) -> None:
        self._made: PasswordHasher | None = None

    @property
    def _hasher(self) -> "PasswordHasher":
        if self._made is None:
            from argon2 import PasswordHasher  # few processes ever hash

            self._made = PasswordHasher()
        return self._made

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def dummy(self) -> str:
        hasher = self._hasher
        salt, result = _unpadded(hasher.salt_len), _unpadded(hasher.hash_len)
        return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${result}"


class Passwords:
    """Hashes and checks passwords for one process; any thread."""

    def __init__(
        self, folder: Path, least: int, *, hasher: Hasher | None = None, wait_seconds: float = _WAIT_SECONDS
    ) -> None:
        """`folder` is the data folder, `least` the fewest characters of a password."""
        self._least = least
        self._hasher = hasher or Argon2()
        self._slots = Slots(folder, wait_seconds)

    def hash(self, password: str, *names: str) -> str:
        """Return the hash of a new password; raises AccountError 400 for one that is too easy, HttpError 503.

        `names` are what its owner is called: no password.
        """
        text = self._checked(password, names)
        with self._slots.taken():
            return self._hasher.hash(text)

    def check(self, password: str, *names: str) -> None:
        """Raise as `hash` does for a password that nobody may have."""
        self._checked(password, names)

    def verify(self, password_hash: str, password: str) -> str | None:
        """Return the hash to keep if that is the password, else None; "" for no hash takes as long and is never right.

        Another one is returned where the old was made with other parameters. Raises HttpError 503.
        """
        text = unicodedata.normalize("NFKC", password)
        if len(text.encode("utf-8", "replace")) > MOST_BYTES or not _is_text(text):
            text = ""  # nobody has that one; it shall take as long as any other
        with self._slots.taken():
            if not self._hasher.verify(password_hash or self._hasher.dummy(), text) or not password_hash:
                return None
            return self._hasher.hash(text) if self._hasher.is_outdated(password_hash) else password_hash

    def _checked(self, password: str, names: tuple[str, ...]) -> str:
        text = unicodedata.normalize("NFKC", password)
        if len(text) < self._least:
            raise _unfit("password_too_short", "the password is too short", f"use at least {self._least} characters")
        if not _is_text(text):
            raise _unfit("invalid_password", "the password is no text", "use letters, digits and signs")
        if len(text.encode()) > MOST_BYTES:
            raise _unfit("password_too_long", "the password is too long", f"use at most {MOST_BYTES} bytes")
        own = {name_digest(part) for name in names if name for part in (name, name.partition("@")[0])}
        if name_digest(text) in own:
            raise _unfit("password_is_name", "the password is the username", "choose one that nobody can guess")
        if len(set(text)) < _FEWEST_DIFFERENT:
            raise _unfit(
                "password_too_simple",
                "the password is too simple",
                f"use at least {_FEWEST_DIFFERENT} different characters",
            )
        return text


class Slots:
    """The right to hash, of which a machine has two."""

    def __init__(self, folder: Path, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._folder = folder
        self._wait_seconds = wait_seconds
        self._waiting = threading.BoundedSemaphore(_WAITING_MOST)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one; raises HttpError 503 where that takes too long, or too many wait already."""
        if not self._waiting.acquire(blocking=False):
            raise _busy()
        try:
            descriptor = self._take()
        finally:
            self._waiting.release()
        try:
            yield
        finally:
            os.close(descriptor)

    def _take(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        until = time.monotonic() + self._wait_seconds
        while True:
            for number in range(AT_ONCE):
                if (descriptor := self._try(number)) is not None:
                    return descriptor
            if time.monotonic() >= until:
                raise _busy()
            time.sleep(_PAUSE_SECONDS)

    def _try(self, number: int) -> int | None:
        """Return the locked file of that number, None where somebody has it."""
        path = self._folder / f"password-{number}.lock"
        try:
            # Readable for all: a command that root runs must not keep the server's own user out.
            descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}: run as the user who owns the data folder") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


def _busy() -> HttpError:
    return HttpError(
        503, "busy", "too many people log in just now", "try again in a moment", retry_after=_RETRY_SECONDS
    )


def _unfit(code: str, message: str, hint: str) -> AccountError:
    return AccountError(400, code, message, hint)


def _is_text(password: str) -> bool:
    """Say whether it can be encoded: half a surrogate pair cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in password)


def _unpadded(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
