"""Which steps are alike: those a week apart, and of hours those a day apart."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

Step = Literal["day", "hour"]


@dataclass(frozen=True, slots=True)
class Cycle:
    """How often a pattern comes back, and how it is learned."""

    week: int  # in steps
    day: int
    origins: int  # of the past that forecasts are tried from, about
    power: int  # of the inverse error that weighs methods: the higher, the more the nearest one decides
    shrink: float  # weeks without a pattern that are believed in beforehand


CYCLES: dict[Step, Cycle] = {
    "day": Cycle(week=7, day=1, origins=36, power=8, shrink=1.0),
    "hour": Cycle(week=168, day=24, origins=25, power=24, shrink=0.3),
}


def holiday_steps(first: date, step: Step, count: int, holidays: Container[date]) -> list[bool]:
    """Return for `count` steps from `first` whether each lies in a holiday."""
    start = first.date() if isinstance(first, datetime) else first
    if step == "day":
        return [start + timedelta(days=at) in holidays for at in range(count)]
    hour = first.hour if isinstance(first, datetime) else 0
    days = [start + timedelta(days=at) in holidays for at in range((count + hour) // 24 + 1)]
    return [days[(at + hour) // 24] for at in range(count)]
