"""What idle keep-alive connections cost: memory each, and the speed of the busy ones beside them."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import process
from load import CheckFailed, Load
from running import Running, Sample
from servers import Server

CONNECTIONS = 9_500
SETTLE_SECONDS = 20
CLIENT = Path(__file__).with_name("idle.py")


@dataclass(frozen=True, slots=True)
class Held:
    """Resident bytes of the process tree per idle connection; the load without and with them."""

    server: Server
    bytes_each: float
    before: Sample
    beside: Sample


def measure(server: Server, running: Running, load: Load, seconds: float) -> Held:
    """Hold the connections from a child process, so that its memory and descriptors are not the server's."""
    before = running.measure(load, seconds)
    resident = process.resident_bytes(running.pid)
    client = subprocess.Popen(
        [sys.executable, str(CLIENT), str(running.port), str(CONNECTIONS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with client:
        assert client.stdout is not None
        if client.stdout.readline() != "READY\n":
            _, complaint = client.communicate()
            raise CheckFailed(f"idle connections: {complaint.strip()}")
        running.answered(CONNECTIONS)
        each = (_settled(running) - resident) / CONNECTIONS
        beside = running.measure(load, seconds)
        _, complaint = client.communicate()
    if client.returncode:
        raise CheckFailed(f"idle connections: {complaint.strip()}")
    return Held(server, each, before, beside)


def _settled(running: Running) -> int:
    """Return the resident bytes once they stand still: servers tidy up idle connections after a moment."""
    last, now = -1, process.resident_bytes(running.pid)
    deadline = time.monotonic() + SETTLE_SECONDS
    while now != last and time.monotonic() < deadline:
        time.sleep(2)
        last, now = now, process.resident_bytes(running.pid)
    return now
