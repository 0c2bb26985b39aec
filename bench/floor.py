"""How much of an event's cost is CPython's and the kernel's: nginx, our server, and what lies between them.

floor.py [--seconds N] [--rounds N] [--only NAME,…]

Every step does what the one before it does, and more (see floor_server.py). All get the requests of `event.lua` from
64 connections, one after the other in each round; figures are medians of CPU time for each request. Servers
in Python run by the interpreter that runs this script.
"""

import argparse
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import process
from database import Database, free_port
from load import CheckFailed, Load
from running import Running
from servers import Launch, Place, Server, nginx, ours_events

NGINX, OURS = "nginx", "ours"
TARGET = 0.2  # of nginx
LOAD = Load("events", "", 64, script="event.lua", agents="warm")
WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run showed; CPU is µs for each request."""

    rate: float
    user: float
    system: float

    @property
    def cpu(self) -> float:
        return self.user + self.system


def part_of_ours(what: str, place: Place) -> Launch:
    script = str(Path(__file__).with_name("floor_server.py"))
    return Launch([sys.executable, script, what, str(place.port), str(place.folder)])


def step(name: str, title: str) -> Server:
    return Server(name, title, "reference", partial(part_of_ours, name), ("events",))


def whole(name: str, title: str, *, commit: str) -> Server:
    """Return our server; what `auto` would choose depends on how busy the disk is at that moment."""
    return Server(name, title, "ours", partial(ours_events, drains=False, commit=commit), ("events",))


STEPS = (
    Server(NGINX, "nginx `return 204`", "reference", nginx, ("events",)),
    step("bare", "Python: epoll, recv, send"),
    step("parsed", "and our parser"),
    step("stored", "and JSON, write, one sync for all that is ready"),
    step("loop", "our loop, an answer that is always the same"),
    step("handed", "our loop, each request through a thread"),
    whole(OURS, "ours, the drainer stopped", commit="inline"),
    whole("ours-committer", "ours, a thread of its own for the journal", commit="committer"),
)


def main() -> int:
    options = _options()
    names = {server.name for server in STEPS}
    asked = set(options.only.split(",")) if options.only else names
    if unknown := asked - names:
        sys.exit(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}")
    servers = [server for server in STEPS if server.name in asked]
    try:
        with tempfile.TemporaryDirectory(prefix="visitor-floor-") as folder:
            costs = measure(Path(folder), servers, options.seconds, options.rounds)
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    print(table(servers, costs))
    print(f"\nCPython {platform.python_version()}, {platform.python_compiler()}.")
    return 0


def measure(folder: Path, servers: Sequence[Server], seconds: float, rounds: int) -> dict[str, list[Cost]]:
    """Measure all of them once before any of them again."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for server in servers:
            cost = cost_of(server, folder, seconds)
            costs[server.name].append(cost)
            print(
                f"{number}/{rounds} {server.name}: {cost.cpu:.1f} µs, {cost.rate:,.0f}/s", file=sys.stderr, flush=True
            )
    return costs


def cost_of(server: Server, folder: Path, seconds: float) -> Cost:
    own = Path(tempfile.mkdtemp(prefix=f"{server.name}-", dir=folder))
    with Running(server, Place(own, free_port(), Database(own), "")) as running:  # that database is never started
        running.warm_up(LOAD, WARM_UP_SECONDS)
        before = process.cpu_times(running.pid)
        sample = running.measure(LOAD, seconds)
        after = process.cpu_times(running.pid)
    user, system = (later - earlier for later, earlier in zip(after, before, strict=True))
    part = user / (user + system)
    return Cost(sample.rate, sample.cpu_micros * part, sample.cpu_micros * (1 - part))


def table(servers: Sequence[Server], costs: dict[str, list[Cost]]) -> str:
    """Return one line for each step; the last column says what of nginx's rate its CPU time allows."""
    least = median(cost.cpu for cost in costs[NGINX]) if NGINX in costs else None
    lines = ["| | CPU µs | user | system | req/s | nginx's CPU ÷ this |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for server in servers:
        found = costs[server.name]
        cpu = median(cost.cpu for cost in found)
        cells = [
            server.title,
            f"{cpu:.1f}",
            f"{median(cost.user for cost in found):.1f}",
            f"{median(cost.system for cost in found):.1f}",
            f"{median(cost.rate for cost in found):,.0f}",
            f"{least / cpu:.2f}x" if least else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if least:
        lines += ["", f"{TARGET:g} of nginx is {least / TARGET:.1f} µs for each request."]
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Say how much of an event's cost is CPython's and the kernel's.")
    parser.add_argument("--seconds", type=float, default=3, help="length of a measured run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of everything")
    parser.add_argument("--only", default="", metavar="NAME,…", help="steps, e.g. nginx,bare,ours")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
