"""Programs that end, fork and are killed: every request arrives, once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.folded import events_of_store
from tests.middleware.conftest import Target
from tests.running import SECONDS, Server, until

PROGRAM = Path(__file__).with_name("programs.py")


@contextmanager
def running(name: str, *where: str) -> Iterator["subprocess.Popen[str]"]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("VISITOR_")}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(PROGRAM), name, *where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**own, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]", sent: str = "") -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    if sent:
        process.stdin.write(f"{sent}\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.fixture(params=["server", "embedded"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], str]:
    """Arguments of the program, and the URL of the store that its events come to."""
    if request.param == "server":
        target: Target = request.getfixturevalue("server_target")
        return ["-", target.options["server"], target.options["key"]], target.store_url
    return [str(tmp_path / "own")], f"sqlite:///{tmp_path / 'own' / 'visitors.db'}"


def paths(store_url: str) -> list[str]:
    return sorted(urlsplit(event.url).path for event in events_of_store(store_url))


def start_again(arguments: list[str]) -> None:
    """Let a program of its own drain what others have journaled, as the next start does."""
    with running("ends", *arguments) as process:
        assert process.wait(SECONDS) == 0


def listens(url: str) -> bool:
    try:
        return requests.options(url, timeout=SECONDS).status_code == 405
    except requests.ConnectionError:
        return False


def test_a_program_that_ends_sends_first(where: tuple[list[str], str]) -> None:
    arguments, store_url = where
    with running("ends", *arguments) as process:
        assert process.wait(SECONDS) == 0
    start_again(arguments)
    until(lambda: paths(store_url) == ["/ends", "/ends"], lambda: str(paths(store_url)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_sends_first(where: tuple[list[str], str], number: signal.Signals) -> None:
    arguments, store_url = where
    with running("serves", *arguments) as process:
        url = f"http://127.0.0.1:{line_of(process)}/"
        until(lambda: listens(url))
        assert [requests.get(url, timeout=SECONDS).status_code for _ in range(3)] == [200] * 3
        process.send_signal(number)
        process.wait(SECONDS)
    start_again(arguments)
    until(lambda: paths(store_url) == ["/", "/", "/", "/ends"])


def test_processes_that_fork_send_their_own(where: tuple[list[str], str]) -> None:
    arguments, store_url = where
    with running("forks", *arguments) as process:
        assert process.wait(SECONDS) == 0
    start_again(arguments)
    expected = ["/child/0", "/child/1", "/child/2", "/ends", "/parent"]
    until(lambda: paths(store_url) == expected, lambda: str(paths(store_url)))


def test_another_process_takes_over_the_background_work(tmp_path: Path) -> None:
    folder, store_url = str(tmp_path / "own"), f"sqlite:///{tmp_path / 'own' / 'visitors.db'}"
    with running("stays", folder) as first, running("stays", folder) as second:
        assert line_of(first, "/first") == "1"
        assert line_of(second, "/second") == "1"
        until(lambda: paths(store_url) == ["/first", "/second"])
        first.kill()
        first.wait(SECONDS)
        assert line_of(second, "/third") == "2"
        until(lambda: paths(store_url) == ["/first", "/second", "/third"])


def test_a_server_drains_what_a_program_journals_in_its_data_folder(server: Server) -> None:
    data = server.folder / "data"
    with running("stays", str(data)) as program:
        assert line_of(program, "/beside") == "1"
        until(lambda: paths(f"sqlite:///{data / 'visitors.db'}") == ["/beside"])
