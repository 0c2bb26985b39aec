"""The audit log: its lines stand in the order in which they were written."""

from contextlib import closing

from visitor_tracker.access.audit import OPERATOR, Audit
from visitor_tracker.store import open_store


def test_lines_of_one_moment_keep_their_order() -> None:
    with closing(open_store("sqlite:///:memory:")) as store:
        audit = Audit(store, lambda: 1_700_000_000_000)
        lines = [audit.row(OPERATOR, "site.changed").id for _ in range(1_000)]
    assert lines == sorted(set(lines))
    assert {len(line) for line in lines} == {16}
