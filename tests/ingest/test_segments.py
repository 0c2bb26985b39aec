"""What is read from a file of the journal, whatever has happened to it."""

import logging
import os
import stat
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.ingest.segments import Piece, Record, Segment, SegmentWriter, make_folder, scan

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
HEAD, RECORD_HEAD = 28, 12  # bytes
ONE, TWO, THREE = b"one", b"the second" * 50, b"3"
ENDS = [HEAD + RECORD_HEAD + 3, HEAD + 2 * RECORD_HEAD + 503, HEAD + 3 * RECORD_HEAD + 504]


def write(folder: Path, *payloads: bytes) -> Segment:
    """Make a segment that nobody writes any more."""
    writer = SegmentWriter(folder)
    writer.append(payloads)
    writer.sync()
    writer.close()
    return next(segment for segment in scan(folder) if segment.path == writer.path)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    segment = write(tmp_path, ONE, TWO, THREE)
    records = [Record(payload, end) for payload, end in zip([ONE, TWO, THREE], ENDS, strict=True)]
    assert segment.read() == Piece(records, ENDS[2], damaged=0, torn=False)
    assert segment.read(ENDS[0]) == Piece(records[1:], ENDS[2], damaged=0, torn=False)
    assert segment.read(ENDS[2]) == Piece([], ENDS[2], damaged=0, torn=False)
    assert segment.size == ENDS[2]


@pytest.mark.parametrize(("limit", "expected"), [(1, [ONE]), (3, [ONE]), (4, [ONE, TWO]), (1000, [ONE, TWO, THREE])])
def test_a_reading_is_limited_but_never_empty(tmp_path: Path, limit: int, expected: list[bytes]) -> None:
    piece = write(tmp_path, ONE, TWO, THREE).read(0, limit)
    assert [record.payload for record in piece.batches] == expected
    assert piece.position == ENDS[len(expected) - 1]


def test_records_of_any_size_are_read(tmp_path: Path) -> None:
    payloads = [os.urandom(size) for size in (1, 255 << 10, 256 << 10, 3 << 20, 5, 16 << 20)]
    assert [payload for payload, _ in write(tmp_path, *payloads).read(0, 1 << 30).batches] == payloads


def test_segments_are_listed_oldest_first(tmp_path: Path) -> None:
    writers = [SegmentWriter(tmp_path) for _ in range(3)]
    for writer in reversed(writers):
        writer.append([ONE])
    expected = sorted(writer.id for writer in writers)
    assert [segment.id for segment in scan(tmp_path)] == expected
    assert scan(tmp_path / "absent") == []
    for writer in writers:
        writer.close()


