"""Visitors of access logs, judged by what they did: for robots.py."""

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from visitor_tracker.event import ROBOT
from visitor_tracker.ingest.agent import AgentReader
from visitor_tracker.ingest.behaviour.days import Step, VisitorDay
from visitor_tracker.ingest.behaviour.figures import figures_of
from visitor_tracker.ingest.behaviour.habits import habits_of
from visitor_tracker.ingest.behaviour.score import judged
from visitor_tracker.ingest.bots import path_signals
from visitor_tracker.metrics import Metrics

_LINE = re.compile(r'(\S+) \S+ \S+ \[([^\]]+)\] "(?:GET|POST|HEAD) (\S+)[^"]*" (\d+) \S+(?: "([^"]*)" "([^"]*)")?')
_FILES = re.compile(r"\.(css|js|mjs|png|jpe?g|gif|svg|ico|woff2?|ttf|map|webp|pdf|zip|gz|mp4)$", re.IGNORECASE)
_Who = tuple[str, str, str]  # day, address, user agent


def judged_logs(paths: list[Path], shown: int) -> int:
    """Judge all visitors' days, and print what came of it."""
    reader = AgentReader(Metrics().counters())
    steps: dict[_Who, list[Step]] = defaultdict(list)
    for path in paths:
        for who, step in _steps(path):
            steps[who].append(step)
    days: dict[_Who, VisitorDay] = {}
    by_words = 0
    for who, own in steps.items():
        reading = reader.read(who[2])
        if reading.signals & ROBOT:
            by_words += 1
            continue
        days[who] = VisitorDay(tuple(sorted(own, key=lambda step: step.ts)), reading.agent)
    habits = habits_of(figures_of(day) for day in days.values())
    found = sorted(((judged(day, habits), who) for who, day in days.items()), key=lambda each: -each[0].score)
    verdicts = Counter(judgement.verdict for judgement, _ in found)
    print(f"{len(steps):,} visitors' days; {by_words:,} robots by their own words; of the others:")
    for verdict in ("robot", "doubtful", "human"):
        print(f"  {verdict:9}{verdicts[verdict]:8,}")
    for judgement, (day, address, agent) in islice(found, shown):
        views = sum(step.is_view for step in days[day, address, agent].steps)
        print(f"\n{judgement.score:.3f} {judgement.verdict} {day} {address} {views:,} views, {agent[:90]}")
        for reason in judgement.reasons:
            print(f"      {reason.weight:+5.2f} {reason.name}: {reason.text}")
    return 0


def _steps(path: Path) -> Iterator[tuple[_Who, Step]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = _LINE.match(line)
            if not found or not found[4].startswith(("2", "3", "4")) or _FILES.search(found[3].partition("?")[0]):
                continue
            at = datetime.strptime(found[2], "%d/%b/%Y:%H:%M:%S %z")
            page = found[3].partition("?")[0]
            signals = int(path_signals(page))
            step = Step(int(at.timestamp() * 1000), page, by_link=len(found[5] or "") > 1, signals=signals)
            yield (at.date().isoformat(), found[1], found[6] or ""), step
