"""Visits of several rows under a filter that names looks or actions: a few a day, asked one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.groups import VisitGroups
from visitor_tracker.reports.buckets import Bucket, Buckets
from visitor_tracker.reports.extracts.columns import KeptVisit
from visitor_tracker.reports.extracts.counting import Sums
from visitor_tracker.reports.extracts.days import Day
from visitor_tracker.reports.plans import Plan
from visitor_tracker.reports.scan import learn
from visitor_tracker.reports.selection import Selected, Selector, Whole
from visitor_tracker.reports.tally import Sums as Tallied
from visitor_tracker.reports.tally import Tally
from visitor_tracker.store.reports import ReportTable

_TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class KeptDay:
    """What is selected of them on one day, and what it comes to."""

    tally: Tally
    selected: Sequence[tuple[Selected, dict[int, Tallied]]]

    def add(self, total: Sums, sums: Sums, dimensions: Sequence[Dimension]) -> None:
        _put(total, (), self.tally.total)
        if dimensions:
            groups = VisitGroups(dimensions, self.tally, by_time=False)
            for selected, portions in self.selected:
                groups.add(selected, portions)
            for key, found in groups.found.items():
                _put(sums, key, found)


class KeptVisits:
    """Under one filter, over all of its days."""

    def __init__(self, table: ReportTable, site_id: int, plan: Plan) -> None:
        self._table = table
        self._site_id = site_id
        self._plan = plan
        self._selector = Selector(plan)

    def of(self, day: Day) -> KeptDay:
        """Raises QueryError."""
        wholes = [_whole(each) for each in day.wholes or ()]
        learn(self._table, self._site_id, self._plan.tests, wholes)
        tally = Tally(Buckets((Bucket("", day.day, day.day),), {day.day: 0}.get), (), self._selector.counted)
        found = [(each, tally.add(each)) for each in self._selected(wholes)]
        return KeptDay(tally, found)

    def _selected(self, wholes: Iterable[Whole]) -> list[Selected]:
        every = map(self._selector.select, wholes)
        return [each for each in every if each is not None]


def _put(sums: Sums, values: tuple[int, ...], found: Tallied) -> None:
    sums.add(values, found.number)
    for visitor in found.visitors:
        sums.meet(values, int.from_bytes(visitor, "big"))


def _whole(kept: KeptVisit) -> Whole:
    """Return the visit; its visitors are numbers of the day."""
    visitors = [None if each < 0 else each.to_bytes(_TOKEN_BYTES, "big") for each in kept.visitors]
    head = min(own.head for own in kept.sessions)
    return Whole(tuple(zip(visitors, kept.sessions, strict=True)), head, kept.values, kept.entry, kept.exit)
