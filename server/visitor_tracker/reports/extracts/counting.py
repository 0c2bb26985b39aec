"""Counts of rows by their values and measures, over all days of a question.

What a row has for each dimension, and its measure, get numbers that are the same for all days. Side by side, a byte
or more for each, they are one word for the row: C code counts how often each word is there.
"""

import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TypeVar

import msgspec

from visitor_tracker.measures import BOUNCES, DURATION, ENGAGED, EVENTS, SINGLES, VIEWS, VISITORS, VISITS, unpacked
from visitor_tracker.reports.extracts.columns import Column, Measure, Measured, Numbers
from visitor_tracker.reports.extracts.lanes import BOUNCE, SINGLE, VISIT, VISITOR
from visitor_tracker.reports.extracts.picking import Picking, Planes, planes_of
from visitor_tracker.reports.numbers import Numbers as Sum

T = TypeVar("T")
Codes = defaultdict[T, int]
Values = tuple[int, ...]  # by dimension
Layout = tuple[int, ...]  # bytes of a word: of the measure, then of each dimension
COMBINATIONS_MOST = 2_000_000  # of values and measures: 500 MB

_WAITING_MOST = 1 << 15  # words of one layout
_TIMES = 3  # as many words as values make it worth to look up every value
_BYTES_MOST = 8
_ONCE = ((VISITOR, VISITORS), (VISIT, VISITS), (BOUNCE, BOUNCES), (SINGLE, SINGLES))
_WORDS = {2: "H", 3: "I", 4: "I", 5: "Q", 6: "Q", 7: "Q", 8: "Q"}


def new_codes() -> Codes[T]:
    """Return numbers for whatever is asked for, from 0."""
    return defaultdict(count().__next__)


class Coding:
    """The numbers that values and measures have in the words of one question."""

    def __init__(self, dimensions: int, measures: Codes[Measure] | None = None) -> None:
        """`measures` are those of other questions that count the same."""
        self.measures: Codes[Measure] = new_codes() if measures is None else measures
        self.values: tuple[Codes[int], ...] = tuple(new_codes() for _ in range(dimensions))
        self._packed: list[int] = []

    def packed(self) -> Sequence[int]:
        """Return what measures come to, by their numbers."""
        if len(self._packed) < len(self.measures):
            self._packed = list(map(_packed, self.measures))
        return self._packed

    def decoded(self, layout: Layout) -> "_Decoding":
        return _Decoding([list(known) for known in self.values], layout)


class _Decoding:
    """Takes the words of one layout apart."""

    def __init__(self, values: Sequence[Sequence[int]], layout: Layout) -> None:
        self._parts = [(known, (1 << 8 * size) - 1, 8 * size) for known, size in zip(values, layout[1:], strict=True)]

    def values(self, word: int) -> Values:
        """Return the values of a word without its measure."""
        found = []
        for known, most, bits in self._parts:
            found.append(known[word & most])
            word >>= bits
        return tuple(found)


class Keyed(msgspec.Struct, frozen=True, gc=False):
    """A word for each row that is meant: its first byte, its second, and so on."""

    layout: Layout
    planes: Sequence[bytes]

    def words(self) -> Sequence[int]:
        return _words(self.planes)


def keyed(coding: Coding, columns: Sequence[Column], measured: Measured, picking: Picking) -> Keyed:
    """Return the words of rows; raises OverflowError where they would have more than eight bytes."""
    measures = coding.measures
    planes = [
        picking.coded(measured, measures, lambda: _coded(measures, measured.measures, picking.planes(measured.places)))
    ]
    for known, column in zip(coding.values, columns, strict=True):
        planes.append(_coded(known, column.values(), picking.planes(column.places)))
    if sum(map(len, planes)) > _BYTES_MOST:
        raise OverflowError
    return Keyed(tuple(map(len, planes)), [plane for each in planes for plane in each])


def _coded(known: Codes[T], each: Sequence[T], places: Planes) -> Planes:
    """Return the first byte of each row's code, the second, and so on."""
    if len(places) == 1:
        codes = list(map(known.__getitem__, each))
        tables = [bytes([code >> 8 * plane & 255 for code in codes]).ljust(256, b"\0") for plane in range(_size(known))]
        return tuple(places[0].translate(table) for table in tables)
    words = _words(places)
    if len(words) < len(each) * _TIMES:
        of_words = {word: known[each[word]] for word in set(words)}
        found = list(map(of_words.__getitem__, words))
    else:
        found = list(map(list(map(known.__getitem__, each)).__getitem__, words))
    size = _size(known)
    code = "H" if size <= 2 else "I"
    return planes_of(Numbers(code, array(code, found).tobytes()))[:size]


