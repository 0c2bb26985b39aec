"""Measure our server beside others and print the ratios: see README.md in this folder.

run.py [--quick] [--seconds N] [--rounds N] [--only NAME,…] [--out FILE.md]
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import held
import machine
import report
from database import Database, free_port
from load import CheckFailed, Load
from running import Running, Sample
from servers import PEER_PYTHON, SERVERS, Place, Server

WARM_UP_SECONDS = 1
LOADS = (
    Load("visits", "A durably counted visit, 64 keep-alive connections", 64),
    Load("one", "One keep-alive connection", 1),
    Load("close", "A connection per request, 64 at a time", 64, close=True),
    Load(
        "events", "An event, understood and durable, every request a new visitor", 64, script="event.lua", agents="warm"
    ),
    Load("agents", "The same, every user agent a new one", 64, script="event.lua", agents="new"),
    Load("half", "Known user agents alone, 32 connections", 32, script="event.lua", agents="warm"),
    Load("mixed", "Known user agents beside as many new ones", 32, script="event.lua", agents="warm", beside="new"),
)
SCRIPTS = {  # that put up what they need themselves: title of the section, command
    "parser": ("Parser", "parser.py"),
    "enrichment": ("Understanding an event", "enrichment.py"),
    "fold": ("Folding events into the tables of the reports", "fold.py --rounds {rounds}"),
    "steady": ("From the socket to the reports", "steady.py --seconds {long_seconds}"),
    "queries": ("Queries over a year, of a site with 100,000 events", "queries.py --events 100000"),
    "dashboard": ("A dashboard of 30 days, of a site with 100,000 events", "dashboard.py --events 100000"),
}
QUESTIONS = (*(load.name for load in LOADS), "idle", *SCRIPTS)
LONG = 4  # times the length of other runs: the fold works in steps of seconds
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, for how long, how often."""

    servers: Sequence[Server]
    questions: Sequence[str]
    seconds: float
    rounds: int

    def loads(self, server: Server) -> list[Load]:
        return [load for load in LOADS if load.name in self.questions and load.name in server.loads]


@dataclass(frozen=True, slots=True)
class Site:
    """Where servers are put up: a temporary folder and a MariaDB server."""

    folder: Path
    database: Database

    def place(self, server: Server) -> Place:
        """Return a place where nothing was before."""
        folder = Path(tempfile.mkdtemp(prefix=f"{server.name}-", dir=self.folder))
        return Place(folder, free_port(), self.database, self.database.fresh() if server.mariadb else "")


def main() -> int:
    options = _options()
    plan = _plan(options)
    install_peers()
    try:
        with tempfile.TemporaryDirectory(prefix="visitor-bench-") as name:
            folder = Path(name)
            with Database(folder / "m") as database:
                page = measure(Site(folder, database), plan)
    except CheckFailed as error:
        print(f"check failed, no figure of this run counts: {error}", file=sys.stderr)
        return 1
    print(page)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page + "\n")
    return 0


def measure(site: Site, plan: Plan) -> str:
    """Answer the plan's questions as one markdown page."""
    parts = ["# Benchmark", machine.line(site.folder, site.database.version())]
    parts.append(f"Medians of {plan.rounds} alternating runs of {plan.seconds:g} s after a warm-up.")
    samples = under_load(site, plan)
    targets = report.target_table(samples)
    parts += ["## Targets", targets] if targets else []
    parts += filter(None, [report.mixed(samples), report.memory(samples)])
    for load in LOADS:
        if any(name == load.name for _, name in samples):
            parts += [f"## {load.title}", report.load_table(samples, load.name)]
    if "idle" in plan.questions:
        parts += [f"## {held.CONNECTIONS:,} idle connections", report.held_table(idle(site, plan))]
    for question, (title, command) in SCRIPTS.items():
        if question in plan.questions:
            _tell(question)
            arguments = command.format(rounds=plan.rounds, long_seconds=LONG * plan.seconds)
            parts += [f"## {title}", printed_by(*arguments.split())]
    return "\n\n".join(parts)


def under_load(site: Site, plan: Plan) -> dict[tuple[str, str], list[Sample]]:
    """Measure every server under its loads, all of them once before any of them again."""
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for round_number in range(1, plan.rounds + 1):
        for server in plan.servers:
            loads = plan.loads(server)
            if not loads:
                continue
            with Running(server, site.place(server)) as running:
                running.warm_up(loads[0], WARM_UP_SECONDS)
                for load in loads:
                    sample = running.measure(load, plan.seconds)
                    samples[server.name, load.name].append(sample)
                    _tell(f"{round_number}/{plan.rounds} {server.name} {load.name}: {sample.rate:,.0f}/s")
    return samples


def idle(site: Site, plan: Plan) -> list[held.Held]:
    found = []
    for server in plan.servers:
        if "idle" in server.loads:
            with Running(server, site.place(server)) as running:
                running.warm_up(LOADS[0], WARM_UP_SECONDS)
                found.append(held.measure(server, running, LOADS[0], plan.seconds))
                _tell(f"{server.name} idle: {found[-1].bytes_each:,.0f} bytes each")
    return found


def printed_by(script: str, *arguments: str) -> str:
    """Return what a script of this folder prints; what it tells meanwhile goes to standard error."""
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CheckFailed(f"{script}: {done.stdout}")
    return done.stdout.strip()


def install_peers() -> None:
    """Make .venv-bench hold exactly what requirements.txt pins; a stamp tells that it already does."""
    folder = PEER_PYTHON.parent.parent
    wanted = (HERE / "requirements.txt").read_text()
    stamp = folder / "installed.txt"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _tell(f"installing the peers into {folder.name}")
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(PEER_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
    stamp.write_text(wanted)


def _plan(options: argparse.Namespace) -> Plan:
    seconds = options.seconds or (2 if options.quick else 5)
    rounds = options.rounds or (1 if options.quick else 3)
    names = {server.name for server in SERVERS}
    asked = set(options.only.split(",")) if options.only else set()
    unknown = asked - names - set(QUESTIONS)
    if unknown:
        sys.exit(f"unknown {', '.join(sorted(unknown))}; there are {', '.join([*QUESTIONS, *sorted(names)])}")
    servers = [server for server in SERVERS if server.name in asked or not asked & names]
    questions = [question for question in QUESTIONS if question in asked or not asked & set(QUESTIONS)]
    return Plan(servers, questions, seconds, rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure our server beside others and print the ratios.")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s: does the bench work, not how fast")
    parser.add_argument("--seconds", type=float, help="length of a measured run (default 5)")
    parser.add_argument("--rounds", type=int, help="runs of everything (default 3)")
    parser.add_argument(
        "--only", default="", metavar="NAME,…", help="questions and servers, e.g. visits,ours-sqlite,nginx"
    )
    parser.add_argument("--out", type=Path, help="write the page to this file as well")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
