"""What idle keep-alive connections cost: memory each, and the speed of the busy ones beside them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import process
from load import CheckFailed, Load
from running import Running, Sample
from servers import Server

CONNECTIONS = 9_500
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
        each = (process.resident_bytes(running.pid) - resident) / CONNECTIONS
        beside = running.measure(load, seconds)
        _, complaint = client.communicate()
    if client.returncode:
        raise CheckFailed(f"idle connections: {complaint.strip()}")
    return Held(server, each, before, beside)
