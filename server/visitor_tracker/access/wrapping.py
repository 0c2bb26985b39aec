"""How visitor keys lie in the store: as they are in SQLite, wrapped under a file's key in MySQL.

A database server has copies that nobody here can destroy: binary logs, replicas, backups. In them a key is

    nonce(16) ‖ key(32) XOR stream ‖ tag(16)

with stream and tag from keyed BLAKE2b (RFC 7693) under a key that lies in a file of each node and never in the
database. The period goes into both, so that no value passes for another period's. A SQLite file is the node's own:
what is deleted from it is overwritten.
"""

import hmac
import os
import secrets
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from visitor_tracker.access.snapshot import sync_folder
from visitor_tracker.config import Config
from visitor_tracker.errors import ConfigError
from visitor_tracker.store.statements import Dialect

KEY_BYTES = 32
FILE = "visitor-keys.key"  # in server.data_dir, unless identity.key_file names another

_NONCE_BYTES = 16
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_MOST_BYTES = 4096  # of a key file


class Wrapper(Protocol):
    """Turns keys into what the store keeps, and back."""

    def wrap(self, period: str, key: bytes) -> bytes:
        """Return what to store for a period's key."""

    def unwrap(self, period: str, value: bytes) -> bytes | None:
        """Return the key, or None where the value is not one that this wrapper made for that period."""


class Plain:
    """Keys as they are."""

    def wrap(self, period: str, key: bytes) -> bytes:
        return key

    def unwrap(self, period: str, value: bytes) -> bytes | None:
        return value if len(value) == KEY_BYTES else None


class Wrapped:
    """Keys under a file's key."""

    __slots__ = ("_file_key",)

    def __init__(self, file_key: bytes) -> None:
        self._file_key = file_key

    def wrap(self, period: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        hidden = self._hide(period, nonce, key)
        return nonce + hidden + self._tag(period, nonce + hidden)

    def unwrap(self, period: str, value: bytes) -> bytes | None:
        body, tag = value[:-_TAG_BYTES], value[-_TAG_BYTES:]
        if len(value) != _WRAPPED_BYTES or not hmac.compare_digest(self._tag(period, body), tag):
            return None
        return self._hide(period, body[:_NONCE_BYTES], body[_NONCE_BYTES:])

    def _hide(self, period: str, nonce: bytes, key: bytes) -> bytes:
        """XOR with a stream that no other nonce has; done twice it gives the key back."""
        stream = blake2b(nonce + period.encode(), digest_size=KEY_BYTES, key=self._file_key, person=b"key-stream")
        return bytes(one ^ other for one, other in zip(key, stream.digest(), strict=True))

    def _tag(self, period: str, body: bytes) -> bytes:
        return blake2b(body + period.encode(), digest_size=_TAG_BYTES, key=self._file_key, person=b"key-tag").digest()


def wrapper_of(config: Config, dialect: Dialect) -> Wrapper:
    """Return how this store's keys are wrapped; makes the key file of server.data_dir when MySQL first needs it.

    Raises ConfigError for a key file that is missing where the settings name it, or cannot be trusted.
    """
    if dialect == "sqlite":
        return Plain()
    if config.identity.key_file:
        return Wrapped(read_file_key(Path(config.identity.key_file).expanduser()))
    path = config.data_dir / FILE
    if not os.path.exists(path):
        make_file_key(path)
    return Wrapped(read_file_key(path))


def read_file_key(path: Path) -> bytes:
    """Return the key that a file of at least 32 secret bytes stands for; raises ConfigError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        raise ConfigError(
            f"identity.key_file: {path} is missing: copy it from another node, or make it on the first one with"
            f"  (umask 077 && head -c 32 /dev/urandom | base64 > {path})"
        ) from None
    except OSError as error:
        raise ConfigError(f"identity.key_file: {path}: {error.strerror}") from error
    if mode & stat.S_IRWXO:
        raise ConfigError(f"identity.key_file: {path} can be used by everybody on this machine: chmod 600 {path}")
    if len(content) < KEY_BYTES:
        raise ConfigError(
            f"identity.key_file: {path} has {len(content)} bytes, and a key needs {KEY_BYTES}: restore it from a copy"
        )
    return blake2b(content.rstrip(b"\r\n"), digest_size=KEY_BYTES, person=b"key-file").digest()


def make_file_key(path: Path) -> None:
    """Make a key file; one that another process makes at the same time stays. Raises ConfigError."""
    mine = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
                opened.flush()
                os.fsync(file)
            try:
                os.link(mine, path)  # unlike a rename it replaces nothing
            except FileExistsError:
                return
        finally:
            mine.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: the server's user must be able to write this folder") from error
