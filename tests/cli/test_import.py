"""`visitor-tracker import`: what an operator types and sees."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, Done
from tests.jobs.import_parts import GOOGLEBOT, combined, log
from tests.running import Server
from visitor_tracker.cli import import_output
from visitor_tracker.cli.import_output import Line
from visitor_tracker.jobs.importing.resume import resuming
from visitor_tracker.jobs.importing.sources import Source
from visitor_tracker.jobs.importing.tally import Tally

LINES = log(
    combined("/1", time="10/Oct/2026:13:55:36 +0200"),
    combined("/2", time="10/Oct/2026:13:56:36 +0200", referrer="https://www.google.com/"),
    combined("/3", agent=GOOGLEBOT),
    combined("/logo.png"),
    combined("/gone", status="404"),
    "an \x1b[31mevil line",
)
SUMMARY = """\
lines read             6
page views             2
robots                 1  Googlebot 1
passed over            2
                       1  no page: an image, a script, another file
                       1  status 404
unreadable             1
              {}:6: it is not in the common or combined format
from 2026-10-10 11:55:36 to 2026-10-10 11:56:36 UTC
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(LINES)
    return path


def summary(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_log_is_imported_before_any_server_ran(command: Command, path: Path) -> None:
    done = command("import", "--host", "example.com", str(path))
    assert (done.code, done.out) == (0, SUMMARY.format(path))
    assert done.err == "\nlook at them with\n  visitor-tracker stats --site default --period all\n"
    look = command(*done.err.split()[5:])
    assert (look.code, "Views     2 " in look.out) == (0, True)
    again = command("import", "--host", "example.com", str(path))
    assert (again.code, again.out) == (0, "")
    assert again.err == "nothing to import: every line of these files is in the store, or there is none\n"
    assert list((path.parent / "data" / "imports").iterdir()) == []


def test_the_summary_is_there_as_json(command: Command, path: Path) -> None:
    found = summary(command("import", "--json", "--host", "example.com", str(path)))
    assert found == {
        "stored": True,
        "files": [{"name": str(path), "new_bytes": len(LINES), "problem": ""}],
        "lines": 6,
        "views": 2,
        "robots": {"Googlebot": 1},
        "passed_over": {"file": 1, "status 404": 1},
        "unreadable": 1,
        "problems": [{"file": str(path), "line": 6, "why": "it is not in the common or combined format"}],
        "first": "2026-10-10T11:55:36.000Z",
        "last": "2026-10-10T11:56:36.000Z",
    }


def test_a_dry_run_shows_and_makes_nothing(command: Command, path: Path) -> None:
    done = command("import", "--dry-run", "--host", "example.com", str(path))
    assert done.code == 0
    header, first, second, robot, _, *numbers = done.out.splitlines(keepends=True)
    assert header.split() == ["TIME", "(UTC)", "PAGE", "FROM", "COUNTRY", "BROWSER", "SYSTEM", "DEVICE", "ROBOT"]
    assert "2026-10-10 11:55:36  https://example.com/1  direct" in first
    assert "www.google.com" in second
    assert robot.endswith("Googlebot\n")
    assert "".join(numbers) == SUMMARY.format(path)
    assert done.err == "nothing was stored: leave out --dry-run to do so\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_dry_run_in_a_folder_of_somebody_else(command: Command, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def refuse(file: Path, **more: bool) -> os.stat_result:
        if file.name == "visitors.db":
            raise PermissionError(13, "Permission denied", str(file))
        return stat(file, **more)

    monkeypatch.setattr(Path, "stat", refuse)  # tests may run as root, who may look everywhere
    done = command("import", "--dry-run", "--host", "example.com", str(path))
    assert (done.code, done.out) == (1, "")
    assert "Permission denied: run as the user who owns the data folder" in done.err


def test_a_dry_run_knows_the_sites_that_are_there(command: Command, path: Path) -> None:
    command("site", "add", "blog", "--hostname", "blog.example")
    files = sorted(file.name for file in (path.parent / "data").iterdir())
    assert summary(command("import", "--dry-run", "--json", "--site", "blog", str(path)))["views"] == 2
    assert summary(command("import", "--json", "--site", "blog", str(path)))["views"] == 2
    assert "visitors.db" in files


def test_the_site_is_the_one_that_has_the_host(command: Command, path: Path) -> None:
    command("site", "add", "blog", "--hostname", "*.blog.example", "--hostname", "blog.example")
    assert summary(command("import", "--dry-run", "--json", "--site", "blog", str(path)))["views"] == 2
    elsewhere = summary(command("import", "--json", "--site", "blog", "--host", "example.com", str(path)))
    assert (elsewhere["views"], elsewhere["passed_over"]["hostname"]) == (0, 3)


def test_everything_that_was_got_can_be_taken(command: Command, path: Path) -> None:
    found = summary(command("import", "--all", "--json", "--host", "example.com", str(path)))
    assert (found["views"], found["passed_over"]) == (3, {"status 404": 1})


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("access.log",), 1, "access.log does not say of which host its pages are: name it, as in  --host "),
        (("--host", "example.com", "missing.log"), 1, "missing.log cannot be read: No such file or directory"),
        (("--host", "example.com", "access.log", "missing.log"), 1, "missing.log cannot be read"),
        (("--host", "example.com", "--format", "json", "access.log"), 1, "access.log is not in the format json"),
        (("--host", "example.com", "text"), 1, "text is not in a format that is known"),
        (("--site", "blog", "access.log"), 1, "there is no site blog: make it with"),
        (("--host", "https://example.com/", "access.log"), 2, "is an address: give its host only"),
        (("--format", "iis", "access.log"), 2, "invalid choice: 'iis'"),
        ((), 2, "the following arguments are required: FILE"),
    ],
)
def test_what_cannot_be_imported_is_told(
    command: Command, path: Path, arguments: tuple[str, ...], code: int, text: str
) -> None:
    path.with_name("text").write_text("a text\n")
    done = command("import", *arguments)
    assert (done.code, done.out) == (code, "")
    assert text in done.err
    assert summary(command("import", "--json", "--host", "example.com", str(path)))["lines"] == 6