def test_a_segment_in_use_is_read_to_where_it_is_synced(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    [segment] = scan(tmp_path)
    writer.append([ONE])
    assert segment.is_live()
    assert segment.read() == Piece([], 0, damaged=0, torn=False)
    writer.sync()
    writer.append([TWO])
    assert segment.synced_length() == ENDS[0]
    assert segment.read().batches == [Record(ONE, ENDS[0])]
    writer.close()
    assert not segment.is_live()
    assert segment.read().batches == [Record(ONE, ENDS[0]), Record(TWO, ENDS[1])]


@pytest.mark.parametrize("content", [None, b"", b"1234567", bytes(9), b"\xff" * 8, (1000).to_bytes(8, "little")])
def test_of_a_segment_in_use_nothing_is_read_without_its_length(tmp_path: Path, content: bytes | None) -> None:
    writer = SegmentWriter(tmp_path)
    writer.append([ONE])
    writer.sync()
    side = writer.path.with_suffix(".synced")
    side.unlink()
    if content is not None:
        side.write_bytes(content)
    [segment] = scan(tmp_path)
    assert segment.read() == Piece([], 0, damaged=0, torn=False)
    writer.close()
    assert len(segment.read().batches) == 1


def test_a_segment_is_in_use_until_its_process_ends(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from visitor_tracker.ingest.segments import SegmentWriter
writer = SegmentWriter(Path(sys.argv[1]))
writer.append([b"one"])
print(flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        [segment] = scan(tmp_path)
        assert segment.is_live()
        assert segment.read().batches == []
        child.kill()
    assert not segment.is_live()
    assert segment.read().batches == [Record(ONE, ENDS[0])]


def test_a_forked_process_has_no_part_in_a_segment(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    writer.append([ONE])
    (started, starts), (stopped, stops) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(stops)
        os.write(starts, b"s")
        os.read(stopped, 1)
        os._exit(writer.is_open)
    os.read(started, 1)
    writer.close()
    [segment] = scan(tmp_path)
    assert not segment.is_live()
    for descriptor in (started, starts, stopped, stops):
        os.close(descriptor)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("kept", range(ENDS[1] + 1, ENDS[2]))
def test_a_record_that_was_never_finished_is_no_damage(tmp_path: Path, kept: int) -> None:
    segment = write(tmp_path, ONE, TWO, THREE)
    os.truncate(segment.path, kept)
    piece = segment.read()
    assert piece == Piece([Record(ONE, ENDS[0]), Record(TWO, ENDS[1])], ENDS[1], damaged=0, torn=True)
    assert segment.read(piece.position) == Piece([], ENDS[1], damaged=0, torn=True)


@pytest.mark.parametrize("place", range(ENDS[0], ENDS[1], 7))
def test_a_damaged_record_is_passed_over(tmp_path: Path, place: int) -> None:
    segment = write(tmp_path, ONE, TWO, THREE)
    overwrite(segment.path, place, bytes([segment.path.read_bytes()[place] ^ 0x40]))
    expected = [Record(ONE, ENDS[0]), Record(THREE, ENDS[2])]
    assert segment.read() == Piece(expected, ENDS[2], damaged=1, torn=False)
    assert segment.read(ENDS[0]) == Piece(expected[1:], ENDS[2], damaged=1, torn=False)


def test_two_damaged_places_are_counted_twice(tmp_path: Path) -> None:
    segment = write(tmp_path, ONE, TWO, THREE, TWO, THREE)
    for place in (HEAD + RECORD_HEAD, ENDS[2] + 40):
        overwrite(segment.path, place, b"\0\0")
    piece = segment.read()
    assert [record.payload for record in piece.batches] == [TWO, THREE, THREE]
    assert piece.damaged == 2


def test_a_damaged_head_costs_nothing(tmp_path: Path) -> None:
    segment = write(tmp_path, ONE)
    overwrite(segment.path, 0, bytes(HEAD))
    assert [found.id for found in scan(tmp_path)] == [segment.id]
    assert segment.read().batches == [Record(ONE, ENDS[0])]


def test_a_renamed_segment_is_known_by_its_head(tmp_path: Path) -> None:
    segment = write(tmp_path, ONE)
    segment.path.rename(tmp_path / "restored.segment")
    [found] = scan(tmp_path)
    assert found.id == segment.id
    assert found.read().batches == [Record(ONE, ENDS[0])]


def test_the_records_of_another_segment_are_none_of_this_one(tmp_path: Path) -> None:
    """A disk may show old blocks, and clients send what they like."""
    old, new = write(tmp_path, ONE, TWO), write(tmp_path, old_records := b"x" * 9)
    content = old.path.read_bytes()[HEAD:]
    overwrite(new.path, HEAD, content)
    assert new.read().batches == []
    nested = write(tmp_path, content + old_records)
    overwrite(nested.path, HEAD + 5, b"\xff\xff")
    assert nested.read().batches == []


def test_what_is_no_segment_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "notes.segment").write_bytes(b"text")
    (tmp_path / f"{'0' * 32}.new").write_bytes(b"")
    newer = write(tmp_path, ONE)
    head = newer.path.read_bytes()[:24]
    newer_head = head[:4] + (2).to_bytes(4, "little") + head[8:]
    overwrite(newer.path, 0, newer_head + zlib.crc32(newer_head).to_bytes(4, "little"))
    with caplog.at_level(logging.WARNING):
        assert scan(tmp_path) == scan(tmp_path) == []
    warned = sorted(record.getMessage().split()[0] for record in caplog.records)
    assert warned == sorted([str(newer.path), str(tmp_path / "notes.segment")])


def overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


@settings(deadline=None, max_examples=100)
@given(
    payloads=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=12),
    damage=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=60)), max_size=4),
    kept=st.floats(0, 1) | st.just(1.0),
)
def test_damage_invents_nothing_and_costs_only_what_it_hits(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], damage: list[tuple[float, bytes]], kept: float
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damage"
    make_folder(folder)
    segment = write(folder, *payloads)
    try:
        content = bytearray(whole := segment.path.read_bytes())
        for place, wrong in damage:
            start = int(place * len(content))
            content[start : start + len(wrong)] = wrong[: len(content) - start]
        del content[int(kept * len(content)) :]
        segment.path.write_bytes(content)
        [found] = scan(folder)
        read = read_in_steps(found)
    finally:
        segment.remove()
    at, unhurt, written = HEAD, [], []
    for payload in payloads:
        end = at + RECORD_HEAD + len(payload)
        written.append(Record(payload, end))
        if content[at:end] == whole[at:end]:
            unhurt.append(written[-1])
        at = end
    assert read == unhurt


