"""A site's holidays: days of the calendar, and those that come back every year on the same date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

HOLIDAYS_MOST = 200

_YEAR = 365  # days
_NEAR = 45  # days that a feast moves within, from year to year
_LEAP = 2024  # a year that has every date


@dataclass(frozen=True, slots=True)
class Holidays:
    """Answers `day in holidays`; `every_year` are pairs of month and day."""

    days: frozenset[date] = frozenset()
    every_year: frozenset[tuple[int, int]] = frozenset()

    @classmethod
    def read(cls, texts: Iterable[str]) -> Self:
        """Read days such as 2026-04-05, and 12-25 for every year's; raises ValueError."""
        checked = [holiday(text) for text in texts]
        if len(checked) > HOLIDAYS_MOST:
            raise ValueError(f"holidays are at most {HOLIDAYS_MOST} days, not {len(checked)}")
        dates = {date.fromisoformat(text) for text in checked if len(text) > len("12-25")}
        yearly = {(int(text[:2]), int(text[3:])) for text in checked if len(text) == len("12-25")}
        return cls(frozenset(dates), frozenset(yearly))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and (day in self.days or (day.month, day.day) in self.every_year)

    def __bool__(self) -> bool:
        return bool(self.days or self.every_year)

    def with_others(self, others: "Holidays") -> "Holidays":
        return Holidays(self.days | others.days, self.every_year | others.every_year)


NO_HOLIDAYS = Holidays()


def holiday(text: str) -> str:
    """Return a holiday as it is kept, 2026-04-05 or 12-25; raises ValueError."""
    kept = text.strip()
    try:
        if len(kept) == len("2026-04-05"):
            return date.fromisoformat(kept).isoformat()
        if len(kept) == len("12-25"):
            return date.fromisoformat(f"{_LEAP}-{kept}").isoformat()[5:]
    except ValueError:
        pass
    raise ValueError(f"holidays cannot have {text[:40]!r}: use days such as 2026-04-05, or 12-25 for every year's")


def last_year(day: date, known: Iterable[date]) -> date | None:
    """Return which of the known holidays was a day's a year before: the nearest, since some move."""
    then = day - timedelta(days=_YEAR)
    near = [other for other in known if abs((other - then).days) <= _NEAR]
    return min(near, key=lambda other: (abs((other - then).days), other)) if near else None
