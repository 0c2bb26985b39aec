"""SQL texts: portable templates, made into one dialect's text and repeated for many rows.

In a template `?` is a value, `[…]` is repeated once per row, and `{name}` is one of the macros below.
"""

import re
from functools import lru_cache
from typing import Literal

from visitor_tracker.measures import NAMES

Dialect = Literal["sqlite", "mysql"]

_OF_ARRIVALS = ("accepted", "duplicates", "late", "numbered", "robots", "doubtful")
_OF_VERDICTS = (
    *("verdict", "score", "views", "events", "at"),
    *("overruled", "overruled_by", "overruled_at", "reasons"),
)

MACROS: dict[Dialect, dict[str, str]] = {
    "sqlite": {
        "integer": "integer",
        "key": "blob",
        "bytes": "blob",
        "digest": "blob",
        "text": "text",
        "url": "text",
        "name": "text",
        "table": "without rowid",
        "for_update": "",  # "begin immediate" has excluded every other writer
        "keep_old_id": "on conflict do nothing",
        "keep_old_secret": "on conflict do nothing",
        "keep_old_row": "on conflict do nothing",
        "keep_old_lease": "on conflict do nothing",
        "keep_first_at": "on conflict (site_id, visitor, day) do update set"
        " first_at = excluded.first_at where excluded.first_at < visitor_days.first_at",
        "replace_site": "on conflict (id) do update set"
        " name = excluded.name, created_at = excluded.created_at, settings = excluded.settings",
        "add_visits": "on conflict (site_id, page_hash) do update set"
        " visit_count = visit_count + excluded.visit_count,"
        " last_visited = max(last_visited, excluded.last_visited)",
        "merge_page": "on conflict (site_id, page_hash) do update set"
        " visit_count = visit_count + excluded.visit_count,"
        " last_visited = max(last_visited, excluded.last_visited),"
        " created_at = min(created_at, excluded.created_at)",
        "keep_old_body": "on conflict do nothing",
        "keep_first_ts": "on conflict (site_id, client, visitor, day) do update set"
        " ts = excluded.ts where excluded.ts < client_sessions.ts",
        "merge_link": "on conflict (site_id, visitor, previous) do update set"
        " at = min(at, excluded.at), joined = max(joined, excluded.joined)",
        "replace_session": "on conflict (site_id, bucket, visitor, first_ts) do update set"
        " last_ts = excluded.last_ts, body = excluded.body",
        "replace_ip_record": "on conflict (site_id, ip) do update set"
        " first_at = excluded.first_at, last_at = excluded.last_at, visits = excluded.visits, body = excluded.body",
        "add_seen_days": "on conflict (site_id, month, visitor, dimension, value) do update set"
        " days = days + excluded.days",
        "add_measures": "on conflict (site_id, dimension, period, value) do update set "
        + ", ".join(f"{name} = {name} + excluded.{name}" for name in NAMES),
        "add_heat": "on conflict (site_id, page, viewport, kind, month, y, x) do update set n = n + excluded.n",
        "add_tabs": "on conflict (site_id, hour, tab) do update set"
        " received = received + excluded.received, highest = max(highest, excluded.highest)",
        "add_quality": "on conflict (site_id, hour) do update set tabs = tabs + excluded.tabs,"
        " received = received + excluded.received, expected = expected + excluded.expected",
        "add_arrivals": "on conflict (site_id, hour) do update set "
        + ", ".join(f"{name} = {name} + excluded.{name}" for name in _OF_ARRIVALS),
        "replace_verdict": "on conflict (site_id, day, visitor) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in _OF_VERDICTS),
        "replace_judged": "on conflict (site_id, day) do update set rules = excluded.rules, events = excluded.events,"
        " is_over = excluded.is_over, at = excluded.at",
        "count_turn": "on conflict (id) do update set turn = turn + 1",
        "replace_role": "on conflict (site_id, user_id) do update set role = excluded.role",
        "replace_full_at": "on conflict (id) do update set full_at = excluded.full_at",
        "merge_erasure": "on conflict (site_id, mark, first_ts) do update set"
        " last_ts = max(last_ts, excluded.last_ts), at = excluded.at",
        "merge_profile": "on conflict (site_id, visitor) do update set"
        " first_at = case when first_at = 0 or excluded.first_at < first_at then excluded.first_at else first_at end,"
        " last_at = max(last_at, excluded.last_at), visits = visits + excluded.visits",
        "replace_note": "on conflict (site_id, visitor) do update set"
        " note = excluded.note, last_at = max(last_at, excluded.last_at)",
        "tables_of_sites": "select found.name from sqlite_schema as found, pragma_table_info(found.name) as parts"
        " where found.type = 'table' and parts.name = 'site_id' order by found.name",
        "begin": "begin immediate",
        "columns_of": "select name from pragma_table_info(?)",
        "index_of": "select name from sqlite_schema where type = 'index' and tbl_name = ? and name = ?",
        "epoch_last_visited": "unixepoch(last_visited, 'auto')",
        "epoch_created_at": "unixepoch(created_at, 'auto')",
    },
    "mysql": {
        "integer": "bigint",
        "key": "binary(16)",
        "bytes": "mediumblob",
        "digest": "binary(32)",
        "text": "mediumtext",
        "url": "varchar(2048)",
        "name": "varchar(64)",
        "table": "engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin",
        "for_update": "for update",
        # Not "insert ignore": that turns every error into a warning, a value too long included.
        "keep_old_id": "on duplicate key update batch_id = event_ids.batch_id",
        "keep_old_secret": "on duplicate key update value = secrets.value",
        "keep_old_row": "on duplicate key update site_id = site_id",
        "keep_old_lease": "on duplicate key update name = name",
        "keep_first_at": "on duplicate key update first_at = least(first_at, values(first_at))",
        "replace_site": "on duplicate key update"
        " name = values(name), created_at = values(created_at), settings = values(settings)",
        "add_visits": "on duplicate key update"
        " visit_count = visit_count + values(visit_count),"
        " last_visited = greatest(last_visited, values(last_visited))",
        "merge_page": "on duplicate key update"
        " visit_count = visit_count + values(visit_count),"
        " last_visited = greatest(last_visited, values(last_visited)),"
        " created_at = least(created_at, values(created_at))",
        "keep_old_body": "on duplicate key update id = values(id)",
        "keep_first_ts": "on duplicate key update ts = least(ts, values(ts))",
        "merge_link": "on duplicate key update at = least(at, values(at)), joined = greatest(joined, values(joined))",
        "replace_session": "on duplicate key update last_ts = values(last_ts), body = values(body)",
        "replace_ip_record": "on duplicate key update"
        " first_at = values(first_at), last_at = values(last_at), visits = values(visits), body = values(body)",
        "add_seen_days": "on duplicate key update days = days + values(days)",
        "add_measures": "on duplicate key update " + ", ".join(f"{name} = {name} + values({name})" for name in NAMES),
        "add_heat": "on duplicate key update n = n + values(n)",
        "add_tabs": "on duplicate key update"
        " received = received + values(received), highest = greatest(highest, values(highest))",
        "add_quality": "on duplicate key update tabs = tabs + values(tabs),"
        " received = received + values(received), expected = expected + values(expected)",
        "add_arrivals": "on duplicate key update "
        + ", ".join(f"{name} = {name} + values({name})" for name in _OF_ARRIVALS),
        "replace_verdict": "on duplicate key update " + ", ".join(f"{name} = values({name})" for name in _OF_VERDICTS),
        "replace_judged": "on duplicate key update"
        " rules = values(rules), events = values(events), is_over = values(is_over), at = values(at)",
        "count_turn": "on duplicate key update turn = turn + 1",
        "replace_role": "on duplicate key update role = values(role)",
        "replace_full_at": "on duplicate key update full_at = values(full_at)",
        "merge_erasure": "on duplicate key update last_ts = greatest(last_ts, values(last_ts)), at = values(at)",
        "merge_profile": "on duplicate key update"
        " first_at = case when first_at = 0 or values(first_at) < first_at then values(first_at) else first_at end,"
        " last_at = greatest(last_at, values(last_at)), visits = visits + values(visits)",
        "replace_note": "on duplicate key update note = values(note), last_at = greatest(last_at, values(last_at))",
        "tables_of_sites": "select table_name from information_schema.columns"
        " where table_schema = database() and column_name = 'site_id' order by table_name",
        "begin": "begin",
        "columns_of": "select column_name from information_schema.columns"
        " where table_schema = database() and table_name = ?",
        "index_of": "select index_name from information_schema.statistics"
        " where table_schema = database() and table_name = ? and index_name = ? limit 1",
        "epoch_last_visited": "unix_timestamp(last_visited)",
        "epoch_created_at": "unix_timestamp(created_at)",
    },
}

