"""The score of the Numenta Anomaly Benchmark: its data, its windows and what an alarm is worth.

Lavin and Ahmad, Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark, 2015. In each window
of an anomaly the first alarm counts, the more the earlier it comes; an alarm outside of one costs up to A_FP, less
shortly after a window; a window without an alarm costs A_FN. The first 15 % of a file, of 5,000 rows at most, are for
learning. A corpus scores 0 for no alarm at all and 100 for one at the beginning of each window.
"""

import csv
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from pathlib import Path

A_TP, A_FP, A_FN = 1.0, 0.11, 1.0  # the standard profile
_PROBATION, _PROBATION_ROWS = 0.15, 5_000
_STEEPNESS = 5.0
_FAR = 3.0  # window lengths after which an alarm has nothing to do with the window


@dataclass(frozen=True, slots=True)
class Series:
    """A file of the corpus; windows are the first and the last row of each."""

    name: str
    times: Sequence[datetime]
    values: Sequence[float]
    windows: Sequence[tuple[int, int]]

    @property
    def probation(self) -> int:
        return int(min(_PROBATION * len(self.values), _PROBATION * _PROBATION_ROWS))


def read(folder: Path) -> list[Series]:
    """Return the corpus that lies in `folder` as data/ and labels/combined_windows.json."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    return [_read(folder / "data" / name, name, windows) for name, windows in sorted(labels.items())]


def _read(path: Path, name: str, labels: Iterable[tuple[str, str]]) -> Series:
    with path.open(newline="") as file:
        rows = [(datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    times = [time for time, _ in rows]
    windows = [
        (bisect_left(times, datetime.fromisoformat(begin)), bisect_right(times, datetime.fromisoformat(end)) - 1)
        for begin, end in labels
    ]
    return Series(name, times, [value for _, value in rows], windows)


def raw(series: Series, alarms: Iterable[int]) -> float:
    """Return what the alarms at these rows are worth, before it is set against the best and none."""
    best = dict[int, float]()
    score = 0.0
    for row in alarms:
        if row < series.probation:
            continue
        inside = next((index for index, (begin, end) in enumerate(series.windows) if begin <= row <= end), None)
        if inside is None:
            score += A_FP * _after(series.windows, row)
        else:
            begin, end = series.windows[inside]
            length = end - begin + 1
            worth = A_TP * _sigmoid((row - end - 1) / length) / _sigmoid(-1)
            best[inside] = max(best.get(inside, 0.0), worth)
    return score + sum(best.values()) - A_FN * (len(series.windows) - len(best))


def normalised(corpus: Iterable[tuple[Series, float]]) -> float:
    """Return 0 for what no alarms are worth and 100 for the best ones; each series comes with its raw score."""
    scored = list(corpus)
    windows = sum(len(series.windows) for series, _ in scored)
    return 100 * (sum(score for _, score in scored) + A_FN * windows) / ((A_TP + A_FN) * windows)


def _after(windows: Sequence[tuple[int, int]], row: int) -> float:
    """Return from -1 to 0 what an alarm outside of windows costs; right after one it is only late."""
    ended = [(begin, end) for begin, end in windows if end < row]
    if not ended:
        return -1.0
    begin, end = ended[-1]
    return _sigmoid((row - end) / max(1, end - begin))


def _sigmoid(position: float) -> float:
    """Return 1 long before the end of a window, 0 at it, -1 long after; positions are window lengths from its end."""
    return -1.0 if position > _FAR else 2 / (1 + exp(_STEEPNESS * position)) - 1
