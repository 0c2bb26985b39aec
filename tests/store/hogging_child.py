"""Takes the turn again and again and counts its takings in a file: hogging_child.py DATABASE COUNTER."""

import mmap
import sys
import threading
from pathlib import Path

from visitor_tracker.store.turn import Turn

HOLD_SECONDS = 0.002


def main(database: str, counter: str) -> None:
    turn = Turn(Path(database))
    with open(counter, "r+b") as file:
        cell = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
    pause = threading.Event()
    while True:
        with turn.hold():
            cell[0] += 1
            pause.wait(HOLD_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
