"""What may happen to a SQLite file: full disks, failing syncs, power cuts, damage."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.store.samples import HOME, NOW, new_batch, numbers, stored_count, visits
from visitor_tracker.errors import StoreError, StoreUnavailable
from visitor_tracker.store import migrate, open_store
from visitor_tracker.store.sql import SqlStore

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
CHILD = [sys.executable, "-m", "tests.store.counting_child"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A migrated database file."""
    file = tmp_path / "visitors.db"
    store = open_store(f"sqlite:///{file}")
    migrate(store)
    store.close()
    return file


def run(*command: str) -> list[str]:
    """Run a command that must succeed; return its lines."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def strace(trace: Path, *options: str) -> list[str]:
    return ["strace", "-f", "-y", "-ttt", "-s", "16", "-o", str(trace), *options]


def intact(path: Path) -> bool:
    db = sqlite3.connect(path)
    try:
        return db.execute("pragma integrity_check").fetchall() == [("ok",)]
    finally:
        db.close()


SYSTEM_CALL = re.compile(r"\d+ +(?P<at>[\d.]+) (?P<name>\w+)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)")


def log_calls(trace: Path) -> Iterator[tuple[float, str, str]]:
    """Yield (seconds, "write" or "sync", "") for the write-ahead log and (seconds, "ack", text) for answers."""
    for line in trace.read_text().splitlines():
        call = SYSTEM_CALL.match(line)
        if call is None:
            continue
        if call["path"].endswith("visitors.db-wal"):
            kind = "sync" if "sync" in call["name"] else "write"
            yield float(call["at"]), kind, ""
        elif '"ack ' in call["rest"]:
            yield float(call["at"]), "ack", call["rest"]


def test_full_durability_answers_only_what_is_synced(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,write,fdatasync,fsync"
    run(*strace(trace, "-e", calls), *CHILD, f"sqlite:///{path}", "full", "50", "0")
    unsynced, acknowledged = False, 0
    for _, kind, _ in log_calls(trace):
        if kind == "ack":
            assert not unsynced
            acknowledged += 1
        else:
            unsynced = kind == "write"
    assert acknowledged == 50


def test_relaxed_durability_syncs_every_second(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,write,fdatasync,fsync"
    run(*strace(trace, "-e", calls), *CHILD, f"sqlite:///{path}", "relaxed", "60", "3")
    seen = list(log_calls(trace))
    syncs = [at for at, kind, _ in seen if kind == "sync"]
    for at in (at for at, kind, _ in seen if kind == "write"):
        assert any(at < sync < at + 2 for sync in syncs)
    kinds = Counter(kind for _, kind, _ in seen)
    assert kinds["ack"] == 60
    assert 3 <= len(syncs) < 30


@pytest.mark.parametrize(("call", "when"), [("fdatasync", "4+5"), ("pwrite64", "10+97")])
def test_a_disk_error_is_never_acknowledged(path: Path, tmp_path: Path, call: str, when: str) -> None:
    trace, log = tmp_path / "trace", f"{path}-wal"
    inject = ["-P", log, "-e", "trace=fdatasync,pwrite64,ftruncate", "-e", f"inject={call}:error=EIO:when={when}"]
    said = run(*strace(trace, *inject), *CHILD, f"sqlite:///{path}", "full", "40", "0")
    outcomes = Counter(line.split()[0] for line in said)
    assert outcomes["unknown"] + outcomes["refused"] > 2
    acknowledged = [int(line.split()[1]) for line in said if line.startswith("ack")]
    assert len(acknowledged) > 20
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    store = open_store(f"sqlite:///{path}")
    assert stored_count(store) == len(acknowledged)
    store.close()
    assert intact(path)
    # A log with a failed sync is emptied before anything is added to it.
    in_doubt = False
    for line in trace.read_text().splitlines():
        if "fdatasync" in line and "EIO" in line:
            in_doubt = True
        elif "ftruncate" in line and ", 0) = 0" in line:
            in_doubt = False
        elif "pwrite64" in line:
            assert not in_doubt


def test_a_relaxed_sync_that_failed_is_made_good_by_writing_again(path: Path, tmp_path: Path) -> None:
    trace, log = tmp_path / "trace", f"{path}-wal"
    inject = ["-P", log, "-P", str(path), "-e", "trace=fdatasync,fsync,pwrite64,ftruncate"]
    inject += ["-e", "inject=fdatasync:error=EIO:when=2"]
    said = run(*strace(trace, *inject), *CHILD, f"sqlite:///{path}", "relaxed", "30", "3")
    assert said == [f"ack {number}" for number in range(1, 31)]
    lines = trace.read_text().splitlines()
    failed, *_ = [number for number, line in enumerate(lines) if "EIO" in line]
    after = "\n".join(lines[failed:])
    # What the log held goes to the database file, that is synced, and only then the log is emptied.
    assert re.search(rf"pwrite64\(\d+<{path}>.*?sync\(\d+<{path}>\) += 0.*?ftruncate\(\d+<{log}>, 0", after, re.S)


FULL_DISK = """
import os, sys
from pathlib import Path
from tests.store.samples import HOME, NOW, new_batch, stored_count, visits
from visitor_tracker.errors import StoreUnavailable
from visitor_tracker.store import migrate, open_store

