"""Log lines: whole, on one line, never waited for."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.net.processes import ROOT, started
from tests.net.serving import wait_until
from visitor_tracker.errors import ConfigError
from visitor_tracker.logs import MOST_LINES, Writer, configure, escape

log = logging.getLogger("tests.logs")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("\0\x7f", "\\x00\\x7f"),
        ("gnp.\u202efdp", "gnp.\\u202efdp"),
        ("\u2066\u2028\u200f", "\\u2066\\u2028\\u200f"),
        ("\udcff", "\\udcff"),
        ("Zürich 東京 🙂", "Zürich 東京 🙂"),
    ],
)
def test_what_could_fool_a_reader_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_line_is_one_line_with_its_trace(tmp_path: Path, root: logging.Logger) -> None:
    writer = configure("info", str(tmp_path / "log"))
    log.debug("not important enough")
    log.info("path %s", "/a\nINFO forged")
    log.error("failed", exc_info=ValueError("x\ny"))
    writer.flush()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("INFO tests.logs: path /a\\x0aINFO forged")
    assert "ValueError: x\\x0ay" in lines[1]


def test_a_rotated_file_is_opened_again(tmp_path: Path, root: logging.Logger) -> None:
    writer = configure("info", str(tmp_path / "log"))
    log.info("first")
    writer.flush()
    (tmp_path / "log").rename(tmp_path / "log.1")
    writer.reopen()
    log.info("second")
    writer.flush()
    assert (tmp_path / "log.1").read_text().splitlines()[0].endswith("first")
    assert (tmp_path / "log").read_text().splitlines()[0].endswith("second")


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path, root: logging.Logger) -> None:
    with pytest.raises(ConfigError, match=r"log\.file"):
        configure("info", str(tmp_path / "none" / "log"))


def test_a_forked_child_logs_too(tmp_path: Path, root: logging.Logger) -> None:
    writer = configure("info", str(tmp_path / "log"))
    log.info("parent")
    writer.flush()
    pid = os.fork()
    if not pid:
        log.info("child")
        writer.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["parent", "child"]


def test_lines_beyond_the_bound_are_counted(tmp_path: Path, root: logging.Logger) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = Writer(fifo)
    for number in range(3 * MOST_LINES):  # one part is being written, one waits, the last finds no room
        writer.emit(log.makeRecord("x", logging.INFO, "", 0, f"{number} {'x' * 100}", (), None))
    text = b""

    def dropped() -> bool:
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(reader, 65536)
        return b"log lines were dropped" in text

    wait_until(dropped)
    os.close(reader)


def test_a_blocked_log_does_not_delay_requests() -> None:
    read, write = os.pipe()
    with started({"http": {"threads": 1}}, stderr=write) as server:
        os.close(write)
        for _ in range(50):  # 5 MB into a pipe that holds 64 KiB
            assert server.ask("/log?100").status == 200
        assert server.answers()
        drained = b""
        os.set_blocking(read, False)

        def caught_up() -> bool:
            nonlocal drained
            try:
                drained += os.read(read, 1 << 20)
            except BlockingIOError:
                server.ask("/log?1")
            return b"log lines were dropped" in drained

        wait_until(caught_up)
    os.close(read)


def test_a_closed_standard_error_is_survived() -> None:
    code = (
        "import logging, sys, time\n"
        "from visitor_tracker.logs import configure\n"
        "writer = configure('info')\n"
        "logging.info('one'); writer.flush(); logging.info('two'); writer.flush()\n"
        "print('alive')\n"
    )
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        stdout=subprocess.PIPE,
        stderr=write,
        timeout=30,
        check=False,
    )
    os.close(write)
    assert (ran.returncode, ran.stdout) == (0, b"alive\n")