def _size(known: Mapping[T, int]) -> int:
    """Return how many bytes the codes have that are known so far."""
    return max(1, ((len(known) - 1).bit_length() + 7) // 8)


def _words(planes: Sequence[bytes]) -> Sequence[int]:
    if len(planes) == 1:
        return planes[0]
    code = _WORDS.get(len(planes))
    if code is None:
        raise OverflowError(f"{len(planes)} bytes")
    found = array(code)
    body = bytearray(len(planes[0]) * found.itemsize)
    for place, plane in enumerate(planes):
        body[place :: found.itemsize] = plane
    found.frombytes(body)
    if sys.byteorder == "big":
        found.byteswap()
    return found


class _Words:
    """How often each word of one layout is there; words are counted once many of them wait."""

    def __init__(self, planes: int) -> None:
        self._planes: list[list[bytes]] = [[] for _ in range(planes)]
        self._waiting = 0
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, planes: Sequence[bytes]) -> None:
        for known, plane in zip(self._planes, planes, strict=True):
            known.append(plane)
        self._waiting += len(planes[0])
        if self._waiting > _WAITING_MOST:
            self._count()

    def counts(self) -> Counter[int]:
        self._count()
        return self._counts

    def _count(self) -> None:
        if self._waiting:
            self._counts.update(_words([b"".join(plane) for plane in self._planes]))
            self._planes = [[] for _ in self._planes]
            self._waiting = 0


class Sums:
    """Of one bucket of time, or of all. Visitors of several rows are noted day by day, and `settle` counts them."""

    def __init__(self) -> None:
        self._counted: dict[Layout, _Words] = {}
        self._taken: dict[Layout, _Words] = {}
        self._times: defaultdict[tuple[Layout, int], defaultdict[int, int]] = defaultdict(_zeros)
        self._more: defaultdict[Values, int] = defaultdict(int)  # packed
        self._people: set[tuple[Values, int]] = set()

    def __len__(self) -> int:
        return sum(map(len, (*self._counted.values(), *self._taken.values())))

    def count(self, rows: Keyed, *, takes_away: bool = False) -> None:
        """Count rows, or take them away from what is counted."""
        counted = self._taken if takes_away else self._counted
        words = counted.get(rows.layout)
        if words is None:
            words = counted[rows.layout] = _Words(len(rows.planes))
        words.add(rows.planes)

    def add_times(self, rows: Keyed, measure: int, numbers: Sequence[int], *, takes_away: bool = False) -> None:
        """Add a number of each row, or take it away; `measure` is the unit of a packed measure."""
        sums = self._times[rows.layout, -measure if takes_away else measure]
        if len(rows.layout) == 1:
            sums[0] += sum(numbers)
            return
        for word, number in zip(rows.words(), numbers, strict=True):
            sums[word] += number

    def add(self, values: Values, number: int) -> None:
        """Add packed measures."""
        self._more[values] += number

    def meet(self, values: Values, visitor: int) -> None:
        """Note a visitor of the day, who may be noted again."""
        self._people.add((values, visitor))

    def meet_all(self, people: Iterable[tuple[Values, int]]) -> None:
        """Note many of them."""
        self._people.update(people)

    def settle(self) -> None:
        """Count the visitors noted; at the end of each day."""
        if self._people:
            for values, _ in self._people:
                self._more[values] += VISITORS
            self._people.clear()

    def numbers(self, coding: Coding) -> Iterator[tuple[Values, Sum]]:
        """Yield everything by values."""
        found = defaultdict(int, self._more)
        for layout, own in self._by_word(coding):
            decoding = coding.decoded(layout)
            for word, number in own.items():
                found[decoding.values(word)] += number
        for values, number in found.items():
            yield values, Sum(*unpacked(number))

    def of_words(self, coding: Coding) -> Sum:
        """Return what all words come to, whatever their values; not what was added and met."""
        return Sum(*unpacked(sum(number for _, own in self._by_word(coding) for number in own.values())))

    def _by_word(self, coding: Coding) -> Iterator[tuple[Layout, dict[int, int]]]:
        """Yield packed measures by words without theirs."""
        of_measures = coding.packed()
        for layout in {*self._counted, *self._taken, *[layout for layout, _ in self._times]}:
            bits = 8 * layout[0]
            own: defaultdict[int, int] = defaultdict(int)
            for counted, sign in ((self._counted, 1), (self._taken, -1)):
                counts = counted[layout].counts() if layout in counted else {}
                for word, times in counts.items():
                    own[word >> bits] += of_measures[word & (1 << bits) - 1] * times * sign
            for measure in (ENGAGED, DURATION, -ENGAGED, -DURATION):
                for word, number in self._times[layout, measure].items():
                    own[word >> bits] += number * measure
            yield layout, own


def _packed(measure: Measure) -> int:
    bits, views, events = measure
    return sum(unit for bit, unit in _ONCE if bits & bit) + views * VIEWS + events * EVENTS


def _zeros() -> defaultdict[int, int]:
    return defaultdict(int)
