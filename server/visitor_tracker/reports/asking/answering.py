"""Answer a query: rows sorted, cut into pages, named, and compared with another period."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from visitor_tracker.reports.asking.ask import TIME, Ask
from visitor_tracker.reports.asking.collecting import NOT_TOLD, Collected, collect, is_of_extracts, tell
from visitor_tracker.reports.asking.cursors import Cursor, write_cursor
from visitor_tracker.reports.asking.forecasting import forecasted
from visitor_tracker.reports.asking.from_extracts import Told
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.ranking import ranked_rows, ranks, rows_of
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.asking.showing import Showing, understood
from visitor_tracker.reports.asking.sorting import sorted_keys
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.store.reports import ReportTable


def answer_query(table: ReportTable, ask: Ask, told: Mapping[Ask, Told] = NOT_TOLD) -> Answered:
    """Return the rows of a query from its offset on; raises QueryError, and what the store raises.

    `told` is what is known beforehand, as of several queries at once.
    """
    if ranks(ask):
        found, keys, in_all = ranked_rows(table, ask)
    else:
        found = _complete(ask, collect(table, ask, told))
        every = sorted_keys(ask, found)
        keys, in_all = every[ask.offset : ask.offset + ask.limit], len(every)
    showing = Showing(ask, found, _other(table, ask, keys, told))
    end = ask.offset + len(keys)
    following = write_cursor(Cursor(end, ask.at_ms, ask.digest)) if end < in_all and keys else None
    return Answered(
        understood(ask), showing.rows(keys), showing.totals(), showing.meta(in_all), following, forecasted(table, ask)
    )


def told_at_once(table: ReportTable, asks: Iterable[Ask]) -> dict[Ask, Told]:
    """Return what extracts tell of several queries, and of what they are compared with, in one pass for each filter."""
    return tell(table, [each for ask in asks for each in (ask, *_others(ask))])


def may_be_told(ask: Ask) -> bool:
    """Say whether there is anything that extracts may tell of a query."""
    return any(map(is_of_extracts, (ask, *_others(ask))))


def is_told(ask: Ask, told: Mapping[Ask, Told]) -> bool:
    """Say whether a query can be answered without reading visits, or events, one by one, and without a forecast."""
    if ask.wants_gains or ask.wanted_goal is not None or ask.forecast:
        return False
    return all(each.origin == "rollups" or each in told for each in (ask, *_others(ask)))


def _others(ask: Ask) -> tuple[Ask, ...]:
    return () if ask.compared is None else (ask.of_span(ask.compared),)


def _other(table: ReportTable, ask: Ask, keys: Sequence[Key], told: Mapping[Ask, Told]) -> tuple[Ask, Collected] | None:
    """Return the same of the period that is compared with."""
    if ask.compared is None:
        return None
    other = ask.of_span(ask.compared)
    return other, rows_of(table, other, keys) if ranks(ask) else _complete(other, collect(table, other, told))


def _complete(ask: Ask, found: Collected) -> Collected:
    """Return it with a row for every bucket where rows are by time only."""
    if ask.names != (TIME,):
        return found
    places = range(len(buckets_of(ask.question).buckets))
    nothing = Numbers(None if found.visitors_are == "suppressed" else 0)
    return msgspec.structs.replace(found, rows={(place,): found.rows.get((place,), nothing) for place in places})
