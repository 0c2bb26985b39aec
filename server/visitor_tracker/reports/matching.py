"""Which events a filter selects, and of which visits they are.

raw events ─▶ tested ─▶ those that may be selected, by visitor ─┐
sessions of these visitors, joined over midnights ──────────────┴▶ Matched: a visit and its selected events

Here a filter is asked of one event after the other: conditions of visits of the event's visit, all others of the event
itself. So `page is /a and prop:plan is pro` has the events that happened on /a and have the property.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator, Sequence
from operator import attrgetter

import msgspec

from visitor_tracker.days import date_of, day_of
from visitor_tracker.event import KINDS, ROBOT
from visitor_tracker.measures import NAMES, Dimension, text_id
from visitor_tracker.reports.fields import FIELDS, Field, shown, told
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS, Filter
from visitor_tracker.reports.plans import EventTest, Test, Verdicts, holds, plan_of
from visitor_tracker.reports.query import QueryError, Question, pieces_of
from visitor_tracker.reports.scan import CHUNK, Scan, learn
from visitor_tracker.reports.selection import Whole
from visitor_tracker.sessions.actions import listed_under
from visitor_tracker.sessions.fact import Fact, Rest, decode_rest
from visitor_tracker.store.reports import Piece, ReportTable

EVENTS_MOST = 500_000  # of one question: some twenty seconds, and 300 MB where a filter selects them all
VALUES_MOST = 200_000  # of lists: 100 MB where each is as long as it may be
_REMEMBERED = 200_000  # texts, and answers

_PAGE, _HOST = int(Dimension.PAGE), int(Dimension.HOST)
_OF_EVENTS = frozenset(map(int, OF_LOOKS | OF_ACTS))
_EVENTS = NAMES.index("events")
_NOTHING = Rest()
_TARGET = FIELDS["target"]
_BARE = frozenset({"kind", "target"})  # fields for which a body need not be decoded

_ts = attrgetter("ts")


class Happened(msgspec.Struct, frozen=True, gc=False):
    """An event that may be selected; `dimension` and `value` say what it is listed under, 0 where it is no action."""

    ts: int
    day: int
    hour: int
    visitor: bytes
    kind: int
    page: int
    host: int
    dimension: int
    value: int
    engaged_ms: int
    said: Verdicts  # of the tests that are about events
    told: tuple[int, ...]  # ids of the texts of the fields that lists need


class Matched(msgspec.Struct, frozen=True, gc=False):
    """A visit, or what belongs to none, and its selected events in the order of time, also those before the span."""

    whole: Whole
    events: Sequence[Happened]


class Matching:
    """One pass over the events of a question; used once, by one thread.

    `fields` are those that lists need. With `only_told` events that tell none of these are of no interest.
    """

    def __init__(
        self,
        table: ReportTable,
        question: Question,
        fields: Sequence[Field] = (),
        *,
        only_told: bool = False,
        most: int = EVENTS_MOST,
    ) -> None:
        self.texts: dict[int, str] = {}  # of what fields told
        self._table = table
        self._question = question
        self._fields = tuple(fields)
        self._only_told = only_told
        self._most = most
        self._judge = _Judge(question.filters)
        asked = {*fields, *self._judge.fields}
        self._needs_rest = any(field.name not in _BARE for field in asked)
        self._needs_target = _TARGET in asked
        self._targets: dict[int, str] = {0: ""}
        self._by_visitor: dict[bytes, list[Happened]] = {}
        self._scan = Scan(table, question, wanted=self._by_visitor)
        self._read_so_far = 0

    def found(self) -> Iterator[Matched]:
        """Yield what the filter selects; raises QueryError where it would take too long, or events are gone."""
        span = self._question.span
        check_events(self._table, self._question, self._most)
        for alone in self._read(span.start_ms, span.end_ms):
            yield from self._alone(alone)
        early: list[tuple[Whole, Verdicts]] = []
        for chunk in self._visits():
            for whole in chunk:
                own = self._judge.own(whole)
                selected = self._selected(whole, own)
                if selected and whole.sessions[0][1].first_ts < span.start_ms:
                    early.append((whole, own))
                elif selected:
                    yield Matched(whole, selected)
        yield from self._early(early)

    def _early(self, found: Sequence[tuple[Whole, Verdicts]]) -> Iterator[Matched]:
        """Yield visits that began before the span: each counts at its first event, which may be before it too."""
        if not found:
            return
        visitors = {visitor for whole, _ in found for visitor, _ in whole.sessions if visitor is not None}
        later = {visitor: self._by_visitor.pop(visitor, []) for visitor in visitors}
        first_ms = min(whole.sessions[0][1].first_ts for whole, _ in found)
        for _ in self._read(first_ms, self._question.span.start_ms, visitors):
            pass  # what nobody is known to have done is of no visit
        for visitor, events in later.items():
            self._by_visitor.setdefault(visitor, []).extend(events)
        for whole, own in found:
            yield Matched(whole, self._selected(whole, own))

    def _read(
        self, start_ms: int, end_ms: int, visitors: Container[bytes] | None = None
    ) -> Iterator[list[tuple[Fact, Happened]]]:
        """Keep the events that may be selected, by visitor; yield those of nobody."""
        for facts in self._table.raw.between(self._question.site, start_ms, end_ms, signals=ROBOT, most=CHUNK):
            self._read_so_far += len(facts)
            if self._read_so_far > self._most:
                raise too_many_events(self._most)
            self._learn(facts)
            alone: list[tuple[Fact, Happened]] = []
            for fact in facts:
                if visitors is not None and fact.visitor not in visitors:
                    continue
                if (happened := self._happened(fact)) is None:
                    continue
                if fact.visitor:
                    self._by_visitor.setdefault(fact.visitor, []).append(happened)
                else:
                    alone.append((fact, happened))
            if alone:
                yield alone
            time.sleep(0)

    def _learn(self, facts: Sequence[Fact]) -> None:
        """Read the texts that the tests and the lists need."""
        for test in self._judge.of_events:
            unknown = test.unknown({_value(test.dimension, fact) for fact in facts})
            if unknown:
                test.learn(self._table.texts(self._question.site.id, sorted(unknown)), unknown)
        if self._needs_target:
            if len(self._targets) > _REMEMBERED:
                self._targets = {0: ""}
            missing = {fact.target for fact in facts} - self._targets.keys()
            self._targets |= dict.fromkeys(missing, "") | self._table.texts(self._question.site.id, sorted(missing))

    def _happened(self, fact: Fact) -> Happened | None:
        """Return an event as it is counted; None where no visit could make the filter hold."""
        rest = decode_rest(fact.rest) if self._needs_rest and fact.rest else _NOTHING
        target = self._targets[fact.target] if self._needs_target else ""
        values = [shown(told(field, fact, rest, target)) for field in self._fields]
        if self._only_told and not any(values):
            return None
        said = self._judge.said(fact, rest, target)
        if not self._judge.may_hold(said):
            return None
        dimension, value = listed_under(fact) or (0, 0)
        ids = tuple([self._text_id(value) for value in values])
        what = (fact.kind, fact.page, fact.host, dimension, value, fact.engaged_ms)
        return Happened(fact.ts, fact.day, fact.hour, fact.visitor, *what, said, ids)

    def _text_id(self, text: str) -> int:
        found = text_id(text)
        if found and found not in self.texts:
            if len(self.texts) >= VALUES_MOST:
                raise QueryError(
                    "by",
                    f"this list would have more than {VALUES_MOST:,} different values:"
                    " take a shorter period, or a filter",
                )
            self.texts[found] = text
        return found

    def _visits(self) -> Iterator[list[Whole]]:
        if not self._by_visitor:
            return
        for day in {event.day for events in self._by_visitor.values() for event in events}:
            self._scan.look_at(day)
        for chunk in self._scan.visits():
            learn(self._table, self._question.site.id, self._judge.of_visits, chunk)
            yield chunk

    def _alone(self, found: Sequence[tuple[Fact, Happened]]) -> Iterator[Matched]:
        wholes = self._scan.alone(fact for fact, _ in found)
        learn(self._table, self._question.site.id, self._judge.of_visits, wholes)
        for whole, (_, happened) in zip(wholes, found, strict=True):
            if self._judge.holds(self._judge.own(whole), happened.said):
                yield Matched(whole, [happened])

    def _selected(self, whole: Whole, own: Verdicts) -> list[Happened]:
        found: list[Happened] = []
        for visitor, session in whole.sessions:
            events = self._by_visitor.get(visitor or b"", ())
            first = bisect_left(events, session.first_ts, key=_ts)
            last = bisect_right(events, session.last_ts, key=_ts)
            found += [event for event in events[first:last] if self._judge.holds(own, event.said)]
        return found


class _Judge:
    """The tests of a filter, and what it says where they say the same; belongs to one pass."""

    def __init__(self, filters: Filter | None) -> None:
        plan = plan_of(filters)
        self.of_visits = tuple(test for test in plan.tests if test.dimension not in _OF_EVENTS)
        self.of_events = tuple(test for test in plan.tests if test.dimension in _OF_EVENTS)
        self._of_fields = plan.event_tests
        self.fields = frozenset(test.field for test in plan.event_tests)
        self._root = plan.root
        self._any = (True,) * len(self.of_visits)  # no test is under a not, so nothing holds more than this
        self._answers: dict[tuple[Verdicts, Verdicts], bool] = {}
        self._once: dict[Verdicts, Verdicts] = {}  # of a million events most say the same

    def said(self, fact: Fact, rest: Rest, target: str) -> Verdicts:
        """Return what the tests say that are about events."""
        by_id = [test.holds(_value(test.dimension, fact)) for test in self.of_events]
        said = (*by_id, *[test.holds(told(test.field, fact, rest, target)) for test in self._of_fields])
        return self._once.setdefault(said, said)

    def own(self, whole: Whole) -> Verdicts:
        """Return what the tests say that are about visits."""
        return tuple([test.holds(whole.value(test.dimension)) for test in self.of_visits])

    def may_hold(self, said: Verdicts) -> bool:
        """Say whether there may be a visit with which the filter holds for an event."""
        return self.holds(self._any, said)

    def holds(self, own: Verdicts, said: Verdicts) -> bool:
        found = self._answers.get((own, said))
        if found is None:
            if len(self._answers) > _REMEMBERED:
                self._answers.clear()
            known: dict[Test | EventTest, bool] = dict(zip(self.of_visits, own, strict=True))
            known |= zip((*self.of_events, *self._of_fields), said, strict=True)
            found = self._answers[own, said] = holds(self._root, known.__getitem__)
        return found


def _value(dimension: int, fact: Fact) -> int:
    """Return the id of what an event says of a page or an action, 0 where it says nothing."""
    if dimension == _PAGE:
        return fact.page
    if dimension == _HOST:
        return fact.host
    listed = listed_under(fact)
    return listed[1] if listed is not None and listed[0] == dimension else 0


def check_events(table: ReportTable, question: Question, most: int = EVENTS_MOST) -> None:
    """Refuse what cannot be answered from events before anything is read; raises QueryError."""
    zone, site_id = question.site.timezone, question.site.id
    first, last = (day_of(zone, ms) for ms in (question.span.start_ms, question.span.end_ms - 1))
    kept = table.raw.kept(site_id, first, last)
    counted = {day for day, _ in table.periods(site_id, Dimension.TOTAL, Piece("day", first, last))}
    gone = {day for day, is_whole in kept.items() if not is_whole} | (counted - kept.keys())
    if gone:
        newest = max(gone)
        after = f"take days after {date_of(newest)}" if newest < last else "take later days"
        raise QueryError(
            "period",
            f"suppressed: the events of {date_of(newest)} are not kept any more: {after},"
            " or leave out what only events tell",
        )
    kinds, _ = table.breakdown(site_id, Dimension.KIND, pieces_of(question), order="events", limit=len(KINDS))
    if sum(row.measured[_EVENTS] for row in kinds) > most:
        raise too_many_events(most)


def too_many_events(most: int) -> QueryError:
    """Return what to raise where more than `most` events would be read."""
    return QueryError(
        "period",
        f"this would read more than {most:,} events one by one: take a shorter period, or leave out"
        " what only events tell",
    )
