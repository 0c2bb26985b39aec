"""What the fold has made of events, read back by plain SQL."""

from collections.abc import Mapping

import msgspec

from visitor_tracker.event import KINDS, Event, Source
from visitor_tracker.sessions.fact import NOBODY, Flag, decode_context, decode_rest
from visitor_tracker.store.open import open_store
from visitor_tracker.store.sql import SqlStore

_COLUMNS = (
    "site_id, ts, id, day, visitor, kind, flags, signals, page, host, source, context, name, target, engaged_ms, body"
)
_SOURCE = msgspec.msgpack.Decoder(Source).decode


def folded_events(store: SqlStore) -> list[Event]:
    """Return every event that was folded, by site, time and id; `at` and `previous` are not kept."""
    # The events first: what they name is there by then, whatever is folded meanwhile.
    rows = store.execute(f"select {_COLUMNS} from events order by site_id, ts, id")
    texts = {row[0]: str(row[1]) for row in store.execute("select id, value from strings")} | {0: ""}
    sources = {row[0]: _SOURCE(bytes(row[1])) for row in store.execute("select id, body from sources")}
    contexts = {row[0]: decode_context(bytes(row[1])) for row in store.execute("select id, body from contexts")}
    found: list[Event] = []
    for row in rows:
        site_id, ts, event_id, day, visitor, kind, flags, signals, page, host, source, context, *more = row
        name, target, engaged_ms, body = more
        rest = decode_rest(bytes(body)) if body else None
        place = contexts[context]
        found.append(
            Event(
                bytes(event_id),
                KINDS[kind],
                site_id,
                ts,
                ts,
                day,
                b"" if bytes(visitor) == NOBODY else bytes(visitor),
                b"",
                rest.client if rest else b"",
                rest.person if rest else b"",
                (rest.url if rest else "") or _url(texts, host, page),
                sources[source],
                place.place,
                place.agent,
                place.language,
                signals,
                rest.title if rest else "",
                texts[name],
                texts[target],
                rest.properties if rest else {},
                place.screen,
                rest.viewport if rest else "",
                engaged_ms,
                rest.scroll if rest else 0,
                rest.value if rest else 0.0,
                rest.currency if rest else "",
                not flags & Flag.BY_ITSELF,
                rest.ip if rest else "",
                rest.user_agent if rest else "",
                bool(flags & Flag.COUNTED),
            )
        )
    return found


def _url(texts: Mapping[int, str], host: int, page: int) -> str:
    return f"https://{texts[host]}{texts[page]}" if host else ""


def events_of_store(store_url: str) -> list[Event]:
    """Return every folded event of a database."""
    store = open_store(store_url)
    try:
        return folded_events(store)
    finally:
        store.close()


def waiting_events(store_url: str) -> int:
    """Return how many events are in the inbox."""
    store = open_store(store_url)
    try:
        return int(store.execute("select coalesce(sum(events), 0) from inbox")[0][0])
    finally:
        store.close()
