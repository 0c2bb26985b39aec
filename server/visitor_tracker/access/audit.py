"""The audit log: who changed what, and when. Written by every change of accounts, sites, keys and visitors' data."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from visitor_tracker.access.who import Who
from visitor_tracker.store.audit import AuditRow, AuditTable
from visitor_tracker.store.sql import SqlStore

OPERATOR = Who("local", "command line", is_admin=True)  # who runs commands on the server's own machine


class Audit:
    """Any thread. Actions are named `what.done`: site.changed, user.added, key.revoked, visitor.erased."""

    def __init__(self, store: SqlStore, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        """`clock` is epoch ms."""
        self._table = AuditTable(store.database)
        self._clock = clock

    def note(
        self, who: Who, action: str, *, site_id: int = 0, target: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        """Write a line durably; no secret and nothing that identifies a visitor may be in it. Raises what stores do."""
        self._table.add(self.row(who, action, site_id=site_id, target=target, detail=detail))

    def row(
        self, who: Who, action: str, *, site_id: int = 0, target: str = "", detail: Mapping[str, object] | None = None
    ) -> AuditRow:
        """Return the line, for a change that writes it in its own transaction (`store.audit.add`)."""
        at = self._clock()
        # Of one moment those that this machine wrote first come first.
        within = (time.monotonic_ns() % (1 << 56)).to_bytes(7, "big")
        line = at.to_bytes(6, "big") + within + secrets.token_bytes(3)
        text = msgspec.json.encode(detail or {}).decode()
        return AuditRow(line, at, f"{who.kind}:{who.id}", who.name, action, site_id, target, text)