def test_a_damaged_file_is_taken_as_far_as_it_goes(command: Command, path: Path) -> None:
    packed = gzip.compress(log(*(combined(f"/{os.urandom(20).hex()}") for _ in range(100))))
    path.write_bytes(packed[: len(packed) // 2])
    done = command("import", "--host", "example.com", str(path))
    assert done.code == 1
    assert "access.log cannot be read to its end: Compressed file ended" in done.err
    assert "page views " in done.out
    assert list((path.parent / "data" / "imports").iterdir()) == []


def test_an_import_says_that_another_one_is_unfinished(command: Command, path: Path, tmp_path: Path) -> None:
    with resuming(tmp_path / "data") as resume:
        resume.begin(b"x" * 16, "old.log")
    done = command("import", "--host", "example.com", str(path))
    assert "an import of old.log is unfinished: import it again to go on\n" in done.err


def from_input(content: bytes, folder: Path) -> dict[str, Any]:
    """Import standard input in a process of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VISITOR_")}
    done = subprocess.run(
        [sys.executable, "-m", "visitor_tracker", "import", "--json", "--host", "example.com", "-"],
        input=content,
        capture_output=True,
        cwd=folder,
        env={**own, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_standard_input_is_a_file_like_any_other(tmp_path: Path) -> None:
    content = log(*(combined(f"/{number}") for number in range(1000)))
    found = from_input(content, tmp_path)
    assert (found["lines"], found["files"][0]["name"]) == (1000, "standard input")
    assert from_input(gzip.compress(content + log(combined("/more"), "broken")), tmp_path)["lines"] == 2
    assert from_input(b"", tmp_path)["lines"] == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill9()


def test_a_server_may_run_meanwhile(server: Server, command: Command, path: Path) -> None:
    assert summary(command("import", "--json", "--host", "example.com", str(path)))["views"] == 2
    assert summary(command("import", "--json", "--host", "example.com", str(path)))["lines"] == 0
    assert server.session.get(f"{server.url}/readyz", timeout=30).status_code == 200


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_sees_how_far_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(import_output, "_EVERY_SECONDS", -1.0)
    source, tally = Source(str(path)), Tally()
    tally.lines = 1234
    with Line() as line:
        for _ in source.lines(0):
            line.show(source, tally)
    first, *_, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first == "access.log  100 %  1,234 lines  0 events/s  0:00 left"
    assert last == ""


def test_a_pipe_sees_nothing_of_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Line() as line:
        line.show(Source(str(path)), Tally())
    assert capsys.readouterr().err == ""
