"""Queries as structs."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from tests.web.conftest import LOCAL
from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Request
from visitor_tracker.web.typed import question_of, refuse_unknown


class Asked(msgspec.Struct, frozen=True):
    name: Annotated[str, Meta(max_length=8)]
    limit: Annotated[int, Meta(ge=1, le=1000)] = 10
    offset: Annotated[int, Meta(ge=0)] | None = None
    order: Literal["visits", "events", "after"] = "visits"
    whole: bool = False
    first: str = msgspec.field(name="from", default="")


class Strict(Asked, frozen=True, forbid_unknown_fields=True):
    pass


def request(query: str) -> Request:
    return Request("GET", "/stats", query, {}, b"", True, LOCAL)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("name=a", Asked("a")),
        ("name=a&limit=1000&offset=0", Asked("a", 1000, 0)),
        ("name=a&limit=&order=&from=", Asked("a")),
        ("name=%C3%A4&order=after&whole=true&from=x", Asked("ä", order="after", whole=True, first="x")),
        ("name=a&whole=1&nobody=reads+this", Asked("a", whole=True)),
    ],
)
def test_texts_become_values(query: str, asked: Asked) -> None:
    assert question_of(request(query), Asked) == asked


def test_what_is_sent_empty_can_count() -> None:
    assert question_of(request("name="), Asked, keep_empty=True) == Asked("")


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("", "invalid_name", "name is missing"),
        ("name=", "invalid_name", "name is missing"),
        ("name=123456789", "invalid_name", "name cannot be '123456789': use at most 8 characters"),
        ("name=a&limit=0", "invalid_limit", "limit cannot be '0': use a whole number from 1 to 1000"),
        ("name=a&limit=1e1", "invalid_limit", "limit cannot be '1e1': use a whole number from 1 to 1000"),
        ("name=a&limit=10.0", "invalid_limit", "limit cannot be '10.0': use a whole number from 1 to 1000"),
        ("name=a&limit=%2B5", "invalid_limit", "limit cannot be '+5': use a whole number from 1 to 1000"),
        ("name=a&limit=05", "invalid_limit", "limit cannot be '05': use a whole number from 1 to 1000"),
        ("name=a&limit=%D9%A5", "invalid_limit", "limit cannot be '٥': use a whole number from 1 to 1000"),
        (f"name=a&limit={'9' * 99}", "invalid_limit", f"limit cannot be '{'9' * 40}…': use a whole number from 1 to"),
        ("name=a&offset=-1", "invalid_offset", "offset cannot be '-1': use a whole number"),
        ("name=a&order=name", "invalid_order", "order cannot be 'name': use visits, events, after"),
        ("name=a&whole=maybe", "invalid_whole", "whole cannot be 'maybe': use true or false"),
        ("name=a&ordr=visits", "unknown_parameter", "there is no parameter 'ordr'"),
        ("name=%FF", "invalid_query", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_name(query: str, code: str, said: str) -> None:
    with pytest.raises(HttpError) as refused:
        question_of(request(query), Strict)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert said in refused.value.message


def test_hints_say_what_there_is() -> None:
    with pytest.raises(HttpError) as refused:
        refuse_unknown(request("nmae=a"), Asked)
    assert refused.value.hint == "use name, limit, offset, order, whole, from"
    with pytest.raises(HttpError) as refused:
        question_of(request("name=a&order=x"), Asked)
    assert refused.value.hint == "use order= visits, events, after"
