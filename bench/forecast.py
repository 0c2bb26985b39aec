"""How well visitor_tracker.forecasting foretells, beside other libraries, on public series.

    .venv/bin/python bench/forecast.py [--set reported|chosen] [--only day|hour] [--origins 12] [--quick]

Series and libraries are installed into .venv-bench-forecast, pinned. Every series is foretold from several origins;
all get the same past. Errors are divided by those of "the same as a week ago" within the past (MASE) or by the size
of the values (sMAPE); ratios compare mean MASE, with a bootstrap of whole series for their 95 % interval. Widths of
bands and their interval scores (width, and 20 times what a value lies outside: less is better) are divided as MASE is.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from statistics import fmean, median

import msgspec

from forecast_series import DAY, HOUR, PACKAGES, SETS, Series, Source, Step, Values
from visitor_tracker.forecasting.forecast import forecast

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-bench-forecast"
PINS = HERE / "peers" / "forecasts.txt"
OURS = "ours"
PEERS = 5  # answers to each task
SHARE = 0.9
STEPS: tuple[Step, ...] = ("day", "hour")
REACH = {"day": (7, 28), "hour": (24, 168)}  # steps ahead that are judged, on average up to there
WEEK = {"day": 7, "hour": 168}
PAST = {"day": 760, "hour": 1440}  # steps that everyone may look at
LEAST = {"day": 100, "hour": 480}
APART = {"day": 61, "hour": 221}  # steps from origin to origin, no multiple of a week or a day
BOOTSTRAPS = 2000
INSIDE = 0.88, 0.92
TARGETS = {("day", 0): 1.05, ("day", 1): 1.0}


@dataclass(frozen=True, slots=True)
class Task:
    """A series up to one origin, and what came then."""

    series: str
    step: Step
    first: str
    values: Values
    actual: Values

    @property
    def periods(self) -> int:
        return len(self.actual)


class Answer(msgspec.Struct, frozen=True):
    """What a model foretold."""

    task: int
    model: str
    expected: list[float]
    low: list[float]
    high: list[float]
    seconds: float  # of this process


@dataclass(slots=True)
class Scores:
    """Of one model, an entry per task in the order of tasks."""

    series: list[str] = field(default_factory=list)
    mase: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    smape: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    inside: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    width: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    interval: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="reported", help="which series")
    parser.add_argument("--only", choices=list(REACH), help="days or hours alone")
    parser.add_argument("--origins", type=int, default=12, help="of each series, at most")
    parser.add_argument("--quick", action="store_true", help="one origin and three series: does the bench itself work")
    options = parser.parse_args()
    source = installed()
    series = [one for one in SETS[options.set](source) if options.only in {None, one.step}]
    print(f"# Forecasts, {options.set} series\n\nMethods were chosen on: {names(SETS['chosen'](source))}.")
    for step in STEPS:
        mine = [one for one in series if one.step == step]
        if options.quick:
            mine = mine[:3]
        tasks = [task for one in mine for task in tasks_of(one, 1 if options.quick else options.origins)]
        if tasks:
            print(f"\n## By the {step}: {len(tasks)} forecasts\n\nOf: {names(mine)}.\n", flush=True)
            report(step, tasks, source)


def installed() -> Source:
    """Install libraries and series, once; a stamp tells that they are there."""
    python, folder, stamp = FOLDER / "bin" / "python", FOLDER / "series", FOLDER / "stamp"
    wanted = f"{sys.version}\n{PINS.read_text()}{PACKAGES}"
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(PINS)], check=True)
        subprocess.run([*pip, "--no-deps", "--target", str(folder), *PACKAGES], check=True)
        stamp.write_text(wanted)
    return Source(folder, python)


def names(series: Iterable[Series]) -> str:
    return "; ".join(f"{one.name} ({one.step}s)" for one in series)


def tasks_of(series: Series, most: int) -> Iterator[Task]:
    """Return the tasks of the newest origins after which enough was measured."""
    reach, unit = REACH[series.step][1], DAY if series.step == "day" else HOUR
    for number in range(most):
        origin = len(series.values) - reach - number * APART[series.step]
        if origin < LEAST[series.step]:
            return
        start = max(0, origin - PAST[series.step])
        values, actual = series.values[start:origin], series.values[origin : origin + reach]
        if values.count(None) * 2 < len(values) and actual.count(None) * 4 < reach and actual[0] is not None:
            yield Task(series.name, series.step, (series.first + start * unit).isoformat(), values, actual)


def report(step: Step, tasks: Sequence[Task], source: Source) -> None:
    scores: defaultdict[str, Scores] = defaultdict(Scores)
    for answer in [*ours(tasks), *peers(tasks, source)]:
        judge(tasks[answer.task], answer, scores[answer.model])
    short, long = REACH[step]
    head = ["model", f"÷ ours, {short}", f"÷ ours, {long}"]
    head += [f"{what}, {ahead}" for what in ("MASE", "sMAPE") for ahead in (short, long)]
    print(row([*head, "CPU per fit", "÷ ours"]))
    print(row(["---", *["---:"] * (len(head) + 1)]))
    mine = scores[OURS]
    for name, one in sorted(scores.items(), key=lambda item: fmean(item[1].mase[1])):
        cells = [f"{fmean(one.mase[at]) / fmean(mine.mase[at]):.2f}x" for at in (0, 1)]
        cells += [f"{fmean(one.mase[at]):.3f}" for at in (0, 1)]
        cells += [f"{fmean(one.smape[at]):.1%}" for at in (0, 1)]
        cost = median(one.seconds)
        print(row([name, *cells, f"{cost * 1000:,.1f} ms", f"{cost / median(mine.seconds):.1f}x"]))
    print()
    bands(step, scores)
    for at, ahead in enumerate(REACH[step]):
        verdict(step, at, ahead, scores)


def bands(step: Step, scores: Mapping[str, Scores]) -> None:
    """Compare how much the bands hold, and how wide they are for it."""
    head = [f"{what}, {ahead}" for what in ("coverage", "width", "interval score") for ahead in REACH[step]]
    print(row(["band that is to hold 90 %", *head]))
    print(row(["---", *["---:"] * len(head)]))
    for name, one in sorted(scores.items(), key=lambda item: fmean(item[1].interval[1])):
        cells = [f"{fmean(one.inside[at]):.1%}" for at in (0, 1)]
        sizes = [fmean(of[at]) for of in (one.width, one.interval) for at in (0, 1)]
        cells += [f"{size:.2f}" if size < 1_000 else "> 1,000" for size in sizes]
        print(row([name, *cells]))
    print()


def verdict(step: Step, at: int, ahead: int, scores: Mapping[str, Scores]) -> None:
    """Compare with the one that was best of the others, and say so if that is a loss."""
    mine = scores[OURS]
    best = min((name for name in scores if name != OURS), key=lambda name: fmean(scores[name].mase[at]))
    ratio = fmean(mine.mase[at]) / fmean(scores[best].mase[at])
    low, high = bootstrap(mine.series, mine.mase[at], scores[best].mase[at])
    first, last = bootstrap(mine.series, mine.inside[at], [1.0] * len(mine.series))
    target = TARGETS.get((step, at), 1.0)
    said = "met" if ratio <= target else "**missed**"
    text = f"{ratio:.3f} (95 %: {low:.3f} to {high:.3f}), target ≤ {target:.2f}, {said}"
    wins = fmean(one < other for one, other in zip(mine.mase[at], scores[best].mase[at], strict=True))
    print(f"- {ahead} {step}s: MASE of ours ÷ that of {best}, the best of the others: {text}; nearer in {wins:.0%}.")
    inside = fmean(mine.inside[at])
    said = "met" if INSIDE[0] <= inside <= INSIDE[1] else "**missed**"
    text = f"{inside:.1%} (95 %: {first:.1%} to {last:.1%}), target {INSIDE[0]:.0%} to {INSIDE[1]:.0%}, {said}"
    print(f"- {ahead} {step}s: in the band of ours {text}.")


def ours(tasks: Sequence[Task]) -> Iterator[Answer]:
    for number, task in enumerate(tasks):
        start = time.process_time()
        found = forecast(task.values, date.fromisoformat(task.first[:10]), task.step, task.periods, share=SHARE)
        seconds = time.process_time() - start
        yield Answer(number, OURS, list(found.expected), list(found.low), list(found.high), seconds)


def peers(tasks: Sequence[Task], source: Source) -> Iterator[Answer]:
    """Ask the other libraries; what they once answered is kept, as they take minutes and always say the same."""
    kept = FOLDER / "answers"
    kept.mkdir(exist_ok=True)
    asked = [json.dumps({key: getattr(task, key) for key in ("step", "first", "values", "periods")}) for task in tasks]
    paths = [kept / sha256(task.encode()).hexdigest() for task in asked]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    lines: defaultdict[int, list[bytes]] = defaultdict(list)
    for line in answered([asked[number] for number in missing], source):
        answer = msgspec.json.decode(line, type=Answer)
        lines[answer.task].append(line)
        if len(lines[answer.task]) == PEERS:
            paths[missing[answer.task]].write_bytes(b"".join(lines[answer.task]))
    for number, path in enumerate(paths):
        for line in path.read_bytes().splitlines():
            yield msgspec.structs.replace(msgspec.json.decode(line, type=Answer), task=number)


def answered(tasks: Sequence[str], source: Source) -> Iterator[bytes]:
    """Run the libraries in a process of their own, on one core as ours."""
    if not tasks:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.json"
        path.write_text(f"[{','.join(tasks)}]")
        command = [str(source.python), str(HERE / "peers" / "forecasts.py"), str(path)]
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **single}) as process:
            assert process.stdout is not None
            yield from process.stdout
        if process.returncode:
            raise SystemExit(f"the peers ended with {process.returncode}")


def judge(task: Task, answer: Answer, scores: Scores) -> None:
    scores.series.append(task.series)
    scores.seconds.append(answer.seconds)
    scale = week_apart(task.values, WEEK[task.step])
    for at, ahead in enumerate(REACH[task.step]):
        known = [(step, value) for step, value in enumerate(task.actual[:ahead]) if value is not None]
        errors = [abs(answer.expected[step] - value) for step, value in known]
        sizes = [(abs(answer.expected[step]) + abs(value)) / 2 for step, value in known]
        scores.mase[at].append(fmean(errors) / scale)
        scores.smape[at].append(fmean(error / size if size else 0.0 for error, size in zip(errors, sizes, strict=True)))
        scores.inside[at].append(fmean(answer.low[step] <= value <= answer.high[step] for step, value in known))
        widths = [answer.high[step] - answer.low[step] for step, _ in known]
        outside = [max(answer.low[step] - value, value - answer.high[step], 0.0) for step, value in known]
        scores.width[at].append(fmean(widths) / scale)
        scores.interval[at].append((fmean(widths) + 2 / (1 - SHARE) * fmean(outside)) / scale)


def week_apart(values: Values, week: int) -> float:
    """Return the mean distance of values a week apart."""
    pairs = zip(values, values[week:], strict=False)
    return fmean(abs(now - then) for then, now in pairs if now is not None and then is not None)


def bootstrap(series: Sequence[str], mine: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of the means, drawing whole series, as their forecasts are alike."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, one, other in zip(series, mine, others, strict=True):
        sums[name][0] += one
        sums[name][1] += other
    drawn, ratios = random.Random(7), []  # the same draw every time
    for _ in range(BOOTSTRAPS):
        sample = drawn.choices(list(sums.values()), k=len(sums))
        ratios.append(sum(one for one, _ in sample) / sum(other for _, other in sample))
    ratios.sort()
    return ratios[BOOTSTRAPS // 40], ratios[-BOOTSTRAPS // 40]


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
