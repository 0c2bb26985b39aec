"""The columns of an extract, and how they are stored: each part by itself, so that a question reads what it needs.

rows    a row for each session, day and visit: whether it counts, its numbers, who has several
told    what rows have for a dimension of visits: a part for each dimension of which any row has something
looks   what rows looked at: the first look of each, then the second of those that have one, and so on
acts    what they did
times   engaged time and duration, of rows and of looks
wholes  the few visits of several rows, for filters that have to see all of a visit

Rows, looks and acts have few different measures, so each has the place of its own among these. Rows are in the order
of how many looks they have: so the rows of all first looks, of all second looks … are the first ones of all, and what
rows have is spread over looks, and back, by slices.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.session import VisitorSession

VERSION = 4  # of the format: another one makes all extracts again

# Bits of a row beside those of `lanes`: it counts for all but ends, and for ends; its visit has several rows.
COUNTS, ENDS, OF_SEVERAL = 16, 32, 128
# Bits of a look: the row's visitor counts for its page, its host, both; the visit begins for these.
PAGE_VISITOR, HOST_VISITOR, BOTH_VISITOR, PAGE_VISIT, HOST_VISIT, BOTH_VISIT = (1 << bit for bit in range(6))
ACT_VISITOR, ACT_VISIT = PAGE_VISITOR, PAGE_VISIT
VISITOR_BITS = PAGE_VISITOR | HOST_VISITOR | BOTH_VISITOR
SEVERAL = 64  # of looks and acts: the visitor has several rows. OF_SEVERAL is as of rows

OF_ROWS = (int(Dimension.ENTRY), int(Dimension.EXIT), *range(Dimension.SOURCE, Dimension.SCREEN + 1))

MARK = 255  # no byte of a place among values or measures: stands for what is not meant

_PLACE_BYTES = 4
_CODES = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 63, "Q"))

T = TypeVar("T")
Places = Sequence[int]
Measure = tuple[int, int, int]  # bits, views, actions


class Numbers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A number for each row, in as few bytes as the largest takes."""

    code: str
    body: bytes

    def __len__(self) -> int:
        return len(self.body) // array(self.code).itemsize

    def each(self) -> Places:
        if self.code == "B":
            return self.body
        found = array(self.code)
        found.frombytes(self.body)
        return found


class Column(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Ids by row: `ids` has them, `places` which of them a row has."""

    ids: bytes
    places: Numbers

    def values(self) -> "array[int]":
        found = array("q")
        found.frombytes(self.ids)
        return found


class Measured(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Measures by row: `measures` has them, `places` which of them a row has."""

    measures: tuple[Measure, ...]
    places: Numbers

    def where(self, holds: Callable[[Measure], object]) -> bytes:
        """Return for each row whether its measure is such a one: 1 or 0."""
        flags = bytes([1 if holds(measure) else 0 for measure in self.measures])
        if self.places.code == "B":
            return self.places.body.translate(flags.ljust(256, b"\0"))
        return bytes(map(flags.__getitem__, self.places.each()))

    def having(self, bits: int) -> bytes:
        """Return for each row whether it has one of these bits."""
        return self.where(lambda measure: measure[0] & bits)


class Rows(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`again_rows` have a visitor who has several rows: `again_visitors` says which rows have the same one.

    The visitors of other rows are among their bits. `told` are the dimensions of which there are parts.
    """

    count: int
    measured: Measured
    again_rows: Numbers
    again_visitors: Numbers
    told: tuple[int, ...]

    def again(self) -> "zip[tuple[int, int]]":
        return zip(self.again_rows.each(), self.again_visitors.each(), strict=True)


class Again(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Looks, or acts, by which a visitor of several rows counts: their places, and who it is."""

    places: Numbers
    visitors: Numbers


class Looks(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Looks at pages: those of the first `widths[0]` rows, then second ones of the first `widths[1]`, and so on."""

    widths: tuple[int, ...]
    page: Column
    host: Column
    measured: Measured
    again: Again

    @property
    def count(self) -> int:
        return len(self.measured.places)

    def owners(self) -> Places:
        """Return the row of each look."""
        return array("I", chain.from_iterable(map(range, self.widths)))

    def spread(self, column: Column) -> Column:
        """Return what the rows of looks have."""
        code, body = column.places.code, column.places.body
        size = array(code).itemsize
        return Column(column.ids, Numbers(code, b"".join([body[: size * width] for width in self.widths])))


class Acts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Actions of rows; `dimensions` has the sort of each."""

    rows: Numbers
    dimensions: bytes
    value: Column
    measured: Measured
    again: Again

    def spread(self, column: Column) -> Column:
        """Return what the rows of acts have."""
        places = column.places
        each = map(places.each().__getitem__, self.rows.each())
        body = bytes(each) if places.code == "B" else array(places.code, each).tobytes()
        return Column(column.ids, Numbers(places.code, body))


class RowTimes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    engaged_ms: Numbers
    duration_ms: Numbers


class LookTimes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    engaged_ms: Numbers


class KeptVisit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A visit of several rows. Its visitors are the numbers of `again`, -1 for one whom nobody knows."""

    visitors: tuple[int, ...]
    sessions: tuple[VisitorSession, ...]
    values: dict[int, int]
    entry: int
    exit: int


encode = msgspec.msgpack.Encoder().encode
decode_rows = msgspec.msgpack.Decoder(Rows).decode
decode_column = msgspec.msgpack.Decoder(Column).decode
decode_looks = msgspec.msgpack.Decoder(Looks).decode
decode_acts = msgspec.msgpack.Decoder(Acts).decode
decode_row_times = msgspec.msgpack.Decoder(RowTimes).decode
decode_look_times = msgspec.msgpack.Decoder(LookTimes).decode
decode_wholes = msgspec.msgpack.Decoder(tuple[KeptVisit, ...]).decode


def numbers_of(numbers: Iterable[int]) -> Numbers:
    """Return a column of numbers from 0."""
    found = list(numbers)
    largest = max(found, default=0)
    code = next(code for most, code in _CODES if largest < most)
    return Numbers(code, array(code, found).tobytes())


def column_of(values: Iterable[int]) -> Column:
    """Return a column of these ids."""
    ids, places = _numbered(values)
    return Column(array("q", ids).tobytes(), places)


def measured_of(measures: Iterable[Measure]) -> Measured:
    """Return a column of these measures."""
    each, places = _numbered(measures)
    return Measured(tuple(each), places)


def _numbered(values: Iterable[T]) -> tuple[list[T], Numbers]:
    """Return the different values, and the place of each; at places with a byte of MARK the first one stands again."""
    places: dict[T, int] = {}
    each: list[T] = []
    index: list[int] = []
    for value in values:
        place = places.get(value)
        if place is None:
            while MARK in len(each).to_bytes(_PLACE_BYTES, "little"):
                each.append(each[0])
            place = places[value] = len(each)
            each.append(value)
        index.append(place)
    return each, numbers_of(index)
