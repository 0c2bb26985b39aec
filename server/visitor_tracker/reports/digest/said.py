"""The sentences and cells of a report in one language, as plain text: what its HTML and its text have in common."""

import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from visitor_tracker.days import date_of
from visitor_tracker.reports.digest.content import Bar, Digest, Figure, Happening, Line, Listing
from visitor_tracker.reports.digest.formats import Formats

NOT_NAMED = "XX"  # the country of addresses that nobody can place
_VALUE_MOST = 90  # characters of what visitors and pages are called
_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control characters, text that reads backwards, line ends


@dataclass(frozen=True, slots=True)
class Links:
    """Where a report leads: `base` is the server's address, "" for a report without links.

    `to` is the address that it is sent to, and `stop` where that is undone.
    """

    base: str = ""
    to: str = ""
    stop: str = ""

    def dashboard(self, digest: Digest) -> str:
        first, last = (date_of(day).isoformat() for day in (digest.days.first, digest.days.last))
        period = first if first == last else f"{first}..{last}"
        return f"{self.base}/dashboard/{quote(digest.site, safe='')}?period={period}"


@dataclass(frozen=True, slots=True)
class Said:
    """A report in words."""

    digest: Digest
    formats: Formats

    @property
    def title(self) -> str:
        return f"{clean(self.digest.site)}: {self.formats.words.title[self.digest.every]}"

    @property
    def days(self) -> str:
        return self.formats.days(self.digest.days, self.digest.every)

    @property
    def subject(self) -> str:
        """Return the subject of the mail: the number that most look for, and of when it is."""
        words, visits = self.formats.words, self.digest.figure("visits")
        change = self.change(visits.change)
        number = f"{self.formats.number(visits.value or 0)} {words.figures['visits']}"
        return f"{clean(self.digest.site)}: {number}{f' ({change})' if change else ''}, {self.days}"

    @property
    def compared(self) -> str:
        words, digest = self.formats.words, self.digest
        if digest.figure("visits").before is None:
            return words.nothing_before
        text = words.compared_by_day if digest.every == "monthly" else words.compared
        return text.format(days=self.formats.days(digest.before, digest.every))

    @property
    def chart(self) -> str:
        """Return what the chart shows, for those who do not see it."""
        words, most = self.formats.words, max(self.digest.bars, key=lambda bar: bar.visits)
        text = words.chart if most.hour is None else words.chart_by_hour
        day = self.formats.day(most.day, with_weekday=True) if most.hour is None else str(most.hour)
        return text.format(day=day, number=self.formats.number(most.visits))

    @property
    def notes(self) -> list[str]:
        words, digest = self.formats.words, self.digest
        notes = [words.daily_sum] if digest.visitors_are == "daily_sum" and digest.days.count > 1 else []
        notes += [] if digest.goals_are_counted else [words.not_counted]
        return [*notes, words.made.format(timezone=digest.timezone)]

    def bar(self, bar: Bar) -> str:
        return self.formats.short_day(bar.day) if bar.hour is None else f"{bar.hour}:00"

    def change(self, change: float | None) -> str:
        return "" if change is None else self.formats.change(change)

    def figure(self, figure: Figure) -> tuple[str, str, str, str]:
        """Return name, value, change, and whether that is usual."""
        words = self.formats.words
        value = self.formats.figure(figure.name, figure.value)
        return words.figures[figure.name], value, self.change(figure.change), words.usual[figure.usual]

    def line(self, line: Line, *, is_country: bool = False) -> tuple[str, str, str]:
        """Return value, number and change."""
        change = self.change(line.change) if line.before else self.formats.words.new
        value = self.country(line.value) if is_country else shortened(line.value)
        return value, self.formats.number(line.number), change

    def list_title(self, listing: Listing) -> tuple[str, str]:
        """Return the names of a list and of its numbers."""
        words = self.formats.words
        return words.lists[listing.name], words.measures["views" if listing.name == "pages" else "visits"]

    def country(self, code: str) -> str:
        return self.formats.words.unknown_country if code == NOT_NAMED else clean(self.formats.country(code))

    def happening(self, happening: Happening) -> tuple[str, str]:
        """Return what happened, and why."""
        words = self.formats.words
        day = self.formats.day(happening.day, with_weekday=True)
        day = day if happening.hour is None else words.hour.format(day=day, hour=happening.hour)
        text = words.spike if happening.kind == "spike" else words.dip
        told = text.format(
            metric=words.measures.get(happening.metric, happening.metric),
            value=self.formats.number(happening.value),
            day=day,
            usual=self.formats.number(happening.expected),
        )
        if happening.reasons:
            reasons = ", ".join(
                f"{self._reason(each.dimension, each.value)} ({self.formats.percent(min(each.share, 1))})"
                for each in happening.reasons
            )
            return told, words.because.format(reasons=reasons)
        return told, words.even if happening.is_even and happening.kind == "dip" else ""

    def _reason(self, dimension: str, value: str) -> str:
        return self.country(value) if dimension == "country" else shortened(value)


def clean(text: str) -> str:
    """Return a text that stays in its line, and reads from where it begins."""
    return "".join(sign if unicodedata.category(sign) not in _NO_TEXT else "\ufffd" for sign in text)


def shortened(text: str) -> str:
    """Return a value in the room that there is: addresses differ at their ends, so the middle goes."""
    text = clean(text)
    half = _VALUE_MOST // 2
    return text if len(text) <= _VALUE_MOST else f"{text[:half]}…{text[1 - half :]}"
