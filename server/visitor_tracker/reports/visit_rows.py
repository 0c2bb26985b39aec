"""A visit as a row of a list: what is stored of it, as far as the site's policy shows it."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from visitor_tracker.days import HOUR_MS
from visitor_tracker.reports.profiles import as_policy_keeps, first_event
from visitor_tracker.reports.selection import Whole
from visitor_tracker.reports.timeline import visit_id
from visitor_tracker.reports.words import Words, iso
from visitor_tracker.sites import Policy, Site
from visitor_tracker.store import visit_list
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.problems import ProblemTable
from visitor_tracker.store.session import Database, Session
from visitor_tracker.store.visit_list import Recorded, Trouble

EVENTS_MOST = 500_000  # that are looked at for errors and clicks in rage
_LATE_MS = 2 * HOUR_MS  # a recording's last piece may come so much later than the visit's last event
_SLACK_MS = 60_000  # between the clocks of events and of pieces
_SPAN_MOST_MS = 24 * HOUR_MS  # of a visit that is looked at

Interval = tuple[int, int]


class VisitRow(msgspec.Struct, frozen=True):
    """A visit; `GET /sessions/{id}` has its events. `errors` and `rage_clicks` are None where they are not counted."""

    id: str
    visitor: str
    ip: str  # "" where the policy keeps none
    started_at: str
    ended_at: str
    duration_seconds: float
    engaged_seconds: float
    country: str
    region: str
    city: str
    channel: str
    source: str
    device: str
    browser: str
    os: str
    entry: str
    exit: str
    views: int
    events: int
    errors: int | None
    rage_clicks: int | None
    recording: str | None  # its id, for GET /api/v1/replay/{session}


class _Beside(msgspec.Struct, frozen=True):
    """What is found out of rows besides their sessions, in the order of the rows."""

    troubles: list[Trouble] | None
    recordings: list[Recorded]


def rows_of(database: Database, site: Site, policy: Policy, wholes: Sequence[Whole], *, robots: int) -> list[VisitRow]:
    """Return visits as rows; `robots` are the signals that make an event a robot's."""
    if not wholes:
        return []
    spans = merged(_span(whole) for whole in wholes)
    visitors = {visitor for whole in wholes for visitor, _ in whole.sessions if visitor}
    is_much = _events_in(ProblemTable(database), site, spans) > EVENTS_MOST

    def work(session: Session) -> list[VisitRow]:
        troubles: list[Trouble] = []
        recordings: list[Recorded] = []
        for start, end in spans:
            if not is_much:
                troubles += visit_list.troubles(session, site.id, (start, end), visitors, robots=robots)
            recordings += visit_list.recordings(session, site.id, (start, end + _LATE_MS), visitors)
        beside = _Beside(None if is_much else troubles, recordings)
        words = Words(session)
        words.learn(
            texts=[text for whole in wholes for text in (whole.entry, whole.exit)],
            contexts=[whole.head.context for whole in wholes],
            sources=[whole.head.source for whole in wholes],
        )
        return [_row(session, site, policy, whole, words, beside) for whole in wholes]

    return of_site(database, site.id).read(work)


def merged(spans: Iterable[Interval]) -> list[Interval]:
    """Return the same times in as few intervals as they make."""
    found: list[Interval] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _span(whole: Whole) -> Interval:
    first, last = whole.sessions[0][1].first_ts, whole.sessions[-1][1].last_ts
    return first, min(last, first + _SPAN_MOST_MS)


def _events_in(table: ProblemTable, site: Site, spans: Sequence[Interval]) -> int:
    """Return how many events the hours have that would be read."""
    hours = {
        hour.start_ms: hour.of_all for start, end in spans for hour in table.hours(site.id, "pageview", start, end + 1)
    }
    return sum(hours.values())


def _row(  # noqa: PLR0913 - what is known
    session: Session, site: Site, policy: Policy, whole: Whole, words: Words, beside: _Beside
) -> VisitRow:
    context, source = words.context(whole.head.context), words.source(whole.head.source)
    place, agent = context.place, context.agent
    (visitor, first), last = whole.sessions[0], whole.sessions[-1][1]
    hashed = visitor or b""
    ip = first_event(session, site, hashed, first).ip if policy.ip != "none" else ""
    troubles = _troubles(whole, beside.troubles)
    return VisitRow(
        id=visit_id(hashed, first),
        visitor=hashed.hex(),
        ip=as_policy_keeps(ip, policy),
        started_at=iso(first.first_ts),
        ended_at=iso(last.last_ts),
        duration_seconds=(last.last_ts - first.first_ts) / 1000,
        engaged_seconds=sum(own.engaged_ms for _, own in whole.sessions) / 1000,
        country=place.country,
        region=place.region,
        city=place.city,
        channel="direct" if source.channel == "internal" else source.channel,
        source=source.name,
        device=agent.device,
        browser=f"{agent.browser} {agent.browser_version}".strip(),
        os=f"{agent.os} {agent.os_version}".strip(),
        entry=words.text(whole.entry),
        exit=words.text(whole.exit),
        views=sum(own.views for _, own in whole.sessions),
        events=sum(act.times for _, own in whole.sessions for act in own.acted),
        errors=None if troubles is None else troubles[True],
        rage_clicks=None if troubles is None else troubles[False],
        recording=_recording(whole, beside.recordings),
    )


def _troubles(whole: Whole, found: Sequence[Trouble] | None) -> Counter[bool] | None:
    """Return how many of a visit's are errors (True), and clicks in rage (False)."""
    if found is None:
        return None
    times = {visitor: (own.first_ts, own.last_ts) for visitor, own in whole.sessions}
    return Counter(
        each.is_error
        for each in found
        if each.visitor in times and times[each.visitor][0] <= each.ts <= times[each.visitor][1]
    )


def _recording(whole: Whole, found: Iterable[Recorded]) -> str | None:
    """Return the recording that was made meanwhile by the same visitor, the first of several."""
    visitors = {visitor for visitor, _ in whole.sessions}
    first, last = whole.sessions[0][1].first_ts, whole.sessions[-1][1].last_ts
    own = [
        each
        for each in found
        if each.visitor in visitors and each.first_at <= last + _SLACK_MS and each.last_at >= first - _SLACK_MS
    ]
    return min(own, key=lambda each: each.first_at).session.hex() if own else None
