"""The visitors of a site one by one, and the visits of each: made of what is stored anyway.

A visitor is a hash that lasts as long as the site's policy lets it: of a cookie, of an id that the page gave, or of
address and browser. Under `daily` it is somebody on one day.

    visits of a day ─▶ who came then, and never later ─▶ all visits of these ─▶ visitors, the latest first
    profiles of which retention has deleted every visit ─▶ behind them
"""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import msgspec

from visitor_tracker.days import bounds, day_after, day_of
from visitor_tracker.reports.words import Words, agent_name, iso
from visitor_tracker.sessions.fact import Rest, decode_rest
from visitor_tracker.sessions.session import VisitorSession
from visitor_tracker.sites import TRUNCATED_BITS, Policy, Site
from visitor_tracker.store import people, profiles
from visitor_tracker.store.profiles import Cursor, Profile
from visitor_tracker.store.session import Session

LIMIT, LIMIT_MOST = 50, 200
DAYS_MOST = 400  # that one answer looks through
FIRST = Cursor(1 << 62, b"")
_LAST_HASH = b"\xff" * 16
_PAGES_MOST = 1_000  # of a visit


class VisitorView(msgspec.Struct, frozen=True):
    """A visitor. `visits` and `first_visit` know of visits, too, that retention has deleted."""

    id: str
    first_visit: str
    last_visit: str
    visits: int
    note: str


class VisitorPage(msgspec.Struct, frozen=True):
    """Visitors, the latest first; `cursor` continues, None at the end."""

    visitors: list[VisitorView]
    cursor: str | None


class VisitView(msgspec.Struct, frozen=True):
    """A visit; `stated_at` is `started_at` under the name that an older API gave it. `ip` is as the policy keeps it."""

    id: str
    visitor: str
    ip: str
    user_agent: str
    started_at: str
    stated_at: str
    ended_at: str
    duration_seconds: float
    engaged_seconds: float
    country: str
    source: str
    pages: list[str]


class VisitPage(msgspec.Struct, frozen=True):
    """Visits, the latest first; `cursor` continues, None at the end."""

    visits: list[VisitView]
    cursor: str | None


def visitors(session: Session, site: Site, now: int, after: Cursor, limit: int) -> VisitorPage:
    """Return visitors behind a cursor, at most `limit`; few where the next ones came long before."""
    found: list[VisitorView] = []
    last: Cursor = after
    for start, end, buckets in _days(session, site, min(after.ts, now)):
        for seen, visitor in _of_day(session, site, (start, end), buckets, last, limit - len(found)):
            found.append(seen)
            last = visitor
        if len(found) >= limit:
            return VisitorPage(found, cursor_text(last))
        last = Cursor(start, _LAST_HASH)
    if _has_days(session, site, last):
        return VisitorPage(found, cursor_text(last))
    kept = profiles.older(session, site.id, last, limit - len(found) + 1)
    return _with_kept(session, site, found, kept, limit)


def _days(session: Session, site: Site, until: int) -> Iterable[tuple[int, int, tuple[int, ...]]]:
    """Yield beginning, end and buckets of days that may have visits, the latest first.

    A day beside one with events counts too, and buckets beside each: the zone may have been another one.
    """
    zone = site.timezone
    last = day_of(zone, until)
    known = profiles.days_with_events(session, site.id, day_after(last), DAYS_MOST)
    wanted = {day for known_day in known for day in (day_after(known_day, -1), known_day, day_after(known_day))}
    for day in sorted((day for day in wanted if day <= last), reverse=True):
        start, end = bounds(zone, day)
        yield start, end, (0, day_after(day, -1), day, day_after(day))


def _has_days(session: Session, site: Site, after: Cursor) -> bool:
    """Say whether there are days with events before the last one that was looked at."""
    if after == FIRST:
        return False
    before = day_after(day_of(site.timezone, after.ts), -2)
    return bool(profiles.days_with_events(session, site.id, before, 1))


def _of_day(  # noqa: PLR0913 - where and how many
    session: Session, site: Site, span: tuple[int, int], buckets: tuple[int, ...], after: Cursor, most: int
) -> list[tuple[VisitorView, Cursor]]:
    """Return who was last seen on a day."""
    found: list[tuple[VisitorView, Cursor]] = []
    while most > len(found):
        seen = profiles.last_seen(session, site.id, buckets, *span, after, most)
        in_order = sorted(seen.items(), key=lambda each: (-each[1], each[0]))[:most]
        if not in_order:
            break
        own = profiles.sessions_of(session, site.id, seen)
        notes = profiles.profiles(session, site.id, list(seen))
        for visitor, last_ts in in_order:
            after = Cursor(last_ts, visitor)
            if own[visitor] and max(each.last_ts for each in own[visitor]) == last_ts:
                found.append((_view(visitor, own[visitor], notes.get(visitor)), after))
    return found[:most]


