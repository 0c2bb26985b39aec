"""Answer a query: rows sorted, cut into pages, named, and compared with another period."""

from collections.abc import Sequence

import msgspec

from visitor_tracker.reports.asking.ask import TIME, Ask
from visitor_tracker.reports.asking.collecting import Collected, collect
from visitor_tracker.reports.asking.cursors import Cursor, write_cursor
from visitor_tracker.reports.asking.forecasting import forecasted
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.ranking import ranked_rows, ranks, rows_of
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.asking.showing import Showing, understood
from visitor_tracker.reports.asking.sorting import sorted_keys
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.numbers import Numbers
from visitor_tracker.store.reports import ReportTable


def answer_query(table: ReportTable, ask: Ask) -> Answered:
    """Return the rows of a query from its offset on; raises QueryError, and what the store raises."""
    if ranks(ask):
        found, keys, in_all = ranked_rows(table, ask)
    else:
        found = _complete(ask, collect(table, ask))
        every = sorted_keys(ask, found)
        keys, in_all = every[ask.offset : ask.offset + ask.limit], len(every)
    showing = Showing(ask, found, _other(table, ask, keys))
    end = ask.offset + len(keys)
    following = write_cursor(Cursor(end, ask.at_ms, ask.digest)) if end < in_all and keys else None
    return Answered(
        understood(ask), showing.rows(keys), showing.totals(), showing.meta(in_all), following, forecasted(table, ask)
    )


def _other(table: ReportTable, ask: Ask, keys: Sequence[Key]) -> tuple[Ask, Collected] | None:
    """Return the same of the period that is compared with."""
    if ask.compared is None:
        return None
    other = ask.of_span(ask.compared)
    return other, rows_of(table, other, keys) if ranks(ask) else _complete(other, collect(table, other))


def _complete(ask: Ask, found: Collected) -> Collected:
    """Return it with a row for every bucket where rows are by time only."""
    if ask.names != (TIME,):
        return found
    places = range(len(buckets_of(ask.question).buckets))
    nothing = Numbers(None if found.visitors_are == "suppressed" else 0)
    return msgspec.structs.replace(found, rows={(place,): found.rows.get((place,), nothing) for place in places})
