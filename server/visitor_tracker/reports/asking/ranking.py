"""One dimension by one of its own counts, or a ratio of two: rollups find the rows of a page, and read no others."""

from collections.abc import Sequence
from functools import partial

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.collecting import Collected, TextsOf
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.metrics import ratio_of
from visitor_tracker.reports.breakdown import breakdown_said
from visitor_tracker.reports.numbers import Numbers, VisitorsAre
from visitor_tracker.reports.query import ORDERS, Order, pieces_of
from visitor_tracker.reports.totals import totals
from visitor_tracker.store.reports import Measured, Ratio, ReportTable


def ranks(ask: Ask) -> bool:
    """Say whether the database can sort and cut the rows by itself."""
    if ask.origin != "rollups" or ask.by_time or not ask.dimensions or ask.wants_gains or ask.wanted_goal is not None:
        return False
    if ask.rows == "events" and any(metric.name == "share" for metric in ask.metrics):
        return False  # of which all rows are needed
    [*orders] = ask.order
    if len(orders) != 1 or not orders[0].is_descending:
        return False
    return orders[0].name in ORDERS or ratio_of(orders[0].name, ask.rows) is not None


def ranked_rows(table: ReportTable, ask: Ask) -> tuple[Collected, list[Key], int]:
    """Return the rows from the offset on with their keys, and how many there are in all."""
    question, dimension = ask.question, _dimension(ask)
    said = breakdown_said(question)
    rows, in_all = table.breakdown(
        question.site.id,
        dimension,
        pieces_of(question),
        order=_order(ask, said),
        limit=ask.limit,
        offset=ask.offset,
    )
    texts = partial(table.texts, question.site.id, known={row.value: row.text for row in rows if row.text is not None})
    found = _collected(table, ask, {(row.value,): row.measured for row in rows}, said, texts)
    return found, [(row.value,) for row in rows], in_all


def rows_of(table: ReportTable, ask: Ask, keys: Sequence[Key]) -> Collected:
    """Return these rows."""
    question = ask.question
    found = table.sums_of(question.site.id, _dimension(ask), pieces_of(question), [key[0] for key in keys])
    rows: dict[Key, Measured] = {(value,): measured for value, measured in found.items()}
    return _collected(table, ask, rows, breakdown_said(question), partial(table.texts, question.site.id))


def _collected(table: ReportTable, ask: Ask, rows: dict[Key, Measured], said: VisitorsAre, texts: TextsOf) -> Collected:
    hides = said == "suppressed"
    numbers = {key: Numbers(None if hides else row[0], *row[1:]) for key, row in rows.items()}
    return Collected(totals(table, ask.question), numbers, said, texts, "rollups")


def _order(ask: Ask, said: VisitorsAre) -> Order | Ratio:
    """Return by what is sorted: by visits where nobody can tell the visitors."""
    name = ask.order[0].name
    if (ratio := ratio_of(name, ask.rows)) is not None:
        return ratio
    return next(each for each in ORDERS if each == ("visits" if name == "visitors" and said == "suppressed" else name))


def _dimension(ask: Ask) -> Dimension:
    [dimension] = (each for each in ask.dimensions if isinstance(each, Dimension))
    return dimension
