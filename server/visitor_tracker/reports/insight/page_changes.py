"""Pages that have more views, or fewer, than in as many days before, and pages that are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import msgspec

from visitor_tracker.days import bounds, day_after, days_between
from visitor_tracker.measures import NAMES, Dimension
from visitor_tracker.reports.insight.history import first_whole_day
from visitor_tracker.reports.query import Question, Span, pieces_of
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Piece, ReportTable

SHOWN = 10  # of each sort

_READ_MOST = 500  # pages, those with the most views now and those with the most before
_CERTAIN = 3.0  # deviations: less is chance
_QUARTILE_OF_SQUARES = 0.1015  # of a normal deviate
_PAGES_LEAST, _NOISE_OF_FEW = 12, 1.4  # pages that tell how much pages differ, and what is taken with fewer
_VIEWS_LEAST = 10  # in one of the two periods


class PageChange(msgspec.Struct, frozen=True):
    """A page: `percent` is null where it had no views before; `certainty` is in standard deviations of chance."""

    page: str
    views: int
    views_before: int
    percent: float | None
    certainty: float


@dataclass(frozen=True, slots=True)
class PageChanges:
    """The largest changes first."""

    risers: list[PageChange]
    fallers: list[PageChange]
    new: list[PageChange]


def page_changes(table: ReportTable, site: Site, first: int, last: int) -> PageChanges:
    """Return what changed on pages from as many days before to these days; raises what stores raise.

    Nothing where the days before are not all known: every page would have risen.
    """
    length = len(days_between(first, last))
    whole = first_whole_day(table, site)
    if whole is None or whole > day_after(first, -length):
        return PageChanges([], [], [])
    today = day_after(last)
    now = _pieces(site, first, last, today)
    before = _pieces(site, day_after(first, -length), day_after(first, -1), today)
    texts: dict[int, str] = {}
    for pieces in (now, before):
        rows, _ = table.breakdown(site.id, Dimension.PAGE, pieces, order="views", limit=_READ_MOST)
        texts |= {row.value: row.text for row in rows if row.text}
    views = NAMES.index("views")
    sums, sums_before = (table.sums_of(site.id, Dimension.PAGE, pieces, list(texts)) for pieces in (now, before))
    counts = {value: (sums[value][views], sums_before[value][views]) for value in texts}
    found = _judged(texts, counts)
    new = _new(table, site, first, {value: texts[value] for value, (_, was) in counts.items() if not was})
    certain = [each for each in found if abs(each.certainty) >= _CERTAIN]
    old = [each for each in certain if each.page not in new]
    by_change = sorted(old, key=lambda each: (-abs(each.views - each.views_before), each.page))
    return PageChanges(
        [each for each in by_change if each.views > each.views_before][:SHOWN],
        [each for each in by_change if each.views < each.views_before][:SHOWN],
        sorted((each for each in found if each.page in new), key=lambda each: (-each.views, each.page))[:SHOWN],
    )


def _judged(texts: dict[int, str], counts: dict[int, tuple[int, int]]) -> list[PageChange]:
    """Return the changes with their certainty, in deviations of what pages of this site differ by anyhow."""
    used = {value: pair for value, pair in counts.items() if max(pair) >= _VIEWS_LEAST}
    deviations = {value: (now - was) / sqrt(now + was) for value, (now, was) in used.items()}
    noise = _noise([each for value, each in deviations.items() if min(used[value])])
    return [
        PageChange(
            texts[value],
            now,
            was,
            round(100 * (now - was) / was, 1) if was else None,
            round(deviations[value] / noise, 2),
        )
        for value, (now, was) in used.items()
    ]


def _noise(deviations: Sequence[float]) -> float:
    """Return how much more than Poisson's chance the calmest quarter of the pages differs: news is not among it."""
    if len(deviations) < _PAGES_LEAST:
        return _NOISE_OF_FEW
    quartile = sorted(each * each for each in deviations)[len(deviations) // 4]
    return sqrt(max(1.0, quartile / _QUARTILE_OF_SQUARES))


def _new(table: ReportTable, site: Site, first: int, unseen: dict[int, str]) -> frozenset[str]:
    """Return those pages that nobody had viewed before."""
    known = table.known(site.id)
    if not unseen or known is None or known[0] >= first:
        return frozenset()
    earlier = table.sums_of(
        site.id, Dimension.PAGE, _pieces(site, known[0], day_after(first, -1), day_after(first)), list(unseen)
    )
    views = NAMES.index("views")
    return frozenset(text for value, text in unseen.items() if not earlier[value][views])


def _pieces(site: Site, first: int, last: int, today: int) -> list[Piece]:
    start, end = bounds(site.timezone, first)[0], bounds(site.timezone, last)[1]
    return pieces_of(Question(site, Span(site.timezone, today, first, last, start, end)))
