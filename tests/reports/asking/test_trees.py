"""Filters as JSON, and written out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.asking.trees import Tree, read_tree, written
from visitor_tracker.reports.fields import FIELDS, property_field
from visitor_tracker.reports.filters import (
    All,
    AnyOf,
    Compared,
    Contains,
    Filter,
    FilterError,
    Glob,
    Is,
    Not,
    Told,
    read_filter,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
VALUES = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 3))
CONDITIONS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Is, st.sampled_from([Dimension.PAGE, Dimension.SOURCE]), VALUES),
    st.builds(Contains, st.just(Dimension.ENTRY), VALUES),
    st.builds(Glob, st.just(Dimension.EVENT), VALUES),
    st.builds(Told, st.builds(property_field, TEXTS) | st.just(FIELDS["title"]), st.just("contains"), VALUES),
    st.builds(Compared, st.just(FIELDS["value"]), st.sampled_from([">", ">=", "<", "<="]), NUMBERS),
)
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (["is", "country", ["de", "FR"]], "country is DE,FR"),
        (["is", "country", "de"], "country is DE"),
        (["is_not", "page", ["/a"]], "page is not /a"),
        (["not_contains", "page", ["x"]], "not page contains x"),
        (["matches", "page", ["/blog/*"]], "page glob /blog/*"),
        (["not_matches", "page", ["/blog/*"]], "page not glob /blog/*"),
        (["gte", "prop:price", [9.5]], "prop:price >= 9.5"),
        (["lt", "value", ["10"]], "value < 10"),
        (["is", "prop:n", [3, True]], "prop:n is 3,true"),
        ({"and": [["is", "page", ["/"]], {"or": [["is", "os", ["iOS"]], ["is", "os", ["Linux"]]]}]},
         "page is / and (os is iOS or os is Linux)"),
        ({"not": {"and": [["is", "page", ["/"]]]}}, "not page is /"),
        ("country is DE", "country is DE"),
    ],
)  # fmt: skip
def test_both_forms_are_the_same_filter(tree: Tree, text: str) -> None:
    assert read_tree(tree) == read_filter(text)


@settings(max_examples=200, deadline=None)
@given(FILTERS)
def test_what_is_written_reads_as_it_was(filters: Filter) -> None:
    assert read_filter(written(filters)) == filters


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "one key of and, or, not"),
        ({"and": [], "or": []}, "one key"),
        ({"or": "x"}, "at least one filter"),
        ({"not": 3}, "expected"),
        (["is", "page"], r"\[operator, name, values\]"),
        (["is", ["page"], ["/"]], "filters know no"),
        ([["is"], "page", ["/"]], "no operator"),
        (["is", "prop:", ["x"]], "1 to 64"),
        (["is", "page", [[]]], "a value is a text"),
        (["is", "page", ["x" * 3_000]], "2000 is the most"),
        (["gt", "page", [3]], "compares numbers"),
        (["gt", "value", [1, 2]], "one number"),
        (["gt", "value", [True]], "one number"),
        (["is", "prop:n", [1e300]], "too large"),
        (["contains", "page", ["", "a"]], "fits everything"),
        (["is", "page", ["/"] * 201], "at most 200"),
        ({"and": [["is", "page", ["/"]]] * 33}, "more than 32 conditions"),
    ],
)
def test_what_is_no_filter(tree: Tree, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        read_tree(tree)


def test_a_tree_is_no_deeper_than_a_text() -> None:
    tree: Tree = ["is", "page", ["/"]]
    for _ in range(15):
        tree = {"not": tree}
    read_tree(tree)
    with pytest.raises(FilterError, match="more than 16 deep"):
        read_tree({"not": tree})
