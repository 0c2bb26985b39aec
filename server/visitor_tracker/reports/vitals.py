"""Web Vitals of a site: how quickly its pages come up, how steady they are, and how soon they answer."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, TypeAlias, get_args

import msgspec

from visitor_tracker.days import date_of, day_of, hour_of, zone_of
from visitor_tracker.measures import text_id
from visitor_tracker.reports.problems import told_events
from visitor_tracker.reports.query import Span
from visitor_tracker.reports.within import Within
from visitor_tracker.reports.words import Words
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.problems import ProblemTable, Told
from visitor_tracker.store.session import Database

Rating = Literal["good", "needs-improvement", "poor"]
By = Literal["page", "device", "browser", "country"]

BY: tuple[By, ...] = get_args(By)
VITALS_MOST = 500_000  # of one question
LIMIT, LIMIT_MOST = 20, 1_000

# The value up to which one is good, and that from which it is poor (web.dev/articles/vitals); ms, CLS without a unit.
THRESHOLDS: dict[str, tuple[float, float]] = {
    "LCP": (2_500, 4_000),
    "INP": (200, 500),
    "CLS": (0.1, 0.25),
    "FCP": (1_800, 3_000),
    "TTFB": (800, 1_800),
}
_NAMES = {text_id(name): name for name in THRESHOLDS}


class Vital(msgspec.Struct, frozen=True):
    """One vital: the value that three quarters of the page views keep below, and the shares by rating."""

    name: str
    p75: float
    rating: Rating
    samples: int
    good: float
    needs_improvement: float
    poor: float


class VitalsRow(msgspec.Struct, frozen=True):
    """The vitals of one value, such as a page."""

    value: str
    samples: int
    vitals: list[Vital]


class VitalsPoint(msgspec.Struct, frozen=True):
    """The vitals of a day, or of the hour that begins at `start`, told by the clocks of the zone."""

    start: str
    vitals: list[Vital]


class Vitals(msgspec.Struct, frozen=True, omit_defaults=True):
    """The vitals of a period, and by the values of a dimension where one was asked for, the most measured first."""

    vitals: list[Vital]
    by: str = ""
    rows: list[VitalsRow] = []
    rows_in_all: int = 0
    series: list[VitalsPoint] = []


class Part(msgspec.Struct, frozen=True):
    """Which vitals: of some visits, of one page (its path)."""

    within: Within | None = None
    page: str = ""

    def has(self, told: Told) -> bool:
        """Say whether it is one of these."""
        if self.page and told.page != text_id(self.page):
            return False
        return self.within is None or self.within.has(told.visitor, told.ts)


_ALL = Part()
_Samples: TypeAlias = "defaultdict[str, array[float]]"


def vitals(  # noqa: PLR0913 - the rest by keyword
    database: Database,
    site: Site,
    span: Span,
    by: By | None = None,
    limit: int = LIMIT,
    *,
    part: Part = _ALL,
    with_series: bool = False,
) -> Vitals:
    """Return the vitals of a span, or of some of them; raises QueryError where there is too much to read."""
    everything = _samples()
    rows: defaultdict[int, _Samples] = defaultdict(_samples)
    times: defaultdict[str, _Samples] = defaultdict(_samples)
    for told in told_events(ProblemTable(database), site, "vital", span, most=VITALS_MOST):
        name = _NAMES.get(told.name)
        value = told.rest.value
        if name is None or value < 0 or not part.has(told):
            continue
        everything[name].append(value)
        if by is not None:
            rows[told.page if by == "page" else told.context][name].append(value)
        if with_series:
            times[_start(span, told.ts)][name].append(value)
    series = [VitalsPoint(start, _rated(samples)) for start, samples in times.items()]  # events come by time
    if by is None:
        return Vitals(_rated(everything), series=series)
    named = _merged(rows, of_site(database, site.id).read(lambda session: _namer(Words(session), by, rows)))
    ranked = sorted(named.items(), key=lambda row: (-_count(row[1]), row[0]))
    shown = [VitalsRow(value, _count(samples), _rated(samples)) for value, samples in ranked[:limit]]
    return Vitals(_rated(everything), by, shown, len(ranked), series)


def _start(span: Span, ts: int) -> str:
    """Return the day of a moment, or its hour where the span is as short as a day."""
    if span.days <= 1 or span.by_hours:
        hour = datetime.fromtimestamp(hour_of(span.timezone, ts) / 1000, zone_of(span.timezone))
        return hour.isoformat(timespec="minutes")
    return date_of(day_of(span.timezone, ts)).isoformat()


def rating_of(name: str, value: float) -> Rating:
    """Return how good a value of a vital is."""
    good, poor = THRESHOLDS[name]
    return "good" if value <= good else "needs-improvement" if value <= poor else "poor"


def _samples() -> _Samples:
    return defaultdict(lambda: array("d"))


def _count(samples: _Samples) -> int:
    return max(len(values) for values in samples.values())


def _rated(samples: _Samples) -> list[Vital]:
    return [_vital(name, samples[name]) for name in THRESHOLDS if name in samples]


def _vital(name: str, values: Iterable[float]) -> Vital:
    ordered = sorted(values)
    number = len(ordered)
    p75 = ordered[-(-3 * number // 4) - 1]  # the nearest rank
    good, poor = THRESHOLDS[name]
    goods = sum(value <= good for value in ordered)
    poors = sum(value > poor for value in ordered)
    shares = (round(part / number, 4) for part in (goods, number - goods - poors, poors))
    return Vital(name, round(p75, 4), rating_of(name, p75), number, *shares)


def _namer(words: Words, by: By, keys: Iterable[int]) -> Callable[[int], str]:
    """Return what names the rows: texts of pages, or what contexts say."""
    if by == "page":
        words.learn(texts=keys)
        return words.text
    words.learn(contexts=keys)

    def name(key: int) -> str:
        context = words.context(key)
        return {
            "device": context.agent.device,
            "browser": context.agent.browser,
            "country": context.place.country,
        }[by] or "unknown"

    return name


def _merged(rows: dict[int, _Samples], name: Callable[[int], str]) -> dict[str, _Samples]:
    """Return the rows by name: many contexts have the same device."""
    found: defaultdict[str, _Samples] = defaultdict(_samples)
    for key, samples in rows.items():
        own = found[name(key)]
        for vital, values in samples.items():
            own[vital].extend(values)
    return found
