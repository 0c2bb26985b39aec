"""The language of filters: `country is DE,FR and not page glob /blog/*`, as users write it and as a tree.

    filter     all ("or" all)*
    all        one ("and" one)*
    one        "not" one | "(" filter ")" | dimension operator value ("," value)* | field comparison number
    operator   "is" | "contains" | "glob", each also with "not" behind it or before it ("is not", "not contains")
    comparison ">" | ">=" | "<" | "<="
    field      "value" | "scroll" | "prop:" and the name of a property, in "…" where a value would be
    value      a word without spaces, commas, quotes and parentheses, or any text in "…" where \\" and \\\\ are " and \\

Several values mean any of them. `is` compares whole texts, and "" is a visit without one; `contains` ignores case;
in `glob` a * stands for any text and a ? for one character. What a condition selects is said in `selection`, and in
`matching` for filters that name what only events tell.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from visitor_tracker.errors import TrackerError
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import FIELDS, PROPERTY, Field, number_of, property_field

LENGTH_MOST = 2_000  # characters
DEPTH_MOST = 16
CONDITIONS_MOST = 32
VALUES_MOST = 200  # of all conditions together

OF_VISITS = frozenset(Dimension(number) for number in range(Dimension.SOURCE, Dimension.SCREEN + 1)) | {
    Dimension.ENTRY,
    Dimension.EXIT,
}
OF_LOOKS = frozenset({Dimension.PAGE, Dimension.HOST})
OF_ACTS = frozenset({Dimension.EVENT, Dimension.OUTBOUND, Dimension.DOWNLOAD, Dimension.FORM, Dimension.CLICK})
FILTERED = {each.name.lower(): each for each in sorted(OF_VISITS | OF_LOOKS | OF_ACTS)}

_UPPER = frozenset({Dimension.COUNTRY})
_LOWER = frozenset({Dimension.CHANNEL, Dimension.DEVICE, Dimension.HOST})
TextOperator = Literal["is", "contains", "glob"]
Comparison = Literal[">", ">=", "<", "<="]

_TEXT_OPERATORS: dict[str, TextOperator] = {operator: operator for operator in get_args(TextOperator)}
_COMPARISONS: dict[str, Comparison] = {comparison: comparison for comparison in get_args(Comparison)}
_WORDS = frozenset({"and", "or", "not", *_TEXT_OPERATORS})
_TOKEN = re.compile(r'\s*(?:(?P<mark>[(),])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[^\s(),"]+))', re.DOTALL)


class FilterError(TrackerError):
    """A filter that cannot be read; the message names the place and what is expected there."""


@dataclass(frozen=True, slots=True)
class Is:
    """The value is one of these texts."""

    dimension: Dimension
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The value has one of these texts in it, whatever their case."""

    dimension: Dimension
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Glob:
    """The whole value fits one of these patterns of * and ?."""

    dimension: Dimension
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What an event tells fits one of these texts, by the operator."""

    field: Field
    operator: TextOperator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What an event tells is a number that is more, or less, than this one."""

    field: Field
    comparison: Comparison
    number: int | float


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Filter"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Filter", ...]


Condition = Is | Contains | Glob
EventCondition = Told | Compared
Filter = Condition | EventCondition | Not | All | AnyOf

_EXPECTED = "is, contains or glob"
CONDITIONS: dict[TextOperator, type[Is] | type[Contains] | type[Glob]] = {"is": Is, "contains": Contains, "glob": Glob}


def read_filter(text: str) -> Filter:
    """Return the tree of a filter; raises FilterError."""
    if len(text) > LENGTH_MOST:
        raise FilterError(f"the filter has {len(text)} characters: {LENGTH_MOST} is the most")
    return _Reader(list(_tokens(text)), len(text)).whole()


def names_events(filters: Filter | None) -> bool:
    """Say whether a filter asks for what only events tell."""
    if isinstance(filters, Not):
        return names_events(filters.inner)
    if isinstance(filters, All | AnyOf):
        return any(map(names_events, filters.parts))
    return isinstance(filters, EventCondition)


def matcher(condition: Condition) -> Callable[[str], bool]:
    """Return the test of a condition for texts."""
    operator: TextOperator = (
        "is" if isinstance(condition, Is) else "contains" if isinstance(condition, Contains) else "glob"
    )
    return text_matcher(operator, condition.values)


