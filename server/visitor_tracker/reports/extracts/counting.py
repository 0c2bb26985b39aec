"""Counts of rows by their values and measures, over all days of a question.

What a row has for each dimension, and its measure, get numbers that are the same for all days. Side by side, a byte
or more for each, they are one word for the row: C code counts how often each word is there.
"""

import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count
from operator import itemgetter
from typing import TypeVar

import msgspec

from visitor_tracker.measures import BOUNCES, DURATION, ENGAGED, EVENTS, SINGLES, VIEWS, VISITORS, VISITS, unpacked
from visitor_tracker.reports.extracts.columns import Column, Measure, Numbers
from visitor_tracker.reports.extracts.lanes import BOUNCE, SINGLE, VISIT, VISITOR
from visitor_tracker.reports.extracts.masks import Mask, either, is_any
from visitor_tracker.reports.numbers import Numbers as Sum

T = TypeVar("T")
Values = tuple[int, ...]  # by dimension
Layout = tuple[int, ...]  # bytes of a word: of the measure, then of each dimension
COMBINATIONS_MOST = 2_000_000  # of values and measures: 500 MB

_SEARCHED_MOST = 32  # different words of a byte: fewer are counted faster one word at a time
_BEYOND = bytes([255, 0]).ljust(256, b"\0")  # what is not meant becomes a word that there is not
_ONCE = ((VISITOR, VISITORS), (VISIT, VISITS), (BOUNCE, BOUNCES), (SINGLE, SINGLES))
_WORDS = {2: "H", 3: "I", 4: "I", 5: "Q", 6: "Q", 7: "Q", 8: "Q"}


class Coding:
    """The numbers that values and measures have in the words of one question."""

    def __init__(self, dimensions: int) -> None:
        self.measures: defaultdict[Measure, int] = defaultdict(count().__next__)
        self.values: tuple[defaultdict[int, int], ...] = tuple(defaultdict(count().__next__) for _ in range(dimensions))

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
    """A word for each row; `measures` is the largest number that a measure has."""

    layout: Layout
    words: Sequence[int]
    measures: int


def keyed(coding: Coding, columns: Sequence[Column], measures: Sequence[Measure], places: Numbers) -> Keyed:
    """Return the words of all rows; raises OverflowError where they would have more than eight bytes."""
    codes = _codes(coding.measures, measures)
    planes = [_planes(codes, places)]
    for known, column in zip(coding.values, columns, strict=True):
        planes.append(_planes(_codes(known, column.values()), column.places))
    return Keyed(tuple(map(len, planes)), _words([plane for each in planes for plane in each]), max(codes, default=0))


def _codes(known: defaultdict[T, int], each: Sequence[T]) -> list[int]:
    return list(map(known.__getitem__, each))


def _planes(codes: Sequence[int], places: Numbers) -> list[bytes]:
    """Return the first byte of each row's code, the second, and so on."""
    size = max(1, (max(codes, default=0).bit_length() + 7) // 8)
    if places.code == "B":
        tables = [bytes([code >> 8 * plane & 255 for code in codes]).ljust(256, b"\0") for plane in range(size)]
        return [places.body.translate(table) for table in tables]
    found = array("I", map(codes.__getitem__, places.each()))
    if sys.byteorder == "big":
        found.byteswap()
    body = found.tobytes()
    return [body[plane :: found.itemsize] for plane in range(size)]


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


class Sums:
    """Of one bucket of time, or of all. Visitors of several rows are noted day by day, and `settle` counts them."""

    def __init__(self) -> None:
        self._counted: defaultdict[Layout, Counter[int]] = defaultdict(Counter)
        self._taken: defaultdict[Layout, Counter[int]] = defaultdict(Counter)
        self._times: defaultdict[tuple[Layout, int], defaultdict[int, int]] = defaultdict(_zeros)
        self._more: defaultdict[Values, int] = defaultdict(int)  # packed
        self._people: set[tuple[Values, int]] = set()

    def __len__(self) -> int:
        return sum(map(len, (*self._counted.values(), *self._taken.values())))

    def count(self, rows: Keyed, mask: Mask, *, takes_away: bool = False) -> None:
        """Count the rows that are meant, or take them away from what is counted."""
        if not is_any(mask):
            return
        counted, words = (self._taken if takes_away else self._counted)[rows.layout], rows.words
        if isinstance(words, bytes) and rows.measures < _SEARCHED_MOST:
            here = either(words, mask.translate(_BEYOND))
            for word in range(rows.measures + 1):
                if times := here.count(word):
                    counted[word] += times
        else:
            counted.update(compress(words, mask) if 0 in mask else words)

    def add_times(self, rows: Keyed, mask: Mask, measure: int, numbers: Numbers, *, takes_away: bool = False) -> None:
        """Add a number of each row that is meant, or take it away; `measure` is the unit of a packed measure."""
        if not is_any(mask):
            return
        sums = self._times[rows.layout, -measure if takes_away else measure]
        if len(rows.layout) == 1:
            sums[0] += sum(compress(numbers.each(), mask))
            return
        for word, number in zip(compress(rows.words, mask), compress(numbers.each(), mask), strict=True):
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
        for values, times in Counter(map(itemgetter(0), self._people)).items():
            self._more[values] += VISITORS * times
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
        of_measures = [_packed(measure) for measure in coding.measures]
        for layout in {*self._counted, *self._taken, *[layout for layout, _ in self._times]}:
            bits = 8 * layout[0]
            own: defaultdict[int, int] = defaultdict(int)
            for word, times in self._counted[layout].items():
                own[word >> bits] += of_measures[word & (1 << bits) - 1] * times
            for word, times in self._taken[layout].items():
                own[word >> bits] -= of_measures[word & (1 << bits) - 1] * times
            for measure in (ENGAGED, DURATION, -ENGAGED, -DURATION):
                for word, number in self._times[layout, measure].items():
                    own[word >> bits] += number * measure
            yield layout, own


def _packed(measure: Measure) -> int:
    bits, views, events = measure
    return sum(unit for bit, unit in _ONCE if bits & bit) + views * VIEWS + events * EVENTS


def _zeros() -> defaultdict[int, int]:
    return defaultdict(int)
