"""Which visits a question is about: those of which its filter selects anything, each as a whole."""

from collections.abc import Sequence

from visitor_tracker.reports.matching import Matching
from visitor_tracker.reports.plans import plan_of
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.scan import learn
from visitor_tracker.reports.selection import Selector, Whole
from visitor_tracker.store.reports import ReportTable


class Chosen:
    """Belongs to one pass. A filter of what only events tell is asked before it: its visits are read twice."""

    def __init__(self, table: ReportTable, question: Question) -> None:
        """Raises QueryError where the filter's events are too many, or gone."""
        self._table = table
        self._ids: frozenset[bytes] | None = None
        self._site_id = question.site.id
        self._selector: Selector | None = None
        self._plan = plan_of(question.filters)
        if question.from_events:
            self._ids = frozenset(matched.whole.head.id for matched in Matching(table, question).found())
        elif question.filters is not None:
            self._selector = Selector(self._plan)

    def of(self, chunk: Sequence[Whole]) -> list[Whole]:
        """Return the visits of a chunk that are chosen; raises QueryError."""
        if self._ids is not None:
            ids = self._ids
            return [whole for whole in chunk if whole.head.id in ids]
        selector = self._selector
        if selector is None:
            return list(chunk)
        selector.forget()
        learn(self._table, self._site_id, self._plan.tests, chunk)
        return [whole for whole in chunk if selector.select(whole) is not None]
