"""Card numbers in rows of digits."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

import msgspec

CARD_LEAST, CARD_MOST = 13, 19  # digits (ISO/IEC 7812)

_DIGITS = b"0123456789"
_DOUBLED = bytes.maketrans(_DIGITS, bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_ONCE = bytes.maketrans(_DIGITS, bytes(range(10)))
_ZERO, _ONE = b"01"
_ONE_LENGTH = 15  # of a card's number that begins with 1


def is_card(digits: str) -> bool:
    """Say whether digits look like a card's number: Luhn's check holds, and networks give out such numbers.

    None begins with 0; those with 1 have 15 digits, while times in ms and µs begin with 1 too and have 13 or 16.
    """
    if not CARD_LEAST <= len(digits) <= CARD_MOST or not _may_be(digits.encode()[0], len(digits)):
        return False
    raw = digits.encode()
    return (sum(raw[-1::-2].translate(_ONCE)) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def cards(groups: Sequence[str]) -> list[tuple[int, int]]:
    """Return the card numbers in a row of groups of digits, as first group and the one behind the last.

    They begin and end where a group does. The longest is taken; takes a microsecond or two for each group.
    """
    row = _row(groups)
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(groups):
        end = _card_end(row, at)
        if end:
            found.append((at, end))
        at = end or at + 1
    return found


class _Row(msgspec.Struct, frozen=True, gc=False):
    """Digits, where their groups begin, and what the first so many come to by Luhn's rule, without the tens.

    A number is a card's where both of its ends come to the same: in `even` if it ends at an even place, else in `odd`.
    """

    digits: bytes
    bounds: list[int]
    even: bytes
    odd: bytes
    even_ends: bytes
    odd_ends: bytes


def _row(groups: Sequence[str]) -> _Row:
    digits = "".join(groups).encode()
    even, odd = bytearray(digits.translate(_DOUBLED)), bytearray(digits.translate(_ONCE))
    even[1::2], odd[1::2] = odd[1::2], even[1::2]
    evens = bytes([number % 10 for number in accumulate(even, initial=0)])
    odds = bytes([number % 10 for number in accumulate(odd, initial=0)])
    return _Row(digits, [*accumulate(map(len, groups), initial=0)], evens, odds, evens[::2], odds[1::2])


def _card_end(row: _Row, start: int) -> int:
    """Return the group behind the longest card number that begins with this group, or 0."""
    begin = row.bounds[start]
    even, odd = row.even[begin], row.odd[begin]
    least, most = begin + CARD_LEAST, begin + CARD_MOST
    # Mostly there is no such number wherever groups end, and that is quickly said.
    if (
        even not in row.even_ends[(least + 1) // 2 : most // 2 + 1]
        and odd not in row.odd_ends[least // 2 : (most - 1) // 2 + 1]
    ):
        return 0
    bounds, first = row.bounds, row.digits[begin]
    shortest = bisect_left(bounds, least, start + 1)
    for at in range(bisect_right(bounds, most, shortest) - 1, shortest - 1, -1):
        end = bounds[at]
        if (row.odd[end] == odd if end % 2 else row.even[end] == even) and _may_be(first, end - begin):
            return at
    return 0


def _may_be(first: int, length: int) -> bool:
    return first != _ZERO and (first != _ONE or length == _ONE_LENGTH)