folder = Path(sys.argv[1])
store = open_store(f"sqlite:///{folder}/visitors.db")
migrate(store)
filler = folder / "filler"
filler.write_bytes(bytes(400_000))
counted = 0
try:
    while counted < 10_000:
        store.count(new_batch(), visits(HOME, f"{HOME}{counted}" + "x" * 1000), NOW)
        counted += 1
except StoreUnavailable as error:
    print("refused", error)
for _ in range(3):
    try:
        store.count(new_batch(), visits(HOME), NOW)
        counted += 1
    except StoreUnavailable:
        print("again")
assert stored_count(store) == counted, (stored_count(store), counted)
assert store.pages(limit=5).pages
filler.unlink()
store.count(new_batch(), visits(HOME), NOW)
assert stored_count(store) == counted + 1
print("recovered", store.execute("pragma integrity_check"))
store.close()
"""


def test_a_full_disk_refuses_reads_on_and_recovers(tmp_path: Path) -> None:
    inside = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" -c "$3" "$1"'
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    said = run(*namespace, "sh", "-c", inside, "sh", str(tmp_path), sys.executable, FULL_DISK)
    assert said[0].startswith("refused")
    assert "again" in said
    assert said[-1] == "recovered [('ok',)]"


def counting_store(path: Path, batches: int) -> SqlStore:
    store = open_store(f"sqlite:///{path}")
    for _ in range(batches):
        store.count(new_batch(), visits(HOME), NOW)
    return store


def copy_in_use(path: Path, target: Path) -> Path:
    """Copy the database and its log while a store has them open, as a crash would leave them."""
    target.mkdir()
    for file in (path, path.with_name(path.name + "-wal")):
        shutil.copy(file, target / file.name)
    return target / path.name


def test_a_torn_log_loses_its_tail_only(path: Path, tmp_path: Path) -> None:
    store = counting_store(path, 20)
    size = path.with_name(path.name + "-wal").stat().st_size
    counts = []
    for number, kept in enumerate(range(0, size + 1, size // 12)):
        torn = copy_in_use(path, tmp_path / f"torn{number}")
        os.truncate(f"{torn}-wal", kept)
        after = open_store(f"sqlite:///{torn}")
        counts.append(stored_count(after))
        assert numbers(after.count(new_batch(), visits(HOME), NOW)) == [counts[-1] + 1]
        after.close()
        assert intact(torn)
    store.close()
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-2] > 10


def test_garbage_in_the_log_is_passed_over(path: Path, tmp_path: Path) -> None:
    store = counting_store(path, 20)
    size = path.with_name(path.name + "-wal").stat().st_size
    damaged = copy_in_use(path, tmp_path / "copy")
    with open(f"{damaged}-wal", "r+b") as log:
        log.seek(size // 2)
        log.write(os.urandom(5000))
    after = open_store(f"sqlite:///{damaged}")
    assert 0 < stored_count(after) < 20
    after.close()
    store.close()
    assert intact(damaged)


def test_a_killed_process_loses_nothing_acknowledged(path: Path) -> None:
    child = subprocess.Popen(
        [*CHILD, f"sqlite:///{path}", "full", "100000", "0"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(200):
        child.stdout.readline()
    child.kill()
    said = child.stdout.read().splitlines()
    child.wait(10)
    child.stdout.close()
    acknowledged = 200 + sum(line.startswith("ack") for line in said)
    store = open_store(f"sqlite:///{path}")
    assert acknowledged <= stored_count(store) <= acknowledged + 1
    store.close()


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_file_is_reported_with_what_to_do(path: Path, damage: str) -> None:
    store = counting_store(path, 5)
    store.close()
    content = path.read_bytes()
    if damage == "header":
        path.write_bytes(b"this is a text file\n" * 500)
    else:
        path.write_bytes(content[:100] + os.urandom(len(content) - 100))
    with pytest.raises(StoreError, match=r"backup"):
        use(path)
    with pytest.raises(StoreError, match=r"backup"):
        use(path)


def use(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    try:
        store.count(new_batch(), visits(HOME), NOW)
        store.totals()
    finally:
        store.close()


def test_a_file_that_another_program_locks_is_unavailable_for_a_while(path: Path) -> None:
    store = open_store(f"sqlite:///{path}", answer_seconds=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    said = refusal(store)
    other.execute("rollback")
    other.close()
    assert "another program" in said
    assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [1]
    store.close()


def test_a_locked_file_fails_a_probe_but_no_start(path: Path) -> None:
    """Reads work all the while, so that a ping says nothing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    store = open_store(f"sqlite:///{path}", answer_seconds=0.1)
    store.ping()
    with pytest.raises(StoreUnavailable, match="another program"):
        store.probe()
    other.execute("rollback")
    other.close()
    store.probe()
    assert numbers(store.count(new_batch(), visits(HOME), NOW)) == [1]
    store.close()


