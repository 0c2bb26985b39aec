"""A line of the audit log as the API and the command line show it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from visitor_tracker.store.audit import AuditRow


class AuditLine(msgspec.Struct, frozen=True):
    """A change. `who` is the kind of who made it: user, key, local, nobody …; `name` what it was called then."""

    id: str
    at: str
    who: str
    who_id: str
    name: str
    action: str
    site: str
    target: str
    detail: dict[str, Any]


def line_of(row: AuditRow, names: Mapping[int, str]) -> AuditLine:
    """Return a line; of a site that is on no list any more the id is shown."""
    kind, _, who_id = row.who.partition(":")
    site = names.get(row.site_id, str(row.site_id)) if row.site_id else ""
    at = datetime.fromtimestamp(row.at // 1000, UTC)
    return AuditLine(
        row.id.hex(),
        f"{at:%Y-%m-%dT%H:%M:%S}.{row.at % 1000:03d}Z",
        kind,
        who_id,
        row.name,
        row.action,
        site,
        row.target,
        msgspec.json.decode(row.detail),
    )
