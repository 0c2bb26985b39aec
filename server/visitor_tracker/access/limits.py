"""Rate limits: one token bucket per client address, shared by all workers of a machine.

A bucket is kept as one moment, the virtual time at which it will be full again (the generic cell rate
algorithm, ITU-T I.371): a request moves it one interval ahead, and is refused where that would lead more
than a burst into the future. Slots of 16 bytes (address tag, moment) lie in an anonymous mapping made
before the fork. There is no lock: two workers that write one slot in the same microsecond lose an update,
which lets at most one extra request through each.
"""

import mmap
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct

_SLOTS = 65_536
_PROBES = 4  # slots tried for an address before it shares the one that is full soonest
_SLOT_BYTES = 16
_near = Struct(_PROBES * "qq").unpack_from  # all slots of an address at once: cell by cell takes three times as long
_SECOND = 1_000_000_000


class RateLimiter:
    """Make it before the fork; `allow` may be called from any thread and costs about a microsecond."""

    def __init__(
        self, per_second: float, burst: int, *, enabled: bool = True, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        # An address that begins with the last slot has its others behind it.
        self._cells = memoryview(mmap.mmap(-1, (_SLOTS + _PROBES - 1) * _SLOT_BYTES)).cast("q")
        self._now = now
        self.update(per_second, burst, enabled=enabled)

    def update(self, per_second: float, burst: int, *, enabled: bool = True) -> None:
        """Change the limits; buckets keep their fill."""
        self._enabled = enabled
        self._interval = max(1, int(_SECOND / per_second))
        self._most = burst
        self._tolerance = self._interval * (burst - 1)

    def allow(self, address: str, tokens: int = 1) -> int:
        """Take a token, or several: all or none; return 0, else the whole seconds until they are there (at least 1)."""
        if not self._enabled:
            return 0
        more = self._interval * (tokens - 1)
        tag = hash(address if ":" not in address else _network(address)) | 1  # 0 marks a free slot
        now = self._now()
        cells = self._cells
        first = (tag >> 8) % _SLOTS
        near: tuple[int, ...] = _near(cells, first * _SLOT_BYTES)
        slot, full_at = first * 2, near[1]
        if near[0] != tag:
            if full_at <= now and tag not in near:  # its owner has a full bucket: forgetting it changes nothing
                cells[slot] = tag
            else:
                slot, full_at = self._find(tag, slot, near, now)
        if full_at > now:
            if full_at - now > self._tolerance - more:
                return -(-(full_at - now - self._tolerance + more) // _SECOND)
            now = full_at
        cells[slot + 1] = now + self._interval + more
        return 0

    def allow_more(self, address: str, tokens: int) -> int:
        """Take what a request costs beside its first token; what costs more than a full bucket costs all of it.

        The seconds are until both are there: who asks again takes another first token.
        """
        most = min(tokens, self._most - 1)
        wait = self.allow(address, most) if most > 0 else 0
        return wait and wait - (-self._interval // _SECOND)

    def _find(self, tag: int, first: int, near: tuple[int, ...], now: int) -> tuple[int, int]:
        """Find the slot of this address: its own, a free or long refilled one, or the soonest full; and its moment."""
        tags, full_at = near[::2], near[1::2]
        if tag in tags:
            place = tags.index(tag)
            return first + 2 * place, full_at[place]
        soonest = min(full_at)
        slot = first + 2 * full_at.index(soonest)
        if soonest <= now:
            self._cells[slot] = tag
        return slot, soonest


@lru_cache(4096)
def _network(address: str) -> str:
    """Return the /64 of an IPv6 address: one household or host has at least that much to choose from."""
    try:
        return IPv6Address(address.partition("%")[0]).packed[:8].hex()
    except ValueError:
        return address
