"""How visitor keys lie in a store, and the file that wraps them."""

import os
import threading
from pathlib import Path

import pytest

from visitor_tracker.access.wrapping import FILE, Plain, Wrapped, make_file_key, read_file_key, wrapper_of
from visitor_tracker.config import Config, IdentityConfig, ServerConfig
from visitor_tracker.errors import ConfigError


def config(folder: Path, key_file: str = "") -> Config:
    return Config(server=ServerConfig(data_dir=str(folder)), identity=IdentityConfig(key_file=key_file))


def test_a_key_file_is_made_when_it_is_first_needed_and_then_stays(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert wrapper_of(config(folder), "sqlite").wrap("2026-11-22", b"k" * 32) == b"k" * 32
    assert not folder.exists(), "SQLite needs none"
    value = wrapper_of(config(folder), "mysql").wrap("2026-11-22", b"k" * 32)
    assert wrapper_of(config(folder), "mysql").unwrap("2026-11-22", value) == b"k" * 32
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600


def test_threads_that_make_it_at_once_agree(tmp_path: Path) -> None:
    made: list[bytes] = []

    def make() -> None:
        make_file_key(tmp_path / "key")
        made.append(read_file_key(tmp_path / "key"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="must be able to write this folder"):
        wrapper_of(config(tmp_path / "file" / "data"), "mysql")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440])
def test_a_key_file_may_be_anything_of_32_bytes_that_others_cannot_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(os.urandom(32))
    path.chmod(mode)
    assert len(read_file_key(path)) == 32


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (b"k" * 32, 0o604, "can be used by everybody on this machine: chmod 600"),
        (b"k" * 32, 0o602, "can be used by everybody on this machine: chmod 600"),
        (b"k" * 31, 0o600, "has 31 bytes, and a key needs 32"),
        (b"", 0o600, "has 0 bytes, and a key needs 32"),
        (None, 0, "is missing: copy it from another node"),
    ],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, problem: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(ConfigError, match=problem):
        wrapper_of(config(tmp_path, str(path)), "mysql")


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_file_key(tmp_path)


def test_an_end_of_line_makes_no_other_key_of_a_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"k" * 64)
    other.write_bytes(b"k" * 64 + b"\r\n")
    for path in (one, other):
        path.chmod(0o600)
    assert read_file_key(one) == read_file_key(other)


def test_a_wrapped_key_is_for_its_period_and_its_file_only() -> None:
    wrapper, key = Wrapped(b"f" * 32), bytes(range(32))
    value = wrapper.wrap("2026-11-22", key)
    assert len(value) == 64
    assert wrapper.unwrap("2026-11-22", value) == key
    assert wrapper.wrap("2026-11-22", key) != value
    assert wrapper.unwrap("2026-11-23", value) is None
    assert Wrapped(b"g" * 32).unwrap("2026-11-22", value) is None
    changed = [value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :] for place in range(64)]
    assert {wrapper.unwrap("2026-11-22", one) for one in [*changed, b"", value[:-1], value + b"x", key]} == {None}


def test_a_plain_key_has_32_bytes() -> None:
    assert Plain().unwrap("2026-11-22", Plain().wrap("2026-11-22", b"k" * 32)) == b"k" * 32
    assert Plain().unwrap("2026-11-22", b"k" * 64) is None
