"""The columns of an extract, and how they are stored: each part by itself, so that a question reads what it needs.

rows    a row for each session, day and visit: whether it counts, its numbers, who has several
told    what rows have for a dimension of visits: a part for each dimension of which any row has something
looks   what rows looked at, row after row; acts   what they did
times   engaged time and duration, of rows and of looks
wholes  the few visits of several rows, for filters that have to see all of a visit

Rows, looks and acts have few different measures, so each has the place of its own among these.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.session import VisitorSession

VERSION = 3  # of the format: another one makes all extracts again

# Bits of a row beside those of `lanes`: it counts for all but ends, and for ends; its visit has several rows.
COUNTS, ENDS, OF_SEVERAL = 16, 32, 128
# Bits of a look: the row's visitor counts for its page, its host, both; the visit begins for these.
PAGE_VISITOR, HOST_VISITOR, BOTH_VISITOR, PAGE_VISIT, HOST_VISIT, BOTH_VISIT = (1 << bit for bit in range(6))
ACT_VISITOR, ACT_VISIT = PAGE_VISITOR, PAGE_VISIT
SEVERAL = 64  # of looks and acts: the visitor has several rows. OF_SEVERAL is as of rows

OF_ROWS = (int(Dimension.ENTRY), int(Dimension.EXIT), *range(Dimension.SOURCE, Dimension.SCREEN + 1))

_CODES = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 63, "Q"))

Places = Sequence[int]
Measure = tuple[int, int, int]  # bits, views, actions


class Numbers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A number for each row, in as few bytes as the largest takes."""

    code: str
    body: bytes

    def each(self) -> Places:
        if self.code == "B":
            return self.body
        found = array(self.code)
        found.frombytes(self.body)
        return found


class Column(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Ids by row: `ids` has each once, `places` which of them a row has."""

    ids: bytes
    places: Numbers

    def values(self) -> "array[int]":
        found = array("q")
        found.frombytes(self.ids)
        return found


class Measured(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Measures by row: `measures` has each once, `places` which of them a row has."""

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


class Looks(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Looks at pages, row after row: `rows` says of which row each is, `times` how many each row has."""

    rows: Numbers
    times: Numbers
    page: Column
    host: Column
    measured: Measured


class Acts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Actions of rows; `dimensions` has the sort of each."""

    rows: Numbers
    dimensions: bytes
    value: Column
    measured: Measured


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
    places: dict[int, int] = {}
    index = [places.setdefault(value, len(places)) for value in values]
    return Column(array("q", places).tobytes(), numbers_of(index))


def measured_of(measures: Iterable[Measure]) -> Measured:
    """Return a column of these measures."""
    places: dict[Measure, int] = {}
    index = [places.setdefault(measure, len(places)) for measure in measures]
    return Measured(tuple(places), numbers_of(index))
