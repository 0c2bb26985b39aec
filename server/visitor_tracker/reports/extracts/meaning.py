"""What the ids of sources and contexts say: the id of the text that each has for a dimension."""

import threading
from collections.abc import Sequence

from visitor_tracker.measures import Dimension
from visitor_tracker.sessions.profiles import Profiles
from visitor_tracker.store.reports import ReportTable

OF_SOURCES = frozenset(range(Dimension.SOURCE, Dimension.CLICK_ID + 1))
_ENDS = frozenset({int(Dimension.ENTRY), int(Dimension.EXIT)})
_MOST = 1_000_000  # remembered, of all dimensions together: some 100 MB


class Meaning:
    """Remembers what sources and contexts are, for all questions of a process; any thread."""

    def __init__(self, table: ReportTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._by_dimension: dict[int, dict[int, int]] = {}

    def forget(self) -> None:
        """Forget what fills the memory; between questions."""
        with self._lock:
            if sum(map(len, self._by_dimension.values())) > _MOST:
                self._by_dimension = {}

    def values(self, dimension: int, ids: Sequence[int]) -> list[int]:
        """Return for each of these sources, contexts, or pages that ends are, the id of its text; 0 for none."""
        if dimension in _ENDS:
            return list(ids)
        with self._lock:
            known = self._by_dimension.setdefault(dimension, {})
        try:
            return list(map(known.__getitem__, ids))
        except KeyError:
            missing = [each for each in ids if each not in known]
        learnt = self._learn(dimension, missing)
        with self._lock:
            known.update(learnt)
        return list(map(known.__getitem__, ids))

    def _learn(self, dimension: int, missing: list[int]) -> dict[int, int]:
        profiles = Profiles()
        of_sources = dimension in OF_SOURCES
        sources, contexts = (missing, []) if of_sources else ([], missing)
        profiles.learn(*self._table.profiles(sources, contexts))
        pairs = profiles.source_pairs if of_sources else profiles.context_pairs
        return {each: dict(pairs(each)).get(dimension, 0) for each in missing}
