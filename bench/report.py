"""Medians, ratios and targets as a markdown page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from held import Held
from running import Sample
from servers import SERVERS, Server

HELD_TARGET_BYTES = 2048
MIXED_TARGET = 3.0
RESIDENT_TARGET_BYTES = 200 << 20

Samples = Mapping[tuple[str, str], Sequence[Sample]]  # by (server, load)


@dataclass(frozen=True, slots=True)
class Target:
    """`ours` must do at least `factor` times what `other` does under that load."""

    ours: str
    other: str
    load: str
    factor: float


TARGETS = (
    Target("ours-sqlite", "fastapi", "visits", 60),
    Target("ours-sqlite", "uvicorn-asyncio", "visits", 1.0),
    Target("ours-sqlite", "uvicorn-uvloop", "visits", 1.0),
    Target("ours-sqlite", "nginx", "visits", 0.22),
    Target("ours-mariadb", "thread-mysql", "visits", 8),
    Target("ours-sqlite", "uvicorn-asyncio", "close", 1.3),
    Target("ours-sqlite", "uvicorn-uvloop", "close", 1.3),
    Target("ours-events", "fastapi-events", "events", 50),
    Target("ours-events", "uvicorn-json", "events", 0.9),
    Target("ours-events-stopped", "nginx-events", "events", 0.2),
    Target("ours-events", "fastapi-events", "agents", 15),
)


def middle(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    return median(value(sample) for sample in samples)


def rate(samples: Sequence[Sample]) -> float:
    return middle(samples, lambda sample: sample.rate)


def ratio(samples: Samples, ours: str, other: str, load: str) -> float | None:
    """Return the quotient of the median rates, None when one of them was not measured."""
    mine, theirs = samples.get((ours, load)), samples.get((other, load))
    return rate(mine) / rate(theirs) if mine and theirs else None


def load_table(samples: Samples, load: str) -> str:
    """Return one line per server: how often ours does what it does, then its medians."""
    measured = [server for server in SERVERS if (server.name, load) in samples]
    ours = [server for server in measured if server.kind == "ours"]
    head = [
        *(f"{server.name} ÷ this" for server in ours),
        "req/s",
        "spread",
        "CPU µs",
        "+ database",
        "p50",
        "p99",
        "MiB",
    ]
    lines = [_row(["server", *head]), _row(["---", *["---:"] * len(head)])]
    return "\n".join(lines + [_row(_cells(samples, load, server, ours)) for server in measured])


def target_table(samples: Samples) -> str:
    """Return one line per target whose two sides were measured, "" when there is none."""
    titles = {server.name: server.title for server in SERVERS}
    loads = {
        "visits": "64 connections",
        "close": "a connection per request",
        "events": "events, 64 connections",
        "agents": "events, every user agent new",
    }
    lines = []
    for target in TARGETS:
        found = ratio(samples, target.ours, target.other, target.load)
        if found is not None:
            verdict = "met" if found >= target.factor else "**missed**"
            row = [target.ours, titles[target.other], loads[target.load], f"{found:.2f}x", f"≥ {target.factor:g}x"]
            lines.append(_row([*row, verdict]))
    head = [
        _row(["ours", "against", "load", "ratio", "target", ""]),
        _row(["---", "---", "---", "---:", "---:", "---"]),
    ]
    return "\n".join(head + lines) if lines else ""


def mixed(samples: Samples) -> str:
    """Say whether known user agents are answered as soon beside new ones as alone."""
    alone, beside = samples.get(("ours-events", "half")), samples.get(("ours-events", "mixed"))
    if not alone or not beside:
        return ""
    found = middle(beside, lambda sample: sample.p99_micros) / middle(alone, lambda sample: sample.p99_micros)
    verdict = "met" if found <= MIXED_TARGET else "**missed**"
    text = f"{found:.2f}x, target ≤ {MIXED_TARGET:g}x, {verdict}"
    return f"p99 of known user agents beside as many new ones, against alone: {text}."


def memory(samples: Samples) -> str:
    """Say what all processes of ours take at most under a load of events."""
    found = [
        sample.resident_bytes for (name, _), runs in samples.items() if name.startswith("ours-e") for sample in runs
    ]
    if not found:
        return ""
    verdict = "met" if max(found) <= RESIDENT_TARGET_BYTES else "**missed**"
    text = f"{max(found) / 2**20:,.0f} MiB, target ≤ {RESIDENT_TARGET_BYTES // 2**20} MiB, {verdict}"
    return f"Resident memory of all processes under a load of events, at most: {text}."


def held_table(found: Sequence[Held]) -> str:
    """Return one line per server; the last two columns compare its speed with and without the idle connections."""
    lines = [_row(["server", "bytes each", "target", "", "req/s beside ÷ alone", "p99 alone", "p99 beside"])]
    lines.append(_row(["---", "---:", "---:", "---", "---:", "---:", "---:"]))
    for held in found:
        verdict = "met" if held.bytes_each <= HELD_TARGET_BYTES else "**missed**"
        judged = [f"≤ {HELD_TARGET_BYTES:,}", verdict] if held.server.kind == "ours" else ["", ""]
        speed = f"{held.beside.rate / held.before.rate:.2f}x"
        p99 = [_milliseconds(sample.p99_micros) for sample in (held.before, held.beside)]
        lines.append(_row([held.server.title, f"{held.bytes_each:,.0f}", *judged, speed, *p99]))
    return "\n".join(lines)


def _cells(samples: Samples, load: str, server: Server, ours: Sequence[Server]) -> list[str]:
    runs = samples[server.name, load]
    rates = [sample.rate for sample in runs]
    ratios = [ratio(samples, mine.name, server.name, load) or 0 for mine in ours]
    database = middle(runs, lambda sample: sample.database_micros)
    return [
        server.title,
        *(f"{value:.2f}x" for value in ratios),
        f"{rate(runs):,.0f}",
        f"±{(max(rates) - min(rates)) / 2 / rate(runs):.0%}",
        f"{middle(runs, lambda sample: sample.cpu_micros):,.1f}",
        f"{database:,.1f}" if server.mariadb else "",
        _milliseconds(middle(runs, lambda sample: sample.p50_micros)),
        _milliseconds(middle(runs, lambda sample: sample.p99_micros)),
        f"{middle(runs, lambda sample: sample.resident_bytes) / 2**20:,.0f}",
    ]


def _milliseconds(micros: float) -> str:
    return f"{micros / 1000:.2f} ms"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
