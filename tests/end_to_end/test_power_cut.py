"""What a journal has promised is there after a power cut."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.ingest.journal_child import numbers

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
CUT = [sys.executable, "-m", "tests.end_to_end.power_cut"]
CHILD = [sys.executable, "-m", "tests.ingest.journal_child"]
TIMES = 3
EVENTS = 200


def run(*command: str) -> list[str]:
    """Run a command that must succeed; return its lines."""
    done = subprocess.run(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def may_mount(folder: Path) -> bool:
    """Say whether this user may mount a disk in a file, as root may outside of most containers."""
    script = "truncate -s 4M disk && mkfs.ext4 -q -F disk && mkdir place && mount -o loop disk place"
    command = ["unshare", "--mount", "sh", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("promise", ["full", "relaxed"])
def test_a_power_cut_loses_nothing_that_was_promised(tmp_path: Path, promise: str) -> None:
    (folder := tmp_path / "cut").mkdir()
    if not may_mount(tmp_path):
        simulate(folder, promise)
        return
    [line] = run("unshare", "--mount", *CUT, str(folder), promise, str(TIMES))
    promised, lost = map(int, line.split())
    assert promised >= 300
    assert lost == 0


def test_a_power_cut_loses_what_was_never_synced(tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    (folder := tmp_path / "cut").mkdir()
    if not may_mount(tmp_path):
        assert simulate(folder, "none") > 0
        return
    [line] = run("unshare", "--mount", *CUT, str(folder), "none", "1")
    promised, lost = map(int, line.split())
    assert promised >= 300
    assert lost > 0


@pytest.mark.parametrize("promise", ["full", "relaxed"])
def test_what_was_promised_is_in_the_synced_part_of_the_files(tmp_path: Path, promise: str) -> None:
    simulate(tmp_path, promise)


class Call(NamedTuple):
    """A finished system call: `path` is its file's, `size` what the file had when it began."""

    name: str
    path: str
    rest: str
    size: int


CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)")
RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
WRITTEN = re.compile(r".*, (?P<offset>\d+)\) = (?P<bytes>\d+)$")


class Disk:
    """Which bytes of which files a power cut would leave, after each system call of a trace."""

    def __init__(self) -> None:
        self.written: dict[str, int] = {}
        self.synced: dict[str, int] = {}
        self.listed: set[str] = set()  # in a folder that is synced

    def follow(self, lines: list[str]) -> Iterator[str]:
        """Yield the text of each answer when the disk is as it was then."""
        begun: dict[str, Call] = {}
        for line in lines:
            if match := CALL.match(line):
                stem = Path(match["path"]).stem
                call = Call(match["name"], match["path"], match["rest"], self.written.get(stem, 0))
                if call.rest.endswith("<unfinished ...>"):
                    begun[match["pid"]] = call
                    continue
            elif (match := RESUMED.match(line)) and match["pid"] in begun:
                call = begun.pop(match["pid"])
                call = call._replace(rest=call.rest.removesuffix("<unfinished ...>") + match["rest"])
            else:
                continue
            self._apply(call)
            if call.name == "write":
                yield call.rest

    def _apply(self, call: Call) -> None:
        path = Path(call.path)
        if call.name == "pwrite64" and path.suffix in {".new", ".segment"} and (match := WRITTEN.match(call.rest)):
            end = int(match["offset"]) + int(match["bytes"])
            self.written[path.stem] = max(end, self.written.get(path.stem, 0))
        elif call.name == "fdatasync" and path.suffix == ".segment" and call.rest.endswith("= 0"):
            self.synced[path.stem] = call.size
        elif call.name == "fsync" and not path.suffix and call.rest.endswith("= 0"):
            self.listed |= self.written.keys()

    def after_a_cut(self, folder: Path, copy: Path) -> list[int]:
        """Return the events that are left."""
        copy.mkdir()
        for stem in self.listed & self.synced.keys():
            shutil.copy(folder / f"{stem}.segment", copy)
            os.truncate(copy / f"{stem}.segment", self.synced[stem])
        return numbers(copy)


def simulate(tmp_path: Path, promise: str) -> int:
    """Cut the power on paper: a file keeps what it had when its last finished sync began. Return how many are lost."""
    folder, trace = tmp_path / "journal", tmp_path / "trace"
    durability = "relaxed" if promise == "relaxed" else "full"
    watch = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=pwrite64,write,fdatasync,fsync"]
    run(*watch, *CHILD, str(folder), "inline", durability, "1", str(EVENTS))
    disk = Disk()
    acknowledged: list[int] = []
    for text in disk.follow(trace.read_text().splitlines()):
        if found := re.search(r'"ack (\d+)', text):
            acknowledged.append(int(found[1]))
            if promise == "full" and acknowledged[-1] % 20 == 0:
                left = disk.after_a_cut(folder, tmp_path / f"cut-{acknowledged[-1]}")
                assert set(acknowledged) <= set(left)
    assert len(acknowledged) == EVENTS
    if promise == "none":
        disk.synced.clear()
    lost = set(acknowledged) - set(disk.after_a_cut(folder, tmp_path / "cut"))
    assert promise == "none" or not lost
    return len(lost)
