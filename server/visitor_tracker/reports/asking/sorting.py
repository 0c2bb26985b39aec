"""Rows in the order of a query."""

from collections.abc import Callable

from visitor_tracker.reports.asking.ask import TIME, Ask, Order
from visitor_tracker.reports.asking.collecting import Collected
from visitor_tracker.reports.asking.gains import Gain
from visitor_tracker.reports.asking.groups import Key
from visitor_tracker.reports.asking.metrics import METRICS, Counted, ratio_of, share_measure
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.numbers import Numbers

Rank = Callable[[Key], tuple[bool, float]]


def sorted_keys(ask: Ask, found: Collected) -> list[Key]:
    """Return the keys by the order of the query; what is the same in all of it, by its ids."""
    keys = sorted(found.rows)
    for order in reversed(ask.order):
        if order.name in METRICS:
            keys.sort(key=_by_metric(ask, found, order))
        elif order.name == TIME:
            keys.sort(key=lambda key: key[-1], reverse=order.is_descending)
        else:
            _sort_by_text(keys, ask, found, order)
    return keys


def _sort_by_text(keys: list[Key], ask: Ask, found: Collected, order: Order) -> None:
    place = [name for name in ask.names if name != TIME].index(order.name)
    texts = found.texts({key[place] for key in keys})
    keys.sort(key=lambda key: texts.get(key[place], ""), reverse=order.is_descending)


def _by_metric(ask: Ask, found: Collected, order: Order) -> Rank:
    """Return what sorts by a metric: rows without it last, whatever the direction.

    Where nobody can tell the visitors, visits stand in for them.
    """
    is_hidden = order.name == "visitors" and found.visitors_are == "suppressed"
    metric = METRICS["visits" if is_hidden else order.name]
    count, ratio = counting(ask, found), ratio_of(metric.name, ask.rows)

    def rank(key: Key) -> tuple[bool, float]:
        row = count(key)
        value = metric.value(row)
        if value is None:
            return True, 0
        if ratio is not None:
            value = getattr(row.numbers, ratio[0]) / getattr(row.numbers, ratio[1])
        return False, -value if order.is_descending else value

    return rank


def counting(ask: Ask, found: Collected) -> Callable[[Key], Counted]:
    """Return what says all that is known of a row; of one that is not there, nothing."""
    whole = _whole(ask, found)
    rows, none = ask.rows, Gain()
    nothing = Counted(Numbers(None if found.visitors_are == "suppressed" else 0), rows, none, whole)

    def count(key: Key) -> Counted:
        numbers = found.rows.get(key)
        return nothing if numbers is None else Counted(numbers, rows, found.gains.get(key, none), whole)

    return count


def _whole(ask: Ask, found: Collected) -> int:
    """Return what shares are of: the totals, or the rows together where totals do not count what these do."""
    measure = share_measure(ask.rows)
    if ask.rows == "events" or any(isinstance(each, Field) for each in ask.dimensions):
        return sum(map(measure, found.rows.values()))
    return measure(found.totals.numbers)
