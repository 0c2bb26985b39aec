"""The language of filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitor_tracker.measures import Dimension
from visitor_tracker.reports.fields import Field
from visitor_tracker.reports.filters import (
    CONDITIONS_MOST,
    DEPTH_MOST,
    LENGTH_MOST,
    VALUES_MOST,
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
    matcher,
    names_events,
    read_filter,
)

PAGE_A = Is(Dimension.PAGE, ("/a",))
PAGE_B = Is(Dimension.PAGE, ("/b",))
PLAN = Field("prop:plan")
GERMAN = Is(Dimension.COUNTRY, ("DE",))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("page is /a", PAGE_A),
        ("  PAGE\tIS  /a ", PAGE_A),
        ("country is DE,FR", Is(Dimension.COUNTRY, ("DE", "FR"))),
        ("country is de , fr", Is(Dimension.COUNTRY, ("DE", "FR"))),
        ("channel is SEARCH", Is(Dimension.CHANNEL, ("search",))),
        ("page contains Blog", Contains(Dimension.PAGE, ("Blog",))),
        ("page glob /blog/*,/a?", Glob(Dimension.PAGE, ("/blog/*", "/a?"))),
        ('source is ""', Is(Dimension.SOURCE, ("",))),
        ('event is "sign up, \\"now\\" (or\\\\not)"', Is(Dimension.EVENT, ('sign up, "now" (or\\not)',))),
        ('event is "and"', Is(Dimension.EVENT, ("and",))),
        ("not page is /a", Not(PAGE_A)),
        ("page is not /a", Not(PAGE_A)),
        ("page not is /a", Not(PAGE_A)),
        ("not not page is /a", Not(Not(PAGE_A))),
        ("page is /a and page is /b and country is DE", All((PAGE_A, PAGE_B, GERMAN))),
        ("page is /a or page is /b and country is DE", AnyOf((PAGE_A, All((PAGE_B, GERMAN))))),
        ("(page is /a or page is /b) and country is DE", All((AnyOf((PAGE_A, PAGE_B)), GERMAN))),
        ("not (page is /a or country is DE)", Not(AnyOf((PAGE_A, GERMAN)))),
        ("((page is /a))", PAGE_A),
        ("page is /ä/日本", Is(Dimension.PAGE, ("/ä/日本",))),
        ("utm_campaign is a=b&c", Is(Dimension.UTM_CAMPAIGN, ("a=b&c",))),
        ("prop:plan is pro,Free", Told(PLAN, "is", ("pro", "Free"))),
        ("PROP:plan is not pro", Not(Told(PLAN, "is", ("pro",)))),
        ("prop:Plan contains x", Told(Field("prop:Plan"), "contains", ("x",))),
        ('prop:"my plan, \\"v2\\"" glob p*', Told(Field('prop:my plan, "v2"'), "glob", ("p*",))),
        ("prop:is is is:x", Told(Field("prop:is"), "is", ("is:x",))),
        ("kind is vital", Told(Field("kind"), "is", ("vital",))),
        ('title is ""', Told(Field("title"), "is", ("",))),
        ("target contains x.test", Told(Field("target"), "contains", ("x.test",))),
        ("prop:price > 9.99", Compared(Field("prop:price"), ">", 9.99)),
        ("not value <= -10", Not(Compared(Field("value"), "<=", -10))),
        ("scroll >= 90 and page is /a", All((Compared(Field("scroll"), ">=", 90), PAGE_A))),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, tree: Filter) -> None:
    assert read_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "character 1: expected one of page, host"),
        ("pages is /a", "character 1: expected one of page, host, entry, exit, source"),
        ("total is 1", "character 1: expected one of"),
        ("bot is RATE", "character 1: expected one of page, host"),
        ("properties is x", "kind, title, target, value, scroll, currency, prop:NAME, not"),
        ("prop: is x", "character 1: the name of a property has 1 to 64 characters"),
        ("prop is x", "character 1: expected one of"),
        (f"prop:{'x' * 65} is y", "character 1: the name of a property has 1 to 64 characters"),
        ('"prop:plan" is x', "character 1: expected one of"),
        ('prop: "plan" is x', "character 1: the name of a property has"),
        ("prop:price", "expected is, contains, glob, >, >=, <, <=, but the filter ends"),
        ("prop:price > ten", 'character 14: expected a number such as 10 or 9.99, not "ten"'),
        ("prop:price > nan", "expected a number such as"),
        ("prop:price > 1e5", "expected a number such as"),
        ("prop:price > ²", "expected a number such as"),
        ("prop:price > (", "expected a number such as"),
        ("prop:price >", "expected a number such as 10 or 9.99, but the filter ends"),
        ("prop:price > 1,2", 'expected "and", "or" or the end, not ","'),
        ("prop:price not > 1", "character 16: expected is, contains or glob, not"),
        ("title > 1", "character 7: expected is, contains or glob, not"),
        ("page > 1", "character 6: expected is, contains or glob, not"),
        ('"page" is /a', "character 1: expected one of"),
        ("page", "character 5: expected is, contains or glob, but the filter ends"),
        ("page = /a", 'character 6: expected is, contains or glob, not "="'),
        ("page is", "character 8: expected a value"),
        ("page is ,", "character 9: expected a value"),
        ("page is /a,", "character 12: expected a value"),
        ("page is /a /b", 'character 12: expected "and", "or" or the end, not "/b"'),
        ("page is /a and", "character 15: expected one of"),
        ("page is and", "character 9: expected a value"),
        ("page is /a)", 'character 11: expected "and", "or" or the end, not ")"'),
        ("(page is /a", 'character 12: expected "and", "or" or ")", but the filter ends'),
        ("()", "character 2: expected one of"),
        ('page is "/a', 'character 9: the " is never closed'),
        ('page contains ""', 'character 15: contains "" fits everything'),
        ("not", "character 4: expected one of"),
        ("page is /a is /b", 'character 12: expected "and", "or" or the end, not "is"'),
        (f"page is {'x' * LENGTH_MOST}", f"{LENGTH_MOST} is the most"),
        ("(" * 20 + "page is /a" + ")" * 20, f"character 17: more than {DEPTH_MOST} of ( and not"),
        ("not " * 20 + "page is /a", f"more than {DEPTH_MOST} of ( and not"),
        (" or ".join(["page is a"] * (CONDITIONS_MOST + 1)), f"more than {CONDITIONS_MOST} conditions"),
        ("page is " + ",".join(["a"] * (VALUES_MOST + 1)), f"more than {VALUES_MOST} values"),
        (f"page is /a {'y' * 100}", f'not "{"y" * 40}…"'),
    ],
)
def test_a_mistake_names_its_place(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        read_filter(text)
    assert said in str(caught.value)


def test_what_is_just_allowed() -> None:
    nested = read_filter("(" * (DEPTH_MOST - 1) + "page is /a" + ")" * (DEPTH_MOST - 1))
    assert nested == PAGE_A
    assert read_filter(" or ".join(["page is /a"] * CONDITIONS_MOST)) == AnyOf((PAGE_A,) * CONDITIONS_MOST)


@pytest.mark.parametrize("text", ["kind is click", "page is /a or not (country is DE and value > 1)"])
def test_a_filter_of_events_is_told_from_others(text: str) -> None:
    assert names_events(read_filter(text))
    assert not names_events(read_filter("page is /a or not (country is DE and entry is /)"))


WORDS = [
    "prop:", "prop:x", "title", ">", "9.5", "page", "is", "not", "and", "or", "(", ")", ",", '"/a"', "glob", "*", '"',
]  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_filter(text)
    except FilterError as error:
        refused = str(error)
    else:
        refused = "filter, character"
    assert refused.startswith("filter, character")


@pytest.mark.parametrize(
    ("condition", "fits", "fits_not"),
    [
        (Is(Dimension.PAGE, ("/a", "/b")), ["/a", "/b"], ["/A", "/a/", ""]),
        (Contains(Dimension.PAGE, ("BLOG",)), ["/blog/1", "xBlog"], ["/blo", ""]),
        (Contains(Dimension.CITY, ("STRASSE",)), ["straße"], ["str"]),
        (Glob(Dimension.PAGE, ("/blog/*",)), ["/blog/", "/blog/a/b"], ["/blog", "/a/blog/", "/BLOG/"]),
        (Glob(Dimension.PAGE, ("*.html",)), [".html", "/a.html"], ["/a.html?", "/axhtml"]),
        (Glob(Dimension.PAGE, ("/a?c",)), ["/abc", "/a/c"], ["/ac", "/abbc"]),
        (Glob(Dimension.PAGE, ("/*/x/*",)), ["/a/x/", "/a/b/x/c"], ["/x/", "/a/x"]),
        (Glob(Dimension.PAGE, ("*",)), ["", "/"], []),
        (Glob(Dimension.PAGE, ("ab*ba",)), ["abba", "abcba"], ["aba"]),
        (Glob(Dimension.PAGE, ("/a",)), ["/a"], ["/a/", "/", "/a\n"]),
        (Glob(Dimension.PAGE, ("/[a]+(.)",)), ["/[a]+(.)"], ["/aa"]),
        (Glob(Dimension.PAGE, ("a*\nb",)), ["ax\nb"], ["axb"]),
    ],
)
def test_conditions_of_texts(condition: Is | Contains | Glob, fits: list[str], fits_not: list[str]) -> None:
    test = matcher(condition)
    assert [text for text in fits if not test(text)] == []
    assert [text for text in fits_not if test(text)] == []


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_fits_what_its_letters_say(pattern: str, text: str) -> None:
    def fits(at: int, place: int) -> bool:
        if at == len(pattern):
            return place == len(text)
        if pattern[at] == "*":
            return any(fits(at + 1, later) for later in range(place, len(text) + 1))
        return place < len(text) and pattern[at] in (text[place], "?") and fits(at + 1, place + 1)

    assert matcher(Glob(Dimension.PAGE, (pattern,)))(text) == fits(0, 0)


def test_no_pattern_takes_long() -> None:
    """An exponential search would not end at all."""
    assert not matcher(Glob(Dimension.PAGE, ("*a" * 500 + "b",)))("a" * 512)
    assert not matcher(Glob(Dimension.PAGE, ("*?a" * 300 + "b",)))("a" * 512)
