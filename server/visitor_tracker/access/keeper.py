"""The life of visitor keys: made before a period begins anywhere on earth, destroyed after it has ended everywhere.

           made            begins in UTC+14          ends in UTC-12    destroyed
    ────────┼───── 24 h ──────────┼──── the period ────────┼──── 1 h ─────┼────▶

The keeper runs in one process of each node. It keeps the store's keys in order and writes what all processes must
know (keys, sites, send keys, secrets) to the snapshot file. A destroyed period is in the key_log and gets no key
again, whatever the clock says.

So a clock that is wrong for a moment must not destroy the keys of today. A keeper that runs sees a period end when it
ends; one that has ended long before it is first seen so was slept over, or the clock has jumped. Its key is destroyed
when that has been so for an hour without a break.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from visitor_tracker.access.accounts import Accounts
from visitor_tracker.access.api_keys import ApiKeys
from visitor_tracker.access.sites import DEFAULT, SiteBook, adopt
from visitor_tracker.access.snapshot import FILE, read_snapshot, remove_leftover, stamp_of, write_snapshot
from visitor_tracker.access.wrapping import KEY_BYTES, wrapper_of
from visitor_tracker.config import Config, IdentityConfig
from visitor_tracker.metrics import Cell, Counters
from visitor_tracker.sites import Policy, Site, Snapshot
from visitor_tracker.store.keys import KeyTable
from visitor_tracker.store.sites import SiteTable
from visitor_tracker.store.sql import SqlStore

log = logging.getLogger(__name__)

PERSISTENT: Final = "persistent"  # the period that never ends
SECRETS = ("reads", "token", "cookie")  # of the store, that every process must have

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_FIRST_MS = 14 * _HOUR_MS  # UTC+14 has each date first
_LAST_MS = 12 * _HOUR_MS  # UTC-12 has it last
# Half of it is promised; the other half is for a store that is away while a key should be made.
_AHEAD_MS = 24 * _HOUR_MS
_AFTER_MS = _HOUR_MS
_SUDDEN_MS = 15 * 60_000  # a period that is over for longer when it is first seen so was not watched to its end
_BELIEVE_SECONDS = 3600.0  # for so long the clock must say so then
_PERIOD = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?").fullmatch


class Keeper:
    """Of one process of a node; `step` about once a second."""

    def __init__(
        self, store: SqlStore, config: Config, counters: Counters, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises ConfigError for a key file that cannot be used, SnapshotError for a folder that cannot."""
        self._keys = KeyTable(store.database)
        self._accounts = Accounts(store)
        self._api_keys = ApiKeys(store)
        self._sites = SiteTable(store.database)
        self._secret = store.secret
        self._wrapper = wrapper_of(config, store.database.dialect)
        self._book = SiteBook(config.data_dir)
        self._auto_create = config.sites.auto_create
        self._policy = policy_of(config.identity)
        self._modules = config.tracker.modules
        self._counters = counters
        self._monotonic = monotonic
        self._path = config.data_dir / FILE
        remove_leftover(self._path)
        self._stamp = stamp_of(self._path)
        self._written = read_snapshot(self._path)
        self._destroyed: frozenset[str] = frozenset()
        self._unreadable: frozenset[str] = frozenset()
        self._secrets: dict[str, bytes] = {}
        self._over: dict[str, float] = {}  # periods that are over, and from when on (monotonic) that is believed

    def step(self, now_ms: int) -> bool:
        """Bring store and snapshot file up to date; say whether the file changed.

        Raises what the store raises when it is away, SnapshotError, and SiteError. The file has lost the keys that
        are over all the same, and has new keys even where sites cannot be read.
        """
        forgot = self._forget(now_ms)
        try:
            changed = self._publish(msgspec.structs.replace(self._now, keys=self._live_keys(now_ms)))
            return self._publish(self._read_rest(now_ms)) or changed or forgot
        finally:
            self._counters.set(Cell.KEY_MISSING, len(lacking(self._now, now_ms)))

    @property
    def _now(self) -> Snapshot:
        # As long as nobody has asked the store, there may be accounts, and the machine itself may do nothing.
        return self._written or Snapshot(policy=self._policy, modules=self._modules, has_accounts=True)

    def _forget(self, now_ms: int) -> bool:
        """Take out of the file what is over, and what the settings no longer say; no store is needed for that."""
        if self._written is None:
            return False
        keys = {period: key for period, key in self._written.keys.items() if not self._must_go(period, now_ms)}
        return self._publish(
            msgspec.structs.replace(self._written, keys=keys, policy=self._policy, modules=self._modules)
        )

    def _publish(self, snapshot: Snapshot) -> bool:
        if snapshot == self._written and self._stamp == stamp_of(self._path):
            return False
        write_snapshot(self._path, snapshot)
        self._written, self._stamp = snapshot, stamp_of(self._path)
        return True

    def _live_keys(self, now_ms: int) -> dict[str, bytes]:
        """Make the keys that are due, destroy those that are over, and return the others."""
        stored = self._keys.keys()
        for period in self._to_make(stored, now_ms):
            value = self._wrapper.wrap(period, secrets.token_bytes(KEY_BYTES))
            stored[period] = self._keys.make(period, value, now_ms)
            if stored[period] == value:  # not another node's
                log.info("made the visitor key of %s", period)
        for period in sorted(stored):
            if self._must_go(period, now_ms):
                if self._keys.destroy(period, now_ms):
                    log.info("destroyed the visitor key of %s", period)
                del stored[period]
        return self._unwrapped(stored)

    def _must_go(self, period: str, now_ms: int) -> bool:
        """Say whether a key must be destroyed now: its period is over, and that is no error of the clock."""
        if not is_over(period, now_ms):
            self._over.pop(period, None)
            return False
        believed_at = self._over.get(period)
        if believed_at is None:
            wait = _BELIEVE_SECONDS if is_over(period, now_ms - _SUDDEN_MS) else 0.0
            believed_at = self._over[period] = self._monotonic() + wait
            if wait:
                log.warning(
                    "the visitor key of %s should have been destroyed before: it is, unless the clock turns out to be "
                    "wrong, in %d minutes",
                    *(period, wait // 60),
                )
        return self._monotonic() >= believed_at

    def _to_make(self, stored: dict[str, bytes], now_ms: int) -> list[str]:
        """Return the periods that are due and have no key; what was destroyed stays so, unless it was asked for."""
        wanted = [period for period in due(now_ms) if period not in stored and period not in self._destroyed]
        if wanted:
            lines = self._keys.log()
            self._destroyed = frozenset(line.period for line in lines if line.action == "destroyed") - {PERSISTENT}
        return [period for period in wanted if period not in self._destroyed]

    def _unwrapped(self, stored: dict[str, bytes]) -> dict[str, bytes]:
        found = {period: self._wrapper.unwrap(period, value) for period, value in sorted(stored.items())}
        keys = {period: key for period, key in found.items() if key is not None}
        unreadable = frozenset(found.keys() - keys.keys())
        if unreadable - self._unreadable:
            log.error(
                "the visitor keys of %s were wrapped with another key file, visitors of these days are not told apart: "
                "give this node the identity.key_file of the others",
                ", ".join(sorted(unreadable)),
            )
        self._unreadable = unreadable
        return keys

    def _read_rest(self, now_ms: int) -> Snapshot:
        """Return the snapshot with everything but keys read anew."""
        sites = tuple(adopt(self._book, self._sites, now_ms))
        if not self._secrets:
            self._secrets = {name: self._secret(name) for name in SECRETS}
        return Snapshot(
            sites=sites,
            keys=self._now.keys,
            secrets=self._secrets,
            send_keys=self._api_keys.send_keys(now_ms),
            auto_create=_may_create(self._auto_create, sites),
            policy=self._policy,
            modules=self._modules,
            has_accounts=self._accounts.any(),
        )


def policy_of(identity: IdentityConfig) -> Policy:
    """Return the policy of sites that have none of their own."""
    return Policy(identity.visitor, identity.ip, identity.user_agent, identity.traits, identity.opt_out)


def due(now_ms: int) -> list[str]:
    """Return the periods that must have a key: those that go on anywhere, and those that will begin soon."""
    return [PERSISTENT, *_between(now_ms - _LAST_MS, now_ms + _FIRST_MS + _AHEAD_MS)]


def lacking(snapshot: Snapshot, now_ms: int) -> list[str]:
    """Return the periods that go on somewhere and have no key: their visitors cannot be told apart."""
    return [
        period
        for period in [PERSISTENT, *_between(now_ms - _LAST_MS, now_ms + _FIRST_MS)]
        if period not in snapshot.keys
    ]


def is_over(period: str, now_ms: int) -> bool:
    """Say whether a period's key must be destroyed; never so for a name that is no date or month."""
    end = _end(period)
    return end is not None and now_ms >= end + _LAST_MS + _AFTER_MS


def _between(first_ms: int, last_ms: int) -> Iterator[str]:
    """Yield the dates, and the months, that UTC has from one moment to the other."""
    day, last = _date(first_ms), _date(last_ms)
    months: dict[str, None] = {}
    while day <= last:
        yield day.isoformat()
        months[day.isoformat()[:7]] = None
        day += timedelta(days=1)
    yield from months


def _end(period: str) -> int | None:
    """Return the epoch ms at which a date or month ends in UTC; None for a name that is neither."""
    found = _PERIOD(period)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    try:
        first = date(year, month, day)
        after = first + timedelta(days=1) if found[3] else date(year + month // 12, month % 12 + 1, 1)
    except (ValueError, OverflowError):
        return None
    return (after - date(1970, 1, 1)).days * _DAY_MS


def _date(ts_ms: int) -> date:
    return datetime.fromtimestamp(ts_ms // 1000, UTC).date()


def _may_create(setting: str, sites: tuple[Site, ...]) -> bool:
    """Say whether an event may make a site: under `auto` as long as nobody has added one by hand."""
    if setting == "auto":
        return all(site.automatic or site.id == DEFAULT.id for site in sites)
    return setting == "on"
