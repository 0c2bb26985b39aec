"""Add to rollups, and to the count of days on which a visitor was seen.

The fold writes some five rows of rollups per event, so this is where its time goes: what counts is that few, large
statements with nothing but numbers run in the order of the primary key.
"""

from collections.abc import Mapping
from typing import get_args

from visitor_tracker.measures import NAMES, Grain, unpacked_all
from visitor_tracker.store.bulk import ByKeys, ask_keys, send_each
from visitor_tracker.store.session import Session, Value, send_rows

_COLUMNS = ("site_id", "dimension", "period", "value", *NAMES)

_ADD = """/* add_rollups */
insert into TABLE (COLUMNS)
values [(PLACES)]
{add_measures}"""

ADD: dict[str, str] = {
    grain: _ADD.replace("TABLE", f"rollup_{grain}")
    .replace("COLUMNS", ", ".join(_COLUMNS))
    .replace("PLACES", ", ".join("?" * len(_COLUMNS)))
    for grain in get_args(Grain)
}

READ_SEEN: ByKeys = {
    "sqlite": """/* see */
with wanted (site_id, month, visitor, dimension, value) as (values [(?, ?, ?, ?, ?)])
select found.month, found.visitor, found.dimension, found.value, found.days
from wanted
cross join seen found
    on found.site_id = wanted.site_id and found.month = wanted.month and found.visitor = wanted.visitor
    and found.dimension = wanted.dimension and found.value = wanted.value""",
    "mysql": """/* see */
select month, visitor, dimension, value, days
from seen force index (primary)
where (site_id, month, visitor, dimension, value) in ([(?, ?, ?, ?, ?)])""",
}

ADD_SEEN = """/* see */
insert into seen (site_id, month, visitor, dimension, value, days)
values [(?, ?, ?, ?, ?, ?)]
{add_seen_days}"""

REMOVE_SEEN = """/* see */
delete from seen
where site_id = ? and month = ? and visitor = ? and dimension = ? and value = ?"""

Key = tuple[int, int, int]  # dimension, value, period
SeenKey = tuple[int, bytes, int, int]  # month, visitor, dimension, value


def add_rollups(session: Session, grain: Grain, site_id: int, sums: Mapping[Key, int]) -> None:
    """Add packed measures to the rows of (dimension, value, period)."""
    rows = sorted((dimension, period, value, number) for (dimension, value, period), number in sums.items() if number)
    if not rows:
        return
    *keys, numbers = zip(*rows, strict=True)
    measures = unpacked_all(numbers)
    width = len(_COLUMNS)
    values: list[Value] = [site_id] * (width * len(rows))
    for column, key in enumerate(keys, 1):
        values[column::width] = key
    for column in range(len(NAMES)):
        values[1 + len(keys) + column :: width] = measures[column :: len(NAMES)]
    send_rows(session, ADD[grain], width, values)


def see(session: Session, site_id: int, changes: Mapping[SeenKey, int]) -> dict[Key, int]:
    """Change on how many days of a month a visitor counts for a value; the caller holds the site's lease.

    Returns by (dimension, value, month) how many visitors more are counted there on any day; what stays the same is
    not in it.
    """
    keys = sorted(key for key, change in changes.items() if change)
    rows = ask_keys(session, READ_SEEN, [(site_id, *key) for key in keys])
    before = {(month, bytes(visitor), dimension, value): days for month, visitor, dimension, value, days in rows}
    gone: list[tuple[Value, ...]] = []
    values: list[Value] = []
    visitors: dict[Key, int] = {}
    for key in keys:
        month, _, dimension, value = key
        was = before.get(key, 0)
        now = was + changes[key]
        if now:
            values += (site_id, *key, changes[key])
        else:
            gone.append((site_id, *key))
        if (was > 0) != (now > 0):
            counted = (dimension, value, month)
            visitors[counted] = visitors.get(counted, 0) + (1 if now > 0 else -1)
    send_rows(session, ADD_SEEN, 6, values)
    send_each(session, REMOVE_SEEN, gone)
    return {key: change for key, change in visitors.items() if change}