def _with_kept(session: Session, site: Site, found: list[VisitorView], kept: list[Profile], limit: int) -> VisitorPage:
    """Add visitors of whom nothing but a profile is left."""
    own = profiles.sessions_of(session, site.id, [profile.visitor for profile in kept])
    last = None
    for profile in kept:
        if len(found) >= limit:
            return VisitorPage(found, None if last is None else cursor_text(last))
        last = Cursor(profile.last_at, profile.visitor)
        if not own[profile.visitor]:
            found.append(_view(profile.visitor, [], profile))
    is_more = last is not None and bool(profiles.older(session, site.id, last, 1))
    return VisitorPage(found, cursor_text(last) if last is not None and is_more else None)


def visitor(session: Session, site: Site, hashed: bytes) -> VisitorView | None:
    """Return a visitor, None for one of whom nothing is stored."""
    own = profiles.sessions_of(session, site.id, [hashed])[hashed]
    profile = profiles.profiles(session, site.id, [hashed]).get(hashed)
    return _view(hashed, own, profile) if own or profile else None


def visits(  # noqa: PLR0913 - where and how many
    session: Session, site: Site, policy: Policy, hashed: bytes, before: int, limit: int
) -> VisitPage | None:
    """Return a visitor's visits that began before a moment, the latest first; None for an unknown visitor."""
    own = profiles.sessions_of(session, site.id, [hashed])[hashed]
    if not own and hashed not in profiles.profiles(session, site.id, [hashed]):
        return None
    asked = [each for each in reversed(own) if each.first_ts < before]
    shown = visit_views(session, site, policy, hashed, asked[:limit])
    return VisitPage(shown, str(asked[limit - 1].first_ts) if len(asked) > limit else None)


def visit_views(
    session: Session, site: Site, policy: Policy, hashed: bytes, own: Iterable[VisitorSession]
) -> list[VisitView]:
    """Return visits as they are shown."""
    wanted = list(own)
    words = Words(session)
    words.learn(
        texts=[look.page for each in wanted for look in each.looked],
        contexts=[each.head.context for each in wanted],
        sources=[each.head.source for each in wanted],
    )
    return [_visit(session, site, policy, hashed, each, words) for each in wanted]


def _visit(  # noqa: PLR0913
    session: Session, site: Site, policy: Policy, hashed: bytes, own: VisitorSession, words: Words
) -> VisitView:
    context, first = words.context(own.head.context), first_event(session, site, hashed, own)
    pages = [words.text(look.page) for look in own.looked if look.views]
    return VisitView(
        id=f"{hashed.hex()}-{own.first_ts}",
        visitor=hashed.hex(),
        ip=as_policy_keeps(first.ip, policy),
        user_agent=(first.user_agent if policy.user_agent == "full" else "") or agent_name(context.agent),
        started_at=iso(own.first_ts),
        stated_at=iso(own.first_ts),
        ended_at=iso(own.last_ts),
        duration_seconds=(own.last_ts - own.first_ts) / 1000,
        engaged_seconds=own.engaged_ms / 1000,
        country=context.place.country,
        source=words.source(own.head.source).name or words.source(own.head.source).channel,
        pages=list(dict.fromkeys(pages))[:_PAGES_MOST],
    )


def first_event(session: Session, site: Site, hashed: bytes, own: VisitorSession) -> Rest:
    """Return what is rare of a visit's first event: an address, a user agent as it was sent."""
    rows = people.events_of(session, site.id, hashed, own.first_ts, own.first_ts, robots=0, limit=1)
    return decode_rest(rows[0].body) if rows and rows[0].body else Rest()


def as_policy_keeps(text: str, policy: Policy) -> str:
    """Return an address as the site may know it now, whatever it was when the visit was made."""
    if not text or policy.ip == "none":
        return ""
    address = ip_address(text)
    if policy.ip == "full":
        return text
    return str(ip_network((address, TRUNCATED_BITS[address.version]), strict=False).network_address)


def _view(hashed: bytes, own: list[VisitorSession], profile: Profile | None) -> VisitorView:
    old = profile or Profile(hashed)
    starts = [each.first_ts for each in own] + ([old.first_at] if old.first_at else [])
    ends = [each.last_ts for each in own] or [old.last_at]
    return VisitorView(
        hashed.hex(),
        iso(min(starts, default=old.last_at)),
        iso(max(ends)),
        old.visits + sum(each.is_visit for each in own),
        old.note,
    )


def cursor_text(cursor: Cursor) -> str:
    """Return a cursor as clients get it."""
    return f"{cursor.ts}-{cursor.visitor.hex()}"


def cursor_of(text: str) -> Cursor:
    """Read a cursor; raises ValueError for what is none."""
    ts, _, visitor = text.partition("-")
    hashed = bytes.fromhex(visitor)
    if not (ts.isascii() and ts.isdigit() and len(ts) <= 19 and len(hashed) == 16):
        raise ValueError("no cursor")
    return Cursor(int(ts), hashed)
