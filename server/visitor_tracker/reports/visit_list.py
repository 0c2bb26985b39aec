"""The visits of a period one by one, the newest first: who, from where, what, and what went wrong.

    sessions by their beginning ─▶ joined over midnights ─▶ those that the filter selects ─▶ a page of them
    ids of visits, or who had an error, a recording … ─▶ the sessions of these moments ──────┘

A visit is shown where it began. Of a filter that selects few, one answer looks at so many visits at most and may be
short then; its cursor goes on.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from visitor_tracker.days import day_after, day_of
from visitor_tracker.event import ROBOT
from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.problems import ERRORS_MOST, told_events
from visitor_tracker.reports.query import QueryError, Question
from visitor_tracker.reports.scan import Own, Scan
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.visit_rows import VisitRow, rows_of
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store import visit_list
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.problems import ProblemTable, Told
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.store.visit_list import Begin

With = Literal["recording", "error", "rage", "dead"]

WITH: tuple[With, ...] = get_args(With)
LIMIT, LIMIT_MOST = 50, 200
IDS_MOST = 100
LOOKED_MOST = 10_000  # visits that one answer looks at: a second and a half
MARKED_MOST = 20_000  # visits that have what was asked for
CLICKS_MOST = 500_000
_CHUNK = 500
_LATE_MS = 24 * 3_600_000  # a recording's last piece may come so much later than its visit began
_END = Begin(1 << 62, b"")
_VISIT = re.compile(r"([0-9a-f]{32})-([0-9]{1,14})").fullmatch

Mark = tuple[bytes, int]  # a visitor, and a moment of the visit


class VisitList(msgspec.Struct, frozen=True):
    """Visits, the newest first; `cursor` continues, None at the end. `looked_at`: how many the filter was asked of."""

    visits: list[VisitRow]
    cursor: str | None
    looked_at: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of which visits: of the question's, or of `ids`, or those that have something."""

    after: Begin = _END
    limit: int = LIMIT
    having: With | None = None
    ids: tuple[Mark, ...] | None = None


def visits_of(table: ReportTable, question: Question, policy: Policy, wanted: Wanted) -> VisitList:
    """Return a page of visits; raises QueryError where there is too much to read."""
    scan = Scan(table, question)
    if wanted.ids is not None:
        found, looked = _marked(table, question.site, scan, wanted.ids), len(wanted.ids)
        return _page(table, question.site, policy, _behind(found, wanted.after), wanted.limit, looked)
    chosen = Chosen(table, question)
    if wanted.having is None:
        return _walked(table, question, policy, wanted, scan, chosen)
    marks = _having(table, question, wanted.having)
    if len({(visitor, day_of(question.site.timezone, ts)) for visitor, ts in marks}) > MARKED_MOST:
        raise QueryError("period", f"more than {MARKED_MOST:,} visits have that: take a shorter period")
    within = [
        whole
        for whole in _marked(table, question.site, scan, marks)
        if question.span.start_ms <= began(whole).ts < question.span.end_ms
    ]
    found = chosen.of(_behind(within, wanted.after))
    return _page(table, question.site, policy, found, wanted.limit, len(within))


def _walked(  # noqa: PLR0913 - a step of visits_of
    table: ReportTable, question: Question, policy: Policy, wanted: Wanted, scan: Scan, chosen: Chosen
) -> VisitList:
    """Look at sessions from the newest on until a page is full."""
    site, span = question.site, question.span
    after = min(wanted.after, Begin(span.end_ms, b""), key=_order)
    found: list[Whole] = []
    looked = 0
    while True:
        rows = _sessions(table, site.id, span.start_ms, after)
        looked += len(rows)
        # One over midnight comes again, with its first session.
        found += chosen.of([whole for whole, row in zip(_whole(scan, rows), rows, strict=True) if _begins(whole, row)])
        is_end = len(rows) < _CHUNK
        if rows:
            after = Begin(rows[-1][1].first_ts, rows[-1][0])
        if is_end or len(found) > wanted.limit or looked >= LOOKED_MOST:
            break
    page = _page(table, site, policy, found, wanted.limit, looked)
    if page.cursor is None and not is_end:
        return msgspec.structs.replace(page, cursor=cursor_text(after))
    return page


