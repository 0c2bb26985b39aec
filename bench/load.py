"""Load from wrk, and what one run of it says."""

import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent
ERRORS = ("connect", "read", "write", "status", "timeout")
TIMEOUT_SECONDS = 10


_seeds = itertools.count(1)  # no two runs send the same event


class CheckFailed(Exception):
    """A run whose figures must not be believed."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many connections, whether each carries one request only, and the wrk script that makes the requests.

    `agents` says of events how many user agents send them: see event.lua. With `beside`, as many connections more
    send events of such agents at the same time; what is measured are the others. `rate` is how many events are sent
    a second, 0 for as many as are answered.
    """

    name: str
    title: str
    connections: int
    close: bool = False
    script: str = "visit.lua"
    agents: str = ""
    beside: str = ""
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What wrk saw; every answer was 2xx."""

    number: int
    seconds: float
    p50_micros: int
    p99_micros: int
    beside: int = 0  # answers to those that were not measured


def wrk(port: int, load: Load, seconds: float) -> Answers:
    """Run wrk for whole `seconds`; raises CheckFailed when anything but 2xx answers came back."""
    if not load.beside:
        return _answers(_start(port, load, load.agents, seconds), seconds)
    other = _start(port, load, load.beside, seconds)
    found = _answers(_start(port, load, load.agents, seconds), seconds)
    beside = _answers(other, seconds)
    return Answers(found.number, found.seconds, found.p50_micros, found.p99_micros, beside.number)


def _start(port: int, load: Load, agents: str, seconds: float) -> subprocess.Popen[str]:
    command = ["wrk", "-t", "1", "-c", str(load.connections), "-d", f"{max(1, round(seconds))}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "-s", str(SCRIPTS / load.script), f"http://127.0.0.1:{port}"]
    environment = os.environ | {
        "PORT": str(port),
        "CLOSE": "1" if load.close else "0",
        "AGENTS": agents,
        "RATE": str(load.rate),
        "SEED": str(next(_seeds)),
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _answers(running: subprocess.Popen[str], seconds: float) -> Answers:
    out, errors = running.communicate(timeout=seconds + 60)
    result = re.search(r"^RESULT (.+)$", out, re.MULTILINE)
    if running.returncode or result is None:
        raise CheckFailed(f"wrk failed: {out[-500:]}{errors[-500:]}")
    values = {name: int(value) for name, value in (pair.split("=") for pair in result[1].split())}
    wrong = {name: values[name] for name in ERRORS if values[name]}
    if wrong:
        raise CheckFailed(f"not every answer was a 2xx: {values['answers']} answers, errors {wrong}")
    return Answers(values["answers"], values["micros"] / 1e6, values["p50"], values["p99"])
