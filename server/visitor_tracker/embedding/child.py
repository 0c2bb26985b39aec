"""The child process of an embedded tracker: does what the program asks, and ends with it."""

import logging
import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from visitor_tracker import logs
from visitor_tracker.config import Config
from visitor_tracker.embedding.channel import Answer, Call, Name
from visitor_tracker.embedding.inside import Inside
from visitor_tracker.errors import TrackerError

log = logging.getLogger(__name__)

_NICENESS = 10  # where cores are few, the program's visitors come before what nobody waits for


def main(descriptor: int) -> None:
    """Work until the program closes its end, or ends."""
    for number in (signal.SIGINT, signal.SIGTERM):  # are for the program, which says in its own way that it ends
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    with Connection(descriptor) as program:
        config: Config = program.recv()
        writer = logs.configure("warning" if config.log.level == "info" else config.log.level, config.log.file)
        inside = Inside(config)
        try:
            _answer_all(program, inside)
        finally:
            inside.close()
            writer.flush()


def _answer_all(program: "Connection[Answer, Call]", inside: Inside) -> None:
    while True:
        try:
            number, name, given = program.recv()
        except (EOFError, OSError):
            return
        try:
            program.send((number, *_answer(inside, name, given)))
        except OSError:
            return  # nobody waits for it any more


def _answer(inside: Inside, name: Name, given: tuple[Any, ...]) -> tuple[Any, TrackerError | None]:
    try:
        return getattr(inside, name)(*given), None
    except TrackerError as error:
        return None, error
    except Exception as error:
        log.exception("%s failed", name)
        return None, TrackerError(f"{type(error).__name__}: {error}")
