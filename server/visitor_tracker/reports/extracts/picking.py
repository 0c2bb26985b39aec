"""The rows of a day, or its looks or acts, that are meant: what columns have for these, without all others.

No byte of a column's places is MARK. So the bytes of those that are not meant become MARK, by one "or" of large
numbers, and `translate` deletes them: a few nanoseconds a row, however many are meant.
"""

import sys
from array import array
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import compress
from operator import itemgetter

from visitor_tracker.reports.extracts.columns import MARK, Measured, Numbers
from visitor_tracker.reports.extracts.masks import Mask, places_of

_DELETED = bytes([MARK])
_MARKED = bytes([MARK, 0]).ljust(256, b"\0")
_FEW = 4  # one of so many is found faster by its place
_SOME = 2  # of which there is an itemgetter

Planes = tuple[bytes, ...]  # the lowest byte of each number, then the next one


class Picking:
    """Of one mask; several questions of the same filter share it."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.count = mask.count(1)
        self._is_all = self.count == len(mask)
        self._marks = int.from_bytes(mask.translate(_MARKED), "little")
        self._known: dict[int, tuple[Numbers, Planes]] = {}
        self._coded: dict[tuple[int, int], tuple[object, Planes]] = {}

    def planes(self, places: Numbers) -> Planes:
        """Return the places of a column, or of measures."""
        known = self._known.get(id(places))
        if known is None:
            known = self._known[id(places)] = places, tuple(map(self._plane, planes_of(places)))
        return known[1]

    def _plane(self, plane: bytes) -> bytes:
        if self._is_all:
            return plane
        marked = int.from_bytes(plane, "little") | self._marks
        return marked.to_bytes(len(plane), "little").translate(None, _DELETED)

    def numbers(self, numbers: Numbers) -> Sequence[int]:
        """Return any other numbers."""
        each = numbers.each()
        if self._is_all:
            return each
        if self.count * _FEW > len(self.mask):
            return list(compress(each, self.mask))
        if self.count < _SOME:
            return [each[place] for place in self._places]
        found: tuple[int, ...] = itemgetter(*self._places)(each)
        return found

    def coded(self, measured: Measured, codes: object, make: Callable[[], Planes]) -> Planes:
        """Return the measures in these codes, as `make` does."""
        key = id(measured), id(codes)
        known = self._coded.get(key)
        if known is None:
            known = self._coded[key] = (measured, codes), make()
        return known[1]

    @cached_property
    def _places(self) -> list[int]:
        return places_of(self.mask)


def planes_of(numbers: Numbers) -> Planes:
    """Return the bytes of numbers, one sort after the other."""
    size = array(numbers.code).itemsize
    if size == 1:
        return (numbers.body,)
    order = range(size) if sys.byteorder == "little" else reversed(range(size))
    return tuple(numbers.body[place::size] for place in order)
