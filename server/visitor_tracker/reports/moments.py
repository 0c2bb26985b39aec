"""Single events that something is asked of, such as steps and goals, and the visits that they are of.

raw events ─▶ tested by several filters at once ─▶ Moments, by visitor ─┐
visits, joined over midnights ──────────────────────────────────────────┴▶ the moments of a visit, in their order

A filter is asked of one event after the other, as in `matching`: its conditions of visits of the event's visit.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from operator import attrgetter

import msgspec

from visitor_tracker.days import DAY_MS
from visitor_tracker.event import ROBOT
from visitor_tracker.measures import Dimension
from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.fields import FIELDS, told
from visitor_tracker.reports.filters import OF_ACTS, OF_LOOKS, All, Filter
from visitor_tracker.reports.matching import EVENTS_MOST, check_events, too_many_events
from visitor_tracker.reports.plans import EventTest, Test, Verdicts, holds, plan_of
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.scan import CHUNK, SESSIONS_MOST, Scan, learn
from visitor_tracker.reports.selection import Whole
from visitor_tracker.sessions.actions import listed_under
from visitor_tracker.sessions.fact import Fact, Rest, decode_rest
from visitor_tracker.store.cohorts import stayed
from visitor_tracker.store.reports import ReportTable

LATE_MOST_MS = DAY_MS  # before and after a span that visits are followed

_OF_EVENTS = frozenset(map(int, OF_LOOKS | OF_ACTS))
_PAGE, _HOST = int(Dimension.PAGE), int(Dimension.HOST)
_NOTHING = Rest()
_TARGET = FIELDS["target"]
_REMEMBERED = 200_000  # texts, and answers
_BARE = frozenset({"kind", "target"})  # fields for which a body need not be decoded

_ts = attrgetter("ts")


class Moment(msgspec.Struct, frozen=True, gc=False):
    """An event that may be one of those that are looked for. `said` is what the tests say of the event itself."""

    ts: int
    id: bytes
    day: int
    hour: int
    visitor: bytes
    kind: int
    page: int
    host: int
    said: Verdicts
    value: float = 0.0
    currency: str = ""


class Moments:
    """One pass over the events of a question's span; used once, by one thread. Its own filter is asked by `chosen`.

    Events are kept for which any of the filters may hold; of the `kinds`, all.
    """

    def __init__(
        self,
        table: ReportTable,
        question: Question,
        filters: Sequence[Filter],
        *,
        kinds: Collection[int] = (),
        most: int = EVENTS_MOST,
    ) -> None:
        self._table = table
        self._question = question
        self._kinds = frozenset(kinds)
        self._most = most
        self._read_so_far = 0
        self._judge = _Judge(filters)
        self._targets: dict[int, str] = {0: ""}
        self._currencies: dict[str, str] = {}
        self.by_visitor: dict[bytes, list[Moment]] = {}
        self.scan = Scan(table, question, most=SESSIONS_MOST, wanted=self.by_visitor)

    def read(self, alone: Callable[[Sequence[tuple[Whole, Moment]]], None] | None = None) -> None:
        """Read the events of the span; those of nobody are handed to `alone`, each with a visit made of it.

        Raises QueryError where they are too many, or not kept any more.
        """
        span = self._question.span
        check_events(self._table, self._question, self._most)
        for found in self._read(span.start_ms, span.end_ms):
            if alone is None or not found:
                continue
            wholes = self.scan.alone(fact for fact, _ in found)
            self.learn(wholes)
            alone([(whole, moment) for whole, (_, moment) in zip(wholes, found, strict=True)])

    def learn(self, chunk: Sequence[Whole]) -> None:
        """Let the conditions of visits judge the texts of a chunk, before `which` is asked of its visits."""
        learn(self._table, self._question.site.id, self._judge.of_visits, chunk)

    def which(self, whole: Whole, moment: Moment) -> int:
        """Return for which of the filters an event of a visit holds, the first as bit 0."""
        return self._judge.which(self._judge.own(whole), moment.said)

    def of(self, whole: Whole) -> list[Moment]:
        """Return the moments of a visit in the order of time."""
        found: list[Moment] = []
        for visitor, session in whole.sessions:
            moments = self.by_visitor.get(visitor or b"", ())
            first = bisect_left(moments, session.first_ts, key=_ts)
            last = bisect_right(moments, session.last_ts, key=_ts)
            found += moments[first:last]
        return found

    def visits(self, chosen: Chosen) -> Iterator[Whole]:
        """Yield the chosen visits with moments, of `read`, that the span has a part of; `which` may be asked."""
        if not self.by_visitor:
            return
        for chunk in self.scan.visits():
            found = chosen.of([whole for whole in chunk if whole.is_visit])
            self.learn(found)
            yield from found

    def begun(self, chosen: Chosen) -> Iterator[Whole]:
        """Yield the chosen visits with moments that began in the span; `read_late` has what they did after it."""
        span = self._question.span
        for whole in self.visits(chosen):
            if span.start_ms <= whole.head.ts < span.end_ms:
                yield whole

    def read_late(self) -> None:
        """Read what visits that were going on when the span ended did then, too; not more than a day of it."""
        end_ms = self._question.span.end_ms
        staying = stayed(self._table.database, self._question.site, end_ms)
        for visitor in staying:  # the visit may be known by the hash under which nothing was found
            self.by_visitor.setdefault(visitor, [])
        self._read_so_far = 0
        for _ in self._read(end_ms, min(max(staying.values(), default=0) + 1, end_ms + LATE_MOST_MS), staying):
            pass  # what nobody is known to have done is of no visit

    def is_early(self, whole: Whole) -> bool:
        """Say whether a visit with moments began before the span."""
        return whole.sessions[0][1].first_ts < self._question.span.start_ms and bool(self.of(whole))

    def read_early(self, early: Sequence[Whole]) -> None:
        """Read what these visits did before the span, too; not more than a day of it."""
        start_ms = self._question.span.start_ms
        visitors = {visitor for whole in early for visitor, _ in whole.sessions}
        first_ms = min(whole.sessions[0][1].first_ts for whole in early)
        later = {visitor: self.by_visitor.pop(visitor, []) for visitor in visitors if visitor is not None}
        self._read_so_far = 0
        for _ in self._read(max(first_ms, start_ms - LATE_MOST_MS), start_ms, visitors):
            pass  # what nobody is known to have done is of no visit
        for visitor, moments in later.items():
            self.by_visitor.setdefault(visitor, []).extend(moments)

    def _read(
        self, start_ms: int, end_ms: int, visitors: Container[bytes | None] | None = None
    ) -> Iterator[list[tuple[Fact, Moment]]]:
        """Keep what may be looked for, by visitor; yield that of nobody."""
        for facts in self._table.raw.between(self._question.site, start_ms, end_ms, signals=ROBOT, most=CHUNK):
            self._read_so_far += len(facts)
            if self._read_so_far > self._most:
                raise too_many_events(self._most)
            if visitors is not None:
                facts = [fact for fact in facts if fact.visitor in visitors]
            self._learn_events(facts)
            alone: list[tuple[Fact, Moment]] = []
            for fact in facts:
                if (moment := self._moment(fact)) is None:
                    continue
                if fact.visitor:
                    self.by_visitor.setdefault(fact.visitor, []).append(moment)
                else:
                    alone.append((fact, moment))
            yield alone
            time.sleep(0)

    def _learn_events(self, facts: Sequence[Fact]) -> None:
        for test in self._judge.of_events:
            unknown = test.unknown({_value(test.dimension, fact) for fact in facts})
            if unknown:
                test.learn(self._table.texts(self._question.site.id, sorted(unknown)), unknown)
        if self._judge.needs_target:
            if len(self._targets) > _REMEMBERED:
                self._targets = {0: ""}
            missing = {fact.target for fact in facts} - self._targets.keys()
            self._targets |= dict.fromkeys(missing, "") | self._table.texts(self._question.site.id, sorted(missing))

    def _moment(self, fact: Fact) -> Moment | None:
        judge = self._judge
        rest = decode_rest(fact.rest) if judge.needs_rest and fact.rest else _NOTHING
        said = judge.said(fact, rest, self._targets[fact.target] if judge.needs_target else "")
        if fact.kind not in self._kinds and not judge.may_hold(said):
            return None
        if judge.filters and not judge.needs_rest and fact.rest:
            rest = decode_rest(fact.rest)
        currency = self._currencies.setdefault(rest.currency, rest.currency)
        where = (fact.visitor, fact.kind, fact.page, fact.host)
        return Moment(fact.ts, fact.id, fact.day, fact.hour, *where, said, rest.value, currency)


class _Judge:
    """The tests of several filters, and what they say where they say the same; belongs to one pass."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        plans = [plan_of(each or All(())) for each in filters]
        self.filters = len(plans)
        tests = [test for plan in plans for test in plan.tests]
        self.of_visits = tuple(test for test in tests if test.dimension not in _OF_EVENTS)
        self.of_events = tuple(test for test in tests if test.dimension in _OF_EVENTS)
        self._of_fields = tuple(test for plan in plans for test in plan.event_tests)
        fields = {test.field for test in self._of_fields}
        self.needs_rest = any(field.name not in _BARE for field in fields)
        self.needs_target = _TARGET in fields
        self._roots = [plan.root for plan in plans]
        self._any = (True,) * len(self.of_visits)  # no test is under a not, so nothing holds more than this
        self._answers: dict[tuple[Verdicts, Verdicts], int] = {}
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
        """Say whether there may be a visit with which any filter holds for an event."""
        return self.which(self._any, said) > 0

    def which(self, own: Verdicts, said: Verdicts) -> int:
        found = self._answers.get((own, said))
        if found is None:
            if len(self._answers) > _REMEMBERED:
                self._answers.clear()
            known: dict[Test | EventTest, bool] = dict(zip(self.of_visits, own, strict=True))
            known |= zip((*self.of_events, *self._of_fields), said, strict=True)
            bits = [holds(root, known.__getitem__) << place for place, root in enumerate(self._roots)]
            found = self._answers[own, said] = sum(bits)
        return found


def _value(dimension: int, fact: Fact) -> int:
    """Return the id of what an event says of a page or an action, 0 where it says nothing."""
    if dimension == _PAGE:
        return fact.page
    if dimension == _HOST:
        return fact.host
    listed = listed_under(fact)
    return listed[1] if listed is not None and listed[0] == dimension else 0