def text_matcher(operator: TextOperator, values: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a text fits one of the values."""
    if operator == "is":
        return frozenset(values).__contains__
    if operator == "contains":
        wanted = tuple(value.casefold() for value in values)
        return lambda text: any(map(text.casefold().__contains__, wanted))
    patterns = [_glob(pattern) for pattern in values]
    return lambda text: any(fits(text) for fits in patterns)


def _glob(pattern: str) -> Callable[[str], bool]:
    """Return whether a text fits. The pieces between stars are searched one after the other, each from where the last
    one ended: a single regular expression with many stars would take exponentially long for some texts.
    """
    first, *rest = (re.compile(re.escape(piece).replace(r"\?", "."), re.DOTALL) for piece in re.split(r"\*+", pattern))
    if not rest:
        return lambda text: first.fullmatch(text) is not None
    *middle, last = rest
    last_length = len(re.split(r"\*+", pattern)[-1])

    def fits(text: str) -> bool:
        found = first.match(text)
        for piece in middle:
            found = found and piece.search(text, found.end())
        start = len(text) - last_length
        return found is not None and found.end() <= start and last.match(text, start) is not None

    return fits


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    place: int  # of its first character, from 1
    is_quoted: bool = False
    is_mark: bool = False

    @property
    def keyword(self) -> str:
        return "" if self.is_quoted or self.is_mark else self.text.lower()


def _tokens(text: str) -> Iterator[_Token]:
    end = len(text.rstrip())
    place = 0
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            raise FilterError(f'filter, character {start + 1}: the " is never closed')
        kind = found.lastgroup or "word"
        said = found[kind]
        if kind == "quoted":
            said = re.sub(r"\\(.)", r"\1", said, flags=re.DOTALL)
        start = found.start(kind) - (kind == "quoted")
        yield _Token(said, start + 1, kind == "quoted", kind == "mark")
        place = found.end()


class _Reader:
    """Reads the tokens of one filter from the left; used once, by one thread."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self._tokens = tokens
        self._end = _Token("", length + 1, is_mark=True)
        self._at = 0
        self._conditions = 0
        self._values = 0

    def whole(self) -> Filter:
        found = self._either(1)
        if self._next.text or self._next is not self._end:
            raise self._unexpected('"and", "or" or the end')
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else self._end

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _takes(self, keyword: str) -> bool:
        if self._next.keyword != keyword:
            return False
        self._at += 1
        return True

    def _takes_mark(self, mark: str) -> bool:
        if not (self._next.is_mark and self._next.text == mark):
            return False
        self._at += 1
        return True

    def _either(self, depth: int) -> Filter:
        parts = [self._all(depth)]
        while self._takes("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self, depth: int) -> Filter:
        parts = [self._one(depth)]
        while self._takes("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Filter:
        if depth > DEPTH_MOST:
            raise FilterError(
                f"filter, character {self._next.place}: more than {DEPTH_MOST} of ( and not in each other"
            )
        if self._takes("not"):
            return Not(self._one(depth + 1))
        if self._takes_mark("("):
            found = self._either(depth + 1)
            if not self._takes_mark(")"):
                raise self._unexpected('"and", "or" or ")"')
            return found
        return self._condition()

    def _condition(self) -> Filter:
        self._conditions += 1
        if self._conditions > CONDITIONS_MOST:
            raise FilterError(f"filter, character {self._next.place}: more than {CONDITIONS_MOST} conditions")
        named = self._named()
        if isinstance(named, Field) and named.is_number and self._next.keyword in _COMPARISONS:
            return Compared(named, _COMPARISONS[self._take().keyword], self._number())
        is_not = self._takes("not")
        operator = _TEXT_OPERATORS.get(self._next.keyword)
        if operator is None:
            comparisons = isinstance(named, Field) and named.is_number and not is_not
            raise self._unexpected(f"is, contains, glob, {', '.join(_COMPARISONS)}" if comparisons else _EXPECTED)
        self._take()
        is_not ^= self._takes("not")
        found: Filter
        if isinstance(named, Field):
            found = Told(named, operator, self._read_values(named, operator))
        else:
            found = CONDITIONS[operator](named, self._read_values(named, operator))
        return Not(found) if is_not else found

    def _named(self) -> Dimension | Field:
        token = self._next
        name = token.keyword
        if name.startswith(PROPERTY):
            self._take()
            return self._property(token)
        found = FILTERED.get(name) or FIELDS.get(name)
        if found is None:
            raise self._unexpected(f"one of {', '.join([*FILTERED, *FIELDS, f'{PROPERTY}NAME'])}")
        self._take()
        return found

    def _property(self, token: _Token) -> Field:
        """Return the property that a token names, or the "…" behind it."""
        name = token.text[len(PROPERTY) :]
        if not name and self._next.is_quoted and self._next.place == token.place + len(PROPERTY):
            name = self._take().text
        try:
            return property_field(name)
        except ValueError as error:
            raise FilterError(f"filter, character {token.place}: {error}") from error

    def _number(self) -> int | float:
        found = None if self._next.is_mark else number_of(self._next.text)
        if found is None:
            raise self._unexpected("a number such as 10 or 9.99")
        self._take()
        return found

    def _read_values(self, named: Dimension | Field, operator: str) -> tuple[str, ...]:
        values: list[str] = []
        while not values or self._takes_mark(","):
            token = self._next
            if token.is_mark or token.keyword in _WORDS:
                raise self._unexpected('a value (in "…" where it has spaces, commas or parentheses, or is such a word)')
            if operator != "is" and not token.text:
                raise FilterError(f'filter, character {token.place}: {operator} "" fits everything: write is ""')
            self._take()
            values.append(token.text if isinstance(named, Field) else spelled(named, token.text))
            self._values += 1
            if self._values > VALUES_MOST:
                raise FilterError(f"filter, character {token.place}: more than {VALUES_MOST} values")
        return tuple(values)

    def _unexpected(self, expected: str) -> FilterError:
        token = self._next
        found = f'not "{_shortened(token.text)}"' if token is not self._end else "but the filter ends"
        return FilterError(f"filter, character {token.place}: expected {expected}, {found}")


def spelled(dimension: Dimension, value: str) -> str:
    """Return a value as it is stored, where all values are in one case."""
    if dimension in _UPPER:
        return value.upper()
    return value.lower() if dimension in _LOWER else value


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
