"""Events as facts: texts, sources and contexts become ids, and what no rollup needs one encoded rest."""

from functools import lru_cache

from visitor_tracker.days import hour_of
from visitor_tracker.event import KIND_CODES, Event, RawEvent
from visitor_tracker.sessions.fact import Context, Fact, Flag, Rest, encode_rest
from visitor_tracker.sessions.profiles import TEXT_MOST, Profiles

_BY_ITSELF = int(Flag.BY_ITSELF)
_COUNTED = int(Flag.COUNTED)


def fact_of(event: Event, timezone: str, profiles: Profiles) -> Fact:
    """Return the event as a fact; `timezone` is its site's."""
    context = profiles.context(Context(event.place, event.agent, event.language, event.screen))
    return _fact(event, timezone, profiles, profiles.source(event.source), context)


def fact_of_raw(event: RawEvent, timezone: str, profiles: Profiles) -> Fact:
    """Return what `fact_of` says of the same event; raises msgspec.DecodeError."""
    context = profiles.raw_context(bytes(event.place), bytes(event.agent), event.language, event.screen)
    return _fact(event, timezone, profiles, profiles.raw_source(bytes(event.source)), context)


def _fact(event: Event | RawEvent, timezone: str, profiles: Profiles, source: int, context: int) -> Fact:
    text = profiles.text
    host, page, more = _split(event.url)
    text(event.kind)  # listed in reports as a value of KIND
    return Fact(
        event.id,
        event.ts,
        event.day,
        hour_of(timezone, event.ts),
        KIND_CODES[event.kind],
        (0 if event.interactive else _BY_ITSELF) | (_COUNTED if event.counted else 0),
        event.signals,
        event.visitor,
        event.previous,
        text(page),
        text(host),
        source,
        context,
        text(event.name) if event.name else 0,
        text(event.target) if event.target else 0,
        event.engaged_ms,
        event.session,
        _rest(event, more),
    )


@lru_cache(8192)
def _split(url: str) -> tuple[str, str, str]:
    """Return host and path of a page's URL, and the whole of it where it cannot be made of these again."""
    where = url.partition("?")[0].partition("#")[0]
    host, slash, path = where.partition("://")[2].partition("/")
    page = slash + path
    long = len(host) > TEXT_MOST or len(page) > TEXT_MOST
    return host, page, url if long or url != f"https://{host}{page}" else ""


def _rest(event: Event | RawEvent, url: str) -> bytes:
    if _has_no_rest(event, url):
        return b""
    rest = Rest(
        url,
        event.title,
        event.properties,
        event.viewport,
        event.scroll,
        event.value,
        event.currency,
        event.session,
        event.person,
        event.ip,
        event.user_agent,
    )
    return encode_rest(rest)


def _has_no_rest(event: Event | RawEvent, url: str) -> bool:
    return not (
        event.title
        or url
        or event.viewport
        or event.session
        or event.scroll
        or event.properties
        or event.value
        or event.currency
        or event.person
        or event.ip
        or event.user_agent
    )
