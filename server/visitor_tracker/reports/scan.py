"""Read the visits of a span one after the other: sessions, joined over midnights, and events without a visitor.

sessions of each day ─┐ chunks ─▶ joined with the other half ─▶ Whole
events of those days ─┘           whose rollups have more than the sessions
"""

import time
from collections.abc import Container, Iterable, Iterator, Sequence

from visitor_tracker.days import bounds, date_of, day_after, day_of
from visitor_tracker.event import ROBOT
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS
from visitor_tracker.reports.plans import Test
from visitor_tracker.reports.query import QueryError, Question
from visitor_tracker.reports.selection import Values, Whole
from visitor_tracker.sessions.cutting import continues, cut
from visitor_tracker.sessions.fact import Fact
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.sessions.session import GAP_MS, VisitorSession, decode_session
from visitor_tracker.sites import Site
from visitor_tracker.store.reports import Piece, ReportTable

SESSIONS_MOST = 500_000  # of one question: half a minute, and 300 MB where most visitors differ
CHUNK = 2_000  # rows that are read and looked at between two breaths of other threads

Own = tuple[bytes, VisitorSession]
_VIEWS, _ENGAGED, _EVENTS = 2, 5, 7  # places in measures.NAMES
_LOOKS = frozenset(map(int, OF_LOOKS))
_ACTS = frozenset(map(int, OF_ACTS))
_PAGE = int(Dimension.PAGE)


