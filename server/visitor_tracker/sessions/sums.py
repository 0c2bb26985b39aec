"""Sums of packed measures by hour and by day.

Nearly all of them go to an hour and to its day alike, and most to some twenty values at once, those of a visit's source
and context. So a sum is kept once for an hour and its day, and under the profile that stands for its values; both are
taken apart when the rows of rollups are made.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import msgspec

from visitor_tracker.sessions.profiles import Pairs

Pair = tuple[int, int]  # (dimension, id of a value)
Profile = tuple[int, int]  # (id of a source, id of a context): stands for all the pairs of both
Place = tuple[int, int]  # (day, hour)
Key = tuple[int, int, int]  # (dimension, id of a value, period)

_PairsOf = Callable[[Profile], Pairs]
_Period = TypeVar("_Period", int, Place)


class Amounts:
    """Packed measures of one period; what goes to every pair of a profile is kept under the profile."""

    __slots__ = ("pairs", "profiles")

    def __init__(self) -> None:
        self.pairs: dict[Pair, int] = {}
        self.profiles: dict[Profile, int] = {}

    def add(self, other: "Amounts", sign: int = 1) -> None:
        pairs, profiles = self.pairs, self.profiles
        for pair, number in other.pairs.items():
            pairs[pair] = pairs.get(pair, 0) + sign * number
        for profile, number in other.profiles.items():
            profiles[profile] = profiles.get(profile, 0) + sign * number


def expand(amounts: Amounts, pairs_of: _PairsOf) -> None:
    """Put what is under profiles under their pairs."""
    found = amounts.pairs
    get = found.get
    for profile, number in amounts.profiles.items():
        if number:
            for pair in pairs_of(profile):
                found[pair] = get(pair, 0) + number
    amounts.profiles.clear()


class Sums:
    """Sums of one site: what is in `places` counts for the hour and for the day, all else for one of them."""

    def __init__(self) -> None:
        self.places: defaultdict[Place, Amounts] = defaultdict(Amounts)
        self.hours: defaultdict[int, Amounts] = defaultdict(Amounts)
        self.days: defaultdict[int, Amounts] = defaultdict(Amounts)

    def add(self, other: "Sums") -> None:
        for place, amounts in other.places.items():
            self.places[place].add(amounts)
        for hour, amounts in other.hours.items():
            self.hours[hour].add(amounts)
        for day, amounts in other.days.items():
            self.days[day].add(amounts)

    def profiles(self) -> set[Profile]:
        """Return the profiles that `by_hour` and `by_day` ask for."""
        every = (*self.places.values(), *self.hours.values(), *self.days.values())
        return {profile for amounts in every for profile in amounts.profiles}

    def numbers(self) -> Iterator[int]:
        """Yield every number, packed as it is."""
        for amounts in (*self.places.values(), *self.hours.values(), *self.days.values()):
            yield from amounts.pairs.values()
            yield from amounts.profiles.values()

    def by_hour(self, pairs_of: _PairsOf) -> dict[Key, int]:
        return _keyed(self._together({place: place[1] for place in self.places}, self.hours, pairs_of))

    def by_day(self, pairs_of: _PairsOf) -> dict[Key, int]:
        return _keyed(self._together({place: place[0] for place in self.places}, self.days, pairs_of))

    def _together(
        self, periods: Mapping[Place, int], others: Mapping[int, Amounts], pairs_of: _PairsOf
    ) -> dict[int, dict[Pair, int]]:
        """Return the numbers of each period; those of its places with `others`."""
        for amounts in (*self.places.values(), *others.values()):
            expand(amounts, pairs_of)
        found: dict[int, dict[Pair, int]] = {}
        for place, period in periods.items():
            _gather(found, period, self.places[place].pairs)
        for period, amounts in others.items():
            _gather(found, period, amounts.pairs)
        return found


def _gather(found: dict[int, dict[Pair, int]], period: int, added: Mapping[Pair, int]) -> None:
    pairs = found.get(period)
    if pairs is None:
        found[period] = dict(added)
        return
    get = pairs.get
    for pair, number in added.items():
        pairs[pair] = get(pair, 0) + number


def _keyed(periods: Mapping[int, Mapping[Pair, int]]) -> dict[Key, int]:
    return {
        (dimension, value, period): number
        for period, pairs in periods.items()
        for (dimension, value), number in pairs.items()
        if number
    }


# Sums as bytes, for the time between two transactions.

_Number = tuple[int, int, bytes]  # of a pair or a profile


class _Encoded(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Amounts of a place, or of a period with 0 for the other half of a place."""

    day: int
    hour: int
    pairs: list[_Number]
    profiles: list[_Number]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[_Encoded], list[_Encoded], list[_Encoded]]).decode


def encode_sums(sums: Sums) -> bytes:
    places = [_encoded(day, hour, amounts) for (day, hour), amounts in sums.places.items()]
    hours = [_encoded(0, hour, amounts) for hour, amounts in sums.hours.items()]
    days = [_encoded(day, 0, amounts) for day, amounts in sums.days.items()]
    return _encode((places, hours, days))


def decode_sums(body: bytes) -> Sums:
    """Return what was encoded; raises msgspec.DecodeError."""
    sums = Sums()
    places, hours, days = _decode(body)
    for each in places:
        sums.places[each.day, each.hour].add(_decoded(each))
    for each in hours:
        sums.hours[each.hour].add(_decoded(each))
    for each in days:
        sums.days[each.day].add(_decoded(each))
    return sums


def _encoded(day: int, hour: int, amounts: Amounts) -> _Encoded:
    return _Encoded(day, hour, _numbers(amounts.pairs), _numbers(amounts.profiles))


def _numbers(numbers: Mapping[tuple[int, int], int]) -> list[_Number]:
    return [
        (first, second, number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True))
        for (first, second), number in numbers.items()
        if number
    ]


def _decoded(encoded: _Encoded) -> Amounts:
    amounts = Amounts()
    for numbers, found in ((encoded.pairs, amounts.pairs), (encoded.profiles, amounts.profiles)):
        for first, second, number in numbers:
            found[first, second] = int.from_bytes(number, "little", signed=True)
    return amounts
