"""The command line as a person meets it."""

import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import write_docs

from tests.cli.conftest import Command
from tests.mariadb import MariaDB
from tests.running import Server, until
from visitor_tracker import resources
from visitor_tracker.cli import parser

TOP = Path(__file__).parents[2]


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "visitor_tracker", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


COMMANDS = dict(write_docs.commands_of(parser()))
GROUPS = sorted({name.partition(" ")[0] for name in COMMANDS if " " in name})


@pytest.mark.parametrize("name", ["", *GROUPS, *COMMANDS])
def test_help_is_there_with_an_example(command: Command, name: str) -> None:
    done = command(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("usage: visitor-tracker")
    assert max(map(len, done.out.splitlines())) <= 120
    assert re.search(rf"^examples?:\n(  .*\n)*  .*visitor-tracker {name}", done.out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_can_be_used(name: str) -> None:
    for line in str(COMMANDS[name].epilog).splitlines():
        for given in re.findall(rf"visitor-tracker ({name}[^|)`]*)", line):
            parser().parse_args(shlex.split(re.sub(r" > \S+$", "", given.strip())))


def test_every_option_has_help() -> None:
    for command in [parser(), *COMMANDS.values()]:
        for action in command._actions:
            assert action.help, action


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_command_shows_its_help(command: Command, group: str) -> None:
    done = command(group)
    assert (done.code, done.out) == (2, "")
    assert done.err == command(group, "--help").out


@pytest.mark.parametrize("page", sorted((TOP / "docs").glob("*.md")), ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    written = re.sub(r"\\\n\s*", "", page.read_text("utf-8"))
    for line in re.findall(rf"visitor-tracker ((?:{'|'.join(GROUPS)}) [^\n`|)]*)", written):
        name = " ".join(line.split()[:2])
        assert name in COMMANDS, line
        known = {option for action in COMMANDS[name]._actions for option in action.option_strings}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) - known == set(), line


def test_counts_of_a_running_server(tmp_path: Path, store_url: str) -> None:
    server = Server(tmp_path, store_url)
    server.start()
    try:
        for page in ("https://example.com/a", "https://example.com/a", "https://example.com/b"):
            run_visit(server, page)
        one = run(tmp_path, "count", "https://EXAMPLE.com/a#top", "--store", store_url)
        assert one.stdout.startswith("2  https://example.com/a  (last visit 20")
        listed = run(tmp_path, "pages", "--store", store_url).stdout.splitlines()
        assert [line.split()[0] for line in listed] == ["VISITS", "2", "1"]
        rows = [json.loads(line) for line in run(tmp_path, "pages", "--json", "--store", store_url).stdout.splitlines()]
        assert [(row["page_url"][-1], row["visit_count"]) for row in rows] == [("a", 2), ("b", 1)]
        none = run(tmp_path, "count", "https://example.com/none", "--json", "--store", store_url)
        assert json.loads(none.stdout)["visit_count"] == 0
        token = run(tmp_path, "token", "--store", store_url).stdout.strip()
        assert len(token) == 64
        checked = run(tmp_path, "check", "--store", store_url)
        assert checked.returncode == 0, checked.stdout
        assert "ERROR" not in checked.stdout
    finally:
        server.kill9()


def run_visit(server: Server, page: str) -> None:
    assert requests.get(f"{server.url}/update", params={"url": page}, timeout=30).status_code == 200


def test_a_new_folder_has_no_pages_yet(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    done = run(tmp_path, "pages")
    assert done.returncode == 0
    assert done.stdout == ""
    assert "visitor-tracker serve" in done.stderr
    assert run(tmp_path, "count", "https://example.com/").stdout.startswith("0  https://example.com/")


@pytest.mark.parametrize("command", [("pages",), ("count", "https://example.com/"), ("token",)])
def test_a_wrong_folder_is_told_and_left_alone(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(tmp_path / "data" / "visitors.db") in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run(tmp_path, "--help").stdout


def test_migrate_says_what_it_did(tmp_path: Path, store_url: str) -> None:
    first = run(tmp_path, "migrate", "--store", store_url).stdout
    assert first.splitlines() == [f"applied {name}" for name in resources.migrations()]
    assert run(tmp_path, "migrate", "--store", store_url).stdout.startswith("nothing to do")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["serve", "--port", "99999"], 78, "--port must be a whole number from 0 to 65535, not 99999"),
        (["serve", "--workers", "many"], 78, "--workers must be"),
        (["serve", "--store", "postgres://x/y"], 78, "store.url must begin with sqlite:/// or mysql://"),
        (["serve", "--store", "mysql://u:secret@h"], 78, "store.url: a mysql URL looks like"),
        (["serve", "--store", "sqlite:///"], 78, "store.url: a sqlite URL names a file"),
        (["serve", "--port", "http"], 2, "argument --port: must be a whole number, not 'http'"),
        (["serve", "--config", "missing.yaml"], 78, "missing.yaml: cannot be read"),
        (["count", "ftp://example.com/"], 2, "invalid URL"),
        (["count"], 2, "the following arguments are required: URL"),
        (["pages", "--limit", "0"], 2, "argument --limit: must be at least 1, not 0"),
        (["pages", "--store", "mysql://u:secret@127.0.0.1:1/d"], 69, "the store is away"),
        (["check", "--store", "mysql://u:secret@127.0.0.1:1/d"], 78, "ERROR"),
        (["fly"], 2, "invalid choice: 'fly'"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stdout + done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("server: {port: many}\nhttp: {treads: 3}\n")
    done = run(tmp_path, "serve", VISITOR_TRACKER_LOG_LEVEL="loud")
    assert done.returncode == 78
    for said in ("config.yaml: server.port", "http.treads", "VISITOR_TRACKER_LOG_LEVEL"):
        assert said in done.stderr


def test_two_servers_do_not_share_a_store(tmp_path: Path) -> None:
    """The same file under another data folder, and the same folder under another port."""
    first = Server(tmp_path, f"sqlite:///{tmp_path / 'v.db'}")
    first.start()
    try:
        other = run(
            tmp_path, "serve", "--port", "0", "--data-dir", "other", "--store", f"sqlite:///{tmp_path / 'v.db'}"
        )
        assert (other.returncode, "used by another server" in other.stderr) == (1, True), other.stderr
        same = run(tmp_path, "serve", "--port", "0", "--data-dir", "data")
        assert (same.returncode, "used by another server" in same.stderr) == (1, True), same.stderr
        assert str(first.pid) in same.stderr
    finally:
        first.kill9()


def test_a_used_port_is_named(tmp_path: Path) -> None:
    first = Server(tmp_path)
    first.start()
    try:
        done = run(tmp_path, "serve", "--port", str(first.port), "--data-dir", "other")
        assert done.returncode == 1
        assert "another program uses that port" in done.stderr
    finally:
        first.kill9()


def test_check_tells_of_a_readable_password(tmp_path: Path, mariadb: MariaDB) -> None:
    settings = tmp_path / "config.yaml"
    settings.write_text(f"store: {{url: '{mariadb.url(mariadb.fresh_database())}'}}\n")
    settings.chmod(0o644)
    done = run(tmp_path, "check")
    assert "WARNING" in done.stdout
    assert "chmod 600" in done.stdout
    settings.chmod(0o600)
    assert "chmod 600" not in run(tmp_path, "check").stdout


def test_a_database_that_is_only_starting_is_waited_for(tmp_path: Path, mariadb: MariaDB) -> None:
    url = mariadb.url(mariadb.fresh_database())
    mariadb.stop()
    server = Server(tmp_path, url)
    try:
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(server.start)
            try:
                until(lambda: "waiting for the store" in log_of(server) or started.done())
            finally:
                mariadb.start()
            started.result()
        assert "waiting for the store" in server.log
    finally:
        server.kill9()


def log_of(server: Server) -> str:
    """Return what a server has printed, also when it has not begun to."""
    try:
        return server.log
    except FileNotFoundError:
        return ""


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert done.returncode == 0
    assert "is not there yet" in done.stdout
    assert list(tmp_path.iterdir()) == []
