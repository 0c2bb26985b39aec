"""This server's own format, as far as a hit shows it."""

import json
from typing import Any

import msgspec
import pytest

from tests.web.dialects.asking import read, read_one
from visitor_tracker.ingest.hit import Hit, Malformed
from visitor_tracker.web.dialects import own

EVENTS = next(dialect for dialect in own.dialects() if dialect.path == "/e")
URL = "https://example.com/"
TAB = "019ab0c0ffee" + "0123456789" * 2


def one(**fields: Any) -> Hit:  # noqa: ANN401
    return read_one(EVENTS, body=fields)


def test_a_tab_and_the_number_in_it_are_read() -> None:
    hit = one(url=URL, tab=TAB, seq=7)
    assert (hit.tab, hit.seq, hit.session) == (TAB, 7, "")


@pytest.mark.parametrize(
    ("sent", "value", "currency"),
    [
        ({"properties": {"value": 49.9, "currency": "EUR"}}, 49.9, "EUR"),
        ({"properties": {"value": 5}}, 5.0, ""),
        ({"properties": {"revenue": -5, "currency": "usd"}}, -5.0, "USD"),
        ({"properties": {"value": "5", "revenue": 7}}, 7.0, ""),
        ({"properties": {"value": True, "revenue": False}}, 0.0, ""),
        ({"properties": {"value": 10**400}}, 0.0, ""),
        ({"properties": {"value": 5, "currency": 3}}, 5.0, ""),
        ({"properties": {"value": None, "currency": "EUR"}}, 0.0, ""),
        ({"properties": {"currency": "EUR"}}, 0.0, ""),
        ({"properties": {"value": 5, "currency": "EUR"}, "currency": "USD"}, 5.0, "USD"),
        ({"properties": {"value": 5, "currency": "EUR"}, "value": 2}, 2.0, ""),
        ({"properties": {"value": 5, "currency": "EUR"}, "type": "click"}, 0.0, ""),
        ({"properties": {}}, 0.0, ""),
    ],
)
def test_revenue_may_be_told_among_the_properties(sent: dict[str, Any], value: float, currency: str) -> None:
    hit = one(**{"type": "custom", "name": "Order", **sent})
    assert (hit.value, hit.currency) == (value, currency)
    kept = {name: told for name, told in sent["properties"].items() if told is not None}
    assert hit.properties == kept, "they stay properties too"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"a": 1}, '{"a":1}'),
        ({}, "{}"),
        ([1, [2.5, "ü"], None], '[1,[2.5,"ü"],null]'),
        ([{"password": "x", "api_key": ["y"], "a": {"authToken": 1}}],
         '[{"password":"[removed]","api_key":"[removed]","a":{"authToken":"[removed]"}}]'),
    ],
)  # fmt: skip
def test_properties_that_are_objects_or_arrays_become_their_json(sent: object, kept: str) -> None:
    properties = {"first": sent, "plan": "pro", "gone": None, "n": 3}
    assert one(url=URL, properties=properties).properties == {"first": kept, "plan": "pro", "n": 3}


def test_an_escape_in_them_hides_nothing() -> None:
    body = b'{"url": "https://example.com/", "properties": {"a": ["ann\\u0040example.com"]}}'
    assert read_one(EVENTS, body=body).properties == {"a": '["ann@example.com"]'}


def test_they_may_hold_revenue_beside_them() -> None:
    hit = one(type="custom", name="Order", properties={"items": [1, 2], "value": 20, "currency": "EUR"})
    assert (hit.value, hit.currency, hit.properties["items"]) == (20.0, "EUR", "[1,2]")


def test_in_a_batch_each_event_is_read_by_itself() -> None:
    nested = {"url": URL, "properties": {"a": {}}}
    wrong = {"url": 1, "properties": {"a": {}}}
    plain, first, bad, list_of = read(EVENTS, body=[{"url": URL}, nested, wrong, {"url": URL, "properties": [1]}])
    assert isinstance(plain, Hit)
    assert isinstance(first, Hit)
    assert first.properties == {"a": "{}"}
    assert bad == Malformed("Expected `str`, got `int` - at `$.url`")
    assert isinstance(list_of, Malformed)
    assert "properties" in list_of.problem


@pytest.mark.parametrize(
    "body",
    [
        b'{"url": 1, "properties": null}',
        b'{"url": "https://example.com/", "properties": {"a": [1e999]}}',
        b'{"url": "https://example.com/", "properties": {"a": ["\\ud800"]}}',
        b'{"url": "https://example.com/", "properties": {"a": %b}}' % (b"[" * 990 + b"]" * 990),
        b"3",
        b'"x"',
    ],
)
def test_what_is_no_event_stays_none(body: bytes) -> None:
    [problem] = read(EVENTS, body=body)
    assert isinstance(problem, Malformed)
    assert problem.problem


def test_a_lone_event_with_objects_is_one_event() -> None:
    [hit] = read(EVENTS, body=b"  " + json.dumps({"url": URL, "properties": {"a": {}}}).encode())
    assert isinstance(hit, Hit)


def test_the_short_way_knows_the_same_fields_as_the_described_one() -> None:
    described = {field.encode_name: field.type for field in msgspec.structs.fields(own.Sent)}
    read_at_once = {field.encode_name: field.type for field in msgspec.structs.fields(own._SentHit)}
    assert {"(id)", "(properties)"} == read_at_once.keys() - described.keys()
    assert described.items() <= read_at_once.items()


def test_what_is_made_of_a_field_cannot_be_sent() -> None:
    sent = {"url": "https://example.com/", "(id)": "AAAA", "(properties)": {"plan": "pro"}}
    hit = read_one(EVENTS, body=sent)
    assert (hit.id, hit.properties, hit.url) == (None, {}, "https://example.com/")
