"""What became of a page's events: the rows of the store, read as a reader of SQLite files would."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from tests.running import Server
from visitor_tracker.event import KINDS
from visitor_tracker.sessions.fact import Rest, decode_rest

_EVENTS = """
select kind, pages.value, hosts.value, names.value, targets.value, engaged_ms, body
from events
left join strings pages on pages.id = page
left join strings hosts on hosts.id = host
left join strings names on names.id = name
left join strings targets on targets.id = target
where pages.value like ?
order by ts, events.id"""


@dataclass(frozen=True)
class Stored:
    """One event. `page` is the last part of its path, with what follows."""

    kind: str
    page: str
    name: str = ""
    target: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    engaged_ms: int = field(default=0, compare=False)
    rest: Rest = field(default_factory=Rest, compare=False, repr=False)


def stored(server: Server, folder: str) -> list[Stored]:
    """Return the folded events of pages in that folder, and of no page, in the order in which they happened."""
    path = server.folder / "visits.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(_EVENTS, (f"{folder}%",)).fetchall()
    database.close()
    return [_stored(folder, row) for row in rows]


def _stored(folder: str, row: tuple[Any, ...]) -> Stored:
    kind, page, _, name, target, engaged_ms, body = row
    rest = decode_rest(body) if body else Rest()
    return Stored(
        KINDS[kind], (page or "").removeprefix(folder), name or "", target or "", rest.properties, engaged_ms, rest
    )
