"""The tables of goals, funnels, segments and annotations."""

import pytest

from visitor_tracker.errors import StoreError
from visitor_tracker.store.insight import (
    Annotation,
    Funnel,
    Goal,
    InsightTable,
    Kept,
    NameTaken,
    Segment,
    Step,
    TooMany,
)
from visitor_tracker.store.sql import SqlStore

SITE, OTHER = 1, -7


@pytest.fixture
def table(store: SqlStore) -> InsightTable:
    return InsightTable(store.database)


def test_what_was_added_is_found_again(table: InsightTable) -> None:
    goal = table.kept_goals.add(SITE, Goal("Ümläut ✓", "event", event="signup", where="prop:plan is pro", at=5))
    steps = (Step(page="/a"), Step(event="buy", name="Buy"), Step(filter="value > 3"))
    funnel = table.kept_funnels.add(SITE, Funnel("Shop", steps, "strict", days=3, at=6))
    segment = table.kept_segments.add(SITE, Segment("Germans", "country is DE", "user:1", at=7))
    note = table.kept_annotations.add(SITE, Annotation("Release 2", "https://x.test/2", at=8))
    assert table.goals(SITE) == [goal]
    assert table.funnels(SITE) == [funnel]
    assert table.segments(SITE, "user:1") == [segment]
    assert table.segments(SITE) == table.segments(SITE, "user:2") == []
    assert table.annotations(SITE, 8, 8) == [note]
    assert table.kept_goals.find(SITE, goal.id) == goal
    assert len({goal.id, funnel.id, segment.id, note.id}) == 4


def test_sites_know_nothing_of_each_other(table: InsightTable) -> None:
    goal = table.kept_goals.add(SITE, Goal("one", "page", page="/"))
    assert table.goals(OTHER) == []
    assert table.kept_goals.find(OTHER, goal.id) is None
    table.kept_goals.remove(OTHER, goal.id)
    assert table.goals(SITE) == [goal]
    table.kept_goals.add(OTHER, Goal("one", "page", page="/"))


def test_changes_and_removals(table: InsightTable) -> None:
    goal = table.kept_goals.add(SITE, Goal("one", "page", page="/", at=1))
    changed = Goal("two", "scroll", percent=90, id=goal.id, at=1)
    table.kept_goals.change(SITE, changed)
    assert table.goals(SITE) == [changed]
    table.kept_goals.remove(SITE, goal.id)
    table.kept_goals.remove(SITE, goal.id)
    assert table.goals(SITE) == []


def test_a_name_is_taken_once_by_each_owner(table: InsightTable) -> None:
    table.kept_goals.add(SITE, Goal("one", "page", page="/"))
    two = table.kept_goals.add(SITE, Goal("ONE", "page", page="/"))
    with pytest.raises(NameTaken):
        table.kept_goals.add(SITE, Goal("one", "event", event="x"))
    with pytest.raises(NameTaken):
        table.kept_goals.change(SITE, Goal("one", "page", page="/b", id=two.id))
    table.kept_goals.change(SITE, Goal("ONE", "page", page="/b", id=two.id))
    for at, owner in enumerate(("", "user:1", "user:2")):
        table.kept_segments.add(SITE, Segment("mine", "page is /", owner, at=at))
    with pytest.raises(NameTaken):
        table.kept_segments.add(SITE, Segment("mine", "page is /", "user:1"))
    assert [each.owner for each in table.segments(SITE, "user:1")] == ["", "user:1"]


def test_there_are_only_so_many(store: SqlStore) -> None:
    few = Kept(store.database, "annotations", Annotation, 2)
    first = few.add(SITE, Annotation("same", at=2))
    few.add(SITE, Annotation("same", at=1))
    with pytest.raises(TooMany):
        few.add(SITE, Annotation("same", at=3))
    few.remove(SITE, first.id)
    few.add(SITE, Annotation("same", at=3))


def test_annotations_are_found_by_their_moments(table: InsightTable) -> None:
    for at in (5, 3, 9, 3):
        table.kept_annotations.add(SITE, Annotation(str(at), at=at))
    assert [each.at for each in table.annotations(SITE, 3, 5)] == [3, 3, 5]
    moved = table.annotations(SITE, 9, 9)[0]
    table.kept_annotations.change(SITE, Annotation("moved", id=moved.id, at=4))
    assert [each.text for each in table.annotations(SITE, 4, 5)] == ["moved", "5"]


def test_a_row_that_cannot_be_read_is_told(store: SqlStore, table: InsightTable) -> None:
    store.execute("insert into goals (site_id, id, at, owner, body) values (1, %s, 0, '', '{')", (bytes(16),))
    with pytest.raises(StoreError, match="goals"):
        table.goals(SITE)
