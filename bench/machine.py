"""What the figures were taken on: processor, kernel, disk, versions."""

import os
import platform
import sqlite3
import subprocess
import time
from pathlib import Path
from statistics import median

from servers import PEER_PYTHON, ROOT

SYNCS = 50
PEER_PACKAGES = (
    "fastapi",
    "uvicorn",
    "httptools",
    "uvloop",
    "SQLAlchemy",
    "Flask",
    "waitress",
    "mysql-connector-python",
)
VERSIONS = (
    "from importlib.metadata import version\n"
    f"print(', '.join(f'{{name}} {{version(name)}}' for name in {PEER_PACKAGES!r}))"
)


def line(folder: Path, mariadb: str) -> str:
    """Return the machine and everything that was compared, in two lines; `folder` lies on the disk in use."""
    model = next((row.partition(":")[2].strip() for row in _cpuinfo() if row.startswith("model name")), "?")
    machine = f"{os.cpu_count()} cores {model}, Linux {platform.release()}"
    state = f"a synced 4 KiB append {_sync_millis(folder):.2f} ms, load average at the start {os.getloadavg()[0]:.2f}"
    own = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", f"MariaDB {mariadb}"]
    tools = [
        _first_line(["nginx", "-v"]).replace("nginx version: nginx/", "nginx "),
        " ".join(_first_line(["wrk", "-v"]).split()[:2]),
    ]
    return f"Machine: {machine}; {state}.\n\nVersions: {', '.join([*own, _peers(), *tools])}; revision {_revision()}."


def _sync_millis(folder: Path) -> float:
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return median(times)


def _cpuinfo() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()


def _peers() -> str:
    return subprocess.run([PEER_PYTHON, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout.strip()


def _revision() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]} missing"
    return (done.stdout + done.stderr).partition("\n")[0]
