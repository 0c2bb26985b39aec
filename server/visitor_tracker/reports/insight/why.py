"""Why numbers moved: which sources, pages, places and browsers explain how much of an anomaly.

    the anomaly's day, or hours ─┐
    the same of 4 weeks before ──┴▶ Change ──▶ values beyond an even change ──▶ causes, the best one looked into

All of it reads rollups, but for the look into the best cause, which asks the extracts of one day.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

import msgspec

from visitor_tracker.days import DAY_MS, bounds, date_of, day_of
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.trees import read_tree, written
from visitor_tracker.reports.filters import FilterError
from visitor_tracker.reports.insight.anomalies import Anomaly
from visitor_tracker.reports.insight.causes import Cause, Depth, Noted, Received, Why
from visitor_tracker.reports.insight.details import Inquiry, details_of
from visitor_tracker.reports.insight.moved import FAMILIES, OF_EVENTS, ORIGINS, Change, Moved, change_of, moved
from visitor_tracker.reports.insight.windows import Span, clean, days_of, label, pieces_of_span, spans_of
from visitor_tracker.reports.insight.wording import explained
from visitor_tracker.reports.words import iso
from visitor_tracker.sites import Site, VisitorPolicy
from visitor_tracker.store.arrivals import ArrivalTable
from visitor_tracker.store.insight import InsightTable
from visitor_tracker.store.reports import ReportTable

CAUSES_MOST, OF_A_DIMENSION = 6, 3

_SHARE_LEAST, _EXCESS_LEAST = 0.2, 0.12  # of the change, for a value to be called a cause
_AS_GOOD = 0.9  # of the best excess: a more telling dimension of the family wins, and an origin over the others
_COUNTER = -0.2
_DEPTH_LEAST = 0.5  # of a change of views
_SPREAD_LEAST = 0.35  # of the change, beyond an even one, over many values: then it is no even change
_EVEN_OVER = (Dimension.SOURCE, Dimension.ENTRY, Dimension.COUNTRY)


def why(  # noqa: PLR0913 - the rest by keyword
    table: ReportTable,
    site: Site,
    policy: VisitorPolicy,
    anomaly: Anomaly,
    now_ms: int,
    *,
    others: Iterable[Anomaly] = (),
) -> Why:
    """Return what explains an anomaly; weeks with one of the `others` say nothing of what is usual."""
    spans = spans_of(anomaly, site.timezone)
    before = clean(spans[1:], [each for each in others if each.id != anomaly.id], table, site)
    if not before:
        return _unexplained(table, site, anomaly)
    pieces = [pieces_of_span(anomaly, site, span) for span in (spans[0], *before)]
    change = change_of(table, site.id, anomaly.metric, pieces[0], pieces[1:])
    families = [_family(table, change, family) for family in _families(anomaly)]
    best = sorted((each for each in families if each), key=lambda each: -_telling(each[0]))
    causes = [_cause(site, anomaly, each) for family in best for each in family][:CAUSES_MOST]
    if causes:
        causes[0] = msgspec.structs.replace(
            causes[0],
            details=details_of(
                Inquiry(table, site, policy, now_ms), days_of(anomaly, site.timezone), best[0][0], change
            ),
        )
    found = Why(
        anomaly,
        change.now,
        change.usual,
        [label(anomaly, site.timezone, span) for span in before],
        causes,
        _counters(table, site, anomaly, change),
        not causes and _is_even(table, change),
        _depth(table, change),
        _received(table, site, spans[0], before),
        _annotations(table, site, anomaly),
        "",
        _link(site, anomaly),
        "",
    )
    text = explained(found)
    return msgspec.structs.replace(found, text=text, suggestion=_suggestion(found))


# What.


def _families(anomaly: Anomaly) -> tuple[tuple[Dimension, ...], ...]:
    return OF_EVENTS if anomaly.metric == "events" else FAMILIES


def _family(table: ReportTable, change: Change, family: Sequence[Dimension]) -> list[Moved]:
    """Return the values that are causes, of the one dimension of a family that tells most."""
    found = [_causes(moved(table, change, dimension)) for dimension in family]
    most = max((each[0].excess for each in found if each), default=0.0)
    return next((each[:OF_A_DIMENSION] for each in found if each and each[0].excess >= _AS_GOOD * most), [])


def _telling(found: Moved) -> float:
    """Return the excess, of what is no origin a little less: of two as good, who sent the visits tells more."""
    return found.excess * (1.0 if found.dimension in ORIGINS else _AS_GOOD)


def _causes(values: Sequence[Moved]) -> list[Moved]:
    return [each for each in values if each.share >= _SHARE_LEAST and each.excess >= _EXCESS_LEAST and each.is_certain]


def _is_even(table: ReportTable, change: Change) -> bool:
    """Say whether sources, pages and places all moved alike, not only that none of them stands out."""

    def uneven(dimension: Dimension) -> float:
        return sum(max(0.0, each.excess) for each in moved(table, change, dimension) if each.is_certain)

    return change.size != 0 and all(uneven(dimension) < _SPREAD_LEAST for dimension in _EVEN_OVER)


def _counters(table: ReportTable, site: Site, anomaly: Anomaly, change: Change) -> list[Cause]:
    """Return the sources that moved against the change."""
    values = moved(table, change, Dimension.SOURCE)
    found = [each for each in values if each.share <= _COUNTER and each.is_certain]
    return [_cause(site, anomaly, each) for each in sorted(found, key=lambda each: each.share)[:OF_A_DIMENSION]]


def _cause(site: Site, anomaly: Anomaly, found: Moved) -> Cause:
    name = found.dimension.name.lower()
    return Cause(
        name,
        found.text,
        round(found.share, 4),
        round(found.excess, 4),
        found.now,
        found.usual,
        _filter(name, found.text),
        _link(site, anomaly, name, found.text),
    )


def _filter(name: str, value: str) -> str:
    try:
        return written(read_tree(["is", name, [value]]))
    except FilterError:  # too long to be filtered by
        return ""


def _link(site: Site, anomaly: Anomaly, name: str = "", value: str = "") -> str:
    """Return where the dashboard shows these days, under a filter."""
    first, last = (date_of(day).isoformat() for day in days_of(anomaly, site.timezone))
    period = first if first == last else f"{first}..{last}"
    chosen = ""
    if name:
        escaped = value.replace("\\", "\\\\").replace(",", "\\,")
        chosen = f"&f={quote(f'is,{name},{escaped}', safe=',')}"
    return f"/dashboard/{quote(site.name, safe='')}?period={period}{chosen}"


# What else is known of that time.


def _depth(table: ReportTable, change: Change) -> Depth | None:
    """Return how many views a visit has, where that explains most of a change of views."""
    if change.metric != "views" or not change.size:
        return None
    visits = change_of(table, change.site_id, "visits", change.window, change.before)
    if not visits.now or not visits.usual:
        return None
    now, usual = change.now / visits.now, change.usual / visits.usual
    share = (now - usual) * visits.now / change.size
    return Depth(round(now, 2), round(usual, 2), round(share, 4)) if share >= _DEPTH_LEAST else None


def _received(table: ReportTable, site: Site, span: Span, before: Sequence[Span]) -> Received | None:
    """Return what arrived; None where arrivals were not counted all that time."""
    arrivals = ArrivalTable(table.database)
    since = arrivals.since(site.id)
    if since is None or since > min(each[0] for each in before):
        return None

    def taken(each: Span) -> int:
        return sum(arrived.accepted for _, arrived in arrivals.hours(site.id, *each))

    usual = sorted(map(taken, before))
    return Received(taken(span), (usual[(len(usual) - 1) // 2] + usual[len(usual) // 2]) / 2)


def _annotations(table: ReportTable, site: Site, anomaly: Anomaly) -> list[Noted]:
    first = bounds(site.timezone, day_of(site.timezone, anomaly.start_ms))[0]
    last = max(
        bounds(site.timezone, day_of(site.timezone, anomaly.start_ms))[1], min(anomaly.end_ms, first + 7 * DAY_MS)
    )
    noted = InsightTable(table.database).annotations(site.id, first, last - 1)
    return [Noted(each.id.hex(), iso(each.at), each.text, each.link) for each in noted]


def _suggestion(found: Why) -> str:
    """Return the text of a note that somebody may make."""
    kind = "Rise" if found.anomaly.kind == "spike" else "Dip"
    if found.causes:
        return f"{kind} of {found.anomaly.metric}: {found.causes[0].value}"[:200]
    return f"{kind} of {found.anomaly.metric}"


def _unexplained(table: ReportTable, site: Site, anomaly: Anomaly) -> Why:
    text = f"{anomaly.text} There is no earlier week to compare it with."
    noted = _annotations(table, site, anomaly)
    found = Why(
        anomaly, anomaly.value, anomaly.expected, [], [], [], False, None, None, noted, "", _link(site, anomaly), text
    )
    return msgspec.structs.replace(found, suggestion=_suggestion(found))
