"""The wheel: everything is in it, and it runs where nothing of the checkout is.

The wheel is built from the source archive, so both are complete. It is installed without its dependencies into
a new environment that borrows them from the one running the tests: a path added by a .pth file brings
packages, but not the editable install of the checkout, which is a .pth file itself.
"""

import configparser
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
START_SECONDS = 20.0
STOP_SECONDS = 20.0
NOT_COPIED = shutil.ignore_patterns(
    ".*", "node_modules", "__pycache__", "*.egg-info", "build", "data", "results", "tests", "bench"
)


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    """Return the environment without what could lead to the checkout."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith(("VISITOR_", "NOTIFY_", "LISTEN_"))
    }


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    checkout = folder / "checkout"
    shutil.copytree(TOP, checkout, ignore=NOT_COPIED)
    assert (checkout / "client" / "dist" / "visitor-tracker.js").is_file(), "the client is not built: run `make client`"
    build = "from setuptools import build_meta; build_meta.build_sdist('../archives')"
    run(sys.executable, "-W", "ignore", "-c", build, folder=checkout)
    [archive] = (folder / "archives").iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(source_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, source_archive, folder=folder)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment with nothing of ours but the wheel."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin" / "python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, folder=folder.parent)
    [packages] = folder.glob("lib/python3*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return folder / "bin"


def names_in_package(folder: str, suffixes: tuple[str, ...]) -> set[str]:
    """Return the files of a checkout's folder as paths relative to it."""
    top = TOP / folder
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.suffix in suffixes and path.is_file()}


def expected_files() -> set[str]:
    modules = {f"visitor_tracker/{name}" for name in names_in_package("server/visitor_tracker", (".py", ".typed"))}
    statements = {f"visitor_tracker/sql/{name}" for name in names_in_package("sql", (".sql",))}
    client = {
        f"visitor_tracker/client/{path.name}"
        for path in (TOP / "client" / "dist").iterdir()
        if path.is_file() and not path.name.startswith(".")
    }
    return modules | {"visitor_tracker/py.typed"} | statements | client


def test_the_wheel_holds_every_module_statement_and_client_file(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected_files()


def test_the_wheel_carries_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith("/licenses/LICENSE")] != []


def test_the_source_archive_holds_what_a_reader_needs(source_archive: Path) -> None:
    with tarfile.open(source_archive) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "config.yaml", "docs/settings.md", "setup.cfg"} <= held
    assert {"deploy/visitor-tracker.service", "requirements/runtime.lock"} <= held


def test_every_folder_with_modules_is_listed_as_a_package() -> None:
    """setuptools leaves out an unlisted one without a word."""
    settings = configparser.ConfigParser()
    settings.read(TOP / "setup.cfg", "utf-8")
    listed = set(settings["options"]["packages"].split())
    folders = {path.parent for path in (TOP / "server").rglob("*.py")}
    there = {".".join(folder.relative_to(TOP / "server").parts) for folder in folders}
    assert listed == there | {"visitor_tracker.client", "visitor_tracker.sql"}


def test_the_installed_package_is_the_wheel_s(installed: Path, tmp_path: Path) -> None:
    where = "import visitor_tracker; print(visitor_tracker.__file__)"
    assert run(installed / "python", "-c", where, folder=tmp_path).startswith(str(installed.parent))


def test_the_installed_command_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    command = installed / "visitor-tracker"
    assert run(command, "--version", folder=tmp_path).startswith("visitor-tracker ")
    data = tmp_path / "data"
    run(command, "migrate", "--data-dir", data, folder=tmp_path)
    findings = json.loads(run(command, "check", "--json", "--data-dir", data, folder=tmp_path))
    assert [finding for finding in findings if finding["level"] == "error"] == []


def test_the_installed_server_counts_and_serves_the_client(installed: Path, tmp_path: Path) -> None:
    with serving(installed / "visitor-tracker", tmp_path) as address:
        assert json.loads(get(f"{address}/update?url=https://example.com/"))["visit_count"] == 1
        assert b"VisitorTracker" in get(f"{address}/client/visitor-tracker.js")
        assert b"<html" in get(f"{address}/demo")
    assert (tmp_path / "data" / "visitors.db").is_file()


@contextmanager
def serving(command: Path, folder: Path) -> Iterator[str]:
    """Run the server on a free port with an empty data folder; expect it to stop in good order."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [command, "serve", "--port", str(port), "--data-dir", str(folder / "data")],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_alive(address, process, log)
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def wait_until_alive(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            assert json.loads(get(f"{address}/healthz")) == {"status": "ok"}
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body
