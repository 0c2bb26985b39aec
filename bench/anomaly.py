"""How good are the alarms: on invented traffic, of which is known what is wrong with it, and on an open benchmark.

    anomaly.py [--ask traffic,nab] [--data FOLDER] [--sites N]

traffic   what of planted spikes and dips is found at every size of a site, and how often clean traffic alarms
nab       the score on the Numenta Anomaly Benchmark, whose data/ and labels/ lie in FOLDER; settings were settled on
          every second of its files, so that the others tell more
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import anomaly_traffic
import nab
from visitor_tracker.detection.numbers import unusual

PUBLISHED = {"Numenta HTM": 70.1, "earthgecko Skyline": 58.2, "Random Cut Forest": 51.7, "Windowed Gaussian": 39.6}
TARGET = 1.0  # false alarms a site-month, also at the 95th percentile of sites


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="anomaly.py", description="How good are the alarms?")
    parser.add_argument("--ask", default="traffic,nab", help="which questions, with commas (%(default)s)")
    parser.add_argument(
        "--data", type=Path, help="folder of the Numenta Anomaly Benchmark; without it, nab is left out"
    )
    parser.add_argument("--sites", type=int, default=40, help="sites of each size (%(default)s)")
    asked = parser.parse_args(argv)
    questions: dict[str, Callable[[], bool]] = {
        "traffic": lambda: traffic(asked.sites),
        "nab": lambda: benchmark(asked.data),
    }
    names = asked.ask.split(",")
    if unknown := [name for name in names if name not in questions]:
        parser.error(f"--ask takes {', '.join(questions)}, not {', '.join(unknown)}")
    return 0 if all([questions[name]() for name in names]) else 1


def traffic(sites: int) -> bool:
    found = [anomaly_traffic.measure(per_day, sites) for per_day in anomaly_traffic.LEVELS]
    print(f"Invented traffic, {sites} sites of each size, {anomaly_traffic.DAYS} days each\n")
    print(anomaly_traffic.table(found))
    return all(one.hourly + one.daily <= TARGET and one.worst <= TARGET for one in found)


def benchmark(data: Path | None) -> bool:
    if data is None:
        print("nab: left out, it needs --data")
        return True
    corpus = nab.read(data)
    scores = [(series, nab.raw(series, unusual(series.values, series.probation))) for series in corpus]
    settled, others = scores[::2], scores[1::2]
    print(f"Numenta Anomaly Benchmark, standard profile: {len(corpus)} files\n")
    print("| detector | score |\n| --- | ---: |")
    print(f"| ours, files that it was not settled on | {nab.normalised(others):.1f} |")
    print(f"| ours, all files | {nab.normalised(scores):.1f} |")
    print(f"| ours, files that it was settled on | {nab.normalised(settled):.1f} |")
    for name, score in PUBLISHED.items():
        print(f"| {name}, published, its threshold settled on all files | {score} |")
    print("\nSettled on: " + ", ".join(series.name for series, _ in settled))
    return True


if __name__ == "__main__":
    sys.exit(main())
