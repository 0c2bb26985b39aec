"""The columns of an extract, and how they are stored.

visits  a row for each session, day and visit: what brought it and with what, its ends, its numbers
looks   what visits looked at, and what they did: of which row, what, and whether it counts a visitor or a visit
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

import msgspec

VERSION = 2  # of the format: another one makes all extracts again

# Bits of a row beside those of `lanes`: it counts for all but ends, and for ends.
COUNTS, ENDS = 16, 32
# Bits of a look: the row's visitor counts for its page, its host, both; the visit begins for these.
PAGE_VISITOR, HOST_VISITOR, BOTH_VISITOR, PAGE_VISIT, HOST_VISIT, BOTH_VISIT = (1 << bit for bit in range(6))
ACT_VISITOR, ACT_VISIT = PAGE_VISITOR, PAGE_VISIT
SEVERAL = 64  # the visitor has several rows

_CODES = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 63, "Q"))

Places = Sequence[int]


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


class Visits(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`again_rows` have a visitor who has several rows: `again_visitors` says which rows have the same one.

    The visitors of other rows are among their bits.
    """

    bits: bytes
    source: Column
    context: Column
    entry: Column
    exit: Column
    views: Numbers
    events: Numbers
    engaged_ms: Numbers
    duration_ms: Numbers
    again_rows: Numbers
    again_visitors: Numbers

    @property
    def rows(self) -> int:
        return len(self.bits)

    def again(self) -> Iterator[tuple[int, int]]:
        return zip(self.again_rows.each(), self.again_visitors.each(), strict=True)


class Looks(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Looks at pages, then actions; `…_rows` are rows of the visits."""

    look_rows: Numbers
    page: Column
    host: Column
    look_bits: bytes
    views: Numbers
    engaged_ms: Numbers
    act_rows: Numbers
    act_dimensions: bytes
    act_value: Column
    act_bits: bytes
    times: Numbers


encode = msgspec.msgpack.Encoder().encode
decode_visits = msgspec.msgpack.Decoder(Visits).decode
decode_looks = msgspec.msgpack.Decoder(Looks).decode


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
