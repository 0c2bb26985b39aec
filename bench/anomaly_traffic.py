"""Alarms on invented traffic: what of planted events is found, and how often there is one without a reason."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.detection.synthetic import FIRST, Site, by_day, hours
from visitor_tracker.detection.detect import DAYS_NEEDED, Alarm, detect

LEVELS = (5, 30, 200, 1_000, 10_000, 100_000)  # visits a day
DAYS = 118
MONTH = 30
_FROM, _EVERY = 35, 9  # days: the first planted event, and the next ones
_FIRST_SEED = 1_000  # the width of bands was set on other sites
_LATER = 6  # hours after an event in which an alarm is still about it


@dataclass(frozen=True, slots=True)
class Planted:
    """So many times the visits for so many hours, from that hour of a day on."""

    name: str
    times: float
    begin: int
    length: int

    @property
    def kind(self) -> str:
        return "spike" if self.times > 1 else "dip"


PLANTED = (
    Planted("a day x 5", 5, 0, 24),
    Planted("a day x 3", 3, 0, 24),
    Planted("a day x 2", 2, 0, 24),
    Planted("6 h x 3", 3, 12, 6),
    Planted("3 h x 5", 5, 15, 3),
    Planted("a day x 0.5", 0.5, 0, 24),
    Planted("a day x 0.2", 0.2, 0, 24),
    Planted("12 h silent", 0, 8, 12),
    Planted("4 h silent", 0, 10, 4),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the planted events of a level, and of its alarms."""

    per_day: float
    recall: Mapping[str, float]
    precision: float
    hourly: float  # alarms a site-month on clean traffic
    daily: float
    worst: float  # of both, at the 95th percentile of sites


def sites(per_day: float, count: int) -> Iterator[Site]:
    """Give sites of that size that differ in their weekends, growth and unrest."""
    random = Random(f"held out {per_day}")
    for _ in range(count):
        yield Site(
            per_day,
            weekend=random.choice((0.1, 0.5, 0.7, 0.9, 1.2)),
            growth=random.uniform(-0.01, 0.04),
            day_noise=random.uniform(0.06, 0.2),
            hour_noise=random.uniform(0.05, 0.2),
        )


def measure(per_day: float, count: int) -> Found:
    hourly = daily = 0
    months = (DAYS - DAYS_NEEDED) / MONTH
    totals, hits, planted = list[float](), Counter[str](), Counter[str]()
    true = alarms = 0
    for seed, site in enumerate(sites(per_day, count), _FIRST_SEED):
        by_hour, of_days = alarms_of(hours(site, DAYS, seed))
        hourly, daily = hourly + len(by_hour), daily + len(of_days)
        totals.append((len(by_hour) + len(of_days)) / months)
        events = plan(seed)
        windows = {(begin, begin + event.length): event.times for begin, event in events}
        by_hour, of_days = alarms_of(hours(site, DAYS, seed, windows))
        both = [(alarm.at, alarm.last + 1, alarm.kind) for alarm in by_hour]
        both += [(24 * alarm.at, 24 * alarm.last + 24, alarm.kind) for alarm in of_days]
        for begin, event in events:
            planted[event.name] += 1
            hits[event.name] += any(_is_about(one, begin, event) for one in both)
        true += sum(any(_is_about(one, begin, event) for begin, event in events) for one in both)
        alarms += len(both)
    recall = {name: hits[name] / planted[name] for name in planted}
    worst = sorted(totals)[int(0.95 * (count - 1))]
    return Found(
        per_day, recall, true / alarms if alarms else 1.0, hourly / count / months, daily / count / months, worst
    )


def alarms_of(counts: Sequence[float | None]) -> tuple[list[Alarm], list[Alarm]]:
    return detect(counts, FIRST, "hour"), detect(by_day(counts), FIRST, "day")


def plan(seed: int) -> list[tuple[int, Planted]]:
    """Return what is planted at which hour: every kind once, on weekdays, a week and more apart."""
    kinds = list(PLANTED)
    Random(seed).shuffle(kinds)
    days = (_FROM + _EVERY * index for index in range(len(kinds)))
    return [(24 * _workday(day) + event.begin, event) for day, event in zip(days, kinds, strict=True)]


def _workday(day: int) -> int:
    return day if day % 7 < 5 else day + 7 - day % 7


def _is_about(alarm: tuple[int, int, str], begin: int, event: Planted) -> bool:
    first, end, kind = alarm
    return kind == event.kind and first < begin + event.length + _LATER and end > begin


def table(found: Sequence[Found]) -> str:
    """Return recall of each kind by level, then precision and alarms on clean traffic."""
    rows = defaultdict[str, list[str]](list)
    for one in found:
        for event in PLANTED:
            rows[event.name].append(f"{100 * one.recall[event.name]:.0f} %")
        rows["alarms about a planted event"].append(f"{100 * one.precision:.0f} %")
        rows["false alarms a site-month: hours"].append(f"{one.hourly:.2f}")
        rows["false alarms a site-month: days"].append(f"{one.daily:.2f}")
        rows["of both, 95th percentile of sites"].append(f"{one.worst:.2f}")
    head = "| visits a day | " + " | ".join(f"{one.per_day:,.0f}" for one in found) + " |\n"
    head += "| --- |" + " ---: |" * len(found) + "\n"
    return head + "".join(f"| {name} | {' | '.join(cells)} |\n" for name, cells in rows.items())
