"""Errors of a site's pages, each problem once: how often, for how many visitors, since when, where."""

import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from visitor_tracker.event import ROBOT, Kind
from visitor_tracker.reports.query import QueryError, Span
from visitor_tracker.reports.within import Within
from visitor_tracker.reports.words import Words, iso
from visitor_tracker.sites import Site
from visitor_tracker.store.apart import of_site
from visitor_tracker.store.problems import ProblemTable, Told
from visitor_tracker.store.session import Database

ERRORS_MOST = 200_000  # of one question
READ_MOST = 5_000_000  # events of any kind in the hours that have some
LIMIT, LIMIT_MOST = 20, 1_000
SESSIONS_MOST = 50  # of a problem
_PARTS_MOST = 20  # of a list of where a problem was met
_CHUNK = 2_000  # events that are looked at between two breaths of other threads


class Part(msgspec.Struct, frozen=True):
    """Where a problem was met, and how often."""

    value: str
    count: int


class Problem(msgspec.Struct, frozen=True):
    """One problem of a period; `message`, `page` up to `stack` are those of the last time.

    The lists have the most frequent values. `sessions` are ids of visits, the latest first.
    """

    group: str
    message: str
    count: int
    visitors: int  # that are known; under the policy `daily` each counts once a day
    first_seen: str
    last_seen: str
    page: str
    source: str
    line: int
    column: int
    stack: str
    browsers: list[Part] = []
    pages: list[Part] = []
    releases: list[Part] = []
    sessions: list[str] = []


class Problems(msgspec.Struct, frozen=True):
    """The problems of a period, the most frequent first; `errors` and `groups` are of all of them."""

    errors: int
    groups: int
    problems: list[Problem]


class _Group:
    """What is known of a problem so far."""

    __slots__ = ("contexts", "count", "first_ts", "last", "pages", "releases", "sessions", "visitors")

    def __init__(self, told: Told) -> None:
        self.count = 0
        self.first_ts = told.ts
        self.last = told
        self.visitors: set[bytes] = set()
        self.sessions: dict[bytes, int] = {}  # of the latest visitors, when they met it last
        self.contexts: Counter[int] = Counter()
        self.pages: Counter[tuple[int, int]] = Counter()  # host, page
        self.releases: Counter[str] = Counter()

    def add(self, told: Told) -> None:
        """Add one; they come by time."""
        self.count += 1
        self.last = told
        self.contexts[told.context] += 1
        self.pages[told.host, told.page] += 1
        if release := told.rest.properties.get("release"):
            self.releases[str(release)] += 1
        if told.visitor:
            self.visitors.add(told.visitor)
            self.sessions.pop(told.visitor, None)
            self.sessions[told.visitor] = told.ts
            if len(self.sessions) > SESSIONS_MOST:
                del self.sessions[next(iter(self.sessions))]


def problems(database: Database, site: Site, span: Span, limit: int = LIMIT, within: Within | None = None) -> Problems:
    """Return the problems of a span, or of some of its visits; raises QueryError where there is too much to read."""
    groups: dict[str, _Group] = {}
    errors = 0
    for told in told_events(ProblemTable(database), site, "error", span, most=ERRORS_MOST):
        if within is not None and not within.has(told.visitor, told.ts):
            continue
        errors += 1
        key = str(told.rest.properties.get("group", "")) or f"{told.name:x}"
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(told)
        group.add(told)
    ranked = sorted(groups.items(), key=lambda each: (-each[1].count, -each[1].last.ts, each[0]))[:limit]
    return Problems(errors, len(groups), _shown(of_site(database, site.id), ranked))


def told_events(table: ProblemTable, site: Site, kind: Kind, span: Span, *, most: int) -> Iterator[Told]:
    """Yield a span's events of a kind by time, those of robots left out; raises QueryError where they are too many."""
    hours = table.hours(site.id, kind, span.start_ms, span.end_ms)
    if sum(hour.events for hour in hours) > most:
        raise QueryError("period", f"there are more than {most:,} of them in this period: take a shorter one")
    if sum(hour.of_all for hour in hours) > READ_MOST:
        raise QueryError("period", f"this would read more than {READ_MOST:,} events: take a shorter period")
    for hour in hours:
        for chunk in table.events(site.id, kind, hour, signals=ROBOT, most=_CHUNK):
            yield from chunk
            time.sleep(0)


def _shown(database: Database, ranked: list[tuple[str, _Group]]) -> list[Problem]:
    groups = [group for _, group in ranked]
    words = database.read(lambda session: _learned(Words(session), groups))
    return [_problem(key, group, words) for key, group in ranked]


def _learned(words: Words, groups: list[_Group]) -> Words:
    words.learn(
        texts={text for group in groups for place in group.pages for text in place}
        | {group.last.name for group in groups},
        contexts={context for group in groups for context in group.contexts},
    )
    return words


def _browsers(group: _Group, words: Words) -> list[Part]:
    counted: Counter[str] = Counter()
    for context, number in group.contexts.items():
        agent = words.context(context).agent
        counted[f"{agent.browser} {agent.browser_version}".strip()] += number
    return _parts(counted)


def _parts(counted: Counter[str]) -> list[Part]:
    ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return [Part(value, count) for value, count in ranked[:_PARTS_MOST]]


def _address(words: Words, host: int, page: int) -> str:
    return f"https://{words.text(host)}{words.text(page)}" if host else ""


def _problem(key: str, group: _Group, words: Words) -> Problem:
    last = group.last
    properties = last.rest.properties
    return Problem(
        group=key,
        message=words.text(last.name),
        count=group.count,
        visitors=len(group.visitors),
        first_seen=iso(group.first_ts),
        last_seen=iso(last.ts),
        page=last.rest.url or _address(words, last.host, last.page),
        source=str(properties.get("source", "")),
        line=_whole(properties.get("line")),
        column=_whole(properties.get("column")),
        stack=str(properties.get("stack", "")),
        browsers=_browsers(group, words),
        pages=_parts(Counter({_address(words, *place): number for place, number in group.pages.items()})),
        releases=_parts(group.releases),
        sessions=[f"{visitor.hex()}-{ts}" for visitor, ts in reversed(group.sessions.items())],
    )


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