def refusal(store: SqlStore) -> str:
    with pytest.raises(StoreUnavailable) as refused:
        store.count(new_batch(), visits(HOME), NOW)
    return str(refused.value)


def test_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path}/new/deep/visitors.db")
        migrate(store)
        files = sorted(tmp_path.glob("new/deep/*"))
        assert len(files) == 5  # database, log, its index, two locks
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
        assert store.check() == []
        store.close()
    finally:
        os.umask(before)


def test_a_readable_file_is_a_warning(path: Path) -> None:
    path.chmod(0o644)
    store = open_store(f"sqlite:///{path}")
    assert [finding.hint for finding in store.check()] == [f"chmod 600 {path}"]
    store.close()


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="must name a file"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_folder_that_cannot_be_made_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match="must be able to write"):
        open_store(f"sqlite:///{path}/below/visitors.db")


@pytest.fixture
def not_root() -> Iterator[None]:
    """Let root, whom no permission stops, act as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.usefixtures("not_root")
def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with pytest.raises(StoreError, match="Permission denied: the server's user must be able to write"):
        open_store("sqlite:///usr/visitors.db")


def test_the_log_does_not_grow_without_end(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    log = path.with_name(path.name + "-wal")
    written = sizes = 0
    while written < 60_000_000:
        store.count(new_batch(), visits(*(f"{HOME}{number}" + "x" * 1500 for number in range(64))), NOW)
        written += 64 * 4096
        sizes = max(sizes, log.stat().st_size)
    assert sizes < 40_000_000
    store.close()
    assert not log.exists()


def test_threads_that_end_leave_no_descriptors(path: Path) -> None:
    store = counting_store(path, 1)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(stored_count, store) for _ in range(8)]:
                assert future.result() == 1
            for turn in [pool.submit(store.count, new_batch(), [], NOW) for _ in range(8)]:
                assert turn.result() == []
    assert len(os.listdir("/proc/self/fd")) <= before + 4
    store.close()
