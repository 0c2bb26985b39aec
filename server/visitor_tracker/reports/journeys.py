"""Which pages visits went to one after the other, from a page on, from their entry, or back from their exit.

Visits are those that began in the span, whole. A page that is viewed again at once is one step. A visit goes on from
the first view of the page that is asked for; steps beyond the last one that is shown are not told apart.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import msgspec

from visitor_tracker.reports.about import AboutVisitors, days_of, said_of
from visitor_tracker.reports.breakdown import unnamed
from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.filters import All
from visitor_tracker.reports.matching import EVENTS_MOST
from visitor_tracker.reports.moments import Moments
from visitor_tracker.reports.patterns import VIEWED, pages
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.selection import Whole
from visitor_tracker.sessions.fact import PAGEVIEW
from visitor_tracker.store.reports import ReportTable

Direction = Literal["next", "previous"]

STEPS, STEPS_MOST = 3, 10
LIMIT, LIMIT_MOST = 10, 50

EXIT, ENTRY, OTHER = "(exit)", "(entry)", "(other)"  # no path begins with a parenthesis

_Page = int | None  # id of a text; None where the visit ends
_Way = tuple[int, int | str | None, int | str | None]  # number of the step, and the pages or OTHER
_END = None


class Link(msgspec.Struct, frozen=True):
    """So many visits went from one page to another, or back, as step number `step` (from 1)."""

    step: int
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    visits: int


class JourneysAnswer(AboutVisitors, frozen=True, kw_only=True):
    """`visits` have the start; `pages` is how many different ones they saw on the steps that are told."""

    start: str
    direction: Direction
    steps: int
    limit: int
    visits: int
    pages: int
    links: list[Link]


def journeys(  # noqa: PLR0913 - the rest by keyword
    table: ReportTable,
    question: Question,
    *,
    start: str = "",
    direction: Direction = "next",
    steps: int = STEPS,
    limit: int = LIMIT,
    most: int = EVENTS_MOST,
) -> JourneysAnswer:
    """Return the links of the first `steps` steps from `start`, a pattern of pages.

    Without one they begin with the entry, backwards with the exit. At each step the `limit` pages with the most visits
    are told apart. Raises QueryError.
    """
    filters = [All((VIEWED, pages(start)))] if start else []
    moments = Moments(table, question, filters, kinds={PAGEVIEW}, most=most)
    paths: Counter[tuple[_Page, ...]] = Counter()
    chosen = Chosen(table, question)
    moments.read()
    moments.read_late()
    for whole in moments.begun(chosen):
        path = _pages_of(moments, whole, has_start=bool(start), direction=direction, steps=steps)
        if path:
            paths[path] += 1
    links = _links(paths, steps, limit)
    named = {each for _, one, other in links for each in (one, other) if isinstance(each, int) and each}
    said, note = said_of(question)
    return JourneysAnswer(
        **days_of(question),
        visitors_are=said,
        note=note,
        start=start,
        direction=direction,
        steps=steps,
        limit=limit,
        visits=paths.total(),
        pages=len({page for path in paths for page in path if page is not _END}),
        links=_named(links, table.texts(question.site.id, named), EXIT if direction == "next" else ENTRY),
    )


def _pages_of(
    moments: Moments, whole: Whole, *, has_start: bool, direction: Direction, steps: int
) -> tuple[_Page, ...]:
    """Return a visit's pages from the start on, so many steps far, and the end where it comes before; else ()."""
    seen: list[int] = []
    start = -1
    for moment in moments.of(whole):
        if moment.kind != PAGEVIEW:
            continue
        if not seen or seen[-1] != moment.page:
            seen.append(moment.page)
        if has_start and start < 0 and moments.which(whole, moment):
            start = len(seen) - 1
    if not has_start:
        start = 0 if direction == "next" else len(seen) - 1
    if not seen or start < 0:
        return ()
    way = seen[start:] if direction == "next" else seen[start::-1]
    path: tuple[_Page, ...] = tuple(way[: steps + 1])
    return path if len(path) > steps else (*path, _END)


def _links(paths: Mapping[tuple[_Page, ...], int], steps: int, limit: int) -> Counter[_Way]:
    """Return the visits of each way from one page to another; pages beyond the most seen of a step are one."""
    seen: list[Counter[int]] = [Counter() for _ in range(steps + 1)]
    for path, visits in paths.items():
        for step, page in enumerate(path):
            if page is not _END:
                seen[step][page] += visits
    kept = [_most_seen(each, limit) for each in seen]
    found: Counter[_Way] = Counter()
    for path, visits in paths.items():
        shown = [page if page in kept[step] or page is _END else OTHER for step, page in enumerate(path)]
        for step, (one, other) in enumerate(pairwise(shown), 1):
            found[step, one, other] += visits
    return found


def _most_seen(seen: Mapping[int, int], limit: int) -> set[int]:
    ranked = sorted(seen.items(), key=lambda each: (-each[1], each[0]))
    return {page for page, _ in ranked[:limit]}


def _named(links: Mapping[_Way, int], texts: Mapping[int, str], end: str) -> list[Link]:
    def name(page: _Page | str) -> str:
        if isinstance(page, int):
            return texts.get(page) or (unnamed(page) if page else "")
        return end if page is _END else OTHER

    found = [Link(step, name(one), name(other), visits) for (step, one, other), visits in links.items()]
    return sorted(found, key=lambda link: (link.step, -link.visits, link.source, link.target))
