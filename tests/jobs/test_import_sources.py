"""Files of logs: packed, growing, cut off, damaged."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from visitor_tracker.jobs.importing.sources import LINE_MOST, Source, SourceError, text_of

LINES = [f"line {number} of a log that has some length\n".encode() for number in range(3000)]
WHOLE = b"".join(LINES)


def lines(path: Path, start: int = 0) -> list[tuple[bytes | None, int]]:
    return list(Source(str(path)).lines(start))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
def test_a_file_is_read_from_any_line_on(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "access.log.7"  # what it is, its first bytes say
    path.write_bytes(pack(WHOLE))
    found = lines(path)
    assert [f"{line!r}" for line, _ in found] == [f"{line[:-1]!r}" for line in LINES]
    for number in (1, 2, 1500, 2999):
        start = found[number - 1][1]
        assert WHOLE[start:].startswith(LINES[number])
        assert lines(path, start) == found[number:]
        assert Source(str(path)).lines_before(start) == number
    assert lines(path, len(WHOLE)) == []
    assert lines(path, len(WHOLE) + 1000) == []


def test_packed_in_pieces_it_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(b"".join(LINES[:1000])) + gzip.compress(b"".join(LINES[1000:])))
    assert len(lines(path)) == 3000


def test_the_last_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"one\ntwo\nthr")
    assert lines(path) == [(b"one", 4), (b"two", 8)]
    path.write_bytes(b"one\ntwo\nthree\r\n")
    assert lines(path, 8) == [(b"three\r", 15)]
    path.write_bytes(gzip.compress(b"one\ntwo"))
    assert lines(path) == [(b"one", 4), (b"two", 7)]
    assert lines(path, 7) == []


@pytest.mark.parametrize("size", [LINE_MOST + 1, 5_000_000])
def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, size: int) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"one\n" + b"x" * size + b"\ntwo\n")
    assert lines(path) == [(b"one", 4), (None, size + 5), (b"two", size + 9)]
    path.write_bytes(gzip.compress(b"one\n" + b"x" * size))
    assert lines(path) == [(b"one", 4), (None, size + 4)]
    path.write_bytes(b"x" * LINE_MOST + b"\n")
    assert lines(path) == [(b"x" * LINE_MOST, LINE_MOST + 1)]


def test_text_is_unicode_whatever_the_bytes_are() -> None:
    assert text_of(b"\xef\xbb\xbfone\r") == "one"
    assert text_of(b"t\xc3\xa4t \xff\xfe\xed\xa0\x80") == "tät " + 5 * "\N{REPLACEMENT CHARACTER}"


def test_a_file_stays_the_same_when_it_grows_and_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(WHOLE[:5000])
    [*_, (file_id, length)] = Source(str(path)).identities(1)
    assert (len(file_id), length) == (16, 4096)
    path.write_bytes(WHOLE)
    assert Source(str(path)).identities(1)[-1] == (file_id, length)
    path.write_bytes(gzip.compress(WHOLE))
    assert Source(str(path)).identities(1)[-1] == (file_id, length)
    assert Source(str(path)).identities(2)[-1] != (file_id, length)
    path.write_bytes(b"another " + WHOLE)
    assert Source(str(path)).identities(1)[-1] != (file_id, length)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_small_file_is_found_again_when_it_has_grown(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(pack(WHOLE[: len(LINES[0])]))
    small = Source(str(path)).identities(1)[-1]
    assert small[1] == len(LINES[0])
    for length in (3 * len(LINES[0]) + 5, 4000, 5000, len(WHOLE)):
        path.write_bytes(pack(WHOLE[:length]))
        assert small in Source(str(path)).identities(1)[:-1]


def test_a_small_packed_file_without_a_last_line_end_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(gzip.compress(b"one\ntwo"))
    small = Source(str(path)).identities(1)[-1]
    path.write_bytes(b"one\ntwo\nthree\n")
    assert small in Source(str(path)).identities(1)


def test_what_has_no_whole_line_is_nobody_yet(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    for content in (b"", b"a line that is being writ"):
        path.write_bytes(content)
        assert Source(str(path)).identities(1) == []
    path.write_bytes(gzip.compress(b""))
    assert Source(str(path)).identities(1) == []


@pytest.mark.parametrize("kept", [200, 3_000, 4_000])
def test_what_stands_before_the_damage_is_read(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "access.log.gz"
    packed = gzip.compress(WHOLE)
    assert len(packed) > 4_000
    path.write_bytes(packed[:kept])
    found: list[bytes | None] = []
    reading = Source(str(path)).lines(0)
    with pytest.raises(SourceError, match=r"access\.log\.gz cannot be read to its end: "):  # noqa: PT012
        while True:
            found.append(next(reading)[0])
    assert 0 < len(found) < 3000
    assert found == [line[:-1] for line in LINES[: len(found)]]


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        Source(str(tmp_path / "missing"))
    with pytest.raises(SourceError, match="Is a directory"):
        Source(str(tmp_path))
    path = tmp_path / "access.log"
    for content in (gzip.compress(WHOLE)[:8], b"BZh91AY nonsense", b"\xfd7zXZ\x00nonsense"):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="cannot be read: "):
            Source(str(path))
    path.write_bytes(b"\x28\xb5\x2f\xfd and so on")
    with pytest.raises(SourceError, match="zstdcat"):
        Source(str(path))


def test_a_file_that_another_takes_the_place_of_is_told(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(WHOLE)
    source = Source(str(path))
    path.write_bytes(b"new\n" + WHOLE)
    with pytest.raises(SourceError, match="another file"):
        list(source.lines(0))
    assert source.lines_before(4) == 1
    path.unlink()
    with pytest.raises(SourceError, match="No such file"):
        list(source.lines(0))
    assert source.lines_before(4) is None


def test_it_is_told_how_far_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(WHOLE)
    source = Source(str(path))
    assert (source.packed_size, source.packed_position) == (len(WHOLE), 0)
    assert [0 < source.packed_position <= len(WHOLE) for _ in source.lines(0)] == [True] * 3000
    assert source.packed_position == 0