def _sessions(table: ReportTable, site_id: int, start_ms: int, after: Begin) -> list[Own]:
    return of_site(table.database, site_id).read(
        lambda session: visit_list.newest(session, site_id, start_ms, after, _CHUNK)
    )


def _whole(scan: Scan, rows: Sequence[Own]) -> list[Whole]:
    """Return the visit of each session; no day is read as a whole, so that every session brings its visit."""
    return scan.whole(rows)


def _begins(whole: Whole, row: Own) -> bool:
    visitor, own = whole.sessions[0]
    return whole.is_visit and (visitor, own.first_ts) == (row[0], row[1].first_ts)


def _marked(table: ReportTable, site: Site, scan: Scan, marks: Iterable[Mark]) -> list[Whole]:
    """Return the visits of these moments, the newest first."""
    moments: dict[bytes, list[int]] = {}
    for visitor, ts in marks:
        moments.setdefault(visitor, []).append(ts)
    keys = {
        (bucket, visitor)
        for visitor, own in moments.items()
        for day in {day_of(site.timezone, ts) for ts in own}
        for bucket in (0, *(day_after(day, step) for step in (-2, -1, 0, 1)))
    }
    rows = [
        (visitor, own)
        for _, visitor, own in table.sessions_in(site.id, keys)
        if any(own.first_ts <= ts <= own.last_ts for ts in moments[visitor])
    ]
    found = {began(whole): whole for whole in scan.whole(rows) if whole.is_visit}
    return [found[key] for key in sorted(found, key=_order, reverse=True)]


def _behind(found: Iterable[Whole], after: Begin) -> list[Whole]:
    return [whole for whole in found if _order(began(whole)) < _order(after)]


def _having(table: ReportTable, question: Question, having: With) -> list[Mark]:
    site, span = question.site, question.span
    if having == "recording":
        times = (span.start_ms, span.end_ms + _LATE_MS)
        return of_site(table.database, question.site.id).read(
            lambda session: visit_list.recorded(session, site.id, times, 10 * MARKED_MOST)
        )
    events = ProblemTable(table.database)
    if having == "error":
        return [(told.visitor, told.ts) for told in told_events(events, site, "error", span, most=ERRORS_MOST)]
    clicks = told_events(events, site, "click", span, most=CLICKS_MOST)
    return [(told.visitor, told.ts) for told in clicks if told.visitor and _is(told, having)]


def _is(told: Told, name: str) -> bool:
    return told.rest.properties.get(name) is True


def _page(  # noqa: PLR0913 - what and how many
    table: ReportTable, site: Site, policy: Policy, found: Sequence[Whole], limit: int, looked: int
) -> VisitList:
    shown = found[:limit]
    cursor = cursor_text(began(shown[-1])) if len(found) > limit else None
    return VisitList(rows_of(table.database, site, policy, shown, robots=int(ROBOT)), cursor, looked)


def began(whole: Whole) -> Begin:
    """Return where a visit stands in the list."""
    visitor, own = whole.sessions[0]
    return Begin(own.first_ts, visitor or b"")


def _order(place: Begin) -> tuple[int, bytes]:
    return place.ts, place.visitor


def cursor_text(place: Begin) -> str:
    """Return a cursor as clients get it."""
    return f"{place.visitor.hex()}-{place.ts}"


def mark_of(text: str) -> Mark:
    """Read the id of a visit; raises ValueError for what is none."""
    found = _VISIT(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is no id of a visit")
    return bytes.fromhex(found[1]), int(found[2])


def cursor_of(text: str) -> Begin:
    """Read a cursor; raises ValueError for what is none."""
    visitor, ts = mark_of(text)
    return Begin(ts, visitor)
