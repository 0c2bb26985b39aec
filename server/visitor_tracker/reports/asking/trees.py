"""Filters as JSON, and any filter written out as text.

    {"and": […]}  {"or": […]}  {"not": …}  [operator, name, values]

The result is the same tree that the language of `reports.filters` is read into, within the same bounds.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import FIELDS, PROPERTY, Field, number_of, property_field, shown
from visitor_tracker.reports.filters import (
    CONDITIONS,
    CONDITIONS_MOST,
    DEPTH_MOST,
    FILTERED,
    LENGTH_MOST,
    VALUES_MOST,
    All,
    AnyOf,
    Compared,
    Comparison,
    Contains,
    Filter,
    FilterError,
    Is,
    Not,
    TextOperator,
    Told,
    read_filter,
    spelled,
)

Tree = str | list[object] | dict[str, object]

_TEXTS: dict[str, tuple[TextOperator, bool]] = {
    "is": ("is", False),
    "is_not": ("is", True),
    "contains": ("contains", False),
    "not_contains": ("contains", True),
    "matches": ("glob", False),
    "not_matches": ("glob", True),
}
_COMPARISONS: dict[str, Comparison] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_GROUPS = ("and", "or", "not")
_EXPECTED = '{"and": […]}, {"or": […]}, {"not": …} or [operator, name, values]'
_NUMBER_MOST = 1e30
_SHOWN = 40  # characters of what was wrong
_ESCAPED = re.compile(r'(["\\])')


def read_tree(tree: Tree) -> Filter:
    """Return the filter that a text or a JSON tree says; raises FilterError."""
    return read_filter(tree) if isinstance(tree, str) else _Reader().node(tree, 1)


class _Reader:
    """Counts what one tree has; used once."""

    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0

    def node(self, node: object, depth: int) -> Filter:
        if depth > DEPTH_MOST:
            raise FilterError(f"filters are more than {DEPTH_MOST} deep")
        if isinstance(node, Mapping):
            return self._group(node, depth)
        if isinstance(node, list):
            return self._condition(node)
        raise FilterError(f"filters: expected {_EXPECTED}, not {_of(node)}")

    def _group(self, node: Mapping[object, object], depth: int) -> Filter:
        if len(node) != 1 or next(iter(node)) not in _GROUPS:
            raise FilterError(f"filters: an object has one key of {', '.join(_GROUPS)}, not {_of(list(node))}")
        [(word, inner)] = node.items()
        if word == "not":
            return Not(self.node(inner, depth + 1))
        if not isinstance(inner, list) or not inner:
            raise FilterError(f'filters: "{word}" has a list of at least one filter, not {_of(inner)}')
        parts = tuple([self.node(each, depth + 1) for each in inner])
        if len(parts) == 1:
            return parts[0]
        return All(parts) if word == "and" else AnyOf(parts)

    def _condition(self, node: Sequence[object]) -> Filter:
        self._conditions += 1
        if self._conditions > CONDITIONS_MOST:
            raise FilterError(f"filters have more than {CONDITIONS_MOST} conditions")
        if len(node) != 3:
            raise FilterError(f"filters: a condition is [operator, name, values], not {_of(node)}")
        operator, name, values = node
        named = _named(name)
        given = values if isinstance(values, list) else [values]
        self._values += len(given)
        if not given or self._values > VALUES_MOST:
            raise FilterError(f"filters: a condition has at least one value, and all have at most {VALUES_MOST}")
        if isinstance(operator, str) and operator in _COMPARISONS:
            return _compared(named, operator, given)
        if not isinstance(operator, str) or operator not in _TEXTS:
            raise FilterError(
                f"filters: there is no operator {_of(operator)}: use {', '.join((*_TEXTS, *_COMPARISONS))}"
            )
        text_operator, is_not = _TEXTS[operator]
        found = _fitting(named, text_operator, tuple([_text(each) for each in given]))
        return Not(found) if is_not else found


def _named(name: object) -> Dimension | Field:
    if isinstance(name, str):
        if name.startswith(PROPERTY):
            try:
                return property_field(name.removeprefix(PROPERTY))
            except ValueError as error:
                raise FilterError(f"filters: {error}") from error
        found = FILTERED.get(name) or FIELDS.get(name)
        if found is not None:
            return found
    raise FilterError(f"filters know no {_of(name)}: use {', '.join([*FILTERED, *FIELDS, f'{PROPERTY}NAME'])}")


def _fitting(named: Dimension | Field, operator: TextOperator, values: tuple[str, ...]) -> Filter:
    if operator != "is" and "" in values:
        raise FilterError(f'filters: {operator} "" fits everything: use is ""')
    if isinstance(named, Field):
        return Told(named, operator, values)
    return CONDITIONS[operator](named, tuple([spelled(named, value) for value in values]))


def _compared(named: Dimension | Field, operator: str, values: Sequence[object]) -> Filter:
    if not isinstance(named, Field) or not named.is_number:
        raise FilterError(f"filters: {operator} compares numbers: value, scroll or {PROPERTY}NAME")
    number = _number(values[0]) if len(values) == 1 else None
    if number is None:
        raise FilterError(f"filters: {operator} takes one number such as 9.99, not {_of(values)}")
    return Compared(named, _COMPARISONS[operator], number)


def _number(value: object) -> int | float | None:
    number = number_of(value) if isinstance(value, str | int | float) else None
    if number is None or not math.isfinite(number) or abs(number) >= _NUMBER_MOST:
        return None
    return number


def _text(value: object) -> str:
    if not isinstance(value, str | int | float):
        raise FilterError(f"filters: a value is a text, a number, true or false, not {_of(value)}")
    if isinstance(value, int | float) and not isinstance(value, bool) and _number(value) is None:
        raise FilterError("filters: a number is too large")
    text = shown(value)
    if len(text) > LENGTH_MOST:
        raise FilterError(f"filters: a value has {len(text)} characters: {LENGTH_MOST} is the most")
    return text


def _of(value: object) -> str:
    """Return what was given, short enough for a message."""
    if isinstance(value, Mapping | list | tuple) and len(value) > 3:
        return f"{len(value)} parts"
    said = repr(value) if isinstance(value, str | int | float | bool) else str(value)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def written(filters: Filter) -> str:
    """Return a filter as text that reads as the same filter."""
    if isinstance(filters, Not):
        return f"not {_inner(filters.inner)}"
    if isinstance(filters, All):
        return " and ".join(map(_inner, filters.parts))
    if isinstance(filters, AnyOf):
        return " or ".join(map(_inner, filters.parts))
    if isinstance(filters, Compared):
        return f"{_name(filters.field)} {filters.comparison} {Decimal(repr(filters.number)):f}"
    if isinstance(filters, Told):
        return f"{_name(filters.field)} {filters.operator} {_values(filters.values)}"
    operator = "is" if isinstance(filters, Is) else "contains" if isinstance(filters, Contains) else "glob"
    return f"{filters.dimension.name.lower()} {operator} {_values(filters.values)}"


def _inner(filters: Filter) -> str:
    return f"({written(filters)})" if isinstance(filters, All | AnyOf) else written(filters)


def _name(field: Field) -> str:
    if not field.name.startswith(PROPERTY):
        return field.name
    return f"{PROPERTY}{_quoted(field.name.removeprefix(PROPERTY))}"


def _values(values: Sequence[str]) -> str:
    return ",".join(map(_quoted, values))


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(r"\\\1", text) + '"'