def read_in_steps(segment: Segment) -> list[Record]:
    """Read record by record, as one whose reading is often interrupted."""
    found: list[Record] = []
    while (piece := segment.read(found[-1].end if found else 0, 1)).batches:
        assert piece.position == piece.batches[-1].end
        found += piece.batches
    whole = segment.read(0, 1 << 30)
    assert whole.batches == found
    assert whole.torn == piece.torn
    return found


@settings(deadline=None)
@given(content=st.binary(max_size=3000))
def test_any_bytes_are_read_as_nothing(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "bytes"
    make_folder(folder)
    path = folder / f"{'ab' * 16}.segment"
    path.write_bytes(content)
    assert [segment.read().batches for segment in scan(folder)] == [[]]


READ_ALL = """
import sys
from pathlib import Path
from visitor_tracker.ingest.segments import scan
[segment] = scan(Path(sys.argv[1]))
piece = segment.read()
print(piece.damaged, *[payload[:5].decode() for payload, _ in piece.batches])
"""


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ("2", ["0 00000 00001 00002 00003 00004"]),  # only the reading ahead
        ("2..3", ["1 00001 00002 00003 00004"]),
        ("2..7", ["1 00003 00004"]),  # the page, too
        ("1..999", ["0"]),
    ],
)
def test_what_the_disk_cannot_read_is_passed_over(tmp_path: Path, failing: str, expected: list[str]) -> None:
    segment = write(tmp_path, *[f"{number:05}".encode() * 300 for number in range(5)])
    trace = ["strace", "-f", "-o", "/dev/null", "-P", str(segment.path), "-e", "trace=pread64"]
    inject = ["-e", f"inject=pread64:error=EIO:when={failing}"]
    command = [*trace, *inject, sys.executable, "-c", READ_ALL, str(tmp_path)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_cutting_leaves_what_is_synced(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    writer.append([ONE])
    writer.sync()
    writer.append([TWO])
    writer.cut()
    [segment] = scan(tmp_path)
    assert (segment.size, segment.is_live()) == (ENDS[0], False)
    assert segment.read().batches == [Record(ONE, ENDS[0])]


def test_a_segment_without_a_record_leaves_no_file(tmp_path: Path) -> None:
    unused, cut = SegmentWriter(tmp_path), SegmentWriter(tmp_path)
    cut.append([ONE])
    cut.cut()
    unused.close()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_is_removed_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    segment = write(tmp_path, ONE)
    segment.remove()
    segment.remove()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        segment.read()
    assert segment.synced_length() == 0


def test_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "new" / "journal"
        make_folder(folder)
        writer = SegmentWriter(folder)
        modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        writer.close()
    finally:
        os.umask(before)
    assert modes == {".segment": 0o600, ".synced": 0o600}
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]


def test_what_a_crash_left_half_made_is_removed(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    writer.append([ONE])
    old = time.time() - 7200
    for name in ("a.new", "b.synced", "c.new", "d.synced", "other"):
        (tmp_path / name).write_bytes(b"")
        if name[0] in "ab":
            os.utime(tmp_path / name, (old, old))
    os.utime(writer.path.with_suffix(".synced"), (old, old))
    make_folder(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"c.new", "d.synced", "other", writer.path.name, writer.path.with_suffix(".synced").name}
    writer.close()
