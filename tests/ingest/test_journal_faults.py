"""What may happen to a journal: killed processes, full disks, failing writes and syncs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ingest.journal_bench import KINDS
from tests.ingest.journal_child import numbers, said
from visitor_tracker.ingest.segments import scan

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
CHILD = [sys.executable, "-m", "tests.ingest.journal_child"]
TWO_KINDS = [("inline", "full"), ("committer", "relaxed")]


def run(*command: str) -> list[str]:
    """Run a command that must succeed; return its lines."""
    done = subprocess.run(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def strace(trace: Path, *options: str) -> list[str]:
    return ["strace", "-f", "-y", "-s", "16", "-o", str(trace), *options]


@contextmanager
def child(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [*CHILD, *map(str, arguments)]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("commit", "durability"), KINDS)
def test_a_killed_process_loses_nothing_acknowledged(tmp_path: Path, commit: str, durability: str) -> None:
    with child(tmp_path, commit, durability, 1, 1_000_000) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(1000)]
        process.kill()
        lines += process.stdout.readlines()
    acknowledged = said(lines, "ack")
    assert len(acknowledged) >= 1000
    found = numbers(tmp_path)
    assert found == sorted(set(found))
    assert set(acknowledged) <= set(found)
    assert len(found) <= len(acknowledged) + 8  # those whose answer never arrived


def test_the_next_process_begins_a_segment_of_its_own(tmp_path: Path) -> None:
    run(*CHILD, str(tmp_path), "inline", "full", "1", "20")
    with child(tmp_path, "inline", "full", 21, 20) as process:
        assert process.stdout is not None
        assert "end\n" in iter(process.stdout.readline, "")
    run(*CHILD, str(tmp_path), "inline", "full", "41", "20")
    assert len(scan(tmp_path)) == 3
    assert numbers(tmp_path) == list(range(1, 61))


def test_full_durability_answers_only_what_is_synced(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    run(
        *strace(trace, "-e", "trace=pwrite64,write,fdatasync,fsync"), *CHILD, str(tmp_path), "inline", "full", "1", "99"
    )
    steps = {"segment": "", "folder": "", "length": ""}  # the last call of each
    acknowledged = 0
    for line in trace.read_text().splitlines():
        call = line.split()[1].partition("(")[0]
        if ".segment>" in line:
            steps["segment"] = call
        elif f"<{tmp_path}>)" in line:
            steps["folder"] = call
        elif ".synced>" in line:
            assert steps["segment"] in {"", "fdatasync"}  # its first content, or what is synced by then
            steps["length"] = call
        elif '"ack ' in line:
            assert steps == {"segment": "fdatasync", "folder": "fsync", "length": "pwrite64"}
            acknowledged += 1
    assert acknowledged == 99


@pytest.mark.parametrize("commit", ["inline", "committer"])
@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=3+4",
        "pwrite64:error=EIO:when=9+7",
        "pwrite64:error=ENOSPC:when=8+5",
        "fsync:error=EIO:when=1",  # of the folder
        "/^rename:error=EIO:when=1",
        "flock:error=ENOLCK:when=1",
    ],
)
def test_a_disk_error_is_never_acknowledged(tmp_path: Path, commit: str, fault: str) -> None:
    folder, trace = tmp_path / "journal", tmp_path / "trace"
    folder.mkdir()
    lines = run(*strace(trace, "-e", f"inject={fault}"), *CHILD, str(folder), commit, "full", "1", "120")
    stored, refused = said(lines, "ack"), said(lines, "no")
    assert refused
    assert sorted(stored + refused + said(lines, "refused")) == list(range(1, 121))
    assert numbers(folder) == stored
    assert lines[-1] == "end"
    assert len(stored) > 20


def test_a_failed_sync_is_not_tried_again(tmp_path: Path) -> None:
    folder, trace = tmp_path / "journal", tmp_path / "trace"
    inject = ["-e", "trace=fdatasync,ftruncate,pwrite64", "-e", "inject=fdatasync:error=EIO:when=3+4"]
    run(*strace(trace, *inject), *CHILD, str(folder), "inline", "full", "1", "120")
    in_doubt = ""
    failures = 0
    for line in trace.read_text().splitlines():
        if "fdatasync" in line and "EIO" in line:
            failures += 1
            in_doubt = line.partition("<")[2].partition(">")[0]
        elif in_doubt and in_doubt in line:
            assert "ftruncate" in line
            in_doubt = ""
    assert failures > 2


@pytest.mark.parametrize("fault", ["fdatasync:error=EIO:when=1", "pwrite64:error=ENOSPC:when=9+5"])
@pytest.mark.parametrize("commit", ["inline", "committer"])
def test_relaxed_durability_loses_nothing_it_has_acknowledged_when_the_disk_fails(
    tmp_path: Path, commit: str, fault: str
) -> None:
    folder, trace = tmp_path / "journal", tmp_path / "trace"
    lines = run(*strace(trace, "-e", f"inject={fault}"), *CHILD, str(folder), commit, "relaxed", "1", "120")
    assert sorted(numbers(folder)) == said(lines, "ack")
    assert "EIO" in (text := trace.read_text()) or "ENOSPC" in text


@pytest.mark.parametrize(("commit", "durability"), TWO_KINDS)
def test_a_file_that_may_not_grow_ends_with_its_last_whole_record(tmp_path: Path, commit: str, durability: str) -> None:
    """The kernel takes a part of the last write, as it does on a disk that is nearly full."""
    lines = run("prlimit", "--fsize=20000", *CHILD, str(tmp_path), commit, durability, "1", "600")
    stored = said(lines, "ack")
    assert said(lines, "no")
    assert len(stored) > 100
    assert numbers(tmp_path) == stored
    assert len(scan(tmp_path)) > 2
    assert all(segment.size < 20000 and not segment.read(0, 1 << 20).torn for segment in scan(tmp_path))


FULL_DISK = """
import os, sys, time
from pathlib import Path
from tests.ingest.journal_bench import KINDS
from tests.ingest.journal_child import GROUP, numbers, send
from visitor_tracker.config import JournalConfig
from visitor_tracker.ingest import quota
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.metrics import Metrics

