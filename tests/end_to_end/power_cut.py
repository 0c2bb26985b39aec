"""Cuts the power of a disk that a journal is on, again and again, and reads the journal after each time.

    power_cut.py FOLDER PROMISE TIMES

The disk is an ext4 file system in a file. To cut its power is to let nothing more reach it: what the kernel has not
written is lost, and what it was writing is there or not. PROMISE is

    full     cut at any moment; nothing that was acknowledged may be missing
    relaxed  the same of what was published as synced; the first cut comes when all that was acknowledged is
    none     no sync does anything; prints how many acknowledged events are missing, to show that a cut is one
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ingest.journal_child import numbers, said
from tests.running import until
from visitor_tracker.ingest.segments import scan

SHUT_DOWN = 0x8004587D  # the request _IOR('X', 125, __u32) of ext4, f2fs and xfs
AT_ONCE = (2).to_bytes(4, sys.byteorder)  # without flushing the file system's own journal
MANY = 1_000_000
LEAST = 300  # acknowledged events before a cut
LYING = """
import os, runpy
os.fdatasync = os.fsync = lambda descriptor: None
runpy.run_module("tests.ingest.journal_child", run_name="__main__")
"""


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, timeout=60)


def make_disk(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(64 << 20)
    run("mkfs.ext4", "-q", "-F", image)


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """Mount as after a power cut: what ext4 finds in its own journal is replayed."""
    run("mount", "-o", "loop", image, place)
    try:
        yield place / "journal"
    finally:
        run("umount", place)


def cut_power(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUT_DOWN, AT_ONCE)
    finally:
        os.close(descriptor)


def all_is_published(folder: Path) -> bool:
    return all(segment.synced_length() == segment.size for segment in scan(folder))


def child_command(folder: Path, promise: str, first: int, number: int, commit: str) -> list[str]:
    program = ["-c", LYING] if promise == "none" else ["-m", "tests.ingest.journal_child"]
    durability = "relaxed" if promise == "relaxed" else "full"
    return [sys.executable, *program, str(folder), commit, durability, str(first), str(number)]


def journal_until_cut(folder: Path, command: list[str], *, quiet: bool) -> tuple[list[int], list[int]]:
    """Journal events and cut the power; return the numbers that were acknowledged, and those that were published."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        output = child.stdout.fileno()
        heard = b""
        while heard.count(b"\n") < LEAST:
            heard += os.read(output, 1 << 16)
        if quiet:
            until(lambda: all_is_published(folder))
        published = numbers(folder)
        # What it says from here on does not count: a sync that runs while ext4 is shut down may claim to be done.
        os.set_blocking(output, False)
        with suppress(BlockingIOError):
            heard += os.read(output, 1 << 20)
        cut_power(folder)
        child.kill()
    return said(heard.rpartition(b"\n")[0].decode().splitlines(), "ack"), published


def main(folder: Path, promise: str, times: int) -> None:
    """Cut the power so many times; what follows a cut is journaled on the same disk."""
    image, place = folder / "disk", folder / "place"
    make_disk(image)
    place.mkdir()
    promised: set[int] = set()
    found: list[int] = []
    for time in range(times):
        quiet = promise == "relaxed" and time == 0
        with mounted(image, place) as journal:
            first, commit = MANY * time, ("inline", "committer")[time % 2]
            command = child_command(journal, promise, first, LEAST if quiet else MANY, commit)
            acknowledged, published = journal_until_cut(journal, command, quiet=quiet)
        promised.update(published if promise == "relaxed" and not quiet else acknowledged)
        with mounted(image, place) as journal:
            found = numbers(journal)
        assert len(found) == len(set(found))
        if promise != "none":
            assert promised <= set(found), f"lost after cut {time}: {sorted(promised - set(found))[:20]}"
    print(len(promised), len(promised - set(found)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