# Rows per statement. SQLite keeps the texts of few sizes prepared; for MySQL fewer statements are what counts,
# and 1,000 rows stay below its smallest usual packet.
_SIZES: dict[Dialect, tuple[int, ...]] = {"sqlite": (64, 32, 16, 8, 4, 2, 1), "mysql": (1000,)}


@lru_cache(maxsize=1024)
def text(dialect: Dialect, template: str, rows: int = 1) -> str:
    """Return the dialect's text of a template for so many rows."""
    sql = expand(dialect, template)
    if "[" in sql:
        head, row, tail = re.split(r"[\[\]]", sql)
        sql = head + ", ".join([row] * rows) + tail
    return sql.replace("?", "%s") if dialect == "mysql" else sql


def expand(dialect: Dialect, template: str) -> str:
    """Replace the macros; a name that is none raises KeyError."""
    return re.sub(r"\{(\w+)\}", lambda found: MACROS[dialect][found[1]], template)


@lru_cache(maxsize=4096)
def pieces(dialect: Dialect, rows: int) -> tuple[int, ...]:
    """Split so many rows into the sizes of statement that the dialect likes."""
    found: list[int] = []
    for size in _SIZES[dialect]:
        times, rows = divmod(rows, size)
        found += [size] * times
    return (*found, rows) if rows else tuple(found)
