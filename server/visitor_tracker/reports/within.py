"""Single events of the visits that a filter selects: for reports that read events by what they are, not by visit."""

from bisect import bisect_right

from visitor_tracker.reports.chosen import Chosen
from visitor_tracker.reports.query import Question
from visitor_tracker.reports.scan import Scan
from visitor_tracker.store.reports import ReportTable

_FOR_EVER = 1 << 62


class Within:
    """The visits of a question; without a filter whatever happened is within, also what belongs to no visit."""

    def __init__(self, table: ReportTable, question: Question) -> None:
        """Reads the visits; raises QueryError where they are too many."""
        self._times: dict[bytes, list[tuple[int, int]]] | None = None
        if question.filters is None:
            return
        times: dict[bytes, list[tuple[int, int]]] = {}
        chosen = Chosen(table, question)
        for chunk in Scan(table, question).visits():
            for whole in chosen.of(chunk):
                for visitor, own in whole.sessions:
                    if visitor is not None:
                        times.setdefault(visitor, []).append((own.first_ts, own.last_ts))
        for spans in times.values():
            spans.sort()
        self._times = times

    def has(self, visitor: bytes, ts: int) -> bool:
        """Say whether an event is of one of these visits; `visitor` is empty where nobody knows."""
        if self._times is None:
            return True
        spans = self._times.get(visitor, [])
        place = bisect_right(spans, (ts, _FOR_EVER)) - 1
        return place >= 0 and ts <= spans[place][1]