quota.DISK_SHARE = 1
folder = Path(sys.argv[1])
journal = Journal(
    folder / "journal", Metrics().counters(), config=JournalConfig(commit=sys.argv[2]),
    durability=sys.argv[3], most_waiting=4096,
)
sent = 0
def send_more(groups):
    global sent
    for _ in range(groups):
        send(journal, range(sent, sent + GROUP))
        sent += GROUP

send_more(5)
filler = (folder / "filler").open("wb", buffering=0)
try:
    while True:
        filler.write(bytes(4096))
except OSError:
    print("full", flush=True)
while journal.available:
    send_more(1)
print("refused", sent, flush=True)
while numbers(folder / "journal") != list(range(40)):
    time.sleep(0.01)
(folder / "filler").unlink()
filler.close()
while not journal.available:
    time.sleep(0.01)
print("room", flush=True)
send_more(5)
journal.close()
print("stored", *numbers(folder / "journal"))
"""


@pytest.mark.parametrize(("commit", "durability"), TWO_KINDS)
def test_a_full_disk_refuses_reads_on_and_recovers(tmp_path: Path, commit: str, durability: str) -> None:
    inside = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1" "$4" "$5"'
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    lines = run(*namespace, "sh", "-c", inside, "sh", str(tmp_path), sys.executable, FULL_DISK, commit, durability)
    full, room = lines.index("full"), lines.index("room")
    before, between, after = lines[:full], lines[full:room], lines[room:-1]
    assert said(before, "ack") == list(range(40))
    assert said(between, "no") + said(between, "refused")
    assert len(said(after, "ack")) == 40
    assert [int(number) for number in lines[-1].split()[1:]] == said(lines, "ack")
