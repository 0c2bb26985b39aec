"""A filter as a scan uses it: a tree of tests without any `not`, each of which judges a value once."""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from visitor_tracker.event import Property
from visitor_tracker.measures import text_id
from visitor_tracker.reports.fields import number_of, shown
from visitor_tracker.reports.filters import (
    All,
    AnyOf,
    Compared,
    Comparison,
    Condition,
    EventCondition,
    Filter,
    Is,
    Not,
    Told,
    matcher,
    text_matcher,
)
from visitor_tracker.sessions.profiles import TEXT_MOST

Verdicts = tuple[bool, ...]  # of some tests, in their order

_REMEMBERED = 200_000  # verdicts of one condition
_TOLD_REMEMBERED = 20_000  # of which the texts are kept too
_COMPARED: dict[Comparison, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Test:
    """A condition, with or without a not, as a test of ids; belongs to one scan, and judges each text once."""

    def __init__(self, condition: Condition, *, is_not: bool) -> None:
        self.dimension = int(condition.dimension)
        self._is_not = is_not
        self._ids = (
            frozenset(text_id(text[:TEXT_MOST]) for text in condition.values) if isinstance(condition, Is) else None
        )
        self._fits = matcher(condition)
        self._verdicts: dict[int, bool] = {}

    def exact(self, values: Sequence[int]) -> list[bool] | None:
        """Return what holds of each of these, where their ids tell; else None."""
        if self._ids is None:
            return None
        found = list(map(self._ids.__contains__, values))
        return list(map(operator.not_, found)) if self._is_not else found

    def unknown(self, values: Iterable[int]) -> set[int]:
        """Return those of which the text is needed before `holds` may be asked."""
        if self._ids is not None:
            return set()
        if len(self._verdicts) > _REMEMBERED:
            self._verdicts.clear()
        return {value for value in values if value and value not in self._verdicts}

    def learn(self, texts: dict[int, str], values: Iterable[int]) -> None:
        """Judge the texts; one that is not known fits nothing."""
        for value in values:
            text = texts.get(value)
            self._verdicts[value] = text is not None and self._fits(text)

    def holds(self, value: int) -> bool:
        fits = value in self._ids if self._ids is not None else value != 0 and self._verdicts[value]
        return fits != self._is_not


class EventTest:
    """A condition of what an event tells, with or without a not."""

    def __init__(self, condition: EventCondition, *, is_not: bool) -> None:
        self.field = condition.field
        self._is_not = is_not
        self._fits = _comparing(condition) if isinstance(condition, Compared) else _fitting(condition)

    def holds(self, value: Property) -> bool:
        return self._fits(value) != self._is_not


@dataclass(frozen=True, slots=True)
class Group:
    """Tests of which all must hold, or any."""

    parts: "tuple[Test | EventTest | Group, ...]"
    needs_all: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Every `not` has been brought to a test."""

    root: Test | EventTest | Group
    tests: tuple[Test, ...]
    event_tests: tuple[EventTest, ...] = ()


def plan_of(filters: Filter | None) -> Plan:
    """Return the plan of a filter; without one everything is selected."""
    tests: list[Test | EventTest] = []
    root = _planned(filters or All(()), tests, is_not=False)
    return Plan(
        root,
        tuple(test for test in tests if isinstance(test, Test)),
        tuple(test for test in tests if isinstance(test, EventTest)),
    )


def holds(node: Test | EventTest | Group, known: Callable[[Test | EventTest], bool]) -> bool:
    """Say whether a plan's tree holds where its tests do as `known` says."""
    if not isinstance(node, Group):
        return known(node)
    verdicts = (holds(part, known) for part in node.parts)
    return all(verdicts) if node.needs_all else any(verdicts)


def _planned(filters: Filter, tests: list[Test | EventTest], *, is_not: bool) -> Test | EventTest | Group:
    if isinstance(filters, Not):
        return _planned(filters.inner, tests, is_not=not is_not)
    if isinstance(filters, All | AnyOf):
        parts = tuple(_planned(part, tests, is_not=is_not) for part in filters.parts)
        return Group(parts, isinstance(filters, All) != is_not)
    test = EventTest(filters, is_not=is_not) if isinstance(filters, EventCondition) else Test(filters, is_not=is_not)
    tests.append(test)
    return test


def _fitting(condition: Told) -> Callable[[Property], bool]:
    """Return the test for values as they are shown; a number is also any other spelling of it."""
    fits = text_matcher(condition.operator, [value[:TEXT_MOST] for value in condition.values])
    if condition.operator != "is":
        return _remembering(fits)
    numbers = {number for value in condition.values if (number := number_of(value)) is not None}

    def is_one(value: Property) -> bool:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value in numbers
        return fits(shown(value))

    return is_one


def _remembering(fits: Callable[[str], bool]) -> Callable[[Property], bool]:
    """Return the test for values as they are shown: most events tell one of a few."""
    known: dict[str, bool] = {"": False}

    def remembered(value: Property) -> bool:
        text = shown(value)
        found = known.get(text)
        if found is None:
            if len(known) > _TOLD_REMEMBERED:
                known.clear()
                known[""] = False
            found = known[text] = fits(text)
        return found

    return remembered


def _comparing(condition: Compared) -> Callable[[Property], bool]:
    compare, bound = _COMPARED[condition.comparison], condition.number

    def is_so(value: Property) -> bool:
        number = number_of(value)
        return number is not None and compare(number, bound)

    return is_so
