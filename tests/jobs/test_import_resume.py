"""The secret of an import lives as long as it must, and no longer."""

import os
from pathlib import Path

import msgspec
import pytest

from visitor_tracker.jobs.importing import resume
from visitor_tracker.jobs.importing.resume import Resume, ResumeError, keys_from, resuming

FILE_ID, OTHER_ID = b"f" * 16, b"o" * 16


def state(folder: Path) -> Path:
    return folder / "imports" / "open"


def key_after(folder: Path, *, finish: bool, name: str = "access.log") -> bytes:
    """Import a file; return the key of a date."""
    with resuming(folder) as open_import:
        open_import.begin(FILE_ID, name)
        if finish:
            open_import.finish(FILE_ID)
        return open_import.key_of("2026-10-10")


def test_periods_have_different_keys_under_one_secret() -> None:
    key_of = keys_from(b"s" * 32)
    assert len({key_of("2026-10-10"), key_of("2026-10"), keys_from(b"t" * 32)("2026-10-10")}) == 3
    assert len(key_of("2026-10-10")) == 32


def test_an_import_that_is_done_leaves_no_secret(tmp_path: Path) -> None:
    first = key_after(tmp_path, finish=True)
    assert list((tmp_path / "imports").iterdir()) == []
    assert key_after(tmp_path, finish=True) != first


def test_an_import_that_was_interrupted_goes_on_with_its_keys(tmp_path: Path) -> None:
    first = key_after(tmp_path, finish=False)
    assert state(tmp_path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "imports").stat().st_mode & 0o777 == 0o700
    assert key_after(tmp_path, finish=True) == first
    assert not state(tmp_path).exists()


def test_what_was_killed_goes_on_with_its_keys(tmp_path: Path) -> None:
    pid = os.fork()
    if not pid:
        with resuming(tmp_path) as open_import:
            open_import.begin(FILE_ID, "access.log")
            (tmp_path / "key").write_bytes(open_import.key_of("2026-10-10"))
            os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    assert key_after(tmp_path, finish=True) == (tmp_path / "key").read_bytes()


def test_another_file_that_is_done_leaves_the_unfinished_one_its_secret(tmp_path: Path) -> None:
    first = key_after(tmp_path, finish=False)
    with resuming(tmp_path) as open_import:
        assert open_import.files == {FILE_ID.hex(): "access.log"}
        open_import.begin(OTHER_ID, "other.log")
        open_import.finish(OTHER_ID)
        assert open_import.key_of("2026-10-10") == first
    assert key_after(tmp_path, finish=True) == first


def test_one_import_runs_at_a_time(tmp_path: Path) -> None:
    with resuming(tmp_path), pytest.raises(ResumeError, match="another import is running"), resuming(tmp_path):
        pass
    with resuming(tmp_path) as open_import:
        assert isinstance(open_import, Resume)


def test_a_secret_that_nobody_came_back_for_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key_after(tmp_path, finish=False)
    monkeypatch.setattr(resume, "_KEEP_SECONDS", -1)
    assert key_after(tmp_path, finish=True) != first
    assert not state(tmp_path).exists()


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"\x80", msgspec.msgpack.encode({"secret": b"", "made_at": 1 << 40, "files": {}})]
)
def test_a_file_that_says_nothing_of_use_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "imports").mkdir()
    state(tmp_path).write_bytes(content)
    first = key_after(tmp_path, finish=False)
    assert key_after(tmp_path, finish=True) == first


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "imports").write_text("a file")
    with pytest.raises(ResumeError, match=r"Not a directory|File exists"), resuming(tmp_path):
        pass
    (tmp_path / "imports").unlink()
    (tmp_path / "imports").mkdir()
    state(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResumeError, match="symbolic links"), resuming(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
