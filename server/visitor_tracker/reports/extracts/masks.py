"""Which rows of a day are meant: a byte for each, 1 or 0. Only C code of the interpreter looks at single rows."""

import sys
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, compress, count
from operator import add

from visitor_tracker.reports.extracts.columns import Column, Looks, Numbers

Mask = bytes

_HIGH_MOST = 8  # high bytes: more of them take longer than a look at each row
_FEW = 8  # one of so many is found faster by searching


def gathered(flags: bytes, column: Column) -> Mask:
    """Return for each row the flag, 1 or 0, at the place of its id."""
    places = column.places
    if places.code == "B":
        return places.body.translate(flags.ljust(256, b"\0"))
    if places.code == "H":
        wanted = [high for high in range(0, len(flags), 256) if 1 in flags[high : high + 256]]
        if len(wanted) <= _HIGH_MOST:
            return _gathered_by_bytes(flags, places, wanted)
    return bytes(map(flags.__getitem__, places.each()))


def _gathered_by_bytes(flags: bytes, places: Numbers, wanted: Sequence[int]) -> Mask:
    """Do so by the high byte of places and their low byte: where few of the former are wanted C does all of it."""
    highs, lows = places.body[sys.byteorder == "little" :: 2], places.body[sys.byteorder == "big" :: 2]
    found = 0
    for high in wanted:
        here = int.from_bytes(highs.translate(equal_to(high >> 8)), "little")
        found |= here & int.from_bytes(lows.translate(flags[high : high + 256].ljust(256, b"\0")), "little")
    return found.to_bytes(len(lows), "little")


def both(one: Mask, other: Mask) -> Mask:
    """Return where both are."""
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def either(one: Mask, other: Mask) -> Mask:
    """Return where one of them is."""
    return (int.from_bytes(one, "little") | int.from_bytes(other, "little")).to_bytes(len(one), "little")


def without(one: Mask, other: Mask) -> Mask:
    """Return where the first is, and the second is not."""
    return (int.from_bytes(one, "little") & ~int.from_bytes(other, "little")).to_bytes(len(one), "little")


def every(count: int) -> Mask:
    return b"\1" * count


def is_any(mask: Mask) -> bool:
    return 1 in mask


def rows_with(owners: Numbers, chosen: Mask, count: int) -> Mask:
    """Return which of so many rows have any of the looks, or acts, that are chosen."""
    found, each = bytearray(count), owners.each()
    if chosen.count(1) * _FEW < len(chosen):
        for place in places_of(chosen):
            found[each[place]] = 1
    else:
        for row in set(compress(each, chosen)):
            found[row] = 1
    return bytes(found)


def rows_looking(chosen: Mask, looks: Looks, count: int) -> Mask:
    """Return the same of looks."""
    found = start = 0
    for width in looks.widths:
        found |= int.from_bytes(chosen[start : start + width], "little")
        start += width
    return found.to_bytes(count, "little")


def places_of(mask: Mask) -> list[int]:
    """Return the places that are meant."""
    if mask.count(1) * _FEW >= len(mask):
        return list(compress(range(len(mask)), mask))
    between = mask.split(b"\1")
    between.pop()
    return list(map(add, accumulate(map(len, between)), count()))


def of_owners(rows: Mask, owners: Numbers) -> Mask:
    """Return for each look, or act, whether its row is meant."""
    if not is_any(rows):
        return bytes(len(owners.each()))
    return bytes(map(rows.__getitem__, owners.each()))


def of_looks(rows: Mask, looks: Looks) -> Mask:
    """Return the same of looks."""
    return b"".join([rows[:width] for width in looks.widths])


def only_with_value(mask: Mask, values: Sequence[int], column: Column) -> Mask:
    """Leave out the rows without a value."""
    return both(mask, gathered(bytes(map(bool, values)), column)) if 0 in values else mask


@cache
def equal_to(number: int) -> bytes:
    """Return the table that translates bytes into whether they are this number."""
    return bytes([1 if each == number else 0 for each in range(256)])
