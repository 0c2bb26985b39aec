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

_SLOTS = 65_536
_PROBES = 4  # slots tried for an address before it shares the one that is full soonest
_SECOND = 1_000_000_000


class RateLimiter:
    """Make it before the fork; `allow` may be called from any thread and costs about a microsecond."""

    def __init__(
        self, per_second: float, burst: int, *, enabled: bool = True, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._cells = memoryview(mmap.mmap(-1, _SLOTS * 16)).cast("q")
        self._now = now
        self.update(per_second, burst, enabled=enabled)

    def update(self, per_second: float, burst: int, *, enabled: bool = True) -> None:
        """Change the limits; buckets keep their fill."""
        self._enabled = enabled
        self._interval = max(1, int(_SECOND / per_second))
        self._tolerance = self._interval * (burst - 1)

    def allow(self, address: str) -> int:
        """Take one token; return 0 when there was one, else the whole seconds until the next (at least 1)."""
        if not self._enabled:
            return 0
        tag = hash(address if ":" not in address else _network(address)) | 1  # 0 marks a free slot
        now = self._now()
        cells = self._cells
        slot = (tag >> 8) % _SLOTS * 2
        if cells[slot] != tag:
            slot = self._find(tag, slot, now)
        full_at = cells[slot + 1]
        if full_at < now:
            full_at = now
        if full_at - now > self._tolerance:
            return -(-(full_at - now - self._tolerance) // _SECOND)
        cells[slot + 1] = full_at + self._interval
        return 0

    def _find(self, tag: int, first: int, now: int) -> int:
        """Return the slot of this address: its own, a free or long refilled one, or the soonest full."""
        cells = self._cells
        near = cells[first : first + 2 * _PROBES].tolist()  # reading cell by cell takes three times as long
        if len(near) < 2 * _PROBES:  # the last slots go on with the first ones
            near += cells[: 2 * _PROBES - len(near)].tolist()
        tags, full_at = near[::2], near[1::2]
        if tag in tags:
            return (first + 2 * tags.index(tag)) % (2 * _SLOTS)
        slot = (first + 2 * full_at.index(min(full_at))) % (2 * _SLOTS)
        if cells[slot + 1] <= now:  # its owner has a full bucket: forgetting it changes nothing
            cells[slot + 1] = now
            cells[slot] = tag
        return slot


@lru_cache(4096)
def _network(address: str) -> str:
    """Return the /64 of an IPv6 address: one household or host has at least that much to choose from."""
    try:
        return IPv6Address(address.partition("%")[0]).packed[:8].hex()
    except ValueError:
        return address
