"""Journals numbered events in a process of its own and says what became of each: for tests that disturb or kill it.

    journal_child.py FOLDER COMMIT DURABILITY FIRST NUMBER

Prints "ack N" for an event that was said to be stored, "no N" for one that was said not to be and "refused N" for
one that was not taken, and "end". Then it waits for the end of its input and closes.
"""

import os
import queue
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from visitor_tracker.config import JournalConfig
from visitor_tracker.event import Agent, Event, Place, Source, decode_batch
from visitor_tracker.ingest import quota
from visitor_tracker.ingest.journal import Journal
from visitor_tracker.ingest.segments import scan
from visitor_tracker.metrics import Metrics

GROUP = 8  # events that are flushed together
NOW = 1_790_000_000_000  # epoch ms


def event(number: int) -> Event:
    """Make an event that is known by its number."""
    return Event(
        number.to_bytes(16, "big"),
        *("pageview", 1, NOW + number, NOW + number, 20260921),
        *(b"v" * 16, b"", b"s" * 16, b"", f"https://example.com/{number}"),
        *(Source(), Place(), Agent()),
        title=f"page {number}",
    )


def payloads(folder: Path) -> list[bytes]:
    """Read every record that the journal's files hold."""
    found = []
    for segment in scan(folder):
        position = 0
        while (piece := segment.read(position)).batches:
            found += [payload for payload, _ in piece.batches]
            position = piece.position
    return found


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the events that can be read, in their order."""
    events = [event for payload in payloads(folder) for event in decode_batch(payload).events]
    assert events == [event(int.from_bytes(one.id, "big")) for one in events]
    return [int.from_bytes(one.id, "big") for one in events]


def said(lines: Iterable[str], word: str) -> list[int]:
    """Return the numbers of the events of which the child said `word`."""
    return [int(line.split()[1]) for line in lines if line.startswith(word + " ")]


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def answer_to(number: int, answers: queue.SimpleQueue[str]) -> Callable[[bool], None]:
    return lambda stored: answers.put(f"{'ack' if stored else 'no'} {number}")


def send(journal: Journal, group: Iterable[int]) -> None:
    """Journal events and wait until each has its answer."""
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    taken = 0
    for number in group:
        if journal.add([event(number)], answer_to(number, answers)):
            taken += 1
        else:
            say(f"refused {number}")
    journal.flush()
    for _ in range(taken):
        say(answers.get())


def main(folder: str, commit: str, durability: str, first: int, number: int) -> None:
    """Say what becomes of `number` events, from `first` on."""
    quota.PAUSE_SECONDS = 0.01  # tests have many failures
    journal = Journal(
        Path(folder),
        Metrics().counters(),
        config=JournalConfig(commit="committer" if commit == "committer" else "inline"),
        durability="relaxed" if durability == "relaxed" else "full",
        most_waiting=4096,
    )
    for start in range(first, first + number, GROUP):
        while not journal.available:
            time.sleep(0.01)
        send(journal, range(start, min(start + GROUP, first + number)))
    say("end")
    sys.stdin.read()
    journal.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
