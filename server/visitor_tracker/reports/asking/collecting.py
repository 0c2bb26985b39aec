"""All rows of an answer and its totals, from whatever knows them.

rollups ──▶ Collected   milliseconds
sessions ─▶ Collected   the visits that a filter selects, or two dimensions
events ───▶ Collected   what only they tell
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from functools import partial
from types import MappingProxyType

import msgspec

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.ask import Ask, Origin
from visitor_tracker.reports.asking.event_groups import GAIN_FIELDS, KIND_TEXTS, EventGroups, EventRows, GainGroups
from visitor_tracker.reports.asking.from_extracts import Told, from_extracts, knows
from visitor_tracker.reports.asking.gains import Gain
from visitor_tracker.reports.asking.goal_groups import with_conversions
from visitor_tracker.reports.asking.groups import Key, VisitGroups
from visitor_tracker.reports.asking.rollup_groups import rollup_groups
from visitor_tracker.reports.buckets import buckets_of
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filtered import Selecting, points_said
from visitor_tracker.reports.matching import Matching
from visitor_tracker.reports.numbers import Numbers, Totals, VisitorsAre, honesty
from visitor_tracker.reports.query import NO_ROBOTS, OF_ROBOTS, QueryError
from visitor_tracker.reports.tally import Sums, Tally
from visitor_tracker.reports.totals import totals
from visitor_tracker.store.reports import ReportTable

ROWS_MOST = 100_000  # of one answer, all pages together
ROWS_AT_ONCE = 2 * ROWS_MOST  # of several answers: 100 MB
TELLING_SECONDS = 10.0  # of several: nobody else has the turn meanwhile

NOT_TOLD: Mapping[Ask, Told] = MappingProxyType({})

TextsOf = Callable[[Collection[int]], Mapping[int, str]]


class Collected(msgspec.Struct, frozen=True):
    """Every row of one span by its key, and the totals. `gains` of a row that has none are missing."""

    totals: Totals
    rows: Mapping[Key, Numbers]
    visitors_are: VisitorsAre
    texts: TextsOf
    origin: Origin
    gain: Gain = Gain()
    gains: Mapping[Key, Gain] = {}


def collect(table: ReportTable, ask: Ask, told: Mapping[Ask, Told] = NOT_TOLD) -> Collected:
    """Return everything that is asked of the question's own span; raises QueryError, and what the store raises.

    `told` is what extracts told of several questions at once.
    """
    if (ask.question.from_sessions or len(ask.dimensions) > 1) and not OF_ROBOTS.isdisjoint(ask.dimensions):
        raise QueryError("by", NO_ROBOTS)
    if ask.origin == "events":
        found = _from_events(table, ask)
    elif ask.origin == "sessions":
        found = _from_sessions(table, ask, told)
    else:
        rows, said = rollup_groups(table, ask, ROWS_MOST)
        found = Collected(
            totals(table, ask.question), rows, said, partial(table.texts, ask.question.site.id), "rollups"
        )
    if ask.wants_gains and found.origin != "events":
        gain, gains = _gains(table, ask)
        found = msgspec.structs.replace(found, gain=gain, gains=gains)
    if (goal := ask.wanted_goal) is not None:
        gain, gains = with_conversions(table, ask, goal, found.gain, found.gains)
        found = msgspec.structs.replace(found, gain=gain, gains=gains)
    return found


def is_of_extracts(ask: Ask) -> bool:
    """Say whether extracts are asked."""
    return ask.origin == "sessions" and knows(ask)


def tell(table: ReportTable, asks: Iterable[Ask]) -> dict[Ask, Told]:
    """Ask extracts of several questions at once: those of the same days under the same filter take one pass.

    What they cannot tell is missing, and what would be too much at once: the rest of so many rows, or so many seconds.
    """
    groups: defaultdict[Hashable, list[Ask]] = defaultdict(list)
    for ask in asks:
        if is_of_extracts(ask):
            question = ask.question
            groups[question.site, question.span, question.policy, question.filters].append(ask)
    found: dict[Ask, Told] = {}
    rows = 0
    until = time.monotonic() + TELLING_SECONDS
    for place, group in enumerate(groups.values()):
        if place and time.monotonic() > until:
            break
        for ask, told in from_extracts(table, group, ROWS_MOST).items():
            more = 0 if isinstance(told, QueryError) else len(told[1])
            if not found or rows + more <= ROWS_AT_ONCE:
                found[ask] = told
                rows += more
    return found


def _from_sessions(table: ReportTable, ask: Ask, told: Mapping[Ask, Told]) -> Collected:
    question = ask.question
    found = told.get(ask) or tell(table, [ask]).get(ask)
    if isinstance(found, QueryError):
        raise found
    if found is not None:
        numbers, rows = found
        of_all = Totals(numbers, _said(ask)) if question.from_sessions else totals(table, question)
        return Collected(of_all, rows, rows_said(ask), partial(table.texts, question.site.id), "sessions")
    selecting = Selecting(table, question)
    tally = Tally(buckets_of(question), (), selecting.counted)
    dimensions = [each for each in ask.dimensions if isinstance(each, Dimension)]
    groups = VisitGroups(dimensions, tally, by_time=ask.by_time)
    for selected in selecting.found():
        portions = tally.add(selected)
        groups.add(selected, portions)
        _check(groups.found)
    in_all = Totals(tally.total.numbers, _said(ask))
    if not question.from_sessions:  # two dimensions without a filter
        in_all = totals(table, question)
    return Collected(in_all, _numbers(groups.found), rows_said(ask), partial(table.texts, question.site.id), "sessions")


def _from_events(table: ReportTable, ask: Ask) -> Collected:
    question = ask.question
    fields = [each for each in ask.dimensions if isinstance(each, Field)]
    told = (*fields, *GAIN_FIELDS) if ask.wants_gains else fields
    only_told = bool(fields) and not question.from_events
    matching = Matching(table, question, told, only_told=only_told)
    rows = EventRows(ask.dimensions, fields, buckets_of(question), by_time=ask.by_time)
    groups, gains = EventGroups(rows), GainGroups(rows, matching.texts)
    for matched in matching.found():
        groups.add(matched)
        if ask.wants_gains:
            gains.add(matched)
        _check(groups.found)
    in_all = Totals(groups.total.numbers, _said(ask))
    if not question.from_events:
        in_all = _totals(table, ask)

    def texts(values: Collection[int]) -> dict[int, str]:
        return table.texts(question.site.id, values, matching.texts | KIND_TEXTS)

    return Collected(
        in_all,
        _numbers(groups.found),
        rows_said(ask),
        texts,
        "events",
        gains.total.gain,
        {key: gaining.gain for key, gaining in gains.found.items()},
    )


def _totals(table: ReportTable, ask: Ask) -> Totals:
    """Return the totals of a question that needs no events for them."""
    question = ask.question
    if not question.from_sessions:
        return totals(table, question)
    selecting = Selecting(table, question)
    tally = Tally(buckets_of(question), (), selecting.counted)
    for selected in selecting.found():
        tally.add(selected)
    return Totals(tally.total.numbers, _said(ask))


def _gains(table: ReportTable, ask: Ask) -> tuple[Gain, dict[Key, Gain]]:
    """Ask the events for what rollups and visits do not know."""
    matching = Matching(table, ask.question, GAIN_FIELDS, only_told=True)
    rows = EventRows(ask.dimensions, (), buckets_of(ask.question), by_time=ask.by_time)
    gains = GainGroups(rows, matching.texts)
    for matched in matching.found():
        gains.add(matched)
    return gains.total.gain, {key: gaining.gain for key, gaining in gains.found.items()}


def _numbers(found: Mapping[Key, Sums]) -> dict[Key, Numbers]:
    """Return rows in which there is anything."""
    every = {key: sums.numbers for key, sums in found.items()}
    return {key: each for key, each in every.items() if each.visitors or each.visits or each.views or each.events}


def _check(found: Mapping[Key, Sums]) -> None:
    if len(found) > ROWS_MOST:
        raise too_many_rows()


def too_many_rows() -> QueryError:
    return QueryError(
        "dimensions",
        f"this would have more than {ROWS_MOST:,} rows: take a shorter date_range, a longer interval, a filter,"
        " or fewer dimensions",
    )


def _said(ask: Ask) -> VisitorsAre:
    span = ask.question.span
    return honesty(ask.question.policy, span.first_day, span.last_day)


def rows_said(ask: Ask) -> VisitorsAre:
    """Return what the visitors of rows are where sessions or events tell them."""
    return points_said(ask.question) if ask.by_time else _said(ask)