class Scan:
    """One pass over the visits of a question; used once, by one thread."""

    def __init__(
        self,
        table: ReportTable,
        question: Question,
        *,
        most: int = SESSIONS_MOST,
        wanted: Container[bytes] | None = None,
    ) -> None:
        """With `wanted` only visits of these visitors are looked at."""
        self._wanted = wanted
        self._table = table
        self._site: Site = question.site
        self._span = question.span
        self._most = most
        self._profiles = Profiles()
        self._values: dict[tuple[int, int], Values] = {}
        self._buckets: tuple[int, ...] = ()
        self._also: set[int] = set()
        self._left: dict[int, list[int]] = {}  # what the rollups of a day have that no session has shown yet

    def chunks(self) -> Iterator[list[Whole]]:
        """Yield all visits that may touch the span, and what belongs to none.

        Raises QueryError when they are too many, or not there any more.
        """
        yield from self.visits()
        for day, left in self._left.items():
            # Whatever is in no session has no visitor; mostly there is nothing, and no event needs to be looked at.
            if any(left):
                for chunk in self._loose(day):
                    self._take_off([own for whole in chunk for _, own in whole.sessions])
                    yield chunk
        self._refuse_gone()

    def visits(self) -> Iterator[list[Whole]]:
        """Yield all visits that may touch the span; raises QueryError when they are too many."""
        self._begin()
        read = 0
        for bucket in self._buckets:
            for rows in self._table.sessions(self._site.id, bucket, CHUNK):
                read += len(rows)
                if read > self._most:
                    raise too_many_visits(self._most)
                wanted = rows if self._wanted is None else [row for row in rows if row.visitor in self._wanted]
                yield self._joined([(row.visitor, decode_session(row.body)) for row in wanted])
                time.sleep(0)

    def whole(self, rows: Sequence[Own]) -> list[Whole]:
        """Return the visits of which these sessions are, each once for every session of it that is given."""
        return self._joined(rows)

    def _refuse_gone(self) -> None:
        """Raise QueryError where days have had more than is found of them now, and their events are gone."""
        short = [day for day, (views, _, events) in self._left.items() if views > 0 or events > 0]
        if short:
            kept = self._table.raw.kept(self._site.id, min(short), max(short))
            if gone := [day for day in short if not kept.get(day, True)]:
                raise QueryError(
                    "period",
                    f"suppressed: visits of {date_of(max(gone))} are not kept any more: take later days,"
                    " or leave the filter out",
                )

    def look_at(self, day: int) -> None:
        """Look for visits of a day, also where it has no numbers: what only prolongs a visit adds nothing to them."""
        self._also |= {day, day_after(day, -1)}

    def alone(self, facts: Iterable[Fact]) -> list[Whole]:
        """Return what belongs to no visit: events, each by itself."""
        sessions = [cut([fact])[0] for fact in facts]
        self._learn(sessions)
        return [self._whole([(None, own)]) for own in sessions]

    def _begin(self) -> None:
        """Find the days that have numbers: the others of a long span need not be looked at."""
        zone = self._site.timezone
        first, last = (day_of(zone, ms) for ms in (self._span.start_ms, self._span.end_ms - 1))
        piece = Piece("day", first, last)
        visits = 0
        for day, measured in self._table.periods(self._site.id, Dimension.TOTAL, piece):
            self._left[day] = [measured[_VIEWS], measured[_ENGAGED], measured[_EVENTS]]
            visits += measured[1]
        # One that began the day before may go on; 0 has those that saw more than two days.
        self._buckets = (0, *sorted({day_after(first, -1), *self._left, *self._also}))
        if visits > self._most:
            raise too_many_visits(self._most)

    def _joined(self, rows: Sequence[Own]) -> list[Whole]:
        """Return the visits of these sessions; two that are one stand where the earlier one is."""
        self._take_off([own for _, own in rows])
        pairs = self._pairs(rows)
        found: list[Sequence[Own]] = []
        for visitor, own in rows:
            pair = pairs.get((visitor, own.first_ts))
            if pair is None:
                found.append([(visitor, own)])
            elif pair[0] == (visitor, own) or not self._reads(*pair[0]):
                found.append(pair)
        self._learn([own for each in found for _, own in each])
        return [self._whole(each) for each in found]

    def _reads(self, visitor: bytes, own: VisitorSession) -> bool:
        """Say whether that session is read in its turn."""
        return own.bucket in self._buckets and (self._wanted is None or visitor in self._wanted)

    def _take_off(self, sessions: Iterable[VisitorSession]) -> None:
        left = self._left
        for own in sessions:
            for look in own.looked:
                if (found := left.get(look.day)) is not None:
                    found[0] -= look.views
                    found[1] -= look.engaged_ms
            for act in own.acted:
                if (found := left.get(act.day)) is not None:
                    found[2] -= act.times

    def _pairs(self, rows: Sequence[Own]) -> dict[tuple[bytes, int], Sequence[Own]]:
        """Return the two sessions of visits over midnight, by visitor and first moment of either."""
        edge = [(visitor, own) for visitor, own in rows if self._is_at_edge(own)]
        links = self._table.joined(self._site.id, {visitor for visitor, _ in edge})
        if not links:
            return {}
        days = {visitor: {own.first_day, own.last_day} for visitor, own in edge}
        keys: set[tuple[int, bytes]] = set()
        for link in links:
            for day in days.get(link.visitor, set()) | days.get(link.previous, set()):
                buckets = (0, *(day_after(day, step) for step in (-2, -1, 0, 1)))
                keys |= {(bucket, visitor) for bucket in buckets for visitor in (link.visitor, link.previous)}
        sessions: dict[bytes, list[VisitorSession]] = {}
        for _, visitor, own in self._table.sessions_in(self._site.id, keys):
            sessions.setdefault(visitor, []).append(own)
        found: dict[tuple[bytes, int], Sequence[Own]] = {}
        for link in sorted(links):
            earlier = max(sessions.get(link.previous, ()), key=_began, default=None)
            later = min(sessions.get(link.visitor, ()), key=_began, default=None)
            if earlier is None or later is None or (link.previous, earlier.first_ts) in found:
                continue
            if continues(later, earlier, bounds(self._site.timezone, earlier.first_day)[0]):
                pair = ((link.previous, earlier), (link.visitor, later))
                found[link.previous, earlier.first_ts] = found[link.visitor, later.first_ts] = pair
        return found

    def _is_at_edge(self, own: VisitorSession) -> bool:
        zone = self._site.timezone
        begins, ends = bounds(zone, own.first_day)[0], bounds(zone, own.last_day)[1]
        return own.first_ts - begins <= GAP_MS or ends - own.last_ts <= GAP_MS

    def _learn(self, sessions: Sequence[VisitorSession]) -> None:
        sources, contexts = self._profiles.unknown(
            {own.head.source for own in sessions}, {own.head.context for own in sessions}
        )
        if sources or contexts:
            self._profiles.learn(*self._table.profiles(self._site.id, sources, contexts))

    def _whole(self, sessions: Sequence[tuple[bytes | None, VisitorSession]]) -> Whole:
        if len(sessions) == 1:
            [(visitor, own)] = sessions
            head, entry, exit_ = own.head, own.entry, own.exit
        else:
            visitor = sessions[0][0]
            head = min(own.head for _, own in sessions)
            entry = next((own.entry for _, own in sessions if own.entry), None)
            exit_ = next((own.exit for _, own in reversed(sessions) if own.exit), None)
        values = self._values.get((head.source, head.context))
        if values is None:
            values = self._values[head.source, head.context] = dict(self._profiles.pairs(head.source, head.context))
        if visitor is None or entry is None or exit_ is None:
            return Whole(tuple(sessions), head, values)
        return Whole(tuple(sessions), head, values, entry.page, exit_.page)

    def _loose(self, day: int) -> Iterator[list[Whole]]:
        """Yield the events of a day that nobody is known to have done, each by itself."""
        start, end = bounds(self._site.timezone, day)
        for facts in self._table.loose_events(self._site, start, end, signals=ROBOT, most=CHUNK):
            yield self.alone(facts)
            time.sleep(0)


def _began(own: VisitorSession) -> int:
    return own.first_ts


def too_many_visits(most: int) -> QueryError:
    """Return the refusal of a question that would read more than so many visits."""
    return QueryError(
        "period",
        f"this would read more than {most:,} visits one by one: take a shorter period, or leave the filter out",
    )


def learn(table: ReportTable, site_id: int, tests: Iterable[Test], chunk: Sequence[Whole]) -> None:
    """Let the tests judge the texts of a chunk before they are asked."""
    for test in tests:
        unknown = test.unknown(_texts(test.dimension, chunk))
        if unknown:
            test.learn(table.texts(site_id, sorted(unknown)), unknown)


def _texts(dimension: int, chunk: Iterable[Whole]) -> set[int]:
    """Return the ids of all values that the visits have for a dimension."""
    if dimension in _LOOKS:
        name = "page" if dimension == _PAGE else "host"
        return {getattr(look, name) for whole in chunk for _, own in whole.sessions for look in own.looked}
    if dimension in _ACTS:
        acted = (act for whole in chunk for _, own in whole.sessions for act in own.acted)
        return {act.value for act in acted if act.dimension == dimension}
    return {whole.value(dimension) for whole in chunk}
