"""Numbers, dates and changes as the readers of a language write them."""

from collections.abc import Callable
from dataclasses import dataclass

from visitor_tracker.days import date_of
from visitor_tracker.reports.digest.calendar import Days, Every
from visitor_tracker.reports.digest.content import FigureName
from visitor_tracker.reports.digest.countries import COUNTRIES
from visitor_tracker.reports.digest.words import WORDS, Language, Words

_NARROW, _NO_BREAK, _MINUS = "\u202f", "\u00a0", "\u2212"
_GROUPS: dict[Language, tuple[str, str, int]] = {  # between thousands, before decimals, least number with groups
    "en": (",", ".", 1_000),
    "de": (".", ",", 1_000),
    "fr": (_NARROW, ",", 1_000),
    "es": (".", ",", 10_000),
}
_PERCENT: dict[Language, str] = {"en": "%", "de": f"{_NO_BREAK}%", "fr": f"{_NARROW}%", "es": f"{_NO_BREAK}%"}
_FEW = 10  # below it numbers that are no counts have a decimal
_MANIFOLD = 10  # from which a change is told as a multiple: +900 % says little


@dataclass(frozen=True, slots=True)
class Formats:
    """Of one language; `english_country` is the English name of a country's code, for those without another here."""

    language: Language
    english_country: Callable[[str], str]

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    def country(self, code: str) -> str:
        return COUNTRIES.get((self.language, code)) or self.english_country(code)

    def number(self, value: float) -> str:
        """Return a count; of what is expected, and small, one decimal."""
        thousands, point, least = _GROUPS[self.language]
        text = f"{value:,.0f}" if value == int(value) or value >= _FEW else f"{value:.1f}"
        if abs(value) < least:
            text = text.replace(",", "")
        return text.translate({ord(","): thousands, ord("."): point})

    def percent(self, part: float) -> str:
        digits = 1 if 0 < abs(part) < _FEW / 100 else 0
        return f"{part * 100:.{digits}f}".replace(".", _GROUPS[self.language][1]) + _PERCENT[self.language]

    def change(self, change: float) -> str:
        """Return a relative change with its sign."""
        if change + 1 >= _MANIFOLD:
            return f"×{_NARROW}{self.number(round(change + 1))}"
        rounded = round(change, 2)
        sign = "+" if rounded > 0 else _MINUS if rounded < 0 else "±"
        return f"{sign}{abs(rounded) * 100:.0f}{_PERCENT[self.language]}"

    def figure(self, name: FigureName, value: float | None) -> str:
        if value is None:
            return "–"
        if name == "bounce_rate":
            return self.percent(value)
        return self.seconds(value) if name == "engaged_seconds" else self.number(value)

    def seconds(self, value: float) -> str:
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes}{_NO_BREAK}min {seconds}{_NO_BREAK}s" if minutes else f"{seconds}{_NO_BREAK}s"

    def day(self, day: int, *, with_weekday: bool = False) -> str:
        date, words = date_of(day), self.words
        text = words.day.format(day=self._number_of_day(date.day), month=words.months[date.month - 1], year=date.year)
        return words.day_of_week.format(weekday=words.weekdays[date.weekday()], day=text) if with_weekday else text

    def short_day(self, day: int) -> str:
        """Return a day as an axis has room for it."""
        date = date_of(day)
        if self.language == "en":
            return f"{date.day} {self.words.months[date.month - 1][:3]}"
        return f"{date.day}.{date.month}." if self.language == "de" else f"{date.day}/{date.month}"

    def days(self, days: Days, every: Every) -> str:
        """Return the period of a report."""
        first, last, words = date_of(days.first), date_of(days.last), self.words
        month = words.months[last.month - 1]
        if days.first == days.last:
            return self.day(days.first, with_weekday=True)
        if every == "monthly":
            return words.month.format(month=month, year=last.year)
        if (first.year, first.month) == (last.year, last.month):
            return words.days_of_month.format(
                first=self._number_of_day(first.day), last=last.day, month=month, year=last.year
            )
        return words.days.format(first=self.day(days.first), last=self.day(days.last))

    def _number_of_day(self, day: int) -> str:
        return "1er" if self.language == "fr" and day == 1 else str(day)
